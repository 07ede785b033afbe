//! Knowledge about a value: its shape, and the outside values in it.

use std::rc::Rc;

use ruff_python_ast::name::Name;

/// A set of kinds of harm, as bits; a check of a value clears some of them.
pub(super) type Classes = u32;

/// The kinds of harm.
pub(super) mod class {
    use super::Classes;

    pub(in crate::source::python) const NONE: Classes = 0;
    pub(in crate::source::python) const ALL: Classes = Classes::MAX;
    pub(in crate::source::python) const SQL: Classes = 1;
    pub(in crate::source::python) const COMMAND: Classes = 1 << 1;
    pub(in crate::source::python) const CODE: Classes = 1 << 2;
    pub(in crate::source::python) const DESERIALIZE: Classes = 1 << 3;
    pub(in crate::source::python) const TEMPLATE: Classes = 1 << 4;
    pub(in crate::source::python) const XSS: Classes = 1 << 5;
    pub(in crate::source::python) const ATTRIBUTE: Classes = 1 << 6;
    pub(in crate::source::python) const PATH: Classes = 1 << 7;
    pub(in crate::source::python) const REDIRECT: Classes = 1 << 8;
    pub(in crate::source::python) const SSRF: Classes = 1 << 9;
    pub(in crate::source::python) const XXE: Classes = 1 << 10;
    pub(in crate::source::python) const LDAP: Classes = 1 << 11;
    pub(in crate::source::python) const XPATH: Classes = 1 << 12;
    pub(in crate::source::python) const HEADER: Classes = 1 << 13;
    pub(in crate::source::python) const LOG: Classes = 1 << 14;
    pub(in crate::source::python) const TRUST: Classes = 1 << 15;
    pub(in crate::source::python) const REGEX: Classes = 1 << 16;
    pub(in crate::source::python) const FORMAT: Classes = 1 << 17;
    pub(in crate::source::python) const REFLECTION: Classes = 1 << 18;
    pub(in crate::source::python) const NOSQL: Classes = 1 << 19;
    pub(in crate::source::python) const UPLOAD: Classes = 1 << 20;
    pub(in crate::source::python) const MASS: Classes = 1 << 21;
    /// A number is still an id that a visitor can count.
    pub(in crate::source::python) const OWNER: Classes = 1 << 22;
    pub(in crate::source::python) const RANDOM: Classes = 1 << 23;
    pub(in crate::source::python) const SECRET: Classes = 1 << 24;
    /// All that text can do and a number cannot.
    pub(in crate::source::python) const TEXT: Classes = ALL & !(OWNER | RANDOM | SECRET);
}

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The text of an error.
    Error,
    /// A random number that can be predicted.
    Random,
    /// A visitor.
    Request,
    /// A password of a request, or a secret of the application.
    Secret,
    /// A database, or a file.
    Stored,
    /// The body of a request that is JSON, which can be any type.
    Json,
}

/// A place in the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) module: u32,
    pub(super) offset: u32,
}

/// The way of a value so far, the last step first.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) at: Place,
    pub(super) before: Option<Rc<Self>>,
    pub(super) length: u16,
}

/// The longest way that is remembered.
const LONGEST: u16 = 24;

/// An outside value.
#[derive(Debug, Clone)]
pub(super) struct Taint {
    pub(super) origin: u32,
    pub(super) kind: Kind,
    pub(super) cleaned: Classes,
    pub(super) way: Option<Rc<Link>>,
}

/// The outside values in a value; most values have none.
#[derive(Debug, Clone, Default)]
pub(super) struct Taints(Option<Rc<[Taint]>>);

/// A value holds at most so many outside values; more would say nothing new.
const MOST: usize = 8;

impl Taints {
    pub(super) fn one(taint: Taint) -> Self {
        Self(Some(Rc::from([taint])))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Taint> {
        self.0.iter().flat_map(|all| all.iter())
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    fn of(all: Vec<Taint>) -> Self {
        if all.is_empty() {
            Self(None)
        } else {
            Self(Some(Rc::from(all)))
        }
    }

    /// Both. What was cleaned in one way only is not clean.
    pub(super) fn with(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (_, None) => self.clone(),
            (None, _) => other.clone(),
            (Some(one), Some(two)) if Rc::ptr_eq(one, two) => self.clone(),
            (Some(one), Some(two)) => {
                let mut all = one.to_vec();
                for taint in two.iter() {
                    let has_room = all.len() < MOST;
                    let known = all
                        .iter_mut()
                        .find(|known| known.origin == taint.origin && known.kind == taint.kind);
                    match known {
                        Some(known) => known.cleaned &= taint.cleaned,
                        None if has_room => all.push(taint.clone()),
                        None => {}
                    }
                }
                Self::of(all)
            }
        }
    }

    pub(super) fn map(&self, change: impl Fn(&mut Taint)) -> Self {
        let Some(all) = &self.0 else {
            return Self(None);
        };
        let mut all = all.to_vec();
        all.iter_mut().for_each(change);
        Self::of(all)
    }

    pub(super) fn filter(&self, keep: impl Fn(&Taint) -> bool) -> Self {
        if self.iter().all(&keep) {
            return self.clone();
        }
        Self::of(self.iter().filter(|taint| keep(taint)).cloned().collect())
    }

    pub(super) fn cleaned(&self, classes: Classes) -> Self {
        if classes == class::NONE {
            return self.clone();
        }
        self.map(|taint| taint.cleaned |= classes)
    }

    /// Undoes what checks found out: the value was decoded after them.
    pub(super) fn soiled(&self, classes: Classes) -> Self {
        self.map(|taint| taint.cleaned &= !classes)
    }

    /// A step of the way.
    pub(super) fn step(&self, at: Place) -> Self {
        self.map(|taint| {
            let length = taint.way.as_ref().map_or(0, |way| way.length);
            let is_same = taint.way.as_ref().is_some_and(|way| way.at == at);
            if length < LONGEST && !is_same {
                taint.way = Some(Rc::new(Link {
                    at,
                    before: taint.way.clone(),
                    length: length.saturating_add(1),
                }));
            }
        })
    }
}

/// A piece of a text.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    /// Something unknown, with the outside values in it.
    Hole(Taints),
    /// Characters of the source.
    Literal(Rc<str>),
}

/// A function that was reached, or a class.
pub(super) type FunctionId = usize;
pub(super) type ClassId = usize;
/// An object on the heap.
pub(super) type ObjectId = u32;

/// The shape of a value.
#[derive(Debug, Clone, Default)]
pub(super) enum Shape {
    Bool(bool),
    /// A method with its object.
    Bound(Rc<(Value, FunctionId)>),
    Class(ClassId),
    Float(f64),
    Function(FunctionId, Option<Rc<super::state::Env>>),
    Int(i64),
    /// A module of the project, by its dotted name.
    Module(Rc<str>),
    /// Something of a library, by its dotted name: `flask.request.args`, `sqlite3.connect().cursor()`.
    Name(Rc<str>),
    None,
    Object(ObjectId),
    Text(Rc<[Piece]>),
    #[default]
    Unknown,
}

/// A condition's proofs about outside values, if it holds and if it does not.
#[derive(Debug, Default)]
pub(super) struct Proof {
    pub(super) when_true: Vec<(u32, Classes)>,
    pub(super) when_false: Vec<(u32, Classes)>,
}

/// A value.
#[derive(Debug, Clone, Default)]
pub(super) struct Value {
    pub(super) shape: Shape,
    pub(super) taints: Taints,
    pub(super) proof: Option<Rc<Proof>>,
}

impl From<Shape> for Value {
    fn from(shape: Shape) -> Self {
        Self {
            shape,
            ..Self::default()
        }
    }
}

impl From<Taints> for Value {
    fn from(taints: Taints) -> Self {
        Self {
            taints,
            ..Self::default()
        }
    }
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Shape::Text(Rc::from([Piece::Literal(text.into())])).into()
    }

    pub(super) fn name(name: impl AsRef<str>) -> Self {
        Shape::Name(name.as_ref().into()).into()
    }

    pub(super) fn tainted(shape: Shape, taints: Taints) -> Self {
        Self {
            shape,
            taints,
            proof: None,
        }
    }

    /// A text of pieces; neighbouring literals become one.
    pub(super) fn pieces(pieces: impl IntoIterator<Item = Piece>) -> Self {
        let mut all: Vec<Piece> = Vec::new();
        let mut taints = Taints::default();
        for piece in pieces {
            let has_room = all.len() < 64;
            match (&piece, all.last_mut()) {
                (Piece::Literal(new), _) if new.is_empty() => {}
                (Piece::Literal(new), Some(Piece::Literal(last))) => {
                    // A text that grows in a loop of the source does not grow here.
                    if last.len() < 4_096 {
                        *last = format!("{last}{new}").into();
                    }
                }
                (Piece::Hole(new), _) => {
                    taints = taints.with(new);
                    if has_room {
                        all.push(piece);
                    }
                }
                (Piece::Literal(_), _) if has_room => all.push(piece),
                (Piece::Literal(_), _) => {}
            }
        }
        if all.is_empty() {
            all.push(Piece::Literal("".into()));
        }
        Self::tainted(Shape::Text(all.into()), taints)
    }

    /// The pieces that it adds to a text.
    pub(super) fn as_pieces(&self) -> Vec<Piece> {
        match &self.shape {
            Shape::Text(pieces) => pieces.to_vec(),
            Shape::Int(number) => vec![Piece::Literal(number.to_string().into())],
            Shape::Bool(_)
            | Shape::Bound(_)
            | Shape::Class(_)
            | Shape::Float(_)
            | Shape::Function(..)
            | Shape::Module(_)
            | Shape::Name(_)
            | Shape::None
            | Shape::Object(_)
            | Shape::Unknown => vec![Piece::Hole(self.taints.clone())],
        }
    }

    /// The text, if all of it is known.
    pub(super) fn as_text(&self) -> Option<&str> {
        match &self.shape {
            Shape::Text(pieces) => match &**pieces {
                [Piece::Literal(text)] => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// The known beginning of the text.
    pub(super) fn prefix(&self) -> &str {
        match &self.shape {
            Shape::Text(pieces) => match pieces.first() {
                Some(Piece::Literal(text)) => text,
                _ => "",
            },
            _ => "",
        }
    }

    pub(super) fn as_name(&self) -> Option<&str> {
        match &self.shape {
            Shape::Name(name) => Some(name),
            _ => None,
        }
    }

    pub(super) const fn as_int(&self) -> Option<i64> {
        match self.shape {
            Shape::Int(number) => Some(number),
            Shape::Bool(is) => Some(is as i64),
            _ => None,
        }
    }

    /// Whether it counts as true, if that is known.
    pub(super) fn truth(&self) -> Option<bool> {
        match &self.shape {
            Shape::Bool(is) => Some(*is),
            Shape::Int(number) => Some(*number != 0),
            Shape::Float(number) => Some(*number != 0.0),
            Shape::None => Some(false),
            Shape::Text(pieces) => match &**pieces {
                [Piece::Literal(text)] => Some(!text.is_empty()),
                all => all
                    .iter()
                    .any(|piece| matches!(piece, Piece::Literal(text) if !text.is_empty()))
                    .then_some(true),
            },
            Shape::Function(..) | Shape::Class(_) | Shape::Module(_) | Shape::Bound(_) => {
                Some(true)
            }
            Shape::Name(_) | Shape::Object(_) | Shape::Unknown => None,
        }
    }

    pub(super) fn with_taints(mut self, taints: &Taints) -> Self {
        self.taints = self.taints.with(taints);
        self
    }

    /// Every outside value in it, cleaned of these.
    pub(super) fn cleaned(&self, classes: Classes) -> Self {
        let taints = self.taints.cleaned(classes);
        let shape = match &self.shape {
            Shape::Text(pieces) => Shape::Text(
                pieces
                    .iter()
                    .map(|piece| match piece {
                        Piece::Hole(taints) => Piece::Hole(taints.cleaned(classes)),
                        Piece::Literal(text) => Piece::Literal(text.clone()),
                    })
                    .collect(),
            ),
            other => other.clone(),
        };
        Self {
            shape,
            taints,
            proof: None,
        }
    }

    /// The shapes are the same, as far as that is known.
    pub(super) fn same_shape(&self, other: &Self) -> bool {
        match (&self.shape, &other.shape) {
            (Shape::Bool(one), Shape::Bool(two)) => one == two,
            (Shape::Int(one), Shape::Int(two)) => one == two,
            (Shape::None, Shape::None) => true,
            (Shape::Object(one), Shape::Object(two)) => one == two,
            (Shape::Class(one), Shape::Class(two)) => one == two,
            (Shape::Function(one, _), Shape::Function(two, _)) => one == two,
            (Shape::Module(one), Shape::Module(two)) | (Shape::Name(one), Shape::Name(two)) => {
                one == two
            }
            (Shape::Text(_), Shape::Text(_)) => {
                self.as_text().is_some() && self.as_text() == other.as_text()
            }
            _ => false,
        }
    }
}

/// A key of a dictionary or an attribute.
pub(super) fn key_of(value: &Value) -> Option<Name> {
    match &value.shape {
        Shape::Int(number) => Some(Name::new(format!("#{number}"))),
        Shape::Text(_) => value.as_text().map(Name::new),
        _ => None,
    }
}
