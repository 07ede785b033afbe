//! The corpus: files that real programs made, which Dewar must take, and files that attackers make, which Dewar must refuse.
//!
//! The files are in `dewar/tests/corpus`, each with a row in a manifest beside it. `checks/corpus/make` makes them anew.
//! Every test answers all files first and prints all wrong answers at once.

mod bombs;
mod damaged;
mod honest;
mod hostile;
mod known;
mod names;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::audit::Clock;
use crate::forms::CleanName;
use crate::uploads::FileKind;
use crate::uploads::name::FileName;
use crate::uploads::picture::Deadline;
use crate::uploads::policy::{Animation, Bytes};
use crate::uploads::recognise::{RecognitionError, Rules, recognise};

/// A file of the corpus.
#[derive(Debug)]
struct CorpusFile {
    /// Its path below the folder of its side, as its manifest has it.
    path: String,
    /// The further columns of its row.
    columns: Vec<String>,
    bytes: Vec<u8>,
}

impl CorpusFile {
    fn folder(&self) -> &str {
        self.path.split('/').next().unwrap()
    }

    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap()
    }

    fn extension(&self) -> &str {
        self.path.rsplit('.').next().unwrap()
    }
}

fn folder(side: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "corpus", side]
        .iter()
        .collect()
}

/// All files of a side. A file without a row, or a row without a file, is a mistake.
fn files(side: &str) -> Vec<CorpusFile> {
    let folder = folder(side);
    let mut all = Vec::new();
    let mut on_disk = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let inside = fs::read_dir(&path).unwrap();
            on_disk.extend(
                inside.map(|entry| {
                    format!("{name}/{}", entry.unwrap().file_name().to_str().unwrap())
                }),
            );
            continue;
        }
        for row in fs::read_to_string(&path).unwrap().lines().skip(1) {
            let mut columns = row.split('\t').map(str::to_owned);
            let path = columns.next().unwrap();
            let bytes = fs::read(folder.join(&path)).unwrap_or_else(|e| panic!("{path}: {e}"));
            let columns = columns.collect();
            all.push(CorpusFile {
                path,
                columns,
                bytes,
            });
        }
    }
    all.sort_by(|one, other| one.path.cmp(&other.path));
    on_disk.sort();
    let listed: Vec<_> = all.iter().map(|file| file.path.clone()).collect();
    assert_eq!(listed, on_disk, "the manifests of {side} and its files");
    all
}

/// Dewar's answer to a file under a name, if a policy accepts every kind and stores the bytes as they are: the word of
/// the kind, or `refused: ` and the word of the rejection.
fn answer(bytes: &[u8], name: &str) -> String {
    let kinds: Vec<FileKind> = FileKind::all().collect();
    let name = match FileName::of(&CleanName::of(name), &kinds) {
        Ok(name) => name,
        Err(refused) => return format!("refused: {}", refused.word()),
    };
    // A drawing is never stored as it is.
    let bytes_policy = if name.extension() == "svg" {
        Bytes::Reencoded
    } else {
        Bytes::AsSent
    };
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let recognised = catch_unwind(AssertUnwindSafe(|| {
        let deadline = Deadline::after(&Clock::manual(0), Duration::from_secs(60));
        let rules = Rules {
            kinds: &kinds,
            bytes: bytes_policy,
            animation: Animation::Kept,
            charset: None,
            deadline: &deadline,
        };
        recognise(&mut file, &name, rules, tempfile::tempfile)
    }));
    match recognised {
        Ok(Ok(recognised)) => recognised.kind.as_str().to_owned(),
        Ok(Err(RecognitionError::Refused(refused))) => format!("refused: {}", refused.word()),
        Ok(Err(RecognitionError::Io(error))) => format!("failed: {error}"),
        Err(_) => "panicked".to_owned(),
    }
}

/// Runs a function for every item, on as many threads as there are cores, and returns the results in order.
fn in_parallel<T: Sync, R: Send>(items: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                while let Some((index, item)) = {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    items.get(index).map(|item| (index, item))
                } {
                    let result = run(item);
                    results.lock().unwrap().push((index, result));
                }
            });
        }
    });
    let mut results = results.into_inner().unwrap();
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}

/// A wrong answer: the file, what is right, and what Dewar said.
#[derive(Debug, PartialEq, Eq)]
struct WrongAnswer {
    file: String,
    expected: String,
    got: String,
}

/// Prints the known faults, and fails with a table of all other wrong answers.
fn report(wrong: &[WrongAnswer], known: &[known::Fault], all: usize) {
    let is_known = |answer: &WrongAnswer| {
        known
            .iter()
            .any(|fault| fault.file == answer.file && fault.got == answer.got)
    };
    for fault in known {
        println!(
            "known to be wrong: {}: {} ({})",
            fault.file, fault.got, fault.reason
        );
    }
    let mut table = String::new();
    for answer in wrong.iter().filter(|answer| !is_known(answer)) {
        let WrongAnswer {
            file,
            expected,
            got,
        } = answer;
        writeln!(table, "{file}\n    expected {expected}, got {got}").unwrap();
    }
    let is_mended = |fault: &&known::Fault| {
        !wrong
            .iter()
            .any(|answer| fault.file == answer.file && fault.got == answer.got)
    };
    for fault in known.iter().filter(is_mended) {
        writeln!(
            table,
            "{}\n    is right now: take it from known.tsv",
            fault.file
        )
        .unwrap();
    }
    assert!(table.is_empty(), "{} answers, wrong are:\n{table}", all);
}
