//! Macros, and the bodies of `{% call %}`: read at each call, with the shapes of its arguments.

use std::rc::Rc;

use minijinja::machinery::ast::{Call, CallArg, CallBlock, Expr, Macro, Spanned, Stmt};

use super::{Bound, CallBody, DEPTH, PageWalk, Scope, text};
use crate::pages::shape::Shape;

/// The arguments of a call, by position or by name.
struct Arguments<'a>(Vec<(Option<&'a str>, Shape)>);

impl<'a> PageWalk<'a, '_> {
    pub(super) fn arguments(&mut self, args: &'a [CallArg<'a>]) {
        drop(self.shapes(args));
    }

    fn shapes(&mut self, args: &'a [CallArg<'a>]) -> Arguments<'a> {
        let shapes = args.iter().map(|arg| match arg {
            CallArg::Pos(expr) => (None, self.shape(expr)),
            CallArg::Kwarg(name, expr) => (Some(*name), self.shape(expr)),
            CallArg::PosSplat(expr) | CallArg::KwargSplat(expr) => {
                self.shape(expr);
                (Some(""), Shape::Any)
            }
        });
        Arguments(shapes.collect())
    }

    pub(super) fn call_block(&mut self, block: &'a Spanned<CallBlock<'a>>) {
        let body = CallBody {
            body: &block.macro_decl,
            template: self.template,
            scopes: self.scopes.clone(),
        };
        self.call(&block.call, Some(Bound::Caller(Rc::new(body))));
    }

    pub(super) fn call(&mut self, call: &'a Spanned<Call<'a>>, caller: Option<Bound<'a>>) -> Shape {
        let arguments = self.shapes(&call.args);
        let called = match &call.expr {
            Expr::Var(var) if var.id == "super" => {
                self.super_block();
                None
            }
            Expr::Var(var) => self.look_up(var.id),
            Expr::GetAttr(attr) => match &attr.expr {
                Expr::Var(var) => match self.look_up(var.id) {
                    Some(Bound::Module(module)) => self.macro_of(module, attr.name),
                    _ => {
                        self.shape(&attr.expr);
                        None
                    }
                },
                other => {
                    self.shape(other);
                    None
                }
            },
            other => {
                self.shape(other);
                None
            }
        };
        match called {
            Some(Bound::Macro(body, template)) => {
                let scopes = vec![self.module(template)];
                self.enter(body, template, scopes, &arguments, caller);
            }
            Some(Bound::Caller(body)) => {
                self.enter(
                    body.body,
                    body.template,
                    body.scopes.clone(),
                    &arguments,
                    None,
                );
            }
            Some(Bound::Module(_) | Bound::Value(_)) | None => {}
        }
        Shape::Any
    }

    fn enter(
        &mut self,
        body: &'a Macro<'a>,
        template: &'a str,
        mut scopes: Vec<Scope<'a>>,
        arguments: &Arguments<'a>,
        caller: Option<Bound<'a>>,
    ) {
        if self.entered.len() >= DEPTH {
            return;
        }
        if self.entered.iter().any(|open| std::ptr::eq(*open, body)) {
            // It is read already. The body of its call is another one, as in a box inside a box.
            if let Some(Bound::Caller(call)) = caller {
                let unknown = Arguments(Vec::new());
                self.enter(
                    call.body,
                    call.template,
                    call.scopes.clone(),
                    &unknown,
                    None,
                );
            }
            return;
        }
        let mut scope = Scope::new();
        scope.insert(
            "caller".to_owned(),
            caller.unwrap_or(Bound::Value(Shape::Any)),
        );
        for (place, name) in body.args.iter().enumerate() {
            if let Expr::Var(var) = name {
                scope.insert(var.id.to_owned(), Bound::Value(arguments.of(place, var.id)));
            }
        }
        scopes.push(scope);
        let scopes = std::mem::replace(&mut self.scopes, scopes);
        let before = std::mem::replace(&mut self.template, template);
        self.entered.push(body);
        self.all(&body.body);
        self.entered.pop();
        self.template = before;
        self.scopes = scopes;
    }

    /// A macro, or an import of other macros.
    pub(super) fn define(&mut self, stmt: &'a Stmt<'a>) {
        let mut scope = Scope::new();
        self.define_in(&mut scope, stmt, self.template);
        for (name, bound) in scope {
            self.put(&name, bound);
        }
    }

    /// The names at the top of a file, as its macros see them.
    fn module(&self, template: &'a str) -> Scope<'a> {
        let mut scope = Scope::new();
        if let Some(Stmt::Template(file)) = self.parsed.get(template) {
            for stmt in &file.children {
                self.define_in(&mut scope, stmt, template);
            }
        }
        scope
    }

    fn define_in(&self, scope: &mut Scope<'a>, stmt: &'a Stmt<'a>, template: &'a str) {
        match stmt {
            Stmt::Macro(it) => {
                scope.insert(it.name.to_owned(), Bound::Macro(it, template));
            }
            Stmt::Import(import) => {
                let module = text(&import.expr).and_then(|name| self.parsed.get_key_value(&*name));
                let bound =
                    module.map_or(Bound::Value(Shape::Any), |(name, _)| Bound::Module(name));
                if let Expr::Var(var) = &import.name {
                    scope.insert(var.id.to_owned(), bound);
                }
            }
            Stmt::FromImport(import) => {
                let module = text(&import.expr).and_then(|name| self.parsed.get_key_value(&*name));
                for (name, alias) in &import.names {
                    if let (Expr::Var(name), Expr::Var(own)) =
                        (name, alias.as_ref().unwrap_or(name))
                    {
                        let bound = module.and_then(|(module, _)| self.macro_of(module, name.id));
                        scope.insert(own.id.to_owned(), bound.unwrap_or(Bound::Value(Shape::Any)));
                    }
                }
            }
            Stmt::Set(set) => {
                if let Expr::Var(var) = &set.target {
                    scope.insert(var.id.to_owned(), Bound::Value(Shape::Any));
                }
            }
            _ => {}
        }
    }

    fn macro_of(&self, module: &'a str, name: &str) -> Option<Bound<'a>> {
        let Some(Stmt::Template(file)) = self.parsed.get(module) else {
            return None;
        };
        file.children.iter().find_map(|stmt| match stmt {
            Stmt::Macro(it) if it.name == name => Some(Bound::Macro(it, module)),
            _ => None,
        })
    }
}

impl Arguments<'_> {
    fn of(&self, place: usize, name: &str) -> Shape {
        let by_name = self.0.iter().find(|(own, _)| *own == Some(name));
        let by_place = || self.0.iter().filter(|(own, _)| own.is_none()).nth(place);
        by_name
            .or_else(by_place)
            .map_or(Shape::Any, |(_, shape)| shape.clone())
    }
}
