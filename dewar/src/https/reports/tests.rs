use super::*;
use crate::audit::ChainKeys;
use axum::http::Request;
use serde_json::json;

struct Taking {
    reports: Reports,
    clock: Clock,
    data: tempfile::TempDir,
}

impl Taking {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = Clock::manual(1_795_000_000);
        let keys = ChainKeys::new([7; 32]);
        let log = Log::open(data.path().join("audit.jsonl"), keys, clock.clone()).unwrap();
        Self {
            reports: Reports::new(log, clock.clone()),
            clock,
            data,
        }
    }

    async fn send(&self, from: u8, kind: &str, body: impl Into<Body>) {
        self.send_with(from, &[("content-type", kind)], body).await;
    }

    async fn send_with(&self, from: u8, headers: &[(&str, &str)], body: impl Into<Body>) {
        let mut request = Request::post(REPORTS_PATH).header("host", "portal.test:8443");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        let address = ClientAddress(IpAddr::from([192, 0, 2, from]));
        RequestInfo::of(&mut parts.extensions).address = Some(address);
        let answer = self.reports.take(&parts, body.into()).await;
        assert_eq!(answer.status(), 204);
        assert!(answer.headers().is_empty());
    }

    /// The lines of the log that are about reports.
    async fn lines(&self) -> Vec<String> {
        self.reports.log.flush().await;
        let log = std::fs::read_to_string(self.data.path().join("audit.jsonl")).unwrap();
        let about = ["malicious_csp_violation", "excess_rate_limit"];
        log.lines()
            .filter(|line| about.iter().any(|event| line.contains(event)))
            .map(str::to_owned)
            .collect()
    }
}

const LIST: &str = "application/reports+json";

fn list(blocked: &str) -> String {
    let body = json!({
        "documentURL": "https://ada:secret@portal.test/documents/7?token=s3cr3t#part",
        "blockedURL": blocked,
        "effectiveDirective": "script-src-elem",
        "sourceFile": "https://portal.test/static/app.js?v=s3cr3t",
        "lineNumber": 12,
        "sample": "s3cr3t",
    });
    json!([{"type": "csp-violation", "url": "https://x/?s3cr3t", "body": body}]).to_string()
}

/// ASVS: V15.2.2
#[tokio::test]
async fn so_many_bodies_are_read_of_one_address_and_of_all_within_a_window() {
    let taking = Taking::new();
    let admitted = |from: u8, times: u32| {
        let address = ClientAddress(IpAddr::from([192, 0, 2, from]));
        (0..times)
            .filter(|_| taking.reports.admits(address))
            .count()
    };
    let (of_one, of_all) = (MOST_OF_ONE as usize, MOST_OF_ALL as usize);
    assert_eq!(admitted(0, 2 * MOST_OF_ONE), of_one);
    let others: usize = (1..200).map(|from| admitted(from, 5)).sum();
    assert_eq!(of_one + others, of_all);
    taking.clock.advance(WINDOW);
    assert_eq!(admitted(0, 2 * MOST_OF_ONE), of_one);
}

#[tokio::test]
async fn a_violation_is_named_once_without_what_may_be_secret_and_then_counted() {
    let taking = Taking::new();
    for _ in 0..7 {
        let body = list("https://bob:s3cr3t@evil.example/x.js?s3cr3t#s3cr3t");
        taking.send(1, LIST, body).await;
    }
    let lines = taking.lines().await;
    assert_eq!(lines.len(), 1, "{lines:?}");
    let wanted = "script-src-elem forbids https://evil.example/x.js, from line 12 of https://portal.test/static/app.js";
    assert!(
        lines[0].contains(wanted) && lines[0].contains("\"/documents/7\""),
        "{lines:?}"
    );
    taking.clock.advance(WINDOW);
    taking.reports.settle();
    let lines = taking.lines().await;
    assert_eq!(lines.len(), 2);
    assert!(lines[1].contains("6 times more"));
    assert!(!lines.concat().contains("s3cr3t"));
}

#[tokio::test]
async fn both_forms_are_read_and_nothing_else() {
    let taking = Taking::new();
    let one = json!({"csp-report": {
        "document-uri": "https://portal.test/", "blocked-uri": "inline", "violated-directive": "style-src 'self'",
    }});
    taking
        .send(1, "application/csp-report; charset=utf-8", one.to_string())
        .await;
    assert_eq!(taking.lines().await.len(), 1);
    assert!(taking.lines().await[0].contains("style-src forbids inline"));
    for kind in ["application/json", "text/plain", "multipart/form-data", ""] {
        taking.send(2, kind, one.to_string()).await;
        taking.send(2, kind, list("eval")).await;
    }
    for body in [
        String::new(),
        "{}".to_owned(),
        "[[[[".to_owned(),
        format!("{}1{}", "[".repeat(8_000), "]".repeat(8_000)),
        list("eval")
            .replace("[{", "[[[[[[[[{")
            .replace("}]", "}]]]]]]]]"),
        json!([{"type": "deprecation", "body": {"effectiveDirective": "img-src"}}]).to_string(),
        json!([{"type": "csp-violation", "body": {"effectiveDirective": "img-src\n{\"seq\":1}"}}])
            .to_string(),
        json!([{"type": "csp-violation", "body": {"effectiveDirective": 7}}]).to_string(),
        format!(
            "[{}{}]",
            " ".repeat(MOST_BYTES),
            list("eval").trim_matches(['[', ']'])
        ),
    ] {
        taking.send(3, LIST, body).await;
    }
    assert_eq!(taking.lines().await.len(), 1, "{:?}", taking.lines().await);
}

#[tokio::test]
async fn a_flood_writes_a_few_lines_and_hides_nobody_elses_report() {
    let taking = Taking::new();
    for number in 0..2_000 {
        taking
            .send(1, LIST, list(&format!("https://evil-{number}.example/")))
            .await;
    }
    taking.send(2, LIST, list("https://seen.example/")).await;
    let lines = taking.lines().await;
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert!(lines[5].contains("https://seen.example/"));
    for from in 3..250 {
        for number in 0..3 {
            taking
                .send(
                    from,
                    LIST,
                    list(&format!("https://{from}.{number}.example/")),
                )
                .await;
        }
    }
    taking.clock.advance(WINDOW);
    taking.send(2, LIST, list("https://later.example/")).await;
    let lines = taking.lines().await;
    assert!(lines.len() <= 24, "{}", lines.len());
    assert!(
        lines
            .iter()
            .any(|line| line.contains("browser reports were not read"))
    );
    assert!(lines.last().unwrap().contains("https://later.example/"));
    let window = taking.reports.window.lock().unwrap();
    assert!(window.addresses.len() == 1 && window.kinds.len() == 1);
}

#[tokio::test]
async fn a_page_of_another_site_reports_nothing() {
    let taking = Taking::new();
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "https://portal.test"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let headers = [("content-type", LIST), (name, value)];
        taking.send_with(1, &headers, list("eval")).await;
    }
    assert!(taking.lines().await.is_empty());
    let headers = [
        ("content-type", LIST),
        ("origin", "https://portal.test:8443"),
        ("sec-fetch-site", "same-origin"),
    ];
    taking.send_with(1, &headers, list("eval")).await;
    assert_eq!(taking.lines().await.len(), 1);
}

#[test]
fn no_line_break_and_no_direction_mark_gets_into_the_log() {
    for hostile in [
        "https://evil.example/\r\n{\"seq\":9}",
        "https://evil.example/\u{202e}gnp.exe",
        "inline\nfake",
        "javascript:alert(1)",
    ] {
        let body =
            json!({"effectiveDirective": "img-src", "blockedURL": hostile, "documentURL": hostile});
        let violation = Violation::of(&body).unwrap();
        let all = format!("{}{}", violation.page, violation.what);
        assert!(
            !all.chars().any(|c| c.is_control() || c == '\u{202e}'),
            "{all:?}"
        );
        assert!(all.chars().count() < 700);
    }
    let long = format!("https://evil.example/{}", "a/".repeat(4_000));
    let body = json!({"effectiveDirective": "img-src", "blockedURL": long, "documentURL": long});
    let violation = Violation::of(&body).unwrap();
    assert!(violation.what.chars().count() < 300 && violation.page.chars().count() < 300);
}

#[test]
fn a_report_that_is_nested_deeply_is_not_parsed() {
    assert!(is_shallow(list("[[[[[[[[[[[[\\\"[[[[").as_bytes()));
    assert!(is_shallow(br#"[{"a": [1, {"b": [2]}]}, {}]"#));
    for deep in ["[[[[[[[[[", r#"{"a\"[":[[[[[[[["#, &"{\"a\":".repeat(9)] {
        assert!(!is_shallow(deep.as_bytes()), "{deep}");
    }
}

#[tokio::test]
async fn what_had_no_line_of_its_own_is_counted_at_the_end_of_its_window() {
    let taking = Taking::new();
    for number in 0..MOST_KINDS_OF_ONE + 3 {
        let body = list(&format!("https://h{number}.example/"));
        taking.send(1, LIST, body).await;
    }
    assert_eq!(taking.lines().await.len(), MOST_KINDS_OF_ONE as usize);
    taking.clock.advance(WINDOW);
    taking.reports.settle();
    let lines = taking.lines().await;
    assert_eq!(lines.len(), MOST_KINDS_OF_ONE as usize + 1);
    assert!(lines.concat().contains("3 of other kinds"), "{lines:?}");
}
