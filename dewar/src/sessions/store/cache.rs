use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::database::DataVersion;
use crate::sessions::record::{Hash, SessionLookup};

/// The most sessions that are held.
const MOST: usize = 1024;

/// Sessions as they were read at one version of the database. Every commit, also one of another process, makes a new version,
/// so that a session that ended is never found here.
#[derive(Debug, Default)]
pub(super) struct SessionCache(Mutex<Held>);

#[derive(Default)]
struct Held {
    version: Option<DataVersion>,
    found: HashMap<Hash, SessionLookup>,
}

impl SessionCache {
    /// The session of a token, if it was read at this version.
    pub(super) fn get(&self, version: DataVersion, token: &Hash) -> Option<SessionLookup> {
        let held = self.held();
        let is_current = held.version == Some(version);
        held.found.get(token).filter(|_| is_current).cloned()
    }

    /// Holds a session that was read after the database had this version.
    pub(super) fn put(&self, version: DataVersion, token: Hash, found: SessionLookup) {
        let mut held = self.held();
        if held.version != Some(version) || held.found.len() >= MOST {
            held.found.clear();
            held.version = Some(version);
        }
        held.found.insert(token, found);
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without the sessions: they are personal data.
impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held")
            .field("sessions", &self.found.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{InDatabase, MIGRATIONS, SessionStore};
    use super::*;
    use crate::database::{Config, Db};
    use crate::sessions::UserId;
    use crate::sessions::record::{Live, New, SessionId};
    use crate::sessions::tests::PEOPLE;

    async fn store(path: &Path) -> (Db, InDatabase) {
        let db = Db::open(path, &Config::default()).unwrap();
        let migrations: Vec<_> = [PEOPLE].iter().chain(MIGRATIONS).copied().collect();
        db.migrate(&migrations).await.unwrap();
        let ada = "INSERT INTO dewar_users (id, email, name) VALUES (1, 'ada@example.org', 'Ada')";
        db.execute(ada, []).await.unwrap();
        (db.clone(), InDatabase::new(db))
    }

    async fn begin(store: &InDatabase, token: Hash) {
        let live = Live {
            id: SessionId::new(),
            user: UserId::new(1),
            generation: 0,
            created_at: 0,
            seen_at: 0,
            proved_at: 0,
            roles: String::new(),
        };
        let new = New {
            token_hash: token,
            live,
            device: String::new(),
            address: String::new(),
        };
        store.begin(&new, 5000).await.unwrap();
    }

    /// How many statements the store needs to find a session, and the name of its owner.
    async fn find(db: &Db, store: &InDatabase, token: Hash) -> (u64, Option<String>) {
        let before = db.statements();
        let found = store.find(&token).await.unwrap();
        let name = found.map(|found| found.person.unwrap().principal.name);
        (db.statements() - before, name)
    }

    #[tokio::test]
    async fn a_session_is_read_again_after_every_commit_of_any_process() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("database.sqlite");
        let (db, store) = store(&path).await;
        begin(&store, [1; 32]).await;
        let ada = || Some("Ada".to_owned());
        assert_eq!(find(&db, &store, [1; 32]).await, (1, ada()));
        assert_eq!(find(&db, &store, [1; 32]).await, (0, ada()));
        assert_eq!(find(&db, &store, [2; 32]).await, (1, None), "another token");

        let other = rusqlite::Connection::open(&path).unwrap();
        other
            .execute("UPDATE dewar_users SET name = 'Ida'", [])
            .unwrap();
        let ida = || Some("Ida".to_owned());
        assert_eq!(find(&db, &store, [1; 32]).await, (1, ida()));
        assert_eq!(find(&db, &store, [1; 32]).await, (0, ida()));
        other.execute("DELETE FROM dewar_sessions", []).unwrap();
        assert_eq!(find(&db, &store, [1; 32]).await, (1, None));

        begin(&store, [1; 32]).await;
        assert_eq!(find(&db, &store, [1; 32]).await, (1, ida()));
        store.end_all_of(UserId::new(1), None).await.unwrap();
        assert_eq!(find(&db, &store, [1; 32]).await, (1, None));
    }

    #[tokio::test]
    async fn a_session_read_before_a_commit_is_not_held_for_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let (db, store) = store(&folder.path().join("database.sqlite")).await;
        begin(&store, [1; 32]).await;
        let (cache, before) = (SessionCache::default(), db.version().unwrap());
        let found = store.find(&[1; 32]).await.unwrap().unwrap();
        store.end_everyone().await.unwrap();
        cache.put(before, [1; 32], found);
        assert!(cache.get(before, &[1; 32]).is_some());
        assert!(cache.get(db.version().unwrap(), &[1; 32]).is_none());
    }

    #[tokio::test]
    async fn the_number_of_sessions_held_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        let (db, store) = store(&folder.path().join("database.sqlite")).await;
        begin(&store, [1; 32]).await;
        let found = store.find(&[1; 32]).await.unwrap().unwrap();
        let (cache, version) = (SessionCache::default(), db.version().unwrap());
        for number in 0..10_000_u32 {
            let mut token = [0; 32];
            token[..4].copy_from_slice(&number.to_be_bytes());
            cache.put(version, token, found.clone());
        }
        let held = cache.held().found.len();
        assert!((1..=MOST).contains(&held), "{held}");
    }
}
