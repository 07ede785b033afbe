//! The name of a node, which one program at a time uses.
//!
//! Two programs with one name would write one record of where the audit log ends, and each other's waiting entries.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Mutex;

use super::{
    Db, Error,
    db::Backend,
    postgres::{Asking, HeldName, Session},
};
use crate::audit::NodeName;

/// The right to a name, for as long as the program runs.
#[derive(Clone, Debug)]
pub(crate) struct NodeLock(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// None if there is nothing to hold: on a file, and in a command beside the running program.
    db: Option<Db>,
    node: NodeName,
    state: AtomicU8,
    held: Mutex<Holding>,
}

#[derive(Debug, Default)]
struct Holding {
    name: Option<HeldName>,
    /// The session before, which the server may still keep.
    before: Option<Session>,
}

const HELD: u8 = 0;
const LOST: u8 = 1;
const TAKEN: u8 = 2;

/// A change that an operator has to know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameChange {
    /// Another program took the name while the connection was lost.
    Taken,
    /// The other program gave it back.
    Back,
}

impl NodeLock {
    /// Without a lock.
    pub(crate) fn none(node: &NodeName) -> Self {
        Self::of(None, node, Holding::default())
    }

    fn of(db: Option<Db>, node: &NodeName, held: Holding) -> Self {
        Self(Arc::new(Inner {
            db,
            node: node.clone(),
            state: AtomicU8::new(HELD),
            held: Mutex::new(held),
        }))
    }

    /// Whether the name is this program's alone, as far as it knows.
    pub(crate) fn is_held(&self) -> bool {
        self.0.state.load(Ordering::Acquire) == HELD
    }

    /// Looks whether the lock is still there, and takes it again if the connection was lost.
    pub(crate) async fn look(&self) -> Option<NameChange> {
        let Some(Backend::Postgres(postgres)) = self.0.db.as_ref().map(Db::backend) else {
            return None;
        };
        let mut held = self.0.held.lock().await;
        if let Some(name) = &held.name {
            if name.is_alive().await {
                return None;
            }
            held.before = Some(name.session());
            held.name = None;
            self.0.state.store(LOST, Ordering::Release);
        }
        let before = held.before;
        let taken = async {
            // The server may still keep the session of the lost connection, or be about to end it.
            let asking = match before {
                Some(session) => {
                    postgres.end_session(session).await?;
                    Asking::Patiently
                }
                None => Asking::Once,
            };
            postgres.take_name(self.0.node.as_str(), asking).await
        };
        match taken.await {
            Ok(Some(name)) => {
                held.name = Some(name);
                held.before = None;
                let was = self.0.state.swap(HELD, Ordering::AcqRel);
                (was == TAKEN).then_some(NameChange::Back)
            }
            Ok(None) => {
                held.before = None;
                let was = self.0.state.swap(TAKEN, Ordering::AcqRel);
                (was != TAKEN).then_some(NameChange::Taken)
            }
            Err(error) => {
                tracing::debug!(%error, "the name of this node is not taken again yet");
                None
            }
        }
    }

    /// Gives the name back, so that the next program need not wait.
    pub(crate) async fn release(&self) {
        let held = self.0.held.lock().await.name.take();
        if let Some(held) = held {
            held.release().await;
        }
    }
}

/// A node that the database knows.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct KnownNode {
    pub(crate) name: String,
    /// Whether a program holds its name; none on a file, where no lock says so.
    pub(crate) running: Option<bool>,
    /// The entries that wait for its audit log.
    pub(crate) waiting: i64,
}

impl Db {
    /// Takes the name of this node for as long as the program runs. None if another program has it.
    pub(crate) async fn take_name(&self, node: &NodeName) -> Result<Option<NodeLock>, Error> {
        let Backend::Postgres(postgres) = self.backend() else {
            return Ok(Some(NodeLock::none(node)));
        };
        let name = postgres.take_name(node.as_str(), Asking::Patiently).await?;
        Ok(name.map(|name| {
            let held = Holding {
                name: Some(name),
                before: None,
            };
            NodeLock::of(Some(self.clone()), node, held)
        }))
    }

    /// The nodes of this database, by their names.
    pub(crate) async fn nodes(&self) -> Result<Vec<KnownNode>, Error> {
        let find = "SELECT node, CAST(SUM(waits) AS bigint) FROM (
                SELECT node, 0 AS waits FROM dewar_audit_ends
                UNION ALL SELECT node, 1 AS waits FROM dewar_audit_waiting
            ) AS known GROUP BY node ORDER BY node";
        if !self.has_table("dewar_audit_ends").await? {
            return Ok(Vec::new());
        }
        let mut nodes = Vec::new();
        for row in self.query(find, []).await? {
            nodes.push(KnownNode {
                name: row.get(0)?,
                running: None,
                waiting: row.get(1)?,
            });
        }
        if let Backend::Postgres(postgres) = self.backend() {
            let names = nodes.iter().map(|node| node.name.clone()).collect();
            let held = postgres.names_held(names).await?;
            for node in &mut nodes {
                node.running = Some(held.contains(&node.name));
            }
        }
        Ok(nodes)
    }

    /// Gives what belongs to a node to another name that no node has: the record of where its audit log ends, and the
    /// entries that wait for it.
    pub(crate) async fn rename_node(&self, old: &NodeName, new: &NodeName) -> Result<(), Error> {
        let mut locks = Vec::new();
        for node in [old, new] {
            let Backend::Postgres(postgres) = self.backend() else {
                continue;
            };
            let name = postgres.take_name(node.as_str(), Asking::Once).await?;
            let why = format!("a program with the name `{node}` is running: stop it first");
            locks.push(name.ok_or_else(|| Error::refused(why))?);
        }
        let renamed = self.give_to(old, new).await;
        for lock in locks {
            lock.release().await;
        }
        renamed
    }

    async fn give_to(&self, old: &NodeName, new: &NodeName) -> Result<(), Error> {
        let tx = self.begin().await?;
        let known = "SELECT 1 FROM dewar_audit_ends WHERE node = ?1
            UNION ALL SELECT 1 FROM dewar_audit_waiting WHERE node = ?1 LIMIT 1";
        if !tx.query(known, [new.as_str().into()]).await?.is_empty() {
            return Err(Error::refused(format!("there is a node `{new}` already")));
        }
        let mut moved = 0;
        for sql in [
            "UPDATE dewar_audit_ends SET node = ? WHERE node = ?",
            "UPDATE dewar_audit_waiting SET node = ? WHERE node = ?",
        ] {
            let values = [new.as_str().into(), old.as_str().into()];
            moved += tx.execute(sql, values).await?;
        }
        if moved == 0 {
            return Err(Error::refused(format!("there is no node `{old}`")));
        }
        tx.commit().await
    }
}

#[cfg(test)]
mod tests {
    use super::super::MIGRATIONS;
    use super::*;

    fn named(name: &str) -> NodeName {
        NodeName::parse(name).unwrap()
    }

    async fn wait(db: &Db, node: &str) {
        let add = "INSERT INTO dewar_audit_waiting (node, recorded_at, entry) VALUES (?, 1, '{}')";
        db.execute(add, [node.into()]).await.unwrap();
    }

    #[tokio::test]
    async fn a_node_is_renamed_with_its_end_and_its_waiting_entries() {
        let db = Db::temporary().unwrap();
        assert_eq!(db.nodes().await.unwrap(), []);
        db.migrate(MIGRATIONS).await.unwrap();
        let (old, new, other) = (named("main"), named("web-1"), named("web-2"));
        for node in [&old, &other] {
            db.remember_audit_end(node, format!("the end of {node}"))
                .await
                .unwrap();
            wait(&db, node.as_str()).await;
        }
        wait(&db, "main").await;
        db.rename_node(&old, &new).await.unwrap();
        let nodes = db.nodes().await.unwrap();
        let told: Vec<_> = nodes
            .iter()
            .map(|node| (node.name.as_str(), node.waiting))
            .collect();
        assert_eq!(told, [("web-1", 2), ("web-2", 1)]);
        let end = crate::audit::Remembered::End("the end of main".to_owned());
        assert_eq!(db.audit_end(&new).await.unwrap(), end);

        // The record of another node's end would be lost, and with it the proof that its log is whole.
        let taken = db.rename_node(&new, &other).await.unwrap_err();
        assert!(
            taken.to_string().contains("a node `web-2` already"),
            "{taken}"
        );
        let none = db.rename_node(&old, &named("web-3")).await.unwrap_err();
        assert!(none.to_string().contains("no node `main`"), "{none}");
        assert_eq!(db.nodes().await.unwrap(), nodes);
    }
}
