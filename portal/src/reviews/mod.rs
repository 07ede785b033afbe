//! Reviews: somebody else decides, with a reason where it is no.

use dewar::audit::{Clock, Entry, Event, Log};
use dewar::forms::{Choice, Choices, Int, Problems, RecordVersion, Text};
use dewar::pages::{Message, Paged};
use dewar::roles::Scoped;
use dewar::uploads::Download;
use dewar::{CurrentUser, Db, Form, Page, Query, Redirect, Uploads};
use serde::Serialize;

use crate::documents::{DocumentView, Reviewable, Status};

/// How many the queue shows at once.
const SHOWN: usize = 50;

/// Where the queue goes on: behind this document of this turn.
#[derive(Form, Debug)]
pub(crate) struct Behind {
    turn: Option<Int<0, { i64::MAX }>>,
    after: Option<Int<0, { i64::MAX }>>,
}

/// What a reviewer says.
#[derive(Choices, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Approve,
    Reject,
}

/// The decision about one document.
#[derive(Form, Debug)]
#[form(check = a_rejection_has_a_reason)]
pub(crate) struct Decision {
    /// What the reviewer has read: nobody approves what was changed since, or what stands in its place.
    version: RecordVersion,
    #[field(radio)]
    decision: Choice<Verdict>,
    #[field(
        hint = "The owner and everybody who may read the document will see it. Needed to reject."
    )]
    reason: Option<Text<1_000>>,
}

fn a_rejection_has_a_reason(decision: &Decision) -> Result<(), Problems> {
    if decision.decision.get() == Verdict::Reject && decision.reason.is_none() {
        return Err(Problems::at("reason", Message::new("reviews-say-why")));
    }
    Ok(())
}

/// A line of the queue.
#[derive(Debug, Serialize)]
struct Waiting {
    id: i64,
    title: String,
    owner: String,
    kind: String,
    size: i64,
    created_at: i64,
    turn: i64,
}

/// The oldest document of each owner, then the second of each: one who hands in many does not hold up the others. The
/// index on the turns gives the rows in order, so that a page costs the same however many wait.
const QUEUE: &str = "SELECT d.id, d.title, u.name, d.kind, d.size, d.created_at, d.turn \
    FROM documents d JOIN dewar_users u ON u.id = d.owner_id \
    WHERE d.status = 'pending' AND d.owner_id <> ?1 AND (d.turn, d.id) > (?2, ?3) ORDER BY d.turn, d.id LIMIT 51";

/// `GET /reviews`
pub(crate) async fn queue(
    caller: CurrentUser,
    db: Db,
    Query(behind): Query<Behind>,
) -> dewar::Result<Page> {
    let number = |number: Option<Int<0, { i64::MAX }>>, none| number.map_or(none, |it| it.get());
    let values = [
        caller.id().get().into(),
        number(behind.turn, -1).into(),
        number(behind.after, 0).into(),
    ];
    let rows = db.query(QUEUE, values).await?;
    let waiting = rows.iter().map(|row| {
        dewar::Result::Ok(Waiting {
            id: row.get(0)?,
            title: row.get(1)?,
            owner: row.get(2)?,
            kind: row.get(3)?,
            size: row.get(4)?,
            created_at: row.get(5)?,
            turn: row.get(6)?,
        })
    });
    let page = Paged::of(waiting.collect::<dewar::Result<Vec<_>>>()?, SHOWN);
    let next = page.next(|last| format!("/reviews?turn={}&after={}", last.turn, last.id));
    Ok(Page::new("reviews/queue.html")
        .with("documents", page.rows)
        .with("first", behind.turn.is_none())
        .with("next", next))
}

/// `GET /reviews/{id}`
pub(crate) async fn show(db: Db, document: Scoped<Reviewable>) -> dewar::Result<Page> {
    let view = DocumentView::of(&document, &db).await?;
    let form = Decision::view().fill("version", RecordVersion::of(&*document));
    Ok(Page::new("reviews/decide.html")
        .with("document", view)
        .form("form", form))
}

/// `GET /reviews/{id}/file`: what is to be decided about.
pub(crate) async fn download(
    document: Scoped<Reviewable>,
    uploads: Uploads,
) -> dewar::Result<Download> {
    Ok(uploads.serve(&document.file()?).await?)
}

/// `POST /reviews/{id}`
pub(crate) async fn decide(
    caller: CurrentUser,
    db: Db,
    clock: Clock,
    log: Log,
    document: Scoped<Reviewable>,
    form: Form<Decision>,
) -> dewar::Result<Redirect> {
    let page =
        Page::new("reviews/decide.html").with("document", DocumentView::of(&document, &db).await?);
    let decision = form.or_show(page)?;
    let undone = || Redirect::to("/reviews").flash(Message::new("undone-decided"));
    if decision.version.check(&*document).is_err() {
        return Ok(undone());
    }
    let status = match decision.decision.get() {
        Verdict::Approve => Status::Approved,
        Verdict::Reject => Status::Rejected,
    };
    // The conditions stand in the statement too: two may send at the same moment (CWE-367).
    let sql = "UPDATE documents SET status = ?1, review_reason = ?2, reviewer_id = ?3, reviewed_at = ?4, updated_at = ?4, \
               version = version + 1 WHERE id = ?5 AND version = ?6 AND status = 'pending' AND owner_id <> ?3";
    let reason = decision.reason.map(|reason| reason.to_string());
    let values = [
        status.word().into(),
        reason.into(),
        caller.id().get().into(),
        clock.now().into(),
        document.id.into(),
        document.version.into(),
    ];
    if db.execute(sql, values).await? == 0 {
        return Ok(undone());
    }
    log.record(
        Entry::new(Event::SensitiveUpdate)
            .actor(caller.id())
            .subject(format_args!("document {}", document.id))
            .outcome(status.word()),
    );
    Ok(Redirect::to("/reviews").flash(Message::new("done-decided")))
}
