use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind};
use time::OffsetDateTime;
use time::macros::format_description;

use super::Assets;

/// Adds what templates may call beside the engine's own: `date`, `datetime`, `iso`, `filesize`, `lines`, `static()`,
/// `integrity()`.
pub(super) fn add(engine: &mut Environment<'static>, assets: Assets) {
    engine.add_filter("date", |at: i64| moment(at, Style::Date));
    engine.add_filter("datetime", |at: i64| moment(at, Style::DateAndTime));
    engine.add_filter("iso", |at: i64| moment(at, Style::Iso));
    engine.add_filter("filesize", filesize);
    let files = assets.clone();
    engine.add_function("integrity", move |name: String| -> Result<Value, Error> {
        // Base64: nothing in it needs escaping.
        let hash = files
            .integrity(&name)
            .map(|hash| Value::from_safe_string(hash.to_owned()));
        hash.ok_or_else(|| no_file(&name))
    });
    engine.add_function("static", move |name: String| -> Result<Value, Error> {
        // An address is made of a shipped file's name and a hash: nothing in it needs escaping.
        assets
            .address(&name)
            .map(|address| Value::from_safe_string(address.to_owned()))
            .ok_or_else(|| no_file(&name))
    });
}

fn no_file(name: &str) -> Error {
    let text = format!("there is no static file named {name:?}");
    Error::new(ErrorKind::InvalidOperation, text)
}

#[derive(Clone, Copy)]
enum Style {
    Date,
    DateAndTime,
    Iso,
}

fn moment(unix_seconds: i64, style: Style) -> Result<String, Error> {
    let wrong =
        |error: &dyn std::fmt::Display| Error::new(ErrorKind::InvalidOperation, error.to_string());
    let at = OffsetDateTime::from_unix_timestamp(unix_seconds).map_err(|error| wrong(&error))?;
    let text = match style {
        Style::Date => at.format(format_description!(
            "[day padding:none] [month repr:long] [year]"
        )),
        Style::DateAndTime => at.format(format_description!(
            "[day padding:none] [month repr:long] [year], [hour]:[minute] UTC"
        )),
        Style::Iso => at.format(format_description!(
            "[year]-[month]-[day]T[hour]:[minute]:[second]Z"
        )),
    };
    text.map_err(|error| wrong(&error))
}

/// A number of bytes as people read it: `1.4 MB` is 1,400,000 bytes.
fn filesize(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["bytes", "kB", "MB", "GB"];
    let (mut whole, mut tenth, mut unit) = (bytes, 0, 0);
    while whole >= 1000 && unit + 1 < UNITS.len() {
        tenth = whole % 1000 / 100;
        whole /= 1000;
        unit += 1;
    }
    let name = UNITS.get(unit).copied().unwrap_or_default();
    if unit == 0 || whole >= 100 {
        format!("{whole} {name}")
    } else {
        format!("{whole}.{tenth} {name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_told_in_the_unit_that_people_would_choose() {
        assert_eq!(filesize(999), "999 bytes");
        assert_eq!(filesize(1_450_000), "1.4 MB");
        assert_eq!(filesize(250_000_000_000), "250 GB");
    }

    #[test]
    fn a_moment_is_told_in_utc() {
        assert_eq!(
            moment(0, Style::DateAndTime).unwrap(),
            "1 January 1970, 00:00 UTC"
        );
        assert_eq!(moment(0, Style::Iso).unwrap(), "1970-01-01T00:00:00Z");
    }
}
