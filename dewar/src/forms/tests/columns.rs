//! Value types as the columns of a model, through the real database.
#![expect(unreachable_pub, reason = "as SeaORM's derives want them")]

use sea_orm::ActiveValue::Set;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::super::{
    Choice, CleanHtml, Date, DateTime, Decimal, Email, Int, Line, Markdown, Name, Telephone, Text,
    Time, Url,
};
use crate::database::{Db, Error, Migration, Table};

mod all {
    use sea_orm::entity::prelude::*;

    use super::super::super::{self as forms, Choice, Int, Line};

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "everything")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub line: Line<20>,
        pub subtitle: Option<Line<20>>,
        pub text: forms::Text<40>,
        pub name: forms::Name<20>,
        pub html: forms::CleanHtml<100>,
        pub markdown: forms::Markdown<100>,
        pub email: Option<forms::Email>,
        pub telephone: forms::Telephone,
        pub url: forms::Url,
        pub colour: forms::Colour,
        pub choice: Choice<super::super::Colour>,
        pub stars: Option<Int<0, 5>>,
        pub price: forms::Decimal<2, 0, 100>,
        pub day: forms::Date,
        pub hour: forms::Time,
        pub moment: Option<forms::DateTime>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

const TABLE: &[Migration] = &[Migration::new(
    "everything_0001",
    "CREATE TABLE everything (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        line TEXT NOT NULL CHECK (length(line) BETWEEN 1 AND 20),
        subtitle TEXT CHECK (subtitle IS NULL OR LENGTH( \"subtitle\" ) <= 20),
        text TEXT NOT NULL CHECK (text <> '' AND length(text) < 41),
        name TEXT NOT NULL CHECK (length(name) <= 20),
        html TEXT NOT NULL,
        markdown TEXT NOT NULL CHECK (length(markdown) <= 100),
        email TEXT CHECK (length(email) <= 254),
        telephone TEXT NOT NULL CHECK (length(telephone) <= 16),
        url TEXT NOT NULL CHECK (length(url) <= 2048),
        colour TEXT NOT NULL CHECK (length(colour) <= 7),
        choice TEXT NOT NULL,
        stars INTEGER,
        price INTEGER NOT NULL,
        day TEXT NOT NULL,
        hour TEXT NOT NULL,
        moment TEXT
    ) STRICT",
)];

async fn db() -> Db {
    let db = Db::temporary().unwrap();
    db.migrate(TABLE).await.unwrap();
    db.register(&[Table::of::<all::Entity>()]).await.unwrap();
    db
}

fn one() -> all::Model {
    all::Model {
        id: 1,
        line: Line::parse("Größe").unwrap(),
        subtitle: None,
        text: Text::parse("a\nb").unwrap(),
        name: Name::parse("Ada Lovelace").unwrap(),
        html: CleanHtml::clean("<p><strong>a</strong> &amp; b</p>"),
        markdown: Markdown::parse("**a**").unwrap(),
        email: Some(Email::parse("Ada@example.org").unwrap()),
        telephone: Telephone::parse("+4930123456").unwrap(),
        url: Url::parse("https://example.org/a?b=c").unwrap(),
        colour: super::super::Colour::parse("#a0b1c2").unwrap(),
        choice: Choice::new(super::Colour::DeepBlue),
        stars: Int::new(4),
        price: Decimal::parse("9.99").unwrap(),
        day: Date::parse("2027-05-31").unwrap(),
        hour: Time::parse("09:30").unwrap(),
        moment: Some(DateTime::parse("2027-05-31T09:30").unwrap()),
    }
}

#[tokio::test]
async fn a_model_of_value_types_is_kept_and_read_back() {
    let db = db().await;
    let put = one().into_active_model().reset_all().insert(&db).await;
    assert_eq!(put.unwrap(), one());
    let found = all::Entity::find().filter(all::Column::Line.eq(one().line));
    assert_eq!(found.one(&db).await.unwrap(), Some(one()));
    let changed = all::ActiveModel {
        id: Set(1),
        subtitle: Set(Some(Line::parse("Second").unwrap())),
        stars: Set(None),
        ..Default::default()
    };
    let changed = changed.update(&db).await.unwrap();
    assert_eq!(
        (changed.subtitle.unwrap().as_str(), changed.stars),
        ("Second", None)
    );
}

#[tokio::test]
async fn a_row_that_breaks_the_rule_of_its_type_is_an_error_that_names_the_column() {
    let db = db().await;
    let put = one().into_active_model().reset_all().insert(&db).await;
    put.unwrap();
    let wrong = [
        ("line", "UPDATE everything SET line = 'ad\u{34f}min'"),
        ("subtitle", "UPDATE everything SET subtitle = 'a\nb'"),
        ("text", "UPDATE everything SET text = 'a\u{202e}'"),
        ("name", "UPDATE everything SET name = '\u{410}da'"),
        (
            "html",
            "UPDATE everything SET html = '<p onclick=\"x()\">a</p>'",
        ),
        ("email", "UPDATE everything SET email = 'nobody'"),
        ("telephone", "UPDATE everything SET telephone = '110'"),
        ("url", "UPDATE everything SET url = 'javascript:alert(1)'"),
        ("colour", "UPDATE everything SET colour = 'red'"),
        ("choice", "UPDATE everything SET choice = 'green'"),
        ("stars", "UPDATE everything SET stars = 6"),
        ("price", "UPDATE everything SET price = 10001"),
        ("hour", "UPDATE everything SET hour = '09:30:01.000000'"),
    ];
    for (column, sql) in wrong {
        let tx = db.begin().await.unwrap();
        tx.execute(sql, []).await.unwrap();
        let read = all::Entity::find().one(&tx).await;
        match read.map_err(Error::from) {
            Err(Error::Value { column: named, .. }) => assert_eq!(named, column),
            other => panic!("{column}: {other:?}"),
        }
        tx.rollback().await.unwrap();
    }
    assert_eq!(all::Entity::find().one(&db).await.unwrap(), Some(one()));
}

/// The same rules hold for a literal query, which knows no model.
#[tokio::test]
async fn a_row_of_a_literal_query_is_read_by_the_same_rules() {
    let db = db().await;
    let put = one().into_active_model().reset_all().insert(&db).await;
    put.unwrap();
    let find = "SELECT line, subtitle, html, email, url, choice, stars, price, day, hour, moment FROM everything";
    let rows = db.query(find, []).await.unwrap();
    let (row, one) = (&rows[0], one());
    assert_eq!(row.get::<Line<20>>(0).unwrap(), one.line);
    assert_eq!(row.get::<Option<Line<20>>>(1).unwrap(), None);
    assert_eq!(row.get::<CleanHtml<100>>(2).unwrap(), one.html);
    assert_eq!(row.get::<Option<Email>>(3).unwrap(), one.email);
    assert_eq!(row.get::<Url>(4).unwrap(), one.url);
    assert_eq!(row.get::<Choice<super::Colour>>(5).unwrap(), one.choice);
    assert_eq!(row.get::<Option<Int<0, 5>>>(6).unwrap(), one.stars);
    assert_eq!(row.get::<Decimal<2, 0, 100>>(7).unwrap(), one.price);
    assert_eq!(row.get::<Date>(8).unwrap(), one.day);
    assert_eq!(row.get::<Time>(9).unwrap(), one.hour);
    assert_eq!(row.get::<Option<DateTime>>(10).unwrap(), one.moment);
    // What is stored does not fit a narrower type, and the error names the column and no value.
    let error = row.get::<Line<4>>(0).unwrap_err();
    let text = error.to_string();
    assert_eq!(text, "`line` does not contain a valid value of `Line`");
    assert!(row.get::<Line<20>>(1).is_err(), "null is no line");
    assert!(row.get::<Line<20>>(6).is_err(), "a number is no line");
    assert!(row.get::<Line<20>>(11).is_err(), "there is no such column");
}

/// Somebody wrote the row without the types: nothing of it reaches a page.
#[tokio::test]
async fn a_row_that_breaks_a_rule_ends_a_literal_query_with_its_column() {
    let db = db().await;
    let put = one().into_active_model().reset_all().insert(&db).await;
    put.unwrap();
    let spoil = "UPDATE everything SET html = '<p onclick=\"x()\">a</p>', choice = 'green', url = 'javascript:alert(1)'";
    db.execute(spoil, []).await.unwrap();
    let find = "SELECT html, choice AS colour, url FROM everything";
    let rows = db.query(find, []).await.unwrap();
    let column = |error: Error| {
        let text = error.to_string();
        let Error::Value { column, .. } = error else {
            panic!("{text}")
        };
        column
    };
    let row = &rows[0];
    assert_eq!(column(row.get::<CleanHtml<100>>(0).unwrap_err()), "html");
    let choice = row.get::<Choice<super::Colour>>(1);
    assert_eq!(column(choice.unwrap_err()), "colour");
    assert_eq!(column(row.get::<Url>(2).unwrap_err()), "url");
}

mod bounded {
    use sea_orm::entity::prelude::*;

    use super::super::super::Line;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "bounded")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub title: Line<20>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[tokio::test]
async fn a_table_has_to_keep_the_limit_of_a_type() {
    for (right, migration) in [
        (
            true,
            "CREATE TABLE bounded (id INTEGER PRIMARY KEY, title TEXT NOT NULL CHECK (length(title) <= 20)) STRICT",
        ),
        (
            true,
            "CREATE TABLE bounded (id INTEGER PRIMARY KEY, \"title\" TEXT NOT NULL, CHECK (LENGTH(`Title`)BETWEEN 1 AND 20)) STRICT",
        ),
        (
            true,
            "CREATE TABLE bounded (id INTEGER PRIMARY KEY, title TEXT CHECK (title <> '' AND length ([title]) < 21)) STRICT",
        ),
        (
            false,
            "CREATE TABLE bounded (id INTEGER PRIMARY KEY, title TEXT NOT NULL) STRICT",
        ),
        (
            false,
            "CREATE TABLE bounded (id INTEGER PRIMARY KEY, title TEXT NOT NULL CHECK (length(title) <= 200)) STRICT",
        ),
        (
            false,
            "CREATE TABLE bounded (id INTEGER PRIMARY KEY, title TEXT NOT NULL CHECK (length(title) <= 19)) STRICT",
        ),
        (
            false,
            "CREATE TABLE bounded (id INTEGER PRIMARY KEY, title TEXT NOT NULL CHECK (length(title) >= 1)) STRICT",
        ),
        (
            false,
            "CREATE TABLE bounded (id INTEGER PRIMARY KEY, title TEXT NOT NULL, subtitle TEXT CHECK (length(subtitle) <= 20)) STRICT",
        ),
    ] {
        // Quotation marks that only SQLite has.
        let db = if migration.contains(['`', '[']) {
            Db::temporary_file().unwrap()
        } else {
            Db::temporary().unwrap()
        };
        db.migrate(&[Migration::new("bounded_0001", migration)])
            .await
            .unwrap();
        let registered = db.register(&[Table::of::<bounded::Entity>()]).await;
        assert_eq!(registered.is_ok(), right, "{migration}");
        if let Err(error) = registered {
            let text = error.to_string();
            assert!(text.contains("CHECK (length(title) <= 20)"), "{text}");
        }
    }
}
