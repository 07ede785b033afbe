//! Methods and slices of texts.

use ruff_python_ast::ExprSlice;

use super::guards::proves;
use super::run::Run;
use super::state::{Object, State};
use super::value::{Classes, Piece, Shape, Taints, Value, class};

impl<'p> Run<'p> {
    /// `value[lower:upper]`: of a text with a known beginning and end, only the pieces that are left.
    pub(super) fn slice(
        &mut self,
        owner: &Value,
        slice: &'p ExprSlice,
        state: &mut State,
    ) -> Value {
        let mut bound = |expr: &'p Option<Box<ruff_python_ast::Expr>>, state: &mut State| {
            expr.as_ref().map(|expr| self.eval(expr, state))
        };
        let lower = bound(&slice.lower, state);
        let upper = bound(&slice.upper, state);
        let step = bound(&slice.step, state);
        if let Some(Object::Sequence { items, rest: None }) = self.object(state, owner) {
            let (items, length) = (items.clone(), i64::try_from(items.len()).unwrap_or(0));
            let at = |bound: Option<&Value>, default: i64| match bound {
                None => Some(default),
                Some(value) => value.as_int().map(|at| {
                    if at < 0 {
                        at.saturating_add(length).max(0)
                    } else {
                        at.min(length)
                    }
                }),
            };
            if let (Some(from), Some(to), None) =
                (at(lower.as_ref(), 0), at(upper.as_ref(), length), &step)
            {
                let from = usize::try_from(from).unwrap_or(0);
                let count = usize::try_from(to).unwrap_or(0).saturating_sub(from);
                let items = items.into_iter().skip(from).take(count).collect();
                return self.allocate(state, Object::Sequence { items, rest: None });
            }
        }
        if step.is_some() {
            return owner.clone();
        }
        match &owner.shape {
            Shape::Text(pieces) => {
                let from = lower.as_ref().map_or(Some(0), Value::as_int);
                let to = upper.as_ref().map_or(Some(i64::MAX), Value::as_int);
                match (from, to) {
                    (Some(from), Some(to)) => cut(pieces, from, to),
                    _ => owner.taints.clone().into(),
                }
            }
            Shape::Object(_) => owner.clone(),
            _ => {
                let ends = (
                    lower.and_then(|at| at.as_int()),
                    upper.and_then(|at| at.as_int()),
                );
                let shape = match ends {
                    (Some(1), Some(-1)) => Shape::Name("?[1:-1]".into()),
                    _ => Shape::Unknown,
                };
                Value::tainted(shape, owner.taints.clone())
            }
        }
    }

    /// A method of a text, or of a value that may be one.
    pub(super) fn text_method(
        &mut self,
        owner: &Value,
        method: &str,
        args: &[Value],
        state: &mut State,
    ) -> Option<Value> {
        if let Some(text) = owner.as_text()
            && let Some(value) = constant_method(text, method, args)
        {
            return Some(value);
        }
        let first = args.first();
        Some(match method {
            "format" => self.format(owner, args, state)?,
            "join" => self.join(owner, first?, state),
            "replace" => {
                let (old, new) = (first?, args.get(1)?);
                let classes = old
                    .as_text()
                    .map_or(class::NONE, |old| removed(old, new.as_text()));
                let taints = owner.taints.cleaned(classes).with(&new.taints);
                let is_quote = old.as_text().is_some_and(|old| old.len() <= 3);
                if is_quote && matches!(owner.shape, Shape::Text(_)) && new.taints.is_empty() {
                    owner.cleaned(classes)
                } else {
                    Value::tainted(Shape::Unknown, taints)
                }
            }
            "startswith" | "endswith" => {
                let prefix = first?;
                if method == "startswith"
                    && let (Some(prefix), known) = (prefix.as_text(), owner.prefix())
                    && !known.is_empty()
                    && !prefix.is_empty()
                    && (known.len() >= prefix.len() || !prefix.starts_with(known))
                {
                    return Some(Shape::Bool(known.starts_with(prefix)).into());
                }
                self.begins(owner, prefix, method == "startswith", state)
            }
            "isdigit" | "isalnum" | "isalpha" | "isdecimal" | "isnumeric" | "isidentifier" => {
                proves(&owner.taints, class::TEXT | class::OWNER, true)
            }
            "split" | "rsplit" | "splitlines" | "partition" | "rpartition" => {
                let part = Value::tainted(Shape::Name("?.part".into()), owner.taints.clone());
                let rest = Some(part);
                return Some(self.sequence_of(state, rest));
            }
            "encode" | "decode" | "strip" | "lstrip" | "rstrip" | "lower" | "upper" | "title"
            | "capitalize" | "casefold" | "swapcase" | "expandtabs" | "removeprefix"
            | "removesuffix" | "zfill" | "center" | "ljust" | "rjust" | "translate"
            | "format_map" => {
                let is_neutral =
                    matches!(method, "encode" | "decode" | "strip" | "lower" | "upper");
                if is_neutral {
                    owner.clone()
                } else {
                    owner.taints.clone().into()
                }
            }
            "find" | "index" | "count" | "rfind" | "rindex" | "__len__" => Value::default(),
            _ => return None,
        })
    }

    /// `"{} {name}".format(…)`
    fn format(&self, owner: &Value, args: &[Value], state: &State) -> Option<Value> {
        let text = owner.as_text()?;
        let taints: Vec<Taints> = args.iter().map(|arg| self.deep(state, arg)).collect();
        let mut pieces = Vec::new();
        let mut next = 0_usize;
        let text = text.replace("{{", "\u{1}").replace("}}", "\u{2}");
        let mut parts = text.split('{');
        pieces.push(Piece::Literal(parts.next().unwrap_or_default().into()));
        for part in parts {
            let (field, rest) = part.split_once('}').unwrap_or((part, ""));
            let name = field.split(['.', '[', '!', ':']).next().unwrap_or_default();
            let index = match name {
                "" => {
                    next = next.saturating_add(1);
                    Some(next.saturating_sub(1))
                }
                name => name.parse::<usize>().ok(),
            };
            match index.and_then(|index| args.get(index).zip(taints.get(index))) {
                Some((value, taints)) => {
                    pieces.extend(value.clone().with_taints(taints).as_pieces());
                }
                // A keyword, or a list that is passed with `*`.
                None => pieces.push(Piece::Hole(
                    taints
                        .iter()
                        .fold(Taints::default(), |all, one| all.with(one)),
                )),
            }
            pieces.push(Piece::Literal(
                rest.replace('\u{1}', "{").replace('\u{2}', "}").into(),
            ));
        }
        Some(Value::pieces(pieces))
    }

    fn join(&mut self, owner: &Value, items: &Value, state: &State) -> Value {
        match self.object(state, items) {
            Some(Object::Sequence { items, rest: None }) if items.len() <= 32 => {
                let mut pieces = Vec::new();
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        pieces.extend(owner.as_pieces());
                    }
                    pieces.extend(state.seen(item.clone()).as_pieces());
                }
                Value::pieces(pieces)
            }
            _ => owner.taints.with(&self.deep(state, items)).into(),
        }
    }

    /// `path.startswith(folder)` proves that a resolved path lies in the folder.
    fn begins(&self, owner: &Value, prefix: &Value, is_start: bool, state: &State) -> Value {
        if !is_start {
            // An ending alone says what kind of file it is, and nothing about folders.
            return proves(&owner.taints, class::UPLOAD, true);
        }
        let is_resolved = owner
            .as_name()
            .is_some_and(|name| name.ends_with("#resolved"));
        let text = prefix.as_text().map(str::to_owned);
        let is_known = self.deep(state, prefix).is_empty();
        if is_resolved && is_known {
            return proves(&owner.taints, class::PATH | class::UPLOAD, true);
        }
        match text.as_deref() {
            Some("//" | "http" | "http://" | "https://" | "/\\") => {
                proves(&owner.taints, class::NONE, false)
            }
            Some(text) if fixes_host(text) => {
                proves(&owner.taints, class::REDIRECT | class::SSRF, true)
            }
            _ => Value::default(),
        }
    }
}

/// Whether what follows this text cannot choose a host.
pub(super) fn fixes_host(text: &str) -> bool {
    match text.split_once("://") {
        Some((_, rest)) => rest.contains(['/', '?', '#']),
        None => {
            let mut characters = text.chars();
            let first = characters.next();
            let second = characters.next();
            first == Some('/') && second.is_some_and(|c| c != '/' && c != '\\')
                || matches!(first, Some('?' | '#'))
        }
    }
}

/// The purposes for which a value is harmless after a text in it was replaced.
fn removed(old: &str, new: Option<&str>) -> Classes {
    match old {
        "'" => class::XPATH,
        "\n" | "\r" | "\r\n" => class::LOG | class::HEADER,
        // `....//` becomes `../` again.
        ".." if new == Some("") => class::PATH,
        "/" | "\\" => class::PATH,
        "<" => class::XSS,
        "*" | "(" => class::LDAP,
        _ => class::NONE,
    }
}

fn constant_method(text: &str, method: &str, args: &[Value]) -> Option<Value> {
    let argument = |index: usize| args.get(index).and_then(Value::as_text);
    Some(match (method, args.len()) {
        ("lower", 0) => Value::text(&text.to_lowercase()),
        ("upper", 0) => Value::text(&text.to_uppercase()),
        ("strip", 0) => Value::text(text.trim()),
        ("replace", 2) if text.len() < 2_000 => {
            Value::text(&text.replace(argument(0)?, argument(1)?))
        }
        ("startswith", 1) => Shape::Bool(text.starts_with(argument(0)?)).into(),
        ("endswith", 1) => Shape::Bool(text.ends_with(argument(0)?)).into(),
        ("find", 1) => {
            let at = text
                .find(argument(0)?)
                .and_then(|at| i64::try_from(at).ok());
            Shape::Int(at.unwrap_or(-1)).into()
        }
        ("encode" | "decode", _) => Value::text(text),
        ("isdigit", 0) => {
            Shape::Bool(!text.is_empty() && text.chars().all(|c| c.is_ascii_digit())).into()
        }
        _ => return None,
    })
}

/// A part of a text, as far as the known pieces at both ends reach.
fn cut(pieces: &[Piece], from: i64, to: i64) -> Value {
    let all: String = match pieces {
        [Piece::Literal(text)] => text.to_string(),
        _ => String::new(),
    };
    if !all.is_empty() {
        let length = i64::try_from(all.chars().count()).unwrap_or(0);
        let at = |at: i64| {
            if at < 0 {
                at.saturating_add(length).max(0)
            } else {
                at.min(length)
            }
        };
        let (from, to) = (at(from), at(to));
        let count = usize::try_from(to.saturating_sub(from)).unwrap_or(0);
        let text: String = all
            .chars()
            .skip(usize::try_from(from).unwrap_or(0))
            .take(count)
            .collect();
        return Value::text(&text);
    }
    let mut left: Vec<Piece> = pieces.to_vec();
    if from > 0 {
        drop_front(&mut left, usize::try_from(from).unwrap_or(0));
    }
    if to < 0 {
        left.reverse();
        drop_back(&mut left, usize::try_from(to.unsigned_abs()).unwrap_or(0));
        left.reverse();
    } else if let (Some(Piece::Literal(first)), true) = (pieces.first(), from >= 0) {
        // All of it lies in the known beginning.
        let length = i64::try_from(first.chars().count()).unwrap_or(0);
        if to <= length {
            let count = usize::try_from(to.saturating_sub(from)).unwrap_or(0);
            let from = usize::try_from(from).unwrap_or(0);
            let text: String = first.chars().skip(from).take(count).collect();
            return Value::text(&text);
        }
    }
    Value::pieces(left)
}

fn drop_front(pieces: &mut Vec<Piece>, count: usize) {
    if let Some(Piece::Literal(text)) = pieces.first() {
        let length = text.chars().count();
        if length > count {
            let rest: String = text.chars().skip(count).collect();
            pieces.splice(..1, [Piece::Literal(rest.into())]);
        } else {
            pieces.remove(0);
        }
    }
}

fn drop_back(pieces: &mut Vec<Piece>, count: usize) {
    if let Some(Piece::Literal(text)) = pieces.first() {
        let length = text.chars().count();
        if length > count {
            let rest: String = text.chars().take(length.saturating_sub(count)).collect();
            pieces.splice(..1, [Piece::Literal(rest.into())]);
        } else {
            pieces.remove(0);
        }
    }
}
