//! Every form of the portal, sent while nothing can be stored: no response is 500, and no user has to type anything again.

use std::sync::Arc;

use dewar::testing::TestResponse;

use crate::attacks::csrf::everywhere::Forged;
use crate::attacks::csrf::routes::{self, Case};
use crate::company::Portal;

/// A page never shows passwords again, and nobody typed hidden values.
const NOT_SHOWN: [&str; 8] = [
    "code",
    "current_password",
    "new_password",
    "password",
    "pending",
    "reason",
    "secret",
    "version",
];

const MIB: usize = 1024 * 1024;

/// The portals with their requests: one without an administrator, and one with users.
async fn stage(settings: &[(&str, &str)]) -> [(Portal, Vec<Case>); 2] {
    let empty = Portal::open_with(settings).await;
    let peopled = Portal::open_with(settings).await;
    let first = vec![routes::set_up(&empty).await];
    let others = routes::all_but_set_up(&peopled).await;
    [(empty, first), (peopled, others)]
}

async fn as_its_page(case: &Case) -> Forged<'_> {
    let mut forged = Forged::from_own_page(case).await;
    forged.headers.push(("accept", "text/html".to_owned()));
    forged
}

fn holds_what_was_typed(answer: &TestResponse, case: &Case) {
    let page = answer.text();
    for (name, value) in &case.fields {
        let shown = NOT_SHOWN.contains(name) || page.contains(value.as_str());
        assert!(shown, "{}: {name} is lost\n{page}", case.route);
    }
}

/// `POST /documents/{id}/shares/{user}/end` was a 500 for a user beyond the rate limit: it rendered a page without its values.
///
/// ASVS: V2.4.1, V16.5.3
#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_was_sent_too_often_loses_nothing_on_any_route() {
    for (_portal, cases) in stage(&[("DEWAR_FORMS_VISITOR_RATE_LIMIT", "40")]).await {
        let mut used_up = None;
        for case in &cases {
            let request = as_its_page(case).await;
            // Each counts, although none has a token, for the user or the link, and for the network.
            if used_up != Some(Arc::as_ptr(&case.browser)) {
                used_up = Some(Arc::as_ptr(&case.browser));
                for _ in 0..60 + 40 {
                    let raw = case.browser.raw("POST", &case.path);
                    let raw = raw.header("sec-fetch-site", "same-origin");
                    let refused = raw.form("").send().await.unwrap();
                    if refused.status() == 429 {
                        break;
                    }
                    assert_eq!(refused.status(), 403, "{}", case.route);
                }
            }
            let answer = request.send().await;
            assert_eq!(answer.status(), 429, "{}: {}", case.route, answer.text());
            assert!(answer.header("retry-after").is_some(), "{}", case.route);
            holds_what_was_typed(&answer, case);
        }
    }
}

/// The database admits no other writer.
///
/// ASVS: V16.5.2, V16.5.3
#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_meets_a_busy_database_loses_nothing_on_any_route() {
    for (portal, cases) in stage(&[("DEWAR_DATABASE_ACQUIRE_TIMEOUT", "1s")]).await {
        let mut requests = Vec::new();
        for case in &cases {
            requests.push((case, as_its_page(case).await));
        }
        let held = portal.db().begin().await.unwrap();
        let mut refused = 0;
        let answers = requests
            .into_iter()
            .map(async |(case, request)| (case, request.send().await));
        for (case, answer) in futures_util::future::join_all(answers).await {
            let status = answer.status().as_u16();
            assert!(
                [case.done(), 503].contains(&status),
                "{}: {status}",
                case.route
            );
            if status == 503 {
                refused += 1;
                holds_what_was_typed(&answer, case);
            }
        }
        assert!(refused > cases.len() / 2, "{refused} of {}", cases.len());
        drop(held);
    }
}

/// ASVS: V16.5.3
#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_too_large_loses_nothing_on_any_route() {
    for (_portal, mut cases) in stage(&[]).await {
        for case in &mut cases {
            if let Some((_, _, content)) = &mut case.file {
                content.resize(21 * MIB, 0);
            }
            let case = &*case;
            let mut request = as_its_page(case).await;
            if case.file.is_none() {
                request.more.push(("more", "a".repeat(MIB)));
            }
            let answer = request.send().await;
            assert_eq!(answer.status(), 413, "{}: {}", case.route, answer.text());
            if case.file.is_some() {
                holds_what_was_typed(&answer, case);
            }
        }
    }
}
