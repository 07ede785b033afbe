//! Where in the page each value of a template stands, and how it is escaped there.
//!
//! As `html/template` of Go does it, with the engine's own parser: a template's text is read by a machine that is
//! what the HTML standard's tokenizer is, each `{{ … }}` is judged by the state that the machine is in, and both
//! branches of an `{% if %}` must lead to the same state. In text nothing is changed: there the engine's own escaping
//! is right. In every other place the expression gets a filter of [`escape`](super::escape) behind it, in the source,
//! on the line where it stands. A value in a place where no escaping can be right is a finding that refuses the launch.
//!
//! Each part of a template is judged once: a macro, an `{% include %}`, a `{% set %}` with a body and a
//! `{% call %}` begin in text and end there; a block begins where the template that is extended has it.

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

use minijinja::machinery::parse;

use super::escape::{DANGEROUS, Escape};
use crate::audit::Finding;
pub(super) use expressions::Called;
use html::HtmlContext;
use rejection::TemplateRejection;
use walk::TemplateWalk;

/// Something in a template, with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WithLine<T> {
    pub(super) line: usize,
    pub(super) what: T,
}

/// A template that was judged.
#[derive(Debug)]
pub(super) struct Judged {
    /// The template as the engine gets it.
    pub(super) source: String,
    /// What refuses the launch, and what is only reported.
    pub(super) findings: Vec<Finding>,
    /// The templates that the judgement rests on: this one, and those that it extends.
    pub(super) chain: Vec<String>,
    /// What it calls by a name.
    pub(super) called: Vec<WithLine<Called>>,
    /// The names whose values it takes; read by tests of applications.
    #[cfg_attr(
        not(feature = "testing"),
        expect(dead_code, reason = "for tests alone")
    )]
    pub(super) names: Vec<WithLine<String>>,
    /// The names that it gives to something itself, such as a macro.
    pub(super) bound: BTreeSet<String>,
}

/// The places of a template's blocks, by their names.
type Blocks = BTreeMap<String, HtmlContext>;

/// More templates than one extends another.
const CHAIN: usize = 16;

/// Judges a template; its parents are read by name. None where there is no such template.
///
/// # Errors
/// The engine's, where the template does not parse.
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
                walk.refuse(parent.line, TemplateRejection::Parent(parent.what));
            }
        }
    }
    walk.template(&template);
    Ok(walk)
}

/// The blocks of a template that is extended; none where there is no such template. What is wrong in it is told where
/// it is judged itself.
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

/// The source with a filter behind each expression that needs one. No line moves.
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
