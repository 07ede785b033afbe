//! The virus scanner: a file with a virus is refused, and no file that must be scanned is served before.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::made::{Store, encoded, two_halves};
use crate::testing::PATIENCE;
use crate::uploads::rescan::Told;
use crate::uploads::rows::Rescan;
use crate::uploads::{
    ClamdAddress, Document, Error, FileId, Rescanned, ScanStatus, UploadRejection, Uploads,
    VirusScan,
};

const INFECTED: &[u8] = b"this is a virus, for the clamd of these tests";
const CLEAN: &[u8] = b"nothing";

/// The behaviour of the clamd of these tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Away,
    Confused,
    FindsNothing,
    Scans,
    TakesOnlySmall,
}

/// The version of its signatures.
const SIGNATURES: i64 = 27_800;

/// A clamd that knows one virus.
struct TestClamd {
    address: ClamdAddress,
    manner: Arc<Mutex<Manner>>,
    /// How many files it was sent.
    sent: Arc<AtomicUsize>,
}

impl TestClamd {
    async fn open(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let manner = Arc::new(Mutex::new(manner));
        let now = Arc::clone(&manner);
        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let manner = *now.lock().unwrap();
                // A client that goes away is a client that goes away.
                drop(answer(stream, manner, &count).await);
            }
        });
        let address = ClamdAddress::parse(&address).unwrap();
        Self {
            address,
            manner,
            sent,
        }
    }

    fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }

    fn now(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    async fn store(&self, virus_scan: VirusScan) -> Store {
        Store::with(|config| {
            config.virus_scan = virus_scan;
            config.clamd = self.address.clone();
            config.virus_scan_timeout = PATIENCE;
        })
        .await
    }
}

async fn answer(mut stream: TcpStream, manner: Manner, count: &AtomicUsize) -> std::io::Result<()> {
    let mut command = [0; 6];
    stream.read_exact(&mut command).await?;
    if &command == b"zPING\0" {
        let said: &[u8] = if manner == Manner::Away {
            b""
        } else {
            b"PONG\0"
        };
        return stream.write_all(said).await;
    }
    if &command == b"zVERSI" {
        let said = format!("ClamAV 1.4.3/{SIGNATURES}/Mon Oct 20 08:45:56 2025\0");
        return stream.write_all(said.as_bytes()).await;
    }
    count.fetch_add(1, Ordering::SeqCst);
    let mut rest = [0; 4];
    stream.read_exact(&mut rest).await?;
    assert_eq!((&command, &rest), (b"zINSTR", b"EAM\0"));
    let mut sent = Vec::new();
    loop {
        let length = stream.read_u32().await?;
        if length == 0 {
            break;
        }
        let mut piece = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut piece).await?;
        sent.extend(piece);
    }
    let is_infected = sent.windows(INFECTED.len()).any(|part| part == INFECTED);
    let said: &[u8] = match manner {
        Manner::Away => return Ok(()),
        Manner::Confused => b"stream: Can't allocate memory ERROR\0",
        Manner::TakesOnlySmall => b"INSTREAM size limit exceeded. ERROR\0",
        Manner::FindsNothing => b"stream: OK\0",
        Manner::Scans if is_infected => b"stream: Test.Virus-1 FOUND\0",
        Manner::Scans => b"stream: OK\0",
    };
    stream.write_all(said).await
}

async fn status(store: &Store, id: &FileId) -> ScanStatus {
    store.uploads.find(id).await.unwrap().scan
}

/// ASVS: V5.4.3
#[tokio::test]
async fn a_file_with_a_virus_is_not_stored() {
    let clamd = TestClamd::open(Manner::Scans).await;
    for virus_scan in [VirusScan::Optional, VirusScan::Required] {
        let store = clamd.store(virus_scan).await;
        let refused = store.keep::<Document>("a.txt", INFECTED).await.unwrap_err();
        let name = "Test.Virus-1".to_owned();
        assert!(
            matches!(&refused, Error::Refused(UploadRejection::Virus { name: found }) if *found == name),
            "{refused}"
        );
        assert!(refused.problem().unwrap().to_string().contains(&name));
        store.becomes_empty().await;
        let events = store.events().await;
        assert!(events.contains(&("upload_validation".into(), "virus".into())));
        let id = store.keep::<Document>("a.txt", CLEAN).await.unwrap();
        assert_eq!(status(&store, &id).await, ScanStatus::Clean);
        store.uploads.serve(&id).await.unwrap();
    }
}

#[tokio::test]
async fn without_the_setting_no_scanner_is_asked() {
    let clamd = TestClamd::open(Manner::Scans).await;
    let store = clamd.store(VirusScan::Off).await;
    let id = store.keep::<Document>("a.txt", INFECTED).await.unwrap();
    assert_eq!(status(&store, &id).await, ScanStatus::NotScanned);
    store.uploads.serve(&id).await.unwrap();
}

#[tokio::test]
async fn an_optional_scanner_that_is_away_stops_nobody() {
    for manner in [Manner::Away, Manner::Confused] {
        let clamd = TestClamd::open(manner).await;
        let store = clamd.store(VirusScan::Optional).await;
        let id = store.keep::<Document>("a.txt", CLEAN).await.unwrap();
        assert_eq!(status(&store, &id).await, ScanStatus::NotScanned);
        store.uploads.serve(&id).await.unwrap();
        assert_eq!(store.uploads.scan_waiting().await.unwrap(), 0);
    }
}

/// ASVS: V5.4.3
#[tokio::test]
async fn while_a_required_scanner_is_away_files_wait_and_are_served_to_nobody() {
    for manner in [Manner::Away, Manner::Confused] {
        let clamd = TestClamd::open(manner).await;
        let store = clamd.store(VirusScan::Required).await;
        let file = store.unclaimed::<Document>("a.txt", CLEAN).await.unwrap();
        assert!(file.is_waiting());
        drop(file);
        let clean = store.keep::<Document>("a.txt", CLEAN).await.unwrap();
        let infected = store.keep::<Document>("b.txt", INFECTED).await.unwrap();
        for id in [&clean, &infected] {
            let refused = store.uploads.serve(id).await.unwrap_err();
            assert!(matches!(refused, Error::Unscanned), "{refused}");
            let page = crate::pages::Error::from(refused);
            assert_eq!(page.kind(), crate::pages::ErrorKind::Busy);
        }
        assert_eq!(store.uploads.scan_waiting().await.unwrap(), 0);
        assert_eq!(status(&store, &clean).await, ScanStatus::Waiting);

        clamd.now(Manner::Scans);
        // One that clamd could not decide is not sent to it every ten seconds.
        store.clock.advance(Duration::from_secs(60));
        assert_eq!(store.uploads.scan_waiting().await.unwrap(), 2);
        assert_eq!(status(&store, &clean).await, ScanStatus::Clean);
        store.uploads.serve(&clean).await.unwrap();
        assert_eq!(status(&store, &infected).await, ScanStatus::Infected);
        let refused = store.uploads.serve(&infected).await.unwrap_err();
        assert!(matches!(refused, Error::Infected), "{refused}");
        let events = store.events().await;
        let virus = "virus: Test.Virus-1".to_owned();
        assert_eq!(events.last(), Some(&("upload_validation".into(), virus)));
        assert_eq!(store.uploads.scan_waiting().await.unwrap(), 0);
    }
}

/// The bytes are gone, the row stays for its owner to read, and nothing misses the bytes.
#[tokio::test]
async fn a_virus_that_is_found_late_leaves_a_row_without_bytes() {
    let clamd = TestClamd::open(Manner::Away).await;
    let store = clamd.store(VirusScan::Required).await;
    let id = store.keep::<Document>("b.txt", INFECTED).await.unwrap();
    clamd.now(Manner::Scans);
    store.uploads.scan_waiting().await.unwrap();
    assert_eq!(store.files_and_rows().await, (0, 1));
    let used = store.uploads.used_by(crate::sessions::UserId::new(1)).await;
    assert_eq!(used.unwrap().files, 0);
    assert!(store.uploads.sweep().await.unwrap().lost.is_empty());
    store.uploads.delete(&id).await.unwrap();
    assert_eq!(store.files_and_rows().await, (0, 0));
}

/// ASVS: V5.4.3
#[tokio::test]
async fn a_file_that_clamd_finds_too_large_is_not_a_clean_file() {
    let clamd = TestClamd::open(Manner::TakesOnlySmall).await;
    for virus_scan in [VirusScan::Optional, VirusScan::Required] {
        let store = clamd.store(virus_scan).await;
        let refused = store.keep::<Document>("a.txt", CLEAN).await.unwrap_err();
        let too_large = UploadRejection::TooLargeToScan;
        assert!(matches!(refused, Error::Refused(found) if found == too_large));
        store.becomes_empty().await;
    }
}

/// A file that came while clamd was away waits until clamd takes its size. All nodes together ask less and less often.
///
/// ASVS: V5.4.3, V2.4.1
#[tokio::test]
async fn a_waiting_file_that_clamd_does_not_take_is_sent_to_it_ever_more_seldom() {
    let clamd = TestClamd::open(Manner::Away).await;
    let store = clamd.store(VirusScan::Required).await;
    let id = store.keep::<Document>("a.txt", CLEAN).await.unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let mut config = store.uploads.config().clone();
    config.directory = elsewhere.path().join("uploads");
    let (db, log, clock) = (store.db.clone(), store.log.clone(), store.clock.clone());
    let other = Uploads::open(config, db, log, clock).unwrap();
    clamd.now(Manner::TakesOnlySmall);
    let before = clamd.sent();
    let mut minutes = 0;
    let mut asked = Vec::new();
    for minute in 0..100 {
        for uploads in [&store.uploads, &other] {
            assert_eq!(uploads.scan_waiting().await.unwrap(), 0);
        }
        if clamd.sent() > before + asked.len() {
            asked.push(minute);
        }
        minutes += 1;
        store.clock.advance(Duration::from_secs(60));
    }
    assert_eq!((asked, minutes), (vec![0, 1, 5, 21, 85], 100));
    let refused = store.uploads.serve(&id).await.unwrap_err();
    assert!(matches!(refused, Error::Unscannable), "{refused}");
    let page = crate::pages::Error::from(refused);
    assert!(page.to_string().contains("of this size"), "{page}");
    clamd.now(Manner::Scans);
    store.clock.advance(Duration::from_secs(24 * 60 * 60));
    assert_eq!(store.uploads.scan_waiting().await.unwrap(), 1);
    store.uploads.serve(&id).await.unwrap();
}

fn unwatched(_: &Rescanned, _: Option<Told>) {}

/// ASVS: V5.4.3, V16.3.3
#[tokio::test]
async fn a_virus_in_a_stored_file_is_found_later_and_nobody_gets_the_file() {
    let clamd = TestClamd::open(Manner::Away).await;
    let store = clamd.store(VirusScan::Optional).await;
    let picture = encoded(&two_halves(), image::ImageFormat::Png);
    let clean = store.keep::<Document>("a.png", &picture).await.unwrap();
    let infected = store.keep::<Document>("b.txt", INFECTED).await.unwrap();
    store.uploads.serve(&infected).await.unwrap();
    clamd.now(Manner::Scans);
    let which = store.uploads.rescan_of(true).await.unwrap();
    assert_eq!(which, Rescan::Unscanned);
    assert_eq!(store.uploads.number_to_rescan(which).await.unwrap(), 2);
    let done = store.uploads.rescan(which, unwatched).await.unwrap();
    assert_eq!((done.clean, done.infected, done.undecided), (1, 1, 0));
    assert_eq!(status(&store, &clean).await, ScanStatus::Clean);
    let refused = store.uploads.serve(&infected).await.unwrap_err();
    assert!(matches!(refused, Error::Infected), "{refused}");
    let events = store.events().await;
    let virus = "virus in a stored file: Test.Virus-1".to_owned();
    assert_eq!(events.last(), Some(&("upload_validation".into(), virus)));
    // Its bytes stay until its owner deletes it, whatever sweeps.
    store.uploads.sweep().await.unwrap();
    assert_eq!(store.bytes(&infected).await.unwrap(), INFECTED);
    let again = store.uploads.rescan(which, unwatched).await.unwrap();
    assert_eq!(again.all(), 0);
    store.uploads.delete(&infected).await.unwrap();
    assert_eq!(store.files_and_rows().await, (1, 1));
}

/// Signatures are wrong now and then. Newer ones free the files that the older ones held.
#[tokio::test]
async fn newer_signatures_scan_again_and_free_what_has_no_virus() {
    let clamd = TestClamd::open(Manner::Scans).await;
    let store = clamd.store(VirusScan::Optional).await;
    clamd.now(Manner::FindsNothing);
    let id = store.keep::<Document>("b.txt", INFECTED).await.unwrap();
    clamd.now(Manner::Scans);
    let which = store.uploads.rescan_of(false).await.unwrap();
    assert_eq!(which, Rescan::Before(SIGNATURES));
    let found = store.uploads.rescan(which, unwatched).await.unwrap();
    assert_eq!(found.infected, 1);
    let same = store.uploads.rescan(which, unwatched).await.unwrap();
    assert_eq!(same.all(), 0, "nothing is scanned twice with one version");
    clamd.now(Manner::FindsNothing);
    let newer = Rescan::Before(SIGNATURES + 1);
    let freed = store.uploads.rescan(newer, unwatched).await.unwrap();
    assert_eq!((freed.clean, freed.released, freed.infected), (1, 1, 0));
    store.uploads.serve(&id).await.unwrap();
}

#[tokio::test]
async fn a_scan_of_stored_files_that_was_stopped_continues_where_it_ended() {
    let clamd = TestClamd::open(Manner::Away).await;
    let store = clamd.store(VirusScan::Optional).await;
    for _ in 0..5 {
        store.keep::<Document>("a.txt", CLEAN).await.unwrap();
    }
    clamd.now(Manner::Scans);
    let which = Rescan::Unscanned;
    let mut seen = 0;
    let stopped = store.uploads.rescan(which, |done, _| {
        seen = done.all();
        if seen == 2 {
            clamd.now(Manner::Away);
        }
    });
    let error = stopped.await.unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error}");
    assert_eq!(seen, 2);
    clamd.now(Manner::Scans);
    let rest = store.uploads.rescan(which, unwatched).await.unwrap();
    assert_eq!(rest.clean, 3);
    let away = TestClamd::open(Manner::Scans).await;
    let off = away.store(VirusScan::Off).await;
    assert!(off.uploads.rescan_of(true).await.is_err());
}

#[tokio::test]
async fn more_files_than_one_page_are_scanned_in_one_round() {
    let clamd = TestClamd::open(Manner::Away).await;
    let store = clamd.store(VirusScan::Required).await;
    for number in 0..60 {
        let text = format!("note {number}");
        store
            .keep::<Document>("a.txt", text.as_bytes())
            .await
            .unwrap();
    }
    clamd.now(Manner::Scans);
    assert_eq!(store.uploads.scan_waiting().await.unwrap(), 60);
}
