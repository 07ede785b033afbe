//! Python: Flask first, and Django, `FastAPI`, aiohttp and others where the same flow serves.
//!
//! The source is run, with unknown values in place of what the program would read. Every module runs once, then every route as a
//! visitor calls it, then what nothing called. A value is a shape (a constant, a text of pieces, a list, an object, something of a
//! library) and the outside values in it; a condition proves something about them.
//!
//! | file | purpose |
//! |---|---|
//! | `project.rs`, `imports.rs` | files, modules, imports |
//! | `value.rs`, `state.rs` | values, variables and objects, and how two ways join |
//! | `run.rs` | the memory of the interpreter, and look-up of names |
//! | `statements.rs`, `expressions.rs`, `strings.rs`, `objects.rs`, `calls.rs` | Python |
//! | `guards.rs` | conditions, and what they prove |
//! | `sources.rs`, `library.rs`, `sinks.rs` | where values come in, what libraries do with them, where they do harm |
//! | `settings.rs` | keys, cookies, hashes, debug mode |
//! | `routes.rs`, `facts.rs` | routes, and what is missing |
//! | `templates.rs` | Jinja and Django templates |
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "Python has 33 kinds of expressions, and most places treat two of them"
)]

mod calls;
mod expressions;
mod facts;
mod guards;
mod imports;
mod library;
mod objects;
mod project;
mod routes;
mod run;
mod settings;
mod sinks;
mod sources;
mod state;
mod statements;
mod strings;
mod templates;
mod value;

use project::Project;
use run::{Found, Run};

use super::files::Files;
use crate::scan::{Confidence, ScanFinding, ScanReport, Step};

/// The analysis walks trees: its stack is as large as the deepest file that the parser takes.
const STACK: usize = 1 << 30;

/// Audits the Python files of a project.
pub(super) fn audit(files: &Files, report: &mut ScanReport) {
    let result = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let thread = thread.spawn_scoped(scope, || read(files));
        thread.map(std::thread::ScopedJoinHandle::join)
    });
    match result {
        Ok(Ok(part)) => {
            report.findings.extend(part.findings);
            for (name, number) in part.counts {
                report.coverage.count(name, number);
            }
            for (what, why) in part.failed {
                report.coverage.fail(what, why);
            }
        }
        Ok(Err(_)) => report.coverage.fail("Python", "the analysis ended early"),
        Err(error) => report.coverage.fail("Python", error.to_string()),
    }
}

struct Part {
    findings: Vec<ScanFinding>,
    counts: Vec<(&'static str, u64)>,
    failed: Vec<(String, String)>,
}

fn read(files: &Files) -> Part {
    let (trees, failed) = project::parse(files);
    let project = Project::new(&trees, files);
    let mut run = Run::new(&project);
    for index in 0..project.modules.len() {
        run.run_module(index);
    }
    run.everything();
    run.absences();
    let findings = run
        .found
        .iter()
        .filter_map(|found| run.finding(found))
        .collect();
    let counts = vec![
        ("functions", run.functions.len() as u64),
        ("routes", run.routes.len() as u64),
        ("limits_met", run.limits),
    ];
    Part {
        findings,
        counts,
        failed,
    }
}

impl Run<'_> {
    /// Runs the routes, then the functions that nothing called; both may define more.
    fn everything(&mut self) {
        let mut next_route = 0;
        let mut next_function = 0;
        loop {
            if next_route < self.routes.len() {
                self.run_route(next_route);
                next_route = next_route.saturating_add(1);
            } else if next_function < self.functions.len() {
                self.run_orphan(next_function);
                next_function = next_function.saturating_add(1);
            } else {
                break;
            }
        }
    }

    fn run_orphan(&mut self, id: usize) {
        let Some(function) = self.functions.get(id) else {
            return;
        };
        if function.is_reached || function.node.is_none() {
            return;
        }
        let args = self.orphan_args(function.parameters, function.class);
        self.run_entry(id, &args, 20_000);
    }

    fn finding(&self, found: &Found) -> Option<ScanFinding> {
        let module = self.source(found.at.module)?;
        let line = module.line(found.at.offset);
        let mut message = found.check.what.to_owned();
        let mut finding = ScanFinding::new(found.check, String::new());
        if let Some(taint) = &found.taint {
            let origin = self.origins.get(taint.origin as usize)?;
            finding.path = self.way(taint, found);
            message = format!(
                "{message}: {} of {}",
                origin.label,
                self.place_text(origin.at)
            );
            finding.parameter = origin.label.contains(':').then(|| origin.label.clone());
            finding.confidence = Confidence::Proved;
        }
        if !found.note.is_empty() {
            message = format!("{message} ({})", found.note);
        }
        finding.message = message;
        if let Some(route) = found.route.and_then(|index| self.routes.get(index)) {
            let is_body = finding.parameter.as_deref().is_none_or(|name| {
                ["form", "json", "file", "body"]
                    .iter()
                    .any(|place| name.starts_with(place))
            });
            let other = route
                .methods
                .iter()
                .find(|method| *method != "GET")
                .filter(|_| is_body);
            finding.method = other.or(route.methods.first()).cloned();
            finding.url = Some(route.path.clone());
        }
        Some(match &found.template {
            Some((file, line)) => finding.at(file.clone(), *line, *line),
            None => finding.at(module.file, line, module.line(found.end)),
        })
    }

    fn place_text(&self, at: value::Place) -> String {
        self.source(at.module).map_or_else(String::new, |module| {
            format!("{}:{}", module.file, module.line(at.offset))
        })
    }

    /// The way of a value, from where it came in.
    fn way(&self, taint: &value::Taint, found: &Found) -> Vec<Step> {
        let mut places = Vec::new();
        let mut link = taint.way.as_deref();
        while let Some(step) = link {
            places.push(step.at);
            link = step.before.as_deref();
        }
        places.reverse();
        if found.template.is_none() {
            places.push(found.at);
        }
        let mut steps: Vec<Step> = Vec::new();
        for at in places {
            let Some(module) = self.source(at.module) else {
                continue;
            };
            let line = module.line(at.offset);
            if !steps
                .last()
                .is_some_and(|last| last.line == line && last.file == module.file)
            {
                steps.push(Step::new(module.file, line, module.line_text(line)));
            }
        }
        if let Some((file, line)) = &found.template {
            let text = self
                .project
                .files
                .get(file)
                .and_then(|file| file.text.lines().nth(line.saturating_sub(1)));
            let text: String = text.unwrap_or_default().trim().chars().take(160).collect();
            steps.push(Step::new(file.clone(), *line, text));
        }
        steps
    }
}
