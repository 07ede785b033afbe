//! Where values of visitors come in.

use std::rc::Rc;

use ruff_python_ast::Expr;
use ruff_python_ast::name::Name;
use ruff_text_size::Ranged;

use super::run::Run;
use super::state::{Object, State};
use super::value::{Kind, Shape, Taints, Value, class};

/// Collections of a request, each with the place that a report names.
const COLLECTIONS: &[(&str, &str)] = &[
    ("args", "query"),
    ("form", "form"),
    ("values", "query"),
    ("cookies", "cookie"),
    ("headers", "header"),
    ("files", "file"),
    ("json", "json"),
    ("GET", "query"),
    ("POST", "form"),
    ("COOKIES", "cookie"),
    ("META", "header"),
    ("FILES", "file"),
    ("query_params", "query"),
    ("path_params", "path"),
    ("match_info", "path"),
    ("matchdict", "path"),
    ("params", "query"),
    ("forms", "form"),
    ("query", "query"),
    ("view_args", "path"),
    ("json_body", "json"),
    ("environ", "header"),
    ("DATA", "json"),
    ("media", "json"),
    ("query_arguments", "query"),
    ("body_arguments", "form"),
];

/// Texts of a request.
const TEXTS: &[(&str, &str)] = &[
    ("path", "path"),
    ("full_path", "path"),
    ("path_info", "path"),
    ("url", "path"),
    ("base_url", "path"),
    ("uri", "path"),
    ("raw_path", "path"),
    ("query_string", "query"),
    ("data", "body"),
    ("body", "body"),
    ("stream", "body"),
    ("host", "header:Host"),
    ("host_url", "header:Host"),
    ("url_root", "header:Host"),
    ("root_url", "header:Host"),
    ("referrer", "header:Referer"),
    ("user_agent", "header:User-Agent"),
    ("authorization", "header:Authorization"),
    ("content_type", "header:Content-Type"),
    ("mimetype", "header:Content-Type"),
    ("origin", "header:Origin"),
];

/// Methods of a request that read its body.
const BODIES: &[(&str, &str)] = &[
    ("get_json", "json"),
    ("get_data", "body"),
    ("text", "body"),
    ("read", "body"),
    ("post", "form"),
    ("get_argument", "query"),
    ("get_query_argument", "query"),
    ("get_body_argument", "form"),
    ("get_arguments", "query"),
    ("get_cookie", "cookie"),
    ("get_param", "query"),
    ("get_full_path", "path"),
    ("build_absolute_uri", "path"),
];

const REQUEST: &str = "flask.request.";

impl<'p> Run<'p> {
    /// An attribute of the request.
    pub(super) fn request_attribute(
        &mut self,
        path: &str,
        node: &'p Expr,
        state: &State,
    ) -> Option<Value> {
        if path == "sys.argv" || path == "flask.request" {
            return None;
        }
        let attribute = path.strip_prefix(REQUEST)?;
        let at = self.place(node);
        if let Some((_, place)) = COLLECTIONS.iter().find(|(name, _)| *name == attribute) {
            let kind = if *place == "json" {
                Kind::Json
            } else {
                Kind::Request
            };
            let taints = self.taint(at, *place, kind);
            return Some(Value::tainted(Shape::Name(path.into()), taints));
        }
        let (_, place) = TEXTS.iter().find(|(name, _)| *name == attribute)?;
        if attribute == "path"
            && let Some(path) = self.constant_path()
        {
            return Some(Value::text(&path));
        }
        let _ = state;
        let taints = self.taint(at, *place, Kind::Request);
        let shape = if attribute == "stream" {
            Shape::Name("?.stream".into())
        } else {
            Shape::Unknown
        };
        Some(Value::tainted(shape, taints))
    }

    /// A route without parameters has one path.
    fn constant_path(&self) -> Option<String> {
        let route = self.routes.get(self.route?)?;
        let is_constant = !route.path.contains(['<', '{', '(', '*']) && route.path.starts_with('/');
        (is_constant && !route.has_prefix).then(|| route.path.clone())
    }

    /// The name of a collection of the request, such as `query`.
    pub(super) fn collection(path: &str) -> Option<&'static str> {
        let attribute = path.strip_prefix(REQUEST)?;
        let attribute = attribute.split(['.', '(']).next()?;
        COLLECTIONS
            .iter()
            .find(|(name, _)| *name == attribute)
            .map(|(_, place)| *place)
    }

    /// An item of a collection of the request, or of a library's value.
    pub(super) fn name_item(
        &mut self,
        path: &str,
        owner: &Value,
        key: &Value,
        state: &State,
        node: &impl Ranged,
    ) -> Value {
        if path == "os.environ" {
            return Value::name("os.environ[]");
        }
        let Some(place) = Self::collection(path) else {
            let path = format!("{path}[]");
            let value = Self::unknown_name(path, self.deep(state, owner));
            return match key.as_text().map(str::to_owned) {
                Some(key) => self.part(value, Some(&key), node),
                None => value,
            };
        };
        if path.contains("environ") || path.contains("META") {
            return self.environ_item(key, node);
        }
        let label = match key.as_text() {
            Some(key) => format!("{place}:{key}"),
            None => format!("{place}:*"),
        };
        let kind = if place == "json" {
            Kind::Json
        } else {
            Kind::Request
        };
        let at = self.place(node);
        let taints = match key.as_text() {
            Some(_) => self.parameter(at, label, kind),
            None => self.taint(at, label, kind),
        };
        let shape = if place == "file" {
            Shape::Name("flask.request.files[]".into())
        } else {
            Shape::Unknown
        };
        let taints = match key.as_text() {
            Some(key) if is_secret_name(key) && place != "header" => self.secret(&taints, node),
            _ => taints,
        };
        Value::tainted(shape, taints)
    }

    /// A password that a visitor typed is also a secret.
    fn secret(&mut self, taints: &Taints, node: &impl Ranged) -> Taints {
        let secret = self.taint(self.place(node), "password", Kind::Secret);
        taints.with(&secret)
    }

    fn environ_item(&mut self, key: &Value, node: &impl Ranged) -> Value {
        let key = key.as_text().unwrap_or("*").to_owned();
        let at = self.place(node);
        let label = match key.as_str() {
            "QUERY_STRING" => "query".to_owned(),
            "PATH_INFO" | "REQUEST_URI" | "RAW_URI" => "path".to_owned(),
            "wsgi.input" => "body".to_owned(),
            key => match key.strip_prefix("HTTP_") {
                Some(header) => format!("header:{header}"),
                None => return Value::default(),
            },
        };
        let taints = self.taint(at, label, Kind::Request);
        Value::tainted(
            if key == "wsgi.input" {
                Shape::Name("?.stream".into())
            } else {
                Shape::Unknown
            },
            taints,
        )
    }

    /// A call of something that belongs to the request; none if it does not.
    pub(super) fn request_call(
        &mut self,
        path: &str,
        owner: Option<&Value>,
        args: &super::calls::Args,
        state: &mut State,
        node: &impl Ranged,
    ) -> Option<Value> {
        let rest = path.strip_prefix(REQUEST)?;
        let at = self.place(node);
        if let Some((_, place)) = BODIES.iter().find(|(name, _)| *name == rest) {
            let is_json = *place == "json";
            let kind = if is_json { Kind::Json } else { Kind::Request };
            let name = args.positional.first().and_then(Value::as_text);
            let label = name.map_or_else(|| (*place).to_owned(), |name| format!("{place}:{name}"));
            let taints = self.taint(at, label, kind);
            let shape = if is_json || *place == "form" {
                Shape::Name(format!("{REQUEST}{}", if is_json { "json" } else { "form" }).into())
            } else {
                Shape::Unknown
            };
            return Some(Value::tainted(shape, taints));
        }
        if matches!(rest, "json" | "form" | "body") {
            let kind = if rest == "json" {
                Kind::Json
            } else {
                Kind::Request
            };
            let taints = self.taint(at, rest, kind);
            return Some(Value::tainted(Shape::Name(path.into()), taints));
        }
        let collection = path.rsplit_once('.')?;
        Self::collection(path)?;
        self.collection_call(collection, owner?, args, state, node)
    }

    fn collection_call(
        &mut self,
        (path, method): (&str, &str),
        owner: &Value,
        args: &super::calls::Args,
        state: &mut State,
        node: &impl Ranged,
    ) -> Option<Value> {
        let key = args.get(0, "key").cloned().unwrap_or_default();
        match method {
            "get" | "pop" | "getone" | "setdefault" => {
                let mut value = self.name_item(path, owner, &key, state, node);
                let converts = args.get(2, "type").is_some_and(|kind| {
                    matches!(kind.as_name(), Some("int" | "float" | "bool" | "uuid.UUID"))
                });
                if converts {
                    value = value.cleaned(class::TEXT | class::NOSQL);
                }
                if let Some(other) = args.get(1, "default")
                    && !matches!(other.shape, Shape::None)
                {
                    value = value.with_taints(&other.taints);
                }
                Some(value)
            }
            "getlist" | "get_all" | "getall" | "dict" => {
                let value = self.name_item(path, owner, &key, state, node);
                Some(self.sequence_of(state, Some(value)))
            }
            "keys" | "values" | "lists" => {
                let value = self.source_item(
                    &Value::tainted(Shape::Name(path.into()), owner.taints.clone()),
                    state,
                    node,
                );
                Some(self.sequence_of(state, Some(value)))
            }
            "items" | "iteritems" => {
                let value = self.source_item(
                    &Value::tainted(Shape::Name(path.into()), owner.taints.clone()),
                    state,
                    node,
                );
                let pair = Object::Sequence {
                    items: vec![value.clone(), value],
                    rest: None,
                };
                let pair = self.allocate(state, pair);
                Some(self.sequence_of(state, Some(pair)))
            }
            "to_dict" | "copy" | "get_json" | "json" => Some(owner.clone()),
            _ => None,
        }
    }

    /// An item of something that is iterated: of a collection of the request, one of its names.
    pub(super) fn source_item(
        &mut self,
        value: &Value,
        _state: &State,
        node: &impl Ranged,
    ) -> Value {
        match &value.shape {
            Shape::Name(path) => {
                let path = Rc::clone(path);
                match Self::collection(&path) {
                    Some(place) => {
                        let kind = if place == "json" {
                            Kind::Json
                        } else {
                            Kind::Request
                        };
                        self.taint(self.place(node), format!("{place}:*"), kind)
                            .into()
                    }
                    None => Self::unknown_name(format!("{path}[]"), value.taints.clone()),
                }
            }
            Shape::Text(_) => value.taints.clone().into(),
            _ => Value::tainted(Shape::Unknown, value.taints.clone()),
        }
    }

    /// An attribute that a handler class of a library has: `self.path` of `http.server`.
    pub(super) fn instance_source(
        &mut self,
        bases: &[String],
        name: &Name,
        node: &'p Expr,
    ) -> Option<Value> {
        let has = |end: &str| bases.iter().any(|base| base.ends_with(end));
        if has("BaseHTTPRequestHandler") || has("SimpleHTTPRequestHandler") {
            let place = match name.as_str() {
                "path" | "requestline" => "path",
                "headers" => return Some(self.request_collection("headers", node)),
                "rfile" => "body",
                _ => return None,
            };
            let taints = self.taint(self.place(node), place, Kind::Request);
            let shape = if place == "body" {
                Shape::Name("?.stream".into())
            } else {
                Shape::Unknown
            };
            return Some(Value::tainted(shape, taints));
        }
        let is_tornado = has("RequestHandler") || has("WebSocketHandler");
        if is_tornado && (name.starts_with("get_") || name == "request") {
            let path = if name == "request" {
                "flask.request".to_owned()
            } else {
                format!("{REQUEST}{name}")
            };
            return Some(Value::name(path));
        }
        let is_view = bases
            .iter()
            .any(|base| base.ends_with("View") || base.ends_with("ViewSet"));
        if is_view && name == "request" {
            return Some(Value::name("flask.request"));
        }
        if is_view && name == "kwargs" {
            return Some(self.request_collection("view_args", node));
        }
        None
    }

    fn request_collection(&mut self, name: &str, node: &'p Expr) -> Value {
        let taints = self.taint(self.place(node), name, Kind::Request);
        Value::tainted(Shape::Name(format!("{REQUEST}{name}").into()), taints)
    }
}

/// Words that name a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words = ["password", "passwd", "passphrase", "pwd", "secret", "senha"];
    words.iter().any(|word| name.contains(word)) || name == "pass" || name == "pw"
}
