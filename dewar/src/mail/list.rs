//! Mailing lists: each letter to many has a link by which its recipient leaves the list with one click (RFC 2369, RFC 8058).

use axum::body::Body;
use fluent_bundle::FluentArgs;
use http::{HeaderMap, Method, header};
use serde::Serialize;

use super::queue::Claimed;
use super::{Error, Letter, Mailer};
use crate::audit::{Entry, Event};
use crate::database::{self, Db, Tx};
use crate::forms::Email;
use crate::pages::{self, ErrorKind, Language, Message, Page};
use crate::secrets::{self, KeyRing, Purpose};

/// The pattern of the link.
pub(crate) const UNSUBSCRIBE: &str = "/unsubscribe/{token}";

/// The path before the token.
const BEFORE_TOKEN: &str = "/unsubscribe/";

/// Part of what the seal of a link is bound to.
const CONTEXT: &[u8] = b"mailing list";

/// The most bytes of the request that a mail program sends; RFC 8058 needs 26.
const LONGEST_REQUEST: usize = 4 * 1024;

/// The field that makes a request one to leave (RFC 8058, 3.2), and its value.
const FIELD: (&str, &str) = ("List-Unsubscribe", "One-Click");

/// One recipient of one list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subscriber {
    pub(super) list: String,
    /// The address, in the spelling by which Dewar compares addresses.
    pub(super) address_key: String,
}

/// The values that the pages show.
#[derive(Debug, Serialize)]
struct Shown {
    list: String,
    /// A part of the address: a link can reach other eyes than those of its owner.
    address: String,
}

/// The token of the path of a link.
pub(crate) fn unsubscribe_token(path: &str) -> Option<&str> {
    path.strip_prefix(BEFORE_TOKEN)
        .filter(|token| !token.is_empty() && !token.contains('/'))
}

/// The link by which a recipient leaves a list. Only keys of this application can make one.
pub(super) fn link(
    ring: &KeyRing,
    origin: &str,
    list: &str,
    address_key: &str,
) -> Result<String, secrets::Error> {
    let text = format!("{list}\n{address_key}");
    let token = ring.seal(Purpose::Unsubscribe, CONTEXT, text.as_bytes())?;
    Ok(format!("{origin}{BEFORE_TOKEN}{token}"))
}

/// The recipient whom a token names; none if it was not made here, or its key is revoked.
fn subscriber(ring: &KeyRing, token: &str) -> Option<Subscriber> {
    let text = ring.open(Purpose::Unsubscribe, CONTEXT, token).ok()?;
    let (list, address_key) = std::str::from_utf8(&text).ok()?.split_once('\n')?;
    Some(Subscriber {
        list: list.to_owned(),
        address_key: address_key.to_owned(),
    })
}

const FIND: &str = "SELECT 1 FROM dewar_unsubscribed WHERE list = ? AND address_key = ?";

/// Whether this address has left the list.
pub(super) async fn has_left(
    tx: &Tx,
    list: &str,
    address_key: &str,
) -> Result<bool, database::Error> {
    let rows = tx.query(FIND, [list.into(), address_key.into()]).await?;
    Ok(!rows.is_empty())
}

/// Whether the recipient of a letter has left its list since it was queued.
pub(super) async fn has_left_since(db: &Db, letter: &Claimed) -> Result<bool, database::Error> {
    let Some(list) = &letter.list else {
        return Ok(false);
    };
    let values = [list.as_str().into(), letter.address_key.as_str().into()];
    Ok(!db.query(FIND, values).await?.is_empty())
}

/// Takes an address off a list. Returns whether it was on it.
async fn leave(tx: &Tx, list: &str, address_key: &str, now: i64) -> Result<bool, database::Error> {
    let add = "INSERT INTO dewar_unsubscribed (list, address_key, left_at) VALUES (?, ?, ?)
        ON CONFLICT (list, address_key) DO NOTHING";
    let values = [list.into(), address_key.into(), now.into()];
    Ok(tx.execute(add, values).await? > 0)
}

/// A part of an address: enough for its owner.
fn masked(address: &str) -> String {
    let (local, host) = address.split_once('@').unwrap_or((address, ""));
    let first: String = local.chars().take(1).collect();
    format!("{first}…@{host}")
}

/// Whether a request says what RFC 8058 says: `List-Unsubscribe=One-Click`, as a form or in parts. A visitor of the address by
/// other means changes nothing.
async fn is_one_click(headers: &HeaderMap, body: Body) -> bool {
    let (name, value) = FIELD;
    let Ok(bytes) = axum::body::to_bytes(body, LONGEST_REQUEST).await else {
        return false;
    };
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return false;
    };
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind
        .trim_start()
        .to_ascii_lowercase()
        .starts_with("multipart/form-data")
    {
        let mut lines = text.lines().map(str::trim);
        let is_named = lines.any(|line| {
            line.to_ascii_lowercase()
                .starts_with("content-disposition:")
                && line.contains(&format!("name=\"{name}\""))
        });
        return is_named && lines.any(|line| line == value);
    }
    text.trim()
        .split('&')
        .any(|pair| pair == format!("{name}={value}"))
}

impl Mailer {
    /// Takes an address off the list of a letter: for a switch on a page of the application's own. Letters of this list that wait
    /// for this address are not sent.
    ///
    /// ```
    /// use dewar::mail::{Letter, Mailer};
    /// use dewar::{Db, forms::Email};
    /// #[derive(Letter)]
    /// #[letter(template = "letters/news", list = "news")]
    /// struct News { title: String }
    /// async fn no_more_news(db: Db, mailer: Mailer, address: Email) -> dewar::Result<()> {
    ///     let tx = db.begin().await?;
    ///     mailer.unsubscribe::<News>(&tx, &address).await?;
    ///     Ok(tx.commit().await?)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::NoList`] if the letter belongs to no list; [`Error::Database`].
    pub async fn unsubscribe<L: Letter>(&self, tx: &Tx, address: &Email) -> Result<(), Error> {
        let list = L::LIST.ok_or(Error::NoList(L::TEMPLATE))?;
        let now = self.shared.clock.now();
        leave(tx, list, address.key(), now).await?;
        Ok(())
    }

    /// Lets letters of a list go to an address again. Call it only if the owner of the address asks for it, such as by a switch on
    /// the page of their own account.
    ///
    /// # Errors
    /// As [`unsubscribe`](Self::unsubscribe).
    pub async fn resubscribe<L: Letter>(&self, tx: &Tx, address: &Email) -> Result<(), Error> {
        let list = L::LIST.ok_or(Error::NoList(L::TEMPLATE))?;
        let remove = "DELETE FROM dewar_unsubscribed WHERE list = ? AND address_key = ?";
        let values = [list.into(), address.key().into()];
        tx.execute(remove, values).await?;
        Ok(())
    }

    /// Whether an address has left the list of a letter.
    ///
    /// # Errors
    /// As [`unsubscribe`](Self::unsubscribe).
    pub async fn has_unsubscribed<L: Letter>(
        &self,
        tx: &Tx,
        address: &Email,
    ) -> Result<bool, Error> {
        let list = L::LIST.ok_or(Error::NoList(L::TEMPLATE))?;
        Ok(has_left(tx, list, address.key()).await?)
    }

    /// The response to a request for the link. A `GET`, which programs that look at links send too, shows a page with a button and
    /// changes nothing; a `POST` takes the address off the list.
    pub(crate) async fn answer_unsubscribe(
        &self,
        (method, headers): (&Method, &HeaderMap),
        token: &str,
        body: Body,
        language: &Language,
    ) -> Result<Page, pages::Error> {
        let shared = &*self.shared;
        let subscriber = subscriber(&shared.ring, token).ok_or_else(pages::Error::not_found)?;
        let label = format!("mailing-list.is-{}", subscriber.list);
        let label = language.message(&label, &FluentArgs::new());
        let shown = Shown {
            list: label.unwrap_or_else(|| subscriber.list.clone()),
            address: masked(&subscriber.address_key),
        };
        match *method {
            Method::GET | Method::HEAD => {
                Ok(Page::new("mail/unsubscribe.html").with("subscriber", shown))
            }
            Method::POST if is_one_click(headers, body).await => {
                self.take_off(&subscriber).await?;
                Ok(Page::new("mail/unsubscribed.html").with("subscriber", shown))
            }
            Method::POST => Err(pages::Error::bad_request(Message::new(
                "mail-unsubscribe.unasked",
            ))),
            _ => Err(pages::Error::new(ErrorKind::MethodNotAllowed)),
        }
    }

    /// A link works any number of times, and writes once.
    async fn take_off(&self, from: &Subscriber) -> Result<(), Error> {
        let shared = &*self.shared;
        let values = [from.list.as_str().into(), from.address_key.as_str().into()];
        if !shared.db.query(FIND, values).await?.is_empty() {
            return Ok(());
        }
        let (from, now) = (from.clone(), shared.clock.now());
        let mark = super::worker::mark(&from.address_key);
        let list = from.list.clone();
        let left = shared.db.transaction(|tx| {
            let from = from.clone();
            async move { leave(&tx, &from.list, &from.address_key, now).await }
        });
        if left.await? {
            let entry = Entry::new(Event::Application("mail_unsubscribed"));
            shared.log.record(entry.subject(mark).detail(list));
        }
        Ok(())
    }
}
