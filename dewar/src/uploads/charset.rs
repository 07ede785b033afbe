//! The encoding of a text: UTF-8, UTF-16 with a mark, or an older one that the letters betray.

use std::fmt;
use std::io::{self, Read, Seek};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// The encoding of a stored text, by the name that the Web uses for it.
///
/// ```
/// use dewar::uploads::Charset;
///
/// assert_eq!(Charset::utf_8().as_str(), "utf-8");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Charset(Known);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    /// A code page of DOS, by its name. Each of its bytes above ASCII is a letter, a line of a box or a sign.
    Dos(&'static str),
    /// An encoding of the Web.
    Web(&'static Encoding),
}

/// The code pages of DOS that a policy can declare.
const DOS: [&str; 2] = ["ibm437", "ibm850"];

impl Charset {
    /// UTF-8.
    #[must_use]
    pub fn utf_8() -> Self {
        Self::web(UTF_8)
    }

    /// The code page 437 of DOS in the United States. No letters betray it, so a text has it only if its policy
    /// [declares](super::Policy::CHARSET) it.
    #[must_use]
    pub const fn ibm437() -> Self {
        Self(Known::Dos(DOS[0]))
    }

    /// The code page 850 of DOS in Western Europe; see [`ibm437`](Self::ibm437).
    #[must_use]
    pub const fn ibm850() -> Self {
        Self(Known::Dos(DOS[1]))
    }

    const fn web(encoding: &'static Encoding) -> Self {
        Self(Known::Web(encoding))
    }

    /// The name in the parameter `charset` of a media type, in lower case: `utf-8`, `windows-1252`, `shift_jis`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        let encoding = match self.0 {
            Known::Dos(name) => return name,
            Known::Web(encoding) => encoding,
        };
        NAMES
            .iter()
            .find(|name| name.eq_ignore_ascii_case(encoding.name()))
            .copied()
            .unwrap_or("utf-8")
    }

    /// The encoding for its word in the database.
    pub(crate) fn of_word(word: &str) -> Option<Self> {
        let dos = DOS.iter().find(|name| **name == word);
        let dos = dos.map(|name| Self(Known::Dos(name)));
        dos.or_else(|| Encoding::for_label(word.as_bytes()).map(Self::web))
    }

    /// Its decoder; none for a code page of DOS, in which every byte is a character.
    pub(super) fn encoding(self) -> Option<&'static Encoding> {
        match self.0 {
            Known::Dos(_) => None,
            Known::Web(encoding) => Some(encoding),
        }
    }

    /// The encoding of bytes that are not UTF-8. It reads the whole stream.
    ///
    /// # Errors
    /// The stream cannot be read.
    pub(super) fn guess(stream: &mut (impl Read + Seek)) -> io::Result<Self> {
        stream.rewind()?;
        // ISO-2022-JP has escape characters, which no text may have.
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        let mut buffer = vec![0; 64 * 1024];
        let mut is_first = true;
        loop {
            let read = stream.read(&mut buffer)?;
            let bytes = buffer.get(..read).unwrap_or_default();
            match bytes {
                [0xff, 0xfe, ..] if is_first => return Ok(Self::web(UTF_16LE)),
                [0xfe, 0xff, ..] if is_first => return Ok(Self::web(UTF_16BE)),
                _ => is_first = false,
            }
            detector.feed(bytes, read == 0);
            if read == 0 {
                return Ok(Self::web(detector.guess(None, Utf8Detection::Deny)));
            }
        }
    }
}

/// Its name.
impl fmt::Display for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Charset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Charset({self})")
    }
}

/// The encodings that a text may have. Everything that can be guessed is here.
const NAMES: [&str; 27] = [
    "utf-8",
    "utf-16le",
    "utf-16be",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "windows-874",
    "iso-8859-2",
    "iso-8859-4",
    "iso-8859-5",
    "iso-8859-6",
    "iso-8859-7",
    "iso-8859-8",
    "koi8-u",
    "ibm866",
    "big5",
    "euc-jp",
    "euc-kr",
    "gbk",
    "gb18030",
    "shift_jis",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_one_of_the_web() {
        for name in NAMES {
            assert_eq!(Charset::of_word(name).unwrap().as_str(), name);
        }
        assert_eq!(Charset::of_word("utf-7"), None);
        for dos in [Charset::ibm437(), Charset::ibm850()] {
            assert_eq!(Charset::of_word(dos.as_str()), Some(dos));
        }
        assert_eq!(
            format!("{:?} {}", Charset::utf_8(), Charset::utf_8()),
            "Charset(utf-8) utf-8"
        );
    }
}
