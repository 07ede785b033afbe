//! `DirectUpload`: a form field whose file a browser may send to the storage itself.

use std::fmt;

use super::policy::Policy;
use super::upload::Upload;
use crate::forms::{Field, FieldKind, FormValue, Problem, RawValue};

/// A file of at most `MAX` bytes that arrived with the form, or a ticket for one that the browser sent to the bucket.
///
/// [`Uploads::receive`](super::Uploads::receive) makes an [`Upload`] of it, in quarantine and unexamined, whichever way it came;
/// [`Uploads::keep`](super::Uploads::keep) then examines and stores it like any other. Name the route that gives out the tickets.
/// With `uploads.storage = "disk"`, and for a browser without JavaScript, the file is part of the form.
///
/// ```
/// use dewar::pages::Json;
/// use dewar::uploads::{DirectUpload, Document, MIB, TicketRequest, UploadTicket};
/// use dewar::{App, CurrentUser, Form, Page, Redirect, Uploads, get, post};
///
/// const LARGEST: u64 = 200 * MIB;
///
/// #[derive(Form)]
/// struct NewPaper {
///     #[field(tickets = "/papers/tickets")]
///     file: DirectUpload<Document, LARGEST>,
/// }
///
/// async fn new() -> Page { Page::new("papers/new.html").form("form", NewPaper::view()) }
///
/// async fn ticket(me: CurrentUser, uploads: Uploads, form: Form<TicketRequest>) -> dewar::Result<Json<UploadTicket>> {
///     let (request, bound) = form.bind_or_reject()?;
///     let ticket = uploads.ticket::<Document, LARGEST>(me.id(), request).await;
///     Ok(Json(bound.or_refuse(ticket, TicketRequest::SIZE)?))
/// }
///
/// async fn create(me: CurrentUser, uploads: Uploads, form: Form<NewPaper>) -> dewar::Result<Redirect> {
///     let (paper, bound) = form.bind("papers/new.html")?;
///     let file = bound.or_refuse(uploads.receive(me.id(), paper.file).await, NewPaper::FILE)?;
///     let kept = bound.or_refuse(uploads.keep(me.id(), file).await, NewPaper::FILE)?;
///     // In one transaction: `kept.commit_in`, and the row that refers to it.
/// #   drop(kept);
///     Ok(Redirect::to("/papers"))
/// }
///
/// fn mounted(app: App) -> App {
///     app.signed_in([
///         get("/papers/new", new).direct_uploads(), // its page may send files to the bucket
///         post("/papers/tickets", ticket),
///         post("/papers", create),
///     ])
/// }
/// ```
///
/// A field that names no such route does not compile:
///
/// ```compile_fail
/// # use dewar::uploads::{DirectUpload, Document, MIB};
/// #[derive(dewar::Form)]
/// struct NewPaper { file: DirectUpload<Document, { 200 * MIB }> }
/// ```
pub struct DirectUpload<P, const MAX: u64>(Way<P, MAX>);

enum Way<P, const MAX: u64> {
    Posted(Upload<P, MAX>),
    Ticket(String),
}

impl<P: Policy, const MAX: u64> DirectUpload<P, MAX> {
    /// The file, if it is part of the form, or the sealed ticket.
    pub(super) fn into_posted(self) -> Result<Upload<P, MAX>, String> {
        match self.0 {
            Way::Posted(upload) => Ok(upload),
            Way::Ticket(sealed) => Err(sealed),
        }
    }

    #[cfg(all(test, feature = "s3"))]
    pub(super) fn posted(upload: Upload<P, MAX>) -> Self {
        Self(Way::Posted(upload))
    }

    #[cfg(all(test, feature = "s3"))]
    pub(super) fn of_ticket(sealed: &str) -> Self {
        Self(Way::Ticket(sealed.to_owned()))
    }
}

impl<P: Policy, const MAX: u64> Field for DirectUpload<P, MAX> {
    const KIND: FieldKind = <Upload<P, MAX> as Field>::KIND.direct();

    /// A ticket is opened later: only the room knows whose it is.
    fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
        if let RawValue::Text(text) = &raw
            && !text.is_empty()
        {
            return Ok(Self(Way::Ticket((*text).to_owned())));
        }
        Upload::parse(raw).map(|upload| Self(Way::Posted(upload)))
    }

    fn show(&self) -> FormValue {
        FormValue::Nothing
    }
}

/// A file equals only itself, and a ticket the same ticket.
impl<P, const MAX: u64> PartialEq for DirectUpload<P, MAX> {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Way::Posted(one), Way::Posted(other)) => one == other,
            (Way::Ticket(one), Way::Ticket(other)) => one == other,
            (Way::Posted(_), Way::Ticket(_)) | (Way::Ticket(_), Way::Posted(_)) => false,
        }
    }
}

impl<P, const MAX: u64> fmt::Debug for DirectUpload<P, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Way::Posted(upload) => f.debug_tuple("Posted").field(upload).finish(),
            Way::Ticket(_) => f.write_str("Ticket([redacted])"),
        }
    }
}
