#![expect(
    unreachable_pub,
    unnameable_types,
    reason = "as SeaORM's derives want them"
)]

use sea_orm::{
    AccessMode, ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait,
    FromQueryResult, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Set,
    Statement, TransactionSession, TransactionTrait,
};
use time::macros::{date, datetime};

use super::*;
use crate::database::Table;

mod thing {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "things")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub big: i64,
        pub small: Option<i16>,
        pub maybe: Option<i32>,
        pub unsigned: u32,
        pub public: bool,
        pub price: f64,
        pub title: String,
        pub subtitle: Option<String>,
        pub bytes: Vec<u8>,
        pub extra: Option<Json>,
        pub day: TimeDate,
        pub local: TimeDateTime,
        pub moment: Option<TimeDateTimeWithTimeZone>,
        pub stamp: TimeUnixTimestamp,
        pub state: State,
        pub level: Option<Level>,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
    pub enum State {
        #[sea_orm(string_value = "draft")]
        Draft,
        #[sea_orm(string_value = "published")]
        Published,
    }

    #[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
    #[sea_orm(rs_type = "i32", db_type = "Integer")]
    pub enum Level {
        #[sea_orm(num_value = 0)]
        Low,
        #[sea_orm(num_value = 1)]
        High,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(has_many = "super::part::Entity")]
        Part,
    }

    impl Related<super::part::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Part.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod part {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "parts")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub thing_id: i32,
        pub name: String,
        pub broken: Option<bool>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(
            belongs_to = "super::thing::Entity",
            from = "Column::ThingId",
            to = "super::thing::Column::Id"
        )]
        Thing,
    }

    impl Related<super::thing::Entity> for Entity {
        fn to() -> RelationDef {
            Relation::Thing.def()
        }
    }

    impl ActiveModelBehavior for ActiveModel {}
}

const THINGS: &[Migration] = &[Migration::new(
    "things_0001",
    "CREATE TABLE things (
         id INTEGER PRIMARY KEY AUTOINCREMENT, big INTEGER NOT NULL, small INTEGER, maybe INTEGER,
         unsigned INTEGER NOT NULL, public INTEGER NOT NULL, price REAL NOT NULL,
         title TEXT NOT NULL UNIQUE, subtitle TEXT, bytes BLOB NOT NULL, extra TEXT,
         day TEXT NOT NULL, local TEXT NOT NULL, moment TEXT, stamp INTEGER NOT NULL,
         state TEXT NOT NULL, level INTEGER
     ) STRICT;
     CREATE TABLE parts (
         id INTEGER PRIMARY KEY AUTOINCREMENT, thing_id INTEGER NOT NULL REFERENCES things (id),
         name TEXT NOT NULL, broken INTEGER
     ) STRICT;",
)];

async fn things() -> Db {
    things_in(Db::temporary().unwrap()).await
}

async fn things_in(db: Db) -> Db {
    db.migrate(THINGS).await.unwrap();
    db.register(&[Table::of::<thing::Entity>(), Table::of::<part::Entity>()])
        .await
        .unwrap();
    db
}

fn lamp() -> thing::Model {
    thing::Model {
        id: 1,
        big: i64::MAX,
        small: Some(-3),
        maybe: Some(7),
        unsigned: u32::MAX,
        public: true,
        price: 2.0,
        title: "Lamp".to_owned(),
        subtitle: None,
        bytes: vec![0, 255],
        extra: Some(serde_json::json!({"colour": "red"})),
        day: date!(2026 - 11 - 23),
        local: datetime!(2026-11-23 12:34:56.000789),
        moment: Some(datetime!(2026-11-23 12:34:56 +2)),
        stamp: sea_orm::prelude::TimeUnixTimestamp(datetime!(2026-11-23 0:00 UTC)),
        state: thing::State::Published,
        level: Some(thing::Level::High),
    }
}

fn fresh(title: &str) -> thing::ActiveModel {
    let mut lamp = lamp().into_active_model().reset_all();
    lamp.id = sea_orm::NotSet;
    lamp.title = Set(title.to_owned());
    lamp
}

#[tokio::test]
async fn every_type_comes_back_as_it_was() {
    let db = things().await;
    let inserted = fresh("Lamp").insert(&db).await.unwrap();
    assert_eq!(inserted, lamp(), "RETURNING");
    let found = thing::Entity::find_by_id(1)
        .one(&db)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found, lamp());
    let mut empty = fresh("Empty");
    empty.small = Set(None);
    empty.maybe = Set(None);
    empty.extra = Set(None);
    empty.moment = Set(None);
    empty.level = Set(None);
    let empty = empty.insert(&db).await.unwrap();
    assert_eq!((empty.id, empty.small, empty.maybe), (2, None, None));
    assert_eq!((empty.extra, empty.moment, empty.level), (None, None, None));
}

#[tokio::test]
async fn models_are_changed_counted_and_deleted() {
    let db = things().await;
    for title in ["a", "b", "c"] {
        thing::Entity::insert(fresh(title)).exec(&db).await.unwrap();
    }
    let last = thing::Entity::insert(fresh("d"))
        .exec(&db)
        .await
        .unwrap()
        .last_insert_id;
    assert_eq!(last, 4);
    let mut b = thing::Entity::find()
        .filter(thing::Column::Title.eq("b"))
        .one(&db)
        .await
        .unwrap()
        .unwrap()
        .into_active_model();
    b.public = Set(false);
    assert!(!b.update(&db).await.unwrap().public);
    let hidden = thing::Entity::find().filter(thing::Column::Public.eq(false));
    assert_eq!(hidden.clone().count(&db).await.unwrap(), 1);
    assert_eq!(hidden.paginate(&db, 2).num_pages().await.unwrap(), 1);
    thing::Entity::delete_by_id(1).exec(&db).await.unwrap();
    let state = thing::Column::State.eq(thing::State::Published);
    let published = thing::Entity::find().filter(state).all(&db).await.unwrap();
    assert_eq!(published.len(), 3);
}

#[tokio::test]
async fn joined_models_keep_their_own_columns() {
    let db = things().await;
    fresh("Lamp").insert(&db).await.unwrap();
    fresh("Bare").insert(&db).await.unwrap();
    let bulb = part::ActiveModel {
        thing_id: Set(1),
        name: Set("bulb".to_owned()),
        broken: Set(Some(true)),
        ..Default::default()
    };
    let bulb = bulb.insert(&db).await.unwrap();
    let both = thing::Entity::find()
        .find_also_related(part::Entity)
        .order_by_asc(thing::Column::Id)
        .all(&db)
        .await
        .unwrap();
    assert_eq!(both[0], (lamp(), Some(bulb.clone())));
    assert_eq!(both[1].1, None);
    let many = thing::Entity::find()
        .find_with_related(part::Entity)
        .all(&db)
        .await
        .unwrap();
    assert_eq!(many[0].1, [bulb]);
}

#[tokio::test]
async fn a_tuple_has_the_order_of_its_select() {
    // Columns beside a count, without a group: only SQLite allows it.
    let db = things_in(Db::temporary_file().unwrap()).await;
    fresh("Lamp").insert(&db).await.unwrap();
    let (title, subtitle, id, count): (String, Option<String>, i32, i64) = thing::Entity::find()
        .select_only()
        .column(thing::Column::Title)
        .column(thing::Column::Subtitle)
        .column(thing::Column::Id)
        .column_as(thing::Column::Id.count(), "a_count")
        .into_tuple()
        .one(&db)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((title.as_str(), subtitle, id, count), ("Lamp", None, 1, 1));
}

#[derive(Debug, FromQueryResult, PartialEq)]
struct Summary {
    title: String,
    maybe: Option<i32>,
    total: i64,
}

#[tokio::test]
async fn a_struct_of_ones_own_reads_by_name() {
    let db = things().await;
    fresh("Lamp").insert(&db).await.unwrap();
    let summary = thing::Entity::find()
        .select_only()
        .column(thing::Column::Title)
        .column(thing::Column::Maybe)
        .column_as(thing::Column::Id.count(), "total")
        .group_by(thing::Column::Id)
        .into_model::<Summary>()
        .one(&db)
        .await
        .unwrap();
    assert_eq!(
        summary,
        Some(Summary {
            title: "Lamp".to_owned(),
            maybe: Some(7),
            total: 1
        })
    );
    // SeaORM itself cannot write bytes that are not text into JSON.
    db.execute("UPDATE things SET bytes = ?", [vec![7_u8].into()])
        .await
        .unwrap();
    let json = thing::Entity::find()
        .into_json()
        .one(&db)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (json.as_object().unwrap().len(), &json["maybe"]),
        (17, &7.into())
    );
}

#[tokio::test]
async fn a_model_nobody_registered_is_not_read() {
    let db = Db::temporary().unwrap();
    db.migrate(THINGS).await.unwrap();
    let error: Error = thing::Entity::find().all(&db).await.unwrap_err().into();
    let Error::UnknownTable { table } = error else {
        panic!("{error:?}")
    };
    assert_eq!(table, "things");
    // It can be registered later.
    db.register(&[Table::of::<thing::Entity>()]).await.unwrap();
    assert_eq!(thing::Entity::find().all(&db).await.unwrap(), []);
}

/// A plan from before the change would read a column with its old type.
#[test]
fn a_change_of_the_models_or_the_tables_is_noticed() {
    let models = crate::database::models::Models::default();
    let first = models.changes();
    models.touch();
    let second = models.changes();
    assert!(second > first);
    models.add(&Table::of::<thing::Entity>());
    assert!(models.changes() > second);
}

#[tokio::test]
async fn a_model_that_does_not_fit_its_table_is_refused() {
    let db = Db::temporary().unwrap();
    let other = "CREATE TABLE things (id TEXT PRIMARY KEY, big INTEGER NOT NULL) STRICT";
    db.migrate(&[Migration::new("things_0001", other)])
        .await
        .unwrap();
    let tables = [Table::of::<thing::Entity>(), Table::of::<part::Entity>()];
    assert_eq!(tables.each_ref().map(Table::name), ["things", "parts"]);
    let Err(Error::Models { problems }) = db.register(&tables).await else {
        panic!()
    };
    assert_eq!(
        problems[0],
        "`things.id` is TEXT; the model's type needs INTEGER or INT"
    );
    assert_eq!(problems[1], "`things` has no column `small`");
    assert_eq!(problems.last().unwrap(), "the table `parts` does not exist");
}

#[tokio::test]
async fn a_value_too_large_for_the_model_is_an_error_and_not_none() {
    let db = things().await;
    fresh("Lamp").insert(&db).await.unwrap();
    db.execute("UPDATE things SET maybe = 5000000000", [])
        .await
        .unwrap();
    let error: Error = thing::Entity::find().all(&db).await.unwrap_err().into();
    let Error::Value { column, .. } = error else {
        panic!("{error:?}")
    };
    assert_eq!(column, "maybe");
}

#[tokio::test]
async fn a_constraint_is_recognised_through_a_model() {
    let db = things().await;
    fresh("Lamp").insert(&db).await.unwrap();
    let error: Error = fresh("Lamp").insert(&db).await.unwrap_err().into();
    let Error::Unique { columns } = error else {
        panic!("{error:?}")
    };
    assert_eq!(columns, ["things.title"]);
    let none = thing::ActiveModel {
        id: Set(9),
        ..Default::default()
    };
    let gone: Error = none.update(&db).await.unwrap_err().into();
    assert!(matches!(gone, Error::NotFound), "{gone:?}");
}

#[tokio::test]
async fn models_take_part_in_transactions() {
    let db = things().await;
    let done = TransactionTrait::transaction::<_, (), DbErr>(&db, |tx| {
        Box::pin(async move {
            fresh("a").insert(tx).await?;
            let nested = TransactionTrait::begin(tx).await?;
            fresh("b").insert(&nested).await?;
            nested.commit().await?;
            assert_eq!(thing::Entity::find().all(tx).await?.len(), 2);
            Err(DbErr::Custom("changed my mind".to_owned()))
        })
    })
    .await;
    assert!(done.is_err());
    assert_eq!(thing::Entity::find().all(&db).await.unwrap(), []);
    let done = TransactionTrait::transaction::<_, _, DbErr>(&db, |tx| {
        Box::pin(async { fresh("a").insert(tx).await })
    });
    assert!(done.await.unwrap().id > 0);
    assert_eq!(thing::Entity::find().count(&db).await.unwrap(), 1);
    let tx = TransactionTrait::begin(&db).await.unwrap();
    fresh("b").insert(&tx).await.unwrap();
    TransactionSession::rollback(tx).await.unwrap();
    assert_eq!(thing::Entity::find().count(&db).await.unwrap(), 1);
    // A read-only transaction could not be guaranteed.
    for (access, begins) in [(AccessMode::ReadOnly, false), (AccessMode::ReadWrite, true)] {
        let begun = db.begin_with_config(None, Some(access)).await;
        assert_eq!(begun.is_ok(), begins, "{access:?}");
    }
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "it is tried here that they are refused"
)]
async fn text_put_together_by_hand_is_refused() {
    let db = things_in(Db::temporary_file().unwrap()).await;
    let by_hand = Statement::from_string(DbBackend::Sqlite, "DELETE FROM things".to_owned());
    refused(db.execute_raw(by_hand.clone()).await.map_err(Error::from));
    refused(db.query_all_raw(by_hand).await.map_err(Error::from));
    refused(
        db.execute_unprepared("DELETE FROM things")
            .await
            .map_err(Error::from),
    );
    let foreign = Statement::from_sql_and_values(DbBackend::Postgres, "SELECT 1", []);
    refused(db.query_one_raw(foreign).await.map_err(Error::from));
}
