//! Reflected file download: a link to our own site that saves a program with the attacker's text in it.

use dewar::testing::{Browser, TestResponse};

use crate::company::{Portal, document};

/// A shell would run this if the response were saved as `setup.bat`.
const COMMAND: &str = "\"||calc||";
const ENCODED: &str = "%22%7C%7Ccalc%7C%7C";

async fn ask(browser: &Browser, path: &str, accept: &str) -> TestResponse {
    let asked = browser.raw("GET", path).header("accept", accept);
    asked.send().await.unwrap()
}

/// ASVS: V3.2.1, V4.1.1, V5.4.2
#[tokio::test(flavor = "multi_thread")]
async fn no_address_of_ours_ends_in_the_name_of_a_program() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let root = portal.administrator().await;
    let path = document(&ada, "Setup").await;
    for (browser, honest) in [
        (&ada, "/documents".to_owned()),
        (&ada, path.clone()),
        (&ada, format!("{path}/file")),
        (&root, "/admin/users.csv".to_owned()),
    ] {
        let whole = ask(browser, &honest, "text/html").await;
        assert_eq!(whole.status(), 200, "{honest}");
        for odd in [
            ".bat",
            ";setup.bat",
            "/setup.bat",
            "/;/setup.bat",
            "%3Bsetup.bat",
            "%2Fsetup.bat",
            ".bat;",
        ] {
            let odd = format!("{honest}{odd}?q={ENCODED}");
            let refused = ask(browser, &odd, "text/html").await;
            assert!(
                [400, 404].contains(&refused.status().as_u16()),
                "{odd}: {}",
                refused.status()
            );
            assert!(!refused.text().contains("calc"), "{odd}");
            let name = refused.header("content-disposition").unwrap_or("none");
            assert!(!name.contains("bat"), "{odd}: {name}");
        }
    }
}

/// ASVS: V3.2.1, V4.1.1, V1.2.3
#[tokio::test(flavor = "multi_thread")]
async fn what_an_answer_says_back_is_saved_under_a_name_of_ours() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let root = portal.administrator().await;
    // A page is shown and not saved, and has the words as text.
    let page = ask(&ada, &format!("/documents?q={ENCODED}"), "text/html").await;
    assert_eq!(page.status(), 200);
    assert_eq!(page.attribute("#q", "value").as_deref(), Some(COMMAND));
    assert_eq!(page.header("content-disposition"), None);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    // A problem about a value does not repeat the value.
    let problem = ask(
        &ada,
        &format!("/documents?page={ENCODED}"),
        "application/json",
    )
    .await;
    assert_eq!(problem.status(), 400);
    assert!(!problem.text().contains("calc"), "{}", problem.text());
    assert_eq!(
        problem.header("content-disposition"),
        Some("attachment; filename=\"problem.json\"")
    );
    assert_eq!(problem.header("x-content-type-options"), Some("nosniff"));
    // A table has the name from its route, and does not repeat the query.
    for query in ["", "?q=%22%7C%7Ccalc%7C%7C", "?filename=setup.bat"] {
        let table = ask(&root, &format!("/admin/users.csv{query}"), "*/*").await;
        assert_eq!(table.status(), 200);
        assert!(!table.text().contains("calc"));
        assert_eq!(
            table.header("content-disposition"),
            Some("attachment; filename=\"people.csv\"")
        );
        assert_eq!(
            table.header("content-type"),
            Some("text/csv; charset=utf-8")
        );
    }
}

/// ASVS: V5.4.1, V5.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_saved_under_the_name_that_it_was_given_and_no_other() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = document(&ada, "Setup").await;
    for query in ["", "?name=setup.bat", "?filename=%22;%20filename=setup.bat"] {
        let file = ask(&ada, &format!("{path}/file{query}"), "*/*").await;
        let name = file.header("content-disposition").unwrap();
        assert!(name.starts_with("attachment; "), "{name}");
        assert!(!name.contains(".bat"), "{name}");
    }
}

/// ASVS: V3.5.6
#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_a_script_that_calls_a_function_of_somebody_else() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let grace = portal.administrator().await;
    for name in ["callback", "jsonp", "cb", "_callback"] {
        let query = format!("{name}=alert");
        let problem = ask(&ada, &format!("/nothing?{query}"), "application/json").await;
        assert_eq!(problem.status(), 404);
        let table = ask(&grace, &format!("/admin/users.csv?{query}"), "*/*").await;
        assert_eq!(table.status(), 200);
        for answer in [problem, table] {
            let kind = answer.header("content-type").unwrap().to_owned();
            assert!(!kind.contains("javascript"), "{kind}");
            assert!(!answer.text().contains("alert"), "{}", answer.text());
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        }
    }
}
