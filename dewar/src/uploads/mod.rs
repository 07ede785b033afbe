//! **uploads: the content decides what a file is; no uploaded file is run, shown as something else, or stored half written.**
//!
//! ```
//! use dewar::{Db, sessions::UserId};
//! use dewar::uploads::{Download, FileId, MIB, Picture, Upload, Uploads};
//!
//! // A field of a form: picture: Upload<Picture, { 2 * MIB }>
//! async fn change(db: Db, uploads: Uploads, me: UserId, sent: Upload<Picture, { 2 * MIB }>) -> dewar::Result<()> {
//!     let file = uploads.keep(me, sent).await?;  // examined, encoded again, outside every served directory
//!     let tx = db.begin().await?;
//!     tx.execute("UPDATE people SET picture = ? WHERE id = ?", [file.commit_in(&tx).await?.into(), me.into()]).await?;
//!     Ok(tx.commit().await?)                     // the file and its row exist together, or neither does
//! }
//! async fn download(uploads: Uploads, id: FileId) -> dewar::Result<Download> { Ok(uploads.serve(&id).await?) }
//! ```
//!
//! # What it refuses
//!
//! 1. More bytes than the field takes, while they are read (ASVS 5.2.1).
//! 2. A kind that the policy does not list, by content; a wrong extension (ASVS 5.2.2; CWE-434, CWE-646); `x.php.png`; control
//!    characters in names.
//! 3. Pages and scripts under the name of a text, and text of no known encoding or with control characters. Letters at the
//!    beginning of a text are no signature: `MZ,Mozambique` is a table.
//! 4. A PDF with something before or after it, or with an object that is a script, starts a program, or calls another computer by
//!    itself, in any revision, in object streams and in encrypted files that open without a password (ASVS 5.2.2; CWE-434).
//! 5. Office documents (OOXML, `OpenDocument`) with macros, controls, embedded programs, DDE, or anything that a program fetches by
//!    itself; archives with programs, links or paths that lead out; both if they are encrypted, unpack to too much or are read
//!    differently by two programs (ASVS 5.2.3, 5.2.5; CWE-409, CWE-436, CWE-611).
//! 6. Pictures that are damaged, of more than 100 million pixels or 640 MiB decoded, of more than 32 scans or 1,000 frames (ASVS
//!    5.2.6; CWE-400), or followed by something else. Dewar encodes a [`Picture`] again, in the colours of sRGB, so metadata,
//!    locations and polyglots are gone. Recordings and films whose containers lie, or load something from elsewhere. A file that takes
//!    longer to examine than `uploads.examine_timeout`.
//! 7. More than the owner's quota of bytes and files (ASVS 5.2.4), and more than the owner's share of the workers that examine files
//!    (ASVS 2.4.1; CWE-770).
//! 8. To show anything in a page except a re-encoded picture. All else is an attachment, with `nosniff` and the policy
//!    `sandbox` (ASVS 3.2.1, 5.4.1).
//! 9. A file without a row. [`Uploads::keep`] returns a [`PendingFile`]. Get its id inside a transaction; if the
//!    transaction does not commit, or the program is killed, Dewar deletes the file (ASVS 2.3.3; CWE-459).
//!
//! 10. A file with a virus, if `uploads.virus_scan` is on. With `required`, Dewar serves no file that the scanner has not seen
//!     (ASVS 5.4.3).
//!
//! Files have random names and mode 0400, in directories with mode 0700. The visitor's file name is only a text to show.
//!
//! # How to loosen it
//!
//! A [`Policy`] of your own can list fewer kinds, not others: each kind is a row in a table with an examination of its own. Dewar
//! stores CSV as it was sent. A spreadsheet runs its formulas, so say so beside the link. Decide who may have a file before you call
//! [`Uploads::serve`]; an id is no permission. When a row no longer refers to a file, [`release`](Uploads::release) the file in the
//! same transaction, or it stays on its owner's quota.
//!
//! # What the audit asks
//!
//! Does the directory belong to this user alone, and is it one file system ([`findings`])? Is a bucket public? Dewar serves no directory as
//! it is; static files are inside the program. Events: `upload_complete`, `upload_validation`, `upload_stored`,
//! `upload_delete`.

mod archive;
mod attached;
mod bucket;
mod charset;
mod checks;
mod clamd;
mod config;
mod container_end;
mod direct;
mod disposition;
mod download;
mod error;
mod examine;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod id;
mod kind;
mod link;
mod media;
mod moving;
mod name;
mod nested;
mod office;
mod other;
mod pdf;
mod pending;
mod picture;
mod png_chunks;
mod policy;
mod queue;
mod recognise;
mod rejection;
mod rescan;
mod rows;
mod scan;
mod storage;
mod store;
mod svg;
mod sweep;
mod text;
mod thumbnail;
mod thumbnail_rows;
mod ticket;
mod ticket_rows;
mod trailer;
mod upload;
mod verify;
mod virus_scan;
mod xml;
mod zip_entries;

pub(crate) use attached::FileInMemory;
pub use charset::Charset;
pub use checks::findings;
pub use clamd::ClamdAddress;
pub use config::Config;
pub use direct::DirectUpload;
pub use download::{BrowserCache, Download, InlineImage, StorageRedirect};
pub use error::Error;
pub use id::{FileId, NotAFileId};
pub use kind::FileKind;
pub use pending::PendingFile;
pub use policy::{
    Animation, AnyFile, Archive, Bytes, Document, Media, Photo, Picture, PlainText, Policy,
    Spreadsheet,
};
pub use rejection::UploadRejection;
pub use rows::{StoredFile, Used};
pub use storage::{S3Bucket, S3Config, S3Encryption, StoragePlace};
pub use store::Uploads;
pub use sweep::Swept;
pub use thumbnail::Thumbnail;
pub use ticket::{Sha256, TicketHeader, TicketRequest, UploadTicket};
pub use upload::{KIB, MIB, Upload};
pub use virus_scan::{ScanStatus, VirusScan};

pub(crate) use bucket::{Binding, bind};
pub(crate) use moving::{Moved, copy_all};
pub(crate) use rescan::Rescanned;
pub(crate) use rows::{MIGRATIONS, all_stored};
pub(crate) use storage::{AwsEnvironment, Looking, Marking, STORAGE, Storage, bucket_for};
pub(crate) use verify::{Depth, Fault, Verification};
pub(crate) use virus_scan::unreachable;

/// The cryptography that the room uses, for the command `keys inventory`.
pub(crate) fn inventory() -> Vec<crate::audit::inventory::Cryptography> {
    use crate::audit::inventory::{AlgorithmKind, Cryptography};
    let word = crate::audit::Practice::Uploads;
    vec![
        Cryptography::new(word, AlgorithmKind::Hash, "content of files", "SHA-256")
            .used_for("recorded with each kept file"),
    ]
}

#[cfg(test)]
mod tests;

/// Compiles the examples on the practice's page like those of the code.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/practices/uploads.md")]
struct PracticePage;
