//! The visitor's file name, cleaned: a text to show, never a path.

use std::fmt;

use unicode_normalization::UnicodeNormalization as _;

use super::refused::Refused;

/// Characters a name may have. Longer ones lose the end of their stem, not their extension.
const MAX_CHARS: usize = 120;

/// Bytes a name may arrive with, before anything is done with it.
const MAX_RAW_BYTES: usize = 1024;

/// Parts of a name that some system runs or renders: a server's handlers, a desktop's double click, a browser.
///
/// `com` is not here: `statement of example.com.pdf` is an everyday name, and a name that *ends* in it is no
/// accepted kind anyway.
#[rustfmt::skip]
const ACTIVE: &[&str] = &[
    // run or rendered by web servers and browsers
    "php", "php3", "php4", "php5", "php7", "php8", "phtml", "phar", "phps", "asp", "aspx", "ascx", "ashx", "asmx", "cer",
    "jsp", "jspx", "jsw", "cfm", "cgi", "pl", "py", "rb", "shtml", "stm", "htaccess", "htpasswd",
    "html", "htm", "xhtml", "xht", "mht", "mhtml", "svg", "svgz", "xml", "xsl", "xslt", "js", "mjs", "wasm", "swf",
    // run by a double click
    "exe", "scr", "pif", "bat", "cmd", "msi", "msp", "dll", "cpl", "hta", "jse", "vbs", "vbe", "wsf", "wsh", "ps1", "psm1",
    "lnk", "url", "reg", "inf", "scf", "jar", "jnlp", "app", "dmg", "pkg", "deb", "rpm", "sh", "bash", "command", "desktop",
    "chm", "iso", "vhd", "vhdx", "one", "application", "gadget", "settingcontent-ms",
    // documents that carry macros
    "docm", "dotm", "xlsm", "xltm", "xlam", "pptm", "potm", "ppam", "ppsm", "sldm",
];

/// Names that are devices where the file may one day be saved (Windows).
const DEVICES: &[&str] = &["con", "prn", "aux", "nul"];

/// A visitor's file name, cleaned and with an extension.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct FileName(String);

impl FileName {
    /// Cleans a name: the last part of a path (RFC 7578, 4.2), NFC, no control or invisible characters, none that a
    /// file system or a shell gives a meaning, no dot, hyphen or space at its edges, a bounded length.
    ///
    /// # Errors
    /// A control character (NUL among them), a name that is nothing once cleaned, no extension, or an extension
    /// anywhere in the name that some system runs.
    pub(crate) fn parse(raw: &str) -> Result<Self, Refused> {
        if raw.len() > MAX_RAW_BYTES || raw.chars().any(char::is_control) {
            return Err(Refused::Name);
        }
        let last = raw.rsplit(['/', '\\']).next().unwrap_or_default();
        let cleaned: String = last
            .nfc()
            .filter(|c| !is_invisible(*c))
            .map(harmless)
            .collect();
        let cleaned = collapse_spaces(&cleaned);
        let cleaned = cleaned.trim_matches(|c: char| c.is_whitespace() || matches!(c, '.' | '-'));
        let Some((stem, extension)) = cleaned.rsplit_once('.') else {
            return Err(Refused::Name);
        };
        refuse_active(cleaned)?;
        let stem = stem.trim_end_matches([' ', '.']);
        let plain = extension.chars().all(|c| c.is_ascii_alphanumeric());
        if stem.is_empty() || extension.is_empty() || extension.len() > 10 || !plain {
            return Err(Refused::Name);
        }
        let room = MAX_CHARS - 1 - extension.len();
        let stem: String = stem.chars().take(room).collect();
        let stem = stem.trim_end_matches([' ', '.']);
        let guard = if is_device(stem) { "_" } else { "" };
        Ok(Self(format!("{guard}{stem}.{extension}")))
    }

    /// A name that was cleaned before it was stored.
    pub(crate) fn stored(name: String) -> Self {
        Self(name)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands after the last dot, in lower case.
    pub(crate) fn extension(&self) -> String {
        self.0
            .rsplit_once('.')
            .map(|(_, last)| last.to_ascii_lowercase())
            .unwrap_or_default()
    }
}

impl fmt::Debug for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// Refuses `x.php.png` and `a.html.pdf`: Apache's `mod_mime` runs the first, and desktops that hide the last extension
/// show the second as a page.
fn refuse_active(name: &str) -> Result<(), Refused> {
    let active = name
        .split('.')
        .skip(1)
        .map(|part| part.trim().to_ascii_lowercase())
        .find(|part| ACTIVE.contains(&part.as_str()));
    match active {
        Some(extension) => Err(Refused::ActiveExtension { extension }),
        None => Ok(()),
    }
}

/// Whether a name, as an archive's entry or a visitor's file, ends as a program does.
pub(crate) fn ends_as_a_program(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, last)| {
        last != "xml" && ACTIVE.contains(&last.to_ascii_lowercase().as_str())
    })
}

fn harmless(c: char) -> char {
    match c {
        '<' | '>' | ':' | '"' | '|' | '?' | '*' | ';' | '%' | '`' | '$' => '_',
        c if c.is_whitespace() => ' ',
        c => c,
    }
}

fn collapse_spaces(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if !(c == ' ' && out.ends_with(' ')) {
            out.push(c);
        }
    }
    out
}

fn is_device(stem: &str) -> bool {
    let first = stem
        .split('.')
        .next()
        .unwrap_or_default()
        .trim_end()
        .to_ascii_lowercase();
    let numbered = ["com", "lpt"].iter().any(|port| {
        first
            .strip_prefix(port)
            .is_some_and(|rest| matches!(rest.as_bytes(), [b'0'..=b'9']))
    });
    numbered || DEVICES.contains(&first.as_str())
}

/// Characters that change how the others are read, or are not seen: with U+202E, `invoice…fdp.exe` is shown
/// as `invoiceexe.pdf`.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffd}' | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}'
        | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cleaned(raw: &str) -> String {
        FileName::parse(raw).unwrap().as_str().to_owned()
    }

    #[test]
    fn ordinary_names_stay_as_they_are() {
        for name in [
            "report.pdf",
            "Jahresbericht 2026 (v1.2).docx",
            "résumé.odt",
            "写真.jpg",
            "a-b_c.txt",
        ] {
            assert_eq!(cleaned(name), name);
        }
    }

    #[test]
    fn a_path_is_cut_to_its_last_part() {
        assert_eq!(cleaned("../../etc/passwd.txt"), "passwd.txt");
        assert_eq!(cleaned(r"C:\fakepath\cat.png"), "cat.png");
        assert_eq!(FileName::parse("dir/"), Err(Refused::Name));
    }

    #[test]
    fn control_characters_are_refused() {
        for name in [
            "a\0.pdf",
            "a.php\0.png",
            "a\r\nSet-Cookie: x.pdf",
            "a\u{85}.pdf",
        ] {
            assert_eq!(FileName::parse(name), Err(Refused::Name), "{name:?}");
        }
    }

    #[test]
    fn an_active_extension_anywhere_is_refused() {
        for name in [
            "x.php.png",
            "a.html.pdf",
            "a.HTML.pdf",
            "x.php .png",
            "m.docm",
            "i.svg",
            ".htaccess",
            "a.exe",
        ] {
            let refused = FileName::parse(name);
            assert!(
                matches!(
                    refused,
                    Err(Refused::ActiveExtension { .. } | Refused::Name)
                ),
                "{name} {refused:?}"
            );
        }
        assert_eq!(
            FileName::parse("x.p\u{200b}hp.png").map_err(|e| e.word()),
            Err("active_extension")
        );
    }

    #[test]
    fn reading_direction_cannot_be_turned() {
        assert_eq!(cleaned("invoice\u{202e}fdp.txt"), "invoicefdp.txt");
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let name = cleaned(&format!("{}.pdf", "ä".repeat(400)));
        assert_eq!(name.chars().count(), MAX_CHARS);
        assert!(name.ends_with(".pdf"));
    }

    #[test]
    fn devices_are_not_names() {
        assert_eq!(cleaned("CON.txt"), "_CON.txt");
        assert_eq!(cleaned("com1.txt"), "_com1.txt");
        assert_eq!(cleaned("comet.txt"), "comet.txt");
    }

    proptest! {
        #[test]
        fn what_is_kept_can_do_nothing(raw in any::<String>(), extension in "[a-z]{1,4}") {
            if let Ok(name) = FileName::parse(&format!("{raw}.{extension}")) {
                let text = name.as_str();
                prop_assert!(text.chars().count() <= MAX_CHARS + 1);
                prop_assert!(!text.contains(['/', '\\', '"', '<', '>', ';', '%', '\0', '\r', '\n']));
                prop_assert!(!text.starts_with(['.', '-', ' ']));
                prop_assert!(!text.chars().any(|c| c.is_control() || is_invisible(c)));
                prop_assert_eq!(FileName::parse(text).unwrap(), name.clone());
            }
        }
    }
}
