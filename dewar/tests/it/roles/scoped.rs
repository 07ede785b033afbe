//! `Scoped`: a handler reaches a record only through the caller's scope, and a request for another's record is logged.

use dewar::database::{Migration, Table};
use dewar::pages::Text;
use dewar::roles::{Scope, Scoped};
use dewar::{App, CurrentUser, Db, get};
use sea_orm::{ColumnTrait, Condition};

use crate::site::{self, Site};

mod note {
    #![expect(unreachable_pub, reason = "as SeaORM's derives want it")]
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "notes")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub owner_id: i64,
        pub text: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

const MIGRATION: Migration = Migration::new(
    "notes_0001",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY AUTOINCREMENT, owner_id INTEGER NOT NULL, text TEXT NOT NULL) STRICT",
);

struct Mine;

impl Scope for Mine {
    type Entity = note::Entity;

    fn condition(caller: &CurrentUser) -> Condition {
        Condition::all().add(note::Column::OwnerId.eq(caller.id().get()))
    }
}

async fn read(note: Scoped<Mine>) -> Text {
    let text = note.text.clone();
    Text::new(format!("{text} and {}", note.into_inner().id))
}

fn app(app: App) -> App {
    site::app(app)
        .migrations([MIGRATION])
        .models([Table::of::<note::Entity>()])
        .signed_in([get("/kept/{id}", read)])
}

/// ASVS: V8.2.2, V16.3.2
#[tokio::test(flavor = "multi_thread")]
async fn anothers_record_is_as_absent_as_none_and_naming_it_is_told() {
    let site = Site::of(app).await;
    let (ada, eve) = (site.member("ada", &[]).await, site.member("eve", &[]).await);
    let db: &Db = site.running.dewar().db();
    let find = "SELECT id FROM dewar_users WHERE name = ?";
    let of_ada: i64 = db.query(find, ["ada".into()]).await.unwrap()[0]
        .get(0)
        .unwrap();
    let insert = "INSERT INTO notes (id, owner_id, text) VALUES (7, ?, 'Milk')";
    db.execute(insert, [of_ada.into()]).await.unwrap();
    let told = async || {
        site.log()
            .await
            .matches("malicious_direct_reference")
            .count()
    };

    let answer = ada.get("/kept/7").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.text(), "Milk and 7");
    assert_eq!(told().await, 0);

    let foreign = eve.get("/kept/7").await;
    assert_eq!(foreign.status(), 404);
    assert!(!foreign.text().contains("Milk"));
    assert_eq!(told().await, 1);
    let log = site.log().await;
    let line = log.lines().find(|line| line.contains("malicious_direct"));
    let line = line.unwrap();
    assert!(
        line.contains("notes 7") && line.contains("refused"),
        "{line}"
    );

    for absent in ["/kept/8", "/kept/-7", "/kept/x", "/kept/07x"] {
        assert_eq!(eve.get(absent).await.status(), 404, "{absent}");
    }
    assert_eq!(told().await, 1, "none of these names a record");
    assert_eq!(site.visitor.get("/kept/7").await.status(), 303);
}

/// ASVS: V16.3.2
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_role_is_told_with_the_role() {
    let site = Site::open().await;
    let ada = site.member("ada", &[]).await;
    assert_eq!(site.visitor.get("/reviews").await.status(), 303);
    assert!(
        !site.log().await.contains("authz_fail"),
        "nobody is known yet"
    );
    assert_eq!(ada.get("/reviews").await.status(), 403);
    let log = site.log().await;
    let line = log.lines().find(|line| line.contains("authz_fail"));
    assert!(
        line.unwrap()
            .contains("the route requires the role reviewer"),
        "{log}"
    );
}

/// The route table shows the path parameter of a handler with a record, and the start reports a path without it.
#[test]
fn the_table_says_that_a_record_is_loaded_by_its_id() {
    let directory = tempfile::tempdir().unwrap();
    let app = || App::in_directory(&directory).unwrap();
    let table = app().signed_in([get("/kept/{id}", read)]).route_table();
    let entry = table.entries().first().unwrap();
    let parameters = entry.takes.parameters.iter();
    let parameters: Vec<_> = parameters.map(|it| (it.name.as_str(), it.takes)).collect();
    assert_eq!(parameters, [("id", "integer")]);
    let told = |app: App| app.route_table().findings().len();
    let with = told(app().signed_in([get("/kept/{id}", read)]));
    let without = told(app().signed_in([get("/kept/{number}", read)]));
    assert!(without > with, "{without} findings, and {with}");
}
