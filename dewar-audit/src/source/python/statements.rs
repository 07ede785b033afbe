//! Statements.

use std::rc::Rc;

use ruff_python_ast::name::Name;
use ruff_python_ast::{
    ExceptHandler, Expr, MatchCase, Pattern, Singleton, Stmt, StmtClassDef, StmtFor,
    StmtFunctionDef, StmtIf, StmtReturn, StmtTry, StmtWhile, StmtWith,
};
use ruff_text_size::Ranged;

use super::run::{Body, Frame, Function, Run};
use super::state::{Object, State};
use super::value::{Place, Shape, Value};

impl<'p> Run<'p> {
    pub(super) fn block(&mut self, body: &'p [Stmt], state: &mut State) {
        for statement in body {
            if state.dead {
                // Code that cannot run is still read for the functions that it defines.
                if let Stmt::FunctionDef(node) = statement {
                    self.function(node, &mut state.clone());
                }
                continue;
            }
            if !self.step() {
                return;
            }
            self.statement(statement, state);
        }
    }

    fn statement(&mut self, statement: &'p Stmt, state: &mut State) {
        match statement {
            Stmt::FunctionDef(node) => self.function(node, state),
            Stmt::ClassDef(node) => self.class(node, state),
            Stmt::Return(node) => self.return_statement(node, state),
            Stmt::Delete(_) | Stmt::Pass(_) | Stmt::TypeAlias(_) | Stmt::IpyEscapeCommand(_) => {}
            Stmt::Assign(node) => {
                let value = self.eval(&node.value, state);
                for target in &node.targets {
                    self.assign(target, value.clone(), state, &node.value);
                }
            }
            Stmt::AugAssign(node) => {
                let old = self.eval(&node.target, state);
                let new = self.eval(&node.value, state);
                let value = self.binary(&old, node.op, &new, state, node);
                self.assign(&node.target, value, state, &node.value);
            }
            Stmt::AnnAssign(node) => {
                if let Some(expr) = &node.value {
                    let value = self.eval(expr, state);
                    self.assign(&node.target, value, state, expr);
                } else if let Expr::Name(name) = &*node.target {
                    // A field of a class that is declared and not set.
                    state.vars.entry(name.id.clone()).or_default();
                }
            }
            Stmt::For(node) => self.for_loop(node, state),
            Stmt::While(node) => self.while_loop(node, state),
            Stmt::If(node) => self.if_statement(node, state),
            Stmt::With(node) => self.with_statement(node, state),
            Stmt::Match(node) => {
                let subject = self.eval(&node.subject, state);
                self.match_cases(&subject, &node.subject, &node.cases, state);
            }
            Stmt::Raise(node) => {
                if let Some(exc) = &node.exc {
                    self.eval(exc, state);
                }
                state.dead = true;
            }
            Stmt::Try(node) => self.try_statement(node, state),
            Stmt::Assert(node) => {
                let test = self.eval(&node.test, state);
                self.assume(&test, true, state);
            }
            Stmt::Import(node) => self.import(node, state),
            Stmt::ImportFrom(node) => self.import_from(node, state),
            Stmt::Global(node) => {
                if let Some(frame) = self.frames.last_mut() {
                    frame
                        .globals
                        .extend(node.names.iter().map(|name| name.id.clone()));
                }
            }
            Stmt::Nonlocal(_) => {}
            Stmt::Expr(node) => {
                self.eval(&node.value, state);
            }
            Stmt::Break(_) => self.leave_turn(true, state),
            Stmt::Continue(_) => self.leave_turn(false, state),
        }
    }

    fn return_statement(&mut self, node: &'p StmtReturn, state: &mut State) {
        let value = node.value.as_ref().map(|value| self.eval(value, state));
        let mut value = value.unwrap_or_else(|| Shape::None.into());
        value.taints = value.taints.step(self.place(node));
        if let Some(expr) = &node.value {
            self.returned(&value, expr, state);
        }
        let left = std::mem::replace(
            state,
            State {
                dead: true,
                ..State::default()
            },
        );
        if let Some(frame) = self.frames.last_mut() {
            frame.returns.push((value, left));
        }
    }

    fn with_statement(&mut self, node: &'p StmtWith, state: &mut State) {
        for item in &node.items {
            let value = self.eval(&item.context_expr, state);
            if let Some(target) = &item.optional_vars {
                self.assign(target, value, state, &item.context_expr);
            }
        }
        self.block(&node.body, state);
    }

    /// `break` and `continue`
    fn leave_turn(&mut self, is_break: bool, state: &mut State) {
        let left = std::mem::replace(
            state,
            State {
                dead: true,
                ..State::default()
            },
        );
        if let Some(frame) = self.frames.last_mut() {
            if is_break {
                frame.breaks.push(left);
            } else {
                frame.continues.push(left);
            }
        }
    }

    /// Notes what a condition proves.
    pub(super) fn assume(&self, test: &Value, holds: bool, state: &mut State) {
        if let Some(proof) = &test.proof {
            state.clean(if holds {
                &proof.when_true
            } else {
                &proof.when_false
            });
        }
    }

    fn if_statement(&mut self, node: &'p StmtIf, state: &mut State) {
        let test = self.eval(&node.test, state);
        let mut rest = state.clone();
        let truth = test.truth();
        let mut joined = State {
            dead: true,
            ..State::default()
        };
        if truth != Some(false) {
            self.assume(&test, true, state);
            self.block(&node.body, state);
            joined = std::mem::take(state);
        }
        if truth == Some(true) {
            rest.dead = true;
        }
        self.assume(&test, false, &mut rest);
        for clause in &node.elif_else_clauses {
            if rest.dead {
                break;
            }
            let mut branch = rest.clone();
            match &clause.test {
                Some(test) => {
                    let test = self.eval(test, &mut branch);
                    rest = branch.clone();
                    self.assume(&test, false, &mut rest);
                    self.assume(&test, true, &mut branch);
                    match test.truth() {
                        Some(true) => rest.dead = true,
                        Some(false) => continue,
                        None => {}
                    }
                }
                None => rest.dead = true,
            }
            self.block(&clause.body, &mut branch);
            joined = joined.join(branch, &self.base);
        }
        *state = joined.join(rest, &self.base);
    }

    fn for_loop(&mut self, node: &'p StmtFor, state: &mut State) {
        let iterable = self.eval(&node.iter, state);
        let known = self.known_items(&iterable, state);
        let (breaks, continues) = self.enter_loop();
        match known {
            Some(items) => {
                for item in items {
                    if state.dead {
                        break;
                    }
                    self.assign(&node.target, item, state, &node.iter);
                    self.block(&node.body, state);
                    self.next_turn(state);
                }
            }
            None => {
                let item = self.item_of(&iterable, state, node.iter.as_ref());
                for _ in 0..2 {
                    let before = state.clone();
                    self.assign(&node.target, item.clone(), state, &node.iter);
                    self.block(&node.body, state);
                    self.next_turn(state);
                    let after = std::mem::take(state);
                    *state = before.join(after, &self.base);
                }
            }
        }
        self.leave_loop(&node.orelse, breaks, continues, state);
    }

    fn while_loop(&mut self, node: &'p StmtWhile, state: &mut State) {
        let (breaks, continues) = self.enter_loop();
        for _ in 0..2 {
            let test = self.eval(&node.test, state);
            if test.truth() == Some(false) {
                break;
            }
            let before = state.clone();
            self.assume(&test, true, state);
            self.block(&node.body, state);
            self.next_turn(state);
            let after = std::mem::take(state);
            *state = if test.truth() == Some(true) && after.dead {
                // `while True` that always leaves goes on only behind its breaks.
                after
            } else {
                before.join(after, &self.base)
            };
            if state.dead {
                break;
            }
        }
        self.leave_loop(&node.orelse, breaks, continues, state);
    }

    fn enter_loop(&mut self) -> (Vec<State>, Vec<State>) {
        self.frames
            .last_mut()
            .map_or_else(Default::default, |frame| {
                (
                    std::mem::take(&mut frame.breaks),
                    std::mem::take(&mut frame.continues),
                )
            })
    }

    fn next_turn(&mut self, state: &mut State) {
        let continues = self
            .frames
            .last_mut()
            .map(|frame| std::mem::take(&mut frame.continues));
        for left in continues.into_iter().flatten() {
            *state = std::mem::take(state).join(left, &self.base);
        }
    }

    fn leave_loop(
        &mut self,
        orelse: &'p [Stmt],
        breaks: Vec<State>,
        continues: Vec<State>,
        state: &mut State,
    ) {
        self.block(orelse, state);
        let left = self.frames.last_mut().map(|frame| {
            frame.continues = continues;
            std::mem::replace(&mut frame.breaks, breaks)
        });
        for left in left.into_iter().flatten() {
            *state = std::mem::take(state).join(left, &self.base);
        }
    }

    fn try_statement(&mut self, node: &'p StmtTry, state: &mut State) {
        let mut failed = state.clone();
        self.block(&node.body, state);
        // The body may fail before its first or after its last statement.
        if !state.dead {
            failed = failed.join(state.clone(), &self.base);
        }
        self.block(&node.orelse, state);
        let mut joined = std::mem::take(state);
        for handler in &node.handlers {
            let ExceptHandler::ExceptHandler(handler) = handler;
            let mut branch = failed.clone();
            branch.cleaned.retain(|_, classes| *classes != 0);
            if let Some(name) = &handler.name {
                let taints = self.taint(self.place(handler), "error", super::value::Kind::Error);
                let error = Value::tainted(Shape::Name("Exception()".into()), taints);
                branch.vars.insert(name.id.clone(), error);
            }
            self.block(&handler.body, &mut branch);
            joined = joined.join(branch, &self.base);
        }
        *state = joined;
        if state.dead {
            // It runs all the same; nothing after it does.
            let mut last = failed;
            self.block(&node.finalbody, &mut last);
        } else {
            self.block(&node.finalbody, state);
        }
    }

    fn match_cases(
        &mut self,
        subject: &Value,
        node: &'p Expr,
        cases: &'p [MatchCase],
        state: &mut State,
    ) {
        let mut joined = State {
            dead: true,
            ..State::default()
        };
        let mut rest = std::mem::take(state);
        for case in cases {
            if rest.dead {
                break;
            }
            let mut branch = rest.clone();
            let mut fits = self.fits(subject, &case.pattern, &mut branch, node);
            if let (Some(guard), true) = (&case.guard, fits != Some(false)) {
                let test = self.eval(guard, &mut branch);
                self.assume(&test, true, &mut branch);
                fits = match (fits, test.truth()) {
                    (Some(true), truth) => truth,
                    (_, Some(false)) => Some(false),
                    _ => None,
                };
            }
            if fits == Some(false) {
                continue;
            }
            self.block(&case.body, &mut branch);
            joined = joined.join(branch, &self.base);
            rest.dead |= fits == Some(true);
        }
        *state = joined.join(rest, &self.base);
    }

    /// Whether a value fits a pattern, if that is known. Names in the pattern are bound.
    fn fits(
        &mut self,
        subject: &Value,
        pattern: &'p Pattern,
        state: &mut State,
        node: &'p Expr,
    ) -> Option<bool> {
        match pattern {
            Pattern::MatchValue(pattern) => {
                let value = self.eval(&pattern.value, state);
                let test = self.equal(subject, &value, state);
                self.assume(&test, true, state);
                test.truth()
            }
            Pattern::MatchSingleton(pattern) => match (&subject.shape, pattern.value) {
                (Shape::None, Singleton::None) => Some(true),
                (Shape::Bool(is), Singleton::True) => Some(*is),
                (Shape::Bool(is), Singleton::False) => Some(!*is),
                (Shape::Text(_) | Shape::Int(_), _) => Some(false),
                _ => None,
            },
            Pattern::MatchOr(pattern) => self.fits_any(subject, &pattern.patterns, state, node),
            Pattern::MatchAs(pattern) => {
                let fits = match &pattern.pattern {
                    Some(inner) => self.fits(subject, inner, state, node),
                    None => Some(true),
                };
                if let Some(name) = &pattern.name {
                    state.vars.insert(name.id.clone(), subject.clone());
                }
                fits
            }
            Pattern::MatchSequence(pattern) => {
                let item = self.item_of(subject, state, node);
                for pattern in &pattern.patterns {
                    self.fits(&item, pattern, state, node);
                }
                None
            }
            Pattern::MatchMapping(pattern) => {
                for (key, pattern) in pattern.keys.iter().zip(&pattern.patterns) {
                    let key = self.eval(key, state);
                    let item = self.subscript(subject, &key, state, node);
                    self.fits(&item, pattern, state, node);
                }
                None
            }
            Pattern::MatchClass(pattern) => {
                for pattern in &pattern.arguments.patterns {
                    self.fits(&subject.clone(), pattern, state, node);
                }
                None
            }
            Pattern::MatchStar(pattern) => {
                if let Some(name) = &pattern.name {
                    state.vars.insert(name.id.clone(), subject.clone());
                }
                None
            }
        }
    }

    fn fits_any(
        &mut self,
        subject: &Value,
        patterns: &'p [Pattern],
        state: &State,
        node: &'p Expr,
    ) -> Option<bool> {
        let mut all = Some(false);
        for pattern in patterns {
            match self.fits(subject, pattern, &mut state.clone(), node) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => all = None,
            }
        }
        all
    }

    /// Binds a target to a value.
    pub(super) fn assign(
        &mut self,
        target: &'p Expr,
        mut value: Value,
        state: &mut State,
        node: &'p Expr,
    ) {
        if !value.taints.is_empty() {
            value.taints = value.taints.step(self.place(target));
        }
        match target {
            Expr::Name(name) => {
                self.assigned(&name.id, &value, node, state);
                let is_global = self
                    .frames
                    .last()
                    .is_some_and(|frame| frame.globals.contains(&name.id));
                if is_global {
                    let module = self.module();
                    if let Some(env) = self.globals.get(module as usize) {
                        env.vars.borrow_mut().insert(name.id.clone(), value.clone());
                    }
                }
                state.vars.insert(name.id.clone(), value);
            }
            Expr::Tuple(_) | Expr::List(_) => {
                let targets = match target {
                    Expr::Tuple(tuple) => &tuple.elts,
                    Expr::List(list) => &list.elts,
                    _ => return,
                };
                let items = self
                    .known_items(&value, state)
                    .filter(|all| all.len() == targets.len());
                for (index, target) in targets.iter().enumerate() {
                    let item = match &items {
                        Some(items) => items.get(index).cloned().unwrap_or_default(),
                        None => {
                            let item = self.item_of(&value, state, node);
                            self.part(item, None, target)
                        }
                    };
                    self.assign(target, item, state, node);
                }
            }
            Expr::Starred(starred) => self.assign(&starred.value, value, state, node),
            Expr::Attribute(attribute) => {
                let owner = self.eval(&attribute.value, state);
                self.set_attribute(&owner, &attribute.attr.id, value, state, node, target);
            }
            Expr::Subscript(subscript) => {
                let owner = self.eval(&subscript.value, state);
                let key = self.eval(&subscript.slice, state);
                self.set_item(&owner, &key, value, state, (&subscript.value, node, target));
            }
            _ => {}
        }
    }

    /// Defines a function.
    pub(super) fn function(&mut self, node: &'p StmtFunctionDef, state: &mut State) {
        let place = self.place(node);
        let mut decorators = Vec::new();
        let mut values = Vec::new();
        for decorator in &node.decorator_list {
            decorators.push(self.dotted(&decorator.expression));
            values.push(self.eval(&decorator.expression, state));
        }
        for parameter in node.parameters.iter_non_variadic_params() {
            if let Some(default) = &parameter.default {
                self.eval(default, state);
            }
        }
        let class = self.frames.last().and_then(|frame| frame.class);
        let env = self.frames.last().map(|frame| match class {
            // The functions of a class do not see its names.
            Some(_) => frame.env.parent.clone().unwrap_or_default(),
            None => frame.env.clone(),
        });
        let id = match self.function_ids.get(&place) {
            Some(id) => *id,
            None => {
                let id = self.functions.len();
                let has = |name: &str| decorators.iter().any(|one| one.ends_with(name));
                self.functions.push(Function {
                    name: node.name.id.clone(),
                    place,
                    parameters: Some(&node.parameters),
                    body: Body::Statements(&node.body),
                    class,
                    is_property: has("property"),
                    is_static: has("staticmethod"),
                    decorators,
                    is_reached: false,
                    env: env.clone(),
                    node: Some(node),
                });
                self.function_ids.insert(place, id);
                id
            }
        };
        if let Some(function) = self.functions.get_mut(id) {
            function.env.clone_from(&env);
        }
        let value: Value = Shape::Function(id, env).into();
        state.vars.insert(node.name.id.clone(), value);
        self.decorated(id, node, &values, state);
        self.publish(state);
    }

    fn class(&mut self, node: &'p StmtClassDef, state: &mut State) {
        let mut bases = Vec::new();
        if let Some(arguments) = &node.arguments {
            for base in &arguments.args {
                bases.push(self.eval(base, state));
            }
        }
        let (id, _) = self.class_id(node, bases);
        let Some((module, env)) = self
            .frames
            .last()
            .map(|frame| (frame.module, frame.env.clone()))
        else {
            return;
        };
        self.publish(state);
        self.frames.push(Frame {
            function: None,
            module,
            env: Self::new_env(Some(env)),
            is_module: false,
            globals: Vec::new(),
            returns: Vec::new(),
            breaks: Vec::new(),
            continues: Vec::new(),
            class: Some(id),
        });
        let mut inner = State {
            heap: std::mem::take(&mut state.heap),
            ..State::default()
        };
        self.block(&node.body, &mut inner);
        self.frames.pop();
        state.heap = inner.heap;
        if let Some(class) = self.classes.get_mut(id) {
            class.members.extend(inner.vars);
        }
        state
            .vars
            .insert(node.name.id.clone(), Shape::Class(id).into());
        self.classes_route(id, state);
    }

    /// The dotted text of a decorator: `app.route`, `login_required`.
    pub(super) fn dotted(&self, expr: &Expr) -> String {
        let mut parts: Vec<Name> = Vec::new();
        let mut expr = expr;
        for _ in 0..16 {
            match expr {
                Expr::Name(name) => {
                    parts.push(name.id.clone());
                    break;
                }
                Expr::Attribute(attribute) => {
                    parts.push(attribute.attr.id.clone());
                    expr = &attribute.value;
                }
                Expr::Call(call) => expr = &call.func,
                _ => break,
            }
        }
        parts.reverse();
        parts.iter().map(Name::as_str).collect::<Vec<_>>().join(".")
    }

    pub(super) fn place_in(&self, module: u32, node: &impl Ranged) -> Place {
        Place {
            module,
            offset: node.start().into(),
        }
    }

    /// The items of a list whose length is known and small.
    pub(super) fn known_items(&self, value: &Value, state: &State) -> Option<Vec<Value>> {
        match self.object(state, value) {
            Some(Object::Sequence { items, rest: None }) if items.len() <= 24 => {
                Some(items.iter().map(|item| state.seen(item.clone())).collect())
            }
            _ => None,
        }
    }

    /// A lambda.
    pub(super) fn lambda(&mut self, node: &'p ruff_python_ast::ExprLambda, state: &State) -> Value {
        let place = self.place(node);
        self.publish(state);
        let env = self.frames.last().map(|frame| Rc::clone(&frame.env));
        let id = match self.function_ids.get(&place) {
            Some(id) => *id,
            None => {
                self.functions.push(Function {
                    name: Name::new_static("<lambda>"),
                    place,
                    parameters: node.parameters.as_deref(),
                    body: Body::Expression(&node.body),
                    class: None,
                    decorators: Vec::new(),
                    is_property: false,
                    is_static: true,
                    is_reached: true,
                    env: env.clone(),
                    node: None,
                });
                self.function_ids
                    .insert(place, self.functions.len().saturating_sub(1));
                self.functions.len().saturating_sub(1)
            }
        };
        Shape::Function(id, env).into()
    }
}
