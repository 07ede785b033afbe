//! The proofs that a caller needs, from the headings of the route table.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::app::table::RouteEntry;
use crate::csrf;
use crate::roles::Access;
use crate::sessions;

/// The schemes that the routes so far need.
#[derive(Default)]
pub(super) struct Security(BTreeMap<String, Value>);

impl Security {
    /// The proofs for a route: the caller needs all of them.
    pub(super) fn of(&mut self, entry: &RouteEntry) -> Value {
        let mut needed = Vec::new();
        let changes = entry.method != "GET";
        match entry.access {
            Access::Unsubscribe => {}
            Access::Public | Access::BrowserReports => {
                if changes {
                    needed.push(self.visitor());
                }
            }
            // A token comes in a header that no browser sends by itself, so it is its own proof.
            Access::Api(_) => needed.push(self.bearer()),
            Access::AnyRole(_) | Access::Role(_) | Access::SignedIn => needed.push(self.session()),
            Access::Webhook(by) => {
                let name = format!("webhook_{}", by.sender());
                needed.push(self.add(
                    &name,
                    &json!({
                        "type": "apiKey", "in": "header", "name": by.header(),
                        "description": "The sender's signature over the body.",
                    }),
                ));
            }
        }
        let has_session = matches!(
            entry.access,
            Access::AnyRole(_) | Access::Public | Access::Role(_) | Access::SignedIn
        );
        if changes && has_session {
            needed.push(self.token());
        }
        let all: Map<String, Value> = needed.into_iter().map(|name| (name, json!([]))).collect();
        if all.is_empty() {
            json!([])
        } else {
            json!([all])
        }
    }

    /// OAuth's scopes are for OAuth's own schemes, so the scope is the tag of the route (OpenAPI 3.1.0, *Security Requirement*).
    fn bearer(&mut self) -> String {
        self.add(
            "token",
            &json!({
                "type": "http", "scheme": "bearer",
                "description": "An API token with the scope of the route (RFC 6750).",
            }),
        )
    }

    fn session(&mut self) -> String {
        self.add(
            "session",
            &json!({
                "type": "apiKey", "in": "cookie", "name": sessions::COOKIE,
                "description": "The session of a person who signed in on the page.",
            }),
        )
    }

    fn visitor(&mut self) -> String {
        self.add(
            "visitor",
            &json!({
                "type": "apiKey", "in": "cookie", "name": csrf::VISITOR_COOKIE,
                "description": "A visitor's secret, to which the CSRF token is bound. A page with a form sets it.",
            }),
        )
    }

    fn token(&mut self) -> String {
        self.add(
            "csrf",
            &json!({
                "type": "apiKey", "in": "header", "name": csrf::HEADER,
                "description": "The CSRF token of the session, from a page of the application.",
            }),
        )
    }

    fn add(&mut self, name: &str, scheme: &Value) -> String {
        self.0
            .entry(name.to_owned())
            .or_insert_with(|| scheme.clone());
        name.to_owned()
    }

    /// The schemes by their names.
    pub(super) fn schemes(self) -> Value {
        Value::Object(self.0.into_iter().collect())
    }
}
