//! The chain over many files. All but the last are full.

use super::*;

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
    let full = files::FullFile::all(path).unwrap();
    full.into_iter().map(|file| file.path).collect()
}

/// ASVS: V16.4.2
#[tokio::test]
async fn the_chain_goes_on_over_full_files() {
    let (_directory, path) = place();
    write_in_files(&path, SMALL, 5).await;
    assert_eq!(full_files(&path).len(), 5);
    // Opened again while the current file is empty.
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
    // The beginning is recorded under the key.
    for file in &full[..2] {
        fs::remove_file(file).unwrap();
    }
    check("the oldest removed");
    let (_, link) = chain::split(texts[1].trim_end().as_bytes()).unwrap();
    let base = LogPosition { seq: 2, link };
    for forged in [
        base.sealed(Mark::Base, &ChainKeys::new([8; 32])),
        base.sealed(Mark::Head, &KEY.into()),
    ] {
        fs::write(owner_only::beside(&path, ".base"), forged).unwrap();
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
    assert!(told.contains("removed entries"), "{told}");

    let young = Keeping {
        age: Some(std::time::Duration::from_secs(60)),
        ..SMALL
    };
    // The clock of this log is fixed at a year before the files were written, so none is too old.
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
