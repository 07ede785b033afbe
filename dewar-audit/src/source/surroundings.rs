//! Files beside the source: a container's recipe, a file of secrets.

use super::checks;
use super::files::{Files, Kind};
use crate::scan::{ScanFinding, ScanReport};

/// Audits the files beside the source.
pub(super) fn audit(files: &Files, report: &mut ScanReport) {
    for (path, file) in files {
        match file.kind {
            Kind::Dockerfile => dockerfile(path, &file.text, report),
            Kind::Environment => environment(path, &file.text, report),
            Kind::Python | Kind::Template => {}
        }
    }
}

fn dockerfile(path: &str, text: &str, report: &mut ScanReport) {
    let mut from = None;
    let mut user = None;
    for (index, line) in text.lines().enumerate() {
        let mut words = line.split_whitespace();
        match words.next().map(str::to_ascii_uppercase).as_deref() {
            Some("FROM") => (from, user) = (Some(index), None),
            Some("USER") => user = words.next().map(str::to_owned),
            _ => {}
        }
        if line.contains("FLASK_DEBUG=1")
            || line.contains("FLASK_ENV=development")
            || line.contains("--debug")
        {
            let line = index.saturating_add(1);
            report
                .findings
                .push(ScanFinding::new(&checks::DEBUG, checks::DEBUG.what).at(path, line, line));
        }
    }
    let is_root = user.is_none_or(|user| matches!(&*user, "root" | "0"));
    if let (Some(index), true) = (from, is_root) {
        let line = index.saturating_add(1);
        let finding = ScanFinding::new(&checks::DOCKER_ROOT, checks::DOCKER_ROOT.what);
        report.findings.push(finding.at(path, line, line));
    }
}

fn environment(path: &str, text: &str, report: &mut ScanReport) {
    let secret = text.lines().position(|line| {
        let Some((name, value)) = line.split_once('=') else {
            return false;
        };
        let name = name.to_ascii_uppercase();
        let words = ["SECRET", "PASSWORD", "TOKEN", "API_KEY", "PRIVATE"];
        words.iter().any(|word| name.contains(word))
            && value.trim().len() >= 6
            && !line.starts_with('#')
    });
    if let Some(index) = secret {
        let line = index.saturating_add(1);
        let finding = ScanFinding::new(&checks::ENV_FILE, checks::ENV_FILE.what);
        report.findings.push(finding.at(path, line, line));
    }
}
