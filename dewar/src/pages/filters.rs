use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind};
use time::OffsetDateTime;
use time::macros::format_description;

use super::Assets;
use super::languages::{date, file_size, moment};
use super::markup::trusted_html;

/// Adds the names that templates may call besides the engine's: `date`, `datetime`, `iso`, `filesize`, `lines`,
/// `static()`, `integrity()`.
pub(super) fn add(engine: &mut Environment<'static>, assets: Assets) {
    add_to_letters(engine);
    let files = assets.clone();
    engine.add_function("integrity", move |name: String| -> Result<Value, Error> {
        // This is Base64: nothing in it needs escaping.
        let hash = files.integrity(&name).map(trusted_html);
        hash.ok_or_else(|| no_file(&name))
    });
    engine.add_function("static", move |name: String| -> Result<Value, Error> {
        // An address consists of a shipped file's name and a hash: nothing in it needs escaping.
        assets
            .address(&name)
            .map(trusted_html)
            .ok_or_else(|| no_file(&name))
    });
}

/// Adds the filters that need no static files, which no letter has.
pub(super) fn add_to_letters(engine: &mut Environment<'static>) {
    engine.add_filter("date", |at: i64| written(at, DateStyle::Date));
    engine.add_filter("datetime", |at: i64| written(at, DateStyle::DateAndTime));
    engine.add_filter("iso", |at: i64| written(at, DateStyle::Iso));
    engine.add_filter("filesize", file_size);
}

fn no_file(name: &str) -> Error {
    let text = format!("no static file is named {name:?}");
    Error::new(ErrorKind::InvalidOperation, text)
}

#[derive(Clone, Copy)]
pub(super) enum DateStyle {
    Date,
    DateAndTime,
    Iso,
}

/// A moment, in the language of the page's reader.
pub(super) fn written(unix_seconds: i64, style: DateStyle) -> Result<String, Error> {
    let wrong =
        |error: &dyn std::fmt::Display| Error::new(ErrorKind::InvalidOperation, error.to_string());
    let at = OffsetDateTime::from_unix_timestamp(unix_seconds).map_err(|error| wrong(&error))?;
    match style {
        DateStyle::Date => Ok(date(at)),
        DateStyle::DateAndTime => Ok(moment(at)),
        DateStyle::Iso => at
            .format(format_description!(
                "[year]-[month]-[day]T[hour]:[minute]:[second]Z"
            ))
            .map_err(|error| wrong(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_utc() {
        assert_eq!(
            written(0, DateStyle::DateAndTime).unwrap(),
            "1 January 1970, 00:00 UTC"
        );
        assert_eq!(written(0, DateStyle::Iso).unwrap(), "1970-01-01T00:00:00Z");
    }
}
