//! A letter as a message (RFC 5322, RFC 2045). This sets what the library would leave out or choose by itself.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use lettre::transport::smtp::extension::ClientId;

use super::{Attachment, Error};
use crate::pages::RenderedLetter;

/// The frame of a letter: who writes it, to whom, and when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Envelope<'a> {
    pub(super) from: &'a Mailbox,
    pub(super) to: &'a str,
    /// The recipient's name.
    pub(super) name: Option<&'a str>,
    /// The application's own host.
    pub(super) host: &'a str,
    /// The letter's own id.
    pub(super) id: &'a str,
    /// The time, in seconds.
    pub(super) now: i64,
    /// The mailing list, with the link to leave it.
    pub(super) list: Option<(&'a str, &'a str)>,
}

/// The bytes of a letter. They are ASCII, in lines of at most 998 characters.
pub(super) fn message(
    envelope: Envelope<'_>,
    letter: RenderedLetter,
    attachments: Vec<Attachment>,
) -> Result<String, Error> {
    let to: Address = envelope.to.parse().map_err(|_| Error::Address)?;
    let seconds = Duration::from_secs(u64::try_from(envelope.now).unwrap_or(0));
    let id = format!("<{}@{}>", envelope.id, envelope.host);
    let mut builder = Message::builder()
        .from(envelope.from.clone())
        .to(Mailbox::new(envelope.name.map(str::to_owned), to))
        .subject(letter.subject)
        .date(SystemTime::UNIX_EPOCH + seconds)
        .message_id(Some(id))
        .header(AutoSubmitted);
    if let Some((list, link)) = envelope.list {
        builder = builder
            .header(ListId(format!("<{list}.{}>", envelope.host)))
            .header(ListUnsubscribe(format!("<{link}>")))
            .header(ListUnsubscribePost);
    }
    // Parts, and not a body alone: without `MIME-Version` its encoding means nothing (RFC 2045, 4).
    let part = |kind, text: String| SinglePart::builder().header(kind).body(text);
    let text = part(ContentType::TEXT_PLAIN, letter.text);
    // The richest part is the last (RFC 2046, 5.1.4).
    let both = |text, html| {
        let html = part(ContentType::TEXT_HTML, html);
        MultiPart::alternative().singlepart(text).singlepart(html)
    };
    let message = match letter.html {
        None if attachments.is_empty() => builder.singlepart(text),
        Some(html) if attachments.is_empty() => builder.multipart(both(text, html)),
        html => {
            let mixed = MultiPart::mixed();
            let mut all = match html {
                None => mixed.singlepart(text),
                Some(html) => mixed.multipart(both(text, html)),
            };
            for attachment in attachments {
                all = all.singlepart(attachment.part()?);
            }
            builder.multipart(all)
        }
    };
    let message = message.map_err(|error| Error::Letter(error.to_string()))?;
    String::from_utf8(message.formatted()).map_err(|error| Error::Letter(error.to_string()))
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

/// A header whose value is ASCII without a line break, as it is: the library would break a long link.
macro_rules! as_it_is {
    ($(#[$about:meta])* $header:ident, $name:literal) => {
        $(#[$about])*
        #[derive(Debug, Clone)]
        struct $header(String);

        impl Header for $header {
            fn name() -> HeaderName {
                HeaderName::new_from_ascii_str($name)
            }

            fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
                Ok(Self(text.to_owned()))
            }

            fn display(&self) -> HeaderValue {
                // A line break would be a header of its own (CWE-93).
                let is_plain = |c: &char| c.is_ascii_graphic();
                let value: String = self.0.chars().filter(is_plain).collect();
                HeaderValue::dangerous_new_pre_encoded(Self::name(), value.clone(), value)
            }
        }
    };
}

as_it_is! {
    /// The name of the mailing list (RFC 2919).
    ListId, "List-Id"
}

as_it_is! {
    /// The link to leave the list (RFC 2369).
    ListUnsubscribe, "List-Unsubscribe"
}

/// Says that a `POST` to the link leaves the list, without a page in between (RFC 8058, 3.1).
#[derive(Debug, Clone, Copy)]
struct ListUnsubscribePost;

const ONE_CLICK: &str = "List-Unsubscribe=One-Click";

impl Header for ListUnsubscribePost {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("List-Unsubscribe-Post")
    }

    fn parse(text: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        if text == ONE_CLICK {
            Ok(Self)
        } else {
            Err("another way to leave a list".into())
        }
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), ONE_CLICK.to_owned())
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
