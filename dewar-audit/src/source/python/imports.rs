//! Imports.

use ruff_python_ast::name::Name;
use ruff_python_ast::{StmtImport, StmtImportFrom};

use super::run::Run;
use super::state::State;
use super::value::{Shape, Value};

impl<'p> Run<'p> {
    pub(super) fn import(&mut self, node: &'p StmtImport, state: &mut State) {
        let Some(from) = self.source(self.module()) else {
            return;
        };
        for alias in &node.names {
            let full = alias.name.as_str();
            self.facts.imported(full);
            let first = full.split('.').next().unwrap_or(full);
            let resolved = self.project.resolve(from, full);
            let (bound, value) = match (&alias.asname, resolved) {
                (Some(name), Some(module)) => {
                    (name.id.clone(), Shape::Module(module.into()).into())
                }
                (Some(name), None) => (name.id.clone(), Value::name(full)),
                (None, Some(module)) => {
                    let package = module.strip_suffix(full).unwrap_or_default();
                    let value = Shape::Module(format!("{package}{first}").into());
                    (Name::new(first), value.into())
                }
                (None, None) => (Name::new(first), Value::name(first)),
            };
            state.vars.insert(bound, value);
        }
    }

    pub(super) fn import_from(&mut self, node: &'p StmtImportFrom, state: &mut State) {
        let Some(from) = self.source(self.module()) else {
            return;
        };
        let name = node.module.as_ref().map_or("", |name| name.as_str());
        if node.level == 0 {
            self.facts.imported(name);
        }
        let module = if node.level > 0 {
            let mut folder = from.name.as_str();
            let up = if from.is_package {
                node.level.saturating_sub(1)
            } else {
                node.level
            };
            for _ in 0..up {
                folder = folder.rsplit_once('.').map_or("", |(above, _)| above);
            }
            let parts = [folder, name];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            Some(parts.join("."))
        } else {
            self.project.resolve(from, name)
        };
        for alias in &node.names {
            let bound = alias.asname.as_ref().unwrap_or(&alias.name).id.clone();
            if alias.name.as_str() == "*" {
                self.import_all(module.as_deref(), state);
                continue;
            }
            let value = match &module {
                Some(module) => self.member(module, &alias.name.id),
                None => Value::name(format!("{name}.{}", alias.name.as_str())),
            };
            self.facts
                .imported(&format!("{name}.{}", alias.name.as_str()));
            state.vars.insert(bound, value);
        }
    }

    fn import_all(&mut self, module: Option<&str>, state: &mut State) {
        let Some(index) = module.and_then(|module| self.project.find(module)) else {
            return;
        };
        self.run_module(index);
        if let Some(env) = self.globals.get(index) {
            for (name, value) in env.vars.borrow().iter() {
                state.vars.insert(name.clone(), value.clone());
            }
        }
    }
}
