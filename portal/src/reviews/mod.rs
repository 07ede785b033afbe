//! Reviews: somebody else decides, with a reason where it is no.

use dewar::audit::{Clock, Entry, Event, Log};
use dewar::forms::{Choice, Choices, Hidden, Int, Problems, Text};
use dewar::pages::Message;
use dewar::roles::Scoped;
use dewar::uploads::Download;
use dewar::{CurrentUser, Db, Form, Page, Redirect, Uploads};
use serde::Serialize;

use crate::documents::{DocumentView, Reviewable, Status};

/// How many the queue shows at once.
const SHOWN: usize = 50;

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
    /// What the reviewer has read: nobody approves what was changed since.
    version: Hidden<Int<1, { i64::MAX }>>,
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
}

/// `GET /reviews`
pub(crate) async fn queue(caller: CurrentUser, db: Db) -> dewar::Result<Page> {
    let sql = "SELECT d.id, d.title, u.name, d.kind, d.size, d.created_at, count(*) OVER () \
               FROM documents d JOIN dewar_users u ON u.id = d.owner_id \
               WHERE d.status = 'pending' AND d.owner_id <> ? ORDER BY d.created_at LIMIT ?";
    let rows = db
        .query(
            sql,
            [
                caller.id().get().into(),
                i64::try_from(SHOWN).unwrap_or(50).into(),
            ],
        )
        .await?;
    let total = rows.first().map_or(Ok(0), |row| row.get::<i64>(6))?;
    let waiting = rows.iter().map(|row| {
        dewar::Result::Ok(Waiting {
            id: row.get(0)?,
            title: row.get(1)?,
            owner: row.get(2)?,
            kind: row.get(3)?,
            size: row.get(4)?,
            created_at: row.get(5)?,
        })
    });
    let documents = waiting.collect::<dewar::Result<Vec<_>>>()?;
    Ok(Page::new("reviews/queue.html")
        .with("documents", documents)
        .with("total", total))
}

/// `GET /reviews/{id}`
pub(crate) async fn show(db: Db, document: Scoped<Reviewable>) -> dewar::Result<Page> {
    let view = DocumentView::of(&document, &db).await?;
    Ok(Page::new("reviews/decide.html")
        .with("document", view)
        .form("form", Decision::view().fill("version", document.version)))
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
        decision.version.get().into(),
    ];
    if db.execute(sql, values).await? == 0 {
        return Ok(Redirect::to("/reviews").flash(Message::new("undone-decided")));
    }
    log.record(
        Entry::new(Event::SensitiveUpdate)
            .actor(caller.id())
            .subject(format_args!("document {}", document.id))
            .outcome(status.word()),
    );
    Ok(Redirect::to("/reviews").flash(Message::new("done-decided")))
}
