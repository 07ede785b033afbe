//! Programs that must not compile, each with the message that its author reads.
//!
//! The test runs the compiler directly, with the libraries that it was linked with. A cargo project would compile every
//! dependency once more, which takes longer than all other tests of this crate.
#![expect(
    clippy::disallowed_types,
    reason = "the compiler is a program, and no visitor has a hand in what it is asked"
)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

const FOLDER: &str = "dewar/tests/does_not_compile";
/// The crates that the programs use beside the framework.
const OTHERS: [&str; 3] = ["axum", "serde", "sea_orm"];

/// A program that compiles: the framework's form, and every item of other crates that the programs use.
const GOOD: &str = r#"
use axum::{Form as _, Json as _, extract::Query as _};
use dewar::{App, Form, Redirect, forms::Line, post};
use sea_orm::EntityTrait as _;
use serde::Serialize as _;

#[derive(Form)]
struct Note {
    title: Line<20>,
}

async fn keep(form: Form<Note>) -> dewar::Result<Redirect> {
    let note = form.or_rerender("new.html")?;
    drop(note.title);
    Ok(Redirect::to("/notes"))
}

fn app(app: App) -> App {
    app.signed_in([post("/notes", keep)])
}

fn main() {}
"#;

#[test]
fn insecure_programs_do_not_compile() {
    let programs = programs();
    assert!(programs.len() >= 59, "{} programs", programs.len());
    let libraries = Libraries::found();
    let (next, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some(program) = programs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(text) = libraries.refuse(program) {
                        wrong.fetch_add(1, Ordering::Relaxed);
                        eprintln!("{}: {text}", program.display());
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner();
    assert!(
        wrong == 0,
        "{wrong} programs; where the new message is the better one, run this test with MESSAGES=overwrite"
    );
    // Past the test harness, which hides the output of a passing test.
    writeln!(
        std::io::stderr(),
        "\n*** {} insecure programs do not compile ***\n",
        programs.len()
    )
    .unwrap();
}

/// The directory in which cargo ran the compiler: messages about the framework's own lines begin there.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn programs() -> Vec<PathBuf> {
    let folder = root().join(FOLDER);
    let files = fs::read_dir(folder).unwrap();
    let names = files.map(|entry| Path::new(FOLDER).join(entry.unwrap().file_name()));
    let mut programs: Vec<_> = names
        .filter(|name| name.extension().is_some_and(|ending| ending == "rs"))
        .collect();
    programs.sort();
    programs
}

/// The libraries that cargo built and that this test was linked with.
struct Libraries {
    folder: PathBuf,
    named: Vec<(&'static str, PathBuf)>,
}

impl Libraries {
    /// The directory may have several versions, for other features or of older code. It takes the newest with which a
    /// correct program compiles. So a refused program is refused for its own mistake.
    fn found() -> Self {
        let test = std::env::current_exe().unwrap();
        let folder = test.parent().unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let program = scratch.path().join("good.rs");
        fs::write(&program, GOOD).unwrap();
        let mut all = libraries(folder, "dewar");
        all.sort_by_key(|path| fs::metadata(path).unwrap().modified().unwrap());
        let mut said = String::new();
        for own in all.into_iter().rev() {
            let Some(libraries) = Self::of(folder, own) else {
                continue;
            };
            match libraries.compile(&program) {
                (true, _) => return libraries,
                (false, message) => said = message,
            }
        }
        panic!("a program without a fault does not compile:\n{said}");
    }

    fn of(folder: &Path, own: PathBuf) -> Option<Self> {
        // The metadata of the framework's library names each library that it was built with.
        let inside = fs::read(own.with_extension("rmeta")).ok()?;
        let mut named = vec![("dewar", own)];
        for name in OTHERS {
            let mut all = libraries(folder, name).into_iter();
            named.push((
                name,
                all.find(|path| contains(&inside, hash(path).as_bytes()))?,
            ));
        }
        Some(Self {
            folder: folder.to_owned(),
            named,
        })
    }

    fn compile(&self, program: &Path) -> (bool, String) {
        let out = tempfile::tempdir().unwrap();
        let mut compiler = Command::new("rustc");
        compiler
            .current_dir(root())
            .args(["--edition=2024", "--crate-type=bin", "--emit=metadata"])
            .args(["-Awarnings", "--color=never", "--diagnostic-width=140"])
            .arg("--out-dir")
            .arg(out.path())
            .arg("-L")
            .arg(format!("dependency={}", self.folder.display()));
        for (name, path) in &self.named {
            compiler
                .arg("--extern")
                .arg(format!("{name}={}", path.display()));
        }
        let said = compiler.arg(program).output().unwrap();
        let text = String::from_utf8_lossy(&said.stderr).into_owned();
        (said.status.success(), text)
    }

    /// # Errors
    /// It compiles, or its author reads another message than the expected one.
    fn refuse(&self, program: &Path) -> Result<(), String> {
        let (compiles, said) = self.compile(program);
        if compiles {
            return Err("it compiles".to_owned());
        }
        let said = tidy(&said);
        let file = root().join(program.with_extension("stderr"));
        let wanted = fs::read_to_string(&file).unwrap_or_default();
        if said == wanted {
            return Ok(());
        }
        if std::env::var_os("MESSAGES").is_some_and(|value| value == "overwrite") {
            fs::write(file, said).unwrap();
            return Ok(());
        }
        Err(format!("its author reads\n{said}and not\n{wanted}"))
    }
}

fn libraries(folder: &Path, name: &str) -> Vec<PathBuf> {
    let start = format!("lib{name}-");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let named = files.filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with(&start) && name.ends_with(".rlib")
    });
    named.map(|entry| entry.path()).collect()
}

/// `-0123456789abcdef` of `libserde-0123456789abcdef.rlib`.
fn hash(path: &Path) -> String {
    let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
    stem.rsplit_once('-')
        .map_or(stem.clone(), |(_, hash)| format!("-{hash}"))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|bytes| bytes == part)
}

/// A message without the parts that change between machines, or between two versions of the framework.
fn tidy(message: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let (mut elsewhere, mut in_rust) = (false, false);
    for line in message.lines().map(str::trim_end) {
        let text = line.trim_start();
        // The compiler shows the standard library's own lines only if its source is installed.
        let is_place = text.starts_with("--> ") || text.starts_with("::: ");
        in_rust &= !is_place && !line.is_empty() && !line.starts_with(char::is_alphabetic);
        if in_rust {
            continue;
        }
        let over = [
            "error: aborting due to",
            "Some errors have",
            "For more information",
        ];
        if over.iter().any(|start| text.starts_with(start)) || text.contains("long-type-") {
            continue;
        }
        if let Some(place) = text.strip_prefix("--> ").or(text.strip_prefix("::: ")) {
            elsewhere = !place.starts_with(FOLDER);
            let arrow = text.get(..4).unwrap_or_default();
            let place = if elsewhere {
                shortened(place)
            } else {
                place.trim_start_matches("dewar/").to_owned()
            };
            in_rust = place.starts_with("$RUST/");
            lines.push(format!("  {arrow}{place}"));
            continue;
        }
        // A hint that repeats a piece of the program has no position.
        elsewhere &= !line.starts_with(char::is_alphabetic);
        let (number, code) = text.split_once('|').unwrap_or(("x", ""));
        if number.trim().is_empty() || number.trim().parse::<u32>().is_ok() {
            let number = if elsewhere { "" } else { number.trim() };
            lines.push(format!("{number:>2} |{code}"));
        } else if text.starts_with("= ") {
            lines.push(format!("   {text}"));
        } else if let Some(rest) = text.strip_prefix("and ")
            && rest.ends_with(" others")
        {
            let indent = line.len() - text.len();
            lines.push(format!("{:indent$}and $N others", ""));
        } else {
            lines.push(line.to_owned());
        }
    }
    lines.dedup_by(|one, other| one.is_empty() && other.is_empty());
    let text = lines.join("\n");
    format!("{}\n", text.trim())
}

/// A position in the framework, in a dependency or in the standard library, without its line.
fn shortened(place: &str) -> String {
    let path = place.split(".rs").next().unwrap_or(place);
    let path = path.replace('\\', "/");
    for (start, short) in [
        ("/library/", "$RUST/"),
        ("/registry/src/", "$CARGO/"),
        ("dewar/src/", "src/"),
    ] {
        if let Some((_, rest)) = path.rsplit_once(start) {
            // The name of the registry's own folder is this machine's.
            let rest = if short == "$CARGO/" {
                rest.split_once('/').map_or(rest, |(_, rest)| rest)
            } else {
                rest
            };
            return format!("{short}{rest}.rs");
        }
    }
    format!("{path}.rs")
}
