//! The audit of a folder of source code.
//!
//! | file | purpose |
//! |---|---|
//! | `checks/` | the checks, as data |
//! | `python/` | Python: the flow of values, settings, and what is missing |
//! | `surroundings.rs` | files beside the source |
//! | `files.rs` | the files of a folder, with bounds: no link leads out of it, no file is too large |

mod checks;
mod files;
mod python;
mod surroundings;

use std::path::Path;

use crate::scan::{ScanCheck, ScanReport};
use crate::sources::Error;

pub use files::SourceOptions;

/// Every check of source code, in the order of the practices.
pub fn checks() -> impl Iterator<Item = &'static ScanCheck> {
    checks::all()
}

/// Audits a folder of source code, or one file.
///
/// ```no_run
/// use dewar_audit::source::{SourceOptions, audit};
/// # fn run() -> Result<(), dewar_audit::sources::Error> {
/// let report = audit(".".as_ref(), &SourceOptions::default())?;
/// println!("{report}");
/// # Ok(()) }
/// ```
///
/// # Errors
/// If the folder cannot be read. A file that cannot be read is noted in the report's coverage.
pub fn audit(path: &Path, options: &SourceOptions) -> Result<ScanReport, Error> {
    let mut report = ScanReport::new(path.display().to_string());
    let files = files::read(path, options, &mut report.coverage)?;
    if !files.values().any(|file| file.kind == files::Kind::Python) {
        report
            .coverage
            .fail(path.display().to_string(), "there is no Python file in it");
    }
    python::audit(&files, &mut report);
    surroundings::audit(&files, &mut report);
    report
        .coverage
        .not_covered
        .push("advisories of dependencies: no advisory database is read yet");
    report.sort();
    Ok(report)
}
