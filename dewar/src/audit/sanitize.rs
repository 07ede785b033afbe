use std::fmt::{self, Write};
use std::net::IpAddr;

use super::invisible::is_invisible;

/// Writes text so that it stays on its line and in its order. Line breaks, control characters, direction marks and
/// invisible characters are escaped (CWE-117, CWE-150, CVE-2021-42574).
pub(crate) fn write_plain(out: &mut impl Write, text: &str) -> fmt::Result {
    for character in text.chars() {
        write_char(out, character)?;
    }
    Ok(())
}

fn write_char(out: &mut impl Write, character: char) -> fmt::Result {
    if deceives(character) {
        write!(out, "{}", character.escape_unicode())
    } else {
        out.write_char(character)
    }
}

fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}')
        || (!character.is_ascii() && is_invisible(character))
}

/// At most `limit` characters of a value, written [plainly](write_plain); `…` marks a cut.
///
/// Formatting stops at the limit, so a long value costs no memory.
pub(crate) fn bounded(value: &impl fmt::Display, limit: usize) -> String {
    let mut short = Short {
        text: String::new(),
        left: limit,
    };
    // The only error here is the stop at the limit; then the mark follows.
    if write!(short, "{value}").is_err() {
        short.text.push('…');
    }
    short.text
}

/// At most this many characters of a peer's text are logged.
const LONGEST_OF_PEER: usize = 300;

/// Another program's text for our program's log, such as the error of a connection to it. It is [bounded](bounded) and
/// [plain](write_plain). If a peer was given a secret, Dewar logs none of its text, not even in this form.
pub(crate) fn peer_text(said: &impl fmt::Display) -> String {
    bounded(said, LONGEST_OF_PEER)
}

/// The key that limits count by: an IPv4 address, or the first 64 bits of an IPv6 address, because one household or
/// server commonly holds a whole /64 (RFC 6177).
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let prefix = u128::from(address) & (u128::MAX << 64);
            IpAddr::V6(prefix.into())
        }
    }
}

struct Short {
    text: String,
    left: usize,
}

impl Write for Short {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        for character in part.chars() {
            self.left = self.left.checked_sub(1).ok_or(fmt::Error)?;
            write_char(&mut self.text, character)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_break_is_spelled_out() {
        assert_eq!(
            bounded(&"ok\r\n{\"seq\":9}", 100),
            "ok\\u{d}\\u{a}{\"seq\":9}"
        );
        assert_eq!(bounded(&"Zoë – 東京", 100), "Zoë – 東京");
    }

    /// ASVS: V16.4.1
    #[test]
    fn every_direction_mark_is_spelled_out() {
        // The characters of Unicode's `Bidi_Control`, and other invisible ones (CVE-2021-42574).
        let marks = ['\u{061c}', '\u{200e}', '\u{200f}']
            .into_iter()
            .chain('\u{202a}'..='\u{202e}')
            .chain('\u{2066}'..='\u{2069}')
            .chain(['\u{200b}', '\u{2028}', '\u{2029}', '\u{feff}', '\u{00ad}'])
            .chain(['\u{fff9}', '\u{e007f}', '\u{3164}', '\u{2800}', '\u{1d159}']);
        for mark in marks {
            let spelled = format!("a\\u{{{:x}}}b", u32::from(mark));
            assert_eq!(bounded(&format_args!("a{mark}b"), 100), spelled);
        }
    }

    #[test]
    fn a_long_value_is_cut_and_marked() {
        assert_eq!(bounded(&"abcdef", 6), "abcdef");
        assert_eq!(bounded(&"abcdefg", 6), "abcdef…");
        assert_eq!(bounded(&"x".repeat(1_000_000), 256).chars().count(), 257);
    }

    #[test]
    fn what_a_peer_says_stays_on_its_line_and_is_short() {
        let said = format!("no\r\n\x1b[31m{}", "x".repeat(1_000_000));
        let logged = peer_text(&said);
        assert!(
            logged.starts_with("no\\u{d}\\u{a}\\u{1b}[31mxxx"),
            "{logged}"
        );
        assert!(logged.len() < 400, "{}", logged.len());
    }
}
