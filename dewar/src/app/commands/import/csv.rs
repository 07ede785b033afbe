//! Records of a CSV file (RFC 4180), each within a bound.
use std::io::{BufRead, Read};

/// The most bytes of a record.
const MOST_BYTES: usize = 64 * 1024;
const MOST_FIELDS: usize = 64;

/// A record: the number of its first line, and its fields, or the reason why it is none.
pub(super) struct Record {
    pub(super) line: u64,
    pub(super) fields: Result<Vec<String>, &'static str>,
    /// How many bytes were read so far.
    pub(super) position: u64,
}

/// Reads records one after the other.
pub(super) struct Records<R> {
    input: R,
    line: u64,
    position: u64,
}

impl<R: BufRead> Records<R> {
    pub(super) const fn new(input: R) -> Self {
        Self {
            input,
            line: 0,
            position: 0,
        }
    }

    /// The next record that is not empty; none at the end.
    ///
    /// # Errors
    /// The file cannot be read; or a record is longer than the bound, so that nobody knows where the next one begins.
    pub(super) fn next(&mut self) -> Result<Option<Record>, String> {
        loop {
            let line = self.line + 1;
            let bytes = self.record()?;
            let position = self.position;
            let Ok(text) = std::str::from_utf8(&bytes) else {
                let fields = Err("it is not UTF-8");
                return Ok(Some(Record {
                    line,
                    fields,
                    position,
                }));
            };
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            if !text.trim_matches(['\r', '\n']).is_empty() {
                let fields = fields(text.strip_suffix('\n').unwrap_or(text));
                return Ok(Some(Record {
                    line,
                    fields,
                    position,
                }));
            }
            if bytes.is_empty() {
                return Ok(None);
            }
        }
    }

    /// The bytes of a record: lines until no quoted field is open.
    fn record(&mut self) -> Result<Vec<u8>, String> {
        let start = self.line + 1;
        let (mut bytes, mut state) = (Vec::new(), Quoting::FieldStart);
        loop {
            let before = bytes.len();
            let left = (MOST_BYTES + 1).saturating_sub(before);
            let mut part = Read::take(&mut self.input, left as u64);
            let read = part.read_until(b'\n', &mut bytes);
            let read = read.map_err(|error| error.to_string())?;
            self.position += read as u64;
            if bytes.len() > MOST_BYTES {
                return Err(format!("line {start}: the record is longer than 64 KiB"));
            }
            self.line += 1;
            let new = bytes.iter().skip(before);
            state = new.fold(state, |state, byte| state.after(*byte));
            match state {
                Quoting::Open if read == 0 => {
                    return Err(format!(
                        "line {start}: a quotation mark is open at the end of the file"
                    ));
                }
                Quoting::Open => {}
                Quoting::Closed | Quoting::FieldStart | Quoting::Plain => return Ok(bytes),
            }
        }
    }
}

/// Whether a line break belongs to a field. Only a quotation mark at the beginning of a field opens it.
#[derive(Clone, Copy)]
enum Quoting {
    Closed,
    FieldStart,
    Open,
    Plain,
}

impl Quoting {
    const fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::FieldStart | Self::Closed, b'"') => Self::Open,
            (Self::Open, b'"') => Self::Closed,
            (Self::Open, _) => Self::Open,
            (_, b',') => Self::FieldStart,
            _ => Self::Plain,
        }
    }
}

fn fields(record: &str) -> Result<Vec<String>, &'static str> {
    let record = record.strip_suffix('\r').unwrap_or(record);
    let mut fields = Vec::new();
    let mut rest = record;
    loop {
        if fields.len() == MOST_FIELDS {
            return Err("it has more than 64 fields");
        }
        let (field, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted_field(quoted)?,
            None => {
                let (field, after) = rest
                    .split_once(',')
                    .map_or((rest, None), |(field, after)| (field, Some(after)));
                if field.contains('"') {
                    return Err("a quotation mark stands inside a field");
                }
                (field.to_owned(), after)
            }
        };
        fields.push(field);
        match after {
            Some(after) => rest = after,
            None => return Ok(fields),
        }
    }
}

/// The field up to its closing quotation mark, and the text after the comma behind it.
fn quoted_field(mut rest: &str) -> Result<(String, Option<&str>), &'static str> {
    let mut field = String::new();
    loop {
        let (text, after) = rest.split_once('"').ok_or("a quotation mark is open")?;
        field.push_str(text);
        if let Some(after) = after.strip_prefix('"') {
            field.push('"');
            rest = after;
        } else if after.is_empty() {
            return Ok((field, None));
        } else {
            let after = after.strip_prefix(',');
            return Ok((field, Some(after.ok_or("text follows a quotation mark")?)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Fields = Result<Vec<String>, &'static str>;

    fn read(text: &[u8]) -> Result<Vec<(u64, Fields)>, String> {
        let mut records = Records::new(text);
        let mut all = Vec::new();
        while let Some(record) = records.next()? {
            all.push((record.line, record.fields));
        }
        Ok(all)
    }

    #[test]
    fn records_are_read_as_rfc_4180_writes_them() {
        let all = read(b"\xef\xbb\xbfa,b\r\n\r\n\"x, \"\"y\"\"\nz\",\n,\"\"\nlast").unwrap();
        let wanted = [
            (1, vec!["a", "b"]),
            (3, vec!["x, \"y\"\nz", ""]),
            (5, vec!["", ""]),
            (6, vec!["last"]),
        ];
        let of = |(line, fields): &(u64, Vec<&str>)| {
            let fields: Vec<String> = fields.iter().map(ToString::to_string).collect();
            (*line, Ok(fields))
        };
        assert_eq!(all, wanted.iter().map(of).collect::<Vec<_>>());
    }

    #[test]
    fn a_broken_record_is_refused_alone_and_an_endless_one_ends_the_file() {
        let all = read(b"a\"b,c\nfine\n\"a\"b\n\xff\xfe\nfine\n").unwrap();
        let fine: Vec<bool> = all.iter().map(|(_, fields)| fields.is_ok()).collect();
        assert_eq!(fine, [false, true, false, false, true]);
        let long = [b"fine\n".as_slice(), &vec![b'x'; MOST_BYTES + 1]].concat();
        assert!(read(&long).unwrap_err().contains("line 2"));
        let open = [b"\"open\n".as_slice(), &b"x\n".repeat(MOST_BYTES)].concat();
        assert!(read(&open).unwrap_err().contains("64 KiB"));
        assert!(read(b"a\n\"open\nx").unwrap_err().contains("line 2"));
        assert!(read(",".repeat(100).as_bytes()).unwrap()[0].1.is_err());
    }
}
