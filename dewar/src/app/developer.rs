//! The page for developers: what the program has, and what its last requests cost. It exists in development alone.

mod requests;
mod rows;

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::Method;

use super::Dewar;
use super::RouteTable;
use super::rate_limit::RateLimit;
use crate::audit::{Finding, Practice};
use crate::mail::Mailbox;
use crate::pages::{Error, Page};

pub(super) use requests::Requests;
pub(super) use rows::Rows;

/// The address of the page. That of the letters, `/dewar/mail`, is below it.
pub(super) const PAGE: &str = "/dewar";

/// The page. Nothing makes this value in production.
#[derive(Debug)]
pub(super) struct Developer {
    rows: Rows,
    limits: Vec<RateLimit>,
    pub(super) requests: Arc<Requests>,
}

impl Developer {
    pub(super) fn new(rows: Rows, limits: Vec<RateLimit>) -> Self {
        Self {
            rows,
            limits,
            requests: Arc::default(),
        }
    }

    /// Whether a request is for the page.
    pub(super) fn is_asked(method: &Method, path: &str) -> bool {
        matches!(*method, Method::GET | Method::HEAD) && path == PAGE
    }

    /// These findings, and those about routes of the application that the pages of development would answer in their place.
    pub(super) fn with_hidden(
        developer: Option<&Self>,
        table: &RouteTable,
        mut findings: Vec<Finding>,
    ) -> Vec<Finding> {
        if developer.is_some() {
            findings.extend(Self::hidden(table));
        }
        findings
    }

    fn hidden(table: &RouteTable) -> Vec<Finding> {
        let entries = table.entries().iter();
        let hidden = entries.filter(|entry| {
            entry.method == "GET" && (entry.path == PAGE || Mailbox::is_below(entry.path))
        });
        hidden
            .map(|entry| {
                let title = format!(
                    "in development, a page of the framework hides GET {}",
                    entry.path
                );
                Finding::refuse(Practice::Roles, "roles-route-unreachable", title)
                    .why("`/dewar` is the page for developers, and its letters are below `/dewar/mail`")
                    .fix("give the route another path")
            })
            .collect()
    }

    /// The response to such a request.
    pub(super) async fn answer(&self, dewar: &Dewar) -> Response {
        match self.page(dewar).await {
            Ok(page) => page.into_response(),
            Err(error) => error.into_response(),
        }
    }

    async fn page(&self, dewar: &Dewar) -> Result<Page, Error> {
        let rooms = dewar.rooms();
        let jobs = rooms.jobs.overview().await?;
        Ok(Page::new("dewar/developer.html")
            .with("routes", &self.rows.routes)
            .with("limits", &self.limits)
            .with("requests", self.requests.latest())
            .with("templates", &self.rows.templates)
            .with("letters", &self.rows.letters)
            .with("has_mailbox", rooms.mailbox.is_some())
            .with("jobs", jobs)
            .with("settings", &self.rows.settings)
            .with("node", rooms.log.node().as_str()))
    }
}
