//! The data of both servers: an account with twelve documents, in the portal's own database.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::Result;
use crate::server::portal_command;

/// The account whose list is requested.
pub(crate) const NAME: &str = "Ada Lovelace";
pub(crate) const EMAIL: &str = "ada@example.org";
pub(crate) const PASSWORD: &str = "an engine weaves patterns";

/// The titles of the documents; some need escaping, like users' titles.
pub(crate) const TITLES: [&str; 12] = [
    "Annual report 2025",
    "Travel & expenses",
    "Minutes of the works council, March",
    "Fire drill: what to do, where to go",
    "Contract with \"Müller & Söhne\"",
    "Onboarding checklist",
    "Budget draft <not final>",
    "Holiday calendar",
    "Data protection impact assessment",
    "Floor plan, second storey",
    "Price list",
    "Handbook for the new telephone system",
];

/// The moment at which the first document was handed in.
const BEGAN: i64 = 1_795_000_000;

/// A data directory; dropping this value removes it.
#[derive(Debug)]
pub(crate) struct World {
    _folder: TempDir,
    data: PathBuf,
}

impl World {
    /// Makes the data: accounts by the portal's own command, the rest as rows.
    pub(crate) fn make() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("bench-").tempdir()?;
        let data = folder.path().join("data");
        add(&data, EMAIL, NAME, &["--role", "member"])?;
        add(
            &data,
            "grace@example.org",
            "Grace Hopper",
            &["--role", "reviewer"],
        )?;
        // The certificate, for both servers.
        drop(crate::bare::tls(&data)?);
        let mut database = Connection::open(data.join("database.sqlite"))?;
        let all = database.transaction()?;
        for (number, title) in (0..).zip(TITLES) {
            add_document(&all, number, title)?;
        }
        for number in 0..3 {
            add_notice(&all, number)?;
        }
        all.commit()?;
        Ok(Self {
            _folder: folder,
            data,
        })
    }

    /// Copies the database to a PostgreSQL server, by the portal's own command.
    pub(crate) fn copy_to(&self, postgres: &str) -> Result {
        portal_command(self.data(), &["database", "copy", "--to", postgres], "")
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.data.join("local-authority").join("authority.pem")
    }
}

fn add(data: &Path, email: &str, name: &str, more: &[&str]) -> Result {
    let mut arguments = vec![
        "users",
        "add",
        "--email",
        email,
        "--name",
        name,
        "--password-stdin",
    ];
    arguments.extend(more);
    portal_command(data, &arguments, PASSWORD)
}

fn add_document(database: &Connection, number: i64, title: &str) -> Result {
    let (status, reviewed, reason) = match number % 4 {
        0 => ("pending", None, None),
        1 if number > 8 => (
            "rejected",
            Some(BEGAN + 90_000),
            Some("The figures are last year's."),
        ),
        _ => ("approved", Some(BEGAN + 90_000), None),
    };
    let mut kinds = ["PDF", "DOCX", "JPEG"].into_iter().cycle();
    let at = BEGAN + number * 7_205;
    database.execute(
        "INSERT INTO documents (id, owner_id, title, description_html, file_id, kind, size, status, review_reason,
             reviewer_id, reviewed_at, created_at, updated_at)
         VALUES (?1, (SELECT id FROM dewar_users WHERE email = ?2), ?3, ?4, ?5, ?6, ?7, ?8, ?9,
             (SELECT id FROM dewar_users WHERE email = 'grace@example.org' AND ?8 <> 'pending'), ?10, ?11, ?11)",
        rusqlite::params![
            number + 1,
            EMAIL,
            title,
            "<p>What the team agreed on, and what it still has to decide.</p>".repeat(20),
            format!("file-{number}"),
            kinds.nth(usize::try_from(number)?),
            9_731 * (number + 1) * (number + 1),
            status,
            reason,
            reviewed,
            at,
        ],
    )?;
    let tags = ["finance", "policy", "2026"].into_iter();
    for tag in tags.take(usize::try_from(number % 4)?) {
        let sql = "INSERT INTO document_tags (document_id, tag) VALUES (?1, ?2)";
        database.execute(sql, rusqlite::params![number + 1, tag])?;
    }
    Ok(())
}

fn add_notice(database: &Connection, number: i64) -> Result {
    let body = "<p>The office is closed on <strong>Friday</strong>; see the <em>handbook</em>.</p>\
                <ul><li>Take your laptop along.</li><li>Water the plants.</li></ul>";
    database.execute(
        "INSERT INTO notices (title, body_html, author_id, published_at)
         VALUES (?1, ?2, (SELECT id FROM dewar_users WHERE email = ?3), ?4)",
        rusqlite::params![format!("Notice {number}"), body, EMAIL, BEGAN + number],
    )?;
    Ok(())
}
