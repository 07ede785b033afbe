//! Notices: administrators write them, and everybody reads them on the front page.

pub(crate) mod notice;

use std::collections::BTreeMap;

use dewar::audit::Clock;
use dewar::database::Quota;
use dewar::forms::{CleanHtml, Cursor, FormView, Keyset, Line, PageLinks, Path, RecordVersion};
use dewar::jobs::{Job, JobContext, JobError};
use dewar::pages::{JsonSchema, Message, Paged, Position};
use dewar::secrets::KeyRing;
use dewar::{CurrentUser, Db, Form, Page, Redirect};
use minijinja::Value;
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde::{Deserialize, Serialize};

/// The most characters of a notice.
const BODY: usize = 5_000;

/// The most notices of one author.
const OF_ONE: Quota = Quota::new("notices", "author_id", 1_000);

/// The number of notices on the front page.
const SHOWN: usize = 10;

/// The newest first, because ids only grow.
const NEWEST: Keyset<i64> = Keyset::new("notices, the newest first");

/// The form of a new notice.
#[derive(Form, Debug)]
pub(crate) struct NewNotice {
    title: Line<120>,
    #[field(
        label = "Text",
        hint = "Paragraphs, lists, links and emphasis may be written as HTML."
    )]
    body: CleanHtml<BODY>,
}

/// The notice that the page showed beside its button.
#[derive(Form, Debug)]
pub(crate) struct Withdrawal {
    version: RecordVersion,
}

/// A notice for the front page.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct NoticeView {
    pub(crate) id: i64,
    title: String,
    body: Value,
    author: String,
    published_at: i64,
}

/// A page of notices, the newest first, and the links to its neighbours.
pub(crate) async fn page(
    db: &Db,
    keys: &KeyRing,
    cursor: Option<&Cursor>,
) -> dewar::Result<(Vec<NoticeView>, PageLinks)> {
    let place = NEWEST.open(keys, cursor)?;
    let page = Paged::read(place, SHOWN, |at| read(db, at)).await?;
    let links = NEWEST.links(keys, &page, |notice| notice.id)?;
    Ok((page.rows, links))
}

/// Their rows, after an id.
macro_rules! notices {
    ($beyond:literal, $order:literal) => {
        concat!(
            "SELECT n.id, n.title, n.body_html, u.name, n.published_at \
             FROM notices n LEFT JOIN dewar_users u ON u.id = n.author_id WHERE n.id ",
            $beyond,
            " ?1 ORDER BY n.id ",
            $order,
            " LIMIT 11"
        )
    };
}

async fn read(db: &Db, at: Position<i64>) -> dewar::Result<Vec<NoticeView>> {
    let sql = if at.is_backwards() {
        notices!(">", "ASC")
    } else {
        notices!("<", "DESC")
    };
    let id = at.key().copied().unwrap_or(i64::MAX);
    let rows = db.query(sql, [id.into()]).await?;
    let views = rows.iter().map(|row| {
        Ok(NoticeView {
            id: row.get(0)?,
            title: row.get(1)?,
            body: CleanHtml::<BODY>::clean(&row.get::<String>(2)?).to_value(),
            author: row.get(3)?,
            published_at: row.get(4)?,
        })
    });
    views.collect()
}

/// The buttons that withdraw these notices.
pub(crate) async fn withdrawals(
    db: &Db,
    notices: &[NoticeView],
) -> dewar::Result<BTreeMap<i64, FormView<Withdrawal>>> {
    let ids = notices.iter().map(|notice| notice.id);
    let found = notice::Entity::find()
        .filter(notice::Column::Id.is_in(ids))
        .all(db)
        .await?;
    let button = |notice: &notice::Model| {
        let view = Withdrawal::view().fill(Withdrawal::VERSION, RecordVersion::of(notice));
        (notice.id, view)
    };
    Ok(found.iter().map(button).collect())
}

/// `GET /notices/new`
pub(crate) async fn new() -> Page {
    Page::new("notices/new.html").form("form", NewNotice::view())
}

/// `POST /notices`
pub(crate) async fn publish(
    caller: CurrentUser,
    db: Db,
    clock: Clock,
    form: Form<NewNotice>,
) -> dewar::Result<Redirect> {
    let (new, bound) = form.bind("notices/new.html")?;
    let record = notice::ActiveModel {
        author_id: Set(caller.id().get()),
        title: Set(new.title.to_string()),
        body_html: Set(new.body.as_str().to_owned()),
        published_at: Set(clock.now()),
        ..Default::default()
    };
    let tx = db.begin().await?;
    bound.or_full(OF_ONE.check(&tx, caller.id().get()).await)?;
    notice::Entity::insert(record).exec(&tx).await?;
    tx.commit().await?;
    Ok(Redirect::to("/").flash(Message::new("done-published")))
}

/// `POST /notices/{id}/withdraw`
pub(crate) async fn withdraw(
    db: Db,
    Path(id): Path<i64>,
    form: Form<Withdrawal>,
) -> dewar::Result<Redirect> {
    let shown = form.or_reject()?;
    let found = notice::Entity::find_by_id(id).one(&db).await?;
    shown
        .version
        .check(&found.ok_or_else(dewar::Error::not_found)?)?;
    // A notice is never changed, and its id is never used again.
    match db
        .execute("DELETE FROM notices WHERE id = ?", [id.into()])
        .await?
    {
        0 => Err(dewar::Error::not_found()),
        _ => Ok(Redirect::to("/").flash(Message::new("done-withdrawn"))),
    }
}

/// How long a notice is kept: two years, in seconds.
const KEPT: i64 = 2 * 365 * 24 * 60 * 60;

/// Removes the notices that are older than that, once a night.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RemoveOld;

impl Job for RemoveOld {
    const NAME: &'static str = "remove-old-notices";

    async fn run(self, context: &JobContext) -> Result<(), JobError> {
        let before = context.clock().now() - KEPT;
        let tx = context.db().begin().await?;
        let old = "DELETE FROM notices WHERE published_at < ?";
        tx.execute(old, [before.into()]).await?;
        context.finish_in(&tx).await?;
        tx.commit().await?;
        Ok(())
    }
}
