//! The state of the installation, for administrators: the findings of `check`, about the running program.

use dewar::Dewar;
use dewar::audit::Finding;
use dewar::pages::{JsonSchema, PageData, TypedPage};
use serde::Serialize;

/// A finding for the page.
#[derive(Debug, Serialize, JsonSchema)]
struct FindingView {
    id: &'static str,
    title: String,
    why: String,
    fix: String,
}

/// The page.
#[derive(Debug, PageData)]
#[page(template = "overview/show.html")]
pub(crate) struct Overview {
    findings: Vec<FindingView>,
}

/// `GET /admin`
pub(crate) async fn show(dewar: Dewar) -> TypedPage<Overview> {
    let findings = dewar.findings_now().into_iter().map(view).collect();
    TypedPage(Overview { findings })
}

fn view(finding: Finding) -> FindingView {
    FindingView {
        id: finding.id,
        title: finding.title,
        why: finding.why,
        fix: finding.fix,
    }
}
