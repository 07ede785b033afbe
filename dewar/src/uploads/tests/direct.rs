//! Files that a browser sends to the bucket itself: what their addresses take, and whose their tickets are.

use http::{HeaderMap, HeaderValue, header};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::bucket;
use super::made::{PDF, Store};
use crate::csrf::CsrfTokens;
use crate::forms::{Config as Forms, Field as _, Int, Intake, Line, MostUnderWay, RawValue};
use crate::secrets::{KeyRing, Token, sha256};
use crate::sessions::{Sessions, UserId};
use crate::uploads::store::RequestRooms;
use crate::uploads::{
    Config, DirectUpload, Document, Error, FileId, MIB, Picture, Policy, Sha256, StoragePlace,
    TicketRequest, Upload, UploadRejection, UploadTicket, Uploads,
};

const MOST: u64 = 10 * MIB;

/// A store, and the browsers that use it.
struct Portal {
    store: Store,
    ring: KeyRing,
}

impl Portal {
    async fn open(change: impl FnOnce(&mut Config)) -> Option<Self> {
        bucket::address()?;
        Some(Self::with(change).await)
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self {
            store: Store::with(change).await,
            ring: KeyRing::ephemeral(),
        }
    }

    /// The handle of a request from a browser with a session of its own.
    fn browser(&self) -> Uploads {
        let mut headers = HeaderMap::new();
        let cookie = format!("__Host-visitor={}", Token::new().reveal());
        headers.insert(header::COOKIE, HeaderValue::from_str(&cookie).unwrap());
        let (db, log, clock) = (&self.store.db, &self.store.log, &self.store.clock);
        let config = crate::sessions::Config::default();
        let sessions = Sessions::new(db.clone(), config, clock.clone(), log.clone());
        let uploads = &self.store.uploads;
        let most = MostUnderWay {
            files: 20,
            bytes: 500 * MIB,
            all_files: 1_000,
            all: 2_048 * MIB,
        };
        let mut browser = uploads.clone();
        browser.rooms = Some(RequestRooms {
            tokens: CsrfTokens::new(self.ring.clone(), &sessions.visitor(), &headers),
            intake: Intake::new(Forms::default(), uploads.config().quarantine()).bounded(most),
        });
        browser
    }

    /// Somebody with a key of the bucket puts an object in the place of another.
    async fn replace(&self, ticket: &UploadTicket, bytes: &'static [u8]) {
        self.store
            .uploads
            .inner
            .storage
            .place_incoming(&key(ticket), bytes)
            .await;
    }

    async fn incoming(&self) -> Vec<u64> {
        let storage = &self.store.uploads.inner.storage;
        let listed = storage.list_incoming(None).await.unwrap();
        listed.iter().map(|one| one.size).collect()
    }
}

/// The id in an address.
fn key(ticket: &UploadTicket) -> FileId {
    let address = ticket.address.as_deref().unwrap();
    let path = address.split_once('?').unwrap().0;
    path.rsplit_once('/').unwrap().1.parse().unwrap()
}

fn request(name: &str, size: u64, digest: Option<&[u8]>) -> TicketRequest {
    let hex = digest.map(|bytes| data_encoding::HEXLOWER.encode(&sha256(bytes)));
    TicketRequest {
        name: Line::parse(name).unwrap(),
        size: Int::parse(&size.to_string()).unwrap(),
        sha256: hex.map(|hex| Sha256::parse(RawValue::Text(&hex)).unwrap()),
    }
}

const ME: UserId = UserId::new(1);

/// A ticket for a document of these bytes.
async fn ticket(browser: &Uploads, name: &str, bytes: &[u8]) -> Result<UploadTicket, Error> {
    let request = request(name, bytes.len() as u64, Some(bytes));
    browser.ticket::<Document, MOST>(ME, request).await
}

/// Sends a request as a browser does, and says what the server answers.
async fn send(method: &str, address: &str, headers: &[(&str, &str)], bytes: &[u8]) -> u16 {
    let (host, path) = address
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut socket = TcpStream::connect(host).await.unwrap();
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let head = format!(
        "{method} /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\nConnection: close\r\n{lines}\r\n",
        bytes.len()
    );
    // The server may answer before it has read everything.
    drop(socket.write_all(head.as_bytes()).await);
    drop(socket.write_all(bytes).await);
    let mut answer = Vec::new();
    drop(socket.read_to_end(&mut answer).await);
    let answer = String::from_utf8_lossy(&answer).into_owned();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn headers(ticket: &UploadTicket) -> Vec<(&str, &str)> {
    let headers = ticket.headers.iter();
    headers
        .map(|header| (header.name.as_str(), header.value.as_str()))
        .collect()
}

async fn put(ticket: &UploadTicket, bytes: &[u8]) -> u16 {
    let address = ticket.address.as_deref().unwrap();
    send("PUT", address, &headers(ticket), bytes).await
}

/// A ticket whose file has arrived.
async fn sent(browser: &Uploads, name: &str, bytes: &[u8]) -> UploadTicket {
    let ticket = ticket(browser, name, bytes).await.unwrap();
    assert_eq!(put(&ticket, bytes).await, 200);
    ticket
}

fn field<P: Policy, const MAX: u64>(ticket: &UploadTicket) -> DirectUpload<P, MAX> {
    DirectUpload::of_ticket(ticket.ticket.as_deref().unwrap())
}

async fn receive(
    browser: &Uploads,
    ticket: &UploadTicket,
) -> Result<Upload<Document, MOST>, Error> {
    browser.receive(ME, field(ticket)).await
}

#[track_caller]
fn is_refused<T>(result: Result<T, Error>, wanted: &UploadRejection) {
    match result {
        Err(Error::Refused(why)) => assert_eq!(&why, wanted),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was taken"),
    }
}

/// ASVS: V5.2.1, V5.2.2
#[tokio::test]
async fn a_file_in_the_bucket_passes_the_same_checks_as_one_in_a_form() {
    let Some(portal) = Portal::open(|_| {}).await else {
        return;
    };
    let browser = portal.browser();
    let first = sent(&browser, "a.pdf", PDF).await;
    let upload = receive(&browser, &first).await.unwrap();
    assert_eq!((upload.name(), upload.size()), ("a.pdf", PDF.len() as u64));
    let kept = browser.keep(ME, upload).await.unwrap();
    let tx = portal.store.db.begin().await.unwrap();
    let id = kept.commit_in(&tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(portal.store.bytes(&id).await.unwrap(), PDF);
    for (name, bytes, word) in [
        (
            "late.pdf",
            b"junk before\n%PDF-1.7\n%%EOF\n".as_slice(),
            "damaged",
        ),
        (
            "page.txt",
            b"<!doctype html><script>alert(1)</script>",
            "page",
        ),
        ("paper.docx", b"PK\x03\x04 but not a zip", "damaged"),
        (
            "drawing.png",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>",
            "unknown_kind",
        ),
    ] {
        let ticket = sent(&browser, name, bytes).await;
        let upload = receive(&browser, &ticket).await.unwrap();
        let posted = portal
            .store
            .unclaimed::<Document>(name, bytes)
            .await
            .unwrap_err();
        let kept = browser.keep(ME, upload).await.unwrap_err();
        assert_eq!(kept.to_string(), posted.to_string(), "{name} {word}");
    }
    assert_eq!(portal.store.files_and_rows().await, (1, 1));
    // A name that the field does not take is refused before anything is sent.
    for name in ["shell.php", "x.php.pdf", "no-ending"] {
        assert!(
            matches!(ticket(&browser, name, PDF).await, Err(Error::Refused(_))),
            "{name}"
        );
    }
}

/// The signature covers the size, the digest, the kind and that nothing is replaced.
///
/// ASVS: V5.2.1, V8.2.2
#[tokio::test]
async fn an_address_takes_the_announced_file_and_nothing_else() {
    let Some(portal) = Portal::open(|_| {}).await else {
        return;
    };
    let browser = portal.browser();
    let ticket = ticket(&browser, "a.pdf", PDF).await.unwrap();
    let address = ticket.address.clone().unwrap();
    let longer = [PDF, b" "].concat();
    assert_eq!(put(&ticket, &longer).await, 403, "a longer file");
    assert_eq!(put(&ticket, &PDF[1..]).await, 403, "a shorter file");
    let other = vec![b'x'; PDF.len()];
    assert_eq!(put(&ticket, &other).await, 400, "other bytes");
    for name in ["if-none-match", "content-type", "x-amz-checksum-sha256"] {
        let mut without = headers(&ticket);
        without.retain(|(header, _)| *header != name);
        assert_eq!(without.len(), 2, "{name}");
        assert_eq!(send("PUT", &address, &without, PDF).await, 403, "{name}");
    }
    let mut page = headers(&ticket);
    for (name, value) in &mut page {
        if *name == "content-type" {
            *value = "text/html";
        }
    }
    assert_eq!(send("PUT", &address, &page, PDF).await, 403, "as a page");
    let elsewhere = address.replace("/incoming/", "/kept/");
    assert_eq!(
        send("PUT", &elsewhere, &headers(&ticket), PDF).await,
        403,
        "as a stored file"
    );
    let id = key(&ticket);
    let another = address.replace(id.as_str(), FileId::random().as_str());
    assert_eq!(
        send("PUT", &another, &headers(&ticket), PDF).await,
        403,
        "as another file"
    );
    let later = address.replace("X-Amz-Expires=900&", "X-Amz-Expires=90000&");
    assert_ne!(later, address);
    assert_eq!(
        send("PUT", &later, &headers(&ticket), PDF).await,
        403,
        "for longer"
    );
    for method in ["GET", "DELETE"] {
        assert_eq!(
            send(method, &address, &headers(&ticket), b"").await,
            403,
            "{method}"
        );
    }
    assert_eq!(portal.incoming().await, Vec::<u64>::new());
    assert_eq!(put(&ticket, PDF).await, 200);
}

/// Neither before the form nor after it.
///
/// ASVS: V2.3.1
#[tokio::test]
async fn an_address_creates_one_object_and_replaces_none() {
    let Some(portal) = Portal::open(|_| {}).await else {
        return;
    };
    let browser = portal.browser();
    let ticket = sent(&browser, "a.pdf", PDF).await;
    assert_eq!(put(&ticket, PDF).await, 412, "twice");
    receive(&browser, &ticket).await.unwrap();
    // The object is used up, and its place is taken until the address ends.
    assert_eq!(put(&ticket, PDF).await, 412, "after the form");
    assert_eq!(portal.incoming().await, [0]);
    let served = portal.store.uploads.serve(&key(&ticket)).await;
    assert!(matches!(served, Err(Error::NotFound)));
}

/// ASVS: V2.3.1, V8.2.2
#[tokio::test]
async fn a_ticket_is_for_one_person_one_session_one_field_and_one_time() {
    let Some(portal) = Portal::open(|_| {}).await else {
        return;
    };
    let browser = portal.browser();
    let mine = sent(&browser, "a.pdf", PDF).await;
    let unknown = UploadRejection::TicketUnknown;
    let eve = UserId::new(2);
    is_refused(
        browser.receive(eve, field::<Document, MOST>(&mine)).await,
        &unknown,
    );
    is_refused(receive(&portal.browser(), &mine).await, &unknown);
    is_refused(
        browser.receive(ME, field::<Picture, MOST>(&mine)).await,
        &unknown,
    );
    is_refused(
        browser
            .receive(ME, field::<Document, { 20 * MIB }>(&mine))
            .await,
        &unknown,
    );
    for forged in [key(&mine).as_str(), "x", &"a".repeat(1000)] {
        let forged = DirectUpload::<Document, MOST>::of_ticket(forged);
        is_refused(browser.receive(ME, forged).await, &unknown);
    }
    // Outside a request there is no session that it could be of.
    is_refused(receive(&portal.store.uploads, &mine).await, &unknown);
    let (one, other) = tokio::join!(receive(&browser, &mine), receive(&browser, &mine));
    assert_eq!(u8::from(one.is_ok()) + u8::from(other.is_ok()), 1);
    is_refused(receive(&browser, &mine).await, &unknown);
    let events = portal.store.events().await;
    let refused = ("upload_validation".to_owned(), "ticket_unknown".to_owned());
    assert!(
        events.iter().filter(|event| **event == refused).count() >= 8,
        "{events:?}"
    );
    let late = sent(&browser, "b.pdf", PDF).await;
    portal
        .store
        .clock
        .advance(portal.store.uploads.config().ticket_ttl);
    is_refused(
        receive(&browser, &late).await,
        &UploadRejection::TicketEnded,
    );
}

/// ASVS: V2.3.1, V5.2.1
#[tokio::test]
async fn an_object_that_is_not_the_announced_file_is_refused() {
    let Some(portal) = Portal::open(|_| {}).await else {
        return;
    };
    let browser = portal.browser();
    let other = UploadRejection::TicketOtherFile;
    let never = ticket(&browser, "a.pdf", PDF).await.unwrap();
    is_refused(receive(&browser, &never).await, &other);
    let shorter = sent(&browser, "a.txt", b"one").await;
    portal.replace(&shorter, b"on").await;
    is_refused(receive(&browser, &shorter).await, &other);
    let longer = sent(&browser, "a.txt", b"one").await;
    portal.replace(&longer, b"ones").await;
    is_refused(receive(&browser, &longer).await, &other);
    // Of the same size: the browser computed the digest.
    let changed = sent(&browser, "a.txt", b"one").await;
    portal.replace(&changed, b"two").await;
    is_refused(receive(&browser, &changed).await, &other);
    assert_eq!(portal.store.files_and_rows().await, (0, 0));
}

/// The bytes that were examined are the bytes that are kept.
///
/// ASVS: V5.2.2
#[tokio::test]
async fn an_object_that_is_replaced_after_the_fetch_changes_nothing() {
    let Some(portal) = Portal::open(|_| {}).await else {
        return;
    };
    let browser = portal.browser();
    let ticket = browser
        .ticket::<Document, MOST>(ME, request("a.txt", 3, None))
        .await
        .unwrap();
    assert_eq!(ticket.headers.len(), 2, "without a digest");
    assert_eq!(put(&ticket, b"one").await, 200);
    let upload = receive(&browser, &ticket).await.unwrap();
    portal.replace(&ticket, b"two").await;
    let kept = browser.keep(ME, upload).await.unwrap();
    portal.replace(&ticket, b"two").await;
    let tx = portal.store.db.begin().await.unwrap();
    let id = kept.commit_in(&tx).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(portal.store.bytes(&id).await.unwrap(), b"one");
}

/// ASVS: V2.4.1, V5.2.4
#[tokio::test]
async fn tickets_are_bounded_for_each_owner_and_in_all() {
    let Some(portal) = Portal::open(|config| {
        config.tickets_per_owner = 2;
        config.tickets = 4;
        config.ticket_bytes = 100;
        config.quota_bytes = 60;
    })
    .await
    else {
        return;
    };
    let browser = portal.browser();
    let ask = async |owner: i64, size: u64| {
        let request = request("a.txt", size, None);
        let asked = browser.ticket::<Document, MOST>(UserId::new(owner), request);
        match asked.await {
            Ok(_) => "taken",
            Err(Error::Tickets) => "of the owner",
            Err(Error::Busy) => "of all",
            Err(Error::Quota { .. }) => "quota",
            Err(Error::Refused(_)) => "field",
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(ask(1, MOST + 1).await, "field");
    assert_eq!(ask(1, 61).await, "quota");
    assert_eq!(ask(1, 40).await, "taken");
    assert_eq!(ask(1, 21).await, "quota", "beside the open one");
    assert_eq!(ask(1, 5).await, "taken");
    assert_eq!(ask(1, 5).await, "of the owner");
    assert_eq!(ask(2, 56).await, "of all", "bytes");
    assert_eq!(ask(2, 10).await, "taken");
    assert_eq!(ask(3, 10).await, "taken");
    assert_eq!(ask(4, 10).await, "of all", "tickets");
    // A ticket counts until it ended and was swept.
    portal
        .store
        .clock
        .advance(portal.store.uploads.config().ticket_ttl);
    assert_eq!(ask(4, 10).await, "of all");
    portal
        .store
        .clock
        .advance(std::time::Duration::from_secs(120));
    portal.store.uploads.sweep_old().await.unwrap();
    assert_eq!(ask(4, 10).await, "taken");
}

/// The files of one owner: stored, and on their way.
///
/// ASVS: V5.2.4
#[tokio::test]
async fn a_ticket_counts_with_what_its_owner_stores() {
    let Some(portal) = Portal::open(|config| config.quota_files = 2).await else {
        return;
    };
    let browser = portal.browser();
    portal.store.keep::<Document>("a.txt", b"a").await.unwrap();
    ticket(&browser, "b.txt", b"b").await.unwrap();
    let third = ticket(&browser, "c.txt", b"c").await;
    assert!(matches!(third, Err(Error::Quota { .. })), "{third:?}");
}

/// ASVS: V2.3.3
#[tokio::test]
async fn a_sweep_deletes_ended_tickets_and_objects_without_one() {
    let Some(portal) = Portal::open(|_| {}).await else {
        return;
    };
    let browser = portal.browser();
    let uploads = &portal.store.uploads;
    let abandoned = sent(&browser, "a.txt", b"one").await;
    let used = sent(&browser, "b.txt", b"two").await;
    receive(&browser, &used).await.unwrap();
    uploads
        .inner
        .storage
        .place_incoming(&FileId::random(), b"without a ticket")
        .await;
    uploads
        .inner
        .storage
        .begin_incoming(&FileId::random())
        .await;
    uploads.sweep_old().await.unwrap();
    assert_eq!(
        portal.incoming().await.len(),
        3,
        "a form may come in a moment"
    );
    portal.store.clock.advance(uploads.config().ticket_ttl);
    portal
        .store
        .clock
        .advance(std::time::Duration::from_secs(120));
    uploads.sweep_old().await.unwrap();
    assert_eq!(portal.incoming().await.len(), 1, "it may be on its way");
    portal
        .store
        .clock
        .advance(std::time::Duration::from_secs(60 * 60));
    assert_eq!(
        uploads.sweep_old().await.unwrap().unfinished,
        2,
        "the object, and the parts"
    );
    assert_eq!(portal.incoming().await, Vec::<u64>::new());
    is_refused(
        receive(&browser, &abandoned).await,
        &UploadRejection::TicketUnknown,
    );
    let left = portal
        .store
        .db
        .query("SELECT id FROM dewar_upload_tickets", [])
        .await;
    assert!(left.unwrap().is_empty());
}

/// The tickets of a person who is deleted go with their files.
#[tokio::test]
async fn the_objects_of_a_deleted_owner_go() {
    let Some(portal) = Portal::open(|_| {}).await else {
        return;
    };
    let browser = portal.browser();
    let mine = sent(&browser, "a.txt", b"one").await;
    portal.store.uploads.delete_all_of(ME).await.unwrap();
    assert_eq!(portal.incoming().await, Vec::<u64>::new());
    is_refused(
        receive(&browser, &mine).await,
        &UploadRejection::TicketUnknown,
    );
}

#[tokio::test]
async fn a_file_too_large_for_one_request_and_a_program_s_file_belong_into_the_form() {
    let Some(portal) = Portal::open(|_| {}).await else {
        return;
    };
    let browser = portal.browser();
    let five = 5 * 1024 * MIB;
    let large = request("a.txt", five + 1, None);
    let large = browser
        .ticket::<Document, { 6 * 1024 * MIB }>(ME, large)
        .await
        .unwrap();
    assert!(large.ticket.is_none() && large.address.is_none());
    let mut program = browser.clone();
    if let Some(rooms) = &mut program.rooms {
        rooms.tokens = CsrfTokens::not_needed(portal.ring.clone());
    }
    let asked = ticket(&program, "a.pdf", PDF).await.unwrap();
    assert!(asked.ticket.is_none() && asked.address.is_none());
}

/// The same code of an application, without a bucket.
#[tokio::test]
async fn on_the_disk_the_form_carries_the_file() {
    let portal = Portal::with(|config| config.storage = StoragePlace::Disk).await;
    let browser = portal.browser();
    let asked = ticket(&browser, "a.pdf", PDF).await.unwrap();
    assert!(asked.ticket.is_none() && asked.address.is_none());
    let posted = portal.store.sent::<Document>("a.pdf", PDF);
    let posted = DirectUpload::<Document, MOST>::posted(posted);
    let upload = browser.receive(ME, posted).await.unwrap();
    drop(browser.keep(ME, upload).await.unwrap());
    is_refused(
        browser
            .receive(ME, DirectUpload::<Document, MOST>::of_ticket("x"))
            .await,
        &UploadRejection::TicketUnknown,
    );
}

#[tokio::test]
async fn a_bucket_that_lets_no_page_put_a_file_is_named() {
    let Some(portal) = Portal::open(|_| {}).await else {
        return;
    };
    let ours = "https://portal.example.org";
    let storage = &portal.store.uploads.inner.storage;
    assert!(storage.cors_finding(ours).await.is_none());
    for (name, found) in [("open-acl", Some("uploads-s3-cors")), ("quiet", None)] {
        let portal = Portal::with(|config| bucket::named(config, name)).await;
        let storage = &portal.store.uploads.inner.storage;
        let finding = storage.cors_finding(ours).await;
        assert_eq!(finding.map(|finding| finding.id), found, "{name}");
    }
}
