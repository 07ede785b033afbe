use minijinja::machinery::ast::{
    BinOp, BinOpKind, CallArg, Expr, Filter, GetAttr, Spanned, Test, UnaryOpKind, Var,
};

use super::{Bound, MissingValue, PageWalk, text};
use crate::pages::shape::{Part, Shape};

/// Filters whose result has the items of the list that they get.
const LISTS: [&str; 7] = [
    "list",
    "reject",
    "rejectattr",
    "reverse",
    "select",
    "selectattr",
    "sort",
];

impl<'a> PageWalk<'a, '_> {
    /// The shape of an expression; what is missing in it is recorded.
    pub(super) fn shape(&mut self, expr: &'a Expr<'a>) -> Shape {
        match expr {
            Expr::Const(_) => Shape::Leaf,
            Expr::Var(var) => self.variable(var),
            Expr::GetAttr(attr) => self.attribute(attr, expr),
            Expr::GetItem(item) => {
                let whole = self.shape(&item.expr);
                self.shape(&item.subscript_expr);
                match text(&item.subscript_expr) {
                    Some(name) => self.part(&whole, &name, expr, &item.expr),
                    None => whole.item(&self.values.schemas),
                }
            }
            Expr::Slice(slice) => {
                for end in [&slice.start, &slice.stop, &slice.step]
                    .into_iter()
                    .flatten()
                {
                    self.shape(end);
                }
                self.shape(&slice.expr)
            }
            Expr::UnaryOp(op) => {
                if matches!(op.op, UnaryOpKind::Not) {
                    self.expect_absent_in_shared(&op.expr);
                }
                self.shape(&op.expr);
                Shape::Leaf
            }
            Expr::BinOp(op) => self.operation(op),
            Expr::Compare(compare) => {
                self.shape(&compare.expr);
                for op in &compare.ops {
                    self.shape(&op.expr);
                }
                Shape::Leaf
            }
            Expr::IfExpr(choice) => {
                self.expect_absent_in_shared(&choice.test_expr);
                self.shape(&choice.test_expr);
                let yes = self.shape(&choice.true_expr);
                let no = choice.false_expr.as_ref().map(|no| self.shape(no));
                no.filter(|no| *no != yes).map_or(yes, |_| Shape::Any)
            }
            Expr::Filter(filter) => self.filter(filter),
            Expr::Test(test) => self.test(test),
            Expr::Call(call) => self.call(call, None),
            Expr::List(list) => self.items(&list.items),
            Expr::Tuple(tuple) => self.items(&tuple.items),
            Expr::Map(map) => {
                for part in map.keys.iter().chain(&map.values) {
                    self.shape(part);
                }
                Shape::Any
            }
        }
    }

    fn operation(&mut self, op: &'a Spanned<BinOp<'a>>) -> Shape {
        match op.op {
            // `subtitle or title`: the first of the two may be absent.
            BinOpKind::ScAnd | BinOpKind::ScOr => self.expect_absent_in_shared(&op.left),
            // `"extra" in note`: the template asks whether the part is there.
            BinOpKind::In => {
                if let Some(name) = text(&op.left) {
                    let path = format!("{}.{name}", written(&op.right));
                    self.put(&path, Bound::Value(Shape::Any));
                }
            }
            _ => {}
        }
        let (left, right) = (self.shape(&op.left), self.shape(&op.right));
        match op.op {
            BinOpKind::ScAnd => right,
            BinOpKind::ScOr if left == right => left,
            _ => Shape::Any,
        }
    }

    fn items(&mut self, items: &'a [Expr<'a>]) -> Shape {
        for item in items {
            self.shape(item);
        }
        Shape::Any
    }

    fn variable(&mut self, var: &'a Spanned<Var<'a>>) -> Shape {
        match self.look_up(var.id) {
            Some(Bound::Value(shape)) => shape,
            Some(_) => Shape::Any,
            None => {
                self.miss(var.id.to_owned(), usize::from(var.span().start_line), None);
                Shape::Any
            }
        }
    }

    fn attribute(&mut self, attr: &'a Spanned<GetAttr<'a>>, whole: &'a Expr<'a>) -> Shape {
        if let Expr::Var(var) = &attr.expr
            && let Some(Bound::Module(_)) = self.look_up(var.id)
        {
            return Shape::Any;
        }
        let shape = self.shape(&attr.expr);
        self.part(&shape, attr.name, whole, &attr.expr)
    }

    fn part(&mut self, of: &Shape, name: &str, whole: &'a Expr<'a>, before: &'a Expr<'a>) -> Shape {
        match of.part(name, &self.values.schemas) {
            Part::Found(shape) => shape,
            Part::Missing(parts) => {
                let path = format!("{}.{name}", written(before));
                // A condition has asked for it.
                if !self.scopes.iter().any(|scope| scope.contains_key(&path)) {
                    let line = usize::from(whole.span().start_line);
                    self.miss(path, line, Some(parts));
                }
                Shape::Any
            }
        }
    }

    fn miss(&mut self, written: String, line: usize, parts: Option<Vec<String>>) {
        if !self.may_be_absent {
            self.missing.insert(MissingValue {
                template: self.template.to_owned(),
                line,
                written,
                parts,
            });
        }
    }

    fn tolerant(&mut self, expr: &'a Expr<'a>) -> Shape {
        let before = std::mem::replace(&mut self.may_be_absent, true);
        let shape = self.shape(expr);
        self.may_be_absent = before;
        shape
    }

    fn filter(&mut self, filter: &'a Spanned<Filter<'a>>) -> Shape {
        let of = match &filter.expr {
            Some(expr) if matches!(filter.name, "d" | "default") => self.tolerant(expr),
            Some(expr) => self.shape(expr),
            None => Shape::Any,
        };
        self.arguments(&filter.args);
        match filter.name {
            "first" | "last" => of.items(&self.values.schemas),
            name if LISTS.contains(&name) => of,
            _ => Shape::Any,
        }
    }

    fn test(&mut self, test: &'a Spanned<Test<'a>>) -> Shape {
        if matches!(test.name, "defined" | "undefined") {
            // The template knows that the value may be absent, and uses it only where it is not.
            self.tolerant(&test.expr);
            self.expect_absent(&test.expr);
        } else {
            self.shape(&test.expr);
        }
        self.arguments(&test.args);
        Shape::Leaf
    }
}

/// The parts of values that an expression names, such as `note.author` and `note.author.name`.
pub(super) fn paths_in(expr: &Expr<'_>, to: &mut Vec<String>) {
    match expr {
        Expr::Const(_) | Expr::Var(_) => {}
        Expr::GetAttr(attr) => {
            to.push(written(expr));
            paths_in(&attr.expr, to);
        }
        Expr::GetItem(item) => {
            if let Some(name) = text(&item.subscript_expr) {
                to.push(format!("{}.{name}", written(&item.expr)));
            }
            paths_in(&item.expr, to);
            paths_in(&item.subscript_expr, to);
        }
        Expr::Slice(slice) => paths_in(&slice.expr, to),
        Expr::UnaryOp(op) => paths_in(&op.expr, to),
        Expr::BinOp(op) => {
            paths_in(&op.left, to);
            paths_in(&op.right, to);
        }
        Expr::Compare(compare) => {
            paths_in(&compare.expr, to);
            compare.ops.iter().for_each(|op| paths_in(&op.expr, to));
        }
        Expr::IfExpr(choice) => {
            paths_in(&choice.test_expr, to);
            paths_in(&choice.true_expr, to);
            choice.false_expr.iter().for_each(|no| paths_in(no, to));
        }
        Expr::Filter(filter) => {
            filter.expr.iter().for_each(|expr| paths_in(expr, to));
            paths_in_arguments(&filter.args, to);
        }
        Expr::Test(test) => {
            paths_in(&test.expr, to);
            paths_in_arguments(&test.args, to);
        }
        Expr::Call(call) => paths_in_arguments(&call.args, to),
        Expr::List(list) => list.items.iter().for_each(|item| paths_in(item, to)),
        Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| paths_in(item, to)),
        Expr::Map(map) => {
            let parts = map.keys.iter().chain(&map.values);
            parts.for_each(|part| paths_in(part, to));
        }
    }
}

fn paths_in_arguments(args: &[CallArg<'_>], to: &mut Vec<String>) {
    for arg in args {
        match arg {
            CallArg::Pos(expr)
            | CallArg::Kwarg(_, expr)
            | CallArg::PosSplat(expr)
            | CallArg::KwargSplat(expr) => paths_in(expr, to),
        }
    }
}

/// An expression as the template has it, as far as it is names.
fn written(expr: &Expr<'_>) -> String {
    match expr {
        Expr::Var(var) => var.id.to_owned(),
        Expr::GetAttr(attr) => format!("{}.{}", written(&attr.expr), attr.name),
        Expr::GetItem(item) => format!("{}[…]", written(&item.expr)),
        _ => "…".to_owned(),
    }
}
