use std::collections::{BTreeMap, BTreeSet};

use minijinja::machinery::Span;
use minijinja::machinery::ast::{Block, EmitExpr, EmitRaw, Expr, ForLoop, Spanned, Stmt};

use super::expressions::{Called, Inside, is_attributes, last_filter, offset};
use super::{Blocks, Escape, HtmlContext, TemplateRejection, WithLine};
use crate::audit::near;

/// A walk through a template in source order.
#[derive(Debug, Default)]
pub(super) struct TemplateWalk {
    pub(super) refused: Vec<WithLine<TemplateRejection>>,
    pub(super) dangerous: Vec<WithLine<String>>,
    /// How the expressions are escaped, by their positions in the source.
    pub(super) escapes: BTreeMap<(usize, usize), Escape>,
    /// The positions of filters that get the words of HTML.
    pub(super) cuts: BTreeSet<usize>,
    pub(super) blocks: Blocks,
    /// The names that it calls: filters, tests, functions and other templates.
    pub(super) called: Vec<WithLine<Called>>,
    /// The names of the values that it uses.
    pub(super) names: Vec<WithLine<String>>,
    /// The names that it binds itself, such as a macro.
    pub(super) bound: BTreeSet<String>,
    /// Whether the template that it extends, or one further up, is missing.
    pub(super) is_orphan: bool,
    /// The blocks of the template that this one extends; `None` without one.
    inherited: Option<Blocks>,
    /// The contexts at the beginning of the open blocks.
    open: Vec<HtmlContext>,
    /// The blocks that `self.name()` prints, with the lines.
    printed: Vec<WithLine<String>>,
    /// The line where the open construct began.
    left_text: usize,
}

/// The template's text cannot be parsed from here on.
#[derive(Debug)]
struct Lost;

/// How often a loop's body is read before its end must lead to its beginning.
const ROUNDS: usize = 4;

impl TemplateWalk {
    /// The template that this one extends.
    pub(super) fn parent_of(&mut self, template: &Stmt<'_>) -> Option<WithLine<String>> {
        let Stmt::Template(template) = template else {
            return None;
        };
        let mut extends = template.children.iter().filter_map(|stmt| {
            if let Stmt::Extends(extends) = stmt {
                Some(extends)
            } else {
                None
            }
        });
        let first = extends.next()?;
        let line = line(first.span());
        let name = first.name.as_const();
        match (name.as_ref().and_then(|name| name.as_str()), extends.next()) {
            (Some(name), None) => {
                let what = name.to_owned();
                Some(WithLine { line, what })
            }
            _ => {
                self.refuse(line, TemplateRejection::Extends);
                None
            }
        }
    }

    pub(super) fn inherit(&mut self, blocks: Blocks) {
        self.blocks.clone_from(&blocks);
        self.inherited = Some(blocks);
    }

    pub(super) fn refuse(&mut self, line: usize, what: TemplateRejection) {
        self.refused.push(WithLine { line, what });
    }

    pub(super) fn template(&mut self, template: &Stmt<'_>) {
        let Stmt::Template(template) = template else {
            return;
        };
        if let Ok(end) = self.top(&template.children)
            && end != HtmlContext::Text
        {
            let ends = TemplateRejection::Ends("the template", end.describe());
            self.refuse(self.left_text, ends);
        }
        self.judge_printed();
        // A body that was read twice reported its findings twice.
        self.refused.sort_by_key(|found| found.line);
        self.refused.dedup();
        self.dangerous.sort_by_key(|found| found.line);
        self.dangerous.dedup();
        self.called
            .sort_by(|a, b| (a.line, &a.what).cmp(&(b.line, &b.what)));
        self.called.dedup();
    }

    /// The blocks of an extending template have the contexts that the extended template gives them.
    fn top(&mut self, stmts: &[Stmt<'_>]) -> Result<HtmlContext, Lost> {
        let mut at = HtmlContext::Text;
        for stmt in stmts {
            at = match (stmt, &self.inherited) {
                (Stmt::Extends(_), _) => at,
                (Stmt::Block(block), Some(known)) => {
                    let start = known.get(block.name).cloned();
                    // The blocks of a parent that does not parse are not known.
                    if start.is_none() && !known.is_empty() {
                        let names = known.keys().map(String::as_str);
                        let meant = near(block.name, names).map(str::to_owned);
                        let unknown = TemplateRejection::NoBlock(block.name.to_owned(), meant);
                        self.refuse(line(block.span()), unknown);
                    }
                    let start = start.unwrap_or(HtmlContext::Text);
                    self.block(block, &start);
                    at
                }
                (stmt, _) => self.one(stmt, at)?,
            };
        }
        Ok(at)
    }

    fn all(&mut self, stmts: &[Stmt<'_>], mut at: HtmlContext) -> Result<HtmlContext, Lost> {
        for stmt in stmts {
            at = self.one(stmt, at)?;
        }
        Ok(at)
    }

    fn one(&mut self, stmt: &Stmt<'_>, at: HtmlContext) -> Result<HtmlContext, Lost> {
        match stmt {
            Stmt::Template(template) => self.all(&template.children, at),
            Stmt::EmitRaw(raw) => self.raw(raw, at),
            Stmt::EmitExpr(expr) => Ok(self.value(expr, at)),
            Stmt::ForLoop(body) => self.repeat(body, at),
            Stmt::IfCond(cond) => {
                self.look(&cond.expr);
                let yes = self.all(&cond.true_body, at.clone())?;
                let no = self.all(&cond.false_body, at)?;
                self.meet(cond.span(), &yes, &no)
            }
            Stmt::WithBlock(with) => {
                for (target, expr) in &with.assignments {
                    self.bind(target);
                    self.look(expr);
                }
                self.all(&with.body, at)
            }
            Stmt::Block(block) => {
                let known = self
                    .inherited
                    .as_ref()
                    .and_then(|known| known.get(block.name));
                if known.is_some_and(|known| *known != at) {
                    let moved = TemplateRejection::BlockMoved(block.name.to_owned());
                    self.refuse(line(block.span()), moved);
                }
                self.block(block, &at);
                Ok(at.widest())
            }
            Stmt::AutoEscape(auto) => {
                self.refuse(line(auto.span()), TemplateRejection::AutoEscape);
                self.all(&auto.body, at)
            }
            Stmt::Extends(extends) => {
                self.refuse(line(extends.span()), TemplateRejection::Extends);
                Ok(at)
            }
            Stmt::CallBlock(_)
            | Stmt::Do(_)
            | Stmt::FilterBlock(_)
            | Stmt::FromImport(_)
            | Stmt::Import(_)
            | Stmt::Include(_)
            | Stmt::Macro(_)
            | Stmt::Set(_)
            | Stmt::SetBlock(_) => {
                self.part(stmt, &at);
                Ok(at)
            }
        }
    }

    /// A statement that prints or stores HTML of its own: it begins and ends in text.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the caller handles the others"
    )]
    fn part(&mut self, stmt: &Stmt<'_>, at: &HtmlContext) {
        match stmt {
            Stmt::Set(set) => {
                self.bind(&set.target);
                self.look(&set.expr);
            }
            Stmt::Do(it) => {
                self.look(&it.call.expr);
                self.arguments(&it.call.args);
            }
            Stmt::Import(import) => {
                self.bind(&import.name);
                self.template_at(&import.expr);
                self.look(&import.expr);
            }
            Stmt::FromImport(import) => {
                for (name, alias) in &import.names {
                    self.bind(alias.as_ref().unwrap_or(name));
                }
                self.template_at(&import.expr);
                self.look(&import.expr);
            }
            Stmt::Include(include) => {
                if !include.ignore_missing {
                    self.template_at(&include.name);
                }
                self.look(&include.name);
                self.whole(include.span(), "{% include %}", at);
            }
            Stmt::SetBlock(set) => {
                self.bind(&set.target);
                set.filter.iter().for_each(|filter| self.look(filter));
                self.apart(&set.body, set.span(), "{% set %}");
            }
            Stmt::FilterBlock(filter) => {
                self.look(&filter.filter);
                self.whole(filter.span(), "{% filter %}", at);
                self.apart(&filter.body, filter.span(), "{% filter %}");
            }
            Stmt::Macro(it) => {
                self.bound.insert(it.name.to_owned());
                it.args.iter().for_each(|arg| self.bind(arg));
                it.defaults.iter().for_each(|expr| self.look(expr));
                self.apart(&it.body, it.span(), "{% macro %}");
            }
            Stmt::CallBlock(call) => {
                self.look(&call.call.expr);
                self.arguments(&call.call.args);
                self.whole(call.span(), "{% call %}", at);
                let it = &call.macro_decl;
                it.args.iter().for_each(|arg| self.bind(arg));
                it.defaults.iter().for_each(|expr| self.look(expr));
                self.apart(&it.body, it.span(), "{% call %}");
            }
            _ => {}
        }
    }

    fn whole(&mut self, span: Span, what: &'static str, at: &HtmlContext) {
        if *at != HtmlContext::Text {
            self.refuse(line(span), TemplateRejection::Whole(what, at.describe()));
        }
    }

    /// A body whose output is complete HTML.
    fn apart(&mut self, body: &[Stmt<'_>], span: Span, what: &'static str) {
        if let Ok(end) = self.all(body, HtmlContext::Text)
            && end != HtmlContext::Text
        {
            self.refuse(line(span), TemplateRejection::Ends(what, end.describe()));
        }
    }

    fn raw(
        &mut self,
        raw: &Spanned<EmitRaw<'_>>,
        mut at: HtmlContext,
    ) -> Result<HtmlContext, Lost> {
        let line = |place| {
            let before = raw.raw.get(..place).unwrap_or_default();
            line(raw.span()) + before.matches('\n').count()
        };
        match at.read(raw.raw) {
            Ok(left) => {
                self.left_text = left.map_or(self.left_text, line);
                Ok(at)
            }
            Err((refusal, place)) => {
                self.refuse(line(place), refusal);
                Err(Lost)
            }
        }
    }

    fn repeat(
        &mut self,
        body: &Spanned<ForLoop<'_>>,
        start: HtmlContext,
    ) -> Result<HtmlContext, Lost> {
        self.bind(&body.target);
        self.look(&body.iter);
        body.filter_expr.iter().for_each(|expr| self.look(expr));
        if body.recursive && start != HtmlContext::Text {
            self.refuse(line(body.span()), TemplateRejection::Recursion);
        }
        let (refused, dangerous) = (self.refused.len(), self.dangerous.len());
        let mut at = start.clone();
        for round in 0.. {
            self.refused.truncate(refused);
            self.dangerous.truncate(dangerous);
            let end = self.all(&body.body, at.clone())?;
            match at.join(&end) {
                Some(both) if both == at => break,
                Some(both) if round < ROUNDS => at = both,
                _ => {
                    self.refuse(line(body.span()), TemplateRejection::Loop);
                    break;
                }
            }
        }
        let otherwise = self.all(&body.else_body, start)?;
        self.meet(body.span(), &at, &otherwise)
    }

    fn meet(
        &mut self,
        span: Span,
        one: &HtmlContext,
        two: &HtmlContext,
    ) -> Result<HtmlContext, Lost> {
        if let Some(both) = one.join(two) {
            return Ok(both);
        }
        let branches = TemplateRejection::Branches(one.describe(), two.describe());
        self.refuse(line(span), branches);
        Err(Lost)
    }

    fn block(&mut self, block: &Spanned<Block<'_>>, start: &HtmlContext) {
        self.blocks.insert(block.name.to_owned(), start.clone());
        self.open.push(start.clone());
        let end = self.all(&block.body, start.clone());
        self.open.pop();
        let Ok(end) = end else {
            return;
        };
        let widest = start.widest();
        if widest.join(&end).as_ref() != Some(&widest) {
            let ends = TemplateRejection::Ends("the block", end.describe());
            self.refuse(line(block.span()), ends);
        }
    }

    /// Binds one name or several.
    fn bind(&mut self, target: &Expr<'_>) {
        match target {
            Expr::Var(var) => {
                self.bound.insert(var.id.to_owned());
            }
            Expr::List(list) => list.items.iter().for_each(|item| self.bind(item)),
            Expr::Tuple(tuple) => tuple.items.iter().for_each(|item| self.bind(item)),
            Expr::Slice(_)
            | Expr::Const(_)
            | Expr::UnaryOp(_)
            | Expr::BinOp(_)
            | Expr::Compare(_)
            | Expr::IfExpr(_)
            | Expr::Filter(_)
            | Expr::Test(_)
            | Expr::GetAttr(_)
            | Expr::GetItem(_)
            | Expr::Call(_)
            | Expr::Map(_) => {}
        }
    }

    /// Notes the name of another template.
    fn template_at(&mut self, name: &Expr<'_>) {
        let named = name.as_const();
        if let Some(named) = named.as_ref().and_then(|named| named.as_str()) {
            let what = Called::Template(named.to_owned());
            let line = line(name.span());
            self.called.push(WithLine { line, what });
        }
    }

    fn look(&mut self, expr: &Expr<'_>) {
        let inside = Inside::of(expr);
        self.note(inside, expr.span());
    }

    fn arguments(&mut self, args: &[minijinja::machinery::ast::CallArg<'_>]) {
        let mut inside = Inside::default();
        inside.arguments(args);
        self.note(inside, Span::default());
    }

    /// Notes the facts about an expression. A block that is printed as a value must hold words or HTML.
    fn note(&mut self, inside: Inside, span: Span) {
        self.refused.extend(inside.refusals);
        self.dangerous.extend(inside.dangerous);
        self.cuts.extend(inside.cuts);
        self.called.extend(inside.called);
        self.names.extend(inside.names);
        let line = line(span);
        let printed = inside.blocks.into_iter();
        self.printed
            .extend(printed.map(|what| WithLine { line, what }));
        if inside.calls_super && self.open.last().is_some_and(|start| !start.is_words()) {
            self.refuse(line, TemplateRejection::SelfCall("super()".to_owned()));
        }
    }

    fn judge_printed(&mut self) {
        for WithLine { line, what } in std::mem::take(&mut self.printed) {
            if self
                .blocks
                .get(&what)
                .is_some_and(|place| !place.is_words())
            {
                self.refuse(line, TemplateRejection::SelfCall(format!("self.{what}()")));
            }
        }
    }

    fn value(&mut self, emit: &Spanned<EmitExpr<'_>>, mut at: HtmlContext) -> HtmlContext {
        let (expr, span) = (&emit.expr, emit.span());
        if is_super(expr) && self.open.last() == Some(&at) {
            // The parent's block was written for this very context.
            return at.widest();
        }
        self.look(expr);
        let escape = if is_attributes(expr) && at.attributes() {
            Ok(Some(Escape::Attributes))
        } else {
            at.value()
        };
        let place = (offset(span.start_offset), offset(span.end_offset));
        match escape {
            Ok(escape) => {
                match escape.and_then(|escape| escape.after(last_filter(expr))) {
                    Some(escape) => self.escapes.insert(place, escape),
                    None => self.escapes.remove(&place),
                };
            }
            Err(refusal) => self.refuse(line(span), refusal),
        }
        at
    }
}

fn is_super(expr: &Expr<'_>) -> bool {
    matches!(expr, Expr::Call(call) if call.args.is_empty()
        && matches!(&call.expr, Expr::Var(var) if var.id == "super"))
}

fn line(span: Span) -> usize {
    usize::from(span.start_line)
}
