//! One suite of tests, run against each store.

mod contract;
#[cfg(feature = "redis")]
mod elsewhere;
mod measured;
#[cfg(feature = "redis")]
use crate::database::tests::servers;

use std::sync::Arc;

use super::{InDatabase, MIGRATIONS, SessionStore};
use crate::database::{Db, Migration};
use crate::sessions::tests::PEOPLE;

async fn people() -> Db {
    let db = Db::temporary().unwrap();
    let all: Vec<Migration> = [PEOPLE].iter().chain(MIGRATIONS).copied().collect();
    db.migrate(&all).await.unwrap();
    let add = "INSERT INTO dewar_users (id, email, name) VALUES (?1, 'ada@example.org', 'Ada')";
    for id in 1_i64..=20 {
        db.execute(add, [id.into()]).await.unwrap();
    }
    db
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_keeps_the_contract() {
    let store: Arc<dyn SessionStore> = Arc::new(InDatabase::new(people().await));
    contract::all(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_reads_the_person_with_the_session() {
    let db = people().await;
    let store = InDatabase::new(db.clone());
    let new = contract::new(1, 100);
    store.begin(&new, 10).await.unwrap();
    let before = db.statements();
    let found = store.find(&new.token_hash).await.unwrap().unwrap();
    assert_eq!(found.person.unwrap().principal.name(), "Ada");
    assert_eq!(db.statements() - before, 1);
}
