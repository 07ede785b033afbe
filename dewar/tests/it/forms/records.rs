//! Records of a SeaORM model: their columns have the types of the form, and a form changes only its own columns.

use dewar::database::{Db, Migration, Table};
use dewar::forms::{Date, Edits, Int, Line, Path, Text};
use dewar::testing::{Browser, TestResponse};
use dewar::{App, CurrentUser, Form, Page, Redirect, get, post};
use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, EntityTrait};

use crate::site::{self, Site};

mod record {
    #![expect(unreachable_pub, reason = "as SeaORM's derives want it")]
    use dewar::forms::{Date, Int, Line};
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "records")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub owner_id: i64,
        pub title: Line<20>,
        pub body: String,
        pub stars: Int<0, 5>,
        pub day: Option<Date>,
        pub published: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

const MIGRATION: Migration = Migration::new(
    "records_0001",
    "CREATE TABLE records (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        owner_id INTEGER NOT NULL,
        title TEXT NOT NULL UNIQUE CHECK (length(title) BETWEEN 1 AND 20),
        body TEXT NOT NULL,
        stars INTEGER NOT NULL DEFAULT 0,
        day TEXT,
        published INTEGER NOT NULL DEFAULT 0
    ) STRICT",
);

#[derive(Form)]
struct NewRecord {
    title: Line<20>,
    body: Text<200>,
}

#[derive(Form)]
#[form(edits = record::Model)]
struct EditRecord {
    title: Line<20>,
    body: Text<200>,
    day: Option<Date>,
    published: bool,
    #[field(apart)]
    reason: Option<Line<40>>,
}

const TAKEN: &str = "There is a record of this title.";

async fn new() -> Page {
    again("/records").form("form", NewRecord::view())
}

async fn new_raced() -> Page {
    again("/records/raced").form("form", NewRecord::view())
}

fn again(action: impl Into<String>) -> Page {
    Page::new("record.html").with("action", action.into())
}

async fn add(user: CurrentUser, db: Db, form: Form<NewRecord>) -> dewar::Result<Redirect> {
    let form = form.ask(NewRecord::TITLE, async |title: Line<20>| {
        let sql = "SELECT 1 FROM records WHERE title = ?";
        let found = db.query(sql, [title.as_str().into()]).await?;
        Ok((!found.is_empty()).then(|| TAKEN.into()))
    });
    insert(&user, &db, form.await?).await
}

/// The same without a question before it.
async fn race(user: CurrentUser, db: Db, form: Form<NewRecord>) -> dewar::Result<Redirect> {
    insert(&user, &db, form).await
}

async fn insert(user: &CurrentUser, db: &Db, form: Form<NewRecord>) -> dewar::Result<Redirect> {
    let (new, bound) = form.bind(again("/records"))?;
    let model = record::ActiveModel {
        owner_id: Set(user.id().get()),
        title: Set(new.title),
        body: Set(new.body.into()),
        stars: Set(Int::new(3).ok_or_else(dewar::Error::not_found)?),
        day: Set(None),
        published: Set(false),
        ..Default::default()
    };
    let added = bound.or_taken(
        model.insert(db).await,
        "records.title",
        NewRecord::TITLE,
        TAKEN,
    )?;
    Redirect::to_path(format!("/records/{}", added.id))
}

async fn load(db: &Db, id: i64) -> dewar::Result<record::Model> {
    let found = record::Entity::find_by_id(id).one(db).await?;
    found.ok_or_else(dewar::Error::not_found)
}

async fn edit(db: Db, Path(id): Path<i64>) -> dewar::Result<Page> {
    let record = load(&db, id).await?;
    Ok(again(format!("/records/{id}")).form("form", EditRecord::edit(&record)))
}

async fn change(db: Db, Path(id): Path<i64>, form: Form<EditRecord>) -> dewar::Result<Redirect> {
    let record = load(&db, id).await?;
    let (changed, bound) = form.bind(again(format!("/records/{id}")))?;
    let why = changed.reason.clone();
    let written = changed.apply(record).update(&db).await;
    bound.or_taken(written, "records.title", EditRecord::TITLE, TAKEN)?;
    let text = why.map_or_else(|| "Kept.".to_owned(), |why| format!("Kept: {why}."));
    Ok(Redirect::to_path(format!("/records/{id}"))?.flash(text))
}

fn app(app: App) -> App {
    site::app(app)
        .migrations([MIGRATION])
        .models([Table::of::<record::Entity>()])
        .signed_in([
            get("/records/new", new),
            get("/records/raced/new", new_raced),
            post("/records", add),
            post("/records/raced", race),
            get("/records/{id}", edit),
            post("/records/{id}", change),
        ])
}

async fn create(browser: &Browser, path: &str, title: &str, body: &str) -> TestResponse {
    let page = browser.get(&format!("{path}/new")).await;
    let form = page.form(path).tamper("title", title);
    browser.submit(form.tamper("body", body)).await
}

async fn stored(site: &Site) -> Vec<record::Model> {
    let all = record::Entity::find();
    all.all(site.running.dewar().db()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_shown_filled_and_only_the_fields_of_the_form_change() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    assert_eq!(create(&ada, "/records", "Milk", "Two.").await.status(), 303);
    let before = stored(&site).await.remove(0);

    let page = ada.get("/records/1").await;
    assert_eq!(
        page.attribute("[name=title]", "value").as_deref(),
        Some("Milk")
    );
    assert_eq!(page.attribute("[name=published]", "checked"), None);
    for column in ["owner_id", "stars", "id"] {
        let form = page
            .form("/records/1")
            .fill("title", "Stolen")
            .tamper(column, "1");
        assert_eq!(ada.submit(form).await.status(), 400, "{column}");
        assert_eq!(stored(&site).await, std::slice::from_ref(&before));
    }
    let form = page
        .form("/records/1")
        .fill("title", "Tea")
        .fill("day", "2027-05-31");
    let form = form.check("published").fill("reason", "out of milk");
    let answer = ada.submit(form).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    let page = ada.get("/records/1").await;
    assert!(page.text().contains("Kept: out of milk."));
    assert_eq!(
        page.attribute("[name=day]", "value").as_deref(),
        Some("2027-05-31")
    );
    let after = record::Model {
        title: Line::parse("Tea").unwrap(),
        day: Some(Date::parse("2027-05-31").unwrap()),
        published: true,
        ..before
    };
    assert_eq!(stored(&site).await, [after]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_database_knows_is_shown_with_all_else_that_is_wrong() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    assert_eq!(create(&ada, "/records", "Milk", "Two.").await.status(), 303);
    let answer = create(&ada, "/records", " Milk ", "").await;
    assert_eq!(answer.status(), 422);
    for (field, problem) in [("title", TAKEN), ("body", "Fill this in.")] {
        let wrong = format!("[name={field}]");
        assert_eq!(
            answer.attribute(&wrong, "aria-invalid").as_deref(),
            Some("true")
        );
        assert!(answer.text().contains(problem), "{}", answer.text());
    }
    // Dewar asks no question about a field that breaks its own rule.
    let long = create(&ada, "/records", &"m".repeat(21), "Two.").await;
    assert!(long.status() == 422 && !long.text().contains(TAKEN));
    assert_eq!(stored(&site).await.len(), 1);
    assert_eq!(create(&ada, "/records", "Tea", "Two.").await.status(), 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_inserts_at_once_one_is_kept_and_the_others_are_shown_again() {
    let site = Site::of(app).await;
    let ada = site.member("ada", &[]).await;
    for (round, path) in ["/records/raced", "/records"].into_iter().enumerate() {
        let title = format!("Title {round}");
        let (a, b, c) = tokio::join!(
            create(&ada, path, &title, "One."),
            create(&ada, path, &title, "Two."),
            create(&ada, path, &title, "Three."),
        );
        let mut seen = [
            a.status().as_u16(),
            b.status().as_u16(),
            c.status().as_u16(),
        ];
        seen.sort_unstable();
        assert_eq!(seen, [303, 422, 422]);
        let shown = [a, b, c];
        let shown = shown.iter().filter(|answer| answer.status() == 422);
        assert!(
            shown
                .into_iter()
                .all(|answer| answer.text().contains(TAKEN))
        );
        assert_eq!(stored(&site).await.len(), round + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_does_not_keep_the_limit_of_a_type_refuses_the_launch() {
    let data = tempfile::tempdir().unwrap();
    let loose = Migration::new(
        "records_0001",
        "CREATE TABLE records (id INTEGER PRIMARY KEY AUTOINCREMENT, owner_id INTEGER NOT NULL, title TEXT NOT NULL,
             body TEXT NOT NULL, stars INTEGER NOT NULL, day TEXT, published INTEGER NOT NULL) STRICT",
    );
    let loose = site::app(App::in_directory(&data).unwrap())
        .migrations([loose])
        .models([Table::of::<record::Entity>()]);
    let refused = format!("{:?}", loose.start().await.unwrap_err());
    assert!(
        refused.contains("title TEXT NOT NULL CHECK (length(title) <= 20)"),
        "{refused}"
    );
}
