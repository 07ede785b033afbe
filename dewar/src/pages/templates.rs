use std::sync::Arc;

use minijinja::value::Value;
use minijinja::{Environment, TemplateSource, UndefinedBehavior};

use super::{Assets, Bundle, filters, markup};
use crate::audit::{Finding, Mode, Word};

/// How much work one page may cost before the engine stops it: a template's loop over everything is a mistake that
/// must not take the server with it. A page of a hundred rows spends about ten thousand.
const FUEL: u64 = 5_000_000;

/// The templates of an application and the static files that they name.
///
/// Names that end in `.html` are escaped as HTML. A template of the application stands before the framework's of the
/// same name, so `templates/layout.html` dresses the sign-in page too.
///
/// ```
/// use dewar::pages::{Assets, Templates};
/// let templates = Templates::load(&[], Assets::default(), dewar::audit::Mode::Development);
/// assert!(templates.findings().is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct Templates(Arc<Loaded>);

#[derive(Debug)]
struct Loaded {
    engine: Environment<'static>,
    findings: Vec<Finding>,
}

impl Templates {
    /// Loads and checks every template of the bundles; a later bundle stands before an earlier one.
    #[must_use]
    pub fn load(bundles: &[Bundle], assets: Assets, mode: Mode) -> Self {
        let mut engine = Environment::new();
        engine.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        engine.set_fuel(Some(FUEL));
        engine.set_auto_reload(mode == Mode::Development && cfg!(debug_assertions));
        filters::add(&mut engine, assets);
        engine.set_formatter(markup::print);
        let sources = bundles.to_vec();
        engine.set_loader(move |name| Ok(source_of(&sources, name)));
        let findings = check(&engine, bundles);
        Self(Arc::new(Loaded { engine, findings }))
    }

    /// What is wrong with the templates, all at once.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.0.findings
    }

    pub(super) fn render(
        &self,
        template: &str,
        context: Value,
    ) -> Result<String, minijinja::Error> {
        self.0.engine.get_template(template)?.render(context)
    }
}

/// A template's text, with the means to see later that it has changed.
fn source_of(bundles: &[Bundle], name: &str) -> Option<TemplateSource> {
    let bundle = *bundles
        .iter()
        .rev()
        .find(|bundle| bundle.read(name).is_some())?;
    let text = String::from_utf8(bundle.read(name)?.into_owned()).ok()?;
    let (loaded, name) = (text.clone(), name.to_owned());
    let fresh = move || {
        bundle
            .read(&name)
            .is_some_and(|now| *now == *loaded.as_bytes())
    };
    Some(TemplateSource::new(text).with_uptodate_check(fresh))
}

fn check(engine: &Environment<'static>, bundles: &[Bundle]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for name in bundles.iter().flat_map(Bundle::names) {
        if let Err(error) = engine.get_template(&name) {
            let line = error
                .line()
                .map_or_else(String::new, |line| format!(", line {line}"));
            findings.push(
                Finding::refuse(Word::Pages, "pages-template-broken", format!("template {name}{line} cannot be read"))
                    .why(format!("{error}"))
                    .fix("correct the template; every template is loaded at start so that no visitor meets it first"),
            );
        }
    }
    findings
}
