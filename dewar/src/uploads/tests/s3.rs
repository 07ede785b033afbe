//! The storage on S3, against a real server: what it does when the server fails, and who may read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use axum::response::IntoResponse as _;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy};
use tokio::net::{TcpListener, TcpStream};

use super::bucket;
use super::made::{PDF, Store};
use crate::audit::Clock;
use crate::pages;
use crate::sessions::UserId;
use crate::uploads::storage::{FileBytes, Looking, Pieces, Storage};
use crate::uploads::{Config, Document, Error, FileId, S3Encryption, Uploads};

const KIB: u64 = 1024;
/// The smallest part that a server joins, unless it is the last.
const PART: u64 = 5 * 1024 * KIB;
const WITHIN: Duration = Duration::from_secs(600);

/// A line to the server that can be cut.
#[derive(Clone, Default)]
struct Wire(Arc<WireState>);

#[derive(Default)]
struct WireState {
    address: std::sync::OnceLock<String>,
    fault: AtomicUsize,
    /// The bytes of each response that pass, if the fault is `CUT`.
    passes: AtomicU64,
    open: AtomicUsize,
    most_open: AtomicUsize,
    heads: std::sync::Mutex<String>,
}

const NONE: usize = 0;
const AWAY: usize = 1;
const ERROR: usize = 2;
const CUT: usize = 3;

impl Wire {
    /// Between a store and the server. None if no server runs.
    async fn to_server() -> Option<Self> {
        let server = bucket::address()?;
        let server = server.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let wire = Self::default();
        let address = format!("http://{}", listener.local_addr().unwrap());
        wire.0.address.set(address).unwrap();
        let line = wire.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (line, server) = (line.clone(), server.clone());
                tokio::spawn(async move { line.connect(socket, &server).await });
            }
        });
        Some(wire)
    }

    fn fails(&self, fault: usize) {
        self.0.fault.store(fault, Ordering::SeqCst);
    }

    async fn connect(&self, mut client: TcpStream, server: &str) -> Option<()> {
        match self.0.fault.load(Ordering::SeqCst) {
            AWAY => return None,
            ERROR => {
                let mut head = vec![0; 16 * 1024];
                if client.read(&mut head).await.ok()? == 0 {
                    return None;
                }
                let answer = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                client.write_all(answer).await.ok()?;
                // The rest of a body is read, or the answer would be lost with the connection.
                while client.read(&mut head).await.ok()? > 0 {}
                return None;
            }
            _ => {}
        }
        let open = self.0.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.most_open.fetch_max(open, Ordering::SeqCst);
        let mut server = TcpStream::connect(server).await.ok()?;
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let up = async {
            let mut piece = vec![0; 64 * 1024];
            loop {
                let read = from_client.read(&mut piece).await.unwrap_or(0);
                if read == 0 {
                    return drop(to_server.shutdown().await);
                }
                let text = String::from_utf8_lossy(&piece[..read]);
                if text.contains("HTTP/1.1\r\n") {
                    self.0.heads.lock().unwrap().push_str(&text);
                }
                if to_server.write_all(&piece[..read]).await.is_err() {
                    return;
                }
            }
        };
        let down = async {
            if self.0.fault.load(Ordering::SeqCst) == CUT {
                let passes = self.0.passes.load(Ordering::SeqCst);
                drop(copy(&mut (&mut from_server).take(passes), &mut to_client).await);
            } else {
                drop(copy(&mut from_server, &mut to_client).await);
            }
        };
        tokio::select! { () = up => {} () = down => {} }
        self.0.open.fetch_sub(1, Ordering::SeqCst);
        None
    }

    async fn store(&self, change: impl FnOnce(&mut Config)) -> Store {
        let address = self.0.address.get().cloned();
        Store::with(|config| {
            config.s3.endpoint = address;
            change(config);
        })
        .await
    }
}

fn s3(store: &Store) -> &Storage {
    &store.uploads.inner.storage
}

async fn unfinished(store: &Store) -> usize {
    match s3(store) {
        Storage::S3(s3) => s3.unfinished().await,
        Storage::Disk(_) => panic!("it is a disk"),
    }
}

fn pieces(bytes: &[u8]) -> Pieces {
    let pieces: Vec<_> = bytes
        .chunks(7_000)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    stream::iter(pieces).boxed()
}

fn facts(bytes: &[u8]) -> FileBytes {
    FileBytes {
        size: bytes.len() as u64,
        sha256: crate::secrets::sha256(bytes),
    }
}

async fn body(store: &Store, id: &FileId) -> Result<Bytes, ()> {
    let response = store.uploads.serve(id).await.map_err(drop)?.into_response();
    let body = response.into_body().collect().await.map_err(drop)?;
    Ok(body.to_bytes())
}

/// A large file goes in parts, of which two are in memory, each on a connection of its own. Afterwards nothing is left half.
#[tokio::test]
async fn a_large_file_is_sent_in_parts_of_which_two_are_under_way() {
    let Some(wire) = Wire::to_server().await else {
        return;
    };
    let store = wire
        .store(|config| {
            config.s3.part_size = PART;
            config.s3.encryption = S3Encryption::Aes256;
        })
        .await;
    let id = FileId::random();
    let bytes = vec![7; usize::try_from(3 * PART + 1).unwrap()];
    let put = s3(&store).copy(&id, pieces(&bytes), facts(&bytes), WITHIN);
    put.await.unwrap();
    assert!(store.bytes(&id).await.unwrap() == bytes);
    assert_eq!(wire.0.most_open.load(Ordering::SeqCst), 2);
    assert_eq!(unfinished(&store).await, 0);
    let heads = wire.0.heads.lock().unwrap().to_ascii_lowercase();
    let parts = heads.matches("?partnumber=").count();
    assert_eq!(parts, 4);
    for header in [
        "x-amz-server-side-encryption: aes256",
        "x-amz-checksum-sha256: ",
        "if-none-match: *",
        "content-disposition: attachment",
        "content-type: application/octet-stream",
    ] {
        assert!(heads.contains(header), "{header}");
    }
    assert!(!heads.contains("the-secret-of-the-tests"));
}

/// Neither with one request nor in parts.
#[tokio::test]
async fn a_file_is_created_and_never_replaced() {
    let Some(wire) = Wire::to_server().await else {
        return;
    };
    let store = wire.store(|config| config.s3.part_size = PART).await;
    for size in [10, usize::try_from(PART + 1).unwrap()] {
        let (id, first, second) = (FileId::random(), vec![1; size], vec![2; size]);
        let put = async |bytes: &[u8]| {
            let storage = s3(&store);
            storage.copy(&id, pieces(bytes), facts(bytes), WITHIN).await
        };
        put(&first).await.unwrap();
        assert!(put(&second).await.is_err(), "{size}");
        assert!(store.bytes(&id).await.unwrap() == first, "{size}");
        assert_eq!(unfinished(&store).await, 0, "{size}");
    }
}

/// The bytes are not those of the digest, or end early: no object, and no parts that cost money.
#[tokio::test]
async fn an_upload_that_fails_in_the_middle_leaves_nothing() {
    let Some(wire) = Wire::to_server().await else {
        return;
    };
    let store = wire.store(|config| config.s3.part_size = 64 * KIB).await;
    for size in [10, 200_000] {
        let bytes = vec![3; size];
        for other in [vec![4; size], vec![3; size - 1]] {
            let id = FileId::random();
            let put = s3(&store).copy(&id, pieces(&other), facts(&bytes), WITHIN);
            put.await.unwrap_err();
            assert_eq!(s3(&store).size(&id).await.unwrap(), None);
        }
    }
    assert_eq!(
        (unfinished(&store).await, store.files_and_rows().await),
        (0, (0, 0))
    );
}

/// A file that waits for its turn, or whose bytes do not come, is given up before a sweep may take its row.
///
/// ASVS: V2.3.3
#[tokio::test]
async fn the_wait_for_a_turn_counts_as_time_of_the_upload() {
    let Some(wire) = Wire::to_server().await else {
        return;
    };
    let store = wire.store(|config| config.s3.part_size = PART).await;
    let ids = [(); 4].map(|()| FileId::random());
    let never = |id| s3(&store).copy(id, stream::pending().boxed(), facts(b"never"), WITHIN);
    let taken = futures_util::future::join_all(ids.iter().map(never));
    let short = Duration::from_millis(50);
    let id = FileId::random();
    let put = s3(&store).copy(&id, pieces(b"a"), facts(b"a"), short);
    tokio::select! {
        biased;
        _ = taken => panic!("they have all turns, and never end"),
        put = put => assert!(matches!(put, Err(Error::Unavailable(_))), "{put:?}"),
    }
    let silent = s3(&store).copy(&id, stream::pending().boxed(), facts(b"a"), short);
    let silent = silent.await;
    assert!(matches!(silent, Err(Error::Unavailable(_))), "{silent:?}");
    let put = s3(&store).copy(&id, pieces(b"a"), facts(b"a"), WITHIN);
    put.await.unwrap();
}

/// A process was killed in the middle of an upload in parts.
#[tokio::test]
async fn parts_that_were_never_joined_go_when_they_are_old() {
    let Some(wire) = Wire::to_server().await else {
        return;
    };
    let store = wire.store(|config| config.s3.part_size = 64 * KIB).await;
    let whole = vec![5; 300_000];
    let stuck = pieces(&whole[..200_000]).chain(stream::pending()).boxed();
    let id = FileId::random();
    let mut put = Box::pin(s3(&store).copy(&id, stuck, facts(&whole), WITHIN));
    while unfinished(&store).await == 0 {
        tokio::select! { _ = &mut put => panic!("it ended"), () = tokio::task::yield_now() => {} }
    }
    drop(put);
    store.uploads.sweep_old().await.unwrap();
    assert_eq!(unfinished(&store).await, 1, "another node may be at it");
    store.start_again();
    assert_eq!(store.uploads.sweep_old().await.unwrap().unfinished, 1);
    assert_eq!(unfinished(&store).await, 0);
}

/// The visitor gets 503 with `Retry-After`, and neither a row nor a file stays.
///
/// ASVS: V16.5.2
#[tokio::test]
async fn a_server_that_fails_or_is_away_leaves_no_half_file() {
    let Some(wire) = Wire::to_server().await else {
        return;
    };
    let store = wire.store(|_| {}).await;
    let id = store.keep::<Document>("a.pdf", PDF).await.unwrap();
    for fault in [AWAY, ERROR] {
        wire.fails(fault);
        // Connections that are open are not cut.
        let store = wire
            .store(|config| config.storage = store.uploads.config().storage.clone())
            .await;
        let error = store.keep::<Document>("b.pdf", PDF).await.unwrap_err();
        assert!(matches!(error, Error::Unavailable(_)), "{error}");
        let page = pages::Error::from(error).into_response();
        assert_eq!(page.status(), 503);
        assert!(page.headers().contains_key("retry-after"));
        let rows = store
            .db
            .query("SELECT id FROM dewar_files WHERE state <> 'leaving'", []);
        assert_eq!(rows.await.unwrap().len(), 0);
        let quarantine = store.uploads.config().quarantine();
        assert_eq!(std::fs::read_dir(quarantine).unwrap().count(), 0);
        wire.fails(NONE);
        store.uploads.sweep_old().await.unwrap();
        assert_eq!(
            store.files_and_rows().await,
            (1, 0),
            "the one of the first store"
        );
    }
    assert_eq!(body(&store, &id).await.unwrap(), PDF);
}

/// ASVS: V16.5.2
#[tokio::test]
async fn a_download_that_the_server_cuts_ends_with_an_error() {
    let Some(wire) = Wire::to_server().await else {
        return;
    };
    let text = "All work and no play.\n".repeat(20_000);
    let first = wire.store(|_| {}).await;
    let id = first
        .keep::<Document>("a.txt", text.as_bytes())
        .await
        .unwrap();
    wire.0.passes.store(100_000, Ordering::SeqCst);
    wire.fails(CUT);
    let config = Config {
        s3: first.uploads.config().s3.clone(),
        ..first.uploads.config().clone()
    };
    let (db, log, clock) = (first.db.clone(), first.log.clone(), first.clock.clone());
    let second = Uploads::open(config, db, log, clock).unwrap();
    let response = second.serve(&id).await.unwrap().into_response();
    assert!(response.into_body().collect().await.is_err());
    wire.fails(NONE);
    assert!(body(&first, &id).await.unwrap() == text.as_bytes());
}

/// Several nodes share the bucket and the database.
#[tokio::test]
async fn the_start_of_one_node_leaves_the_work_of_another_alone() {
    let Some(wire) = Wire::to_server().await else {
        return;
    };
    let store = wire.store(|_| {}).await;
    let pending = store.unclaimed::<Document>("a.pdf", PDF).await.unwrap();
    // On its way: the object is there, and its row is not yet seen.
    let rowless = FileId::random();
    store.place(&rowless, PDF).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let mut config = store.uploads.config().clone();
    config.directory = elsewhere.path().join("uploads");
    let (db, log, clock) = (store.db.clone(), store.log.clone(), store.clock.clone());
    let other = Uploads::open(config, db, log, clock).unwrap();
    let swept = other.sweep().await.unwrap();
    assert_eq!(swept.unfinished, 0);
    let tx = store.db.begin().await.unwrap();
    let id = pending.commit_in(&tx).await.unwrap();
    tx.commit().await.unwrap();
    assert!(other.serve(&id).await.is_ok(), "the other node serves it");
    store.start_again();
    assert_eq!(other.sweep().await.unwrap().unfinished, 1);
    assert_eq!(store.files_and_rows().await, (1, 1));
    other.delete(&id).await.unwrap();
    assert!(matches!(
        store.uploads.serve(&id).await,
        Err(Error::NotFound)
    ));
}

async fn found(
    wire: &Wire,
    looking: Looking,
    change: impl FnOnce(&mut Config),
) -> Vec<&'static str> {
    let store = wire.store(change).await;
    let found = store.uploads.examine_storage(looking).await;
    found.iter().map(|finding| finding.id).collect()
}

/// ASVS: V8.2.2, V13.4.1
#[tokio::test]
async fn a_public_bucket_is_refused_and_what_is_unknown_is_said() {
    let Some(wire) = Wire::to_server().await else {
        return;
    };
    let at_start = Looking::AtStart;
    let private = found(&wire, at_start, |_| {}).await;
    assert_eq!(private, Vec::<&str>::new());
    for (name, expected) in [
        ("open-acl", "uploads-s3-public"),
        ("open-objects", "uploads-s3-public"),
        ("open-policy", "uploads-s3-public"),
        ("quiet", "uploads-s3-public-unknown"),
    ] {
        let found = found(&wire, at_start, |config| bucket::named(config, name)).await;
        assert_eq!(found, [expected], "{name}");
    }
    // `check` writes nothing, so a stranger's request for an object is not answered yet.
    let looked = found(&wire, Looking::AsFound, |_| {}).await;
    assert_eq!(looked, ["uploads-s3-no-marker"]);
}

#[tokio::test]
async fn a_mistake_of_the_operator_is_found_at_start() {
    let Some(wire) = Wire::to_server().await else {
        return;
    };
    let at_start = Looking::AtStart;
    let found = async |change: &dyn Fn(&mut Config)| found(&wire, at_start, change).await;
    let none = found(&|config| bucket::named(config, "no-such-bucket")).await;
    assert_eq!(none, ["uploads-s3-bucket"]);
    for (id, secret) in [
        ("dewar-test", "wrong"),
        ("nobody", "the-secret-of-the-tests"),
    ] {
        let wrong = found(&|config| bucket::with_key(config, id, secret)).await;
        assert_eq!(wrong, ["uploads-s3-credentials"], "{id}");
    }
    let away = found(&|config| config.s3.endpoint = Some("http://127.0.0.1:9".to_owned())).await;
    assert_eq!(away, ["uploads-s3-unreachable"]);
}

/// A request as any browser sends it, without credentials.
async fn get(address: &str) -> (u16, String, Vec<u8>) {
    let (host, path) = address
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut socket = TcpStream::connect(host).await.unwrap();
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(answer[..end].to_vec())
        .unwrap()
        .to_ascii_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, answer[end + 4..].to_vec())
}

/// The address is for one file, for a short time, and as a download.
///
/// ASVS: V5.4.1, V8.2.2
#[tokio::test]
async fn an_address_of_s3_opens_one_file_for_a_moment() {
    let Some(wire) = Wire::to_server().await else {
        return;
    };
    let store = wire.store(|_| {}).await;
    let id = store.keep::<Document>("März.pdf", PDF).await.unwrap();
    let other = store.keep::<Document>("b.pdf", PDF).await.unwrap();
    let response = store
        .uploads
        .redirect_to_storage(&id)
        .await
        .unwrap()
        .into_response();
    assert_eq!(response.status(), 303);
    let header = |name: &str| response.headers().get(name).unwrap().to_str().unwrap();
    assert_eq!(header("cache-control"), "private, no-store");
    assert_eq!(header("referrer-policy"), "no-referrer");
    let address = header("location");
    assert!(address.contains("X-Amz-Expires=120&"), "{address}");
    let (status, head, bytes) = get(address).await;
    assert_eq!((status, bytes.as_slice()), (200, PDF));
    assert!(
        head.contains("content-disposition: attachment; filename=\"m_rz.pdf\""),
        "{head}"
    );
    assert!(head.contains("content-type: application/pdf"), "{head}");
    let path = |id: &FileId| id.path().display().to_string();
    for tampered in [
        address.replace(&path(&id), &path(&other)),
        address.replace("X-Amz-Expires=120", "X-Amz-Expires=9999"),
        address.replace("attachment", "inline"),
        address.split_once('?').unwrap().0.to_owned(),
    ] {
        assert_ne!(&tampered, address);
        assert_eq!(get(&tampered).await.0, 403, "{tampered}");
    }
    let missing = store.uploads.redirect_to_storage(&FileId::random()).await;
    assert!(matches!(missing, Err(Error::NotFound)));
}

/// The quota counts in the database, so it holds for all nodes together.
///
/// ASVS: V5.2.4
#[tokio::test]
async fn nodes_share_the_quota_of_an_owner() {
    let Some(wire) = Wire::to_server().await else {
        return;
    };
    let store = wire.store(|config| config.quota_files = 1).await;
    let elsewhere = tempfile::tempdir().unwrap();
    let mut config = store.uploads.config().clone();
    config.directory = elsewhere.path().join("uploads");
    let (db, log) = (store.db.clone(), store.log.clone());
    let other = Uploads::open(config, db, log, Clock::system()).unwrap();
    store.keep::<Document>("a.txt", b"a").await.unwrap();
    let sent = store.sent::<Document>("b.txt", b"b");
    let refused = other.keep(UserId::new(1), sent).await;
    assert!(matches!(refused, Err(Error::Quota { .. })));
}
