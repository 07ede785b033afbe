//! Expressions.

use std::rc::Rc;

use ruff_python_ast::name::Name;
use ruff_python_ast::{
    BoolOp, Comprehension, Expr, ExprBoolOp, ExprCompare, ExprFString, FStringPart,
    InterpolatedStringElement, Number, Operator, UnaryOp,
};
use ruff_text_size::Ranged;

use super::guards::negate;
use super::run::Run;
use super::state::{Object, State};
use super::value::{Piece, Proof, Shape, Taints, Value, class, key_of};

impl<'p> Run<'p> {
    /// The value of an expression.
    pub(super) fn eval(&mut self, expr: &'p Expr, state: &mut State) -> Value {
        if !self.step() || self.depth > 400 {
            return Value::default();
        }
        self.depth = self.depth.saturating_add(1);
        let value = self.eval_inner(expr, state);
        self.depth = self.depth.saturating_sub(1);
        value
    }

    fn eval_inner(&mut self, expr: &'p Expr, state: &mut State) -> Value {
        match expr {
            Expr::Name(node) => self.lookup(&node.id, state),
            Expr::StringLiteral(node) => Value::text(node.value.to_str()),
            Expr::BytesLiteral(node) => {
                let bytes: Vec<u8> = node.value.bytes().collect();
                Value::text(&String::from_utf8_lossy(&bytes))
            }
            Expr::NumberLiteral(node) => number(&node.value),
            Expr::BooleanLiteral(node) => Shape::Bool(node.value).into(),
            Expr::NoneLiteral(_) => Shape::None.into(),
            Expr::EllipsisLiteral(_) | Expr::IpyEscapeCommand(_) => Value::default(),
            Expr::FString(node) => self.f_string(node, state),
            Expr::TString(node) => self.t_string(node, state),
            Expr::BoolOp(node) => self.bool_op(node, state),
            Expr::Named(node) => {
                let value = self.eval(&node.value, state);
                self.assign(&node.target, value.clone(), state, &node.value);
                value
            }
            Expr::BinOp(node) => {
                let left = self.eval(&node.left, state);
                let right = self.eval(&node.right, state);
                self.binary(&left, node.op, &right, state, expr)
            }
            Expr::UnaryOp(node) => {
                let value = self.eval(&node.operand, state);
                unary(node.op, &value)
            }
            Expr::Lambda(node) => self.lambda(node, state),
            Expr::If(node) => self.if_expression(node, state),
            Expr::Dict(node) => self.dict(node, state),
            Expr::Set(node) => self.sequence(&node.elts, state),
            Expr::List(node) => self.sequence(&node.elts, state),
            Expr::Tuple(node) => self.sequence(&node.elts, state),
            Expr::ListComp(node) => self.comprehension(None, &node.elt, &node.generators, state),
            Expr::SetComp(node) => self.comprehension(None, &node.elt, &node.generators, state),
            Expr::Generator(node) => self.comprehension(None, &node.elt, &node.generators, state),
            Expr::DictComp(node) => {
                self.comprehension(node.key.as_deref(), &node.value, &node.generators, state)
            }
            Expr::Await(node) => self.eval(&node.value, state),
            Expr::Yield(node) => match &node.value {
                Some(value) => self.yielded(value, state),
                None => Value::default(),
            },
            Expr::YieldFrom(node) => self.yielded(&node.value, state),
            Expr::Compare(node) => self.compare(node, state),
            Expr::Call(node) => self.call(node, state),
            Expr::Attribute(node) => {
                let owner = self.eval(&node.value, state);
                self.attribute(&owner, &node.attr.id, state, expr)
            }
            Expr::Subscript(node) => self.subscript_expression(node, expr, state),
            Expr::Starred(node) => self.eval(&node.value, state),
            Expr::Slice(_) => Value::default(),
        }
    }

    fn subscript_expression(
        &mut self,
        node: &'p ruff_python_ast::ExprSubscript,
        expr: &'p Expr,
        state: &mut State,
    ) -> Value {
        let owner = self.eval(&node.value, state);
        if let Expr::Slice(slice) = &*node.slice {
            return self.slice(&owner, slice, state);
        }
        let key = self.eval(&node.slice, state);
        let value = self.subscript(&owner, &key, state, expr);
        state.seen(value)
    }

    fn t_string(&mut self, node: &'p ruff_python_ast::ExprTString, state: &mut State) -> Value {
        let mut pieces = Vec::new();
        for element in node.value.elements() {
            self.element(element, &mut pieces, state);
        }
        Value::pieces(pieces)
    }

    fn yielded(&mut self, value: &'p Expr, state: &mut State) -> Value {
        let value = self.eval(value, state);
        let left = state.clone();
        if let Some(frame) = self.frames.last_mut()
            && frame.returns.len() < 32
        {
            frame.returns.push((value, left));
        }
        Value::default()
    }

    fn f_string(&mut self, node: &'p ExprFString, state: &mut State) -> Value {
        let mut pieces = Vec::new();
        for part in &node.value {
            match part {
                FStringPart::Literal(text) => {
                    pieces.push(Piece::Literal(text.value.as_ref().into()));
                }
                FStringPart::FString(inner) => {
                    for element in &inner.elements {
                        self.element(element, &mut pieces, state);
                    }
                }
            }
        }
        Value::pieces(pieces)
    }

    fn element(
        &mut self,
        element: &'p InterpolatedStringElement,
        pieces: &mut Vec<Piece>,
        state: &mut State,
    ) {
        match element {
            InterpolatedStringElement::Literal(text) => {
                pieces.push(Piece::Literal(text.value.as_ref().into()));
            }
            InterpolatedStringElement::Interpolation(inner) => {
                let value = self.eval(&inner.expression, state);
                let taints = self.deep(state, &value);
                let is_number = inner.format_spec.as_ref().is_some_and(|spec| {
                    let text = spec
                        .elements
                        .literals()
                        .map(|one| &*one.value)
                        .collect::<String>();
                    text.ends_with(['d', 'x', 'X', 'f', 'e', 'b'])
                });
                if is_number {
                    pieces.push(Piece::Hole(taints.cleaned(class::TEXT)));
                } else {
                    pieces.extend(value.with_taints(&taints).as_pieces());
                }
            }
        }
    }

    /// `and` and `or`: the right side runs only if the left allows it, and knows what the left proves.
    fn bool_op(&mut self, node: &'p ExprBoolOp, state: &mut State) -> Value {
        let is_and = node.op == BoolOp::And;
        let before = state.cleaned.clone();
        let mut values: Vec<Value> = Vec::new();
        let mut ends = None;
        for expr in &node.values {
            let value = self.eval(expr, state);
            let truth = value.truth();
            self.assume(&value, is_and, state);
            values.push(value);
            if truth == Some(!is_and) {
                ends = Some(!is_and);
                break;
            }
        }
        state.cleaned = before;
        let proof = combine(&values, is_and);
        // `a and b` is b or something false, and `a or b` is the first true one.
        let unknown = values.iter().filter(|value| value.truth().is_none());
        let mut value = match (ends, values.last()) {
            (Some(_), Some(last)) if unknown.count() == 0 => last.clone(),
            (_, Some(last)) => {
                let mut value = last.clone();
                let others = values.len().saturating_sub(1);
                for one in values.iter().take(others) {
                    if one.truth() != Some(is_and) {
                        value = self.either(state, one, &value);
                    }
                }
                if values.iter().all(|value| value.truth() == Some(is_and)) {
                    value = last.clone();
                }
                value
            }
            (_, None) => Value::default(),
        };
        if let (Some(end), None) = (ends, value.truth()) {
            value.shape = Shape::Bool(end);
        }
        value.proof = Some(Rc::new(proof));
        value
    }

    fn if_expression(&mut self, node: &'p ruff_python_ast::ExprIf, state: &mut State) -> Value {
        let test = self.eval(&node.test, state);
        match test.truth() {
            Some(true) => self.eval(&node.body, state),
            Some(false) => self.eval(&node.orelse, state),
            None => {
                let before = state.cleaned.clone();
                self.assume(&test, true, state);
                let one = self.eval(&node.body, state);
                let one = state.seen(one);
                state.cleaned.clone_from(&before);
                self.assume(&test, false, state);
                let two = self.eval(&node.orelse, state);
                let two = state.seen(two);
                state.cleaned = before;
                self.either(state, &one, &two)
            }
        }
    }

    fn dict(&mut self, node: &'p ruff_python_ast::ExprDict, state: &mut State) -> Value {
        let mut entries = Vec::new();
        let mut rest = Value::default();
        let mut keys = Taints::default();
        for item in &node.items {
            let value = self.eval(&item.value, state);
            match &item.key {
                Some(key) => {
                    let key = self.eval(key, state);
                    self.keyed(&key, &value, item.value.range(), state);
                    match key_of(&key) {
                        Some(key) => entries.push((key, value)),
                        None => {
                            keys = keys.with(&key.taints);
                            rest = self.either(state, &rest, &value);
                        }
                    }
                }
                None => match self.object(state, &value).cloned() {
                    Some(Object::Map {
                        entries: more,
                        rest: other,
                        keys: more_keys,
                    }) => {
                        entries.extend(more);
                        rest = self.either(state, &rest, &other);
                        keys = keys.with(&more_keys);
                    }
                    _ => rest = rest.with_taints(&self.deep(state, &value)),
                },
            }
        }
        self.allocate(
            state,
            Object::Map {
                entries,
                rest,
                keys,
            },
        )
    }

    fn sequence(&mut self, elements: &'p [Expr], state: &mut State) -> Value {
        let mut items = Vec::new();
        let mut rest = None;
        for element in elements {
            let value = self.eval(element, state);
            if let Expr::Starred(_) = element {
                match self.known_items(&value, state) {
                    Some(more) => items.extend(more),
                    None => rest = Some(self.item_of(&value, state, element)),
                }
            } else {
                items.push(value);
            }
        }
        self.allocate(state, Object::Sequence { items, rest })
    }

    fn comprehension(
        &mut self,
        key: Option<&'p Expr>,
        element: &'p Expr,
        generators: &'p [Comprehension],
        state: &mut State,
    ) -> Value {
        let (vars, cleaned) = (state.vars.clone(), state.cleaned.clone());
        if let ([generator], None) = (generators, key) {
            let iterable = self.eval(&generator.iter, state);
            if let Some(known) = self.known_items(&iterable, state)
                && generator.ifs.is_empty()
            {
                let mut items = Vec::new();
                for item in known {
                    self.assign(&generator.target, item, state, &generator.iter);
                    items.push(self.eval(element, state));
                }
                (state.vars, state.cleaned) = (vars, cleaned);
                return self.allocate(state, Object::Sequence { items, rest: None });
            }
        }
        for generator in generators {
            let iterable = self.eval(&generator.iter, state);
            let item = self.item_of(&iterable, state, &generator.iter);
            self.assign(&generator.target, item, state, &generator.iter);
            for test in &generator.ifs {
                let test = self.eval(test, state);
                self.assume(&test, true, state);
            }
        }
        let key = key.map(|key| self.eval(key, state));
        let value = self.eval(element, state);
        let value = state.seen(value);
        (state.vars, state.cleaned) = (vars, cleaned);
        match key {
            Some(key) => {
                let map = Object::Map {
                    entries: Vec::new(),
                    rest: value,
                    keys: key.taints,
                };
                self.allocate(state, map)
            }
            None => {
                let rest = Some(value);
                self.sequence_of(state, rest)
            }
        }
    }

    fn compare(&mut self, node: &'p ExprCompare, state: &mut State) -> Value {
        let mut left = self.eval(&node.left, state);
        let mut tests = Vec::new();
        let mut left_node = &*node.left;
        for (op, right_node) in node.ops.iter().zip(&node.comparators) {
            let right = self.eval(right_node, state);
            self.compared(&left, &right, *op, (left_node, right_node), state);
            tests.push(self.comparison(&left, *op, &right, state));
            left = right;
            left_node = right_node;
        }
        match tests.len() {
            1 => tests.pop().unwrap_or_default(),
            _ => {
                let known: Option<Vec<bool>> = tests.iter().map(Value::truth).collect();
                let proof = combine(&tests, true);
                let shape =
                    known.map_or(Shape::Unknown, |all| Shape::Bool(all.iter().all(|is| *is)));
                Value {
                    shape,
                    taints: Taints::default(),
                    proof: Some(Rc::new(proof)),
                }
            }
        }
    }

    /// Two values with an operator between them.
    pub(super) fn binary(
        &mut self,
        left: &Value,
        op: Operator,
        right: &Value,
        state: &mut State,
        _node: &impl Ranged,
    ) -> Value {
        if let (Some(one), Some(two)) = (left.as_int(), right.as_int()) {
            return arithmetic(one, op, two);
        }
        match op {
            Operator::Add => self.add(left, right, state),
            Operator::Mod if matches!(left.shape, Shape::Text(_)) => {
                self.percent(left, right, state)
            }
            Operator::Mult => match (left.as_text(), right.as_int()) {
                (Some(text), Some(times)) if (0..=64).contains(&times) && text.len() < 1_000 => {
                    Value::text(&text.repeat(usize::try_from(times).unwrap_or(0)))
                }
                _ => left.taints.with(&right.taints).into(),
            },
            Operator::Div => {
                let taints = left.taints.with(&self.deep(state, right));
                match left.as_name() {
                    // pathlib: folder / name
                    Some(_) => Value::tainted(left.shape.clone(), taints),
                    None if taints.is_empty() => Value::default(),
                    None => Value::tainted(Shape::Name("pathlib.Path()".into()), taints),
                }
            }
            _ => left.taints.with(&right.taints).into(),
        }
    }

    fn add(&mut self, left: &Value, right: &Value, state: &mut State) -> Value {
        if let (Some(one), Some(two)) = (self.object(state, left), self.object(state, right))
            && let (
                Object::Sequence { items: a, rest: ra },
                Object::Sequence { items: b, rest: rb },
            ) = (one.clone(), two.clone())
        {
            let object = match ra {
                None => Object::Sequence {
                    items: a.into_iter().chain(b).collect(),
                    rest: rb,
                },
                Some(rest) => {
                    let all = b
                        .iter()
                        .chain(&rb)
                        .fold(rest, |all, one| self.either(state, &all, one));
                    Object::Sequence {
                        items: a,
                        rest: Some(all),
                    }
                }
            };
            return self.allocate(state, object);
        }
        let is_text = |value: &Value| matches!(value.shape, Shape::Text(_));
        if is_text(left) || is_text(right) {
            let mut left = left.clone();
            if matches!(left.shape, Shape::Object(_)) {
                left = self.deep(state, &left).into();
            }
            return Value::pieces(left.as_pieces().into_iter().chain(right.as_pieces()));
        }
        let taints = self.deep(state, left).with(&self.deep(state, right));
        if taints.is_empty() {
            Value::default()
        } else {
            Value::pieces([
                Piece::Hole(self.deep(state, left)),
                Piece::Hole(self.deep(state, right)),
            ])
        }
    }

    /// `"… %s …" % values`
    fn percent(&mut self, left: &Value, right: &Value, state: &State) -> Value {
        let items = match self.object(state, right) {
            Some(Object::Sequence { items, rest: None }) => items.clone(),
            Some(Object::Map { .. }) => vec![self.deep(state, right).into()],
            _ => vec![right.clone()],
        };
        let Some(format) = left.as_text().map(str::to_owned) else {
            return left.taints.with(&self.deep(state, right)).into();
        };
        let mut pieces = Vec::new();
        let mut parts = format.split('%');
        pieces.push(Piece::Literal(parts.next().unwrap_or_default().into()));
        let mut next = items.into_iter();
        let mut last = Value::default();
        while let Some(part) = parts.next() {
            if part.is_empty() {
                // `%%`
                let after = parts.next().unwrap_or_default();
                pieces.push(Piece::Literal(format!("%{after}").into()));
                continue;
            }
            let named = part.starts_with('(');
            let part = if named {
                part.split_once(')').map_or(part, |(_, rest)| rest)
            } else {
                part
            };
            let kind = part.find(|c: char| c.is_ascii_alphabetic());
            let (kind, rest) = match kind.and_then(|at| part.split_at_checked(at)) {
                Some((_, rest)) => (rest.chars().next(), rest.get(1..).unwrap_or_default()),
                None => (None, part),
            };
            if let Some(value) = next.next() {
                last = value;
            }
            let taints = self.deep(state, &last);
            match kind {
                Some('d' | 'i' | 'x' | 'f') => {
                    pieces.push(Piece::Hole(taints.cleaned(class::TEXT)))
                }
                _ => pieces.extend(last.clone().with_taints(&taints).as_pieces()),
            }
            pieces.push(Piece::Literal(rest.into()));
        }
        Value::pieces(pieces)
    }

    /// An unknown item of a value that is iterated.
    pub(super) fn item_of(&mut self, value: &Value, state: &State, node: &impl Ranged) -> Value {
        match self.object(state, value) {
            Some(Object::Sequence { items, rest }) => {
                let all = items
                    .iter()
                    .chain(rest.as_ref())
                    .cloned()
                    .collect::<Vec<_>>();
                let all = all
                    .into_iter()
                    .reduce(|one, two| self.either(state, &one, &two));
                state.seen(all.unwrap_or_default())
            }
            Some(Object::Map { keys, .. }) => keys.clone().into(),
            Some(Object::Instance { .. }) => self.deep(state, value).into(),
            None => self.source_item(value, state, node),
        }
    }

    pub(super) fn name_key(name: &str) -> Name {
        Name::new(name)
    }
}

fn number(number: &Number) -> Value {
    match number {
        Number::Int(number) => number
            .as_i64()
            .map_or_else(Value::default, |number| Shape::Int(number).into()),
        Number::Float(number) => Shape::Float(*number).into(),
        Number::Complex { .. } => Value::default(),
    }
}

fn unary(op: UnaryOp, value: &Value) -> Value {
    match op {
        UnaryOp::Not => negate(value),
        UnaryOp::USub => match value.as_int() {
            Some(number) => Shape::Int(number.wrapping_neg()).into(),
            None => value.taints.clone().into(),
        },
        UnaryOp::Invert | UnaryOp::UAdd => value.clone(),
    }
}

/// The proof of `and` (or, the other way round, `or`) of conditions.
fn combine(values: &[Value], is_and: bool) -> Proof {
    let mut all = Vec::new();
    let mut any: Option<Vec<(u32, u32)>> = None;
    for value in values {
        let empty = Proof::default();
        let proof = value.proof.as_deref().unwrap_or(&empty);
        let (each, either) = if is_and {
            (&proof.when_true, &proof.when_false)
        } else {
            (&proof.when_false, &proof.when_true)
        };
        all.extend(each.iter().copied());
        // A part that cannot decide the whole says nothing.
        if value.truth() == Some(is_and) {
            continue;
        }
        any = Some(match any {
            None => either.clone(),
            Some(known) => super::guards::both(&known, either),
        });
    }
    let any = any.unwrap_or_default();
    if is_and {
        Proof {
            when_true: all,
            when_false: any,
        }
    } else {
        Proof {
            when_true: any,
            when_false: all,
        }
    }
}

fn arithmetic(one: i64, op: Operator, two: i64) -> Value {
    let result = match op {
        Operator::Add => one.checked_add(two),
        Operator::Sub => one.checked_sub(two),
        Operator::Mult => one.checked_mul(two),
        Operator::Mod => one.checked_rem_euclid(two),
        Operator::FloorDiv => one.checked_div_euclid(two),
        Operator::Pow => u32::try_from(two).ok().and_then(|two| one.checked_pow(two)),
        Operator::LShift => u32::try_from(two).ok().and_then(|two| one.checked_shl(two)),
        Operator::RShift => u32::try_from(two).ok().and_then(|two| one.checked_shr(two)),
        Operator::BitOr => Some(one | two),
        Operator::BitXor => Some(one ^ two),
        Operator::BitAnd => Some(one & two),
        Operator::Div if two != 0 => {
            return match one.checked_rem(two) {
                Some(0) => one
                    .checked_div(two)
                    .map_or_else(Value::default, |all| Shape::Int(all).into()),
                _ => Value::default(),
            };
        }
        Operator::Div | Operator::MatMult => None,
    };
    result.map_or_else(Value::default, |number| Shape::Int(number).into())
}
