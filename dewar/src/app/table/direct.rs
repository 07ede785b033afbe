//! Which pages send files to the bucket themselves, and from which routes they get tickets.

use super::{RouteEntry, RouteTable};
use crate::audit::{Finding, Practice, Severity};
use crate::https::HttpsOrigin;
use crate::roles::Access;

/// Whether people look at the pages of a route.
pub(in crate::app) const fn has_pages(access: Access) -> bool {
    matches!(
        access,
        Access::AnyRole(_) | Access::Public | Access::Role(_) | Access::SignedIn
    )
}

impl RouteTable {
    /// Lets the pages with a field for it send files to this place in a bucket.
    pub(in crate::app) fn upload_to(&mut self, bucket: Option<&HttpsOrigin>) {
        let pages = self.own.iter_mut();
        for entry in pages.filter(|entry| has_pages(entry.access)) {
            entry.takes.upload_to(bucket);
        }
    }

    /// Whether a page of it sends files to the storage itself.
    pub(in crate::app) fn sends_files(&self) -> bool {
        let mut pages = self.own.iter().filter(|entry| has_pages(entry.access));
        pages.any(|entry| entry.takes.sends_files())
    }
}

/// The fields that take a ticket: each names a route that gives it out, and some page shows the field.
pub(super) fn findings(entries: &[RouteEntry]) -> Vec<Finding> {
    let mut found = Vec::new();
    let pages = || entries.iter().filter(|entry| has_pages(entry.access));
    for entry in pages() {
        for field in entry.takes.direct_fields() {
            let Some(route) = field.kind.tickets else {
                continue;
            };
            let gives = |other: &RouteEntry| {
                let for_people = matches!(
                    other.access,
                    Access::AnyRole(_) | Access::Role(_) | Access::SignedIn
                );
                for_people && other.method == "POST" && other.path == route
            };
            if !entries.iter().any(gives) {
                found.push(no_route(entry, field.name, route));
            }
        }
    }
    let mut takes = pages().filter(|entry| entry.takes.direct_fields().next().is_some());
    if let Some(entry) = takes.next()
        && !entries.iter().any(|entry| entry.takes.direct_uploads)
    {
        found.push(no_page(entry));
    }
    found
}

fn no_route(entry: &RouteEntry, field: &str, route: &str) -> Finding {
    let title = format!(
        "`{field}` of {} {} gets its tickets from POST {route}, which no signed-in person reaches",
        entry.method, entry.path
    );
    Finding::refuse(Practice::Uploads, "uploads-tickets-route", title)
        .why("a ticket is for one person, and the field could not be sent to the bucket")
        .fix("mount a handler that calls `Uploads::ticket` under `signed_in` or `role`: `post(\"…\", ticket)`")
}

fn no_page(entry: &RouteEntry) -> Finding {
    let title = format!(
        "no page may send the file of {} {} to the bucket",
        entry.method, entry.path
    );
    Finding::warn(Practice::Uploads, "uploads-direct-page", title)
        .severity(Severity::Info)
        .why("the policy of a page lists the places that its scripts reach, so the form carries every file")
        .fix("add `.direct_uploads()` to the route of the page that shows the form")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::{Described, Form, HandlerInputs};
    use crate::pages::Outputs;
    use crate::uploads::{DirectUpload, Document, MIB};

    #[derive(crate::forms::Form, Debug)]
    struct NewPaper {
        #[field(tickets = "/papers/tickets")]
        file: DirectUpload<Document, { 20 * MIB }>,
    }

    fn entry(method: &str, path: &'static str, access: Access) -> RouteEntry {
        RouteEntry {
            method: method.to_owned(),
            path,
            also: None,
            access,
            cors: None,
            rate_limits: Vec::new(),
            takes: Described::default(),
            gives: Outputs::default(),
        }
    }

    fn taking(access: Access) -> RouteEntry {
        let mut entry = entry("POST", "/papers", access);
        <((), Form<NewPaper>) as HandlerInputs>::describe(&mut entry.takes);
        entry
    }

    fn ids(entries: &[RouteEntry]) -> Vec<&'static str> {
        findings(entries).iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn a_field_for_tickets_needs_their_route_and_a_page() {
        let signed_in = Access::SignedIn;
        let mut page = entry("GET", "/papers/new", signed_in);
        page.takes.direct_uploads = true;
        let tickets = |access| entry("POST", "/papers/tickets", access);
        let all = [page.clone(), taking(signed_in), tickets(signed_in)];
        assert_eq!(ids(&all), Vec::<&str>::new());
        for other in [
            tickets(Access::Public),
            entry("GET", "/papers/tickets", signed_in),
        ] {
            let all = [page.clone(), taking(signed_in), other];
            assert_eq!(ids(&all), ["uploads-tickets-route"]);
        }
        let all = [taking(signed_in), tickets(signed_in)];
        assert_eq!(ids(&all), ["uploads-direct-page"]);
        // A program sends the file with its form.
        assert_eq!(ids(&[taking(Access::Api("papers"))]), Vec::<&str>::new());
    }

    /// ASVS: V3.4.3
    #[test]
    fn only_a_page_with_such_a_field_reaches_the_bucket() {
        let signed_in = Access::SignedIn;
        let mut page = entry("GET", "/papers/new", signed_in);
        page.takes.direct_uploads = true;
        let program = taking(Access::Api("papers"));
        let mut table = RouteTable {
            own: vec![
                page,
                taking(signed_in),
                entry("GET", "/", signed_in),
                program,
            ],
            ..RouteTable::default()
        };
        let bucket = HttpsOrigin::of_bucket("https://s3.example.org", "files/incoming/");
        table.upload_to(Some(&bucket));
        let policies: Vec<String> = table
            .entries()
            .iter()
            .map(|entry| entry.takes.content.to_string())
            .collect();
        let place = "connect-src https://s3.example.org/files/incoming/";
        assert_eq!(policies, [place, place, "", ""]);
        assert!(table.sends_files());
    }
}
