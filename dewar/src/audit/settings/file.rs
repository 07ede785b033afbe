use super::{FileValue, RawSetting};
use crate::audit::owner_only;
use crate::audit::{Finding, Practice};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use toml::de::{DeArray, DeTable, DeValue};

/// A settings file is read into memory, so it has a limit.
const LONGEST_FILE: u64 = 1024 * 1024;

/// Every value of the file by its dotted name. Problems with the file itself go to `findings`.
pub(super) fn read(path: &Path, findings: &mut Vec<Finding>) -> BTreeMap<String, FileValue> {
    let mut values = BTreeMap::new();
    let text = match text_of(path, findings) {
        Ok(text) => text,
        Err(error) => {
            let title = format!("Cannot read the settings file {}: {error}", path.display());
            findings.push(
                Finding::refuse(Practice::Audit, "settings-file", title)
                    .fix("Make it a readable UTF-8 file of at most 1 MiB, or do not name a file."),
            );
            return values;
        }
    };
    let (table, errors) = DeTable::parse_recoverable(&text);
    // Later errors may follow from the first, because the parser misreads what comes after it.
    let mut errors: Vec<_> = errors.iter().collect();
    errors.sort_by_key(|error| error.span().map_or(0, |span| span.start));
    if let Some(error) = errors.first() {
        let line = line_of(&text, error.span().map_or(0, |span| span.start));
        // The parser's `Display` quotes the line, which may hold a secret.
        let title = format!(
            "The settings file does not parse ({}, line {line})",
            path.display()
        );
        findings.push(
            Finding::refuse(Practice::Audit, "settings-file", title)
                .why("Dewar does not use a file that it can read only in part.")
                .fix(match without_quotes(&text, line) {
                    Some(quoted) => format!("Put the text into quotes: {quoted}"),
                    None => format!("Write it as TOML: {}.", error.message()),
                }),
        );
        return values;
    }
    let reader = TomlReader { path, text: &text };
    reader.flatten("", table.get_ref(), &mut values);
    values
}

fn text_of(path: &Path, findings: &mut Vec<Finding>) -> std::io::Result<String> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if owner_only::excess(&metadata, 0o002) != 0 {
        let title = format!(
            "The settings file {} is writable by everyone",
            path.display()
        );
        findings.push(
            Finding::refuse(Practice::Audit, "settings-file-writable", title)
                .why("Anyone who can write to it can turn protections off.")
                .fix(format!("chmod o-w {}", path.display()))
                .cwe(732)
                .asvs(&["13.3.2"]),
        );
    }
    let mut text = String::new();
    file.take(LONGEST_FILE + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST_FILE {
        return Err(std::io::Error::other("it is longer than 1 MiB"));
    }
    Ok(text)
}

/// The line as it was meant, if its value is a text without quotes, which TOML reads as a number or a date. It does not
/// repeat a possible secret in the wrong place (CWE-532).
fn without_quotes(text: &str, line: usize) -> Option<String> {
    let written = text.lines().nth(line.checked_sub(1)?)?;
    let (key, value) = written.split_once('=')?;
    let (key, value) = (key.trim(), value.trim());
    let is_key = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let begins = value.chars().next()?;
    if key.is_empty() || !key.chars().all(is_key) || "\"'[{#".contains(begins) {
        return None;
    }
    let value = value.split(" #").next().unwrap_or(value).trim_end();
    let is_harmless = |c: char| c.is_alphanumeric() || "-_./ ".contains(c);
    // By name, because any other value may be a secret under a name that we did not foresee.
    let shown = [
        "data",
        "directory",
        "durability",
        "hosts",
        "idle",
        "lifetime",
        "mode",
        "name",
        "role",
        "sign_up",
        "tls",
    ];
    let last = key.rsplit('.').next().unwrap_or(key);
    let is_shown = shown.contains(&last) && value.len() <= 80 && value.chars().all(is_harmless);
    let quoted = |value: &str| format!("{key} = \"{value}\"");
    // The line parses with quotes, so the quotes were missing.
    DeTable::parse(&quoted("text")).ok()?;
    Some(quoted(if is_shown { value } else { "…" }))
}

struct TomlReader<'a> {
    path: &'a Path,
    text: &'a str,
}

impl TomlReader<'_> {
    fn flatten(&self, prefix: &str, table: &DeTable<'_>, into: &mut BTreeMap<String, FileValue>) {
        for (key, value) in table {
            let name = match prefix {
                "" => key.get_ref().to_string(),
                _ => format!("{prefix}.{}", key.get_ref()),
            };
            if let DeValue::Table(inner) = value.get_ref() {
                self.flatten(&name, inner, into);
            }
            let line = line_of(self.text, key.span().start);
            let place = format!("{}, line {line}", self.path.display());
            into.insert(
                name,
                FileValue {
                    raw: raw(value.get_ref()),
                    place,
                },
            );
        }
    }
}

fn raw(value: &DeValue<'_>) -> RawSetting {
    match value {
        DeValue::String(text) => RawSetting::Text(text.to_string()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix()).map_or(
            RawSetting::Other("an integer that is too large"),
            RawSetting::Integer,
        ),
        DeValue::Boolean(flag) => RawSetting::Flag(*flag),
        DeValue::Array(array) => list(array),
        DeValue::Table(_) => RawSetting::Section,
        DeValue::Float(_) => RawSetting::Other("a number with a fraction"),
        DeValue::Datetime(_) => RawSetting::Other("a date"),
    }
}

fn list(array: &DeArray<'_>) -> RawSetting {
    let texts: Option<Vec<String>> = array
        .iter()
        .map(|value| value.get_ref().as_str().map(str::to_owned))
        .collect();
    texts.map_or(
        RawSetting::Other("a list that contains other values than texts"),
        RawSetting::List,
    )
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    before.filter(|byte| **byte == b'\n').count() + 1
}
