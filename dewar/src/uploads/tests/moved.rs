//! The comparison of rows and storage, and the way to another storage.

use std::time::Duration;

use super::made::{PDF, Store};
use crate::uploads::moving::clear_up;
use crate::uploads::storage::{Disk, FileBytes, Storage};
use crate::uploads::verify::Fault;
use crate::uploads::{Config, Depth, Document, FileId, Moved, Verification, copy_all};

async fn faults(store: &Store, depth: Depth) -> (u64, Vec<Fault>) {
    let mut found = Vec::new();
    let mut verification = Verification {
        db: &store.db,
        storage: &store.uploads.inner.storage,
        depth,
        seen: |_| {},
        fault: |fault| found.push(fault),
    };
    let files = verification.run().await.unwrap();
    (files, found)
}

#[tokio::test]
async fn files_that_are_not_as_their_rows_say_are_found() {
    let store = Store::new().await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(store.keep::<Document>("a.pdf", PDF).await.unwrap());
    }
    let pending = store.unclaimed::<Document>("b.pdf", PDF).await.unwrap();
    assert_eq!(faults(&store, Depth::Digests).await, (4, vec![]));
    let [missing, short, changed, _whole] = &ids[..] else {
        panic!("four files")
    };
    store.take_away(missing).await;
    store.take_away(short).await;
    store.place(short, b"short".as_slice()).await;
    let mut other = PDF.to_vec();
    other[12] ^= 1;
    store.take_away(changed).await;
    store.place(changed, other).await;
    let extra = FileId::random();
    store.place(&extra, PDF).await;

    let mut expected = vec![
        Fault::Missing(missing.clone()),
        Fault::Size(short.clone(), 5, PDF.len() as u64),
        Fault::Extra(extra.to_string()),
    ];
    let sorted = |mut faults: Vec<Fault>| {
        faults.sort_by_key(ToString::to_string);
        faults
    };
    let (files, found) = faults(&store, Depth::Sizes).await;
    assert_eq!((files, sorted(found)), (4, sorted(expected.clone())));
    expected.push(Fault::Changed(changed.clone()));
    let (files, found) = faults(&store, Depth::Digests).await;
    assert_eq!((files, sorted(found)), (4, sorted(expected)));
    drop(pending);
}

fn another_disk(store: &Store) -> (Config, Storage) {
    let config = Config::below(&store.directory.path().join("other"));
    for directory in [&config.directory, &config.quarantine(), &config.kept()] {
        std::fs::create_dir_all(directory).unwrap();
    }
    let disk = Storage::Disk(Disk::new(&config));
    (config, disk)
}

/// From the storage of the tests, a disk or a bucket, to a disk and back.
#[tokio::test]
async fn every_file_is_copied_once_and_a_run_that_was_stopped_continues() {
    let store = Store::new().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let text = format!("file number {number}\n").repeat(20_000);
        ids.push(
            store
                .keep::<Document>("a.txt", text.as_bytes())
                .await
                .unwrap(),
        );
    }
    let here = &store.uploads.inner.storage;
    let (config, there) = another_disk(&store);
    let within = Duration::from_secs(600);
    let copy = async |from: &Storage, to: &Storage, stop_after: u64| {
        let mut copied = 0;
        let copying = copy_all(&store.db, (from, to), within, |moved| copied = moved.copied);
        let mut copying = Box::pin(copying);
        if stop_after == 0 {
            return copying.await.unwrap();
        }
        // Killed: no file is half there, and what came is not copied again.
        tokio::select! {
            biased;
            done = &mut copying => return done.unwrap(),
            () = async { for _ in 0..stop_after { tokio::task::yield_now().await; } } => {}
        }
        Moved::default()
    };
    copy(here, &there, 3).await;
    let moved = copy(here, &there, 0).await;
    assert_eq!((moved.copied + moved.there, moved.damaged), (5, vec![]));
    let again = copy(here, &there, 0).await;
    assert_eq!((again.copied, again.there), (0, 5));
    for id in &ids {
        let path = config.kept().join(id.path());
        assert_eq!(std::fs::read(path).unwrap(), store.bytes(id).await.unwrap());
        store.take_away(id).await;
    }
    let left = std::fs::read_dir(config.quarantine()).unwrap();
    assert!(left.count() <= 4, "those that were on their way");
    let back = copy(&there, here, 0).await;
    assert_eq!((back.copied, back.there), (5, 0));
    assert_eq!(faults(&store, Depth::Digests).await, (5, vec![]));
}

/// A file that changed in its storage is no file in the other.
#[tokio::test]
async fn a_damaged_file_is_named_and_not_copied() {
    let store = Store::new().await;
    let damaged = store
        .keep::<Document>("a.txt", b"agreed: 100")
        .await
        .unwrap();
    let missing = store.keep::<Document>("b.txt", b"b").await.unwrap();
    let whole = store.keep::<Document>("c.txt", b"c").await.unwrap();
    store.take_away(&damaged).await;
    store.place(&damaged, b"agreed: 900".as_slice()).await;
    store.take_away(&missing).await;
    let (config, there) = another_disk(&store);
    let within = Duration::from_secs(600);
    let here = &store.uploads.inner.storage;
    let mut moved = copy_all(&store.db, (here, &there), within, |_| {})
        .await
        .unwrap();
    moved.damaged.sort();
    let mut expected = vec![damaged.clone(), missing];
    expected.sort();
    assert_eq!((moved.copied, moved.damaged), (1, expected));
    assert!(config.kept().join(whole.path()).exists());
    assert!(!config.kept().join(damaged.path()).exists());
    assert_eq!(std::fs::read_dir(config.quarantine()).unwrap().count(), 0);
}

/// Somebody deletes a file after it was copied, and nobody deletes the copy.
///
/// ASVS: V14.2.7
#[tokio::test]
async fn the_copy_of_a_file_that_was_deleted_meanwhile_goes_and_an_older_object_stays() {
    let store = Store::new().await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(store.keep::<Document>("a.pdf", PDF).await.unwrap());
    }
    ids.sort();
    let here = &store.uploads.inner.storage;
    let (config, there) = another_disk(&store);
    let within = Duration::from_secs(600);
    // An object of another application, from an hour ago.
    let foreign = FileId::random();
    let pieces = here.read(&ids[0], PDF.len() as u64, 0..PDF.len() as u64);
    let facts = FileBytes {
        size: PDF.len() as u64,
        sha256: crate::secrets::sha256(PDF),
    };
    let pieces = pieces.await.unwrap();
    there.copy(&foreign, pieces, facts, within).await.unwrap();
    let file = std::fs::File::open(config.kept().join(foreign.path())).unwrap();
    let now = file.metadata().unwrap().modified().unwrap();
    file.set_modified(now - Duration::from_secs(3_600)).unwrap();
    // A node that stores there already is about to finish this one.
    let arriving = "UPDATE dewar_files SET state = 'arriving' WHERE id = ?";
    let began = tokio::time::Instant::now();
    let copied = copy_all(&store.db, (here, &there), within, |_| {});
    assert_eq!(copied.await.unwrap().left, 1);
    store
        .db
        .execute(arriving, [(&ids[2]).into()])
        .await
        .unwrap();
    store.uploads.delete(&ids[1]).await.unwrap();
    let mut moved = Moved::default();
    let cleared = clear_up(&store.db, &there, began, &mut moved);
    cleared.await.unwrap();
    assert_eq!((moved.removed, moved.left), (1, 1));
    let exists = |id: &FileId| config.kept().join(id.path()).exists();
    assert_eq!(
        [0, 1, 2].map(|at: usize| exists(&ids[at])),
        [true, false, true]
    );
    assert!(exists(&foreign));
}
