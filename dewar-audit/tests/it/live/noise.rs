use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dewar_audit::live::{Account, Discovery, audit};

use super::server::{
    Asked, Reply, escape, found, missing, names, options, page, redirect, report, serve,
};

const NOTHING: [&str; 0] = [];

#[tokio::test]
async fn an_error_page_for_every_quote_is_no_injection() {
    let strict = |asked: &Asked| match asked.path.as_str() {
        "/" => page("<a href='/s?q=tea'>s</a>"),
        "/s" if asked.q("q").contains(['\'', '"', '<', ';', '(']) => {
            page("Unclosed quotation mark, or something else that is not allowed.").status(400)
        }
        "/s" => page(escape(&asked.q("q"))),
        _ => missing(),
    };
    assert_eq!(found(strict).await, NOTHING);
}

#[tokio::test]
async fn a_server_that_is_slow_at_random_is_no_injection() {
    let count = AtomicU64::new(1);
    let slow = move |asked: &Asked| match asked.path.as_str() {
        "/" => page("<a href='/s?q=tea'>s</a>"),
        "/s" => {
            // The same sequence each time, without a pattern.
            let next = count
                .fetch_add(0x9E37_79B9, Ordering::Relaxed)
                .wrapping_mul(0x2545_F491_4F6C_DD1D)
                >> 48;
            Reply {
                delay: Duration::from_millis(
                    next % 40 * if next.is_multiple_of(17) { 40 } else { 1 },
                ),
                ..page(escape(&asked.q("q")))
            }
        }
        _ => missing(),
    };
    assert_eq!(found(slow).await, NOTHING);
}

#[tokio::test]
async fn a_page_that_answers_every_name_is_no_file_and_no_route() {
    let catch_all = |asked: &Asked| page(format!("<p>Welcome to {}", escape(&asked.path)));
    let mut with_guesses = options();
    with_guesses.discovery = Discovery::GuessNames;
    let report = audit(&serve(catch_all).await, &with_guesses).await.unwrap();
    assert_eq!(names(&report), NOTHING, "{report}");
    assert!(
        report
            .coverage
            .skipped
            .iter()
            .any(|skipped| skipped.why.contains("every name")),
        "{report}"
    );
}

#[tokio::test]
async fn a_target_that_dies_is_never_clean() {
    let dies = |asked: &Asked| match asked.path.as_str() {
        "/" => page("<a href='/s?q=tea'>s</a>"),
        "/s" if asked.q("q").contains('\'') => Reply {
            dies: true,
            ..page("")
        },
        "/s" => page("x"),
        _ => missing(),
    };
    let report = report(dies).await;
    assert!(report.coverage.is_incomplete(), "{report}");
    let status = report.verdict(dewar::audit::Severity::Critical).status();
    assert_eq!(status, 2, "{report}");
}

#[tokio::test]
async fn nobody_at_the_address_is_an_error() {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    drop(socket);
    assert!(audit(&url, &options()).await.is_err());
    assert!(audit("http://example.org/", &options()).await.is_err());
    assert!(audit("ftp://localhost/", &options()).await.is_err());
}

#[tokio::test]
async fn a_session_that_is_lost_for_good_is_never_clean() {
    let signed = AtomicU64::new(0);
    let application = move |asked: &Asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/") => page(
            "<form method=post action=/login><input name=user><input type=password name=password></form><a href=/me>me</a>",
        ),
        ("POST", "/login")
            if asked.f("password") == "right" && signed.fetch_add(1, Ordering::SeqCst) == 0 =>
        {
            redirect("/me").header("Set-Cookie", "sid=0123456789abcdef; HttpOnly; SameSite=Lax")
        }
        ("POST", "/login") => page("invalid"),
        ("GET", "/me")
            if asked.cookie("sid") == "0123456789abcdef"
                && signed.fetch_add(1, Ordering::SeqCst) < 60 =>
        {
            page("Hello ada <a href=/logout>log out</a>")
        }
        ("GET", "/me") => redirect("/"),
        _ => missing(),
    };
    let mut with_account = options();
    with_account.accounts = vec![Account::new("ada", "right")];
    let report = audit(&serve(application).await, &with_account)
        .await
        .unwrap();
    assert!(
        report
            .coverage
            .failed
            .iter()
            .any(|failed| failed.what == "the session"),
        "{report}"
    );
}

#[tokio::test]
async fn forms_that_take_away_are_named_and_not_sent() {
    let sent = std::sync::Arc::new(AtomicU64::new(0));
    let count = std::sync::Arc::clone(&sent);
    let application = move |asked: &Asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/") => page(
            "<a href=/logout>out</a><form method=post action=/notes/1><button>Delete</button><input type=hidden name=id value=1></form>",
        ),
        ("POST", "/notes/1") | ("GET", "/logout") => {
            count.fetch_add(1, Ordering::SeqCst);
            page("done")
        }
        _ => missing(),
    };
    let report = report(application).await;
    assert_eq!(sent.load(Ordering::SeqCst), 0);
    assert_eq!(
        report
            .coverage
            .skipped
            .iter()
            .filter(|skipped| skipped.why.contains("it "))
            .count(),
        2,
        "{report}"
    );
}

#[tokio::test]
async fn the_budget_ends_the_audit_and_the_report_says_so() {
    let mut small = options();
    small.max_requests = 10;
    let url = serve(|_: &Asked| page("<a href='/s?q=1'>s</a>")).await;
    let report = audit(&url, &small).await.unwrap();
    assert!(report.coverage.is_incomplete());
    assert_eq!(report.coverage.counts["requests"], 10);
}

#[tokio::test]
async fn an_endless_answer_is_cut_off() {
    let long = "x".repeat(3 * 1024 * 1024);
    let url = serve(move |asked: &Asked| {
        if asked.path == "/" {
            page(long.clone())
        } else {
            missing()
        }
    })
    .await;
    let report = audit(&url, &options()).await.unwrap();
    assert_eq!(names(&report), NOTHING);
}
