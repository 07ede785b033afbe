//! The files of a project, parsed, and the modules that their names make.

use std::collections::{HashMap, HashSet};

use ruff_python_ast::{ModModule, Stmt};
use ruff_python_parser::Parsed;
use ruff_text_size::Ranged;

use crate::source::files::{Files, Kind};

/// One file.
#[derive(Debug)]
pub(super) struct Module<'p> {
    pub(super) file: &'p str,
    pub(super) name: String,
    pub(super) is_package: bool,
    pub(super) suite: &'p [Stmt],
    pub(super) text: &'p str,
    /// The offset of each line.
    lines: Vec<u32>,
}

/// All files.
#[derive(Debug)]
pub(super) struct Project<'p> {
    pub(super) modules: Vec<Module<'p>>,
    pub(super) files: &'p Files,
    names: HashMap<String, usize>,
    packages: HashSet<String>,
}

/// A file with its tree.
pub(super) type Tree<'p> = (&'p str, &'p str, Parsed<ModModule>);

/// Parses every file; those with syntax errors are named with their first error.
pub(super) fn parse(files: &Files) -> (Vec<Tree<'_>>, Vec<(String, String)>) {
    let (mut trees, mut errors) = (Vec::new(), Vec::new());
    for (path, file) in files {
        if file.kind != Kind::Python {
            continue;
        }
        if let Err(why) = shallow(&file.text) {
            errors.push((path.clone(), why));
            continue;
        }
        let options = ruff_python_parser::ParseOptions::from(ruff_python_parser::Mode::Module)
            .with_target_version(ruff_python_ast::PythonVersion::PY314);
        let parsed = ruff_python_parser::parse_unchecked(&file.text, options);
        let Some(parsed) = parsed.try_into_module() else {
            continue;
        };
        if let Some(error) = parsed.errors().first() {
            let line = file.text.get(..usize::from(error.location.start()));
            let line = line.map_or(1, |text| text.matches('\n').count().saturating_add(1));
            errors.push((path.clone(), format!("line {line}: {}", error.error)));
        }
        trees.push((path.as_str(), file.text.as_str(), parsed));
    }
    (trees, errors)
}

/// The deepest nesting that is read. `CPython` stops at 200 brackets and 100 levels of indentation.
const DEEPEST: usize = 300;

/// Refuses text that nests deeper than `CPython` reads: walking such a tree could exhaust the stack.
fn shallow(text: &str) -> Result<(), String> {
    let mut depth = 0_usize;
    let mut operators = 0_usize;
    let mut previous = ' ';
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => depth = depth.saturating_add(1),
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '\n' if depth == 0 => operators = 0,
            '~' | '-' | '+' | '*' | '.' | '/' | '%' | '|' | '&' | '^' | '<' | '=' => {
                operators = operators.saturating_add(1);
            }
            't' if previous == 'o' => operators = operators.saturating_add(1),
            _ => {}
        }
        previous = c;
        if depth > DEEPEST {
            return Err("it nests deeper than Python reads".to_owned());
        }
        if operators > 20_000 && depth == 0 {
            return Err("an expression is longer than the audit reads".to_owned());
        }
    }
    let deepest = text
        .lines()
        .map(|line| line.len().saturating_sub(line.trim_start().len()))
        .max();
    if deepest.unwrap_or_default() > 4_000 {
        return Err("it is indented deeper than Python reads".to_owned());
    }
    Ok(())
}

impl<'p> Project<'p> {
    pub(super) fn new(trees: &'p [Tree<'p>], files: &'p Files) -> Self {
        let mut project = Self {
            modules: Vec::new(),
            files,
            names: HashMap::new(),
            packages: HashSet::new(),
        };
        for (file, text, parsed) in trees {
            let path = file.trim_end_matches(".pyw").trim_end_matches(".py");
            let is_package = path == "__init__" || path.ends_with("/__init__");
            let path = path.trim_end_matches("__init__").trim_end_matches('/');
            let name = path.replace('/', ".");
            project.names.insert(name.clone(), project.modules.len());
            let mut package = name.as_str();
            while let Some((parent, _)) = package.rsplit_once('.') {
                project.packages.insert(parent.to_owned());
                package = parent;
            }
            let lines = text.match_indices('\n').map(|(at, _)| at.saturating_add(1));
            let lines = std::iter::once(0).chain(lines);
            project.modules.push(Module {
                file,
                name,
                is_package,
                suite: parsed.suite(),
                text,
                lines: lines.filter_map(|at| u32::try_from(at).ok()).collect(),
            });
        }
        project
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    pub(super) fn is_module(&self, name: &str) -> bool {
        self.names.contains_key(name) || self.packages.contains(name)
    }

    /// The module of the project that an import in `from` means: beside the file, or in a folder above it.
    pub(super) fn resolve(&self, from: &Module<'_>, name: &str) -> Option<String> {
        let mut folder = if from.is_package {
            Some(from.name.as_str())
        } else {
            Some(from.name.rsplit_once('.').map_or("", |(folder, _)| folder))
        };
        while let Some(at) = folder {
            let full = if at.is_empty() {
                name.to_owned()
            } else {
                format!("{at}.{name}")
            };
            let is_itself = full == from.name && !from.is_package;
            if self.is_module(&full) && !is_itself {
                return Some(full);
            }
            folder = match at {
                "" => None,
                at => Some(at.rsplit_once('.').map_or("", |(above, _)| above)),
            };
        }
        let below = ["src", "app"].map(|folder| format!("{folder}.{name}"));
        below.into_iter().find(|full| self.is_module(full))
    }
}

impl Module<'_> {
    /// The line of an offset, from 1.
    pub(super) fn line(&self, offset: u32) -> usize {
        self.lines.partition_point(|start| *start <= offset).max(1)
    }

    /// The text of a line, shortened.
    pub(super) fn line_text(&self, line: usize) -> String {
        let text = self
            .text
            .lines()
            .nth(line.saturating_sub(1))
            .unwrap_or_default()
            .trim();
        text.chars().take(160).collect()
    }

    /// The text of a node, shortened.
    pub(super) fn text_of(&self, node: &impl Ranged) -> String {
        let text = self
            .text
            .get(node.start().into()..node.end().into())
            .unwrap_or_default();
        text.chars().take(80).collect()
    }
}
