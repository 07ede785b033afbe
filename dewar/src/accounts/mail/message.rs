//! A letter as a message (RFC 5322, RFC 2045). This sets what the library would leave out or choose by itself.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, SinglePart};
use lettre::transport::smtp::extension::ClientId;

use super::super::letters::Letter;
use super::MailError;
use crate::pages::Language;
use crate::secrets::Token;

/// The sender: the address of the letters, and the application's own host.
#[derive(Debug, Clone, Copy)]
pub(super) struct LetterSender<'a> {
    pub(super) from: &'a Mailbox,
    pub(super) host: &'a str,
    /// The time, in seconds.
    pub(super) now: i64,
}

pub(super) fn message(
    sender: LetterSender<'_>,
    to: &str,
    letter: &Letter,
    language: &Language,
) -> Result<Message, MailError> {
    let to: Address = to
        .parse()
        .map_err(|_| MailError::Address("the receiver's".to_owned()))?;
    let seconds = Duration::from_secs(u64::try_from(sender.now).unwrap_or(0));
    // One part, and not a body alone: without `MIME-Version` its encoding means nothing (RFC 2045, 4).
    let text = SinglePart::builder()
        .header(ContentType::TEXT_PLAIN)
        .body(letter.text(language));
    Message::builder()
        .from(sender.from.clone())
        .to(Mailbox::new(None, to))
        .subject(letter.subject(language))
        .date(SystemTime::UNIX_EPOCH + seconds)
        .message_id(Some(format!("<{}@{}>", Token::new().reveal(), sender.host)))
        .header(AutoSubmitted)
        .singlepart(text)
        .map_err(|error| MailError::Letter(error.to_string()))
}

/// Marks the letter as written by a program, so that no vacation notice answers it (RFC 3834, 5).
#[derive(Debug, Clone, Copy)]
struct AutoSubmitted;

const GENERATED: &str = "auto-generated";

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        if text == GENERATED {
            Ok(Self)
        } else {
            Err("another kind of letter".into())
        }
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), GENERATED.to_owned())
    }
}

/// The name in the greeting to the mail server (RFC 5321, 4.1.1.1). Many servers refuse `[127.0.0.1]`.
pub(super) fn greeting(host: &str) -> ClientId {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse() {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(host.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::Languages;

    fn written(letter: &Letter, language: &Language) -> String {
        let from: Mailbox = "Paperhouse <no-reply@example.org>".parse().unwrap();
        let sender = LetterSender {
            from: &from,
            host: "portal.example.org",
            now: 1_800_000_000,
        };
        let message = message(sender, "ada@example.org", letter, language).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    fn letters() -> [Letter; 4] {
        let link = format!("https://portal.example.org/reset/{}", "x".repeat(1_200));
        [
            Letter::PasswordChanged {
                forgot: link.clone(),
            },
            Letter::Reset { link: link.clone() },
            Letter::SignUpAgain {
                forgot: link.clone(),
            },
            Letter::Welcome { sign_in: link },
        ]
    }

    /// RFC 5322, 2.1.1 and 3.6; RFC 2045, 4; RFC 3834, 5.
    #[test]
    fn every_letter_is_a_valid_message_in_every_language() {
        for language in [Languages::english().first(), Languages::german().first()] {
            for letter in &letters() {
                let text = written(letter, &language);
                assert!(text.is_ascii(), "{text}");
                assert!(!text.replace("\r\n", "").contains(['\r', '\n']), "{text}");
                assert!(text.split("\r\n").all(|line| line.len() <= 998), "{text}");
                let (head, body) = text.split_once("\r\n\r\n").unwrap();
                let head = head.replace("\r\n ", " ");
                let of = |name: &str| {
                    let start = format!("{}: ", name.to_ascii_lowercase());
                    let mut found = head
                        .split("\r\n")
                        .filter(|line| line.to_ascii_lowercase().starts_with(&start));
                    let one = found.next().unwrap_or_else(|| panic!("{name}: {head}"));
                    assert!(found.next().is_none(), "{name} twice: {head}");
                    one.split_once(": ").unwrap().1.to_owned()
                };
                assert_eq!(of("MIME-Version"), "1.0");
                assert_eq!(of("Content-Type"), "text/plain; charset=utf-8");
                let encoding = of("Content-Transfer-Encoding");
                assert!(
                    ["7bit", "quoted-printable", "base64"].contains(&&*encoding),
                    "{encoding}"
                );
                assert_eq!(of("Auto-Submitted"), "auto-generated");
                assert_eq!(of("Date"), "Fri, 15 Jan 2027 08:00:00 +0000");
                assert!(of("From").ends_with("<no-reply@example.org>"));
                assert_eq!(of("To"), "ada@example.org");
                let id = of("Message-ID");
                assert!(
                    id.starts_with('<') && id.ends_with("@portal.example.org>"),
                    "{id}"
                );
                assert_ne!(written(letter, &language), text, "each has its own id");
                assert!(!of("Subject").is_empty() && !body.trim().is_empty());
            }
        }
    }

    #[test]
    fn a_server_is_greeted_with_the_hosts_name_or_a_literal() {
        for (host, greeted) in [
            ("portal.example.org", "portal.example.org"),
            ("localhost", "localhost"),
            ("192.0.2.7", "[192.0.2.7]"),
            ("[2001:db8::7]", "[IPv6:2001:db8::7]"),
        ] {
            assert_eq!(greeting(host).to_string(), greeted);
        }
    }
}
