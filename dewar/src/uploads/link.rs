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
    let address: String = address
        .chars()
        .filter(|letter| !letter.is_control() && !letter.is_whitespace())
        .map(|letter| if letter == '\\' { '/' } else { letter })
        .flat_map(char::to_lowercase)
        .collect();
    let Some((scheme, path)) = address.split_once(':') else {
        return address.starts_with("//") && ends_as_a_program(&address);
    };
    let is_drive = scheme.len() == 1;
    ACTIVE.contains(&scheme)
        || scheme.starts_with("ms-")
        || ((is_drive || scheme == "file") && ends_as_a_program(path))
}

fn ends_as_a_program(path: &str) -> bool {
    let path = path.split(['#', '?']).next().unwrap_or_default();
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
        ] {
            assert_eq!(runs(address), expected, "{address}");
        }
    }
}
