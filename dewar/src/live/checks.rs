//! The room's checks at start.

use super::config::Config;
use crate::audit::{Finding, Practice, Severity};
use crate::pages::Outputs;
use crate::roles::Access;

/// The findings about the settings, beside the most connections of the listener.
pub(crate) fn findings(config: &Config, connections: usize) -> Vec<Finding> {
    let mut findings = Vec::new();
    if config.max_connections >= connections {
        let title = format!(
            "live.max_connections is {}, and the listener has {connections} connections",
            config.max_connections
        );
        findings.push(
            Finding::warn(Practice::Https, "live-connections", title)
                .severity(Severity::Medium)
                .why("over HTTP/1.1 each live page takes a connection, so open pages could keep out everybody else")
                .fix("lower `live.max_connections`, or raise `https.connections`")
                .cwe(770),
        );
    }
    findings
}

/// The finding about a route of events that is no `GET`, or whose heading has no session and no token.
pub(crate) fn of_route(
    (method, path): (&str, &str),
    access: Access,
    outputs: &Outputs,
) -> Option<Finding> {
    if outputs.is_web_socket() {
        return of_web_socket((method, path), access);
    }
    let fits = method == "GET" && !matches!(access, Access::Webhook(_));
    (outputs.is_event_stream() && !fits).then(|| {
        let title = format!("{method} {path} answers with events");
        Finding::refuse(Practice::Roles, "live-route", title)
            .why("a browser and a program read events with `GET`, and a webhook's sender has no right that could be looked at again")
            .fix("mount it with `get`, under `public`, `signed_in`, `role` or `api`")
    })
}

/// The finding about a WebSocket that no page could open.
fn of_web_socket((method, path): (&str, &str), access: Access) -> Option<Finding> {
    let is_for_pages = matches!(access, Access::Public | Access::Role(_) | Access::SignedIn);
    (method != "GET" || !is_for_pages).then(|| {
        let title = format!("{method} {path} answers with a WebSocket");
        Finding::refuse(Practice::Roles, "live-web-socket-route", title)
            .why("a handshake is a `GET`, and a WebSocket is for the application's own pages: Dewar checks the origin, the session and the CSRF token, and a program has none of these")
            .fix("mount it with `get`, under `public`, `signed_in` or `role`; for programs, mount an `EventStream` and a `post` under `api`")
    })
}
