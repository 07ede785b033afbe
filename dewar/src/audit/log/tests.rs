mod counted;
mod full_files;
mod many;
mod remembered;

use super::*;
use crate::audit::{Event, LoggablePath};
use std::fs;
use tempfile::TempDir;

const KEY: [u8; 32] = [7; 32];
const NOON: i64 = 1_795_521_600;

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log/audit.jsonl");
    (directory, path)
}

fn open(path: &Path) -> Log {
    Log::open(path, KEY, Clock::manual(NOON)).unwrap()
}

fn write(path: &Path, numbers: std::ops::RangeInclusive<u32>) {
    let log = open(path);
    for number in numbers {
        log.record(Entry::new(Event::SessionCreated).actor(number));
    }
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn put(path: &Path, lines: &[String]) {
    fs::write(
        path,
        lines
            .iter()
            .map(|line| format!("{line}\n"))
            .collect::<String>(),
    )
    .unwrap();
}

fn broken(path: &Path) -> (u64, String) {
    let broken = Log::verify_file(path, KEY).unwrap_err();
    (broken.line, broken.why)
}

#[test]
fn a_log_that_was_left_alone_holds() {
    let (_directory, path) = place();
    write(&path, 1..=5);
    write(&path, 6..=9);
    let verified = Log::verify_file(&path, KEY).unwrap();
    assert_eq!((verified.entries, verified.remarks.len()), (9, 0));
    assert!(lines(&path)[8].contains(&verified.head));
}

#[test]
fn a_line_says_when_who_and_what() {
    let (_directory, path) = place();
    let log = open(&path);
    let entry = Entry::new(Event::AuthzFail)
        .actor(17)
        .address("192.0.2.1".parse().unwrap())
        .request("GET", &LoggablePath::new("/documents/4?token=secret"))
        .detail("no\r\nlevel: INFO");
    log.record(entry);
    drop(log);
    let line = lines(&path).remove(0);
    let expected = "{\"seq\":1,\"time\":\"2026-11-24T12:00:00.000+00:00\",\"event\":\"authz_fail\",\
        \"level\":\"WARN\",\"actor\":\"17\",\"address\":\"192.0.2.1\",\"method\":\"GET\",\
        \"path\":\"/documents/4\",\"detail\":\"no\\\\u{d}\\\\u{a}level: INFO\",\"chain\":\"";
    assert!(line.starts_with(expected), "{line}");
}

#[test]
fn a_changed_line_is_named() {
    let (_directory, path) = place();
    write(&path, 1..=5);
    let mut lines = lines(&path);
    lines[2] = lines[2].replace("\"actor\":\"3\"", "\"actor\":\"4\"");
    put(&path, &lines);
    assert_eq!(
        broken(&path),
        (3, "entry 3 is not the original one".to_owned())
    );
}

#[test]
fn any_changed_byte_is_noticed() {
    let (_directory, path) = place();
    write(&path, 1..=2);
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(&path, &changed).unwrap();
        assert!(Log::verify_file(&path, KEY).is_err(), "byte {at}");
    }
}

#[test]
fn a_line_taken_out_is_noticed() {
    let (_directory, path) = place();
    write(&path, 1..=5);
    let mut lines = lines(&path);
    lines.remove(2);
    put(&path, &lines);
    assert_eq!(
        broken(&path),
        (3, "entries 3 to 3 are missing before it".to_owned())
    );
}

#[test]
fn lines_in_another_order_are_noticed() {
    let (_directory, path) = place();
    write(&path, 1..=5);
    let mut lines = lines(&path);
    lines.swap(1, 2);
    put(&path, &lines);
    assert_eq!(broken(&path).0, 2);
}

/// ASVS: V16.4.2
#[test]
fn a_line_of_another_log_under_the_same_key_is_noticed() {
    let (_directory, path) = place();
    let (_other_directory, other) = place();
    write(&path, 1..=5);
    write(&other, 6..=10);
    let (mut own, others) = (lines(&path), lines(&other));
    for at in 1..own.len() {
        let kept = std::mem::replace(&mut own[at], others[at].clone());
        put(&path, &own);
        let number = at as u64 + 1;
        let why = format!("entry {number} is not the original one");
        assert_eq!(broken(&path), (number, why));
        own[at] = kept;
    }
    put(&path, &own);
    assert_eq!(Log::verify_file(&path, KEY).unwrap().entries, 5);
}

#[test]
fn a_cut_tail_is_noticed_and_stays_noticed() {
    let (_directory, path) = place();
    write(&path, 1..=5);
    let mut lines = lines(&path);
    lines.truncate(3);
    put(&path, &lines);
    assert_eq!(
        broken(&path),
        (
            4,
            "entries 4 to 5 are missing at its end, according to its head".to_owned()
        )
    );
    write(&path, 6..=7);
    assert_eq!(
        broken(&path),
        (4, "entries 4 to 5 are missing before it".to_owned())
    );
    let latest = Log::latest_in(&path, 3, None).unwrap();
    assert_eq!(latest[2].event, "audit_mismatch");
    assert_eq!(
        latest[2].detail.as_deref(),
        Some("entries 4 to 5 are missing")
    );
}

#[test]
fn a_head_cannot_be_forged_to_fit_a_cut_log() {
    let (_directory, path) = place();
    write(&path, 1..=5);
    let mut lines = lines(&path);
    lines.truncate(3);
    put(&path, &lines);
    let (_, link) = chain::split(lines[2].as_bytes()).unwrap();
    let forged = LogPosition { seq: 3, link }.sealed(Mark::Head, &ChainKeys::new([8; 32]));
    fs::write(tail::head_path(&path), forged).unwrap();
    assert!(broken(&path).1.contains("head"));
    fs::remove_file(tail::head_path(&path)).unwrap();
    assert!(broken(&path).1.contains("head"));
}

#[test]
fn a_deleted_log_does_not_start_again_at_one() {
    let (_directory, path) = place();
    write(&path, 1..=5);
    fs::remove_file(&path).unwrap();
    write(&path, 6..=6);
    assert_eq!(
        broken(&path),
        (1, "entries 1 to 5 are missing before it".to_owned())
    );
}

/// Each by the files beside the log alone, without the database's record.
///
/// ASVS: V16.4.2
#[test]
fn a_log_that_was_exchanged_or_lost_its_head_is_noticed_at_the_start() {
    for (change, told) in [
        ("nothing", None),
        ("another", Some("entry 3 is not the original one")),
        (
            "no head",
            Some("its head file is missing, or has no valid MAC"),
        ),
    ] {
        let (_directory, path) = place();
        let (_other_directory, other) = place();
        write(&path, 1..=3);
        write(&other, 4..=6);
        match change {
            "another" => drop(fs::copy(&other, &path).unwrap()),
            "no head" => fs::remove_file(tail::head_path(&path)).unwrap(),
            _ => {}
        }
        drop(open(&path));
        let lines = lines(&path).split_off(3);
        assert_eq!(
            lines.len(),
            usize::from(told.is_some()),
            "{change}: {lines:?}"
        );
        let all = lines.concat();
        assert!(all.contains(told.unwrap_or_default()), "{change}: {all}");
    }
}

#[test]
fn an_unfinished_line_is_set_aside_and_the_chain_goes_on() {
    let (_directory, path) = place();
    write(&path, 1..=3);
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend_from_slice(b"{\"seq\":4,\"ti");
    fs::write(&path, &bytes).unwrap();
    assert_eq!(broken(&path), (4, "it is not complete".to_owned()));
    write(&path, 5..=5);
    let verified = Log::verify_file(&path, KEY).unwrap();
    assert_eq!(verified.entries, 5);
    assert_eq!(verified.remarks[0].event, "sys_crash");
    assert_eq!(
        fs::read(owner_only::beside(&path, ".torn")).unwrap(),
        b"{\"seq\":4,\"ti\n"
    );
}

#[test]
fn a_head_that_a_crash_left_behind_is_no_alarm() {
    let (_directory, path) = place();
    write(&path, 1..=3);
    let head = fs::read(tail::head_path(&path)).unwrap();
    write(&path, 4..=5);
    fs::write(tail::head_path(&path), head).unwrap();
    assert_eq!(Log::verify_file(&path, KEY).unwrap().entries, 5);
    write(&path, 6..=6);
    assert_eq!(Log::verify_file(&path, KEY).unwrap().remarks, []);
}

#[test]
fn another_key_does_not_verify_and_an_older_one_does() {
    let (_directory, path) = place();
    write(&path, 1..=2);
    assert!(Log::verify_file(&path, [8; 32]).is_err());
    let rotated = ChainKeys::new([8; 32]).and_previous(KEY);
    let log = Log::open(&path, rotated.clone(), Clock::manual(NOON)).unwrap();
    log.record(Entry::new(Event::CryptKeyChanged));
    drop(log);
    let verified = Log::verify_file(&path, rotated).unwrap();
    assert_eq!((verified.entries, verified.remarks.len()), (3, 0));
}

#[test]
fn an_empty_log_holds() {
    let (_directory, path) = place();
    drop(open(&path));
    assert_eq!(Log::verify_file(&path, KEY).unwrap().entries, 0);
}

#[test]
fn two_writers_share_one_chain() {
    let (_directory, path) = place();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || (0..20).for_each(|number| write(&path, number..=number)))
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    let verified = Log::verify_file(&path, KEY).unwrap();
    assert_eq!((verified.entries, verified.remarks.len()), (80, 0));
}

#[tokio::test]
async fn a_log_moved_away_while_it_is_open_goes_on_under_its_name() {
    let (_directory, path) = place();
    let log = open(&path);
    log.record(Entry::new(Event::SysStartup));
    log.flush().await;
    fs::rename(&path, path.with_extension("old")).unwrap();
    log.record(Entry::new(Event::SysShutdown));
    log.flush().await;
    assert!(lines(&path).last().unwrap().contains("sys_shutdown"));
    assert_eq!(log.lost(), 0);
    assert_eq!(log.verify().await.unwrap_err().line, 1);
}

#[tokio::test]
async fn the_latest_are_read_from_the_end() {
    let (_directory, path) = place();
    let log = open(&path);
    for number in 1..=3_000 {
        log.record(Entry::new(Event::SessionCreated).detail("x".repeat(number % 200)));
    }
    log.flush().await;
    let numbers = |entries: Vec<Recorded>| entries.iter().map(|it| it.seq).collect::<Vec<_>>();
    assert_eq!(
        numbers(log.latest(3, None).await.unwrap()),
        [3_000, 2_999, 2_998]
    );
    for before in [1, 2, 3, 500, 1_499, 2_999, 3_000, 3_001, 9_000] {
        let expected: Vec<u64> = (1..before.min(3_001)).rev().take(2).collect();
        assert_eq!(
            numbers(log.latest(2, Some(before)).await.unwrap()),
            expected,
            "{before}"
        );
    }
    assert_eq!(log.latest(9_999, None).await.unwrap().len(), 3_000);
    assert_eq!(log.latest(0, None).await.unwrap(), []);
}

#[test]
fn a_log_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let (_directory, path) = place();
    let log = open(&path);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(mode(&tail::head_path(&path)), 0o600);
    assert_eq!(log.findings(), []);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(log.findings()[0].id, "audit-log-exposed");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(log.findings(), []);
    // An attacker who can write the log's end decides what may be cut off.
    for ending in [".head", ".base", ".torn", ".00000000000000000007"] {
        let file = owner_only::beside(&path, ending);
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&file)
            .unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o646)).unwrap();
        let found = log.findings();
        assert!(
            found.len() == 1 && found[0].id == "audit-log-exposed",
            "{ending}"
        );
        assert_eq!(found[0].fix, format!("chmod 0640 {}", file.display()));
        fs::remove_file(&file).unwrap();
    }
}

#[test]
fn a_long_value_stays_below_the_longest_line() {
    let (_directory, path) = place();
    let log = open(&path);
    let long = "\u{e0001}".repeat(9_000);
    let entry = Entry::new(Event::SessionCreated)
        .actor(&long)
        .subject(&long)
        .outcome(&long);
    let asked = LoggablePath::new(&long);
    log.record(entry.request(&long, &asked).request_id(&long).detail(&long));
    drop(log);
    assert!((lines(&path)[0].len() as u64) < tail::LONGEST_LINE);
    assert_eq!(Log::verify_file(&path, KEY).unwrap().entries, 1);
}

fn told(log: &Log, event: Event) -> Vec<(String, Option<String>)> {
    let latest = Log::latest_in(log.path(), 100_000, None).unwrap();
    let told = latest
        .into_iter()
        .rev()
        .filter(|entry| entry.event == event.name());
    told.map(|entry| (entry.detail.unwrap_or_default(), entry.address))
        .collect()
}

fn refused(address: &str) -> Entry {
    let entry = Entry::new(Event::MaliciousCsrf).detail("forged");
    entry.address(address.parse().unwrap())
}

/// An unreadable file is not treated as one that was never written.
#[test]
fn a_file_beside_the_log_that_cannot_be_opened_is_an_error() {
    let (_directory, path) = place();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    assert_eq!(files::sidecar(&path, "head").unwrap(), None);
    let too_long = path.with_file_name("x".repeat(300));
    files::sidecar(&too_long, "head").unwrap_err();
}
