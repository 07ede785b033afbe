//! Partial changes: what a program leaves out stays as it is.
#![expect(unreachable_pub, reason = "as SeaORM's derives want them")]

use sea_orm::ActiveValue;

use super::*;
use crate::forms::{Edits, Int, List, Model, Patch, schema};

#[derive(crate::forms::Form, Debug)]
struct Ticket {
    subject: Patch<Line<10>>,
    note: Patch<Option<Line<10>>>,
    count: Patch<Option<Int<1, 9>>>,
    urgent: Patch<bool>,
    colours: Patch<Vec<Choice<Colour>>>,
    items: Patch<List<Part, 0, 3>>,
}

#[derive(crate::forms::Form, Debug)]
struct Part {
    title: Line<10>,
    note: Patch<Option<Line<10>>>,
}

async fn read(body: &str) -> Result<Ticket, Vec<String>> {
    let browser = Browser::new().await;
    let form = browser.send_json::<Ticket>(body).await.unwrap();
    form.result().map_err(|view| {
        view.problems()
            .iter()
            .map(|(field, _)| field.to_owned())
            .collect()
    })
}

#[tokio::test]
async fn what_is_left_out_stays_as_it_is() {
    let ticket = read("{}").await.unwrap();
    assert_eq!(ticket.subject, Patch::Unchanged);
    assert_eq!(ticket.note, Patch::Unchanged);
    assert_eq!(ticket.count, Patch::Unchanged);
    assert_eq!(ticket.urgent, Patch::Unchanged);
    assert!(ticket.colours.sent().is_none());
    assert!(ticket.items.sent().is_none());
}

#[tokio::test]
async fn null_and_what_is_empty_are_values() {
    let body = r#"{ "note": null, "count": null, "urgent": false, "colours": [], "items": [] }"#;
    let ticket = read(body).await.unwrap();
    assert_eq!(ticket.subject, Patch::Unchanged);
    assert_eq!(ticket.note, Patch::Set(None));
    assert_eq!(ticket.count, Patch::Set(None));
    assert_eq!(ticket.urgent, Patch::Set(false));
    assert!(ticket.colours.sent().is_some_and(|all| all.is_empty()));
    assert!(ticket.items.sent().is_some_and(|all| all.is_empty()));
}

#[tokio::test]
async fn a_value_is_set_also_in_a_row() {
    let body = r#"{ "subject": "Tea", "urgent": true, "count": 3,
                    "items": [{ "title": "a" }, { "title": "b", "note": null }] }"#;
    let ticket = read(body).await.unwrap();
    assert_eq!(ticket.subject.sent().unwrap().as_str(), "Tea");
    assert_eq!(ticket.urgent, Patch::Set(true));
    assert_eq!(ticket.count.sent().flatten().map(Int::get), Some(3));
    let items = ticket.items.sent().unwrap();
    assert_eq!(items[0].note, Patch::Unchanged);
    assert_eq!(items[1].note, Patch::Set(None));
}

#[tokio::test]
async fn a_value_that_must_be_there_is_not_emptied() {
    for body in [r#"{ "subject": null }"#, r#"{ "subject": " " }"#] {
        assert_eq!(read(body).await.unwrap_err(), ["subject"], "{body}");
    }
    let long = r#"{ "note": "12345678901" }"#;
    assert_eq!(read(long).await.unwrap_err(), ["note"]);
}

#[test]
fn the_schema_requires_none_of_them_and_allows_null_where_it_means_something() {
    let schema = schema::of(Ticket::FIELDS);
    assert_eq!(schema["required"], serde_json::json!([]));
    let kinds = |name: &str| schema["properties"][name]["type"].clone();
    assert_eq!(kinds("subject"), "string");
    assert_eq!(kinds("note"), serde_json::json!(["string", "null"]));
}

mod note {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "notes")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub title: String,
        pub remark: Option<String>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[derive(crate::forms::Form, Debug)]
#[form(edits = note::Model)]
struct NotePatch {
    title: Patch<Line<10>>,
    remark: Patch<Option<Line<10>>>,
}

#[test]
fn a_column_changes_only_if_its_field_was_sent() {
    let record = note::Model {
        id: 1,
        title: "Milk".to_owned(),
        remark: Some("two".to_owned()),
    };
    let patch = NotePatch {
        title: Patch::Unchanged,
        remark: Patch::Set(None),
    };
    let changed = patch.apply(record);
    assert_eq!(changed.title, ActiveValue::Unchanged("Milk".to_owned()));
    assert_eq!(changed.remark, ActiveValue::Set(None));
}
