//! Honest files that were cut off or changed on their way: Dewar answers each, without a panic and in bounded memory.

use super::honest::honest;
use super::{CorpusFile, answer, in_parallel};
use crate::uploads::tests::texts::Numbers;

/// How often each file is cut, and how often it is changed.
const TIMES: usize = 50;

/// How often that happens to a file of more than [`LARGE`] bytes, a picture of many million pixels.
const TIMES_OF_LARGE: usize = 2;
const LARGE: usize = 90_000;

/// The address space of the whole program, in KiB. Its threads reserve most of it.
const MEMORY: &str = "3000000";

/// Runs the next test in a program of its own, whose memory is bounded: more is an abort.
///
/// ASVS: V5.2.3, V5.2.6
#[test]
fn damaged_files_cause_no_panic_and_take_bounded_memory() {
    #[expect(
        clippy::disallowed_types,
        reason = "a shell bounds the memory of this test"
    )]
    let mut shell = std::process::Command::new("sh");
    let run = shell
        .args(["-c", "ulimit -v \"$0\"; exec \"$@\"", MEMORY])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .arg("uploads::tests::corpus::damaged::every_damaged_file_is_answered")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&run.stdout);
    let errors = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{printed}\n{errors}");
    assert!(printed.contains("1 passed"), "{printed}");
}

#[test]
#[ignore = "the test before it runs it, with bounded memory"]
fn every_damaged_file_is_answered() {
    let all = honest();
    let wrong: Vec<_> = in_parallel(&all, |(file, _)| damaged(file))
        .into_iter()
        .flatten()
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The wrong answers to the damaged variants of a file.
fn damaged(file: &CorpusFile) -> Vec<String> {
    let seed = file.path.bytes().map(u64::from).sum();
    let mut numbers = Numbers(seed);
    let times = match file.bytes.len() > LARGE {
        true => TIMES_OF_LARGE,
        false => TIMES,
    };
    let mut wrong = Vec::new();
    let mut check = |bytes: &[u8], how: String| {
        let got = answer(bytes, file.name());
        if got.starts_with("failed") || got == "panicked" {
            wrong.push(format!("{}, {how}: {got}", file.path));
        }
    };
    for _ in 0..times {
        let length = numbers.below(file.bytes.len());
        check(&file.bytes[..length], format!("cut to {length}"));
    }
    let mut changed = file.bytes.clone();
    for _ in 0..times {
        let (at, bit) = (numbers.below(changed.len()), numbers.below(8));
        changed[at] ^= 1 << bit;
        check(&changed, format!("bit {bit} of byte {at} changed"));
        changed[at] ^= 1 << bit;
    }
    wrong
}
