//! A part of a form of Adobe's XML Forms Architecture (XFA). A form may compute nothing and call nothing.

use std::io::Cursor;

use crate::uploads::kind::FileKind;
use crate::uploads::recognise::RecognitionError;
use crate::uploads::rejection::UploadRejection;
use crate::uploads::xml::{self, Piece, Tags};

/// The elements that run a script, call a server or send the form (XFA 3.3, part 1).
const ACTIVE: &[&str] = &[
    "connect",
    "execute",
    "exObject",
    "script",
    "submit",
    "wsdlConnection",
    "xmlConnection",
    "xsdConnection",
];

/// The parts follow each other in one document, so a part alone may have more ends than beginnings. A part that ends within
/// a tag is refused: the next part would finish it.
///
/// # Errors
/// It runs or calls something, or cannot be read.
pub(super) fn look(part: &[u8]) -> Result<(), UploadRejection> {
    let mut each = |piece: Piece<'_>| match piece {
        Piece::Start(element) if ACTIVE.contains(&element.name.as_str()) => {
            Err(UploadRejection::Active {
                what: "a form with scripts",
            })
        }
        Piece::Start(_) | Piece::Text(_) | Piece::End(_) => Ok(()),
    };
    let unread = || UploadRejection::Active {
        what: "a form that cannot be examined",
    };
    match xml::read(
        &mut Cursor::new(part),
        FileKind::Pdf,
        Tags::Loose,
        &mut each,
    ) {
        Ok(()) => Ok(()),
        Err(
            RecognitionError::Refused(UploadRejection::Damaged { .. }) | RecognitionError::Io(_),
        ) => Err(unread()),
        Err(RecognitionError::Refused(refused)) => Err(refused),
    }
}
