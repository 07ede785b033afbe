//! Attributes, items and the methods of lists, dictionaries and buffers.

use std::rc::Rc;

use ruff_python_ast::name::Name;
use ruff_python_ast::{Expr, ExprCall};

use super::calls::Args;
use super::run::Run;
use super::state::{Object, State};
use super::value::{Shape, Taints, Value, class, key_of};

/// A longer name of a library says nothing more.
const LONGEST_NAME: usize = 160;

impl<'p> Run<'p> {
    pub(super) fn attribute(
        &mut self,
        owner: &Value,
        name: &Name,
        state: &mut State,
        node: &'p Expr,
    ) -> Value {
        match &owner.shape {
            Shape::Module(module) => {
                let module = Rc::clone(module);
                self.member(&module, name)
            }
            Shape::Name(path) => {
                let path = Rc::clone(path);
                self.name_attribute(&path, owner, name, state, node)
            }
            Shape::Class(id) => match self.class_member(*id, name) {
                Some(value) => value,
                None => Value::name(format!("{}.{name}", self.class_name(*id))),
            },
            Shape::Object(_) => self.object_attribute(owner, name, state, node),
            Shape::Text(_) | Shape::Unknown => Value::tainted(Shape::Unknown, owner.taints.clone()),
            Shape::Bool(_)
            | Shape::Bound(_)
            | Shape::Float(_)
            | Shape::Function(..)
            | Shape::Int(_)
            | Shape::None => Value::default(),
        }
    }

    /// A class of a library, or a model of the project, by a name that ends with what it is.
    pub(super) fn class_name(&self, id: usize) -> String {
        let foreign = self.foreign_bases(id);
        let name = self
            .classes
            .get(id)
            .map_or("", |class| class.node.name.as_str());
        match foreign.first() {
            Some(base) => format!("{base}:{name}"),
            None => format!("project:{name}"),
        }
    }

    fn object_attribute(
        &mut self,
        owner: &Value,
        name: &Name,
        state: &mut State,
        node: &'p Expr,
    ) -> Value {
        let (known, class) = match self.object(state, owner) {
            Some(Object::Instance { class, fields }) => (fields.get(name).cloned(), *class),
            _ => return Value::default(),
        };
        if let Some(value) = known {
            return state.seen(value);
        }
        let Some(class) = class else {
            return Value::default();
        };
        match self.class_member(class, name) {
            Some(Value {
                shape: Shape::Function(id, _),
                ..
            }) => {
                let is_property = self
                    .functions
                    .get(id)
                    .is_some_and(|function| function.is_property);
                let bound: Value = Shape::Bound(Rc::new((owner.clone(), id))).into();
                if is_property {
                    let args = Args {
                        positional: vec![owner.clone()],
                        ..Args::default()
                    };
                    let env = self
                        .functions
                        .get(id)
                        .and_then(|function| function.env.clone());
                    return self.call_function(id, env, &args, state, node);
                }
                bound
            }
            Some(value) => value,
            None => {
                let foreign = self.foreign_bases(class);
                match self.instance_source(&foreign, name, node) {
                    Some(value) => value,
                    None if foreign.is_empty() => Value::default(),
                    None => Value::name(format!("{}().{name}", self.class_name(class))),
                }
            }
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each function or method of Python that it knows"
    )]
    pub(super) fn subscript(
        &mut self,
        owner: &Value,
        key: &Value,
        state: &mut State,
        node: &'p Expr,
    ) -> Value {
        match self.object(state, owner) {
            Some(Object::Map {
                entries,
                rest,
                keys,
            }) => match key_of(key) {
                Some(key) => match entries.iter().find(|(known, _)| *known == key) {
                    Some((_, value)) => value.clone(),
                    None if entries.is_empty() => rest.clone().with_taints(keys),
                    None => rest.clone(),
                },
                // A key that is not known picks any value.
                None => {
                    let rest = rest.clone();
                    let all: Vec<Value> = entries.iter().map(|(_, value)| value.clone()).collect();
                    all.iter()
                        .fold(rest, |all, one| self.either(state, &all, one))
                }
            },
            Some(Object::Sequence { items, rest }) => {
                let (length, rest) = (i64::try_from(items.len()).unwrap_or(0), rest.clone());
                match (key.as_int(), &rest) {
                    (Some(at), None) => {
                        let at = if at < 0 {
                            at.saturating_add(length)
                        } else {
                            at
                        };
                        let at = usize::try_from(at).unwrap_or(usize::MAX);
                        items.get(at).cloned().unwrap_or_default()
                    }
                    (Some(at), Some(_)) if at >= 0 && at < length => items
                        .get(usize::try_from(at).unwrap_or(0))
                        .cloned()
                        .unwrap_or_default(),
                    _ => {
                        let item = self.item_of(owner, state, node);
                        self.part(item, None, node)
                    }
                }
            }
            Some(Object::Instance { fields, .. }) => match key_of(key) {
                Some(key) => fields.get(&key).cloned().unwrap_or_default(),
                None => self.deep(state, owner).into(),
            },
            None => match (&owner.shape, key.as_int()) {
                (Shape::Text(_), Some(at)) => match owner.as_text() {
                    Some(text) => {
                        let at = usize::try_from(at).unwrap_or(usize::MAX);
                        text.chars()
                            .nth(at)
                            .map_or_else(Value::default, |c| Value::text(&c.to_string()))
                    }
                    None => owner.taints.clone().into(),
                },
                (Shape::Name(name), _) => {
                    let name = Rc::clone(name);
                    self.name_item(&name, owner, key, state, node)
                }
                _ => {
                    let value = Value::tainted(Shape::Unknown, owner.taints.clone());
                    let key = key.as_text().map(str::to_owned);
                    if key.is_some() {
                        self.part(value, key.as_deref(), node)
                    } else {
                        value
                    }
                }
            },
        }
    }

    pub(super) fn set_attribute(
        &mut self,
        owner: &Value,
        name: &Name,
        value: Value,
        state: &mut State,
        node: &'p Expr,
        target: &'p Expr,
    ) {
        self.attribute_set(owner, name, &value, state, node, target);
        match &owner.shape {
            Shape::Module(module) => {
                if let Some(env) = self
                    .project
                    .find(module)
                    .and_then(|index| self.globals.get(index))
                {
                    let known = env.vars.borrow().get(name).cloned();
                    let value =
                        known.map_or(value.clone(), |known| self.either(state, &known, &value));
                    env.vars.borrow_mut().insert(name.clone(), value);
                }
            }
            Shape::Class(id) => {
                if let Some(class) = self.classes.get_mut(*id) {
                    class.members.insert(name.clone(), value);
                }
            }
            Shape::Object(_) => {
                if let Some(Object::Instance { fields, .. }) = self.object_mut(state, owner) {
                    fields.insert(name.clone(), value);
                }
            }
            _ => {}
        }
    }

    pub(super) fn set_item(
        &mut self,
        owner: &Value,
        key: &Value,
        value: Value,
        state: &mut State,
        nodes: (&'p Expr, &'p Expr, &'p Expr),
    ) {
        self.item_set(owner, key, &value, state, nodes);
        let joined = match self.object(state, owner) {
            Some(Object::Map { rest, .. }) if key_of(key).is_none() => {
                Some(self.either(state, &rest.clone(), &value))
            }
            Some(Object::Sequence { .. }) if key.as_int().is_none() => {
                Some(self.either(state, &self.deep(state, owner).into(), &value))
            }
            _ => None,
        };
        match self.object_mut(state, owner) {
            Some(Object::Map {
                entries,
                rest,
                keys,
            }) => match (key_of(key), joined) {
                (Some(key), _) => match entries.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, known)) => *known = value,
                    None => entries.push((key, value)),
                },
                (None, Some(joined)) => {
                    *keys = keys.with(&key.taints);
                    *rest = joined;
                }
                (None, None) => {}
            },
            Some(Object::Sequence { items, rest }) => match (key.as_int(), joined) {
                (Some(at), _) => {
                    let at = if at < 0 {
                        at.saturating_add(i64::try_from(items.len()).unwrap_or(0))
                    } else {
                        at
                    };
                    if let Some(item) = usize::try_from(at).ok().and_then(|at| items.get_mut(at)) {
                        *item = value;
                    }
                }
                (None, joined) => *rest = joined,
            },
            Some(Object::Instance { fields, .. }) => {
                if let Some(key) = key_of(key) {
                    fields.insert(key, value);
                }
            }
            None => {}
        }
    }

    /// A method of a list, dictionary, buffer or configuration; none if it is another.
    pub(super) fn method(
        &mut self,
        owner: &Value,
        method: &Name,
        args: &Args,
        state: &mut State,
        node: &'p ExprCall,
    ) -> Option<Value> {
        let value = match self.object(state, owner)? {
            Object::Sequence { .. } => self.list_method(owner, method, args, state, node),
            Object::Map { .. } => self.map_method(owner, method, args, state, node),
            Object::Instance { class: None, .. } => self.buffer_method(owner, method, args, state),
            Object::Instance { class: Some(_), .. } => return None,
        };
        Some(value.map_or_else(|| self.deep(state, owner).into(), |value| state.seen(value)))
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each function or method of Python that it knows"
    )]
    fn list_method(
        &mut self,
        owner: &Value,
        method: &str,
        args: &Args,
        state: &mut State,
        node: &'p ExprCall,
    ) -> Option<Value> {
        let first = args.positional.first();
        match method {
            "append" | "add" | "insert" | "extend" | "update" | "appendleft" => {
                let value = args.positional.last()?.clone();
                let spread = matches!(method, "extend" | "update");
                let known = if spread {
                    self.known_items(&value, state)
                } else {
                    Some(vec![value.clone()])
                };
                let item = if known.is_none() {
                    self.item_of(&value, state, node)
                } else {
                    value
                };
                let old = match self.object(state, owner)? {
                    Object::Sequence { rest, .. } => rest.clone(),
                    _ => None,
                };
                let joined = old
                    .as_ref()
                    .map_or(item.clone(), |old| self.either(state, old, &item));
                let at = if method == "insert" {
                    first.and_then(Value::as_int)
                } else {
                    None
                };
                if let Some(Object::Sequence { items, rest }) = self.object_mut(state, owner) {
                    match (known, at) {
                        (Some(known), None) if old.is_none() && items.len() < 256 => {
                            items.extend(known)
                        }
                        (Some(known), Some(at)) if old.is_none() && items.len() < 256 => {
                            let at = usize::try_from(at).unwrap_or(0).min(items.len());
                            items.splice(at..at, known);
                        }
                        _ => *rest = Some(joined),
                    }
                }
                Some(Shape::None.into())
            }
            "pop" | "popleft" => {
                let at = if method == "popleft" {
                    Some(0)
                } else {
                    first.map_or(Some(-1), Value::as_int)
                };
                let any = self.item_of(owner, state, node);
                if let Some(Object::Sequence { items, rest: None }) = self.object_mut(state, owner)
                    && let Some(at) = at
                {
                    let length = i64::try_from(items.len()).unwrap_or(0);
                    let at = if at < 0 {
                        at.saturating_add(length)
                    } else {
                        at
                    };
                    return match usize::try_from(at) {
                        Ok(at) if at < items.len() => Some(items.remove(at)),
                        _ => Some(any),
                    };
                }
                Some(any)
            }
            "clear" => {
                if let Some(Object::Sequence { items, rest }) = self.object_mut(state, owner) {
                    items.clear();
                    *rest = None;
                }
                Some(Shape::None.into())
            }
            "reverse" => {
                if let Some(Object::Sequence { items, .. }) = self.object_mut(state, owner) {
                    items.reverse();
                }
                Some(Shape::None.into())
            }
            "remove" | "discard" | "sort" => Some(Shape::None.into()),
            "index" | "count" => Some(Value::default()),
            "copy" => {
                let object = self.object(state, owner)?.clone();
                Some(self.allocate(state, object))
            }
            _ => None,
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each function or method of Python that it knows"
    )]
    fn map_method(
        &mut self,
        owner: &Value,
        method: &str,
        args: &Args,
        state: &mut State,
        node: &'p ExprCall,
    ) -> Option<Value> {
        let first = args.positional.first();
        match method {
            "get" | "pop" | "setdefault" => {
                let key = first?;
                let (entries, rest, keys) = match self.object(state, owner)? {
                    Object::Map {
                        entries,
                        rest,
                        keys,
                    } => (entries.clone(), rest.clone(), keys.clone()),
                    _ => return None,
                };
                let found = key_of(key).and_then(|key| {
                    entries
                        .iter()
                        .find(|(known, _)| *known == key)
                        .map(|(_, value)| value.clone())
                });
                Some(match (found, key_of(key)) {
                    (Some(found), _) => found,
                    (None, Some(_)) => {
                        let rest = rest.with_taints(&keys);
                        args.positional
                            .get(1)
                            .map_or(rest.clone(), |other| self.either(state, &rest, other))
                    }
                    (None, None) => {
                        let all = entries
                            .iter()
                            .fold(rest, |all, (_, one)| self.either(state, &all, one));
                        args.positional
                            .get(1)
                            .map_or(all.clone(), |other| self.either(state, &all, other))
                    }
                })
            }
            "values" => {
                let items = match self.object(state, owner)? {
                    Object::Map { entries, rest, .. } => entries
                        .iter()
                        .map(|(_, value)| value.clone())
                        .chain([rest.clone()])
                        .collect::<Vec<_>>(),
                    _ => return None,
                };
                let rest = items
                    .into_iter()
                    .reduce(|one, two| self.either(state, &one, &two));
                Some(self.sequence_of(state, rest))
            }
            "items" => {
                let keys = match self.object(state, owner)? {
                    Object::Map { keys, .. } => keys.clone(),
                    _ => return None,
                };
                let values = self.map_method(owner, "values", args, state, node)?;
                let value = self.item_of(&values, state, node);
                let pair = Object::Sequence {
                    items: vec![keys.into(), value],
                    rest: None,
                };
                let pair = self.allocate(state, pair);
                Some(self.sequence_of(state, Some(pair)))
            }
            "keys" => {
                let keys = match self.object(state, owner)? {
                    Object::Map { keys, .. } => keys.clone(),
                    _ => return None,
                };
                let rest = Some(Value::from(keys));
                Some(self.sequence_of(state, rest))
            }
            "update" => {
                let more = first.cloned();
                let known = more
                    .as_ref()
                    .and_then(|more| self.object(state, more))
                    .cloned();
                let taints = more.map_or_else(Taints::default, |more| self.deep(state, &more));
                if let Some(Object::Map { entries, rest, .. }) = self.object_mut(state, owner) {
                    if let Some(Object::Map { entries: more, .. }) = known {
                        for (key, value) in more {
                            entries.retain(|(known, _)| *known != key);
                            entries.push((key, value));
                        }
                    } else {
                        *rest = rest.clone().with_taints(&taints);
                    }
                    for (key, value) in &args.keywords {
                        entries.retain(|(known, _)| known != key);
                        entries.push((key.clone(), value.clone()));
                    }
                }
                Some(Shape::None.into())
            }
            "copy" => {
                let object = self.object(state, owner)?.clone();
                Some(self.allocate(state, object))
            }
            "clear" => Some(Shape::None.into()),
            _ => None,
        }
    }

    /// `io.StringIO`, `configparser.ConfigParser` and an XML parser: what was written is what is read.
    fn buffer_method(
        &mut self,
        owner: &Value,
        method: &str,
        args: &Args,
        state: &mut State,
    ) -> Option<Value> {
        let content = Self::name_key("#content");
        let slot = |args: &Args| {
            let (section, key) = (
                args.positional.first()?.as_text()?,
                args.positional.get(1)?.as_text()?,
            );
            Some(Name::new(format!("{section}\0{}", key.to_lowercase())))
        };
        match method {
            "write" | "writelines" => {
                let old = match self.object(state, owner)? {
                    Object::Instance { fields, .. } => fields.get(&content).cloned(),
                    _ => None,
                };
                let old = old.unwrap_or_else(|| Value::text(""));
                let new = args.positional.first()?.clone();
                let new = new.clone().with_taints(&self.deep(state, &new));
                let value = Value::pieces(old.as_pieces().into_iter().chain(new.as_pieces()));
                if let Some(Object::Instance { fields, .. }) = self.object_mut(state, owner) {
                    fields.insert(content, value);
                }
                Some(Value::default())
            }
            "getvalue" | "read" | "readline" | "getbuffer" => match self.object(state, owner)? {
                Object::Instance { fields, .. } => fields.get(&content).cloned(),
                _ => None,
            },
            "set" | "setFeature" => {
                let key = match method {
                    "set" => slot(args)?,
                    _ => Name::new(args.positional.first()?.as_name()?),
                };
                let value = args.positional.last()?.clone();
                if let Some(Object::Instance { fields, .. }) = self.object_mut(state, owner) {
                    fields.insert(key, value);
                }
                Some(Shape::None.into())
            }
            "get" | "getint" | "getboolean" | "getfloat" => {
                let value = match (self.object(state, owner)?, slot(args)) {
                    (Object::Instance { fields, .. }, Some(key)) => {
                        Some(fields.get(&key).cloned().unwrap_or_default())
                    }
                    _ => None,
                }?;
                Some(if method == "get" {
                    value
                } else {
                    value.cleaned(class::TEXT)
                })
            }
            "add_section" | "seek" | "close" | "flush" => Some(Shape::None.into()),
            _ => None,
        }
    }

    /// The attribute of something of a library.
    fn name_attribute(
        &mut self,
        path: &str,
        owner: &Value,
        name: &Name,
        state: &mut State,
        node: &'p Expr,
    ) -> Value {
        if path.len() > LONGEST_NAME {
            return Value::tainted(Shape::Unknown, owner.taints.clone());
        }
        let full = canonical(&format!("{path}.{name}"));
        if let Some(value) = self.request_attribute(&full, node, state) {
            return value;
        }
        let full = match name.as_str() {
            "netloc" | "hostname" if path.contains("urlparse") || path.contains("urlsplit") => {
                format!("{path}#host")
            }
            "scheme" if path.contains("urlparse") || path.contains("urlsplit") => {
                format!("{path}#scheme")
            }
            "path" | "query" if path.contains("urlparse") || path.contains("urlsplit") => {
                return Value::tainted(Shape::Unknown, owner.taints.clone());
            }
            "suffix" => format!("{path}#suffix"),
            "name" if path.contains("Path(") => {
                return owner.taints.cleaned(class::PATH).into();
            }
            _ => full,
        };
        Value::tainted(Shape::Name(full.into()), owner.taints.clone())
    }

    pub(super) fn unknown_name(path: String, taints: Taints) -> Value {
        if path.len() > LONGEST_NAME {
            taints.into()
        } else {
            Value::tainted(Shape::Name(path.into()), taints)
        }
    }
}

/// The same request under the names that other frameworks give it.
fn canonical(path: &str) -> String {
    for other in [
        "quart.request",
        "bottle.request",
        "flask.globals.request",
        "sanic.request",
        "web.request",
    ] {
        if let Some(rest) = path.strip_prefix(other) {
            return format!("flask.request{rest}");
        }
    }
    path.to_owned()
}
