//! Small pictures of stored pictures, in sizes that the program declares.
//!
//! A thumbnail is an object of its own with a row of its own, which names the file that it shows. So a sweep, `uploads verify`
//! and `uploads move` treat it as any other file. It goes with its file, and does not count in the owner's quota: the number
//! of sizes in a program bounds it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tokio::io::AsyncWriteExt as _;

use super::config::Config;
use super::download::InlineImage;
use super::error::Error;
use super::examine::Examined;
use super::id::FileId;
use super::kind::PictureFormat;
use super::name::FileName;
use super::picture::{self, Deadline};
use super::queue::{ScanPermit, ScanQueue, UploadSender};
use super::rejection::UploadRejection;
use super::rows::StoredFile;
use super::store::{Inner, Uploads, blocking, served};
use super::thumbnail_rows as rows;
use super::virus_scan::ScanStatus;
use crate::database;
use crate::forms::QuarantinedFile;

/// The longest side of a thumbnail.
const MAX_SIDE: u32 = 2_048;

/// Requests that wait for a thumbnail that is not made yet, of all senders and of one.
const WAITING: usize = 256;

/// How many pictures of which no thumbnail can be made a process remembers.
const REMEMBERED: usize = 1_000;

/// A size of thumbnails: at most so many pixels wide and high. A picture keeps its proportions, and a smaller one its size.
///
/// The size is a constant of the program. A size from a request would let anybody fill the storage with sizes, so there is no
/// way to make one of a number that is not known at compile time.
///
/// ```
/// use dewar::uploads::{FileId, InlineImage, Thumbnail, Uploads};
///
/// const CARD: Thumbnail<160, 160> = Thumbnail::new();
///
/// async fn card(uploads: Uploads, id: FileId) -> dewar::Result<InlineImage> {
///     Ok(uploads.thumbnail(&id, CARD).await?) // made once, at the first request
/// }
/// ```
///
/// A side of 0 or of more than 2,048 pixels does not compile:
///
/// ```compile_fail
/// use dewar::uploads::Thumbnail;
/// let poster = Thumbnail::<10_000, 10_000>::new();
/// ```
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Thumbnail<const WIDTH: u32, const HEIGHT: u32>;

impl<const WIDTH: u32, const HEIGHT: u32> Thumbnail<WIDTH, HEIGHT> {
    /// The size.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "a size is a constant")]
    pub const fn new() -> Self {
        const {
            assert!(
                WIDTH > 0 && WIDTH <= MAX_SIDE && HEIGHT > 0 && HEIGHT <= MAX_SIDE,
                "a side of a thumbnail has 1 to 2,048 pixels"
            );
        }
        Self
    }

    /// The word in the database.
    fn word() -> String {
        format!("{WIDTH}x{HEIGHT}")
    }
}

/// What a process knows about thumbnails that are being made.
#[derive(Debug)]
pub(super) struct Thumbnails {
    /// One thumbnail is made at a time, and networks take turns. So thumbnails never have more than one of the workers that
    /// examine files, and many requests for one thumbnail are one decoding.
    queue: ScanQueue,
    /// Pictures that cannot be decoded within the limits. Otherwise each request would try again.
    impossible: Mutex<VecDeque<(FileId, String)>>,
}

impl Thumbnails {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            queue: ScanQueue::of_one(WAITING, config.wait),
            impossible: Mutex::default(),
        }
    }

    fn is_impossible(&self, id: &FileId, size: &str) -> bool {
        let known = self.impossible.lock();
        let known = known.unwrap_or_else(PoisonError::into_inner);
        known
            .iter()
            .any(|(of, in_size)| of == id && in_size == size)
    }

    fn note_impossible(&self, id: FileId, size: String) {
        let known = self.impossible.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.pop_front();
        }
        known.push_back((id, size));
    }
}

/// A thumbnail to make.
#[derive(Debug)]
struct Wanted {
    of: StoredFile,
    format: PictureFormat,
    size: String,
    sides: (u32, u32),
}

impl Uploads {
    /// Serves a small picture of a stored GIF, JPEG, PNG or WebP, for use in a page, also of one that is stored byte for byte:
    /// a thumbnail is always encoded anew. It shows the first frame, upright, in the colours of a page.
    ///
    /// Decide first whether this visitor may have the file, as for [`serve`](Self::serve). The first request makes the
    /// thumbnail, with one of the workers that examine files, and stores it beside the file; it goes with the file and does
    /// not count in its owner's quota. While the file waits for the virus scanner, its thumbnail is served to nobody either.
    ///
    /// # Errors
    /// [`Error::NoThumbnail`] if the kind has none ([`FileKind::has_thumbnail`](super::FileKind::has_thumbnail)) or the
    /// picture cannot be decoded within the limits; [`Error::Busy`] if too many thumbnails have to be made;
    /// [`Error::NotFound`], [`Error::Unscanned`] and [`Error::Infected`] as [`serve`](Self::serve).
    pub async fn thumbnail<const WIDTH: u32, const HEIGHT: u32>(
        &self,
        id: &FileId,
        _size: Thumbnail<WIDTH, HEIGHT>,
    ) -> Result<InlineImage, Error> {
        let kept = self.find(id).await?;
        served(&kept)?;
        let wanted = Wanted {
            format: kept.kind.picture_format().ok_or(Error::NoThumbnail)?,
            of: kept,
            size: Thumbnail::<WIDTH, HEIGHT>::word(),
            sides: (WIDTH, HEIGHT),
        };
        let made = match rows::find(&self.inner.db, id, &wanted.size).await? {
            Some(made) => made,
            None => self.make(&wanted).await?,
        };
        match self.content(&made).await {
            // Its bytes are lost, and can be made again.
            Err(Error::Damaged) => {
                rows::leaving(&self.inner.db, &made.id).await?;
                self.remove(&made.id).await?;
                let made = self.make(&wanted).await?;
                let content = self.content(&made).await?;
                Ok(InlineImage::new(made, content))
            }
            content => Ok(InlineImage::new(made, content?)),
        }
    }

    async fn make(&self, wanted: &Wanted) -> Result<StoredFile, Error> {
        let Wanted { of, size, .. } = wanted;
        let thumbnails = &self.inner.thumbnails;
        if thumbnails.is_impossible(&of.id, size) {
            return Err(Error::NoThumbnail);
        }
        let sender = UploadSender {
            owner: of.owner,
            network: self.network,
        };
        let turn = thumbnails.queue.seat(sender).await?;
        // Another request made it while this one waited.
        if let Some(made) = rows::find(&self.inner.db, &of.id, size).await? {
            return Ok(made);
        }
        if thumbnails.is_impossible(&of.id, size) {
            return Err(Error::NoThumbnail);
        }
        let seat = self.inner.queue.seat(sender).await?;
        // In a task of its own, because a visitor who goes away must not stop it half way.
        let (uploads, wanted) = (
            self.clone(),
            Wanted {
                of: of.clone(),
                size: size.clone(),
                ..*wanted
            },
        );
        let made = tokio::spawn(async move {
            let made = uploads.draw_and_store(wanted, seat).await;
            drop(turn);
            made
        });
        made.await.map_err(std::io::Error::other)?
    }

    async fn draw_and_store(&self, wanted: Wanted, seat: ScanPermit) -> Result<StoredFile, Error> {
        let Inner { config, clock, .. } = &*self.inner;
        let within = config.examine_timeout;
        let original = tokio::time::timeout(within, self.fetch(&wanted.of)).await;
        let original = original.map_err(|_| {
            Error::Unavailable("the storage sends the picture too slowly".to_owned())
        })??;
        let (quarantine, clock) = (config.quarantine(), clock.clone());
        let (format, sides) = (wanted.format, wanted.sides);
        let drawn = blocking(move || {
            let deadline = Deadline::after(&clock, within);
            let drawn = draw(&original, format, &quarantine, sides, &deadline);
            drop(seat);
            drawn
        });
        match drawn.await {
            Ok(drawn) => self.store_thumbnail(wanted, drawn).await,
            Err(Error::Refused(refused)) => {
                let id = &wanted.of.id;
                tracing::warn!(%id, %refused, "no thumbnail can be made of a stored picture");
                self.inner
                    .thumbnails
                    .note_impossible(wanted.of.id, wanted.size);
                Err(Error::NoThumbnail)
            }
            Err(error) => Err(error),
        }
    }

    /// The bytes of the file, where decoders can read them: in quarantine, as everything that is decoded.
    async fn fetch(&self, kept: &StoredFile) -> Result<QuarantinedFile, Error> {
        let config = &self.inner.config;
        let (free, quarantine, size) = (config.free(), config.quarantine(), kept.size);
        let (place, file) = blocking(move || {
            free.check(size)?;
            QuarantinedFile::create(&quarantine)
        })
        .await?;
        let mut file = tokio::fs::File::from_std(file);
        let mut bytes = self.open_kept(kept).await?;
        tokio::io::copy(&mut bytes, &mut file).await?;
        file.flush().await?;
        Ok(place)
    }

    async fn store_thumbnail(&self, wanted: Wanted, drawn: Examined) -> Result<StoredFile, Error> {
        let Wanted { of, size, .. } = wanted;
        let Inner {
            config, db, clock, ..
        } = &*self.inner;
        let made = StoredFile {
            id: FileId::random(),
            owner: of.owner,
            kind: drawn.kind,
            charset: None,
            size: drawn.size,
            sha256: drawn.sha256,
            name: name(&of.name, &size, drawn.kind.extensions()),
            created_at: clock.now(),
            written_anew: true,
            // Dewar wrote every byte of it.
            scan: ScanStatus::NotScanned,
            scan_tries: 0,
            is_held: false,
        };
        rows::insert(db, &made, &of.id, &size).await?;
        let within = config.pending_ttl / 2;
        let stored = match self.inner.storage.put(&made.id, drawn, within).await {
            Ok(()) => rows::committed(db, &made.id, &of.id).await,
            Err(error) => Err(error),
        };
        let Err(error) = stored else {
            return Ok(made);
        };
        if let Err(error) = self.abandon(&made.id).await {
            tracing::warn!(id = %made.id, %error, "a thumbnail was not removed; the next sweep removes it");
        }
        // Another node was faster.
        if matches!(error, Error::Database(database::Error::Unique { .. })) {
            return rows::find(db, &of.id, &size).await?.ok_or(Error::NotFound);
        }
        Err(error)
    }

    /// Deletes the thumbnails of a file that is on its way out, or had a virus.
    pub(super) async fn remove_thumbnails(&self, id: &FileId) -> Result<(), Error> {
        rows::all_leaving(&self.inner.db, id).await?;
        for thumbnail in rows::of(&self.inner.db, id).await? {
            self.remove_bytes(&thumbnail).await?;
            super::rows::gone(&self.inner.db, &thumbnail).await?;
        }
        Ok(())
    }
}

fn draw(
    original: &QuarantinedFile,
    format: PictureFormat,
    quarantine: &std::path::Path,
    sides: (u32, u32),
    deadline: &Deadline,
) -> Result<Examined, Error> {
    let (place, mut out) = QuarantinedFile::create(quarantine)?;
    let drawn = picture::thumbnail(format, &mut original.open()?, &mut out, sides, deadline);
    if deadline.has_passed() {
        return Err(UploadRejection::TooSlow.into());
    }
    let kind = drawn.map_err(|trouble| trouble.or_damaged(format.kind()))?;
    Examined::sealed(kind, None, place)
}

/// `holiday-160x160.jpg` of `holiday.png`.
fn name(of: &str, size: &str, extensions: &[&str]) -> String {
    let stem = of.rsplit_once('.').map_or(of, |(stem, _)| stem);
    let extension = extensions.first().copied().unwrap_or("jpg");
    let name = FileName::parse(&format!("{stem}-{size}.{extension}"));
    let name = name.map(|name| name.as_str().to_owned());
    name.unwrap_or_else(|_| format!("thumbnail-{size}.{extension}"))
}
