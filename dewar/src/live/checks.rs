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
    let fits = method == "GET" && !matches!(access, Access::Webhook(_));
    (outputs.is_event_stream() && !fits).then(|| {
        let title = format!("{method} {path} answers with events");
        Finding::refuse(Practice::Roles, "live-route", title)
            .why("a browser and a program read events with `GET`, and a webhook's sender has no right that could be looked at again")
            .fix("mount it with `get`, under `public`, `signed_in`, `role` or `api`")
    })
}
