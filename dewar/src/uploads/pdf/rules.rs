//! The rules for a PDF. The rules look at dictionaries, wherever they are; a name in a text or an address means
//! nothing.
//!
//! An action counts by its kind together with the entry that it needs (`/S /Launch` with `/F`), because a tagged document may
//! have a structure element `/S /Launch`, named after a style.

use std::collections::HashSet;

use super::object::{Dictionary, Object};
use crate::uploads::rejection::UploadRejection;
use crate::uploads::{link, name};

pub(super) const NOT_EXAMINED: UploadRejection = UploadRejection::Active {
    what: "a part that cannot be examined",
};
const SCRIPT: UploadRejection = UploadRejection::Active { what: "a script" };
const PROGRAM: UploadRejection = UploadRejection::Active {
    what: "a command that starts a program",
};
const EMBEDDED: UploadRejection = UploadRejection::Active {
    what: "an embedded program",
};
const BY_ITSELF: UploadRejection = UploadRejection::Active {
    what: "an action that runs when the file is opened",
};

/// Actions that a reader may carry out by itself: they show another place or another layer of the same document, or ask
/// (`Named`: the dialog for printing).
const INERT: &[&[u8]] = &[
    b"GoTo",
    b"GoTo3DView",
    b"GoToDp",
    b"Hide",
    b"NOP",
    b"Named",
    b"ResetForm",
    b"SetOCGState",
    b"Trans",
];

/// The use of an object, as far as that decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Role {
    /// An action that a reader carries out without being asked.
    Automatic,
    /// An address that a click opens.
    Address,
    /// The content of an attached file.
    Attached,
    /// The name of a file, or a dictionary with the names.
    File,
    /// A part of a form of Adobe's XML Forms Architecture.
    Form,
    /// A dictionary of events and their actions.
    Triggers,
    /// Anything else.
    Plain,
}

/// The most objects whose role another object decides. Most files have a few; a form of a hundred thousand fields has one each.
const MAX_ROLES: usize = 500_000;

/// The objects whose role another object decides, each role once.
#[derive(Debug, Default)]
pub(super) struct Roles {
    waiting: Vec<(u32, Role)>,
    known: HashSet<(u32, Role)>,
}

impl Roles {
    /// # Errors
    /// There are too many of them.
    fn add(&mut self, value: &Object, role: Role) -> Result<(), UploadRejection> {
        let Object::Reference(reference) = value else {
            return Ok(());
        };
        // An array may name one object a million times.
        if role == Role::Plain || !self.known.insert((reference.number, role)) {
            return Ok(());
        }
        if self.known.len() > MAX_ROLES {
            return Err(UploadRejection::Bomb);
        }
        self.waiting.push((reference.number, role));
        Ok(())
    }

    /// An object to look at again, by its number.
    pub(super) fn next(&mut self) -> Option<(u32, Role)> {
        self.waiting.pop()
    }
}

/// Looks at an object and at everything inside it.
///
/// # Errors
/// It runs, loads or hides something.
pub(super) fn look(object: &Object, role: Role, roles: &mut Roles) -> Result<(), UploadRejection> {
    roles.add(object, role)?;
    match object {
        Object::Array(items) => {
            for item in items {
                look(item, role, roles)?;
            }
        }
        Object::Dictionary(dictionary) => {
            actions(dictionary, role)?;
            files(dictionary)?;
            for (key, value) in &dictionary.entries {
                entry(key, value)?;
                look(value, role_of(key, role), roles)?;
            }
        }
        Object::Text(text) if role == Role::Address && link::runs(&decoded(text)) => {
            return Err(SCRIPT);
        }
        Object::Text(text) if role == Role::File && is_on_the_network(&decoded(text)) => {
            return Err(UploadRejection::External);
        }
        Object::Name(_)
        | Object::Number(_)
        | Object::Other
        | Object::Reference(_)
        | Object::Text(_) => {}
    }
    Ok(())
}

/// The role of a value, from its key and the role of its dictionary.
fn role_of(key: &[u8], role: Role) -> Role {
    match (role, key) {
        (_, b"OpenAction") => Role::Automatic,
        (_, b"AA") => Role::Triggers,
        (_, b"XFA") => Role::Form,
        (_, b"EF") => Role::Attached,
        // The mouse goes down or up: a click.
        (Role::Triggers, b"D" | b"U") => Role::Plain,
        (Role::Triggers, _) | (Role::Automatic, b"Next") => Role::Automatic,
        (Role::Attached, b"F" | b"UF" | b"DOS" | b"Mac" | b"Unix") => Role::Attached,
        (_, b"F" | b"UF") => Role::File,
        (_, b"URI") | (Role::Address, b"Base") => Role::Address,
        (
            Role::Address
            | Role::Automatic
            | Role::Attached
            | Role::File
            | Role::Form
            | Role::Plain,
            _,
        ) => Role::Plain,
    }
}

fn actions(dictionary: &Dictionary, role: Role) -> Result<(), UploadRejection> {
    let kind = |name: &[u8]| dictionary.is(b"S", name);
    let any = |keys: &[&[u8]]| keys.iter().any(|key| dictionary.has(key));
    let file: &[&[u8]] = &[b"F", b"Win", b"Mac", b"Unix"];
    let is_action = dictionary.has(b"S") || dictionary.is(b"Type", b"Action");
    // Without its kind, forgiving readers run it too. Among fonts, `JS` is a name.
    if dictionary.has(b"JS") && (is_action || dictionary.texts(b"JS").next().is_some()) {
        return Err(SCRIPT);
    }
    if kind(b"Launch") && any(file) {
        return Err(PROGRAM);
    }
    if kind(b"ImportData") && any(file) {
        return Err(UploadRejection::External);
    }
    if kind(b"RichMediaExecute") {
        return Err(SCRIPT);
    }
    let mut kinds = dictionary.all(b"S");
    // No program writes the kind of an action as an object of its own.
    if kinds.any(|kind| matches!(kind, Object::Reference(_))) && any(file) {
        return Err(UploadRejection::Active {
            what: "an action whose kind is hidden",
        });
    }
    // Playing a film when its page opens (RichMedia, PDF 2.0, 13.7).
    if ["PO", "PV"]
        .iter()
        .any(|condition| dictionary.is(b"Condition", condition.as_bytes()))
    {
        return Err(BY_ITSELF);
    }
    if role == Role::Automatic {
        automatic(dictionary)?;
    }
    Ok(())
}

fn automatic(dictionary: &Dictionary) -> Result<(), UploadRejection> {
    for kind in dictionary.all(b"S") {
        match kind {
            Object::Name(name) if INERT.contains(&name.as_slice()) => {}
            Object::Name(name)
                if [
                    b"URI".as_slice(),
                    b"SubmitForm",
                    b"GoToR",
                    b"GoToE",
                    b"Thread",
                ]
                .contains(&name.as_slice()) =>
            {
                return Err(UploadRejection::External);
            }
            Object::Name(_)
            | Object::Reference(_)
            | Object::Array(_)
            | Object::Dictionary(_)
            | Object::Number(_)
            | Object::Other
            | Object::Text(_) => return Err(BY_ITSELF),
        }
    }
    Ok(())
}

/// The names of files in a dictionary: of another computer, or of a program that is attached.
fn files(dictionary: &Dictionary) -> Result<(), UploadRejection> {
    let keys: [&[u8]; 5] = [b"F", b"UF", b"DOS", b"Mac", b"Unix"];
    let attached = dictionary.has(b"EF");
    let is_reference = |value: &Object| matches!(value, Object::Reference(_));
    if attached && keys.iter().any(|key| dictionary.all(key).any(is_reference)) {
        return Err(UploadRejection::Active {
            what: "an attached file whose name is hidden",
        });
    }
    for text in keys.iter().flat_map(|key| dictionary.texts(key)) {
        let name = decoded(text);
        if is_on_the_network(&name) {
            return Err(UploadRejection::External);
        }
        if attached && name::ends_as_a_program(name.trim_end()) {
            return Err(EMBEDDED);
        }
    }
    Ok(())
}

fn entry(key: &[u8], value: &Object) -> Result<(), UploadRejection> {
    match (key, value) {
        // The scripts of the document, in its names; the script of a 3D model.
        (
            b"JavaScript" | b"OnInstantiate",
            Object::Reference(_) | Object::Dictionary(_) | Object::Array(_),
        ) => Err(SCRIPT),
        // A page of another file, shown in this one.
        (b"Ref", Object::Dictionary(other)) if other.has(b"F") && other.has(b"Page") => {
            Err(UploadRejection::External)
        }
        _ => Ok(()),
    }
}

/// # Errors
/// The data of the stream is in another file.
pub(super) fn stream(dictionary: &Dictionary) -> Result<(), UploadRejection> {
    let elsewhere = |value: &Object| {
        matches!(
            value,
            Object::Text(_) | Object::Dictionary(_) | Object::Reference(_)
        )
    };
    if dictionary.all(b"F").any(elsewhere) {
        return Err(UploadRejection::External);
    }
    Ok(())
}

/// ISO 32000-2, 7.5.7 has these values in the dictionary itself: another object stream, unpacked later, might hold them.
///
/// # Errors
/// How the object stream is unpacked is said elsewhere, or not at all.
pub(super) fn object_stream(dictionary: &Dictionary) -> Result<(), UploadRejection> {
    let keys: [&[u8]; 6] = [b"DP", b"DecodeParms", b"F", b"Filter", b"First", b"N"];
    let elsewhere = keys
        .iter()
        .any(|key| dictionary.all(key).any(Object::refers));
    let mut firsts = dictionary.all(b"First");
    if elsewhere || !firsts.any(|first| first.number().is_some()) {
        return Err(NOT_EXAMINED);
    }
    Ok(())
}

/// The name of a file on another computer. Windows sends the user's password hash there when it asks for it.
pub(super) fn is_on_the_network(name: &str) -> bool {
    let name = name.trim_start().to_ascii_lowercase();
    let name = name.replace('\\', "/");
    if name.starts_with("//") {
        return true;
    }
    if let Some(path) = name.strip_prefix("file:") {
        let slashes = path.len() - path.trim_start_matches('/').len();
        let host = path.trim_start_matches('/').split('/').next();
        let is_drive = host.is_some_and(|host| host.ends_with([':', '|']));
        // `file:///C:/` and `file:///home/` are paths of this computer, `file://host/` and `file:////host/` of another.
        return match slashes {
            0 | 1 | 3 => false,
            _ => !is_drive && host != Some("localhost"),
        };
    }
    ["smb:", "webdav:", "dav:", "ftp:", "nfs:", "afp:", "ms-"]
        .iter()
        .any(|scheme| name.starts_with(scheme))
}

/// A text string of PDF: UTF-16 or UTF-8 with a byte order mark, or a byte a letter (ISO 32000-2, 7.9.2.2).
pub(super) fn decoded(text: &[u8]) -> String {
    let sixteen = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| match pair {
            [a, b] => unit([*a, *b]),
            _ => 0,
        });
        char::decode_utf16(units)
            .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    };
    match text {
        [0xfe, 0xff, rest @ ..] => sixteen(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => sixteen(rest, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => text.iter().map(|byte| char::from(*byte)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reference(number: u32) -> Object {
        let text = format!("{number} 0 R");
        let mut budget =
            super::super::budget::Budget::of(1_000, &super::super::budget::Shared::new());
        super::super::object::parse(text.as_bytes(), 0, &mut budget)
            .unwrap()
            .object
    }

    /// Sixteen million references to one object took 200 MB, and as many to others took more.
    ///
    /// ASVS: V5.2.6
    #[test]
    fn the_roles_of_objects_have_a_bound() {
        let mut roles = Roles::default();
        let one = Object::Array(vec![reference(7); 100_000]);
        look(&one, Role::File, &mut roles).unwrap();
        look(&one, Role::Address, &mut roles).unwrap();
        assert_eq!((roles.waiting.len(), roles.known.len()), (2, 2));
        let most = u32::try_from(MAX_ROLES).unwrap();
        let mut roles = Roles::default();
        for number in 0..most {
            look(&reference(number), Role::File, &mut roles).unwrap();
        }
        let more = look(&reference(most), Role::File, &mut roles);
        assert_eq!(more, Err(UploadRejection::Bomb));
    }
}
