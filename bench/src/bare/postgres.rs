//! The list on PostgreSQL: the portal's driver, with a statement that each connection has prepared once.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row, Statement};

use crate::Result;

/// The portal's statement for the first page, the newest first.
const NEWEST: &str = "SELECT p.key, p.id, d.title, p.status, d.kind, p.size, p.created_at,
        (SELECT u.name FROM dewar_users u WHERE u.id = d.owner_id),
        (SELECT string_agg(t.tag, ' ') FROM document_tags t WHERE t.document_id = p.id) FROM (
        (SELECT a.created_at AS key, a.document_id AS id, a.status, a.size, a.created_at FROM document_audiences a
            WHERE a.audience = 0 AND a.status = 'approved' AND $1 IN ('', 'approved')
            AND (a.created_at, a.document_id) < ($4, $5) AND (a.created_at, a.document_id) >= ($6, $7)
            AND ($2 = '' OR EXISTS (SELECT 1 FROM document_tags t WHERE t.document_id = a.document_id AND t.tag = $2))
            ORDER BY a.created_at DESC, a.document_id DESC LIMIT 21)
        UNION ALL (SELECT a.created_at AS key, a.document_id AS id, a.status, a.size, a.created_at FROM document_audiences a
            WHERE a.audience = $3 AND a.status = 'pending' AND $1 IN ('', 'pending')
            AND (a.created_at, a.document_id) < ($4, $5) AND (a.created_at, a.document_id) >= ($6, $7)
            AND ($2 = '' OR EXISTS (SELECT 1 FROM document_tags t WHERE t.document_id = a.document_id AND t.tag = $2))
            ORDER BY a.created_at DESC, a.document_id DESC LIMIT 21)
        UNION ALL (SELECT a.created_at AS key, a.document_id AS id, a.status, a.size, a.created_at FROM document_audiences a
            WHERE a.audience = $3 AND a.status = 'rejected' AND $1 IN ('', 'rejected')
            AND (a.created_at, a.document_id) < ($4, $5) AND (a.created_at, a.document_id) >= ($6, $7)
            AND ($2 = '' OR EXISTS (SELECT 1 FROM document_tags t WHERE t.document_id = a.document_id AND t.tag = $2))
            ORDER BY a.created_at DESC, a.document_id DESC LIMIT 21)) p
        LEFT JOIN documents d ON d.id = p.id ORDER BY 1 DESC, 2 DESC LIMIT 21";

/// As many as the portal has for reading.
const CONNECTIONS: usize = 8;

/// Connections that requests use in turns; a connection takes several statements at once.
pub(super) struct Connections {
    all: Vec<(Client, Statement)>,
    next: AtomicUsize,
}

impl Connections {
    pub(super) async fn open(url: &str) -> Result<Self> {
        let mut all = Vec::new();
        for _ in 0..CONNECTIONS {
            let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
            // Its client reports how it ends.
            tokio::spawn(async move { drop(connection.await) });
            let statement = client.prepare(NEWEST).await?;
            all.push((client, statement));
        }
        Ok(Self {
            all,
            next: AtomicUsize::new(0),
        })
    }

    /// The rows of the first page for this reader.
    pub(super) async fn first_page(
        &self,
        status: &str,
        tag: &str,
        reader: i64,
    ) -> Result<Vec<Row>> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % CONNECTIONS;
        let (client, statement) = self.all.get(turn).ok_or("no connection")?;
        let (first, last) = (i64::MAX, i64::MIN);
        let values: [&(dyn ToSql + Sync); 7] =
            [&status, &tag, &reader, &first, &first, &last, &last];
        Ok(client.query(statement, &values).await?)
    }
}

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connections")
    }
}
