//! A bucket belongs to one database, and no other deletes in it.

use super::bucket;
use super::made::{PDF, Store};
use crate::uploads::storage::Marking;
use crate::uploads::{Binding, Document, bind};

/// Another application whose settings name the same bucket and prefix.
async fn beside(first: &Store) -> Store {
    let storage = first.uploads.config().storage.clone();
    Store::with(|config| config.storage = storage).await
}

async fn binding(store: &Store) -> Binding {
    let storage = &store.uploads.inner.storage;
    Binding::of(Some(&store.db), storage).await.unwrap()
}

async fn ids(store: &Store) -> Vec<&'static str> {
    let found = store.uploads.bind_storage().await.unwrap();
    assert!(found.iter().all(|finding| finding.refuses_launch));
    found.iter().map(|finding| finding.id).collect()
}

/// The sweep of the other would delete every file, because it has no row of them.
///
/// ASVS: V5.3.2
#[tokio::test]
async fn the_database_of_another_application_deletes_nothing() {
    if bucket::address().is_none() {
        return;
    }
    let first = Store::new().await;
    let id = first.keep::<Document>("a.pdf", PDF).await.unwrap();
    let other = beside(&first).await;
    // Its table of files is not empty, so that it looks like the right database.
    let own = other.keep::<Document>("b.pdf", PDF).await.unwrap();
    assert_eq!(binding(&other).await, Binding::OfAnother);
    assert_eq!(ids(&other).await, ["uploads-s3-of-another"]);
    other.start_again();
    assert_eq!(other.uploads.sweep().await.unwrap().unfinished, 0);
    assert_eq!(first.bytes(&id).await.as_deref(), Some(PDF));

    // The bucket's own database does delete what it does not know.
    assert_eq!(ids(&first).await, Vec::<&str>::new());
    first.start_again();
    assert_eq!(first.uploads.sweep().await.unwrap().unfinished, 1);
    assert_eq!(other.bytes(&own).await, None);
    assert_eq!(first.bytes(&id).await.as_deref(), Some(PDF));
}

#[tokio::test]
async fn a_bucket_with_files_and_without_a_mark_is_bound_on_purpose_only() {
    if bucket::address().is_none() {
        return;
    }
    let store = Store::new().await;
    let id = store.keep::<Document>("a.pdf", PDF).await.unwrap();
    let s3 = &store.uploads.inner.storage;
    let rowless = crate::uploads::FileId::random();
    store.place(&rowless, PDF).await;
    s3.remove_mark().await;
    assert_eq!(ids(&store).await, ["uploads-s3-unmarked"]);
    store.start_again();
    assert_eq!(store.uploads.sweep().await.unwrap().unfinished, 0);
    assert_eq!(store.uploads.sweep_old().await.unwrap().unfinished, 0);
    bind(&store.db, s3, Marking::First).await.unwrap();
    assert_eq!(binding(&store).await, Binding::Bound);
    assert_eq!(store.uploads.sweep().await.unwrap().unfinished, 1);
    assert_eq!(store.bytes(&id).await.as_deref(), Some(PDF));

    // Without the files it is not the bucket of this database, or somebody emptied it.
    store.take_away(&id).await;
    s3.remove_mark().await;
    assert_eq!(ids(&store).await, ["uploads-s3-emptied"]);
}

/// The database is an older backup, or a clone: it has the id of the bucket, and knows few of the files.
///
/// ASVS: V5.3.2
#[tokio::test]
async fn an_older_database_deletes_no_file_that_is_newer() {
    if bucket::address().is_none() {
        return;
    }
    let store = Store::new().await;
    let id = store.keep::<Document>("a.pdf", PDF).await.unwrap();
    for _ in 0..20 {
        let newer = crate::uploads::FileId::random();
        store.place(&newer, PDF).await;
    }
    let last = crate::uploads::FileId::random();
    store.place(&last, PDF).await;
    store.start_again();
    let place = store.uploads.config().storage.clone();
    for swept in [
        store.uploads.sweep().await.unwrap(),
        store.uploads.sweep_storage().await.unwrap(),
    ] {
        assert_eq!((swept.unfinished, swept.kept_without_rows), (0, 21));
        let finding = swept.finding(&place).unwrap();
        assert_eq!(finding.id, "uploads-s3-many-without-rows");
    }
    // Twenty may be the remains of crashes.
    store.take_away(&last).await;
    let swept = store.uploads.sweep().await.unwrap();
    assert_eq!((swept.unfinished, swept.kept_without_rows), (20, 0));
    assert_eq!(swept.finding(&place), None);
    assert_eq!(store.bytes(&id).await.as_deref(), Some(PDF));
    // An operator said so.
    for _ in 0..30 {
        let newer = crate::uploads::FileId::random();
        store.place(&newer, PDF).await;
    }
    store.start_again();
    assert_eq!(store.uploads.sweep().await.unwrap().kept_without_rows, 30);
    assert_eq!(store.uploads.sweep_many().await.unwrap().unfinished, 30);
    assert_eq!(store.bytes(&id).await.as_deref(), Some(PDF));
}

/// Two nodes start at once: one mark stays, and both have its id.
#[tokio::test]
async fn nodes_that_start_together_write_one_mark() {
    if bucket::address().is_none() {
        return;
    }
    let store = Store::new().await;
    let s3 = &store.uploads.inner.storage;
    s3.remove_mark().await;
    let bound = || bind(&store.db, s3, Marking::First);
    let (one, two) = tokio::join!(bound(), bound());
    one.unwrap();
    two.unwrap();
    assert_eq!(binding(&store).await, Binding::Bound);
    // A mark of a database that has another id is not replaced by accident.
    let other = beside(&store).await;
    bind(&other.db, s3, Marking::First).await.unwrap();
    assert_eq!(binding(&store).await, Binding::Bound);
    bind(&other.db, s3, Marking::Anew).await.unwrap();
    assert_eq!(binding(&store).await, Binding::OfAnother);
}
