//! The interpreter's memory: modules, functions, classes, frames; and the look-up of names.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use ruff_python_ast::name::Name;
use ruff_python_ast::{Expr, Parameters, Stmt, StmtClassDef, StmtFunctionDef};
use ruff_text_size::Ranged;

use super::project::{Module, Project};
use super::routes::Route;
use super::state::{Env, Object, State};
use super::value::{
    ClassId, Classes, FunctionId, Kind, ObjectId, Place, Shape, Taint, Taints, Value, class,
};
use crate::scan::ScanCheck;

/// A function of the project, or a lambda.
#[derive(Debug)]
pub(super) struct Function<'p> {
    pub(super) name: Name,
    pub(super) place: Place,
    pub(super) parameters: Option<&'p Parameters>,
    pub(super) body: Body<'p>,
    pub(super) class: Option<ClassId>,
    pub(super) decorators: Vec<String>,
    pub(super) is_property: bool,
    pub(super) is_static: bool,
    /// Whether a call reached it.
    pub(super) is_reached: bool,
    pub(super) env: Option<Rc<Env>>,
    pub(super) node: Option<&'p StmtFunctionDef>,
}

/// The body of a function.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body<'p> {
    Expression(&'p Expr),
    Statements(&'p [Stmt]),
}

/// A class of the project.
#[derive(Debug)]
pub(super) struct Class<'p> {
    pub(super) node: &'p StmtClassDef,
    pub(super) bases: Vec<Value>,
    pub(super) members: HashMap<Name, Value>,
}

/// One function that runs, or the body of a module or class.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) function: Option<FunctionId>,
    pub(super) module: u32,
    pub(super) env: Rc<Env>,
    pub(super) is_module: bool,
    pub(super) globals: Vec<Name>,
    pub(super) returns: Vec<(Value, State)>,
    pub(super) breaks: Vec<State>,
    pub(super) continues: Vec<State>,
    pub(super) class: Option<ClassId>,
}

/// A finding, before its texts are made.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) check: &'static ScanCheck,
    pub(super) at: Place,
    pub(super) end: u32,
    pub(super) taint: Option<Taint>,
    pub(super) note: String,
    pub(super) route: Option<usize>,
    /// In a template instead.
    pub(super) template: Option<(String, usize)>,
}

/// A finding that was reported: its check, its place, and that in a template.
type Known = (&'static str, Place, Option<(String, usize)>);

/// Where an outside value came in.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    pub(super) at: Place,
    /// `query:id`, `header:Host`.
    pub(super) label: String,
}

/// The interpreter.
pub(super) struct Run<'p> {
    pub(super) project: &'p Project<'p>,
    pub(super) functions: Vec<Function<'p>>,
    pub(super) function_ids: HashMap<Place, FunctionId>,
    pub(super) classes: Vec<Class<'p>>,
    class_ids: HashMap<Place, ClassId>,
    pub(super) globals: Vec<Rc<Env>>,
    pub(super) started: Vec<bool>,
    pub(super) base: HashMap<ObjectId, Rc<Object>>,
    next_object: ObjectId,
    pub(super) origins: Vec<Origin>,
    origin_ids: HashMap<Origin, u32>,
    pub(super) found: Vec<Found>,
    known: HashSet<Known>,
    pub(super) frames: Vec<Frame>,
    pub(super) routes: Vec<Route>,
    /// The route that runs now.
    pub(super) route: Option<usize>,
    pub(super) steps: u32,
    pub(super) budget: u32,
    pub(super) limits: u64,
    pub(super) facts: super::facts::Facts,
    pub(super) depth: u32,
    /// Where a parameter was read first: the same parameter is the same value on the next line.
    pub(super) reads: HashMap<String, Place>,
}

impl<'p> Run<'p> {
    pub(super) fn new(project: &'p Project<'p>) -> Self {
        let globals = project.modules.iter().map(|_| Rc::default()).collect();
        Self {
            project,
            functions: Vec::new(),
            function_ids: HashMap::new(),
            classes: Vec::new(),
            class_ids: HashMap::new(),
            globals,
            started: vec![false; project.modules.len()],
            base: HashMap::new(),
            next_object: 0,
            origins: Vec::new(),
            origin_ids: HashMap::new(),
            found: Vec::new(),
            known: HashSet::new(),
            frames: Vec::new(),
            routes: Vec::new(),
            route: None,
            steps: 0,
            budget: 1_000_000,
            limits: 0,
            facts: super::facts::Facts::default(),
            depth: 0,
            reads: HashMap::new(),
        }
    }

    pub(super) fn module(&self) -> u32 {
        self.frames.last().map_or(0, |frame| frame.module)
    }

    pub(super) fn source(&self, module: u32) -> Option<&'p Module<'p>> {
        self.project.modules.get(module as usize)
    }

    pub(super) fn place(&self, node: &impl Ranged) -> Place {
        Place {
            module: self.module(),
            offset: node.start().into(),
        }
    }

    /// One more step; none is left if the budget is used up.
    pub(super) fn step(&mut self) -> bool {
        self.steps = self.steps.saturating_add(1);
        self.steps < self.budget
    }

    pub(super) fn allocate(&mut self, state: &mut State, object: Object) -> Value {
        self.next_object = self.next_object.wrapping_add(1);
        state.heap.insert(self.next_object, Rc::new(object));
        Shape::Object(self.next_object).into()
    }

    /// A new sequence of which only one value is known, which stands for each item.
    pub(super) fn sequence_of(&mut self, state: &mut State, rest: Option<Value>) -> Value {
        let items = Vec::new();
        self.allocate(state, Object::Sequence { items, rest })
    }

    pub(super) fn object<'s>(&'s self, state: &'s State, value: &Value) -> Option<&'s Object> {
        let Shape::Object(id) = &value.shape else {
            return None;
        };
        state
            .heap
            .get(id)
            .or_else(|| self.base.get(id))
            .map(Rc::as_ref)
    }

    /// The object, to change it. One that a module made is copied for this function.
    pub(super) fn object_mut<'s>(
        &self,
        state: &'s mut State,
        value: &Value,
    ) -> Option<&'s mut Object> {
        let Shape::Object(id) = &value.shape else {
            return None;
        };
        if !state.heap.contains_key(id) {
            state.heap.insert(*id, self.base.get(id)?.clone());
        }
        state.heap.get_mut(id).map(Rc::make_mut)
    }

    pub(super) fn deep(&self, state: &State, value: &Value) -> Taints {
        state.deep(value, &self.base)
    }

    pub(super) fn either(&self, state: &State, one: &Value, two: &Value) -> Value {
        super::state::either(one, two, |value, _| self.deep(state, value))
    }

    /// An outside value.
    pub(super) fn taint(&mut self, at: Place, label: impl Into<String>, kind: Kind) -> Taints {
        let origin = Origin {
            at,
            label: label.into(),
        };
        let id = match self.origin_ids.get(&origin) {
            Some(id) => *id,
            None => {
                let id = u32::try_from(self.origins.len()).unwrap_or(u32::MAX);
                self.origins.push(origin.clone());
                self.origin_ids.insert(origin, id);
                id
            }
        };
        let taint = Taint {
            origin: id,
            kind,
            cleaned: class::NONE,
            way: None,
        };
        Taints::one(taint).step(at)
    }

    /// A parameter with a name.
    pub(super) fn parameter(&mut self, at: Place, label: String, kind: Kind) -> Taints {
        let first = *self.reads.entry(label.clone()).or_insert(at);
        self.taint(first, label, kind).step(at)
    }

    /// A part of a text is checked apart from the other parts, though it came in with them.
    pub(super) fn part(&mut self, value: Value, key: Option<&str>, node: &impl Ranged) -> Value {
        if value.taints.is_empty() {
            return value;
        }
        let at = Place {
            module: self.module(),
            offset: node.end().into(),
        };
        let mut all = Taints::default();
        for taint in value.taints.iter() {
            let origin = self.origins.get(taint.origin as usize).cloned();
            let (from, mut label) = origin.map_or((at, String::new()), |one| (one.at, one.label));
            if let Some(key) = key.filter(|_| label.len() < 80) {
                let dot = if label.contains(':') { '.' } else { ':' };
                label = format!("{label}{dot}{key}");
            }
            let at = if key.is_some() { from } else { at };
            let fresh = self.taint(at, label, taint.kind);
            all = all.with(&fresh.map(|fresh| {
                fresh.cleaned = taint.cleaned;
                fresh.way.clone_from(&taint.way);
            }));
        }
        let shape = match value.shape {
            Shape::Name(name) if &*name == "?.part" => Shape::Unknown,
            Shape::Text(_) => Shape::Unknown,
            other => other,
        };
        Value::tainted(shape, all)
    }

    /// Reports a value that does harm here, once for each place.
    pub(super) fn sink(
        &mut self,
        check: &'static ScanCheck,
        harm: Classes,
        value: &Taints,
        node: &impl Ranged,
        state: &State,
    ) -> bool {
        let kinds: &[Kind] = match harm {
            class::RANDOM => &[Kind::Random],
            class::SECRET => &[Kind::Secret],
            class::NOSQL => &[Kind::Json],
            // The text of an error repeats what it is about.
            class::TEMPLATE => &[Kind::Request, Kind::Json, Kind::Error],
            _ => &[Kind::Request, Kind::Json],
        };
        self.sink_of(check, harm, kinds, value, node, state)
    }

    pub(super) fn sink_of(
        &mut self,
        check: &'static ScanCheck,
        harm: Classes,
        kinds: &[Kind],
        value: &Taints,
        node: &impl Ranged,
        state: &State,
    ) -> bool {
        let bad = value.iter().find(|taint| {
            let known = state
                .cleaned
                .get(&taint.origin)
                .copied()
                .unwrap_or(class::NONE);
            kinds.contains(&taint.kind) && (taint.cleaned | known) & harm == 0
        });
        let Some(taint) = bad.cloned() else {
            return false;
        };
        self.report(check, node, Some(taint), String::new());
        true
    }

    pub(super) fn report(
        &mut self,
        check: &'static ScanCheck,
        node: &impl Ranged,
        taint: Option<Taint>,
        note: String,
    ) {
        let at = self.place(node);
        self.report_at(check, at, node.end().into(), taint, note, None);
    }

    pub(super) fn report_at(
        &mut self,
        check: &'static ScanCheck,
        at: Place,
        end: u32,
        taint: Option<Taint>,
        note: String,
        template: Option<(String, usize)>,
    ) {
        let place = if template.is_some() {
            Place {
                module: 0,
                offset: 0,
            }
        } else {
            at
        };
        if self.known.insert((check.id, place, template.clone())) {
            let route = self.route;
            self.found.push(Found {
                check,
                at,
                end,
                taint,
                note,
                route,
                template,
            });
        }
    }

    /// The value of a name: a variable, one of the functions around, of the module, or a built-in.
    pub(super) fn lookup(&mut self, name: &Name, state: &State) -> Value {
        if let Some(value) = state.vars.get(name) {
            return state.seen(value.clone());
        }
        let Some(frame) = self.frames.last() else {
            return Value::default();
        };
        let (env, module) = (frame.env.clone(), frame.module);
        if let Some(value) = env.find(name) {
            return state.seen(value);
        }
        if let Some(value) = self.global(module, name) {
            return state.seen(value);
        }
        if name == "request" && self.star_imports(module) {
            return Value::name("flask.request");
        }
        Value::name(name)
    }

    fn star_imports(&self, module: u32) -> bool {
        self.source(module).is_some_and(|module| {
            module.text.contains("from flask import *")
                || module.text.contains("from bottle import *")
        })
    }

    pub(super) fn global(&self, module: u32, name: &Name) -> Option<Value> {
        self.globals
            .get(module as usize)?
            .vars
            .borrow()
            .get(name)
            .cloned()
    }

    /// The member of a module of the project.
    pub(super) fn member(&mut self, module: &str, name: &Name) -> Value {
        let inner = format!("{module}.{name}");
        if let Some(index) = self.project.find(module) {
            self.run_module(index);
            if let Some(value) = self.global(u32::try_from(index).unwrap_or(0), name) {
                return value;
            }
        }
        if self.project.is_module(&inner) {
            if let Some(index) = self.project.find(&inner) {
                self.run_module(index);
            }
            return Shape::Module(inner.into()).into();
        }
        Value::name(inner)
    }

    /// Runs the body of a module, the first time.
    pub(super) fn run_module(&mut self, index: usize) {
        let (Some(started), Some(module)) =
            (self.started.get_mut(index), self.project.modules.get(index))
        else {
            return;
        };
        if std::mem::replace(started, true) || self.depth > 60 {
            return;
        }
        let Some(env) = self.globals.get(index).cloned() else {
            return;
        };
        let (steps, budget, route) = (self.steps, self.budget, self.route.take());
        (self.steps, self.budget) = (0, 200_000);
        self.frames.push(Frame {
            function: None,
            module: u32::try_from(index).unwrap_or(0),
            env: env.clone(),
            is_module: true,
            globals: Vec::new(),
            returns: Vec::new(),
            breaks: Vec::new(),
            continues: Vec::new(),
            class: None,
        });
        let mut state = State::default();
        self.depth = self.depth.saturating_add(1);
        self.block(module.suite, &mut state);
        self.depth = self.depth.saturating_sub(1);
        self.frames.pop();
        let raised = std::mem::take(&mut state.vars);
        env.vars.borrow_mut().extend(raised);
        self.base.extend(state.heap);
        (self.steps, self.budget, self.route) = (steps, budget, route);
    }

    /// Functions see the variables that are there when they run, not when they are defined.
    pub(super) fn publish(&self, state: &State) {
        if let Some(frame) = self.frames.last() {
            let mut vars = frame.env.vars.borrow_mut();
            for (name, value) in &state.vars {
                vars.insert(name.clone(), value.clone());
            }
        }
    }

    pub(super) fn class_id(
        &mut self,
        node: &'p StmtClassDef,
        bases: Vec<Value>,
    ) -> (ClassId, bool) {
        let place = self.place(node);
        if let Some(id) = self.class_ids.get(&place) {
            return (*id, false);
        }
        let id = self.classes.len();
        self.classes.push(Class {
            node,
            bases,
            members: HashMap::new(),
        });
        self.class_ids.insert(place, id);
        (id, true)
    }

    /// A member of a class or of its bases.
    pub(super) fn class_member(&self, class: ClassId, name: &Name) -> Option<Value> {
        self.class_member_to(class, name, 0)
    }

    fn class_member_to(&self, class: ClassId, name: &Name, depth: u8) -> Option<Value> {
        let class = self.classes.get(class)?;
        if let Some(value) = class.members.get(name) {
            return Some(value.clone());
        }
        if depth > 16 {
            return None;
        }
        class.bases.iter().find_map(|base| match base.shape {
            Shape::Class(base) => self.class_member_to(base, name, depth.saturating_add(1)),
            _ => None,
        })
    }

    /// The names of the library classes that a class is built on, such as `flask.views.MethodView`.
    pub(super) fn foreign_bases(&self, class: ClassId) -> Vec<String> {
        let mut names = Vec::new();
        let mut left = vec![class];
        let mut seen = HashSet::new();
        while let Some(id) = left.pop() {
            if !seen.insert(id) {
                continue;
            }
            for base in self
                .classes
                .get(id)
                .into_iter()
                .flat_map(|class| &class.bases)
            {
                match &base.shape {
                    Shape::Class(base) => left.push(*base),
                    Shape::Name(name) => names.push(name.to_string()),
                    _ => {}
                }
            }
        }
        names
    }

    pub(super) fn new_env(parent: Option<Rc<Env>>) -> Rc<Env> {
        Rc::new(Env {
            vars: RefCell::default(),
            parent,
        })
    }
}
