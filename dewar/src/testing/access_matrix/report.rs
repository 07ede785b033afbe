//! What the matrix found: as a table for people, and as a file that a reviewer approves.

use std::fmt::{self, Write};
use std::path::Path;

use crate::app::RouteEntry;
use crate::pages::write_escaped;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cell {
    /// The handler was called.
    In,
    /// 404: the user does not reach the record.
    NotFound,
    /// 401, or a redirect to the sign-in page.
    SignIn,
    /// 403.
    Forbidden,
    /// 4xx for a request without the signature of a webhook.
    Refused,
    /// 405.
    NoMethod,
    /// The page that asks for the password again.
    Confirm,
    /// The application failed.
    Failed(u16),
    /// Not requested.
    LeftOut,
}

impl Cell {
    pub(super) fn of(status: u16) -> Self {
        match status {
            401 => Self::SignIn,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            405 => Self::NoMethod,
            500.. => Self::Failed(status),
            _ => Self::In,
        }
    }

    /// Whether this response keeps the promise. A handler that is called may have nothing to show.
    fn keeps(self, expected: Self) -> bool {
        if expected == Self::In {
            return matches!(self, Self::In | Self::NotFound);
        }
        // A page leads to the one that asks for the password; a form is kept in that page, which is a 403.
        let asks = expected == Self::Confirm && self == Self::Forbidden;
        asks || self == expected
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::In => "in",
            Self::NotFound => "404",
            Self::SignIn => "sign in",
            Self::Forbidden => "403",
            Self::Refused => "refused",
            Self::NoMethod => "405",
            Self::Confirm => "confirm",
            Self::Failed(_) => "failed",
            Self::LeftOut => "",
        })
    }
}

/// One route.
#[derive(Debug)]
pub(super) struct Row {
    method: String,
    path: &'static str,
    access: String,
    cells: Vec<Cell>,
    wrong: Vec<String>,
}

impl Row {
    pub(super) fn new(entry: &RouteEntry) -> Self {
        Self {
            method: entry.method.clone(),
            path: entry.path,
            access: entry.access.to_string(),
            cells: Vec::new(),
            wrong: Vec::new(),
        }
    }

    pub(super) fn leave_out(&mut self) {
        self.cells.push(Cell::LeftOut);
    }

    pub(super) fn add(&mut self, person: &str, expected: Cell, seen: Cell) {
        if seen.keeps(expected) {
            let asks_for_proof = matches!(expected, Cell::Confirm | Cell::Refused);
            self.cells
                .push(if asks_for_proof { expected } else { seen });
            return;
        }
        self.cells.push(seen);
        self.wrong.push(format!(
            "{} {} as {person}: expected `{expected}`, got `{seen}`",
            self.method, self.path
        ));
    }
}

/// The result of [`AccessMatrix::run`](super::AccessMatrix::run): who gets in where.
///
/// It prints as a table, one line for each route and one column for each kind of user. `in` means that the handler was called;
/// `404` that it was, or would have been, and that this user has no such record; `sign in` is a redirect to the sign-in page, or
/// 401 for a program; `confirm` is the page that asks for the password again.
#[derive(Debug)]
pub struct AccessReport {
    people: Vec<String>,
    rows: Vec<Row>,
    wrong: Vec<String>,
}

impl AccessReport {
    pub(super) fn new(people: impl Iterator<Item = String>) -> Self {
        Self {
            people: people.collect(),
            rows: Vec::new(),
            wrong: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, mut row: Row) {
        self.wrong.append(&mut row.wrong);
        self.rows.push(row);
    }

    /// A method that the table does not have for this path.
    pub(super) fn add_other(&mut self, method: &str, path: &str, person: &str, seen: Cell) {
        if matches!(seen, Cell::In | Cell::Failed(_)) {
            let line =
                format!("{method} {path} as {person}: the table does not have it, got `{seen}`");
            self.wrong.push(line);
        }
    }

    /// The cells that differ from the route table, each with the request.
    #[must_use]
    pub fn wrong(&self) -> &[String] {
        &self.wrong
    }

    /// Whether the route table is kept, and the matrix is the one of this file, which a reviewer has approved. A path is
    /// relative to the package. Where the matrix differs, a file beside it, with `.new` at its end, has the new one: look at it,
    /// and rename it if every change is meant.
    ///
    /// ```no_run
    /// # async fn example(site: dewar::testing::Site) {
    /// site.access_matrix().run().await.assert_matches("tests/access.txt");
    /// # }
    /// ```
    ///
    /// # Panics
    /// A cell differs from the route table or from the file.
    pub fn assert_matches(&self, approved: impl AsRef<Path>) {
        assert!(
            self.wrong.is_empty(),
            "the application does not do what its route table says:\n{}",
            self.wrong.join("\n")
        );
        let approved = approved.as_ref();
        let text = self.to_string();
        let before = std::fs::read_to_string(approved).unwrap_or_default();
        if before == text {
            return;
        }
        let new = approved.with_added_extension("new");
        std::fs::write(&new, &text)
            .unwrap_or_else(|error| panic!("{} cannot be written: {error}", new.display()));
        let lines = |one: &str, other: &str, sign: char| {
            let known: Vec<&str> = other.lines().collect();
            let changed = one.lines().filter(|line| !known.contains(line));
            changed.fold(String::new(), |text, line| {
                text + &format!("{sign} {line}\n")
            })
        };
        panic!(
            "the access matrix is not the one of {}:\n{}{}If every change is meant, rename {}.",
            approved.display(),
            lines(&before, &text, '-'),
            lines(&text, &before, '+'),
            new.display()
        );
    }

    /// The matrix as a page that needs no other file.
    ///
    /// ```no_run
    /// # async fn example(site: dewar::testing::Site) {
    /// let report = site.access_matrix().run().await;
    /// std::fs::write("access.html", report.html()).unwrap();
    /// # }
    /// ```
    #[must_use]
    pub fn html(&self) -> String {
        let escaped = |text: &str| {
            let mut html = String::new();
            // Writing to a text does not fail.
            let _ = write_escaped(&mut html, text);
            html
        };
        let heads = self.people.iter().fold(String::new(), |text, name| {
            text + &format!("<th scope=\"col\">{}</th>", escaped(name))
        });
        let rows = self.rows.iter().fold(String::new(), |text, row| {
            let cells = row.cells.iter().fold(String::new(), |text, cell| {
                let kind = if *cell == Cell::In {
                    " class=\"in\""
                } else {
                    ""
                };
                text + &format!("<td{kind}>{cell}</td>")
            });
            let route = escaped(&format!("{} {}", row.method, row.path));
            let access = escaped(&row.access);
            text + &format!("<tr><th scope=\"row\">{route}</th><td>{access}</td>{cells}</tr>\n")
        });
        let wrong = self.wrong.iter().fold(String::new(), |text, line| {
            text + &format!("<li>{}</li>", escaped(line))
        });
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Access matrix</title><style>\
            body{{font:1rem/1.5 system-ui;margin:2rem}}table{{border-collapse:collapse}}\
            th,td{{padding:.2rem .6rem;border:1px solid #767676;text-align:left}}.in{{background:#d3f2d8;font-weight:600}}\
            </style></head><body><h1>Access matrix</h1><ul>{wrong}</ul><table><thead><tr><th scope=\"col\">Route</th>\
            <th scope=\"col\">Heading</th>{heads}</tr></thead>\n<tbody>\n{rows}</tbody></table></body></html>\n"
        )
    }
}

impl fmt::Display for AccessReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = |widths: &mut dyn Iterator<Item = usize>| widths.max().unwrap_or_default();
        let path = widest(&mut self.rows.iter().map(|row| row.path.len())).max(5);
        let access = widest(&mut self.rows.iter().map(|row| row.access.len())).max(7);
        let mut line = format!("{:<6} {:<path$} {:<access$}", "", "route", "heading");
        for name in &self.people {
            write!(line, "  {name:<7}")?;
        }
        writeln!(f, "{}", line.trim_end())?;
        for row in &self.rows {
            let mut line = format!(
                "{:<6} {:<path$} {:<access$}",
                row.method, row.path, row.access
            );
            for (name, cell) in self.people.iter().zip(&row.cells) {
                let width = name.chars().count().max(7);
                write!(line, "  {cell:<width$}")?;
            }
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
