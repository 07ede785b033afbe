use minijinja::machinery::Span;
use minijinja::machinery::ast::{CallArg, Expr, Filter};

use super::{DANGEROUS, Escape, TemplateRejection, WithLine};

/// The facts about an expression that concern escaping.
#[derive(Debug, Default)]
pub(super) struct Inside {
    pub(super) refusals: Vec<WithLine<TemplateRejection>>,
    /// The reasons given for unescaped HTML.
    pub(super) dangerous: Vec<WithLine<String>>,
    /// The blocks that `self.name()` prints.
    pub(super) blocks: Vec<String>,
    pub(super) calls_super: bool,
    /// The positions of filters that would cut HTML, and get its words instead.
    pub(super) cuts: Vec<usize>,
    /// The names that it calls.
    pub(super) called: Vec<WithLine<Called>>,
    /// The names of the values that it uses.
    pub(super) names: Vec<WithLine<String>>,
}

/// A name that a template calls.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::pages) enum Called {
    Filter(String),
    Function(String),
    Template(String),
    Test(String),
}

/// Filters of the engine that cut a text and keep its mark as HTML.
const CUTTING: [&str; 6] = ["last", "lines", "replace", "reverse", "split", "trim"];

impl Inside {
    pub(super) fn of(expr: &Expr<'_>) -> Self {
        let mut inside = Self::default();
        inside.look(expr);
        inside
    }

    pub(super) fn look(&mut self, expr: &Expr<'_>) {
        match expr {
            Expr::Const(_) => {}
            Expr::Var(var) => {
                let line = usize::from(var.span().start_line);
                let what = var.id.to_owned();
                self.names.push(WithLine { line, what });
            }
            Expr::Slice(slice) => {
                self.look(&slice.expr);
                let ends = [&slice.start, &slice.stop, &slice.step];
                self.all(ends.into_iter().flatten());
            }
            Expr::UnaryOp(op) => self.look(&op.expr),
            Expr::BinOp(op) => self.all([&op.left, &op.right]),
            Expr::Compare(compare) => {
                self.look(&compare.expr);
                self.all(compare.ops.iter().map(|op| &op.expr));
            }
            Expr::IfExpr(choice) => {
                self.all([&choice.test_expr, &choice.true_expr]);
                self.all(&choice.false_expr);
            }
            Expr::Filter(filter) => {
                self.all(&filter.expr);
                self.arguments(&filter.args);
                if filter.expr.is_some() && CUTTING.contains(&filter.name) {
                    self.cuts.push(offset(filter.span().start_offset));
                }
                let refused = self.refusals.len();
                self.filter(filter, filter.span());
                // A filter that is already refused for its effect gets no second finding.
                if self.refusals.len() == refused {
                    self.called(Called::Filter(filter.name.to_owned()), filter.span());
                }
            }
            Expr::Test(test) => {
                self.called(Called::Test(test.name.to_owned()), test.span());
                self.look(&test.expr);
                self.arguments(&test.args);
            }
            Expr::GetAttr(attr) => self.look(&attr.expr),
            Expr::GetItem(item) => self.all([&item.expr, &item.subscript_expr]),
            Expr::Call(call) => {
                self.callee(&call.expr);
                if let Expr::Var(var) = &call.expr {
                    self.called(Called::Function(var.id.to_owned()), call.span());
                }
                self.look(&call.expr);
                self.arguments(&call.args);
            }
            Expr::List(list) => self.all(&list.items),
            Expr::Tuple(tuple) => self.all(&tuple.items),
            Expr::Map(map) => self.all(map.keys.iter().chain(&map.values)),
        }
    }

    fn all<'a, 'source: 'a>(&mut self, exprs: impl IntoIterator<Item = &'a Expr<'source>>) {
        for expr in exprs {
            self.look(expr);
        }
    }

    pub(super) fn arguments(&mut self, args: &[CallArg<'_>]) {
        for arg in args {
            match arg {
                CallArg::Pos(expr)
                | CallArg::Kwarg(_, expr)
                | CallArg::PosSplat(expr)
                | CallArg::KwargSplat(expr) => self.look(expr),
            }
        }
    }

    fn called(&mut self, what: Called, span: Span) {
        let line = usize::from(span.start_line);
        self.called.push(WithLine { line, what });
    }

    fn callee(&mut self, callee: &Expr<'_>) {
        if let Expr::Var(var) = callee {
            self.calls_super |= var.id == "super";
        } else if let Expr::GetAttr(attr) = callee
            && matches!(&attr.expr, Expr::Var(var) if var.id == "self")
        {
            self.blocks.push(attr.name.to_owned());
        }
    }

    fn filter(&mut self, filter: &Filter<'_>, span: Span) {
        let line = usize::from(span.start_line);
        let first = filter.args.first();
        let text = match first {
            Some(CallArg::Pos(expr)) => expr
                .as_const()
                .and_then(|it| it.as_str().map(str::to_owned)),
            _ => None,
        };
        let refusal = match filter.name {
            "safe" => TemplateRejection::Safe,
            DANGEROUS => match text {
                Some(what) if !what.trim().is_empty() => {
                    self.dangerous.push(WithLine { line, what });
                    return;
                }
                _ => TemplateRejection::Reason,
            },
            // `map` takes the name of a filter; with `attribute=` it takes none.
            "map"
                if filter
                    .args
                    .iter()
                    .any(|arg| matches!(arg, CallArg::PosSplat(_))) =>
            {
                TemplateRejection::FilterName
            }
            "map" => match (first, text.as_deref()) {
                (None | Some(CallArg::Kwarg(..)), _) => return,
                (_, Some("safe")) => TemplateRejection::Safe,
                (_, Some(DANGEROUS)) => TemplateRejection::Reason,
                (_, Some(name)) if Escape::is_reserved(name) => {
                    TemplateRejection::Reserved(name.to_owned())
                }
                (_, Some(_)) => return,
                (_, None) => TemplateRejection::FilterName,
            },
            name if Escape::is_reserved(name) => TemplateRejection::Reserved(name.to_owned()),
            _ => return,
        };
        self.refusals.push(WithLine {
            line,
            what: refusal,
        });
    }
}

/// A position in the source, in bytes.
pub(super) fn offset(bytes: u32) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// The last filter of an expression.
pub(super) fn last_filter<'a>(expr: &Expr<'a>) -> Option<&'a str> {
    if let Expr::Filter(filter) = expr {
        Some(filter.name)
    } else {
        None
    }
}

/// Whether an expression is the attribute `attributes` of any form.
pub(super) fn is_attributes(expr: &Expr<'_>) -> bool {
    matches!(expr, Expr::GetAttr(attr) if attr.name == "attributes")
}
