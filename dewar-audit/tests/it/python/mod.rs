//! The source audit of Python projects.

mod cases;
mod docs;
mod hostile;
mod twins;

use std::fs;

use dewar_audit::scan::ScanReport;
use dewar_audit::source::{SourceOptions, audit};

/// The report on a project of these files.
fn report(files: &[(&str, &str)]) -> ScanReport {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    audit(folder.path(), &SourceOptions::default()).unwrap()
}

fn ids(report: &ScanReport) -> Vec<&'static str> {
    report.findings.iter().map(|finding| finding.id).collect()
}
