//! The headers of one part of a multipart body (RFC 7578, as browsers spell them: HTML, 4.10.21.8).

use super::config::NAME;
use super::error::FormRejection;

/// The headers of a part.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PartHeader {
    pub(super) name: String,
    /// Present if the part is a file, even if it is empty.
    pub(super) file_name: Option<String>,
    pub(super) content_type: Option<String>,
}

/// The most headers of a part.
const HEADERS: usize = 8;

/// Reads a part's headers, without the empty line at their end.
///
/// It refuses everything that two parsers could read differently: a header twice, a parameter twice, `filename*`, and text after
/// a closing quote.
pub(super) fn head(block: &[u8]) -> Result<PartHeader, FormRejection> {
    let text = std::str::from_utf8(block)
        .map_err(|_| FormRejection::Malformed("the headers of a part are not UTF-8"))?;
    let (mut disposition, mut content_type) = (None, None);
    for (number, line) in text.split("\r\n").enumerate() {
        let (name, value) = line.split_once(':').ok_or(FormRejection::Malformed(
            "a part has a header without a colon",
        ))?;
        if number == HEADERS
            || name.is_empty()
            || !name.bytes().all(is_token)
            || value.contains(char::is_control)
        {
            return Err(FormRejection::Malformed(
                "a part has headers that no browser writes",
            ));
        }
        let value = value.trim_matches([' ', '\t']);
        let twice = match name.to_ascii_lowercase().as_str() {
            "content-disposition" => disposition.replace(value).is_some(),
            "content-type" => content_type.replace(value.to_owned()).is_some(),
            "content-transfer-encoding" => !["7bit", "8bit", "binary"].contains(&value),
            _ => false,
        };
        if twice {
            return Err(FormRejection::Malformed(
                "a part has a header twice, or an encoded one",
            ));
        }
    }
    let (name, file_name) =
        form_data(disposition.ok_or(FormRejection::Malformed("a part has no name"))?)?;
    Ok(PartHeader {
        name,
        file_name,
        content_type,
    })
}

fn form_data(value: &str) -> Result<(String, Option<String>), FormRejection> {
    const WRONG: FormRejection = FormRejection::Malformed("a part does not name its field");
    let (kind, mut rest) = value.split_once(';').ok_or(WRONG)?;
    if !kind.trim().eq_ignore_ascii_case("form-data") {
        return Err(WRONG);
    }
    let (mut name, mut file_name) = (None, None);
    loop {
        let (parameter, after) = rest.split_once('=').ok_or(WRONG)?;
        let (text, after) = parameter_value(after).ok_or(WRONG)?;
        let twice = match parameter.trim().to_ascii_lowercase().as_str() {
            "name" => name.replace(text).is_some(),
            "filename" => file_name.replace(text).is_some(),
            _ => true,
        };
        if twice {
            return Err(WRONG);
        }
        match after.trim_start_matches([' ', '\t']) {
            "" => break,
            more => rest = more.strip_prefix(';').ok_or(WRONG)?,
        }
    }
    let name = name
        .filter(|name| (1..=NAME).contains(&name.len()))
        .ok_or(WRONG)?;
    Ok((name, file_name))
}

/// A value, quoted or bare, and the text after it.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (inside, after) = quoted.split_once('"')?;
        // A parser that knows backslash escapes would not stop at this quote.
        if inside.ends_with('\\') {
            return None;
        }
        // The three escapes that browsers write for what a quoted text cannot hold; nothing else is decoded.
        let inside = inside
            .replace("%22", "\"")
            .replace("%0D", "\r")
            .replace("%0A", "\n");
        return Some((inside, after));
    }
    let end = text
        .find(|c: char| !c.is_ascii() || !u8::try_from(c).is_ok_and(is_token))
        .unwrap_or(text.len());
    let (bare, after) = text.split_at_checked(end)?;
    (!bare.is_empty()).then(|| (bare.to_owned(), after))
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(block: &str) -> Option<(String, Option<String>)> {
        head(block.as_bytes())
            .ok()
            .map(|head| (head.name, head.file_name))
    }

    #[test]
    fn what_browsers_write_is_read() {
        let head = head(b"Content-Disposition: form-data; name=\"a\"; filename=\"x %22y%22.pdf\"\r\nContent-Type: application/pdf").unwrap();
        assert_eq!(head.file_name.as_deref(), Some("x \"y\".pdf"));
        assert_eq!(head.content_type.as_deref(), Some("application/pdf"));
        assert_eq!(
            names("content-disposition: form-data; name=plain"),
            Some(("plain".into(), None))
        );
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        for block in [
            "",
            "Content-Disposition: attachment; name=\"a\"",
            "Content-Disposition: form-data",
            "Content-Disposition: form-data; name=\"\"",
            "Content-Disposition: form-data; name=\"a\"; name=\"b\"",
            "Content-Disposition: form-data; name=\"a\"; filename=\"b\"; filename*=utf-8''c",
            "Content-Disposition: form-data; name=\"a\\\"; filename=\"b\"",
            "Content-Disposition: form-data; name=\"a\"x",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"b\"",
            "Content-Disposition: form-data; name=\"a\"\r\nContent-Transfer-Encoding: base64",
            "Content-Disposition: form-data; name=\"a\"\r\n folded: b",
            "Content-Disposition : form-data; name=\"a\"",
            "Content-Disposition: form-data; name=\"a\nb\"",
        ] {
            assert_eq!(names(block), None, "{block}");
        }
    }

    #[test]
    fn a_part_has_one_file_name_and_few_headers() {
        let block = "Content-Disposition: form-data; name=\"a\"; filename=\"b\"";
        assert!(names(block).is_some());
        assert_eq!(names(&format!("{block}; filename=\"c\"")), None);
        let with = |more: usize| block.to_owned() + &"\r\nX-A: b".repeat(more);
        assert!(names(&with(HEADERS - 1)).is_some());
        assert_eq!(names(&with(HEADERS)), None);
    }

    #[test]
    fn a_name_inside_a_file_name_is_no_name() {
        let block =
            "Content-Disposition: form-data; filename=\"x; name=csrf_token\"; name=\"file\"";
        assert_eq!(names(block).unwrap().0, "file");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(block in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(head) = head(&block) {
                prop_assert!((1..=NAME).contains(&head.name.len()));
            }
        }
    }
}
