//! Where an address in a document leads.

/// The meaning of opening an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A part of the document, a place in it, a picture of the mail (`cid:`), data in the address, or nothing.
    Inside,
    /// A file beside the document, or the name of a template.
    Beside,
    /// A file with a whole path on the computer that opens the document.
    Local,
    /// Another computer, or a program that takes addresses.
    Network,
    /// A macro.
    Macro,
}

impl Target {
    /// Of a text that may be an address, or no text at all.
    pub(super) fn of(text: &str) -> Self {
        let text: String = text
            .trim()
            .chars()
            .filter(|letter| !letter.is_control())
            .map(|letter| if letter == '\\' { '/' } else { letter })
            .collect();
        let text = unescaped(&text).to_lowercase();
        if text.starts_with("//") {
            return Self::Network;
        }
        let Some((scheme, rest)) = text.split_once(':').filter(|(scheme, _)| is_scheme(scheme))
        else {
            return match text.chars().next() {
                None | Some('#') => Self::Inside,
                Some('/') => Self::Local,
                // A document's folder is one level above its parts; what is higher may be anywhere.
                Some(_) if text.split('/').filter(|part| *part == "..").count() > 1 => Self::Local,
                Some(_) => Self::Beside,
            };
        };
        match scheme {
            "cid" | "mid" | "data" | "about" | "urn" | "uuid" => Self::Inside,
            "file" => file(rest),
            "macro"
            | "service"
            | "slot"
            | "script"
            | "vnd.sun.star.script"
            | "vnd.sun.star.expand"
            | "vnd.sun.star.extension"
            | "vnd.libreoffice.command"
            | ".uno" => Self::Macro,
            // A drive.
            _ if scheme.len() == 1 => Self::Local,
            _ => Self::Network,
        }
    }
}

/// The path of an address that begins with `file:`.
fn file(rest: &str) -> Target {
    let path = rest.trim_start_matches('/');
    let slashes = rest.len() - path.len();
    let first = path.split('/').next().unwrap_or_default();
    let is_drive = first.len() == 2 && first.ends_with([':', '|']);
    // Word for Mac writes `file:////Users/ada/…`.
    let is_mac = ["applications", "library", "users", "volumes"].contains(&first);
    match slashes {
        // `file:letter.docx` is beside the document, `file:///home/…` on this computer.
        0 => Target::Beside,
        _ if path.is_empty() => Target::Inside,
        1 | 3 => Target::Local,
        _ if is_drive || first == "localhost" || (slashes == 4 && is_mac) => Target::Local,
        // `file://host/…`, `file:////host/…`
        _ => Target::Network,
    }
}

fn is_scheme(text: &str) -> bool {
    let mut letters = text.chars();
    letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '.')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || "+-.".contains(letter))
}

/// `%5c%5chost` is `\\host` for programs that unescape before they look.
fn unescaped(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_where_programs_go() {
        for (text, expected) in [
            ("", Target::Inside),
            ("#Sheet2!A1", Target::Inside),
            ("cid:image001.png@01D9", Target::Inside),
            ("data:image/png;base64,xx", Target::Inside),
            ("media/image1.png", Target::Beside),
            ("../Pictures/a.png", Target::Beside),
            ("../../../etc/passwd", Target::Local),
            ("Normal.dotm", Target::Beside),
            ("file:a.docx", Target::Beside),
            (r"C:\Users\ada\a.dotx", Target::Local),
            (r"file:///C:\Users\ada\a.dotx", Target::Local),
            ("file://C:/Users/a.dotx", Target::Local),
            ("file:///etc/passwd", Target::Local),
            ("file://localhost/etc/passwd", Target::Local),
            ("file:////Users/ada/Normal.dotm", Target::Local),
            ("file://users/ada/Normal.dotm", Target::Network),
            ("/etc/passwd", Target::Local),
            ("https://a.example/a", Target::Network),
            (" HTTP://a.example/a", Target::Network),
            ("ht\ntp://a.example/a", Target::Network),
            ("mhtml:https://a.example/x!x", Target::Network),
            ("ms-word:ofe|u|https://a.example", Target::Network),
            ("ftp://a.example", Target::Network),
            (r"\\host\share\a", Target::Network),
            ("//host/share/a", Target::Network),
            ("%5C%5Chost/share", Target::Network),
            (r"file://host/share", Target::Network),
            (r"file:////host/share", Target::Network),
            (r"file:\\host\share", Target::Network),
            (r"file:///\\host\share", Target::Network),
            ("vnd.sun.star.script:a.b?language=Basic", Target::Macro),
            ("macro:///Standard.Module1.Main", Target::Macro),
            (".uno:Print", Target::Macro),
        ] {
            assert_eq!(Target::of(text), expected, "{text}");
        }
    }
}
