//! Contextual escaping: finds the context of each value in a template and escapes the value for it.
//!
//! It works like `html/template` of Go, with the engine's own parser. A state machine equal to the HTML standard's
//! tokenizer reads the template's text, its state at each `{{ … }}` decides how the value is escaped, and both branches
//! of an `{% if %}` must end in the same state. In text nothing changes: the engine's own escaping is right there. In
//! every other context the expression gets a filter of [`escape`](super::escape) in the source, on its own line. A value
//! where no escaping can be right is a finding that prevents the start.
//!
//! Each part of a template is checked once: a macro, an `{% include %}`, a `{% set %}` with a body and a `{% call %}`
//! begin and end in text; a block begins in the context that it has in the extended template.

mod address;
mod attribute;
mod expressions;
mod html;
mod rejection;
mod script;
mod style;
mod tag;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use minijinja::machinery::ast::Expr;
use minijinja::machinery::parse;

use super::escape::{DANGEROUS, Escape};
use crate::audit::Finding;
pub(super) use expressions::Called;
use expressions::Inside;
use html::HtmlContext;
use rejection::TemplateRejection;
use walk::TemplateWalk;

/// An item of a template with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WithLine<T> {
    pub(super) line: usize,
    pub(super) what: T,
}

/// The result of checking a template.
#[derive(Debug)]
pub(super) struct Judged {
    /// The source for the engine.
    pub(super) source: String,
    /// The findings, which prevent the start or are only reported.
    pub(super) findings: Vec<Finding>,
    /// The templates that the result depends on: this one, and those that it extends.
    pub(super) chain: Vec<String>,
    /// The names that it calls.
    pub(super) called: Vec<WithLine<Called>>,
    /// The names of the values that it uses, for letters and for tests of applications.
    pub(super) names: Vec<WithLine<String>>,
    /// The names that it binds itself, such as a macro.
    pub(super) bound: BTreeSet<String>,
}

/// The contexts of a template's blocks, by name.
type Blocks = BTreeMap<String, HtmlContext>;

/// The longest chain of templates that extend each other.
const CHAIN: usize = 16;

/// Checks a template and reads its parents by name. `None` if the template does not exist.
///
/// # Errors
/// The engine's, if the template does not parse.
pub(super) fn judge(
    name: &str,
    read: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Judged>, minijinja::Error> {
    let Some(source) = read(name) else {
        return Ok(None);
    };
    let mut chain = Vec::new();
    let walk = walked(name, &source, read, &mut chain)?;
    let refused = walk.refused.iter();
    let mut findings: Vec<Finding> = refused
        .map(|found| found.what.finding(name, found.line))
        .collect();
    let dangerous = walk.dangerous.iter();
    findings.extend(dangerous.map(|found| rejection::dangerous(name, found)));
    let source = rewritten(&source, &walk);
    Ok(Some(Judged {
        source,
        findings,
        chain,
        called: walk.called,
        names: walk.names,
        bound: walk.bound,
    }))
}

fn walked(
    name: &str,
    source: &str,
    read: &dyn Fn(&str) -> Option<String>,
    chain: &mut Vec<String>,
) -> Result<TemplateWalk, minijinja::Error> {
    chain.push(name.to_owned());
    let template = parse(source, name, minijinja::syntax::SyntaxConfig::default())?;
    let mut walk = TemplateWalk::default();
    if let Some(parent) = walk.parent_of(&template) {
        match inherited(&parent.what, read, chain) {
            Some(blocks) => walk.inherit(blocks),
            None => {
                walk.is_orphan = true;
                let WithLine { line, what } = parent;
                if read(&what).is_some() {
                    walk.refuse(line, TemplateRejection::Parent(what));
                } else {
                    let what = Called::Template(what);
                    walk.called.push(WithLine { line, what });
                }
            }
        }
    }
    walk.template(&template);
    Ok(walk)
}

/// The blocks of an extended template; `None` if it does not exist. Its own findings come from its own check.
fn inherited(
    parent: &str,
    read: &dyn Fn(&str) -> Option<String>,
    chain: &mut Vec<String>,
) -> Option<Blocks> {
    if chain.len() >= CHAIN || chain.iter().any(|known| known == parent) {
        return None;
    }
    let source = read(parent)?;
    match walked(parent, &source, read, chain) {
        Ok(walk) if walk.is_orphan => None,
        Ok(walk) => Some(walk.blocks),
        Err(_) => Some(Blocks::new()),
    }
}

/// The names of the values in an expression.
pub(super) fn names_in(expr: &Expr<'_>) -> impl Iterator<Item = String> {
    let names = Inside::of(expr).names.into_iter();
    names.map(|found| found.what)
}

/// The source with a filter after each expression that needs one. No line moves.
fn rewritten(source: &str, walk: &TemplateWalk) -> String {
    let plain = Escape::Plain.filter();
    let cuts = walk.cuts.iter();
    let mut insertions: Vec<(usize, String)> =
        cuts.map(|&place| (place, format!("{plain}|"))).collect();
    for (&(start, end), escape) in &walk.escapes {
        insertions.push((start, "(".to_owned()));
        insertions.push((end, format!(")|{}", escape.filter())));
    }
    insertions.sort();
    let mut text = String::with_capacity(source.len() + insertions.len() * 16);
    let mut done = 0;
    for (place, inserted) in insertions {
        text.push_str(source.get(done..place).unwrap_or_default());
        text.push_str(&inserted);
        done = place;
    }
    text.push_str(source.get(done..).unwrap_or_default());
    text
}
