//! **No uploaded file is run, shown as something else, or lies half written: what it is, its bytes say.**
//!
//! ```
//! use dewar::{Db, sessions::UserId};
//! use dewar::uploads::{Download, FileId, MIB, Picture, Upload, Uploads};
//!
//! // A field of a form: picture: Upload<Picture, { 2 * MIB }>
//! async fn change(db: Db, uploads: Uploads, me: UserId, sent: Upload<Picture, { 2 * MIB }>) -> dewar::Result<()> {
//!     let file = uploads.keep(me, sent).await?;  // looked at, written anew, outside every served directory
//!     let tx = db.begin().await?;
//!     tx.execute("UPDATE people SET picture = ? WHERE id = ?", [file.claim(&tx).await?.into(), me.into()]).await?;
//!     Ok(tx.commit().await?)                     // file and row are there together, or neither
//! }
//! async fn download(uploads: Uploads, id: FileId) -> dewar::Result<Download> { Ok(uploads.serve(&id).await?) }
//! ```
//!
//! # What it refuses
//!
//! 1. More bytes than the field takes, while they are read (ASVS 5.2.1).
//! 2. A kind that the policy does not list, by content; an extension that says something else (ASVS 5.2.2; CWE-434,
//!    CWE-646); `x.php.png`; control characters in names.
//! 3. Pages and scripts that are called text; text that is not UTF-8 or holds control characters. Letters at the beginning
//!    of a text are no signature: `MZ,Mozambique` is a table.
//! 4. PDF with something before or after it, with scripts or commands that start a program, as far as they stand
//!    uncompressed. Into compressed object streams nobody looks; a PDF is therefore only ever an attachment.
//! 5. DOCX and ODT with macros, controls, embedded programs, remote templates, DTDs, encryption, paths that lead out,
//!    or that unpack to too much (ASVS 5.2.3, 5.2.5; CWE-409, CWE-611).
//! 6. Pictures that are damaged, larger than 8,000 x 8,000 pixels or 128 MiB decoded, or stored in more than 32 scans
//!    (ASVS 5.2.6; CWE-400), or followed by something else. [`Picture`] is written anew, so metadata, places and polyglots
//!    are gone.
//! 7. More than the owner's quota of bytes and files (ASVS 5.2.4), and more than a share of the workers that look at files
//!    (ASVS 2.4.1; CWE-770).
//! 8. To show anything in a page but a picture that was written anew; all else is an attachment, `nosniff`, under a
//!    policy of `sandbox` (ASVS 3.2.1, 5.4.1).
//! 9. A file that no row refers to: [`Uploads::keep`] gives an [`Unclaimed`], whose id is had inside a transaction only;
//!    what is not claimed goes, whenever the program was killed (ASVS 2.3.3; CWE-459).
//!
//! Files lie under random names with mode 0400, in directories with mode 0700; the visitor's name is a text to show.
//! There is no scan for viruses here yet, no ranges, and no check of free space.
//!
//! # How to loosen it, and what you then owe
//!
//! A [`Policy`] of your own may list fewer kinds, not others: a kind is a row in a table with a look that belongs to it.
//! CSV is kept as it was sent: whoever opens it in a spreadsheet runs its formulas, so say so beside the link. Who may
//! have a file is yours to decide before [`Uploads::serve`]; an id is no permission. A row that ceases to refer to a file
//! [`release`](Uploads::release)s it in the same transaction: whoever forgets that leaves it on its owner's quota.
//!
//! # What the audit asks
//!
//! Whether the directory is its owner's alone, and one file system ([`findings`]). Nothing is served from a directory as
//! it is: static files are inside the program. Events: `upload_complete`, `upload_validation`, `upload_stored`, `upload_delete`.

mod archive;
mod checks;
mod config;
mod disposition;
mod download;
mod error;
mod examine;
mod id;
mod kind;
mod name;
mod pdf;
mod picture;
mod policy;
mod queue;
mod recognise;
mod refused;
mod rows;
mod scan;
mod scans;
mod store;
mod sweep;
mod tags;
mod text;
mod unclaimed;
mod upload;
mod whole;

pub use checks::findings;
pub use config::Config;
pub use download::{Download, Shown};
pub use error::Error;
pub use id::{FileId, NotAFileId};
pub use kind::FileKind;
pub use policy::{Bytes, Document, Picture, Policy};
pub use refused::Refused;
pub use rows::{Kept, Used};
pub use store::Uploads;
pub use sweep::Swept;
pub use unclaimed::Unclaimed;
pub use upload::{KIB, MIB, Upload};

pub(crate) use rows::MIGRATIONS;

/// What cryptography the room uses, for the command `keys inventory`.
pub(crate) fn inventory() -> Vec<crate::audit::inventory::Cryptography> {
    use crate::audit::inventory::{Cryptography, Kind};
    let word = crate::audit::Word::Uploads;
    vec![
        Cryptography::new(word, Kind::Hash, "content of files", "SHA-256")
            .used_for("recorded with each kept file"),
    ]
}

#[cfg(test)]
mod tests;
