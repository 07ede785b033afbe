use crate::audit::sanitize::bounded;
use crate::audit::{Event, LoggablePath};
use serde::{Deserialize, Serialize};
use std::fmt::Display;
use std::net::IpAddr;
use time::OffsetDateTime;
use time::macros::format_description;

/// The most characters of a field.
const LONGEST_FIELD: usize = 256;
/// The most characters of the detail.
const LONGEST_DETAIL: usize = 1024;

/// An entry of the audit log: when, where, who, what (OWASP Logging Cheat Sheet, ASVS 16.2.1).
///
/// Never give it a password, a token, a session's id or a key. Dewar cuts each value at 256 characters (the detail at
/// 1,024), and escapes line breaks and other control characters.
///
/// ```
/// use dewar::audit::{Entry, Event, LoggablePath};
/// let entry = Entry::new(Event::AuthzFail)
///     .actor(17)
///     .subject("document 4")
///     .request("GET", &LoggablePath::new("/documents/4"))
///     .outcome("refused");
/// ```
#[derive(Debug, Clone)]
#[must_use = "an entry is stored only by `Log::record`"]
pub struct Entry {
    pub(super) event: Event,
    pub(super) fields: Fields,
    /// The name of an application's event that was read from a row.
    name: Option<String>,
}

/// The fields of an entry, in the order of the line.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub(super) struct Fields {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actor: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The entry's row in the database until it is in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    row: Option<i64>,
}

impl Entry {
    /// An entry about an event; its time is the moment it is recorded.
    pub fn new(event: Event) -> Self {
        Self {
            event,
            fields: Fields::default(),
            name: None,
        }
    }

    /// The name in the log.
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.event.name())
    }

    pub(super) const fn row(&self) -> Option<i64> {
        self.fields.row
    }

    pub(super) const fn in_row(mut self, row: i64) -> Self {
        self.fields.row = Some(row);
        self
    }

    /// The text for a row of the database.
    pub(super) fn to_row(&self) -> String {
        let row = FieldRow {
            event: self.name().to_owned(),
            fields: self.fields.clone(),
        };
        serde_json::to_string(&row).unwrap_or_default()
    }

    pub(super) fn of_row(text: &str) -> Option<Self> {
        let FieldRow {
            event: name,
            fields,
        } = serde_json::from_str(text).ok()?;
        let known = Event::ALL.iter().find(|event| event.name() == name);
        Some(match known {
            Some(event) => Self {
                event: *event,
                fields,
                name: None,
            },
            None => Self {
                event: Event::Application("application"),
                fields,
                name: Some(name),
            },
        })
    }

    /// The actor: a user's id, a webhook's name.
    pub fn actor(mut self, actor: impl Display) -> Self {
        self.fields.actor = Some(bounded(&actor, LONGEST_FIELD));
        self
    }

    /// The object of the event: an account, a document.
    pub fn subject(mut self, subject: impl Display) -> Self {
        self.fields.subject = Some(bounded(&subject, LONGEST_FIELD));
        self
    }

    /// The address of the client.
    pub fn address(mut self, address: IpAddr) -> Self {
        self.fields.address = Some(address);
        self
    }

    /// The request's method and path, without possible secrets.
    pub fn request(mut self, method: impl Display, path: &LoggablePath) -> Self {
        self.fields.method = Some(bounded(&method, LONGEST_FIELD));
        self.fields.path = Some(bounded(path, LONGEST_FIELD));
        self
    }

    /// The id that the request's other log lines and its error page have.
    pub fn request_id(mut self, id: impl Display) -> Self {
        self.fields.request_id = Some(bounded(&id, LONGEST_FIELD));
        self
    }

    /// The result: `refused`, `422`.
    pub fn outcome(mut self, outcome: impl Display) -> Self {
        self.fields.outcome = Some(bounded(&outcome, LONGEST_FIELD));
        self
    }

    /// The reason, in a sentence for the reader of the log.
    pub fn detail(mut self, detail: impl Display) -> Self {
        self.fields.detail = Some(bounded(&detail, LONGEST_DETAIL));
        self
    }

    /// The event.
    #[must_use]
    pub const fn event(&self) -> Event {
        self.event
    }
}

#[derive(Deserialize, Serialize)]
struct FieldRow {
    event: String,
    fields: Fields,
}

/// An entry as the log holds it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Recorded {
    /// Its number. The first is 1, and no number is left out.
    pub seq: u64,
    /// The time: ISO 8601, UTC, with the offset.
    pub time: String,
    /// The [name](Event::name) of the event.
    pub event: String,
    /// The level of the event.
    pub level: String,
    /// The actor.
    #[serde(default)]
    pub actor: Option<String>,
    /// The object of the event.
    #[serde(default)]
    pub subject: Option<String>,
    /// The address of the client.
    #[serde(default)]
    pub address: Option<String>,
    /// The request's method.
    #[serde(default)]
    pub method: Option<String>,
    /// The request's path, without its query.
    #[serde(default)]
    pub path: Option<String>,
    /// The request's id.
    #[serde(default)]
    pub request_id: Option<String>,
    /// The result.
    #[serde(default)]
    pub outcome: Option<String>,
    /// The reason.
    #[serde(default)]
    pub detail: Option<String>,
    /// The row that it had in the database: it was recorded in a transaction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub row: Option<i64>,
}

#[derive(Serialize)]
struct Body<'a> {
    seq: u64,
    time: String,
    event: &'a str,
    level: &'a str,
    #[serde(flatten)]
    fields: &'a Fields,
}

/// The line of an entry without its chain: a JSON object that ends with `}`.
pub(super) fn body(seq: u64, milliseconds: i64, entry: &Entry) -> String {
    let body = Body {
        seq,
        time: iso(milliseconds),
        event: entry.name(),
        level: entry.event.level().as_str(),
        fields: &entry.fields,
    };
    // Texts and numbers always have a JSON form; the seq alone would still keep the chain intact.
    serde_json::to_string(&body).unwrap_or_else(|_| format!("{{\"seq\":{seq}}}"))
}

/// `2026-11-23T21:39:17.000+00:00`.
pub(super) fn iso(milliseconds: i64) -> String {
    let format = format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]+00:00"
    );
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000)
        .ok()
        .and_then(|moment| moment.format(format).ok())
        .unwrap_or_else(|| format!("{milliseconds} ms"))
}
