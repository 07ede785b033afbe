//! Calls: of functions and classes of the project, of methods, and of libraries.

use std::collections::HashMap;
use std::rc::Rc;

use ruff_python_ast::name::Name;
use ruff_python_ast::{Expr, ExprCall};
use ruff_text_size::Ranged;

use super::run::{Body, Frame, Run};
use super::state::{Env, Object, State};
use super::value::{ClassId, FunctionId, Kind, Shape, Taints, Value, class};

/// The arguments of a call.
#[derive(Debug, Default, Clone)]
pub(super) struct Args {
    pub(super) positional: Vec<Value>,
    pub(super) keywords: Vec<(Name, Value)>,
    /// `*args` of unknown length.
    pub(super) star: Option<Value>,
    /// `**kwargs`
    pub(super) double_star: Option<Value>,
}

impl Args {
    /// The argument of a place or a name.
    pub(super) fn get(&self, index: usize, name: &str) -> Option<&Value> {
        self.positional.get(index).or_else(|| self.keyword(name))
    }

    pub(super) fn keyword(&self, name: &str) -> Option<&Value> {
        self.keywords
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    pub(super) fn is_false(&self, name: &str) -> bool {
        self.keyword(name).and_then(Value::truth) == Some(false)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Value> {
        let keywords = self.keywords.iter().map(|(_, value)| value);
        self.positional
            .iter()
            .chain(keywords)
            .chain(&self.star)
            .chain(&self.double_star)
    }
}

/// The most functions that call each other on the way of a value.
const DEEPEST: usize = 14;

impl<'p> Run<'p> {
    pub(super) fn call(&mut self, node: &'p ExprCall, state: &mut State) -> Value {
        // The owner of a method is known before the arguments.
        let (owner, method) = match &*node.func {
            Expr::Attribute(attribute) => {
                let owner = self.eval(&attribute.value, state);
                (Some(owner), Some(&attribute.attr.id))
            }
            _ => (None, None),
        };
        let function = match (&owner, method) {
            (Some(owner), Some(method)) => self.attribute(owner, method, state, &node.func),
            _ => self.eval(&node.func, state),
        };
        let args = self.arguments(node, state);
        if let (Some(owner), Some(method)) = (&owner, method)
            && let Some(value) = self.method(owner, method, &args, state, node)
        {
            return value;
        }
        let value = self.call_value(&function, owner.as_ref(), method, &args, state, node);
        let value = state.seen(value);
        if value.taints.is_empty() {
            value
        } else {
            let taints = value.taints.step(self.place(node));
            Value { taints, ..value }
        }
    }

    fn arguments(&mut self, node: &'p ExprCall, state: &mut State) -> Args {
        let mut args = Args::default();
        for arg in &node.arguments.args {
            let value = self.eval(arg, state);
            if let Expr::Starred(_) = arg {
                match self.known_items(&value, state) {
                    Some(items) => args.positional.extend(items),
                    None => args.star = Some(self.item_of(&value, state, arg)),
                }
            } else {
                args.positional.push(value);
            }
        }
        for keyword in &node.arguments.keywords {
            let value = self.eval(&keyword.value, state);
            match &keyword.arg {
                Some(name) => {
                    self.passed(name.id.as_str(), &value, &keyword.value, state);
                    args.keywords.push((name.id.clone(), value));
                }
                None => match self.object(state, &value) {
                    Some(Object::Map { entries, rest, .. })
                        if self.deep(state, rest).is_empty() =>
                    {
                        args.keywords.extend(entries.iter().cloned());
                    }
                    _ => args.double_star = Some(value),
                },
            }
        }
        args
    }

    fn call_value(
        &mut self,
        function: &Value,
        owner: Option<&Value>,
        method: Option<&Name>,
        args: &Args,
        state: &mut State,
        node: &'p ExprCall,
    ) -> Value {
        match &function.shape {
            Shape::Function(id, env) => {
                let is_method = owner.is_some_and(|owner| matches!(owner.shape, Shape::Class(_)));
                let is_class_method = is_method
                    && self.functions.get(*id).is_some_and(|function| {
                        function.decorators.iter().any(|name| name == "classmethod")
                    });
                if let (true, Some(owner)) = (is_class_method, owner) {
                    let mut all = args.clone();
                    all.positional.insert(0, owner.clone());
                    return self.call_function(*id, env.clone(), &all, state, node);
                }
                self.call_function(*id, env.clone(), args, state, node)
            }
            Shape::Bound(bound) => {
                let (owner, id) = (&bound.0, bound.1);
                let is_static = self
                    .functions
                    .get(id)
                    .is_some_and(|function| function.is_static);
                let env = self
                    .functions
                    .get(id)
                    .and_then(|function| function.env.clone());
                let mut all = args.clone();
                if !is_static {
                    all.positional.insert(0, owner.clone());
                }
                self.call_function(id, env, &all, state, node)
            }
            Shape::Class(class) => self.instantiate(*class, args, state, node),
            Shape::Name(name) => {
                let name = Rc::clone(name);
                self.library(&name, owner, args, state, node)
            }
            Shape::Object(_) => {
                let called = Self::name_key("__call__");
                let inner = self.attribute(function, &called, state, &node.func);
                match inner.shape {
                    Shape::Bound(_) => self.call_value(&inner, None, None, args, state, node),
                    _ => self.deep(state, function).into(),
                }
            }
            _ => self.unknown_call(owner, method, args, state, node),
        }
    }

    /// A method of an object that is not known: every class of the project that has one such.
    fn unknown_call(
        &mut self,
        owner: Option<&Value>,
        method: Option<&Name>,
        args: &Args,
        state: &mut State,
        node: &'p ExprCall,
    ) -> Value {
        let (Some(owner), Some(method)) = (owner, method) else {
            let all = args.all().fold(Taints::default(), |all, one| {
                all.with(&self.deep(state, one))
            });
            return all.into();
        };
        if let Some(value) = self.text_method(owner, method, &args.positional, state) {
            return value;
        }
        let candidates: Vec<(ClassId, FunctionId, Option<Rc<Env>>)> = if owner.taints.is_empty() {
            self.methods_named(method)
        } else {
            Vec::new()
        };
        if candidates.is_empty() || candidates.len() > 4 {
            let name = format!("?.{method}");
            return self.library(&name, Some(owner), args, state, node);
        }
        let mut joined: Option<Value> = None;
        for (class, id, env) in candidates {
            let object = Object::Instance {
                class: Some(class),
                fields: HashMap::new(),
            };
            let object = self.allocate(state, object);
            let mut all = args.clone();
            all.positional.insert(0, object);
            let value = self.call_function(id, env, &all, state, node);
            joined = Some(match joined {
                Some(known) => self.either(state, &known, &value),
                None => value,
            });
        }
        joined.unwrap_or_default()
    }

    fn methods_named(&self, method: &Name) -> Vec<(ClassId, FunctionId, Option<Rc<Env>>)> {
        let mut all = Vec::new();
        for (id, class) in self.classes.iter().enumerate() {
            if let Some(Value {
                shape: Shape::Function(function, env),
                ..
            }) = class.members.get(method)
            {
                all.push((id, *function, env.clone()));
            }
        }
        all
    }

    fn instantiate(
        &mut self,
        class: ClassId,
        args: &Args,
        state: &mut State,
        node: &'p ExprCall,
    ) -> Value {
        self.constructed(class, args, state, node);
        let mut fields = HashMap::new();
        let foreign = self.foreign_bases(class);
        let is_record = !foreign.is_empty() || !self.has_init(class);
        if is_record {
            for (name, value) in &args.keywords {
                fields.insert(name.clone(), value.clone());
            }
        }
        let object = self.allocate(
            state,
            Object::Instance {
                class: Some(class),
                fields,
            },
        );
        if let Some(Value {
            shape: Shape::Function(id, env),
            ..
        }) = self.class_member(class, &Self::name_key("__init__"))
        {
            let mut all = args.clone();
            all.positional.insert(0, object.clone());
            self.call_function(id, env, &all, state, node);
        } else if !is_record || foreign.is_empty() {
            self.fill_fields(class, &object, args, state);
        }
        object
    }

    fn has_init(&self, class: ClassId) -> bool {
        self.class_member(class, &Self::name_key("__init__"))
            .is_some()
    }

    /// A dataclass or a named tuple takes its fields in the order of their declaration.
    fn fill_fields(&self, class: ClassId, object: &Value, args: &Args, state: &mut State) {
        let names: Vec<Name> = self.classes.get(class).map_or_else(Vec::new, |class| {
            class
                .node
                .body
                .iter()
                .filter_map(|statement| match statement {
                    ruff_python_ast::Stmt::AnnAssign(field) => match &*field.target {
                        Expr::Name(name) => Some(name.id.clone()),
                        _ => None,
                    },
                    _ => None,
                })
                .collect()
        });
        if let Some(Object::Instance { fields, .. }) = self.object_mut(state, object) {
            for (name, value) in names.into_iter().zip(&args.positional) {
                fields.insert(name, value.clone());
            }
        }
    }

    /// Runs a function of the project with these arguments.
    pub(super) fn call_function(
        &mut self,
        id: FunctionId,
        env: Option<Rc<Env>>,
        args: &Args,
        state: &mut State,
        node: &impl Ranged,
    ) -> Value {
        let recursion = self
            .frames
            .iter()
            .filter(|frame| frame.function == Some(id))
            .count();
        let is_over = recursion > 1 || self.frames.len() > DEEPEST || self.steps >= self.budget;
        let Some(function) = self.functions.get_mut(id) else {
            return Value::default();
        };
        function.is_reached = true;
        let (body, module) = (function.body, function.place.module);
        if is_over {
            self.limits = self.limits.saturating_add(u64::from(recursion <= 1));
            let all = args.all().fold(Taints::default(), |all, one| {
                all.with(&self.deep(state, one))
            });
            return all.into();
        }
        let mut inner = State {
            heap: std::mem::take(&mut state.heap),
            cleaned: state.cleaned.clone(),
            ..State::default()
        };
        self.bind(id, args, &mut inner, node);
        self.frames.push(Frame {
            function: Some(id),
            module,
            env: Self::new_env(env),
            is_module: false,
            globals: Vec::new(),
            returns: Vec::new(),
            breaks: Vec::new(),
            continues: Vec::new(),
            class: None,
        });
        match body {
            Body::Statements(body) => {
                self.block(body, &mut inner);
                if !inner.dead
                    && let Some(frame) = self.frames.last_mut()
                {
                    frame
                        .returns
                        .push((Shape::None.into(), std::mem::take(&mut inner)));
                }
            }
            Body::Expression(expr) => {
                let value = self.eval(expr, &mut inner);
                if let Some(frame) = self.frames.last_mut() {
                    frame.returns.push((value, inner));
                }
            }
        }
        self.finish(state)
    }

    /// Joins the returns of a function that ended.
    fn finish(&mut self, state: &mut State) -> Value {
        let Some(frame) = self.frames.pop() else {
            return Value::default();
        };
        let mut returns = frame.returns.into_iter();
        let Some((value, mut left)) = returns.next() else {
            // It always raises.
            state.dead = true;
            return Value::default();
        };
        let mut value = left.seen(value);
        let mut proofs = vec![outcome(&value, &left, state)];
        for (other, other_left) in returns {
            let other = other_left.seen(other);
            proofs.push(outcome(&other, &other_left, state));
            let either = super::state::either(&value, &other, |one, is_first| {
                if is_first {
                    left.deep(one, &self.base)
                } else {
                    other_left.deep(one, &self.base)
                }
            });
            left = left.join(other_left, &self.base);
            value = either;
        }
        value.proof = join_outcomes(proofs);
        let env = frame.env;
        env.vars.borrow_mut().extend(std::mem::take(&mut left.vars));
        state.heap = left.heap;
        state.cleaned = left.cleaned;
        value
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each function or method of Python that it knows"
    )]
    fn bind(&mut self, id: FunctionId, args: &Args, inner: &mut State, node: &impl Ranged) {
        let Some(parameters) = self
            .functions
            .get(id)
            .and_then(|function| function.parameters)
        else {
            return;
        };
        let at = self.place(node);
        let step = |value: &Value| Value {
            taints: if value.taints.is_empty() {
                Taints::default()
            } else {
                value.taints.step(at)
            },
            ..value.clone()
        };
        let mut positional = args.positional.iter();
        let plain = parameters.posonlyargs.iter().chain(&parameters.args);
        for parameter in plain.chain(&parameters.kwonlyargs) {
            let name = &parameter.parameter.name.id;
            let is_keyword_only = parameters
                .kwonlyargs
                .iter()
                .any(|only| only.parameter.name.id == *name);
            let given = if is_keyword_only {
                None
            } else {
                positional.next()
            };
            let given = given.or_else(|| args.keyword(name)).map(step);
            let value = match given {
                Some(value) => value,
                None if args.star.is_some() || args.double_star.is_some() => {
                    let rest = args.star.iter().chain(&args.double_star);
                    rest.fold(Taints::default(), |all, one| {
                        all.with(&inner.deep(one, &self.base))
                    })
                    .into()
                }
                None => match &parameter.default {
                    Some(default) => self.constant(default),
                    None => Value::default(),
                },
            };
            inner.vars.insert(name.clone(), value);
        }
        if let Some(parameter) = &parameters.vararg {
            let items = positional.cloned().collect();
            let rest = args.star.clone();
            let value = self.allocate(inner, Object::Sequence { items, rest });
            inner.vars.insert(parameter.name.id.clone(), value);
        }
        if let Some(parameter) = &parameters.kwarg {
            let rest = args
                .double_star
                .as_ref()
                .map(|value| inner.deep(value, &self.base));
            let entries = args.keywords.clone();
            let rest = rest.map_or_else(Value::default, Value::from);
            let map = Object::Map {
                entries,
                rest,
                keys: Taints::default(),
            };
            let value = self.allocate(inner, map);
            inner.vars.insert(parameter.name.id.clone(), value);
        }
    }

    /// A default that is a constant.
    fn constant(&mut self, expr: &'p Expr) -> Value {
        match expr {
            Expr::StringLiteral(_)
            | Expr::NumberLiteral(_)
            | Expr::BooleanLiteral(_)
            | Expr::NoneLiteral(_)
            | Expr::BytesLiteral(_) => self.eval(expr, &mut State::default()),
            _ => Value::default(),
        }
    }

    /// Runs a function as a visitor or nobody calls it: its parameters are what the caller says.
    pub(super) fn run_entry(&mut self, id: FunctionId, args: &Args, budget: u32) {
        let Some(function) = self.functions.get(id) else {
            return;
        };
        let (env, module) = (function.env.clone(), function.place.module);
        self.steps = 0;
        self.budget = budget;
        self.reads.clear();
        // A frame around it, so that places are in its file.
        self.frames.push(Frame {
            function: None,
            module,
            env: Self::new_env(None),
            is_module: false,
            globals: Vec::new(),
            returns: Vec::new(),
            breaks: Vec::new(),
            continues: Vec::new(),
            class: None,
        });
        let node = self.functions.get(id).and_then(|function| function.node);
        if let Some(node) = node {
            let mut state = State::default();
            let result = self.call_function(id, env, args, &mut state, &node.name);
            drop(result);
        }
        self.frames.pop();
        if self.steps >= self.budget {
            self.limits = self.limits.saturating_add(1);
        }
    }

    /// Every outside value in the arguments.
    pub(super) fn all_taints(&self, args: &Args, state: &State) -> Taints {
        args.all().fold(Taints::default(), |all, one| {
            all.with(&self.deep(state, one))
        })
    }

    /// Whether it holds JSON that was not converted.
    pub(super) fn json_taints(&self, value: &Value, state: &State) -> Taints {
        self.deep(state, value)
            .filter(|taint| taint.kind == Kind::Json && taint.cleaned & class::NOSQL == 0)
    }
}

type Outcome = (Option<bool>, Vec<(u32, u32)>, Vec<(u32, u32)>);

/// A return says something: the path to `return True` has proved something, and so has an expression.
fn outcome(value: &Value, left: &State, before: &State) -> Outcome {
    let new: Vec<(u32, u32)> = left
        .cleaned
        .iter()
        .filter(|(origin, classes)| before.cleaned.get(origin) != Some(classes))
        .map(|(origin, classes)| (*origin, *classes))
        .collect();
    let (mut when_true, mut when_false) = (new.clone(), new);
    if let Some(proof) = &value.proof {
        when_true.extend(proof.when_true.iter().copied());
        when_false.extend(proof.when_false.iter().copied());
    }
    (value.truth(), when_true, when_false)
}

fn join_outcomes(all: Vec<Outcome>) -> Option<Rc<super::value::Proof>> {
    let mut when_true: Option<Vec<(u32, u32)>> = None;
    let mut when_false: Option<Vec<(u32, u32)>> = None;
    for (truth, is_true, is_false) in all {
        if truth != Some(false) {
            when_true = Some(when_true.map_or(is_true.clone(), |known| {
                super::guards::both(&known, &is_true)
            }));
        }
        if truth != Some(true) {
            when_false = Some(when_false.map_or(is_false.clone(), |known| {
                super::guards::both(&known, &is_false)
            }));
        }
    }
    let (when_true, when_false) = (
        when_true.unwrap_or_default(),
        when_false.unwrap_or_default(),
    );
    if when_true.is_empty() && when_false.is_empty() {
        return None;
    }
    Some(Rc::new(super::value::Proof {
        when_true,
        when_false,
    }))
}
