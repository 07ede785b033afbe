//! Compares a template with the struct of its page at start, before a visitor opens the page.
//!
//! The walk follows the template that it extends, what it includes and the macros that it calls, each with the shapes of its
//! arguments. A value in a loop is an item of the list. What nothing is known of is not checked: the result of a filter or a
//! function, and the values of `#[page(untyped)]`.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most kinds of syntax have no values"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use minijinja::machinery::ast::{Expr, ForLoop, Macro, Spanned, Stmt};

use blocks::Blocks;
use expressions::paths_in;

use super::context::names_in;
use super::layout::{self, LayoutType};
use super::page_data::{PageType, PageValues};
use super::shape::Shape;
use crate::audit::{Finding, Practice, near};

mod blocks;
mod calls;
mod expressions;

/// All templates by their names, parsed.
pub(super) type Parsed<'a> = BTreeMap<&'a str, Stmt<'a>>;

/// The deepest call of macros that is followed.
const DEPTH: usize = 16;

/// The most statements that are read for one page. Macros that call each other many times would take without end.
const STATEMENTS: usize = 50_000;

/// The values of every page, and the engine's own names.
pub(super) const OF_EVERY_PAGE: [&str; 21] = [
    "account_page",
    "caller",
    "csrf_field",
    "csrf_token",
    "debug",
    "dict",
    "flash",
    "integrity",
    "lang",
    "loop",
    "mounted",
    "namespace",
    "nonce",
    "path",
    "range",
    "request_id",
    "self",
    "static",
    "super",
    "t",
    "user",
];

/// The findings about the template of a page.
pub(super) fn findings<'a>(
    page: &PageType,
    parsed: &'a Parsed<'a>,
    layout: Option<LayoutType>,
) -> Vec<Finding> {
    let Some((template, stmt)) = parsed.get_key_value(page.template) else {
        // Another finding reports a template that cannot be read.
        return Vec::new();
    };
    let mut values = PageValues::default();
    (page.describe)(&mut values);
    let is_own = values.values.iter().any(|(name, _)| *name == layout::NAME);
    if let Some(layout) = layout.filter(|_| !is_own) {
        layout.describe(&mut values);
    }
    let mut walk = PageWalk::new(template, parsed, &values);
    walk.template(template, stmt);
    let missing = std::mem::take(&mut walk.missing);
    let names: Vec<&str> = values.values.iter().map(|(name, _)| *name).collect();
    missing
        .iter()
        .map(|missing| missing.finding(page.name, &names))
        .collect()
}

/// The values of the layout that a template uses and the application does not give. Nothing is known of the other values.
pub(super) fn of_layout<'a>(
    template: &str,
    parsed: &'a Parsed<'a>,
    layout: Option<LayoutType>,
) -> Vec<Finding> {
    let (Some((template, stmt)), Some(layout)) = (parsed.get_key_value(template), layout) else {
        return Vec::new();
    };
    let mut values = PageValues::default();
    layout.describe(&mut values);
    let mut walk = PageWalk::new(template, parsed, &values);
    walk.template(template, stmt);
    let missing = std::mem::take(&mut walk.missing);
    let of_layout = missing.iter().filter(|missing| {
        let parts = missing.written.split('.');
        parts.take(1).eq([layout::NAME])
    });
    of_layout
        .map(|missing| missing.finding("layout_values", &[layout::NAME]))
        .collect()
}

/// A page whose template does not exist.
pub(super) fn no_template<'a>(page: &PageType, names: impl Iterator<Item = &'a str>) -> Finding {
    let title = format!(
        "the page `{}` has the template {}, which does not exist",
        page.name, page.template
    );
    let fix = near(page.template, names.collect::<Vec<_>>()).map_or_else(
        || "Add the template, or correct the name in `#[page(template = \"…\")]`.".to_owned(),
        |name| format!("Did you mean {name}?"),
    );
    Finding::refuse(Practice::Pages, "pages-page-template", title)
        .why("Dewar could not render the page.")
        .fix(fix)
}

/// A value, or a part of a value, that a template uses and the page does not have.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct MissingValue {
    template: String,
    line: usize,
    /// The whole expression, such as `document.titel`.
    written: String,
    /// The parts that the value has; `None` for a value of the page itself.
    parts: Option<Vec<String>>,
}

impl MissingValue {
    fn finding(&self, page: &str, values: &[&str]) -> Finding {
        let Self {
            template,
            line,
            written,
            parts,
        } = self;
        let title = format!("template {template}, line {line}: there is no `{written}`");
        let (whole, last) = written.rsplit_once('.').unwrap_or(("", written));
        let names: Vec<&str> = match parts {
            Some(parts) => parts.iter().map(String::as_str).collect(),
            None => values.iter().copied().chain(OF_EVERY_PAGE).collect(),
        };
        let why = match parts {
            Some(parts) if parts.is_empty() => format!(
                "`{whole}` of the page `{page}` has no parts, so Dewar could not render the page."
            ),
            Some(_) => format!(
                "`{whole}` of the page `{page}` does not have it, so Dewar could not render the page."
            ),
            None => {
                format!("The page `{page}` does not have it, so Dewar could not render the page.")
            }
        };
        let fix = near(last, names.iter().copied()).map_or_else(
            || match parts {
                Some(_) if !names.is_empty() => format!("It has {}.", names.join(", ")),
                Some(_) => "Correct the template.".to_owned(),
                None => format!(
                    "The page has {}. Add a field to `{page}`, or correct the template.",
                    values.join(", ")
                ),
            },
            |name| format!("Did you mean `{name}`?"),
        );
        Finding::refuse(Practice::Pages, "pages-value-unknown", title)
            .why(why)
            .fix(fix)
    }
}

/// The meaning of a name in a template.
#[derive(Debug, Clone)]
enum Bound<'a> {
    /// The body of a `{% call %}`, which its macro calls.
    Caller(Rc<CallBody<'a>>),
    Macro(&'a Macro<'a>, &'a str),
    Module(&'a str),
    Value(Shape),
}

#[derive(Debug)]
struct CallBody<'a> {
    body: &'a Macro<'a>,
    template: &'a str,
    scopes: Vec<Scope<'a>>,
}

type Scope<'a> = BTreeMap<String, Bound<'a>>;

/// A walk through the template of a page.
struct PageWalk<'a, 'v> {
    parsed: &'a Parsed<'a>,
    values: &'v PageValues,
    /// The template of the page.
    own: &'a str,
    /// The template that is read now.
    template: &'a str,
    /// The templates that see the values of the page: its own, those that it extends, and those that it includes.
    chain: BTreeSet<&'a str>,
    scopes: Vec<Scope<'a>>,
    /// The blocks of the templates that extend each other.
    blocks: Blocks<'a>,
    /// The blocks that are read now, each with its place among those of its name.
    open: Vec<(&'a str, usize)>,
    /// Whether a template that extends another is read outside its blocks.
    shows_no_block: bool,
    /// The macros that are read now.
    entered: Vec<&'a Macro<'a>>,
    /// How many more statements are read.
    left: usize,
    /// Whether an absent value is expected, as in `is defined`.
    may_be_absent: bool,
    missing: BTreeSet<MissingValue>,
}

impl<'a, 'v> PageWalk<'a, 'v> {
    fn new(own: &'a str, parsed: &'a Parsed<'a>, values: &'v PageValues) -> Self {
        Self {
            parsed,
            values,
            own,
            template: own,
            chain: BTreeSet::new(),
            scopes: vec![Scope::new()],
            blocks: Blocks::new(),
            open: Vec::new(),
            shows_no_block: false,
            entered: Vec::new(),
            left: STATEMENTS,
            may_be_absent: false,
            missing: BTreeSet::new(),
        }
    }

    fn all(&mut self, stmts: &'a [Stmt<'a>]) {
        for stmt in stmts {
            self.one(stmt);
        }
    }

    fn inside(&mut self, scope: Scope<'a>, stmts: &'a [Stmt<'a>]) {
        self.scopes.push(scope);
        self.all(stmts);
        self.scopes.pop();
    }

    fn one(&mut self, stmt: &'a Stmt<'a>) {
        let Some(left) = self.left.checked_sub(1) else {
            return;
        };
        self.left = left;
        match stmt {
            Stmt::Template(template) => self.all(&template.children),
            Stmt::EmitRaw(_) | Stmt::Extends(_) => {}
            Stmt::EmitExpr(emit) => drop(self.shape(&emit.expr)),
            Stmt::ForLoop(body) => self.repeat(body),
            Stmt::IfCond(cond) => {
                self.expect_absent_in_shared(&cond.expr);
                self.shape(&cond.expr);
                self.all(&cond.true_body);
                self.all(&cond.false_body);
            }
            Stmt::WithBlock(with) => {
                self.scopes.push(Scope::new());
                for (target, expr) in &with.assignments {
                    let shape = self.shape(expr);
                    self.bind(target, &shape);
                }
                self.all(&with.body);
                self.scopes.pop();
            }
            Stmt::Set(set) => {
                let shape = self.shape(&set.expr);
                self.set(&set.target, &shape);
            }
            Stmt::SetBlock(set) => {
                self.inside(Scope::new(), &set.body);
                self.bind(&set.target, &Shape::Any);
            }
            Stmt::AutoEscape(auto) => self.all(&auto.body),
            Stmt::FilterBlock(filter) => {
                self.shape(&filter.filter);
                self.all(&filter.body);
            }
            Stmt::Block(block) => self.block(block),
            Stmt::Include(include) => self.include(&include.name),
            Stmt::Import(_) | Stmt::FromImport(_) | Stmt::Macro(_) => self.define(stmt),
            Stmt::CallBlock(call) => self.call_block(call),
            Stmt::Do(it) => drop(self.call(&it.call, None)),
        }
    }

    fn repeat(&mut self, body: &'a Spanned<ForLoop<'a>>) {
        let items = self.shape(&body.iter).items(&self.values.schemas);
        self.scopes.push(Scope::new());
        self.put("loop", Bound::Value(Shape::Any));
        self.bind(&body.target, &items);
        if let Some(filter) = &body.filter_expr {
            self.shape(filter);
        }
        self.all(&body.body);
        self.scopes.pop();
        self.all(&body.else_body);
    }

    /// A condition names what may be absent: the page may have it or not. A template for many pages asks for a value that only
    /// some of them have: `{% if breadcrumbs %}`, `{% if note.extra is defined %}`.
    fn expect_absent(&mut self, expr: &'a Expr<'a>) {
        for name in names_in(expr) {
            if self.look_up(&name).is_none() {
                self.put(&name, Bound::Value(Shape::Any));
            }
        }
        let mut paths = Vec::new();
        paths_in(expr, &mut paths);
        for path in paths {
            self.put(&path, Bound::Value(Shape::Any));
        }
    }

    /// The same, where a template for many pages stands. A page knows itself what it has.
    fn expect_absent_in_shared(&mut self, expr: &'a Expr<'a>) {
        if self.template != self.own {
            self.expect_absent(expr);
        }
    }

    fn put(&mut self, name: &str, bound: Bound<'a>) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_owned(), bound);
        }
    }

    /// Binds a name that may have a value already. One of two shapes, after a condition, is a shape of which nothing is known.
    fn set(&mut self, target: &'a Expr<'a>, shape: &Shape) {
        if let Expr::Var(var) = target
            && let Some(Bound::Value(before)) = self.own_value(var.id)
            && before != *shape
        {
            self.put(var.id, Bound::Value(Shape::Any));
        } else {
            self.bind(target, shape);
        }
    }

    /// Binds a name to a value, or several to what nothing is known of.
    fn bind(&mut self, target: &'a Expr<'a>, shape: &Shape) {
        match target {
            Expr::Var(var) => self.put(var.id, Bound::Value(shape.clone())),
            Expr::List(list) => list
                .items
                .iter()
                .for_each(|item| self.bind(item, &Shape::Any)),
            Expr::Tuple(tuple) => tuple
                .items
                .iter()
                .for_each(|item| self.bind(item, &Shape::Any)),
            _ => {}
        }
    }

    /// The meaning of a name, unless nothing here has it.
    fn look_up(&self, name: &str) -> Option<Bound<'a>> {
        // The values of the page are not known to a macro of another file.
        let is_unknown = || !self.chain.contains(self.template);
        let any =
            || (is_unknown() || OF_EVERY_PAGE.contains(&name)).then_some(Bound::Value(Shape::Any));
        self.own_value(name).or_else(any)
    }

    /// The meaning that the templates or the page give to a name.
    fn own_value(&self, name: &str) -> Option<Bound<'a>> {
        let mut scopes = self.scopes.iter().rev();
        if let Some(bound) = scopes.find_map(|scope| scope.get(name)) {
            return Some(bound.clone());
        }
        if !self.chain.contains(self.template) {
            return None;
        }
        let mut values = self.values.values.iter();
        let found = values.find(|(known, _)| *known == name);
        found.map(|(_, shape)| Bound::Value(shape.clone()))
    }
}

/// A text that stands in the template.
fn text(expr: &Expr<'_>) -> Option<String> {
    expr.as_const()?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests;
