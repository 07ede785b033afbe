//! A form's entries as a request body (HTML Standard, 4.10.22.6 to 4.10.22.8).

use aws_lc_rs::rand;
use bytes::Bytes;
use data_encoding::HEXLOWER;

/// The entry of one control.
#[derive(Debug, Clone)]
pub(super) enum BodyEntry {
    File {
        name: String,
        file_name: String,
        kind: String,
        bytes: Bytes,
    },
    Text {
        name: String,
        value: String,
    },
}

pub(super) fn urlencoded(entries: &[BodyEntry]) -> String {
    let mut body = form_urlencoded::Serializer::new(String::new());
    for entry in entries {
        match entry {
            // Outside multipart a browser sends only the name of a file.
            BodyEntry::File {
                name, file_name, ..
            } => body.append_pair(&lines(name), &lines(file_name)),
            BodyEntry::Text { name, value } => body.append_pair(&lines(name), &lines(value)),
        };
    }
    body.finish()
}

/// The content type, with its boundary, and the body.
pub(super) fn multipart(entries: &[BodyEntry]) -> (String, Bytes) {
    let mut random = [0_u8; 8];
    let boundary = match rand::fill(&mut random) {
        Ok(()) => format!("----WebKitFormBoundary{}", HEXLOWER.encode(&random)),
        Err(_) => "----WebKitFormBoundary7MA4YWxkTrZu0gW0".to_owned(),
    };
    let mut body = Vec::new();
    for entry in entries {
        body.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        body.extend_from_slice(b"Content-Disposition: form-data; name=");
        match entry {
            BodyEntry::File {
                name,
                file_name,
                kind,
                bytes,
            } => {
                let (name, file_name) = (quoted(&lines(name)), quoted(file_name));
                let head = format!("{name}; filename={file_name}\r\nContent-Type: {kind}\r\n\r\n");
                body.extend_from_slice(head.as_bytes());
                body.extend_from_slice(bytes);
            }
            BodyEntry::Text { name, value } => {
                let part = format!("{}\r\n\r\n{}", quoted(&lines(name)), lines(value));
                body.extend_from_slice(part.as_bytes());
            }
        }
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    (
        format!("multipart/form-data; boundary={boundary}"),
        body.into(),
    )
}

/// The content type that a browser gives a file: by its extension, never by its content.
pub(super) fn kind_of(file_name: &str) -> &'static str {
    let extension = file_name
        .rsplit_once('.')
        .map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "csv" => "text/csv",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "gif" => "image/gif",
        "htm" | "html" => "text/html",
        "jpeg" | "jpg" => "image/jpeg",
        "odt" => "application/vnd.oasis.opendocument.text",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain",
        "webp" => "image/webp",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

/// Line breaks become CRLF.
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\n', "\r\n")
}

/// Percent-encodes the characters that would end the quoted name, and no others.
fn quoted(name: &str) -> String {
    format!(
        "\"{}\"",
        name.replace('\n', "%0A")
            .replace('\r', "%0D")
            .replace('"', "%22")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, value: &str) -> BodyEntry {
        BodyEntry::Text {
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }

    #[test]
    fn a_plain_body_is_written_as_a_browser_writes_it() {
        let body = urlencoded(&[text("title", "Tea & milk é"), text("note", "one\ntwo")]);
        assert_eq!(body, "title=Tea+%26+milk+%C3%A9&note=one%0D%0Atwo");
    }

    #[test]
    fn a_file_name_cannot_break_out_of_its_quotes() {
        let bytes = Bytes::from_static(b"\xff\r\n--x");
        let (name, file_name, kind) = ("a\"b".into(), "x\"; \r\nq.pdf".into(), "image/png".into());
        let (kind, body) = multipart(&[
            BodyEntry::File {
                name,
                file_name,
                kind,
                bytes,
            },
            text("t", "é"),
        ]);
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        let expected = [
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"a%22b\"; ").as_bytes(),
            b"filename=\"x%22; %0D%0Aq.pdf\"\r\nContent-Type: image/png\r\n\r\n\xff\r\n--x\r\n",
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\né\r\n")
                .as_bytes(),
            format!("--{boundary}--\r\n").as_bytes(),
        ]
        .concat();
        assert_eq!(body, expected);
    }
}
