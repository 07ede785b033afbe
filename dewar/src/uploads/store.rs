//! `Uploads`: stores, serves and deletes files.

use std::fs::{File, TryLockError};
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tokio::io::AsyncRead;
use tokio::sync::oneshot;

use super::bucket::Binding;
use super::config::Config;
use super::disposition;
use super::download::{Content, Download, InlineImage, StorageRedirect, entity_tag};
use super::error::Error;
use super::examine::{Examined, examine};
use super::id::FileId;
use super::name::FileName;
use super::pending::PendingFile;
use super::picture::Deadline;
use super::policy::{Bytes, Policy};
use super::queue::{InHand, ScanPermit, ScanQueue, UploadSender};
use super::recognise::Rules;
use super::rows::{self, StoredFile, Used};
use super::storage::{self, Looking, Storage, StoragePlace};
use super::thumbnail::Thumbnails;
use super::thumbnail_rows;
use super::upload::Upload;
use super::virus_scan::{ScanStatus, ScannerHealth};
use crate::audit::{Clock, Entry, Event, Finding, Log, NodeName, Practice, owner_only};
use crate::csrf::CsrfTokens;
use crate::database::{Db, Tx, refuse_while_reading};
use crate::forms::{Described, FromParts, HandlerInput, Incoming, Intake};
use crate::https::{ClientAddress, RequestInfo};
use crate::pages;
use crate::pages::Sealed;
use crate::pages::ranges::{FileAnswer, FileRequest};
use crate::sessions::UserId;

/// The handle of the room: an input of handlers, cheap to clone.
///
/// ```
/// use dewar::Db;
/// use dewar::sessions::UserId;
/// use dewar::uploads::{Document, MIB, Upload, Uploads};
///
/// async fn keep(db: Db, uploads: Uploads, me: UserId, file: Upload<Document, { 10 * MIB }>) -> dewar::Result<()> {
///     let file = uploads.keep(me, file).await?;
///     let tx = db.begin().await?;
///     let id = file.commit_in(&tx).await?;
///     tx.execute("INSERT INTO papers (owner, file) VALUES (?, ?)", [me.into(), id.into()]).await?;
///     Ok(tx.commit().await?)
/// }
/// ```
#[derive(Clone)]
pub struct Uploads {
    pub(super) inner: Arc<Inner>,
    /// The conditions and the range of the request that this handle serves, if it came out of one.
    request: Arc<FileRequest>,
    /// The network that sent that request.
    pub(super) network: Option<IpAddr>,
    /// The rooms of that request that a ticket needs.
    pub(super) rooms: Option<RequestRooms>,
}

/// What a ticket needs of the request.
#[derive(Clone, Debug)]
pub(super) struct RequestRooms {
    /// They seal a ticket for the session.
    pub(super) tokens: CsrfTokens,
    /// It takes the file into quarantine.
    pub(super) intake: Intake,
}

pub(super) struct Inner {
    pub(super) config: Config,
    pub(super) db: Db,
    pub(super) clock: Clock,
    log: Log,
    pub(super) queue: ScanQueue,
    pub(super) scanner: ScannerHealth,
    pub(super) thumbnails: Thumbnails,
    pub(super) storage: Storage,
    /// The lock, if this process holds it and no other does.
    pub(super) alone: Option<File>,
}

/// How long an address of S3 is valid: a browser follows it at once, and clocks differ a little.
const ADDRESS_VALID: Duration = Duration::from_secs(120);

/// A file-system error with the path of the file.
fn named(file: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", file.display()))
}

impl Uploads {
    /// Opens the directories and creates missing ones with mode 0700. Run [`sweep`](Self::sweep) next, after the
    /// migrations of the database.
    ///
    /// # Errors
    /// The directories cannot be created.
    pub fn open(config: Config, db: Db, log: Log, clock: Clock) -> Result<Self, Error> {
        for directory in [config.directory.clone(), config.quarantine(), config.kept()] {
            owner_only::create_directory(&directory).map_err(|error| named(&directory, &error))?;
        }
        let file = config.lock();
        let lock = owner_only::private(File::options().create(true).append(true))
            .open(&file)
            .map_err(|error| named(&file, &error))?;
        let alone = match lock.try_lock() {
            Ok(()) => Some(lock),
            Err(TryLockError::WouldBlock) => None,
            Err(TryLockError::Error(error)) => return Err(error.into()),
        };
        Ok(Self {
            inner: Arc::new(Inner {
                queue: ScanQueue::new(&config),
                thumbnails: Thumbnails::new(&config),
                storage: Storage::open(&config, &clock)?,
                config,
                db,
                clock,
                log,
                scanner: ScannerHealth::default(),
                alone,
            }),
            request: Arc::default(),
            network: None,
            rooms: None,
        })
    }

    /// The findings about a storage beyond this machine: whether it can be used, and whether it is public.
    pub(crate) async fn examine_storage(&self, looking: Looking) -> Vec<Finding> {
        self.inner.storage.findings(looking).await
    }

    /// The same for these settings, before anything is open. What cannot be opened is among them, and whether the pages of this
    /// origin can send files, if they have to.
    pub(crate) async fn storage_findings(
        config: &Config,
        db: Option<&Db>,
        clock: &Clock,
        pages: Option<&str>,
    ) -> Vec<Finding> {
        if config.storage == StoragePlace::Disk {
            return Vec::new();
        }
        let found = async {
            let storage = Storage::open(config, clock)?;
            let mut found = storage.findings(Looking::AsFound).await;
            if let Some(origin) = pages {
                found.extend(storage.cors_finding(origin).await);
            }
            if !found.iter().any(|finding| finding.refuses_launch) {
                found.extend(Binding::of(db, &storage).await?.finding(&config.storage));
            }
            Ok::<_, Error>(found)
        };
        match found.await {
            Ok(found) => found,
            Err(error) => vec![
                Finding::refuse(
                    Practice::Uploads,
                    "uploads-s3-open",
                    "cannot open the storage of the files",
                )
                .why(error.to_string())
                .fix("fix the cause, then start again"),
            ],
        }
    }

    /// Why the directories and the lock could not be opened. It creates nothing.
    pub(crate) fn unusable(config: &Config) -> Option<Error> {
        let directories = [config.directory.clone(), config.quarantine(), config.kept()];
        let mut wrong = directories.into_iter().filter_map(|directory| {
            let error = owner_only::unusable_directory(&directory)?;
            Some(named(&directory, &error))
        });
        let lock = || {
            let file = config.lock();
            owner_only::unusable_file(&file).map(|error| named(&file, &error))
        };
        wrong.next().or_else(lock).map(Error::from)
    }

    /// Examines a file and stores it: recognises its content, compares it with the name and the policy, hashes it, and
    /// writes it to the disk under a random name, with a row. [Commit](PendingFile::commit_in) the file in the transaction
    /// of your own row. Otherwise Dewar deletes it, also if the caller goes away or the program is killed.
    ///
    /// # Errors
    /// [`Error::Refused`] and [`Error::Quota`], which have a [`problem`](Error::problem) for the visitor;
    /// [`Error::Share`] if too many files of this owner wait or are being examined, [`Error::Busy`] if too many of all
    /// owners are.
    pub async fn keep<P: Policy, const MAX: u64>(
        &self,
        owner: UserId,
        upload: Upload<P, MAX>,
    ) -> Result<PendingFile, Error> {
        let (incoming, name) = upload.into_parts();
        self.record(Event::UploadComplete, owner, &name, |entry| {
            entry.detail(P::NAME)
        });
        let network = incoming.network();
        let seat = self
            .inner
            .queue
            .seat(UploadSender { owner, network })
            .await?;
        let config = &self.inner.config;
        // This comes first, so that an owner without quota causes no work. The insert of the row checks it again.
        let used = rows::used_by(&self.inner.db, owner).await?;
        if used.files >= config.quota_files || used.bytes >= config.quota_bytes {
            return Err(self.refused(
                owner,
                &name,
                Error::Quota {
                    files: config.quota_files,
                    bytes: config.quota_bytes,
                },
            ));
        }
        // The examination writes a picture anew, and the storage of this disk keeps it.
        config.free().check(incoming.size())?;
        let (examined, seat) = self
            .look::<P>(seat, incoming, name.clone())
            .await
            .map_err(|error| self.refused(owner, &name, error))?;
        let scan = self.scan(&examined).await;
        drop(seat);
        let scan = scan.map_err(|error| self.refused(owner, &name, error))?;
        let kept = StoredFile {
            id: FileId::random(),
            owner,
            kind: examined.kind,
            charset: examined.charset,
            size: examined.size,
            sha256: examined.sha256,
            name: name.as_str().to_owned(),
            created_at: self.inner.clock.now(),
            written_anew: P::BYTES == Bytes::Reencoded,
            scan,
            scan_tries: 0,
            is_held: false,
        };
        self.clone()
            .store(examined, kept, P::NAME)
            .await
            .map_err(|error| self.refused(owner, &name, error))
    }

    /// Examines one file on a thread of its own. The permit is free when the examination ends, not when the visitor goes
    /// away: otherwise a client that disconnects again and again could have any number of files examined at once.
    pub(super) async fn look<P: Policy>(
        &self,
        seat: ScanPermit,
        incoming: Incoming,
        name: FileName,
    ) -> Result<(Examined, ScanPermit), Error> {
        let quarantine = self.inner.config.quarantine();
        let (clock, time) = (self.inner.clock.clone(), self.inner.config.examine_timeout);
        blocking(move || {
            // The time counts from here: a file that waits for a worker costs nothing.
            let deadline = Deadline::after(&clock, time);
            let rules = Rules::of::<P>(&deadline);
            let examined = examine(&seat, incoming, &name, rules, &quarantine)?;
            Ok::<_, Error>((examined, seat))
        })
        .await
    }

    /// Stores row and file in a task of its own, because a visitor who goes away must not stop it half way.
    async fn store(
        self,
        examined: Examined,
        kept: StoredFile,
        policy: &'static str,
    ) -> Result<PendingFile, Error> {
        let (answer, stored) = oneshot::channel();
        tokio::spawn(async move {
            let result = self.store_all(examined, &kept, policy).await;
            // If nobody waits any more, the file is dropped as pending and deleted.
            drop(answer.send(result.map(|()| PendingFile::new(self, kept))));
        });
        stored
            .await
            .map_err(|_| io::Error::other("the task that stores a file ended early"))?
    }

    async fn store_all(
        &self,
        examined: Examined,
        kept: &StoredFile,
        policy: &'static str,
    ) -> Result<(), Error> {
        let Inner { config, db, .. } = &*self.inner;
        let (quota_bytes, quota_files) = (config.quota_bytes, config.quota_files);
        rows::insert(
            db,
            rows::New {
                kept,
                policy,
                quota_bytes,
                quota_files,
            },
        )
        .await?;
        // A sweep of another node takes a row that is pending for too long, and this must have ended before.
        let within = config.pending_ttl / 2;
        let moved = self.inner.storage.put(&kept.id, examined, within).await;
        if moved.is_err()
            && let Err(error) = self.abandon(&kept.id).await
        {
            tracing::warn!(id = %kept.id, %error, "a file was not removed; the next sweep removes it");
        }
        moved
    }

    /// The row of a stored file.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn find(&self, id: &FileId) -> Result<StoredFile, Error> {
        rows::find(&self.inner.db, id).await
    }

    /// Serves a file as an attachment, whatever its kind. Decide first whether this visitor may have it.
    ///
    /// If the handle is an input of the handler, the response follows the request's conditions and its range, so that an
    /// interrupted download continues.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Unscanned`] if the file waits for the virus scanner, [`Error::Infected`] if it had a
    /// virus.
    pub async fn serve(&self, id: &FileId) -> Result<Download, Error> {
        let kept = self.find(id).await?;
        served(&kept)?;
        let content = self.content(&kept).await?;
        Ok(Download::new(kept, content))
    }

    /// Serves a picture for use in a page, if it was re-encoded.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotShown`] for every other file; [`Error::Unscanned`] and [`Error::Infected`] as
    /// [`serve`](Self::serve).
    pub async fn show(&self, id: &FileId) -> Result<InlineImage, Error> {
        let kept = self.find(id).await?;
        if !(kept.written_anew && kept.kind.is_picture()) {
            return Err(Error::NotShown);
        }
        served(&kept)?;
        let content = self.content(&kept).await?;
        Ok(InlineImage::new(kept, content))
    }

    /// Lets the storage send a file, as an attachment: with S3 a redirect to an address there, which is valid for two minutes
    /// for anybody who has it. The application sends no byte of the file, and its headers of a download are those of S3: the
    /// recorded kind and the name, without the policy `sandbox`. From the disk, the application sends the file.
    ///
    /// # Errors
    /// As [`serve`](Self::serve).
    pub async fn redirect_to_storage(&self, id: &FileId) -> Result<StorageRedirect, Error> {
        let kept = self.find(id).await?;
        served(&kept)?;
        // An address is for one method.
        if !self.request.is_head() {
            let disposition = disposition::attachment(&kept.name);
            let disposition = disposition.to_str().unwrap_or("attachment");
            let named = (kept.kind.media_type(), disposition);
            let address = self.inner.storage.address(id, ADDRESS_VALID, named).await?;
            if let Some(address) = address {
                return StorageRedirect::to(&address)
                    .map_err(|error| Error::Io(io::Error::other(error)));
            }
        }
        let content = self.content(&kept).await?;
        Ok(StorageRedirect::here(Download::new(kept, content)))
    }

    /// All bytes of a stored file, which are those that were stored.
    pub(super) async fn open_kept(
        &self,
        kept: &StoredFile,
    ) -> Result<impl AsyncRead + Unpin + use<>, Error> {
        let storage = &self.inner.storage;
        let pieces = storage.read(&kept.id, kept.size, 0..kept.size).await?;
        Ok(storage::reader(pieces, kept.size, kept.sha256))
    }

    /// The bytes that the request wants, opened.
    pub(super) async fn content(&self, kept: &StoredFile) -> Result<Content, Error> {
        let answer = self.request.answer(&entity_tag(&kept.sha256), kept.size);
        let (part, whole) = match &answer {
            FileAnswer::Part(part) => (part.clone(), None),
            FileAnswer::Whole => (0..kept.size, Some(kept.sha256)),
            FileAnswer::AnotherVersion | FileAnswer::Known | FileAnswer::NoSuchPart => {
                return Ok(Content::new(answer, Body::empty()));
            }
        };
        let storage = &self.inner.storage;
        if self.request.is_head() {
            return match storage.size(&kept.id).await? {
                Some(size) if size == kept.size => Ok(Content::new(answer, Body::empty())),
                Some(_) | None => Err(Error::Damaged),
            };
        }
        let length = part.end.saturating_sub(part.start);
        let pieces = storage.read(&kept.id, kept.size, part).await?;
        Ok(Content::new(answer, storage::body(pieces, length, whole)))
    }

    /// Releases a file together with the row that referred to it. Dewar serves it until this transaction commits, and
    /// deletes it soon after. After a rollback it stays.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn release(&self, tx: &Tx, id: &FileId) -> Result<(), Error> {
        let (uploads, kept) = (self.clone(), self.find(id).await?);
        rows::leaving(tx, id).await?;
        thumbnail_rows::leaving_with(tx, id).await?;
        self.note_deleted(tx, &kept).await?;
        tx.after_commit(move || {
            uploads.in_background(kept.id, Leaving::Said);
        });
        Ok(())
    }

    /// Deletes a file that no row of the application refers to. Dewar stops serving it at once.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn delete(&self, id: &FileId) -> Result<(), Error> {
        refuse_while_reading()?;
        let kept = self.find(id).await?;
        let tx = self.inner.db.begin().await?;
        rows::leaving(&tx, id).await?;
        thumbnail_rows::leaving_with(&tx, id).await?;
        self.note_deleted(&tx, &kept).await?;
        tx.commit().await?;
        self.remove(id).await
    }

    /// Deletes all files of an owner, for example with the account. Returns their number.
    ///
    /// # Errors
    /// A file could not be deleted; those before it are deleted.
    pub async fn delete_all_of(&self, owner: UserId) -> Result<usize, Error> {
        refuse_while_reading()?;
        self.remove_tickets_of(owner).await?;
        let (mut deleted, mut last) = (0, None);
        loop {
            let page = rows::of_owner(&self.inner.db, owner, last.as_ref()).await?;
            for id in &page {
                match self.delete(id).await {
                    Ok(()) | Err(Error::NotFound) => {}
                    Err(error) => return Err(error),
                }
            }
            deleted += page.len();
            let Some(end) = page.into_iter().next_back() else {
                return Ok(deleted);
            };
            last = Some(end);
        }
    }

    /// The storage that an owner uses.
    ///
    /// # Errors
    /// The database failed.
    pub async fn used_by(&self, owner: UserId) -> Result<Used, Error> {
        rows::used_by(&self.inner.db, owner).await
    }

    /// The node whose audit log gets the entries.
    pub(super) fn node(&self) -> &NodeName {
        self.inner.log.node()
    }

    pub(crate) fn in_hand(&self) -> InHand {
        self.inner.queue.in_hand()
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// Deletes a file unless a transaction has committed it.
    pub(super) async fn abandon(&self, id: &FileId) -> Result<(), Error> {
        match rows::unclaimed(&self.inner.db, id).await {
            Ok(()) => self.remove(id).await,
            Err(Error::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Deletes file, thumbnails and rows; the row is `leaving`. After a crash in between, the next sweep deletes the row.
    pub(super) async fn remove(&self, id: &FileId) -> Result<(), Error> {
        self.remove_thumbnails(id).await?;
        self.remove_bytes(id).await?;
        rows::gone(&self.inner.db, id).await
    }

    /// Deletes the bytes of a file, if they are there.
    pub(super) async fn remove_bytes(&self, id: &FileId) -> Result<(), Error> {
        self.inner.storage.remove(id).await
    }

    /// Deletes a file in the background. If that fails, or the program ends first, a sweep does it.
    pub(super) fn in_background(self, id: FileId, why: Leaving) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let done = match why {
                Leaving::Said => self.remove(&id).await,
                Leaving::Pending => self.abandon(&id).await,
            };
            if let Err(error) = done {
                tracing::warn!(%id, %error, "a file was not removed; the next sweep removes it");
            }
        });
    }

    /// Runs in the transaction, so every stored file has a log entry, whenever the program is killed.
    pub(super) async fn note_stored(&self, tx: &Tx, kept: &StoredFile) -> Result<(), Error> {
        let entry = about(Event::UploadStored, kept).outcome(kept.kind);
        self.record_in(tx, entry).await
    }

    async fn note_deleted(&self, tx: &Tx, kept: &StoredFile) -> Result<(), Error> {
        self.record_in(tx, about(Event::UploadDelete, kept)).await
    }

    pub(super) async fn record_in(&self, tx: &Tx, entry: Entry) -> Result<(), Error> {
        Ok(tx.record(&self.inner.log, entry).await?)
    }

    /// Logs a refusal and returns the error.
    fn refused(&self, owner: UserId, name: &FileName, error: Error) -> Error {
        let why = match &error {
            Error::Quota { .. } => "quota",
            Error::Refused(refused) => refused.word(),
            Error::Busy
            | Error::Damaged
            | Error::Database(_)
            | Error::Infected
            | Error::Io(_)
            | Error::NoThumbnail
            | Error::NotFound
            | Error::NotShown
            | Error::Share
            | Error::Tickets
            | Error::Unavailable(_)
            | Error::Unscannable
            | Error::Unscanned => {
                return error;
            }
        };
        self.record(Event::UploadValidation, owner, name, |entry| {
            entry.outcome("refused").detail(why)
        });
        error
    }

    pub(super) fn note(&self, entry: Entry) {
        self.inner.log.record(entry);
    }

    fn record(
        &self,
        event: Event,
        owner: UserId,
        name: &FileName,
        more: impl FnOnce(Entry) -> Entry,
    ) {
        self.inner
            .log
            .record(more(Entry::new(event).actor(owner).subject(name.as_str())));
    }
}

/// Dewar serves no file that waits for the virus scanner, and none that had a virus.
pub(super) fn served(kept: &StoredFile) -> Result<(), Error> {
    match kept.scan {
        ScanStatus::Clean | ScanStatus::NotScanned => Ok(()),
        ScanStatus::Infected => Err(Error::Infected),
        ScanStatus::Waiting if kept.scan_tries > 0 => Err(Error::Unscannable),
        ScanStatus::Waiting => Err(Error::Unscanned),
    }
}

pub(super) fn about(event: Event, kept: &StoredFile) -> Entry {
    let name = FileName::stored(kept.name.clone());
    let entry = Entry::new(event).actor(kept.owner).subject(name.as_str());
    entry.detail(&kept.id)
}

/// Why a file is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leaving {
    /// Its row is `leaving`.
    Said,
    /// No transaction committed it.
    Pending,
}

/// Runs work that blocks, on a thread for such work.
pub(super) async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, Error>
where
    T: Send + 'static,
    E: Into<Error> + Send + 'static,
{
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(io::Error::other)?.map_err(Into::into)
}

impl std::fmt::Debug for Uploads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Uploads")
            .field("config", &self.inner.config)
            .finish_non_exhaustive()
    }
}

impl<S: Sync> FromRequestParts<S> for Uploads {
    type Rejection = pages::Error;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, pages::Error> {
        let context = pages::RequestContext::of(parts)?;
        let uploads = context.service::<Self>()?;
        let rooms = context.tokens().ok().zip(context.service::<Intake>().ok());
        Ok(Self {
            rooms: rooms.map(|(tokens, intake)| RequestRooms {
                tokens: tokens.clone(),
                intake: intake.clone(),
            }),
            inner: Arc::clone(&uploads.inner),
            request: Arc::new(FileRequest::of(parts)),
            network: RequestInfo::get(&parts.extensions)
                .and_then(|info| info.address)
                .map(ClientAddress::network),
        })
    }
}

impl HandlerInput for Uploads {
    fn describe(_route: &mut Described, _: Sealed) {}
}

impl FromParts for Uploads {}
