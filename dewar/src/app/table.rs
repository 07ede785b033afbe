use std::fmt;

use serde::Serialize;

use crate::accounts::CONFIRM;
use crate::audit::{Finding, Word};
use crate::forms::Described;
use crate::roles::Access;

/// The route table: which address does what, and for whom. It is the application's access policy as data.
///
/// ```
/// use dewar::{App, get};
/// async fn hello() -> &'static str { "Hello" }
/// let app = App::in_directory(std::env::temp_dir())?.public([get("/", hello)]);
/// assert_eq!(app.route_table().entries()[0].path, "/");
/// # Ok::<(), dewar::Error>(())
/// ```
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
pub struct RouteTable(Vec<Entry>);

/// One route.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Entry {
    /// `GET`, `POST`, …
    pub method: String,
    /// The path, with parameters in braces.
    pub path: &'static str,
    /// Who may enter: `public`, `signed_in`, `role:<name>`, `webhook:<sender>`.
    pub access: Access,
    /// The form's fields that the route takes, `query` and `path` parameters.
    #[serde(flatten)]
    pub takes: Described,
}

impl RouteTable {
    pub(super) fn add(&mut self, entry: Entry) {
        self.0.push(entry);
    }

    /// The routes, in the order of the application's own page.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// What is wrong with the table.
    #[must_use]
    pub fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (number, entry) in self.0.iter().enumerate() {
            let twin = |other: &&Entry| other.method == entry.method && other.path == entry.path;
            if self.0.iter().take(number).any(|other| twin(&other)) {
                let title = format!("{} {} is mounted twice", entry.method, entry.path);
                findings.push(
                    Finding::refuse(Word::Roles, "roles-route-twice", title)
                        .why("only one of the two headings could hold")
                        .fix("keep one of the two lines in the route table"),
                );
            }
            if entry.method == "GET" && entry.takes.form.is_some() {
                let title = format!("GET {} takes a form", entry.path);
                findings.push(
                    Finding::refuse(Word::Csrf, "csrf-get-takes-form", title)
                        .why("a GET is not checked for its origin, since a link may lead to it (CWE-352)")
                        .fix("mount it with `post`, or take a `Query<T>`")
                        .cwe(352),
                );
            }
            if !entry.path.starts_with('/') || entry.path.starts_with(crate::pages::STATIC_PREFIX) {
                let title = format!("{} {} cannot be reached", entry.method, entry.path);
                findings.push(
                    Finding::refuse(Word::Roles, "roles-route-unreachable", title)
                        .why("a path starts with `/`, and `/static/` belongs to static files")
                        .fix("give the route another path"),
                );
            }
        }
        findings.extend(self.nobody_could_confirm());
        findings
    }

    /// A route that asks for the password once more needs the page that does.
    fn nobody_could_confirm(&self) -> Option<Finding> {
        let mut confirms = self.0.iter().filter(|entry| entry.path == CONFIRM);
        let asks = self.0.iter().find(|entry| entry.takes.recently)?;
        if confirms.any(|entry| entry.method == "POST") {
            return None;
        }
        let title = format!(
            "{} {} asks for the password once more, and there is no page for it",
            asks.method, asks.path
        );
        let finding = Finding::refuse(Word::Accounts, "accounts-no-confirm-page", title)
            .why("whoever signed in some time ago would be sent to a page that is not there")
            .fix(
                "mount it: `.signed_in([get(accounts::CONFIRM, accounts::confirm_page), post(accounts::CONFIRM, \
                 accounts::confirm)])`",
            )
            .asvs(&["7.5.1", "7.5.3"]);
        Some(finding)
    }
}

impl fmt::Display for RouteTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let longest = self
            .0
            .iter()
            .map(|entry| entry.path.len())
            .max()
            .unwrap_or(0);
        for entry in &self.0 {
            let (method, path, access) = (&entry.method, entry.path, entry.access.to_string());
            write!(f, "{method:<6} {path:<longest$}  {access:<20}")?;
            if entry.takes.recently {
                write!(f, " recently")?;
            }
            if let Some(form) = &entry.takes.form {
                write!(f, " {form}")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
