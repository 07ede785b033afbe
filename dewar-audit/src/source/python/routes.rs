//! Routes: which function answers which address.

use ruff_python_ast::name::Name;
use ruff_python_ast::{Expr, ExprCall, Parameters, StmtFunctionDef};

use super::calls::Args;
use super::run::Run;
use super::state::{Object, State};
use super::value::{ClassId, FunctionId, Kind, Place, Shape, Taints, Value, class};
use crate::source::checks;

/// One address and the function that answers it.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub(super) path: String,
    pub(super) methods: Vec<String>,
    pub(super) function: FunctionId,
    pub(super) at: Place,
    pub(super) end: u32,
    /// A blueprint or router puts something before the path.
    pub(super) has_prefix: bool,
    /// The answer of the function is JSON unless it says otherwise.
    pub(super) is_json: bool,
    pub(super) decorators: Vec<String>,
    pub(super) class: Option<ClassId>,
    pub(super) is_run: bool,
}

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

impl<'p> Run<'p> {
    /// A function whose decorators make it a route.
    pub(super) fn decorated(
        &mut self,
        id: FunctionId,
        node: &'p StmtFunctionDef,
        _values: &[Value],
        state: &mut State,
    ) {
        for decorator in &node.decorator_list {
            let Expr::Call(call) = &decorator.expression else {
                if self.dotted(&decorator.expression).ends_with("csrf_exempt")
                    || self.dotted(&decorator.expression).ends_with("csrf.exempt")
                {
                    self.report(&checks::CSRF_EXEMPT, &node.name, None, String::new());
                }
                continue;
            };
            let Expr::Attribute(attribute) = &*call.func else {
                continue;
            };
            let name = attribute.attr.as_str();
            let is_method = METHODS.contains(&name);
            let first = call
                .arguments
                .args
                .first()
                .map(|path| self.eval(path, state));
            let rule = call.arguments.keywords.iter().find(|word| {
                word.arg
                    .as_ref()
                    .is_some_and(|arg| matches!(arg.as_str(), "rule" | "path"))
            });
            let first = match (first, rule) {
                (None, Some(rule)) => Some(self.eval(&rule.value, state)),
                (first, _) => first,
            };
            let is_handler = matches!(name, "errorhandler" | "app_errorhandler");
            let is_route = is_method
                || matches!(
                    name,
                    "route" | "api_route" | "websocket" | "view" | "add" | "expose"
                );
            let Some(path) = first.filter(|_| is_route || is_handler) else {
                continue;
            };
            let path = match (path.as_text(), is_handler) {
                (Some(path), false) => path.to_owned(),
                (None, false) => path.prefix().to_owned() + "*",
                (_, true) => "*".to_owned(),
            };
            let methods = if is_method {
                vec![name.to_uppercase()]
            } else {
                self.methods_of(call, state)
            };
            self.route_to(id, path, methods, &attribute.value, state);
        }
    }

    fn methods_of(&mut self, call: &'p ExprCall, state: &mut State) -> Vec<String> {
        let keyword = call.arguments.keywords.iter().find(|keyword| {
            keyword
                .arg
                .as_ref()
                .is_some_and(|arg| matches!(arg.as_str(), "methods" | "method" | "request_method"))
        });
        let Some(keyword) = keyword else {
            return vec!["GET".to_owned()];
        };
        let value = self.eval(&keyword.value, state);
        let items = self
            .known_items(&value, state)
            .unwrap_or_else(|| vec![value]);
        items
            .iter()
            .filter_map(Value::as_text)
            .map(str::to_uppercase)
            .collect()
    }

    fn route_to(
        &mut self,
        id: FunctionId,
        path: String,
        methods: Vec<String>,
        on: &'p Expr,
        state: &mut State,
    ) {
        let owner = self.eval(on, state);
        let owner = owner.as_name().unwrap_or_default().to_owned();
        let has_prefix =
            owner.contains("Blueprint") || owner.contains("Router") || owner.contains("Namespace");
        let is_json = owner.contains("FastAPI")
            || owner.contains("APIRouter")
            || (owner.is_empty() && self.facts.uses("fastapi") && !self.facts.uses("flask"));
        self.add_route(id, path, methods, has_prefix, is_json, None);
    }

    pub(super) fn add_route(
        &mut self,
        id: FunctionId,
        path: String,
        methods: Vec<String>,
        has_prefix: bool,
        is_json: bool,
        class: Option<ClassId>,
    ) {
        let Some(function) = self.functions.get(id) else {
            return;
        };
        let at = function.node.map_or(function.place, |node| {
            self.place_in(function.place.module, &node.name)
        });
        let end = function
            .node
            .map_or(at.offset, |node| node.range.end().into());
        let known = self
            .routes
            .iter()
            .any(|route| route.function == id && route.path == path && route.class == class);
        if known {
            return;
        }
        let decorators = function.decorators.clone();
        self.routes.push(Route {
            path,
            methods,
            function: id,
            at,
            end,
            has_prefix,
            is_json,
            decorators,
            class,
            is_run: false,
        });
    }

    /// A view that is a class: each method of HTTP is a route.
    pub(super) fn classes_route(&mut self, class: ClassId, _state: &State) {
        let bases = self.foreign_bases(class);
        let is_view = bases.iter().any(|base| {
            [
                "MethodView",
                "Resource",
                "View",
                "APIView",
                "ViewSet",
                "HTTPEndpoint",
                "RequestHandler",
                "HTTPMethodView",
            ]
            .iter()
            .any(|end| base.ends_with(end))
        });
        let is_json = bases
            .iter()
            .any(|base| base.ends_with("Resource") || base.ends_with("APIView"));
        let is_falcon = self.facts.uses("falcon");
        let members: Vec<(Name, FunctionId)> =
            self.classes.get(class).map_or_else(Vec::new, |class| {
                let members = class
                    .members
                    .iter()
                    .filter_map(|(name, value)| match value.shape {
                        Shape::Function(id, _) => Some((name.clone(), id)),
                        _ => None,
                    });
                members.collect()
            });
        for (name, id) in members {
            let verb = name
                .strip_prefix("do_")
                .or_else(|| name.strip_prefix("on_").filter(|_| is_falcon));
            let is_server = verb.is_some()
                && (is_falcon
                    || bases
                        .iter()
                        .any(|base| base.ends_with("HTTPRequestHandler")));
            let verb = verb.unwrap_or(&name).to_lowercase();
            if is_server || (is_view && (METHODS.contains(&&*verb) || verb == "dispatch_request")) {
                let methods = if verb == "dispatch_request" {
                    vec!["GET".to_owned(), "POST".to_owned()]
                } else {
                    vec![verb.to_uppercase()]
                };
                self.add_route(id, "*".to_owned(), methods, true, is_json, Some(class));
            }
        }
    }

    /// Runs a route as a visitor calls it.
    pub(super) fn run_route(&mut self, index: usize) {
        let Some(route) = self.routes.get_mut(index) else {
            return;
        };
        if std::mem::replace(&mut route.is_run, true) {
            return;
        }
        let route = route.clone();
        self.route = Some(index);
        let args = self.route_args(route.function, &route);
        self.run_entry(route.function, &args, 60_000);
        self.route = None;
    }

    fn route_args(&mut self, id: FunctionId, route: &Route) -> Args {
        let mut args = Args::default();
        let Some((parameters, module)) = self
            .functions
            .get(id)
            .and_then(|function| Some((function.parameters?, function.place.module)))
        else {
            return args;
        };
        for (index, parameter) in parameters.iter_non_variadic_params().enumerate() {
            let name = &parameter.parameter.name.id;
            let value = if index == 0 && route.class.is_some() {
                self.view_object(route.class)
            } else {
                let at = self.place_in(module, parameter);
                self.route_value(
                    name,
                    parameter.parameter.annotation.as_deref(),
                    parameter.default.as_deref(),
                    route,
                    at,
                )
            };
            args.keywords.push((name.clone(), value));
        }
        args
    }

    fn view_object(&mut self, class: Option<ClassId>) -> Value {
        let mut state = State::default();
        let object = Object::Instance {
            class,
            fields: std::collections::HashMap::new(),
        };
        let value = self.allocate(&mut state, object);
        self.base.extend(state.heap);
        value
    }

    fn route_value(
        &mut self,
        name: &Name,
        annotation: Option<&Expr>,
        default: Option<&Expr>,
        route: &Route,
        at: Place,
    ) -> Value {
        if let Some(value) = self.web_parameter(name, annotation) {
            return value;
        }
        let place = if route.path.contains(&format!("{{{name}"))
            || route.path.contains(&format!("{name}>"))
        {
            "path"
        } else if route.is_json {
            "query"
        } else {
            "path"
        };
        let kind = annotation
            .map(|annotation| self.dotted(annotation))
            .unwrap_or_default();
        let is_injected = default.is_some_and(|default| {
            let text = self.dotted(default);
            ["Depends", "Security", "BackgroundTasks"]
                .iter()
                .any(|word| text.ends_with(word))
        });
        if is_injected
            || matches!(
                &*kind,
                "Session" | "AsyncSession" | "Response" | "BackgroundTasks" | "Database"
            )
            || (route.path == "*" && !route.has_prefix)
        {
            return Value::default();
        }
        let taints = self.taint(at, format!("{place}:{name}"), Kind::Request);
        let number = ["int:", "float:", "uuid:"].iter().any(|kind| {
            route.path.contains(&format!("<{kind}{name}>"))
                || route.path.contains(&format!("<{kind} {name}>"))
        });
        let number = number
            || matches!(
                &*kind,
                "int" | "float" | "bool" | "UUID" | "uuid.UUID" | "date" | "datetime"
            )
            || route.path.contains(&format!("{{{name}:int"));
        let taints = if number {
            taints.cleaned(class::TEXT)
        } else {
            taints
        };
        // The converter of a route lets no slash pass, unless it says so.
        let is_segment = place == "path"
            && !route.path.contains(&format!("path:{name}"))
            && !route.path.contains(&format!("{name}:path"))
            && route.path.contains('<');
        let _ = is_segment;
        taints.into()
    }

    /// A parameter by which frameworks pass the request.
    pub(super) fn web_parameter(&self, name: &str, annotation: Option<&Expr>) -> Option<Value> {
        let kind = annotation
            .map(|annotation| self.dotted(annotation))
            .unwrap_or_default();
        if matches!(name, "request" | "req")
            || kind.ends_with("Request")
            || kind.ends_with("WebSocket")
        {
            return Some(Value::name("flask.request"));
        }
        match name {
            "environ" => Some(Value::tainted(
                Shape::Name("flask.request.environ".into()),
                Taints::default(),
            )),
            "scope" => Some(Value::default()),
            _ => None,
        }
    }

    /// Arguments of a function that nothing of the project calls: the request, if a framework passes it.
    pub(super) fn orphan_args(
        &mut self,
        parameters: Option<&'p Parameters>,
        class: Option<ClassId>,
    ) -> Args {
        let mut args = Args::default();
        let is_web = self.facts.is_web();
        for (index, parameter) in parameters
            .into_iter()
            .flat_map(Parameters::iter_non_variadic_params)
            .enumerate()
        {
            let name = &parameter.parameter.name.id;
            let value = match (index, class) {
                (0, Some(_)) if name == "self" || name == "cls" => self.view_object(class),
                _ if is_web => self
                    .web_parameter(name, parameter.parameter.annotation.as_deref())
                    .unwrap_or_default(),
                _ => Value::default(),
            };
            args.keywords.push((name.clone(), value));
        }
        args
    }

    /// A text that a route returns is a page.
    pub(super) fn returned(&mut self, value: &Value, node: &'p Expr, state: &State) {
        let Some(index) = self.route else {
            return;
        };
        let function = self.frames.last().and_then(|frame| frame.function);
        let Some(route) = self
            .routes
            .get(index)
            .filter(|route| function == Some(route.function))
        else {
            return;
        };
        let is_json = route.is_json;
        let items = self.known_items(value, state);
        let is_tuple = matches!(node, Expr::Tuple(_));
        let (body, headers) = match (&items, is_tuple) {
            (Some(items), true) => (
                items.first().cloned().unwrap_or_default(),
                items.last().cloned(),
            ),
            _ => (value.clone(), None),
        };
        self.error_shown(&self.deep(state, &body), node, state);
        if is_json
            || self.object(state, &body).is_some()
            || headers.is_some_and(|headers| self.is_plain(&headers, state))
        {
            return;
        }
        let is_page = match &body.shape {
            Shape::Text(_) | Shape::Unknown => {
                self.facts.uses("flask")
                    || self.facts.uses("bottle")
                    || self.facts.uses("quart")
                    || !self.facts.is_web()
            }
            Shape::Name(name) => {
                name.contains("make_response")
                    || !name.contains("redirect") && !name.contains("json")
            }
            _ => false,
        };
        if is_page {
            self.sink(&checks::XSS, class::XSS, &body.taints, node, state);
        }
    }

    /// Headers that say that the body is no page.
    fn is_plain(&self, headers: &Value, state: &State) -> bool {
        match self.object(state, headers) {
            Some(Object::Map { entries, .. }) => entries.iter().any(|(key, value)| {
                key.eq_ignore_ascii_case("content-type")
                    && value.as_text().is_some_and(|kind| !kind.contains("html"))
            }),
            _ => false,
        }
    }
}
