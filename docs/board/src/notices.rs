use dewar::audit::Clock;
use dewar::forms::{Line, Path, Text};
use dewar::serde::Serialize;
use dewar::uploads::{Document, Download, FileId, MIB, Upload};
use dewar::{CurrentUser, Db, Form, Page, Redirect, Uploads};

#[derive(Serialize)]
#[serde(crate = "dewar::serde")]
struct Notice {
    id: i64,
    title: String,
    body: String,
}

#[derive(Form)]
pub struct NewNotice {
    title: Line<80>,
    body: Text<2_000>,
    paper: Upload<Document, { 5 * MIB }>,
}

pub async fn index(db: Db) -> dewar::Result<Page> {
    let mut notices = Vec::new();
    for row in db
        .query(
            "SELECT id, title, body FROM notices ORDER BY id DESC LIMIT 50",
            [],
        )
        .await?
    {
        notices.push(Notice {
            id: row.get(0)?,
            title: row.get(1)?,
            body: row.get(2)?,
        });
    }
    Ok(Page::new("notices/index.html").with("notices", &notices))
}

pub async fn new() -> Page {
    Page::new("notices/new.html").form("form", NewNotice::view())
}

pub async fn publish(
    editor: CurrentUser,
    db: Db,
    clock: Clock,
    uploads: Uploads,
    form: Form<NewNotice>,
) -> dewar::Result<Redirect> {
    let (notice, bound) = form.bind("notices/new.html")?;
    let kept = uploads.keep(editor.id(), notice.paper).await;
    let file = bound.or_refuse(kept, NewNotice::PAPER)?; // or the form again, with the reason at the field
    let tx = db.begin().await?;
    let file = file.commit_in(&tx).await?; // file and row: both, or neither
    tx.execute(
        "INSERT INTO notices (title, body, file_id, author_id, published_at) VALUES (?, ?, ?, ?, ?)",
        [
            notice.title.as_str().into(),
            notice.body.as_str().into(),
            file.into(),
            editor.id().into(),
            clock.now().into(),
        ],
    )
    .await?;
    tx.commit().await?;
    Ok(Redirect::to("/").flash("Your notice is on the board."))
}

pub async fn paper(db: Db, uploads: Uploads, Path(id): Path<i64>) -> dewar::Result<Download> {
    let rows = db
        .query("SELECT file_id FROM notices WHERE id = ?", [id.into()])
        .await?;
    let row = rows.first().ok_or_else(dewar::Error::not_found)?;
    let file: FileId = row
        .get::<String>(0)?
        .parse()
        .map_err(dewar::Error::internal)?;
    Ok(uploads.serve(&file).await?)
}
