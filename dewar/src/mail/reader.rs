//! Reads the letters of the outbox: for the mailbox page of development, and for tests. It reads what `message` writes, and no
//! other mail.

use data_encoding::BASE64;

/// A letter of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutboxLetter {
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) date: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: Option<String>,
    pub(crate) attachments: Vec<OutboxAttachment>,
}

/// An attachment of such a letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OutboxAttachment {
    pub(crate) name: String,
    /// The media type, with the encoding of a text.
    pub(crate) kind: String,
    pub(crate) bytes: Vec<u8>,
}

/// A part of a message.
struct Part {
    kind: String,
    /// The name of an attachment.
    name: Option<String>,
    bytes: Vec<u8>,
}

impl OutboxLetter {
    /// None if it is no message.
    pub(crate) fn read(message: &str) -> Option<Self> {
        let (head, body) = message.split_once("\r\n\r\n")?;
        let head = head.replace("\r\n ", " ");
        let (mut text, mut html, mut attachments) = (String::new(), None, Vec::new());
        for Part { kind, name, bytes } in parts(&head, body)? {
            if let Some(name) = name {
                attachments.push(OutboxAttachment { name, kind, bytes });
                continue;
            }
            let content = String::from_utf8(bytes).ok()?.replace("\r\n", "\n");
            if kind.starts_with("text/html") {
                html = Some(content);
            } else {
                text = content;
            }
        }
        let field = |name| header(&head, name).map(|value| words(&value));
        Some(Self {
            to: field("To")?,
            from: field("From")?,
            date: field("Date")?,
            subject: field("Subject")?,
            text,
            html,
            attachments,
        })
    }
}

/// The parts of a message.
fn parts(head: &str, body: &str) -> Option<Vec<Part>> {
    let kind = header(head, "Content-Type")?;
    let Some((_, boundary)) = kind.split_once("boundary=\"") else {
        let encoding = header(head, "Content-Transfer-Encoding").unwrap_or_default();
        let disposition = header(head, "Content-Disposition");
        return Some(vec![Part {
            kind,
            name: disposition.map(|disposition| file_name(&disposition)),
            bytes: decode(&encoding, body)?,
        }]);
    };
    let boundary = format!("--{}", boundary.split('"').next()?);
    let mut all = Vec::new();
    for part in body.split(&boundary).skip(1) {
        // The closing delimiter. A mail server may add an empty line after it.
        if part.starts_with("--") {
            break;
        }
        let Some((head, body)) = part.trim_start_matches("\r\n").split_once("\r\n\r\n") else {
            break;
        };
        let body = body.strip_suffix("\r\n").unwrap_or(body);
        all.extend(parts(&head.replace("\r\n ", " "), body)?);
    }
    Some(all)
}

fn header(head: &str, name: &str) -> Option<String> {
    let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
    Some(value.trim().to_owned())
}

/// RFC 2045, 6.
fn decode(encoding: &str, body: &str) -> Option<Vec<u8>> {
    Some(match encoding {
        "base64" => BASE64.decode(body.replace("\r\n", "").as_bytes()).ok()?,
        "quoted-printable" => unquoted(body),
        _ => body.as_bytes().to_vec(),
    })
}

/// The parameter `filename` of a disposition: in one piece or in several, each quoted or percent-encoded (RFC 2231).
fn file_name(disposition: &str) -> String {
    let mut name = Vec::new();
    for parameter in disposition.split(';').skip(1) {
        let Some((key, value)) = parameter.trim().split_once('=') else {
            continue;
        };
        if !key.starts_with("filename") {
            continue;
        }
        if key.ends_with('*') {
            let value = value.strip_prefix("utf-8''").unwrap_or(value);
            name.extend(percent_encoding::percent_decode_str(value));
        } else {
            name.extend(value.trim_matches('"').replace('\\', "").bytes());
        }
    }
    String::from_utf8_lossy(&name).into_owned()
}

/// RFC 2045, 6.7.
fn unquoted(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('=') {
        bytes.extend_from_slice(before.as_bytes());
        rest = match after.strip_prefix("\r\n") {
            Some(after) => after,
            None => {
                let code = after.get(..2).unwrap_or_default();
                bytes.extend(u8::from_str_radix(code, 16));
                after.get(2..).unwrap_or_default()
            }
        };
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// The words of a header (RFC 2047): the space between two encoded words is none of the text.
fn words(value: &str) -> String {
    let mut text = String::new();
    let mut after_encoded = false;
    for word in value.split(' ') {
        let inside = word
            .strip_prefix("=?utf-8?b?")
            .and_then(|word| word.split_once("?="));
        let decoded = inside.and_then(|(code, rest)| {
            let bytes = BASE64.decode(code.as_bytes()).ok()?;
            Some(format!("{}{rest}", String::from_utf8(bytes).ok()?))
        });
        let is_joined = after_encoded && decoded.is_some();
        if !text.is_empty() && !is_joined {
            text.push(' ');
        }
        after_encoded = decoded.is_some();
        text.push_str(decoded.as_deref().unwrap_or(word));
    }
    text
}
