//! Storing, quota, deleting, and the state after a crash.

use std::fs;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use image::ImageFormat;

use super::made::{PDF, Store, encoded, jpeg_with_exif, two_halves};
use crate::database::{self, Migration};
use crate::forms::{AsProblem as _, Incoming, Unavailable};
use crate::sessions::UserId;
use crate::testing::wait_until;
use crate::uploads::name::FileName;
use crate::uploads::queue::UploadSender;
use crate::uploads::{self, Document, Error, FileId, FileKind, Picture, UploadRejection};

const ME: UserId = UserId::new(1);
const EVE: UploadSender = UploadSender {
    owner: UserId::new(66),
    network: None,
};

#[tokio::test]
async fn a_document_is_kept_byte_for_byte_under_a_name_of_ours() {
    let store = Store::new().await;
    let id = store
        .keep::<Document>("../My report.pdf", PDF)
        .await
        .unwrap();
    let kept = store.uploads.find(&id).await.unwrap();
    assert_eq!(
        (kept.kind, kept.size, kept.name.as_str()),
        (FileKind::Pdf, PDF.len() as u64, "My report.pdf")
    );
    assert_eq!(kept.sha256, crate::secrets::sha256(PDF));
    assert_eq!(store.bytes(&id).await.unwrap(), PDF);
    assert_eq!(store.files_and_rows().await, (1, 1));
    if !store.uploads.inner.storage.is_shared() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = store.uploads.config().kept().join(id.path());
        let mode =
            |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o400, 0o700));
    }
    let events: Vec<String> = store
        .events()
        .await
        .into_iter()
        .map(|(event, _)| event)
        .collect();
    assert_eq!(events, ["upload_complete", "upload_stored"]);
}

#[tokio::test]
async fn a_picture_is_kept_without_its_metadata() {
    let store = Store::new().await;
    let id = store
        .keep::<Picture>("me.jpg", &jpeg_with_exif())
        .await
        .unwrap();
    let bytes = store.bytes(&id).await.unwrap();
    assert!(!bytes.windows(3).any(|window| window == b"GPS"));
    let kept = store.uploads.find(&id).await.unwrap();
    assert_eq!((kept.size, kept.written_anew), (bytes.len() as u64, true));
    assert_eq!(
        store.files_and_rows().await,
        (1, 1),
        "nothing stays in quarantine"
    );
}

#[tokio::test]
async fn a_refused_file_leaves_nothing_but_an_event() {
    let store = Store::new().await;
    let error = store
        .keep::<Document>("a.pdf", b"%PDF-1.4\n1 0 obj<</S/Launch/F(a)>>endobj\n%%EOF")
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        Error::Refused(UploadRejection::Active { .. })
    ));
    assert!(error.problem().unwrap().to_string().contains("program"));
    assert_eq!(store.files_and_rows().await, (0, 0));
    assert_eq!(
        store.events().await[1],
        ("upload_validation".to_owned(), "active_content".to_owned())
    );
}

#[tokio::test]
async fn an_upload_that_is_dropped_leaves_nothing() {
    let store = Store::new().await;
    let sent = store.sent::<Document>("a.pdf", PDF);
    assert_eq!(store.files_and_rows().await, (1, 0));
    drop(sent);
    assert_eq!(store.files_and_rows().await, (0, 0));
}

/// ASVS: V2.3.2
#[tokio::test]
async fn files_sent_side_by_side_do_not_exceed_the_quota() {
    let store = Store::with(|config| {
        config.quota_bytes = 3 * PDF.len() as u64 + 10;
        config.workers = 4;
    })
    .await;
    let sending = (0..8).map(|_| store.keep::<Document>("a.pdf", PDF));
    let results = futures_util::future::join_all(sending).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 3);
    assert!(
        results
            .iter()
            .all(|result| matches!(result, Ok(_) | Err(Error::Quota { .. })))
    );
    assert_eq!(store.files_and_rows().await, (3, 3));
    let used = store.uploads.used_by(ME).await.unwrap();
    assert_eq!((used.files, used.bytes), (3, 3 * PDF.len() as u64));
    let other = store
        .uploads
        .keep(UserId::new(2), store.sent::<Document>("a.pdf", PDF))
        .await;
    assert!(other.is_ok(), "the quota is each owner's own");
}

#[tokio::test]
async fn the_number_of_files_is_limited_too() {
    let store = Store::with(|config| config.quota_files = 2).await;
    store.keep::<Document>("a.txt", b"a").await.unwrap();
    let second = store.keep::<Document>("b.txt", b"b").await.unwrap();
    let third = store.keep::<Document>("c.txt", b"c").await.unwrap_err();
    assert!(
        third.problem().unwrap().to_string().contains("2 files"),
        "{third}"
    );
    store.uploads.delete(&second).await.unwrap();
    assert!(store.keep::<Document>("c.txt", b"c").await.is_ok());
}

/// A released file leaves the disk a moment later; its owner need not wait for that.
#[tokio::test]
async fn a_file_on_its_way_out_does_not_count() {
    let store = Store::with(|config| config.quota_files = 1).await;
    let id = store.keep::<Document>("a.txt", b"a").await.unwrap();
    let refused = store.keep::<Document>("b.txt", b"b").await;
    assert!(matches!(refused, Err(Error::Quota { .. })), "{refused:?}");
    let leave = "UPDATE dewar_files SET state = 'leaving' WHERE id = ?";
    store.db.execute(leave, [id.as_str().into()]).await.unwrap();
    assert!(store.keep::<Document>("b.txt", b"b").await.is_ok());
}

/// The person keeps what they typed, and the page says why at the field.
///
/// ASVS: V16.5.2
#[tokio::test]
async fn a_full_disk_or_a_full_house_is_said_at_the_field() {
    let store = Store::with(|config| config.free_space = 1 << 60).await;
    let error = store.keep::<Document>("a.txt", b"a").await.unwrap_err();
    assert!(error.problem().is_none(), "nothing is wrong with the file");
    assert_eq!(error.as_unavailable(), Some(Unavailable::disk_full()));
    store.becomes_empty().await;
    let wait = |error: &Error| error.as_unavailable().is_some();
    let full = database::Error::DiskFull;
    assert!(wait(&Error::Database(full)));
    assert!(wait(&Error::Busy) && wait(&Error::Share));
    assert!(wait(&Error::Unavailable("S3 is away".to_owned())));
    assert!(!wait(&Error::Quota { files: 1, bytes: 1 }));
    assert!(!wait(&Error::Refused(UploadRejection::Empty)));
}

/// An owner without quota cannot cause work: Dewar does not even examine the file.
///
/// ASVS: V5.2.4
#[tokio::test]
async fn a_full_quota_is_said_before_the_file_is_looked_at() {
    let store = Store::with(|config| config.quota_files = 1).await;
    store.keep::<Document>("a.txt", b"a").await.unwrap();
    let second = store.keep::<Document>("b.pdf", b"no PDF").await;
    assert!(matches!(second, Err(Error::Quota { .. })), "{second:?}");
}

#[tokio::test]
async fn a_full_house_says_so_at_once() {
    let store = Store::with(|config| (config.workers, config.queue) = (1, 0)).await;
    let sender = |owner| UploadSender {
        owner: UserId::new(owner),
        network: None,
    };
    let seat = store.uploads.inner.queue.seat(sender(2)).await.unwrap();
    assert!(matches!(
        store.keep::<Document>("a.txt", b"a").await,
        Err(Error::Busy)
    ));
    drop(seat);
    assert!(store.keep::<Document>("a.txt", b"a").await.is_ok());
    assert_eq!(store.files_and_rows().await, (1, 1));
}

/// 36 pictures of one person that take long to examine, as a few connections can send them. The examinations here never
/// end, so nothing depends on time.
///
/// ASVS: V2.4.1, V5.2.6
#[tokio::test]
async fn one_owner_who_fills_the_queue_holds_up_nobody_else() {
    let store = Store::new().await;
    let queue = &store.uploads.inner.queue;
    let network = Some([192, 0, 2, 66].into());
    let owner = UserId::new(66);
    let mut places: Vec<_> = (0..36)
        .map(|_| Box::pin(queue.seat(UploadSender { owner, network })))
        .collect();
    let mut seats = Vec::new();
    let mut refused = 0;
    for place in &mut places {
        match place.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(seat)) => seats.push(seat),
            Poll::Ready(Err(Error::Share)) => refused += 1,
            Poll::Ready(Err(error)) => panic!("{error}"),
            Poll::Pending => {}
        }
    }
    let config = store.uploads.config();
    assert_eq!((seats.len(), refused), (1, 36 - config.max_per_owner));
    let page = crate::pages::Error::from(Error::Share);
    assert_eq!(page.kind(), crate::pages::ErrorKind::Busy);
    for owner in 1..=3 {
        let sent = store.sent::<Document>("a.pdf", PDF);
        assert!(store.uploads.keep(UserId::new(owner), sent).await.is_ok());
    }
}

/// The only thread for such work is busy, so the examination has not ended, however long this takes.
///
/// ASVS: V2.4.1
#[test]
fn somebody_who_hangs_up_keeps_the_worker_until_the_look_has_ended() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().max_blocking_threads(1).build();
    runtime.unwrap().block_on(async {
        let store = Store::with(|config| (config.workers, config.queue) = (1, 0)).await;
        let seat = || store.uploads.inner.queue.seat(EVE);
        let (done, until) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || until.recv().is_ok());
        let incoming = Incoming::arrived(&store.uploads.config().quarantine(), "a.pdf", PDF);
        let name = FileName::parse("a.pdf").unwrap();
        let held = seat().await.unwrap();
        let mut look = Box::pin(store.uploads.look::<Document>(held, incoming, name));
        let polled = look.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        drop(look);
        assert!(
            matches!(seat().await, Err(Error::Busy)),
            "it is looked at still"
        );
        done.send(()).unwrap();
        assert!(busy.await.unwrap());
        wait_until("the look has ended", async || seat().await.is_ok()).await;
        assert_eq!(store.files_and_rows().await, (0, 0));
    });
}

/// An upload that S3 completed after it was given up, or a put that a crash outlived.
///
/// ASVS: V2.3.3
#[tokio::test]
async fn an_old_object_without_a_row_goes_while_the_application_serves() {
    let store = Store::new().await;
    let kept = store.keep::<Document>("a.pdf", PDF).await.unwrap();
    let pending = store.unclaimed::<Document>("b.pdf", PDF).await.unwrap();
    let rowless = FileId::random();
    store.place(&rowless, PDF).await;
    let swept = store.uploads.sweep_storage().await.unwrap();
    assert_eq!(swept.unfinished, 0, "its row may come in a moment");
    store.grows_old(&rowless);
    let swept = store.uploads.sweep_storage().await.unwrap();
    assert_eq!((swept.unfinished, swept.lost), (1, vec![]));
    assert_eq!(store.bytes(&rowless).await, None);
    assert_eq!(store.bytes(&kept).await.unwrap(), PDF);
    drop(pending);
    store.settles_at(async || (1, 1)).await;
}

#[tokio::test]
async fn a_deleted_file_is_gone() {
    let store = Store::new().await;
    let id = store.keep::<Document>("a.pdf", PDF).await.unwrap();
    let _other = store.keep::<Document>("b.pdf", PDF).await.unwrap();
    store.uploads.delete(&id).await.unwrap();
    assert!(matches!(
        store.uploads.serve(&id).await,
        Err(Error::NotFound)
    ));
    assert!(matches!(
        store.uploads.delete(&id).await,
        Err(Error::NotFound)
    ));
    assert_eq!(store.files_and_rows().await, (1, 1));
    assert_eq!(store.uploads.delete_all_of(ME).await.unwrap(), 1);
    assert_eq!(store.files_and_rows().await, (0, 0));
}

/// The visitor closes the window at any moment. No file is left that no row refers to, and none is gone that a row refers
/// to, even if the commit was the last step and nobody received its result.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_visitor_who_goes_away_leaves_nothing() {
    let store = Store::new().await;
    let db = &store.db;
    let pages = Migration::new(
        "test_0001_pages",
        "CREATE TABLE pages (file TEXT NOT NULL) STRICT",
    );
    db.migrate(&[uploads::MIGRATIONS, database::MIGRATIONS, &[pages]].concat())
        .await
        .unwrap();
    let picture = encoded(&two_halves(), ImageFormat::Png);
    for microseconds in [0, 50, 200, 500, 1_000, 2_000, 4_000, 8_000] {
        let refer = async {
            let file = store.unclaimed::<Picture>("a.png", &picture).await.unwrap();
            let tx = db.begin().await.unwrap();
            let id = file.commit_in(&tx).await.unwrap();
            let sql = "INSERT INTO pages (file) VALUES (?)";
            tx.execute(sql, [(&id).into()]).await.unwrap();
            tx.commit().await.unwrap();
        };
        drop(tokio::time::timeout(Duration::from_micros(microseconds), refer).await);
    }
    store
        .settles_at(async || {
            let sql = "SELECT file FROM pages WHERE file NOT IN (SELECT id FROM dewar_files WHERE state = 'stored')";
            assert_eq!(db.query(sql, []).await.unwrap().len(), 0, "its file went");
            let pages = db.query("SELECT file FROM pages", []).await.unwrap().len();
            (pages, pages)
        })
        .await;
    store.uploads.delete_all_of(ME).await.unwrap();
    store.becomes_empty().await;
}

/// Every moment between two steps of storing and of deleting, as `kill -9` would leave it.
#[tokio::test]
async fn after_a_crash_a_file_is_whole_or_not_there() {
    let store = Store::new().await;
    let whole = store.keep::<Document>("a.pdf", PDF).await.unwrap();
    let in_state = async |state: &str| {
        let id = store.keep::<Document>("b.pdf", PDF).await.unwrap();
        store
            .db
            .execute(
                "UPDATE dewar_files SET state = ? WHERE id = ?",
                [state.into(), (&id).into()],
            )
            .await
            .unwrap();
        id
    };
    // Examined, or only arrived.
    fs::write(store.uploads.config().quarantine().join("0123"), b"half").unwrap();
    // The row exists, the file does not yet.
    let row_only = in_state("arriving").await;
    store.take_away(&row_only).await;
    // Both exist, but the caller got no answer.
    let untold = in_state("arriving").await;
    // The deletion before and after the file is gone.
    let leaving = in_state("leaving").await;
    let almost_gone = in_state("leaving").await;
    store.take_away(&almost_gone).await;
    // A file whose row a power cut removed.
    let rowless = FileId::random();
    store.place(&rowless, PDF).await;

    for id in [&row_only, &untold, &leaving, &almost_gone, &rowless] {
        assert!(
            matches!(store.uploads.serve(id).await, Err(Error::NotFound)),
            "not even before the sweep"
        );
    }
    store.start_again();
    let swept = store.uploads.sweep().await.unwrap();
    assert_eq!((swept.quarantined, swept.unfinished), (1, 5));
    assert!(swept.lost.is_empty());
    assert_eq!(store.files_and_rows().await, (1, 1));
    assert!(store.uploads.serve(&whole).await.is_ok());
    assert_eq!(
        store.uploads.sweep().await.unwrap(),
        uploads::Swept::default()
    );
}

#[tokio::test]
async fn a_file_that_somebody_took_away_is_reported_and_its_row_stays() {
    let store = Store::new().await;
    let id = store.keep::<Document>("a.pdf", PDF).await.unwrap();
    store.take_away(&id).await;
    assert_eq!(store.uploads.sweep().await.unwrap().lost, [id]);
    assert_eq!(store.files_and_rows().await, (0, 1));
}

/// A second process, such as a command, that starts while the first one serves.
#[tokio::test]
async fn a_sweep_beside_a_running_process_leaves_its_work_alone() {
    let store = Store::new().await;
    let sent = store.sent::<Document>("a.pdf", PDF);
    let clock = store.clock.clone();
    let config = store.uploads.config().clone();
    let second =
        uploads::Uploads::open(config, store.db.clone(), store.log.clone(), clock).unwrap();
    assert_eq!(second.sweep().await.unwrap(), uploads::Swept::default());
    assert!(store.uploads.keep(ME, sent).await.is_ok());
    assert!(store.directory.path().exists());
}

/// The row that refers to it was never written, or not committed.
#[tokio::test]
async fn a_file_that_nobody_claims_goes_again() {
    let store = Store::new().await;
    let file = store.unclaimed::<Document>("a.pdf", PDF).await.unwrap();
    let kept = (file.kind(), file.size(), file.name().to_owned());
    assert_eq!(kept, (FileKind::Pdf, PDF.len() as u64, "a.pdf".to_owned()));
    assert_eq!(store.files_and_rows().await, (1, 1));
    drop(file);
    store.becomes_empty().await;

    let file = store.unclaimed::<Document>("a.pdf", PDF).await.unwrap();
    let tx = store.db.begin().await.unwrap();
    let id = file.commit_in(&tx).await.unwrap();
    let served = store.uploads.serve(&id).await;
    assert!(
        matches!(served, Err(Error::NotFound)),
        "nothing is committed"
    );
    tx.rollback().await.unwrap();
    store.becomes_empty().await;
    let events = store.events().await;
    assert!(events.iter().all(|(event, _)| event == "upload_complete"));
}

#[tokio::test]
async fn a_file_is_released_with_its_row_or_stays() {
    let store = Store::new().await;
    let id = store.keep::<Document>("a.pdf", PDF).await.unwrap();
    let tx = store.db.begin().await.unwrap();
    store.uploads.release(&tx, &id).await.unwrap();
    let twice = store.uploads.release(&tx, &id).await;
    assert!(matches!(twice, Err(Error::NotFound)));
    tx.rollback().await.unwrap();
    assert!(store.uploads.serve(&id).await.is_ok());

    let tx = store.db.begin().await.unwrap();
    store.uploads.release(&tx, &id).await.unwrap();
    assert!(store.uploads.serve(&id).await.is_ok(), "not gone yet");
    tx.commit().await.unwrap();
    let served = store.uploads.serve(&id).await;
    assert!(matches!(served, Err(Error::NotFound)));
    store.becomes_empty().await;
    let events = store.events().await;
    let deleted = events.iter().filter(|(event, _)| event == "upload_delete");
    assert_eq!(deleted.count(), 1, "{events:?}");
}

/// A handler was cut off in a process that continues: no start comes to clean up.
#[tokio::test]
async fn what_lay_too_long_goes_while_files_are_served() {
    let store = Store::new().await;
    let age = store.uploads.config().pending_ttl;
    let held = store.unclaimed::<Document>("a.pdf", PDF).await.unwrap();
    let kept = store.keep::<Document>("b.pdf", PDF).await.unwrap();
    let swept = store.uploads.sweep_old().await.unwrap();
    assert_eq!(swept, uploads::Swept::default(), "it is not old");
    store.clock.advance(age);
    assert_eq!(store.uploads.sweep_old().await.unwrap().unfinished, 1);
    assert_eq!(store.files_and_rows().await, (1, 1));
    assert!(store.uploads.serve(&kept).await.is_ok());
    let tx = store.db.begin().await.unwrap();
    let late = held.commit_in(&tx).await;
    assert!(
        matches!(late, Err(Error::NotFound)),
        "no row for a file that is gone"
    );
}

#[tokio::test]
async fn an_upload_says_what_it_is_called_and_how_large_it_is() {
    let store = Store::new().await;
    let sent = store.sent::<Document>("../a report.pdf", PDF);
    assert_eq!(
        (sent.name(), sent.size()),
        ("a report.pdf", PDF.len() as u64)
    );
}

/// The worker is free again: there is one, and no place to wait.
///
/// ASVS: V2.4.1
#[tokio::test]
async fn a_file_that_takes_too_long_is_refused_and_its_worker_is_free() {
    let store = Store::with(|config| {
        (config.workers, config.queue) = (1, 0);
        config.examine_timeout = Duration::ZERO;
    })
    .await;
    let png = encoded(&two_halves(), ImageFormat::Png);
    for (name, bytes) in [
        ("a.png", png.as_slice()),
        ("a.pdf", PDF),
        ("a.txt", b"text"),
    ] {
        let refused = store.keep::<Document>(name, bytes).await.unwrap_err();
        assert!(
            matches!(refused, Error::Refused(UploadRejection::TooSlow)),
            "{name} {refused:?}"
        );
        assert_eq!(
            crate::pages::Error::from(refused).kind(),
            crate::pages::ErrorKind::Unprocessable
        );
    }
    let refused = store.keep::<Picture>("a.png", &png).await.unwrap_err();
    assert!(refused.problem().unwrap().to_string().contains("too long"));
    store.becomes_empty().await;
}
