//! The state of the installation, for administrators: the findings of `check`, about the running program.

use dewar::audit::Finding;
use dewar::{Dewar, Page};
use serde::Serialize;

/// A finding for the page.
#[derive(Debug, Serialize)]
struct FindingView {
    id: &'static str,
    title: String,
    why: String,
    fix: String,
}

/// `GET /admin`
pub(crate) async fn show(dewar: Dewar) -> Page {
    let findings: Vec<FindingView> = dewar.findings_now().into_iter().map(view).collect();
    Page::new("overview/show.html").with("findings", findings)
}

fn view(finding: Finding) -> FindingView {
    FindingView {
        id: finding.id,
        title: finding.title,
        why: finding.why,
        fix: finding.fix,
    }
}
