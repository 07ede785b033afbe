//! The variables and objects at one point of a function.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use ruff_python_ast::name::Name;

use super::value::{ClassId, Classes, ObjectId, Shape, Taints, Value, class};

/// The variables of a function, as the functions in it see them.
#[derive(Debug, Default)]
pub(super) struct Env {
    pub(super) vars: RefCell<HashMap<Name, Value>>,
    pub(super) parent: Option<Rc<Self>>,
}

impl Env {
    pub(super) fn find(&self, name: &Name) -> Option<Value> {
        let mut env = self;
        // Python allows at most 100 nested functions.
        for _ in 0..100 {
            if let Some(value) = env.vars.borrow().get(name) {
                return Some(value.clone());
            }
            env = env.parent.as_deref()?;
        }
        None
    }
}

/// An object.
#[derive(Debug, Clone)]
pub(super) enum Object {
    /// An object of a class of the project, or of a library that is known by its name.
    Instance {
        class: Option<ClassId>,
        fields: HashMap<Name, Value>,
    },
    /// A dictionary, with the values of unknown keys in `rest`, and unknown keys in `keys`.
    Map {
        entries: Vec<(Name, Value)>,
        rest: Value,
        keys: Taints,
    },
    /// A list, tuple or set, with items of an unknown place in `rest`.
    Sequence {
        items: Vec<Value>,
        rest: Option<Value>,
    },
}

/// The variables and objects at one point.
#[derive(Debug, Clone, Default)]
pub(super) struct State {
    pub(super) vars: HashMap<Name, Value>,
    pub(super) heap: HashMap<ObjectId, Rc<Object>>,
    /// The proofs of outside values by the conditions on the way here.
    pub(super) cleaned: HashMap<u32, Classes>,
    /// No statement after a `return` or `raise` is reached.
    pub(super) dead: bool,
}

impl State {
    pub(super) fn clean(&mut self, proved: &[(u32, Classes)]) {
        for (origin, classes) in proved {
            *self.cleaned.entry(*origin).or_default() |= classes;
        }
    }

    /// The value with what the conditions on the way found out.
    pub(super) fn seen(&self, value: Value) -> Value {
        let known = |taints: &Taints| {
            taints
                .iter()
                .any(|taint| self.cleaned.contains_key(&taint.origin))
        };
        if self.cleaned.is_empty() || !known(&value.taints) {
            return value;
        }
        let classes = |origin: u32| self.cleaned.get(&origin).copied().unwrap_or(class::NONE);
        let taints = value
            .taints
            .map(|taint| taint.cleaned |= classes(taint.origin));
        let shape = match value.shape {
            Shape::Text(pieces) => Shape::Text(
                pieces
                    .iter()
                    .map(|piece| match piece {
                        super::value::Piece::Hole(taints) => super::value::Piece::Hole(
                            taints.map(|taint| taint.cleaned |= classes(taint.origin)),
                        ),
                        other @ super::value::Piece::Literal(_) => other.clone(),
                    })
                    .collect(),
            ),
            other => other,
        };
        Value {
            shape,
            taints,
            proof: value.proof,
        }
    }

    /// The outside values in a value and in what it holds.
    pub(super) fn deep(&self, value: &Value, base: &HashMap<ObjectId, Rc<Object>>) -> Taints {
        self.deep_to(value, base, 0)
    }

    fn deep_to(&self, value: &Value, base: &HashMap<ObjectId, Rc<Object>>, depth: u8) -> Taints {
        let mut all = value.taints.clone();
        let Shape::Object(id) = value.shape else {
            return all;
        };
        if depth > 4 {
            return all;
        }
        let depth = depth.saturating_add(1);
        match self.heap.get(&id).or_else(|| base.get(&id)).map(Rc::as_ref) {
            Some(Object::Sequence { items, rest }) => {
                for item in items.iter().take(64).chain(rest.as_ref()) {
                    all = all.with(&self.deep_to(item, base, depth));
                }
            }
            Some(Object::Map {
                entries,
                rest,
                keys,
            }) => {
                all = all.with(keys).with(&self.deep_to(rest, base, depth));
                for (_, item) in entries.iter().take(64) {
                    all = all.with(&self.deep_to(item, base, depth));
                }
            }
            Some(Object::Instance { fields, .. }) => {
                for item in fields.values().take(64) {
                    all = all.with(&self.deep_to(item, base, depth));
                }
            }
            None => {}
        }
        all
    }

    /// Either state.
    pub(super) fn join(self, other: Self, base: &HashMap<ObjectId, Rc<Object>>) -> Self {
        if self.dead {
            return other;
        }
        if other.dead {
            return self;
        }
        let mut joined = Self::default();
        for (name, value) in &self.vars {
            let value = match other.vars.get(name) {
                Some(two) => self.either(value, two, &other, base),
                None => value.clone(),
            };
            joined.vars.insert(name.clone(), value);
        }
        for (name, value) in &other.vars {
            if !self.vars.contains_key(name) {
                joined.vars.insert(name.clone(), value.clone());
            }
        }
        for (id, object) in &self.heap {
            let object = match other.heap.get(id) {
                Some(two) if Rc::ptr_eq(object, two) => object.clone(),
                Some(two) => Rc::new(self.either_object(object, two, &other, base)),
                None => object.clone(),
            };
            joined.heap.insert(*id, object);
        }
        for (id, object) in &other.heap {
            joined.heap.entry(*id).or_insert_with(|| object.clone());
        }
        for (origin, classes) in &self.cleaned {
            let both = classes & other.cleaned.get(origin).copied().unwrap_or(class::NONE);
            if both != class::NONE {
                joined.cleaned.insert(*origin, both);
            }
        }
        joined
    }

    fn either(
        &self,
        one: &Value,
        two: &Value,
        other: &Self,
        base: &HashMap<ObjectId, Rc<Object>>,
    ) -> Value {
        let (one, two) = (self.seen(one.clone()), other.seen(two.clone()));
        either(&one, &two, |value, is_first| {
            if is_first {
                self.deep(value, base)
            } else {
                other.deep(value, base)
            }
        })
    }

    fn either_object(
        &self,
        one: &Object,
        two: &Object,
        other: &Self,
        base: &HashMap<ObjectId, Rc<Object>>,
    ) -> Object {
        let mut both = |one: &Value, two: &Value| self.either(one, two, other, base);
        match (one, two) {
            (Object::Sequence { items: a, rest: ra }, Object::Sequence { items: b, rest: rb })
                if a.len() == b.len() =>
            {
                Object::Sequence {
                    items: a.iter().zip(b).map(|(a, b)| both(a, b)).collect(),
                    rest: either_option(ra.as_ref(), rb.as_ref(), &mut both),
                }
            }
            (Object::Sequence { items: a, rest: ra }, Object::Sequence { items: b, rest: rb }) => {
                let all = a.iter().chain(b).chain(ra).chain(rb);
                let rest = all.cloned().reduce(|one, two| both(&one, &two));
                Object::Sequence {
                    items: Vec::new(),
                    rest,
                }
            }
            (
                Object::Map {
                    entries: a,
                    rest: ra,
                    keys: ka,
                },
                Object::Map {
                    entries: b,
                    rest: rb,
                    keys: kb,
                },
            ) => {
                let entries = either_entries(a, b, &mut both);
                Object::Map {
                    entries,
                    rest: both(ra, rb),
                    keys: ka.with(kb),
                }
            }
            (Object::Instance { class, fields: a }, Object::Instance { fields: b, .. }) => {
                let mut fields = a.clone();
                for (name, value) in b {
                    let joined = a
                        .get(name)
                        .map_or_else(|| value.clone(), |a| both(a, value));
                    fields.insert(name.clone(), joined);
                }
                Object::Instance {
                    class: *class,
                    fields,
                }
            }
            _ => one.clone(),
        }
    }
}

fn either_option(
    one: Option<&Value>,
    two: Option<&Value>,
    both: &mut impl FnMut(&Value, &Value) -> Value,
) -> Option<Value> {
    match (one, two) {
        (Some(one), Some(two)) => Some(both(one, two)),
        (one, two) => one.or(two).cloned(),
    }
}

fn either_entries(
    one: &[(Name, Value)],
    two: &[(Name, Value)],
    both: &mut impl FnMut(&Value, &Value) -> Value,
) -> Vec<(Name, Value)> {
    let mut entries = one.to_vec();
    for (name, value) in two {
        match entries.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = both(known, value),
            None => entries.push((name.clone(), value.clone())),
        }
    }
    entries
}

/// Either value. An unknown one keeps the outside values of both, and of what they hold.
pub(super) fn either(one: &Value, two: &Value, deep: impl Fn(&Value, bool) -> Taints) -> Value {
    let taints = one.taints.with(&two.taints);
    if one.same_shape(two) {
        return Value::tainted(one.shape.clone(), taints);
    }
    match (&one.shape, &two.shape) {
        (Shape::None, shape) | (shape, Shape::None) => Value::tainted(shape.clone(), taints),
        (Shape::Object(_), _) | (_, Shape::Object(_)) => {
            deep(one, true).with(&deep(two, false)).into()
        }
        _ => taints.into(),
    }
}
