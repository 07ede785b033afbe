//! The database's record of the log's end, and entries from a transaction.

use super::*;

/// Somebody removed the log and its head, and a new chain verified.
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
    let verify = || Log::verify_remembered(&path, KEY, &Remembered::End(remembered.clone()));
    assert_eq!(verify().unwrap().entries, 5);
    let (whole, head) = (
        fs::read(&path).unwrap(),
        fs::read(tail::head_path(&path)).unwrap(),
    );
    fs::remove_file(&path).unwrap();
    fs::remove_file(tail::head_path(&path)).unwrap();
    let gone = "entries 1 to 5 are missing at its end, according to the database";
    assert_eq!(verify().unwrap_err().why, gone);

    let open_remembering = || {
        let opening = Opening {
            remembered: Remembered::End(remembered.clone()),
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
        "entry 5 is not the one in the database"
    );
    drop(open_remembering());
    let told = told(&path).detail.unwrap();
    assert_eq!(told, "entry 5 is not the one in the database's record");

    fs::write(&path, whole).unwrap();
    fs::write(tail::head_path(&path), head).unwrap();
    drop(open_remembering());
    assert_eq!(verify().unwrap().remarks, []);
}

/// An attacker who can write the database, and has no key, replaces the record of the log's end.
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
            LogPosition::START.sealed(Mark::Head, &ChainKeys::new([8; 32])),
            false,
        ),
        (remembered.replace("\"seq\":1", "\"seq\":9"), false),
        ("nothing".to_owned(), false),
    ] {
        let verified = Log::verify_remembered(&path, KEY, &Remembered::End(text.clone()));
        assert_eq!(verified.is_ok(), is_ours, "{text}");
        let before = lines(&path).len();
        let opening = Opening {
            remembered: Remembered::End(text.clone()),
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
        OutboxEntry {
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
    // The first reached the disk although its row remains; the others did not.
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

/// An attacker who can write the database removes the row, to hide that the log was cut or removed.
///
/// ASVS: V16.4.2
#[tokio::test]
async fn a_database_that_no_longer_remembers_the_end_is_found_at_start_and_by_verify() {
    let (_directory, path) = place();
    write(&path, 1..=3);
    let verify = |remembered| Log::verify_remembered(&path, KEY, &remembered);
    assert!(verify(Remembered::Nothing).is_ok());
    for remembered in [Remembered::Lost, Remembered::NotYet] {
        let found = verify(remembered.clone()).unwrap_err();
        assert_eq!(found.why, FORGOTTEN);
        let opening = Opening {
            remembered,
            ..Opening::default()
        };
        drop(Log::open_with(&path, KEY.into(), Clock::manual(NOON), opening).unwrap());
        let told = Log::latest_in(&path, 1, None).unwrap().remove(0);
        assert_eq!(told.event, "audit_mismatch");
        assert_eq!(told.detail.as_deref(), Some(FORGOTTEN));
        // It stays in the log, and is not a break of the chain.
        assert!(!verify(Remembered::Nothing).unwrap().remarks.is_empty());
    }
    // A database right before its first start, and one from which everything was removed.
    let (_directory, path) = place();
    let opening = |remembered| Opening {
        remembered,
        ..Opening::default()
    };
    let open = |remembered| {
        drop(Log::open_with(&path, KEY.into(), Clock::manual(NOON), opening(remembered)).unwrap());
    };
    open(Remembered::NotYet);
    assert!(lines(&path).is_empty());
    open(Remembered::Lost);
    assert!(lines(&path).remove(0).contains("audit_mismatch"));
    let (_directory, path) = place();
    let found = Log::verify_remembered(&path, KEY, &Remembered::Lost);
    assert!(found.is_err());
}
