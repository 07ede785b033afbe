//! The addresses that a click in a document opens.

use super::name;

/// Schemes that run something, or hand the address to a program that does.
#[rustfmt::skip]
const ACTIVE: &[&str] = &[
    "javascript", "vbscript", "livescript", "data", "jar", "view-source", "mhtml", "mk", "its", "res", "shell", "hcp", "search",
    "search-ms", "smb", "macro", "service", "slot", "script", "vnd.sun.star.script", "vnd.sun.star.expand", "vnd.libreoffice.command", ".uno",
];

/// Pages open in the browser, also from a disk.
const PAGES: &[&str] = &[
    ".html", ".htm", ".xhtml", ".xht", ".php", ".asp", ".aspx", ".jsp", ".cgi", ".svg",
];

/// Whether a click on the address runs a script or a program. An address of the web, of a mail, or of a document on some disk
/// does not.
pub(super) fn runs(address: &str) -> bool {
    let address = address.split(['#', '?']).next().unwrap_or_default();
    let address: String = percent_encoding::percent_decode_str(address)
        .decode_utf8_lossy()
        .chars()
        .filter(|letter| !letter.is_control() && !letter.is_whitespace())
        .map(|letter| if letter == '\\' { '/' } else { letter })
        .flat_map(char::to_lowercase)
        .collect();
    let Some((scheme, path)) = address.split_once(':') else {
        return address.starts_with("//") && is_a_file(&address) && ends_as_a_program(&address);
    };
    let is_drive = scheme.len() == 1;
    ACTIVE.contains(&scheme)
        || scheme.starts_with("ms-")
        || ((is_drive || (scheme == "file" && is_a_file(path))) && ends_as_a_program(path))
}

/// Whether a path is more than the name of a computer, such as `example.com`.
fn is_a_file(path: &str) -> bool {
    let is_absolute = path.starts_with("///") || !path.starts_with("//");
    is_absolute || path.trim_start_matches('/').contains('/')
}

fn ends_as_a_program(path: &str) -> bool {
    // Windows drops dots at the end of a name. Blanks are gone already.
    let path = path.trim_end_matches('.');
    name::ends_as_a_program(path) && !PAGES.iter().any(|ending| path.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_runs_nothing() {
        for (address, expected) in [
            ("https://a.example/setup.exe", false),
            ("mailto:ada@example.org", false),
            ("tel:+41446681800", false),
            ("other.pdf#page=2", false),
            ("../index.html", false),
            (r"\\host\share\report.docx", false),
            ("file:///C:/Users/ada/a.pdf", false),
            ("file:///usr/share/doc/index.html", false),
            ("zotero:select", false),
            ("", false),
            ("javascript:alert(1)", true),
            (" JavaScript\t:alert(1)", true),
            ("java\nscript:alert(1)", true),
            ("vbscript:x", true),
            ("data:text/html,x", true),
            ("ms-msdt:/id", true),
            ("search-ms:query=x", true),
            ("file:///C:/Windows/System32/calc.exe", true),
            (r"C:\Windows\System32\calc.exe", true),
            (r"\\host\share\a.exe", true),
            ("file://host/a.js", true),
            ("smb://host/share/a.docx", true),
            ("//www.example.com", false),
            ("file://example.com", false),
            (r"C:\Windows\format.com", true),
            ("file:///C:/Windows/calc%2Eexe", true),
            ("file:///C:/Windows/a.exe.", true),
            ("file:///C:/Windows/a.exe%20", true),
            ("file:///C:/Windows/a%23b.exe", true),
            ("file:///C:/Windows/eventvwr.msc", true),
        ] {
            assert_eq!(runs(address), expected, "{address}");
        }
    }
}
