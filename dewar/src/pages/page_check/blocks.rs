//! Templates that extend others: a block is read where the template that it extends has it, with the names that are known there.

use std::collections::BTreeMap;

use minijinja::machinery::ast::{Block, Expr, Stmt};

use super::{PageWalk, Scope, text};

/// The blocks of a chain of templates by their names. Each has the block that is shown, then those that `super()` shows.
pub(super) type Blocks<'a> = BTreeMap<&'a str, Vec<(&'a Block<'a>, &'a str)>>;

impl<'a> PageWalk<'a, '_> {
    /// A template that sees the values of the page, and the one that it extends.
    pub(super) fn template(&mut self, name: &'a str, stmt: &'a Stmt<'a>) {
        let Stmt::Template(template) = stmt else {
            return;
        };
        if !self.chain.insert(name) {
            return;
        }
        let before = std::mem::replace(&mut self.template, name);
        add_blocks(&template.children, name, &mut self.blocks);
        let parent = extended(&template.children);
        // The engine shows no block of this template where it stands, if the template extends another.
        let outside = std::mem::replace(&mut self.shows_no_block, parent.is_some());
        self.all(&template.children);
        self.shows_no_block = false;
        let parent = parent.and_then(text);
        // Blocks of a parent that nobody knows are not read: nobody knows their names either.
        if let Some((parent, stmt)) = parent.and_then(|name| self.parsed.get_key_value(&*name)) {
            self.template(parent, stmt);
        }
        self.shows_no_block = outside;
        self.template = before;
    }

    pub(super) fn include(&mut self, name: &'a Expr<'a>) {
        self.shape(name);
        if let Some((name, stmt)) = text(name).and_then(|name| self.parsed.get_key_value(&*name)) {
            // The same part may be included more than once, with other values. It has blocks of its own.
            let chain = self.chain.clone();
            let blocks = std::mem::take(&mut self.blocks);
            let open = std::mem::take(&mut self.open);
            self.template(name, stmt);
            self.open = open;
            self.blocks = blocks;
            self.chain = chain;
        }
    }

    /// A block where it stands: that of the last template which has it.
    pub(super) fn block(&mut self, block: &'a Block<'a>) {
        if !self.shows_no_block {
            self.layer(block.name, 0);
        }
    }

    /// The block that the open one replaces.
    pub(super) fn super_block(&mut self) {
        if let Some((name, layer)) = self.open.last().copied() {
            self.layer(name, layer + 1);
        }
    }

    fn layer(&mut self, name: &'a str, layer: usize) {
        let layers = self.blocks.get(name);
        let Some((block, template)) = layers.and_then(|layers| layers.get(layer)).copied() else {
            return;
        };
        if self.open.contains(&(name, layer)) {
            return;
        }
        self.open.push((name, layer));
        let before = std::mem::replace(&mut self.template, template);
        self.inside(Scope::new(), &block.body);
        self.template = before;
        self.open.pop();
    }
}

/// The name of the template that this one extends.
fn extended<'a>(stmts: &'a [Stmt<'a>]) -> Option<&'a Expr<'a>> {
    stmts.iter().find_map(|stmt| match stmt {
        Stmt::Extends(extends) => Some(&extends.name),
        Stmt::IfCond(cond) => extended(&cond.true_body).or_else(|| extended(&cond.false_body)),
        _ => None,
    })
}

/// Adds the blocks of a template below those of the templates that extend it.
fn add_blocks<'a>(stmts: &'a [Stmt<'a>], template: &'a str, to: &mut Blocks<'a>) {
    for stmt in stmts {
        let inside = match stmt {
            Stmt::Block(block) => {
                to.entry(block.name).or_default().push((block, template));
                &block.body
            }
            Stmt::IfCond(cond) => {
                add_blocks(&cond.true_body, template, to);
                &cond.false_body
            }
            Stmt::ForLoop(body) => {
                add_blocks(&body.else_body, template, to);
                &body.body
            }
            Stmt::WithBlock(with) => &with.body,
            Stmt::SetBlock(set) => &set.body,
            Stmt::AutoEscape(auto) => &auto.body,
            Stmt::FilterBlock(filter) => &filter.body,
            Stmt::CallBlock(call) => &call.macro_decl.body,
            _ => continue,
        };
        add_blocks(inside, template, to);
    }
}
