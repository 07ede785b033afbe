//! Programs of the system that tests use, and what happens if one is missing.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use dewar::testing::PATIENCE;

/// The path of the first of these programs that is installed; if none is, the test is skipped with a clear message.
///
/// In CI (`CI=true`) a missing program fails the test, because a skipped test would pass for a proof.
pub(crate) fn or_skip(package: &str, names: &[&str]) -> Option<PathBuf> {
    let found = names.iter().find_map(|name| find(name));
    if found.is_none() {
        let text = format!(
            "{} is not installed (apt-get install {package})",
            names.join(" or ")
        );
        let deciding = std::env::var_os("CI").is_some_and(|value| value == "true");
        assert!(!deciding, "{text}");
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        // Written past the test harness, which keeps the output of a passing test.
        writeln!(std::io::stderr(), "\n*** SKIPPED {test}: {text} ***\n").unwrap();
    }
    found
}

/// Runs a program to its end, and fails with its output if it failed or took too long.
pub(crate) fn run(program: &Path, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) {
    run_into(program, arguments, Stdio::null());
}

/// Runs a program that writes its result to its standard output.
pub(crate) fn run_into(
    program: &Path,
    arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    output: impl Into<Stdio>,
) {
    let scratch = tempfile::TempDir::new().unwrap();
    let said = tempfile::NamedTempFile::new_in(scratch.path()).unwrap();
    let mut child = Command::new(program)
        .args(arguments)
        .env("TMPDIR", scratch.path())
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(said.reopen().unwrap())
        .spawn()
        .unwrap();
    let end = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > end {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{} took over {PATIENCE:?}", program.display());
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    let said = std::fs::read_to_string(said.path()).unwrap_or_default();
    assert!(status.success(), "{}: {status}\n{said}", program.display());
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

#[test]
fn the_first_program_that_is_there_is_taken() {
    assert_eq!(
        or_skip("coreutils", &["no-such-program", "sh"])
            .unwrap()
            .file_name()
            .unwrap(),
        "sh"
    );
}
