//! Tickets: a browser sends a file to the bucket itself, and nobody but the framework reads it there.

use std::fmt;
use std::time::Duration;

use data_encoding::HEXLOWER;
use serde::Serialize;

use super::direct::DirectUpload;
use super::error::Error;
use super::id::FileId;
use super::policy::Policy;
use super::rejection::UploadRejection;
use super::store::{RequestRooms, Uploads};
use super::ticket_rows::{self, NoTicket, Redeemed, TicketLimits, TicketRow, TicketScope};
use super::upload::Upload;
use crate::audit::Event;
use crate::database::refuse_while_reading;
use crate::forms::{
    Announced, FetchError, Field, FieldKind, FormValue, Int, Line, Problem, RawValue,
};
use crate::pages::JsonSchema;
use crate::sessions::UserId;

/// The largest object that S3 takes with one request.
const LARGEST: u64 = 5 * 1024 * 1024 * 1024;

/// How long after its end a ticket stays, for a request that began before.
const AFTER_END: i64 = 60;

/// The age of an object without a ticket that a sweep deletes. No address is valid for longer.
const WITHOUT_TICKET: Duration = Duration::from_secs(60 * 60);

/// The form that the framework's script sends to the route of the tickets.
///
/// ```
/// use dewar::uploads::{Document, MIB, TicketRequest, UploadTicket};
/// use dewar::{CurrentUser, Form, Uploads, pages::Json};
/// async fn ticket(me: CurrentUser, uploads: Uploads, form: Form<TicketRequest>) -> dewar::Result<Json<UploadTicket>> {
///     let (request, bound) = form.bind_or_reject()?;
///     let ticket = uploads.ticket::<Document, { 200 * MIB }>(me.id(), request).await;
///     Ok(Json(bound.or_refuse(ticket, TicketRequest::SIZE)?))
/// }
/// # let route: dewar::app::Route = dewar::post("/papers/tickets", ticket);
/// # drop(route);
/// ```
#[derive(Debug, crate::forms::Form)]
#[non_exhaustive]
pub struct TicketRequest {
    /// The visitor's name for the file.
    pub name: Line<255>,
    /// The number of its bytes.
    pub size: Int<1, { i64::MAX }>,
    /// The SHA-256 of its bytes, if the browser computed it.
    pub sha256: Option<Sha256>,
}

/// A SHA-256 in a form: 64 digits, `0`-`9` and `a`-`f`.
///
/// ```
/// use dewar::forms::{Field, RawValue};
/// use dewar::uploads::Sha256;
/// assert!(Sha256::parse(RawValue::Text(&"0a".repeat(32))).is_ok());
/// assert!(Sha256::parse(RawValue::Text("0a")).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sha256([u8; 32]);

impl Field for Sha256 {
    const KIND: FieldKind = FieldKind::line(64).pattern("[0-9a-f]{64}");

    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        let text = raw.line(64)?;
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        bytes.map(Self).ok_or_else(Problem::not_offered)
    }

    fn show(&self) -> FormValue {
        FormValue::text(HEXLOWER.encode(&self.0))
    }
}

/// The answer to a [`TicketRequest`], for the framework's script: where to send the file, or that it belongs into the form.
///
/// ```
/// use dewar::uploads::UploadTicket;
/// fn goes_to_the_bucket(ticket: &UploadTicket) -> bool { ticket.address.is_some() }
/// ```
#[derive(Clone, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct UploadTicket {
    /// The text to send in the form in place of the file; none if the form carries the file itself.
    pub ticket: Option<String>,
    /// The address to send the file to, with `PUT`.
    pub address: Option<String>,
    /// The headers of that request, by name; the address is valid with these alone.
    pub headers: Vec<TicketHeader>,
}

/// A header that a browser sends with a file.
///
/// ```
/// use dewar::uploads::UploadTicket;
/// fn names(ticket: &UploadTicket) -> Vec<&str> { ticket.headers.iter().map(|header| header.name.as_str()).collect() }
/// ```
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[non_exhaustive]
pub struct TicketHeader {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A signed request by which a browser sends one file.
#[derive(Clone)]
pub(super) struct SignedPut {
    pub(super) address: String,
    pub(super) headers: Vec<(&'static str, String)>,
}

/// Not the ticket and not the address: who has them can send the file.
impl fmt::Debug for UploadTicket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadTicket")
            .field("is_for_the_bucket", &self.address.is_some())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SignedPut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedPut").finish_non_exhaustive()
    }
}

/// What an address is signed for.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(feature = "s3"),
    expect(dead_code, reason = "only a bucket has addresses")
)]
pub(super) struct PutScope {
    pub(super) size: u64,
    pub(super) sha256: Option<[u8; 32]>,
    pub(super) valid: Duration,
}

impl PutScope {
    /// The checksum, as S3 spells it.
    #[cfg(feature = "s3")]
    pub(super) fn checksum(&self) -> Option<String> {
        self.sha256
            .map(|sha256| data_encoding::BASE64.encode(&sha256))
    }
}

impl UploadTicket {
    /// The form carries the file itself.
    const fn in_the_form() -> Self {
        Self {
            ticket: None,
            address: None,
            headers: Vec::new(),
        }
    }

    fn of(sealed: String, put: SignedPut) -> Self {
        let headers = put.headers.into_iter().map(|(name, value)| TicketHeader {
            name: name.to_owned(),
            value,
        });
        Self {
            ticket: Some(sealed),
            address: Some(put.address),
            headers: headers.collect(),
        }
    }
}

impl TicketScope {
    const fn of<P: Policy>(owner: UserId, most: u64) -> Self {
        Self {
            owner,
            policy: P::NAME,
            most,
        }
    }

    /// The place that a ticket is sealed for, beside its session.
    fn place(&self) -> [String; 3] {
        [
            "upload-ticket".to_owned(),
            self.policy.to_owned(),
            self.most.to_string(),
        ]
    }
}

fn place(parts: &[String; 3]) -> [&str; 3] {
    parts.each_ref().map(String::as_str)
}

impl Uploads {
    /// A ticket for a file of a [`DirectUpload<P, MAX>`], and the address at which the bucket takes it: this many bytes, with
    /// this SHA-256, once, until `uploads.ticket_ttl` is over. With files on the disk, in a request of a program, and for a file
    /// that S3 takes only in parts, it says that the form carries the file.
    ///
    /// The route is under a heading that lets in the people who may send the form. The ticket is good for this person, this
    /// session and a field of this type alone.
    ///
    /// # Errors
    /// [`Error::Refused`] for a name or a size that the field does not take, [`Error::Quota`], and [`Error::Tickets`] or
    /// [`Error::Busy`] if too many tickets of this owner, or of all, are open.
    pub async fn ticket<P: Policy, const MAX: u64>(
        &self,
        owner: UserId,
        request: TicketRequest,
    ) -> Result<UploadTicket, Error> {
        refuse_while_reading()?;
        let size = u64::try_from(request.size.get()).unwrap_or(u64::MAX);
        let rooms = self
            .rooms
            .as_ref()
            .filter(|rooms| !rooms.tokens.are_not_needed());
        let (Some(rooms), true) = (rooms, self.inner.storage.is_shared() && size <= LARGEST) else {
            return Ok(UploadTicket::in_the_form());
        };
        Upload::<P, MAX>::announced(request.name.as_str(), size)?;
        let scope = TicketScope::of::<P>(owner, MAX);
        let row = TicketRow {
            id: FileId::random(),
            name: request.name.as_str().to_owned(),
            size,
            sha256: request.sha256.map(|Sha256(bytes)| bytes),
        };
        let parts = scope.place();
        let sealed = rooms.tokens.seal(&place(&parts), row.id.as_str());
        let sealed = sealed.map_err(std::io::Error::other)?;
        self.open_ticket(scope, &row).await?;
        let put = PutScope {
            size,
            sha256: row.sha256,
            valid: self.inner.config.ticket_ttl,
        };
        match self.inner.storage.incoming_address(&row.id, put).await? {
            Some(put) => Ok(UploadTicket::of(sealed, put)),
            None => Ok(UploadTicket::in_the_form()),
        }
    }

    async fn open_ticket(&self, scope: TicketScope, row: &TicketRow) -> Result<(), Error> {
        let config = &self.inner.config;
        let limits = TicketLimits {
            of_owner: config.tickets_per_owner,
            quota_bytes: config.quota_bytes,
            quota_files: config.quota_files,
            all: config.tickets,
            all_bytes: config.ticket_bytes,
        };
        let ttl = i64::try_from(config.ticket_ttl.as_secs()).unwrap_or(i64::MAX);
        let ends_at = self.inner.clock.now().saturating_add(ttl);
        match ticket_rows::insert(&self.inner.db, scope, row, ends_at, limits).await? {
            None => Ok(()),
            Some(NoTicket::Owner) => Err(Error::Tickets),
            Some(NoTicket::All) => Err(Error::Busy),
            Some(NoTicket::Quota) => Err(Error::Quota {
                files: config.quota_files,
                bytes: config.quota_bytes,
            }),
        }
    }

    /// The file of a [`DirectUpload`], in quarantine and unexamined: as it came with the form, or fetched from the bucket in place
    /// of its ticket. Pass it to [`keep`](Self::keep).
    ///
    /// A ticket is used once. The bytes that are examined are those that were fetched; whatever happens in the bucket
    /// afterwards changes nothing.
    ///
    /// # Errors
    /// [`Error::Refused`] if the ticket is used, ended, forged, or of another person, session or field, or if the object is not the
    /// announced file; [`Error::Quota`]; [`Error::Unavailable`] if the bucket does not answer within `uploads.fetch_timeout`.
    pub async fn receive<P: Policy, const MAX: u64>(
        &self,
        owner: UserId,
        direct: DirectUpload<P, MAX>,
    ) -> Result<Upload<P, MAX>, Error> {
        let sealed = match direct.into_posted() {
            Ok(upload) => return Ok(upload),
            Err(sealed) => sealed,
        };
        refuse_while_reading()?;
        let scope = TicketScope::of::<P>(owner, MAX);
        let received = self.redeem::<P, MAX>(scope, &sealed).await;
        if let Err(Error::Refused(why)) = &received {
            let (event, word) = (Event::UploadValidation, why.word());
            let entry = crate::audit::Entry::new(event).actor(owner);
            self.note(entry.outcome("refused").detail(word));
        }
        received
    }

    async fn redeem<P: Policy, const MAX: u64>(
        &self,
        scope: TicketScope,
        sealed: &str,
    ) -> Result<Upload<P, MAX>, Error> {
        let unknown = || Error::Refused(UploadRejection::TicketUnknown);
        let rooms = self.rooms.as_ref().ok_or_else(unknown)?;
        let parts = scope.place();
        let opened = rooms.tokens.open(&place(&parts), sealed);
        let id: FileId = opened.and_then(|id| id.parse().ok()).ok_or_else(unknown)?;
        let now = self.inner.clock.now();
        let row = match ticket_rows::redeem(&self.inner.db, &id, scope, now).await? {
            Redeemed::Now(row) => row,
            Redeemed::Ended => return Err(UploadRejection::TicketEnded.into()),
            Redeemed::NotThis => return Err(unknown()),
        };
        let within = self.inner.config.fetch_timeout;
        let fetched =
            tokio::time::timeout(within, self.fetch_announced(rooms, scope.owner, &row)).await;
        // The ticket is used whatever came of it, and its address takes nothing more.
        if let Err(error) = self.inner.storage.close_incoming(&id).await {
            tracing::warn!(%id, %error, "a fetched object stays in the bucket until the sweep");
        }
        let fetched = fetched.map_err(|_| {
            Error::Unavailable("the file did not come from the bucket in time".to_owned())
        })?;
        Ok(Upload::fetched(fetched?)?)
    }

    async fn fetch_announced(
        &self,
        rooms: &RequestRooms,
        owner: UserId,
        row: &TicketRow,
    ) -> Result<crate::forms::Incoming, Error> {
        let other = || Error::Refused(UploadRejection::TicketOtherFile);
        let storage = &self.inner.storage;
        let pieces = storage.read_incoming(&row.id, row.size).await?;
        let pieces = pieces.ok_or_else(other)?;
        let announced = Announced {
            person: owner.get(),
            name: &row.name,
            size: row.size,
            network: self.network,
        };
        let config = &self.inner.config;
        let incoming =
            rooms
                .intake
                .fetch(announced, pieces)
                .await
                .map_err(|error| match error {
                    FetchError::OtherSize => other(),
                    FetchError::DiskFull => {
                        std::io::Error::from(std::io::ErrorKind::StorageFull).into()
                    }
                    FetchError::Quota => Error::Quota {
                        files: config.quota_files,
                        bytes: config.quota_bytes,
                    },
                    FetchError::UnderWay => Error::Busy,
                    FetchError::Io(error) => Error::Unavailable(error.to_string()),
                })?;
        match row.sha256 {
            Some(announced) if announced != incoming.sha256() => Err(other()),
            Some(_) | None => Ok(incoming),
        }
    }

    /// Deletes tickets that ended, with their objects, and objects without a ticket. Returns their number.
    pub(super) async fn sweep_tickets(&self) -> Result<usize, Error> {
        let (db, storage) = (&self.inner.db, &self.inner.storage);
        let before = self.inner.clock.now().saturating_sub(AFTER_END);
        let (mut last, mut swept) = (None, 0);
        loop {
            let page = ticket_rows::ended(db, before, last.as_ref()).await?;
            for id in &page {
                storage.remove_incoming(id).await?;
                ticket_rows::remove(db, id).await?;
            }
            swept += page.len();
            let Some(end) = page.into_iter().next_back() else {
                break;
            };
            last = Some(end);
        }
        // A request that began before the end of its address may end long after it.
        let mut after: Option<String> = None;
        loop {
            let page = storage.list_incoming(after.as_deref()).await?;
            for one in &page {
                let (Some(id), true) = (one.id(), one.age >= WITHOUT_TICKET) else {
                    continue;
                };
                if !ticket_rows::exists(db, &id).await? {
                    storage.remove_incoming(&id).await?;
                    swept += 1;
                }
            }
            let Some(end) = page.into_iter().next_back() else {
                return Ok(swept);
            };
            after = Some(end.name);
        }
    }

    /// Deletes the tickets of an owner, with their objects.
    pub(super) async fn remove_tickets_of(&self, owner: UserId) -> Result<(), Error> {
        let (db, storage) = (&self.inner.db, &self.inner.storage);
        for id in ticket_rows::of_owner(db, owner).await? {
            storage.remove_incoming(&id).await?;
            ticket_rows::remove(db, &id).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_gets_no_ticket_and_no_address() {
        let put = SignedPut {
            address: "https://bucket.example/?signature=secret".to_owned(),
            headers: vec![("if-none-match", "secret".to_owned())],
        };
        let all = format!(
            "{put:?} {:?}",
            UploadTicket::of("secret".to_owned(), put.clone())
        );
        assert!(!all.contains("secret"), "{all}");
    }
}
