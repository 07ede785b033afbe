//! Which extensions the name of a visitor's file may have, after `forms` has cleaned it.

use std::fmt;

use super::kind::FileKind;
use super::rejection::UploadRejection;
use crate::forms::{CleanName, LONGEST_EXTENSION};

/// Last extensions that some system runs or renders: on a server, by a double click, or in a browser.
#[rustfmt::skip]
const ACTIVE: &[&str] = &[
    // run or rendered by web servers and browsers
    "php", "php3", "php4", "php5", "php7", "php8", "phtml", "phar", "phps", "asp", "aspx", "ascx", "ashx", "asmx", "cer",
    "jsp", "jspx", "jsw", "cfm", "cgi", "pl", "py", "rb", "shtml", "stm", "htaccess", "htpasswd", "config",
    "html", "htm", "xhtml", "xht", "mht", "mhtml", "svg", "svgz", "xml", "xsl", "xslt", "js", "mjs", "wasm", "swf",
    // run by a double click
    "exe", "scr", "pif", "bat", "cmd", "msi", "msp", "dll", "cpl", "hta", "jse", "vbs", "vbe", "wsf", "wsh", "ps1", "psm1",
    "lnk", "url", "reg", "inf", "scf", "jar", "jnlp", "app", "dmg", "pkg", "deb", "rpm", "sh", "bash", "command", "desktop",
    "chm", "iso", "vhd", "vhdx", "one", "application", "gadget", "settingcontent-ms", "com", "msc", "mst", "pyw", "ws", "wsc",
    "sct", "vb", "rdp", "msix", "appx", "appinstaller", "appimage", "img", "xll", "xla",
    // documents that carry macros
    "docm", "dotm", "xlsm", "xltm", "xlam", "pptm", "potm", "ppam", "ppsm", "sldm",
];

/// Extensions that a web server with its default configuration runs anywhere in a name: Apache's `mod_mime` treats
/// `x.php.png` as PHP. Other extensions count only at the end: `Intro to Node.js.txt` and `faktura allegro.pl.txt` are
/// names of texts, and a desktop opens a file by its last extension.
#[rustfmt::skip]
const RUN_BY_SERVERS: &[&str] = &[
    "php", "php3", "php4", "php5", "php6", "php7", "php8", "pht", "phtml", "phar",
    "asp", "aspx", "ashx", "asmx", "jsp", "jspx", "cfm", "cgi", "shtm", "shtml",
];

/// A visitor's file name, cleaned and with an extension.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct FileName(String);

impl FileName {
    /// Cleans a text and takes it as the name of a file.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub(crate) fn parse(raw: &str) -> Result<Self, UploadRejection> {
        Self::of(&CleanName::of(raw), &[])
    }

    /// A clean name with an extension.
    ///
    /// # Errors
    /// A crafted name, such as one that arrived with a control character; no extension, a last extension that some system runs,
    /// or an extension anywhere in the name that web servers run. `.svg` passes if it is among the kinds of the policy.
    pub(crate) fn of(name: &CleanName, kinds: &[FileKind]) -> Result<Self, UploadRejection> {
        let Some((stem, extension)) = name.stem_and_extension() else {
            return Err(UploadRejection::Name);
        };
        let is_drawing = FileKind::of_extension(extension) == Some(FileKind::Svg);
        let last = (!is_drawing || !kinds.contains(&FileKind::Svg)).then_some(extension);
        refuse_active(stem, last)?;
        let is_plain = extension.chars().all(|c| c.is_ascii_alphanumeric());
        if extension.len() > LONGEST_EXTENSION || !is_plain {
            return Err(UploadRejection::Name);
        }
        Ok(Self(name.as_str().to_owned()))
    }

    /// A name that was cleaned before it was stored.
    pub(crate) fn stored(name: String) -> Self {
        Self(name)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The text after the last dot, in lower case.
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

fn refuse_active(stem: &str, extension: Option<&str>) -> Result<(), UploadRejection> {
    // Windows drops spaces at the end of a part.
    let inside = stem
        .split('.')
        .skip(1)
        .map(|part| part.trim_end().to_ascii_lowercase())
        .find(|part| RUN_BY_SERVERS.contains(&part.as_str()));
    let last = extension
        .map(|extension| extension.trim().to_ascii_lowercase())
        .filter(|last| ACTIVE.contains(&last.as_str()) || RUN_BY_SERVERS.contains(&last.as_str()));
    match last.or(inside) {
        Some(extension) => Err(UploadRejection::ActiveExtension { extension }),
        None => Ok(()),
    }
}

/// Whether the name of an archive's entry or of a visitor's file has the extension of a program.
pub(crate) fn ends_as_a_program(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, last)| {
        last != "xml" && ACTIVE.contains(&last.to_ascii_lowercase().as_str())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAX_CHARS: usize = 120;
    const MAX_RAW_BYTES: usize = 1024;

    fn cleaned(raw: &str) -> String {
        FileName::parse(raw).unwrap().as_str().to_owned()
    }

    #[test]
    fn an_ending_has_a_bound_and_is_letters_and_digits() {
        for (name, taken) in [
            ("a.abcdefghij", true),
            ("a.abcdefghijk", false),
            ("a.7z", true),
            ("a.p-d", false),
            ("a.p d", false),
            ("a.pdf\u{e9}", false),
            ("a", false),
            ("a.", false),
            (".pdf", false),
            (" . .pdf", false),
            ("", false),
        ] {
            assert_eq!(FileName::parse(name).is_ok(), taken, "{name:?}");
        }
        let raw = |length: usize| format!("{}.pdf", "a".repeat(length - 4));
        assert!(FileName::parse(&raw(MAX_RAW_BYTES)).is_ok());
        assert!(FileName::parse(&raw(MAX_RAW_BYTES + 1)).is_err());
        let longest = cleaned(&raw(MAX_RAW_BYTES));
        assert_eq!(longest.chars().count(), MAX_CHARS);
        assert!(longest.ends_with("a.pdf"));
        let name = FileName::parse("a.PDF").unwrap();
        assert_eq!((name.as_str(), name.extension().as_str()), ("a.PDF", "pdf"));
        assert_eq!(format!("{name:?}"), "\"a.PDF\"");
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
        assert_eq!(FileName::parse("dir/"), Err(UploadRejection::Name));
    }

    #[test]
    fn control_characters_are_refused() {
        for name in [
            "a\0.pdf",
            "a.php\0.png",
            "a\r\nSet-Cookie: x.pdf",
            "a\u{85}.pdf",
        ] {
            assert_eq!(
                FileName::parse(name),
                Err(UploadRejection::Name),
                "{name:?}"
            );
        }
    }

    #[test]
    fn an_extension_that_servers_run_is_refused_anywhere_and_any_other_at_the_end() {
        for name in [
            "x.php.png",
            "x.PHP7.png",
            "x.php .png",
            "x.phtml.txt",
            "x.aspx.pdf",
            "a.html",
            "a.b.HTML",
            "m.docm",
            "i.svg",
            ".htaccess",
            "a.exe",
        ] {
            let refused = FileName::parse(name);
            assert!(
                matches!(
                    refused,
                    Err(UploadRejection::ActiveExtension { .. } | UploadRejection::Name)
                ),
                "{name} {refused:?}"
            );
        }
        assert_eq!(
            FileName::parse("x.p\u{200b}hp.png").map_err(|e| e.word()),
            Err("active_extension")
        );
    }

    /// Dewar once refused each of these names.
    #[test]
    fn the_last_extension_decides_and_words_before_it_are_words() {
        for name in [
            "faktura allegro.pl.txt",
            "Intro to Node.js.txt",
            "Vol. One.txt",
            "St. Pl.txt",
            "Bericht z. Inf.txt",
            "Ver. 2. App.txt",
            "Ch. 3. PHP. Basics.txt",
            "a.html.pdf",
            "backup.sh.txt",
        ] {
            assert_eq!(cleaned(name), name);
        }
        for extension in ACTIVE.iter().chain(RUN_BY_SERVERS) {
            let last = FileName::parse(&format!("plan.{extension}"));
            assert!(last.is_err(), "{extension}");
            let inside = FileName::parse(&format!("plan.{extension}.txt"));
            let is_run = RUN_BY_SERVERS.contains(extension);
            assert_eq!(inside.is_err(), is_run, "{extension}");
        }
    }

    #[test]
    fn what_joins_its_neighbours_stays() {
        for name in [
            "می\u{200c}خواهم.txt",
            "family \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}.txt",
            "I \u{2764}\u{fe0f} it.txt",
        ] {
            assert_eq!(cleaned(name), name);
        }
        assert_eq!(cleaned("ad\u{200d}min.txt"), "admin.txt");
        assert_eq!(cleaned("a\u{200b}b\u{feff}.txt"), "ab.txt");
        // The cut is between two characters of a family emoji.
        let long = format!(
            "{}\u{1f468}\u{200d}\u{1f469}.txt",
            "x".repeat(MAX_CHARS - 6)
        );
        assert!(
            cleaned(&long).ends_with("x\u{1f468}.txt"),
            "{}",
            cleaned(&long)
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
    fn a_name_that_is_longer_than_any_is_not_looked_at() {
        let name = format!("{}.pdf", "a".repeat(MAX_RAW_BYTES));
        assert_eq!(FileName::parse(&name), Err(UploadRejection::Name));
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
                prop_assert!(!text.chars().any(char::is_control));
                prop_assert_eq!(FileName::parse(text).unwrap(), name.clone());
            }
        }
    }
}
