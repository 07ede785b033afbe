mod many;

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
        \"level\":\"CRITICAL\",\"actor\":\"17\",\"address\":\"192.0.2.1\",\"method\":\"GET\",\
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
        (3, "entry 3 is not the one that was written".to_owned())
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
        let why = format!("entry {number} is not the one that was written");
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
            "entries 4 to 5 are gone from its end, as its head says".to_owned()
        )
    );
    write(&path, 6..=7);
    assert_eq!(
        broken(&path),
        (4, "entries 4 to 5 are missing before it".to_owned())
    );
    let latest = Log::latest_in(&path, 3, None).unwrap();
    assert_eq!(latest[2].event, "audit_mismatch");
    assert_eq!(latest[2].detail.as_deref(), Some("entries 4 to 5 are gone"));
}

#[test]
fn a_head_cannot_be_forged_to_fit_a_cut_log() {
    let (_directory, path) = place();
    write(&path, 1..=5);
    let mut lines = lines(&path);
    lines.truncate(3);
    put(&path, &lines);
    let (_, link) = chain::split(lines[2].as_bytes()).unwrap();
    let forged = chain::Head { seq: 3, link }.sealed(Mark::Head, &ChainKeys::new([8; 32]));
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

/// Each by what stands beside the log alone, without the memory of a database.
///
/// ASVS: V16.4.2
#[test]
fn a_log_that_was_exchanged_or_lost_its_head_is_noticed_at_the_start() {
    for (change, told) in [
        ("nothing", None),
        ("another", Some("entry 3 is not the one that was written")),
        (
            "no head",
            Some("its head is missing, or was not written with the key"),
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
    assert_eq!(broken(&path), (4, "it is not finished".to_owned()));
    write(&path, 5..=5);
    let verified = Log::verify_file(&path, KEY).unwrap();
    assert_eq!(verified.entries, 5);
    assert_eq!(verified.remarks[0].event, "sys_crash");
    assert_eq!(
        fs::read(tail::beside(&path, ".torn")).unwrap(),
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
async fn entries_that_find_no_room_are_counted_and_written_down() {
    let (_directory, path) = place();
    let log = Log::open_with(
        &path,
        KEY.into(),
        Clock::manual(NOON),
        Opening {
            queue: 4,
            ..Opening::default()
        },
    )
    .unwrap();
    // Whoever holds the lock stops the writer, and the queue fills.
    let file = fs::File::open(&path).unwrap();
    file.lock().unwrap();
    for number in 0..600 {
        log.record(Entry::new(Event::SessionCreated).actor(number));
    }
    let lost = log.lost();
    assert!(lost >= 500, "{lost}");
    file.unlock().unwrap();
    log.flush().await;
    log.record(Entry::new(Event::SysShutdown));
    log.flush().await;
    let verified = log.verify().await.unwrap();
    let said: u64 = verified
        .remarks
        .iter()
        .filter_map(|remark| remark.detail.rsplit(' ').next()?.parse::<u64>().ok())
        .sum();
    assert_eq!(said, lost);
    assert_eq!(
        verified.entries,
        600 - lost + 1 + verified.remarks.len() as u64
    );
    assert_eq!(log.findings()[0].id, "audit-entries-lost");
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

#[tokio::test]
async fn what_cannot_be_written_is_counted_and_written_down_once_it_can() {
    let (_directory, path) = place();
    let log = open(&path);
    let directory = path.parent().unwrap();
    let away = directory.with_extension("away");
    fs::rename(directory, &away).unwrap();
    log.record(Entry::new(Event::SysStartup));
    log.flush().await;
    assert_eq!(log.lost(), 1);
    fs::rename(&away, directory).unwrap();
    log.record(Entry::new(Event::SysShutdown));
    log.flush().await;
    let verified = log.verify().await.unwrap();
    assert_eq!(verified.entries, 2);
    assert_eq!(
        verified.remarks[0].detail,
        "entries that could not be kept: 1"
    );
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

/// 11,350 refused sign-ins a second wrote 7 MB a second of log.
///
/// ASVS: V16.3.3
#[tokio::test]
async fn a_flood_of_refusals_is_counted_and_its_sum_is_written() {
    let (_directory, path) = place();
    let clock = Clock::manual(NOON);
    let log = Log::open(&path, KEY, clock.clone()).unwrap();
    for _ in 0..100_000 {
        log.record(refused("192.0.2.1"));
    }
    log.record(refused("192.0.2.2"));
    log.record(refused("192.0.2.1").actor(17));
    // One household is one address (RFC 6177).
    for number in 0..2 * tally::WRITTEN {
        log.record(refused(&format!("2001:db8::{number:x}")));
    }
    log.record(Entry::new(Event::SessionCreated));
    log.flush().await;
    assert_eq!(log.lost(), 0);
    let written = tally::WRITTEN as usize;
    assert_eq!(
        told(&log, Event::MaliciousCsrf).len(),
        written + 2 + written
    );
    assert_eq!(
        told(&log, Event::SessionCreated).len(),
        1,
        "pushed out by the flood"
    );

    clock.advance(COUNTED_WITHIN);
    log.record(refused("192.0.2.1"));
    log.flush().await;
    let told = told(&log, Event::MaliciousCsrf);
    let sum = |times: usize, address: &str| {
        let detail = format!("{times} times more in this window");
        assert!(
            told.contains(&(detail, Some(address.to_owned()))),
            "{told:?}"
        );
    };
    sum(100_000 - written, "192.0.2.1");
    sum(written, "2001:db8::");
    assert_eq!(told.len(), written + 2 + written + 2 + 1);
    assert_eq!(log.verify().await.unwrap().remarks, []);
}

#[tokio::test]
async fn what_was_counted_is_told_at_the_end_too() {
    let (_directory, path) = place();
    let log = open(&path);
    (0..tally::WRITTEN + 5).for_each(|_| log.record(refused("192.0.2.1")));
    drop(log);
    let last = Log::latest_in(&path, 1, None).unwrap().remove(0);
    assert_eq!(last.detail.as_deref(), Some("5 times more in this window"));
}

#[tokio::test]
async fn kinds_of_refusals_are_told_apart_up_to_a_bound() {
    let (_directory, path) = place();
    let log = open(&path);
    let addresses = u32::try_from(tally::MOST).unwrap() + 500;
    for number in 0..addresses {
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string();
        log.record(refused(&address));
        if number % 1_000 == 0 {
            log.flush().await;
        }
    }
    log.settle();
    log.flush().await;
    let told = told(&log, Event::MaliciousCsrf);
    assert_eq!(told.len(), tally::MOST + 1);
    let last = told.last().unwrap();
    assert_eq!(last.0, "500 times more from other addresses in this window");
}

fn rotating(path: &Path, keeping: Keeping) -> Log {
    let opening = Opening {
        keeping,
        ..Opening::default()
    };
    Log::open_with(path, KEY.into(), Clock::manual(NOON), opening).unwrap()
}

/// One entry in each file.
const SMALL: Keeping = Keeping {
    rotate_at: 1,
    files: None,
    age: None,
};

async fn write_in_files(path: &Path, keeping: Keeping, entries: u32) {
    let log = rotating(path, keeping);
    for number in 1..=entries {
        log.record(Entry::new(Event::SessionCreated).actor(number));
        log.flush().await;
    }
}

fn full_files(path: &Path) -> Vec<PathBuf> {
    let full = files::Full::all(path).unwrap();
    full.into_iter().map(|file| file.path).collect()
}

/// ASVS: V16.4.2
#[tokio::test]
async fn the_chain_goes_on_over_full_files() {
    let (_directory, path) = place();
    write_in_files(&path, SMALL, 5).await;
    assert_eq!(full_files(&path).len(), 5);
    // Opened again where nothing stands in the file that is written.
    write_in_files(&path, SMALL, 2).await;
    write(&path, 8..=9);
    let verified = Log::verify_file(&path, KEY).unwrap();
    assert_eq!((verified.entries, verified.first), (9, 1));
    assert_eq!(verified.remarks, []);
    let numbers = |count, before| {
        let latest = Log::latest_in(&path, count, before).unwrap();
        latest.iter().map(|entry| entry.seq).collect::<Vec<_>>()
    };
    assert_eq!(numbers(99, None), (1..=9).rev().collect::<Vec<_>>());
    assert_eq!(numbers(3, Some(5)), [4, 3, 2]);
    assert_eq!(numbers(2, Some(9)), [8, 7]);
    assert_eq!(numbers(2, Some(1)), [0; 0]);
}

/// ASVS: V16.4.2
#[tokio::test]
async fn a_full_file_that_was_changed_removed_or_exchanged_is_noticed() {
    let (_directory, path) = place();
    write_in_files(&path, SMALL, 5).await;
    let full = full_files(&path);
    let texts: Vec<String> = full
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let check = |what: &str| assert!(Log::verify_file(&path, KEY).is_err(), "{what}");
    for (file, text) in full.iter().zip(&texts) {
        fs::write(file, text.replace("session_created", "session_renewed")).unwrap();
        check("changed");
        fs::write(file, "").unwrap();
        check("emptied");
        fs::remove_file(file).unwrap();
        check("removed");
        fs::write(file, text).unwrap();
    }
    fs::write(&full[1], &texts[2]).unwrap();
    check("exchanged");
    fs::write(&full[1], &texts[1]).unwrap();
    Log::verify_file(&path, KEY).unwrap();
    // Where it begins is said under the key.
    for file in &full[..2] {
        fs::remove_file(file).unwrap();
    }
    check("the oldest removed");
    let (_, link) = chain::split(texts[1].trim_end().as_bytes()).unwrap();
    let base = chain::Head { seq: 2, link };
    for forged in [
        base.sealed(Mark::Base, &ChainKeys::new([8; 32])),
        base.sealed(Mark::Head, &KEY.into()),
    ] {
        fs::write(tail::beside(&path, ".base"), forged).unwrap();
        check("a forged beginning");
    }
}

#[tokio::test]
async fn full_files_are_kept_as_many_and_as_long_as_the_settings_say() {
    let (_directory, path) = place();
    let three = Keeping {
        files: Some(3),
        ..SMALL
    };
    write_in_files(&path, three, 20).await;
    assert_eq!(full_files(&path).len(), 3);
    let verified = Log::verify_file(&path, KEY).unwrap();
    assert!(verified.first > 10, "{verified:?}");
    assert_eq!(verified.remarks, []);
    let latest = Log::latest_in(&path, 99, None).unwrap();
    assert_eq!(latest.len() as u64, verified.entries);
    let told = latest.iter().find(|entry| entry.event == "audit_rotated");
    let told = told.unwrap().detail.clone().unwrap();
    assert!(told.contains("were removed"), "{told}");

    let young = Keeping {
        age: Some(std::time::Duration::from_secs(60)),
        ..SMALL
    };
    // The clock of this log stands still in a year before the files were written: none is too old.
    write_in_files(&path, young, 3).await;
    assert!(full_files(&path).len() > 3);
    let later = Clock::manual(Clock::system().now() + 3_600);
    let opening = Opening {
        keeping: young,
        ..Opening::default()
    };
    let log = Log::open_with(&path, KEY.into(), later, opening).unwrap();
    log.record(Entry::new(Event::SysStartup));
    log.flush().await;
    assert_eq!(full_files(&path).len(), 1, "the one that was just filled");
    drop(log);
    Log::verify_file(&path, KEY).unwrap();
}

#[test]
fn two_writers_share_one_chain_over_many_files() {
    let (_directory, path) = place();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let path = path.clone();
            std::thread::spawn(move || {
                for number in 0..20 {
                    let log = rotating(&path, SMALL);
                    log.record(Entry::new(Event::SessionCreated).actor(number));
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    let verified = Log::verify_file(&path, KEY).unwrap();
    assert_eq!((verified.entries, verified.remarks.len()), (80, 0));
}

/// The log and the head beside it were removed, and a new chain that began verified.
///
/// ASVS: V16.4.2
#[tokio::test]
async fn a_log_that_was_removed_with_its_head_is_found_by_what_the_database_remembers() {
    let (_directory, path) = place();
    let log = open(&path);
    for number in 1..=5 {
        log.record(Entry::new(Event::SessionCreated).actor(number));
    }
    log.flush().await;
    let remembered = log.sealed_head().unwrap();
    drop(log);
    let verify = || Log::verify_remembered(&path, KEY, Some(&remembered));
    assert_eq!(verify().unwrap().entries, 5);
    let (whole, head) = (
        fs::read(&path).unwrap(),
        fs::read(tail::head_path(&path)).unwrap(),
    );
    fs::remove_file(&path).unwrap();
    fs::remove_file(tail::head_path(&path)).unwrap();
    let gone = "entries 1 to 5 are gone from its end, as the database says";
    assert_eq!(verify().unwrap_err().why, gone);

    let open_remembering = || {
        let opening = Opening {
            remembered: Some(remembered.clone()),
            ..Opening::default()
        };
        Log::open_with(&path, KEY.into(), Clock::manual(NOON), opening).unwrap()
    };
    drop(open_remembering());
    assert_eq!(
        broken(&path),
        (1, "entries 1 to 5 are missing before it".to_owned())
    );
    let told = |path: &Path| Log::latest_in(path, 1, None).unwrap().remove(0);
    assert_eq!(told(&path).event, "audit_mismatch");

    // Another log of the same length, written under the same key.
    fs::remove_file(&path).unwrap();
    fs::remove_file(tail::head_path(&path)).unwrap();
    write(&path, 11..=16);
    assert_eq!(
        verify().unwrap_err().why,
        "entry 5 is not the one the database names"
    );
    drop(open_remembering());
    let told = told(&path).detail.unwrap();
    assert_eq!(told, "entry 5 is not the one that the database remembers");

    fs::write(&path, whole).unwrap();
    fs::write(tail::head_path(&path), head).unwrap();
    drop(open_remembering());
    assert_eq!(verify().unwrap().remarks, []);
}

/// An attacker who can write the database, and has no key, makes it remember another log.
#[tokio::test]
async fn what_the_database_remembers_is_believed_only_with_the_key() {
    let (_directory, path) = place();
    let log = open(&path);
    log.record(Entry::new(Event::SessionCreated).actor(1));
    log.flush().await;
    let remembered = log.sealed_head().unwrap();
    drop(log);
    for (text, is_ours) in [
        (remembered.clone(), true),
        (
            chain::Head::START.sealed(Mark::Head, &ChainKeys::new([8; 32])),
            false,
        ),
        (remembered.replace("\"seq\":1", "\"seq\":9"), false),
        ("nothing".to_owned(), false),
    ] {
        let verified = Log::verify_remembered(&path, KEY, Some(&text));
        assert_eq!(verified.is_ok(), is_ours, "{text}");
        let before = lines(&path).len();
        let opening = Opening {
            remembered: Some(text.clone()),
            ..Opening::default()
        };
        drop(Log::open_with(&path, KEY.into(), Clock::manual(NOON), opening).unwrap());
        let told = lines(&path).split_off(before);
        assert_eq!(told.is_empty(), is_ours, "{text}: {told:?}");
        assert!(told.iter().all(|line| line.contains("audit_mismatch")));
    }
}

#[tokio::test]
async fn an_entry_of_a_transaction_is_written_once_whenever_the_program_was_killed() {
    let (_directory, path) = place();
    let log = open(&path);
    let waiting = |row, entry: Entry| {
        let (milliseconds, text) = log.for_row(&entry);
        Waiting {
            row,
            milliseconds,
            text,
        }
    };
    let stored = || Entry::new(Event::UploadStored).subject("plan.pdf").actor(3);
    let own = || Entry::new(Event::Application("document_approved")).detail("4");
    log.record_committed(1, log.for_row(&stored()).0, stored());
    log.flush().await;
    assert_eq!((log.rows_written(), log.rows_written()), (vec![1], vec![]));
    // The first reached the disk although its row is there; the others did not.
    let rows = vec![
        waiting(1, stored()),
        waiting(2, stored()),
        waiting(3, own()),
    ];
    assert_eq!(log.recover(rows).await.unwrap(), [1]);
    assert_eq!(log.rows_written(), [2, 3]);
    let latest = log.latest(9, None).await.unwrap();
    let told: Vec<(&str, Option<i64>)> = latest
        .iter()
        .map(|it| (it.event.as_str(), it.row))
        .collect();
    assert_eq!(
        told,
        [
            ("document_approved", Some(3)),
            ("upload_stored", Some(2)),
            ("upload_stored", Some(1))
        ]
    );
    assert_eq!(latest[1].subject.as_deref(), Some("plan.pdf"));
}
