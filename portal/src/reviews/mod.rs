//! Reviews: another user decides, and gives a reason for a rejection.

mod letter;

use std::sync::Arc;

use dewar::audit::{Entry, Event};
use dewar::forms::{Choice, Choices, Cursor, Keyset, Problems, RecordVersion, Text};
use dewar::live::{Live, LivePage, Topic};
use dewar::mail::Mailer;
use dewar::pages::{Message, Paged, Position};
use dewar::roles::Scoped;
use dewar::secrets::KeyRing;
use dewar::uploads::Download;
use dewar::{CurrentUser, Db, Dewar, Form, Page, Query, Redirect, Uploads};
use serde::Serialize;

pub(crate) use letter::Decided;

use crate::documents::{DocumentStatus, DocumentView, Reviewable};

/// The number of documents on a page of the queue.
const SHOWN: usize = 50;

/// The page of the queue.
#[derive(Form, Debug)]
pub(crate) struct QueuePage {
    page: Option<Cursor>,
}

/// The turn of a document, and its id.
const QUEUE: Keyset<(i64, i64)> = Keyset::new("documents that wait, by turn");

/// A reviewer's decision.
#[derive(Choices, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReviewVerdict {
    Approve,
    Reject,
}

/// The decision about one document.
#[derive(Form, Debug)]
#[form(check = a_rejection_has_a_reason)]
pub(crate) struct Decision {
    /// The version that the reviewer has read: nobody approves a document that was changed or replaced since.
    version: RecordVersion,
    #[field(radio)]
    decision: Choice<ReviewVerdict>,
    #[field(
        hint = "The owner and everybody who may read the document will see it. Needed to reject."
    )]
    reason: Option<Text<1_000>>,
}

fn a_rejection_has_a_reason(decision: &Decision) -> Result<(), Problems<Decision>> {
    if decision.decision.get() == ReviewVerdict::Reject && decision.reason.is_none() {
        return Err(Problems::at(
            Decision::REASON,
            Message::new("reviews-say-why"),
        ));
    }
    Ok(())
}

/// A line of the queue.
#[derive(Debug, Serialize)]
struct WaitingReview {
    id: i64,
    title: String,
    owner: String,
    kind: String,
    size: i64,
    created_at: i64,
    turn: i64,
}

/// The oldest document of each owner, then the second of each, so that an owner who hands in many does not delay the others. It
/// has two parts, the rest of a turn and the turns after it. The index returns the rows of each in order, so a page costs the
/// same however many documents wait.
macro_rules! queue {
    ($beyond:literal, $order:literal) => {
        concat!(
            queue!(),
            " AND d.turn = ?2 AND d.id ",
            $beyond,
            " ?3 UNION ALL ",
            queue!(),
            " AND d.turn ",
            $beyond,
            " ?2 ORDER BY 7 ",
            $order,
            ", 1 ",
            $order,
            " LIMIT 51"
        )
    };
    () => {
        "SELECT d.id, d.title, u.name, d.kind, d.size, d.created_at, d.turn \
         FROM documents d LEFT JOIN dewar_users u ON u.id = d.owner_id \
         WHERE d.status = 'pending' AND d.owner_id <> ?1"
    };
}

/// `GET /reviews`
pub(crate) async fn queue(
    caller: CurrentUser,
    db: Db,
    keys: KeyRing,
    Query(which): Query<QueuePage>,
) -> dewar::Result<Page> {
    queue_page("reviews/queue.html", (&caller, &db, &keys), &which).await
}

/// What the queue shows changed: a document was handed in, changed, decided or deleted. The event is its id.
pub(crate) const QUEUE_CHANGED: Topic<i64> = Topic::new("reviews-queue");

/// `GET /reviews/live`: the queue, for an open page. Each time it is read for its reader, as the page is.
pub(crate) async fn queue_live(
    caller: CurrentUser,
    db: Db,
    keys: KeyRing,
    live: Live,
    Query(which): Query<QueuePage>,
) -> LivePage {
    let asked = Arc::new((caller, db, keys, which));
    live.page([&QUEUE_CHANGED], move || {
        let asked = Arc::clone(&asked);
        async move {
            let (caller, db, keys, which) = &*asked;
            queue_page("reviews/waiting.html", (caller, db, keys), which).await
        }
    })
}

async fn queue_page(
    template: &'static str,
    (caller, db, keys): (&CurrentUser, &Db, &KeyRing),
    which: &QueuePage,
) -> dewar::Result<Page> {
    let place = QUEUE.open(keys, which.page.as_ref())?;
    let page = Paged::read(place, SHOWN, |at| waiting(caller, db, at)).await?;
    let links = QUEUE.links(keys, &page, |waiting| (waiting.turn, waiting.id))?;
    let address = |cursor: String| format!("/reviews?page={cursor}");
    Ok(Page::new(template)
        .with("documents", page.rows)
        .with("previous", links.previous.map(address))
        .with("next", links.next.map(address)))
}

async fn waiting(
    caller: &CurrentUser,
    db: &Db,
    at: Position<(i64, i64)>,
) -> dewar::Result<Vec<WaitingReview>> {
    let sql = if at.is_backwards() {
        queue!("<", "DESC")
    } else {
        queue!(">", "ASC")
    };
    let (turn, id) = at.key().copied().unwrap_or((-1, 0));
    let values = [caller.id().get().into(), turn.into(), id.into()];
    let rows = db.query(sql, values).await?;
    let waiting = rows.iter().map(|row| {
        Ok(WaitingReview {
            id: row.get(0)?,
            title: row.get(1)?,
            owner: row.get(2)?,
            kind: row.get(3)?,
            size: row.get(4)?,
            created_at: row.get(5)?,
            turn: row.get(6)?,
        })
    });
    waiting.collect()
}

/// `GET /reviews/{id}`
pub(crate) async fn show(db: Db, document: Scoped<Reviewable>) -> dewar::Result<Page> {
    let view = DocumentView::of(&document, &db).await?;
    let form = Decision::view().fill(Decision::VERSION, RecordVersion::of(&*document));
    Ok(Page::new("reviews/decide.html")
        .with("document", view)
        .form("form", form))
}

/// `GET /reviews/{id}/file`: the file to decide about.
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
    dewar: Dewar,
    mailer: Mailer,
    live: Live,
    document: Scoped<Reviewable>,
    form: Form<Decision>,
) -> dewar::Result<Redirect> {
    let page =
        Page::new("reviews/decide.html").with("document", DocumentView::of(&document, &db).await?);
    let (decision, bound) = form.bind(page)?;
    bound.or_changed(&decision.version, Decision::VERSION, &*document)?;
    let status = match decision.decision.get() {
        ReviewVerdict::Approve => DocumentStatus::Approved,
        ReviewVerdict::Reject => DocumentStatus::Rejected,
    };
    // The statement has the conditions too, because two reviewers may send at the same moment (CWE-367).
    let sql = "UPDATE documents SET status = ?1, review_reason = ?2, reviewer_id = ?3, reviewed_at = ?4, updated_at = ?4, \
               version = version + 1 WHERE id = ?5 AND version = ?6 AND status = 'pending' AND owner_id <> ?3";
    let reason = decision.reason.map(|reason| reason.to_string());
    let values = [
        status.word().into(),
        reason.clone().into(),
        caller.id().get().into(),
        dewar.clock().now().into(),
        document.id.into(),
        document.version.into(),
    ];
    let tx = db.begin().await?;
    if tx.execute(sql, values).await? == 0 {
        return Err(bound.conflict(Message::new("undone-decided")));
    }
    let entry = Entry::new(Event::SensitiveUpdate)
        .actor(caller.id())
        .subject(format_args!("document {}", document.id));
    tx.record(dewar.log(), entry.outcome(status.word())).await?;
    let approved = status == DocumentStatus::Approved;
    Decided::about(&document, approved, reason.as_deref())
        .send(&tx, (dewar.accounts(), &mailer), document.owner_id)
        .await?;
    live.publish_in(&tx, &QUEUE_CHANGED, &document.id).await?;
    tx.commit().await?;
    Ok(Redirect::to("/reviews").flash(Message::new("done-decided")))
}
