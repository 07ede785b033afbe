//! `Upload`: the type of a form field for a file.

use std::fmt;
use std::marker::PhantomData;

use super::kind::FileKind;
use super::name::FileName;
use super::policy::{Policy, is_sound};
use super::recognise::claimed;
use super::rejection::UploadRejection;
use crate::audit::{self, size};
use crate::forms::{
    CleanName, Field, FieldKind, FormValue, Incoming, Problem, RawValue, RefusedFile,
};
use crate::pages::{Message, Words};

/// 1,024 bytes.
pub const KIB: u64 = audit::KIB;

/// 1,048,576 bytes.
pub const MIB: u64 = audit::MIB;

/// An arrived file of at most `MAX` bytes, in quarantine. Dropping it deletes the file.
///
/// Pass it to [`Uploads::keep`](super::Uploads::keep); it has no constructor, no path and no access to its bytes. Its
/// size was limited while it was read, and its name is clean and has an extension that the policy knows. `keep` checks
/// its content.
///
/// ```
/// use dewar::forms::Field;
/// use dewar::uploads::{MIB, Picture, Upload};
///
/// type Avatar = Upload<Picture, { 2 * MIB }>;
/// assert_eq!(Avatar::KIND.accept, Some(".png,.jpg,.jpeg,.jpe,.jfif,.pjpeg,.pjp,.webp,.gif"));
/// assert_eq!(Avatar::HINT, "PNG, JPEG, WebP or GIF, up to 2 MiB.");
/// ```
///
/// For several files in one field use [`Many`](crate::forms::Many) with their number in the type; a `Vec` takes up to 64,
/// within `forms.files`. Store them one after the other:
///
/// ```
/// use dewar::forms::Many;
/// use dewar::uploads::{Document, MIB, PendingFile, Upload, Uploads};
/// use dewar::{CurrentUser, Form, Redirect};
///
/// #[derive(Form)]
/// struct Claim { receipts: Many<Upload<Document, { 5 * MIB }>, 1, 5> }
///
/// async fn claim(me: CurrentUser, uploads: Uploads, form: Form<Claim>) -> dewar::Result<Redirect> {
///     let (claim, bound) = form.bind("claims/new.html")?;
///     let mut kept: Vec<PendingFile> = Vec::new(); // if one is refused, Dewar deletes those before it
///     for receipt in claim.receipts.into_vec() {
///         let file = uploads.keep(me.id(), receipt).await;
///         kept.push(bound.or_refuse(file, Claim::RECEIPTS)?); // or the form again, with the message at the field
///     }
///     // In one transaction: `commit_in` each, and write its row.
///     Ok(Redirect::to("/claims"))
/// }
/// ```
///
/// A field without a policy does not compile:
///
/// ```compile_fail
/// # use dewar::{forms::Field, uploads::{MIB, Upload}};
/// fn a_field<F: Field>() {}
/// a_field::<Upload<Vec<u8>, { 2 * MIB }>>();
/// ```
pub struct Upload<P, const MAX: u64> {
    incoming: Incoming,
    name: FileName,
    policy: PhantomData<fn() -> P>,
}

impl<P: Policy, const MAX: u64> Upload<P, MAX> {
    /// The accepted kinds and the size, as a sentence beside the field.
    pub const HINT: &'static str = Self::HINT_TEXT.as_str();

    const ACCEPT: &'static str = Self::ACCEPT_TEXT.as_str();
    const ACCEPT_TEXT: Spelled = Spelled::extensions(P::KINDS);
    const HINT_TEXT: Spelled = Spelled::hint(P::KINDS, MAX);
    const LABELS: &'static str = Self::LABELS_TEXT.as_str();
    const LABELS_TEXT: Spelled = Spelled::labels(P::KINDS);

    /// The visitor's name for the file, cleaned: a text to show.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// The number of bytes that arrived.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.incoming.size()
    }

    /// A file that "arrived" in a test, through the same parser as any other.
    #[cfg(test)]
    pub(super) fn arrived(incoming: Incoming) -> Result<Self, Problem> {
        Self::parse(RawValue::File(incoming))
    }

    /// A file that was fetched from the storage. Its name and size are checked as those of a file in a form.
    pub(super) fn fetched(incoming: Incoming) -> Result<Self, UploadRejection> {
        let name = Self::judge(&incoming)?;
        Ok(Self {
            incoming,
            name,
            policy: PhantomData,
        })
    }

    /// The checks of a file that did not come yet.
    pub(super) fn announced(name: &str, size: u64) -> Result<(), UploadRejection> {
        if size > MAX {
            return Err(UploadRejection::TicketOtherFile);
        }
        Self::named(&CleanName::of(name)).map(drop)
    }

    pub(super) fn into_parts(self) -> (Incoming, FileName) {
        (self.incoming, self.name)
    }

    /// The checks of a file before its bytes are examined.
    fn judge(incoming: &Incoming) -> Result<FileName, UploadRejection> {
        if incoming.size() == 0 {
            return Err(UploadRejection::Empty);
        }
        Self::named(incoming.clean_name())
    }

    /// The name, if its extension is one of the field's.
    fn named(name: &CleanName) -> Result<FileName, UploadRejection> {
        let name = FileName::of(name, P::KINDS)?;
        let claimed = claimed(&name.extension(), P::KINDS).ok_or(UploadRejection::UnknownKind)?;
        if P::KINDS.contains(&claimed) {
            Ok(name)
        } else {
            Err(UploadRejection::UnknownKind)
        }
    }
}

/// The problem for the visitor, also logged with the name and one word for the reason.
fn problem(words: impl Into<Words>, incoming: &Incoming, why: &'static str) -> Problem {
    let name = incoming.name().to_owned();
    Problem::refused_file(words, RefusedFile { name, why })
}

impl<P: Policy, const MAX: u64> Field for Upload<P, MAX> {
    const KIND: FieldKind = {
        assert!(
            is_sound::<P>(),
            "an upload policy needs a name and kinds; only images can be re-encoded, and SVG has to be"
        );
        assert!(MAX > 0, "an upload of 0 bytes accepts nothing");
        let mut kind = FieldKind::file(Self::ACCEPT, MAX).file_kinds(Self::LABELS);
        if accepts_any(P::KINDS) {
            kind.accept = None;
        }
        kind
    };

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        let incoming = raw.file()?;
        // The reader stops at the limit of the form's field. An application's field can have a larger limit and pass its file
        // to this type.
        if incoming.size() > MAX {
            let message = Message::new("forms-file-size").with("size", size(MAX));
            return Err(problem(message, &incoming, "too_large"));
        }
        match Self::judge(&incoming) {
            Ok(name) => Ok(Self {
                incoming,
                name,
                policy: PhantomData,
            }),
            Err(refused) => {
                let words = if refused == UploadRejection::UnknownKind {
                    let kinds: Vec<&str> = P::KINDS.iter().map(|kind| kind.label()).collect();
                    let message = Message::new("forms-file-kind").with("kinds", kinds.join(", "));
                    Words::from(message.with("size", size(MAX)))
                } else {
                    Words::from(refused.message())
                };
                Err(problem(words, &incoming, refused.word()))
            }
        }
    }

    fn show(&self) -> FormValue {
        FormValue::Nothing
    }
}

/// A file equals only itself, not another one of the same name and bytes.
impl<P, const MAX: u64> PartialEq for Upload<P, MAX> {
    fn eq(&self, other: &Self) -> bool {
        self.incoming.path() == other.incoming.path()
    }
}

impl<P, const MAX: u64> fmt::Debug for Upload<P, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("name", &self.name)
            .field("size", &self.incoming.size())
            .finish_non_exhaustive()
    }
}

/// Whether a policy accepts files of no known kind.
const fn accepts_any(kinds: &[FileKind]) -> bool {
    let mut rest = kinds;
    while let [kind, others @ ..] = rest {
        if matches!(kind, FileKind::Other) {
            return true;
        }
        rest = others;
    }
    false
}

/// Enough for the extensions and for the names of all kinds; a longer text does not compile.
const LONGEST_TEXT: usize = 2 * 1024;

/// A text that is put together at compile time.
struct Spelled {
    bytes: [u8; LONGEST_TEXT],
    length: usize,
}

impl Spelled {
    const fn empty() -> Self {
        Self {
            bytes: [0; LONGEST_TEXT],
            length: 0,
        }
    }

    const fn as_str(&'static self) -> &'static str {
        match std::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "it runs at compile time, where out of bounds is a compiler error"
    )]
    const fn and(mut self, text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut at = 0;
        while at < bytes.len() {
            self.bytes[self.length] = bytes[at];
            self.length += 1;
            at += 1;
        }
        self
    }

    /// `.png,.jpg,.jpeg`: for the attribute `accept`, which helps visitors and protects nothing.
    const fn extensions(kinds: &[FileKind]) -> Self {
        let mut text = Self::empty();
        let mut rest = kinds;
        while let [kind, others @ ..] = rest {
            let mut names = kind.extensions();
            while let [name, more @ ..] = names {
                let separator = if text.length == 0 { "." } else { ",." };
                text = text.and(separator).and(name);
                names = more;
            }
            rest = others;
        }
        text
    }

    /// `PNG, JPEG, WebP`, in any language.
    const fn labels(kinds: &[FileKind]) -> Self {
        let mut text = Self::empty();
        let mut rest = kinds;
        while let [kind, others @ ..] = rest {
            let separator = if text.length == 0 { "" } else { ", " };
            text = text.and(separator).and(kind.label());
            rest = others;
        }
        text
    }

    /// `PNG, JPEG or WebP, up to 2 MiB.`
    const fn hint(kinds: &[FileKind], max: u64) -> Self {
        let (mut text, mut rest) = (Self::empty(), kinds);
        if accepts_any(kinds) {
            (text, rest) = (text.and("Any file, "), &[]);
        }
        while let [kind, others @ ..] = rest {
            text = text.and(kind.label()).and(match others {
                [] | [_, _, ..] => ", ",
                [_] => " or ",
            });
            rest = others;
        }
        text = text.and("up to ");
        let (number, unit) = audit::whole_units(max);
        text.and_number(number).and(" ").and(unit).and(".")
    }

    const fn and_number(self, number: u64) -> Self {
        let text = if number >= 10 {
            self.and_number(number / 10)
        } else {
            self
        };
        text.and(match number % 10 {
            0 => "0",
            1 => "1",
            2 => "2",
            3 => "3",
            4 => "4",
            5 => "5",
            6 => "6",
            7 => "7",
            8 => "8",
            _ => "9",
        })
    }
}
