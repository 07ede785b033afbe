//! The paths inside an archive.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization as _;

use crate::uploads::rejection::UploadRejection;

/// The longest path, and the longest name in it. File systems take no longer names.
const MAX_PATH: usize = 1_024;
const MAX_NAME: usize = 255;

/// The path without `./` before it and `/` after it, if it stays below the place where it is unpacked, on every system.
///
/// # Errors
/// It leads out, or systems read it differently.
pub(super) fn safe(path: &str) -> Result<String, UploadRejection> {
    let inside = path.strip_prefix("./").unwrap_or(path);
    let inside = inside.strip_suffix('/').unwrap_or(inside);
    // `tar` writes the directory itself as `./`.
    if inside.is_empty() && path == "./" {
        return Ok(String::new());
    }
    // Windows drops dots and spaces at the end of a name, and a shell reads `~` as a home.
    let is_plain = |part: &str| {
        !part.is_empty() && part != "~" && part.len() <= MAX_NAME && !part.ends_with(['.', ' '])
    };
    // A colon begins a drive or a second stream of a file on Windows, and a backslash is its slash.
    let is_forbidden = |letter: char| {
        letter.is_control()
            || matches!(letter, '\\' | ':' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if inside.len() > MAX_PATH
        || !inside.split('/').all(is_plain)
        || inside.split('/').any(is_device)
        || inside.chars().any(is_forbidden)
    {
        return Err(UploadRejection::ArchivePath);
    }
    Ok(inside.to_owned())
}

/// The names of devices of Windows, with any extension.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_ascii_lowercase();
    let numbered = |port: &str| {
        let number = stem.strip_prefix(port);
        number.is_some_and(|number| number.len() == 1 && number.chars().all(|n| n.is_ascii_digit()))
    };
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

/// The paths of an archive so far, as file systems see them that take `A` for `a`, and `é` for `e` with an accent.
#[derive(Debug, Default)]
pub(super) struct Paths {
    all: HashSet<String>,
    /// Paths that have something below them.
    above: HashSet<String>,
    files: HashSet<String>,
}

/// Whether a path is that of a file or of a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Node {
    File,
    Folder,
}

impl Paths {
    /// # Errors
    /// Two entries have one path, or a file is a folder too.
    pub(super) fn add(&mut self, path: &str, node: Node) -> Result<(), UploadRejection> {
        let path: String = path.nfc().flat_map(char::to_lowercase).collect();
        for (at, _) in path.match_indices('/') {
            let above = path.get(..at).unwrap_or_default();
            if self.files.contains(above) {
                return Err(UploadRejection::ArchivePath);
            }
            if !self.above.contains(above) {
                self.above.insert(above.to_owned());
            }
        }
        if node == Node::File {
            if self.above.contains(&path) {
                return Err(UploadRejection::ArchivePath);
            }
            self.files.insert(path.clone());
        }
        if self.all.insert(path) {
            Ok(())
        } else {
            Err(UploadRejection::ArchivePath)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_its_place() {
        for (path, expected) in [
            ("a.txt", Some("a.txt")),
            ("a/b c/d.txt", Some("a/b c/d.txt")),
            ("./a/b/", Some("a/b")),
            ("./", Some("")),
            ("写真/a..b.jpg", Some("写真/a..b.jpg")),
            ("..a/b", Some("..a/b")),
            ("", None),
            ("/", None),
            ("/etc/passwd", None),
            ("../a", None),
            ("a/../../b", None),
            ("a/..", None),
            ("a/.. /b", None),
            ("a.txt.", None),
            ("a /b", None),
            ("con.txt", None),
            ("a/AUX/b", None),
            ("lpt1", None),
            ("console.txt", Some("console.txt")),
            ("com10.txt", Some("com10.txt")),
            ("~/.ssh/keys", None),
            ("~$a.docx", Some("~$a.docx")),
            ("a/./b", None),
            ("a//b", None),
            (r"a\b", None),
            (r"..\a", None),
            ("c:/a", None),
            ("a.txt:b.exe", None),
            ("a\0b", None),
            ("a\nb", None),
            ("a\u{202e}fdp.exe", None),
        ] {
            assert_eq!(safe(path).ok().as_deref(), expected, "{path:?}");
        }
        assert!(safe(&"a".repeat(256)).is_err());
        assert!(safe(&"a/".repeat(600)).is_err());
    }
}
