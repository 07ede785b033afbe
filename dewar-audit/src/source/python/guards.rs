//! Conditions: what they prove about outside values.

use std::rc::Rc;

use ruff_python_ast::CmpOp;

use super::run::Run;
use super::state::{Object, State};
use super::value::{Classes, Kind, Piece, Proof, Shape, Taints, Value, class};

/// The proofs that both have.
pub(super) fn both(one: &[(u32, Classes)], two: &[(u32, Classes)]) -> Vec<(u32, Classes)> {
    let mut all = Vec::new();
    for (origin, classes) in one {
        let other = two.iter().filter(|(other, _)| other == origin);
        let other = other.fold(class::NONE, |all, (_, classes)| all | classes);
        if classes & other != class::NONE {
            all.push((*origin, classes & other));
        }
    }
    all
}

/// A condition that proves something about these values if it holds.
pub(super) fn proves(taints: &Taints, classes: Classes, when: bool) -> Value {
    let all: Vec<(u32, Classes)> = taints.iter().map(|taint| (taint.origin, classes)).collect();
    let proof = if when {
        Proof {
            when_true: all,
            when_false: Vec::new(),
        }
    } else {
        Proof {
            when_true: Vec::new(),
            when_false: all,
        }
    };
    Value {
        shape: Shape::Unknown,
        taints: Taints::default(),
        proof: Some(Rc::new(proof)),
    }
}

/// The purposes for which a value is harmless when this part of it is one of a list: the host of an address says nothing about quotes.
fn covered(value: &Value) -> Classes {
    match value.as_name() {
        Some(name) if name.ends_with("#host") => class::REDIRECT | class::SSRF,
        Some(name) if name.ends_with("#scheme") => class::ATTRIBUTE,
        Some(name) if name.ends_with("#suffix") => class::UPLOAD,
        _ => class::ALL,
    }
}

impl Run<'_> {
    pub(super) fn comparison(
        &mut self,
        left: &Value,
        op: CmpOp,
        right: &Value,
        state: &mut State,
    ) -> Value {
        match op {
            CmpOp::Eq | CmpOp::Is => self.equal(left, right, state),
            CmpOp::NotEq | CmpOp::IsNot => negate(&self.equal(left, right, state)),
            CmpOp::In => self.contains(right, left, state),
            CmpOp::NotIn => negate(&self.contains(right, left, state)),
            CmpOp::Lt | CmpOp::LtE | CmpOp::Gt | CmpOp::GtE => {
                let (Some(one), Some(two)) = (left.as_int(), right.as_int()) else {
                    return Value::default();
                };
                let is = match op {
                    CmpOp::Lt => one < two,
                    CmpOp::LtE => one <= two,
                    CmpOp::Gt => one > two,
                    _ => one >= two,
                };
                Shape::Bool(is).into()
            }
        }
    }

    pub(super) fn equal(&mut self, left: &Value, right: &Value, state: &mut State) -> Value {
        if let Some(is) = known_equal(left, right) {
            return Shape::Bool(is).into();
        }
        // Equal to something that a visitor did not choose.
        let (tainted, other) = match (left.taints.is_empty(), right.taints.is_empty()) {
            (false, true) => (left, right),
            (true, false) => (right, left),
            (true, true) | (false, false) => {
                for taints in [&left.taints, &right.taints] {
                    for taint in taints.iter().filter(|taint| taint.kind != Kind::Random) {
                        *state.cleaned.entry(taint.origin).or_default() |= class::TRUST;
                    }
                }
                if covered(left) == covered(right) && covered(left) != class::ALL {
                    return proves(&left.taints.with(&right.taints), covered(left), true);
                }
                return Value::default();
            }
        };
        if matches!(other.shape, Shape::None) {
            return Value::default();
        }
        if other.as_text() != Some("") {
            for taint in tainted.taints.iter() {
                *state.cleaned.entry(taint.origin).or_default() |= class::TRUST;
            }
        }
        if other.as_text() == Some("") && covered(tainted) == class::REDIRECT | class::SSRF {
            // Without a host it is an address of this site.
            return proves(&tainted.taints, class::REDIRECT, true);
        }
        proves(&tainted.taints, covered(tainted), true)
    }

    /// `item in container`
    fn contains(&mut self, container: &Value, item: &Value, state: &mut State) -> Value {
        let text = container.as_text().map(str::to_owned);
        if let (Some(text), Some(part)) = (&text, item.as_text()) {
            return Shape::Bool(text.contains(part)).into();
        }
        // A character that a value must not have.
        if let Some(part) = item.as_text()
            && !container.taints.is_empty()
            && self.object(state, container).is_none()
        {
            if holds(container, part) {
                return Shape::Bool(true).into();
            }
            // All but the quotes at both ends: a literal has no other.
            if container.as_name() == Some("?[1:-1]") && matches!(part, "'" | "\"") {
                return proves(&container.taints, class::CODE | class::XPATH, false);
            }
            let whole = !matches!(&container.shape, Shape::Name(name) if name.contains('#'));
            let classes = if whole { absent(part) } else { class::NONE };
            return proves(&container.taints, classes, false);
        }
        if item.taints.is_empty() {
            return Value::default();
        }
        let held = self.deep(state, container);
        let known = match self.object(state, container) {
            Some(Object::Sequence { items, .. }) => held.is_empty() && !items.is_empty(),
            Some(Object::Map { .. }) => held.is_empty(),
            Some(Object::Instance { .. }) => false,
            None => match &container.shape {
                // A list of the application's settings, or letters that are allowed.
                Shape::Name(name) => held.is_empty() && !name.contains("request"),
                Shape::Text(_) => text.is_some(),
                Shape::Unknown => held.is_empty(),
                _ => false,
            },
        };
        if known {
            for taint in item.taints.iter() {
                *state.cleaned.entry(taint.origin).or_default() |= class::TRUST;
            }
            return proves(&item.taints, covered(item), true);
        }
        Value::default()
    }
}

pub(super) fn negate(value: &Value) -> Value {
    let proof = value.proof.as_ref().map(|proof| {
        Rc::new(Proof {
            when_true: proof.when_false.clone(),
            when_false: proof.when_true.clone(),
        })
    });
    let shape = value.truth().map_or(Shape::Unknown, |is| Shape::Bool(!is));
    Value {
        shape,
        taints: Taints::default(),
        proof,
    }
}

fn known_equal(left: &Value, right: &Value) -> Option<bool> {
    match (&left.shape, &right.shape) {
        (Shape::Int(_) | Shape::Bool(_), Shape::Int(_) | Shape::Bool(_)) => {
            Some(left.as_int() == right.as_int())
        }
        (Shape::None, Shape::None) => Some(true),
        (Shape::None, Shape::Text(_) | Shape::Int(_))
        | (Shape::Text(_) | Shape::Int(_), Shape::None) => Some(false),
        (Shape::Text(_), Shape::Text(_)) => Some(left.as_text()? == right.as_text()?),
        (Shape::Name(one), Shape::Text(_)) if &**one == "__name__" => {
            Some(right.as_text()? == "__main__")
        }
        _ => None,
    }
}

/// Whether a known piece of a text has this part.
fn holds(value: &Value, part: &str) -> bool {
    match &value.shape {
        Shape::Text(pieces) => pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Literal(text) if text.contains(part))),
        _ => false,
    }
}

/// The purposes for which a value without such a part is harmless.
fn absent(part: &str) -> Classes {
    match part {
        ".." | "../" | "/" | "\\" => class::PATH | class::UPLOAD,
        "'" => class::XPATH,
        "\"" => class::XPATH,
        "<" | ">" => class::XSS,
        "\n" | "\r" => class::LOG | class::HEADER,
        ";" | "&" | "|" => class::COMMAND,
        "//" | "://" | "http" => class::REDIRECT,
        "(" | "*" => class::LDAP,
        _ => class::NONE,
    }
}
