//! A body that is an array itself.

use axum::response::IntoResponse;

use super::*;
use crate::forms::{FormEncoding, FormSpec, List};

#[derive(crate::forms::Form, Debug)]
struct Reading {
    sensor: Line<10>,
    celsius: Int<-90, 60>,
}

type Readings = List<Reading, 1, 3>;

/// The pointers of the problems of this body; none if it was read.
async fn problems(body: &str) -> Option<(u16, Vec<String>)> {
    let browser = Browser::new().await;
    let form = browser.send_json::<Readings>(body).await;
    let error = match form.map(Form::or_reject) {
        Ok(Ok(_)) => return None,
        Ok(Err(error)) | Err(error) => error,
    };
    let fields = error.field_problems().iter();
    let fields = fields.map(|problem| problem.pointer()).collect();
    Some((error.into_response().status().as_u16(), fields))
}

#[tokio::test]
async fn a_body_is_an_array_of_forms() {
    let browser = Browser::new().await;
    let body = r#"[{"sensor":" attic ","celsius":21},{"sensor":"cellar","celsius":-4}]"#;
    let form = browser.send_json::<Readings>(body).await.unwrap();
    let readings = form.or_reject().unwrap();
    let read = readings
        .iter()
        .map(|one| (one.sensor.as_str(), one.celsius.get()));
    assert_eq!(read.collect::<Vec<_>>(), [("attic", 21), ("cellar", -4)]);
}

/// RFC 6901: each problem names its entry, and an entry counts as it was sent.
#[tokio::test]
async fn each_problem_names_its_entry() {
    let good = r#"{"sensor":"a","celsius":1}"#;
    let four = [good; 4].join(",");
    let found = |status: u16, fields: &[&str]| {
        Some((
            status,
            fields.iter().map(|&field| field.to_owned()).collect(),
        ))
    };
    for (body, wanted) in [
        (
            format!("[{good},{{}}]"),
            found(422, &["#/1/sensor", "#/1/celsius"]),
        ),
        (
            r#"[{"sensor":"a","celsius":99},{"sensor":"a longer name","celsius":0}]"#.to_owned(),
            found(422, &["#/0/celsius", "#/1/sensor"]),
        ),
        // Too few and too many: the array itself.
        ("[]".to_owned(), found(422, &["#"])),
        (format!("[{four}]"), found(422, &["#"])),
        // Of another type: the place where it is.
        (
            r#"[{"sensor":"a","celsius":"x"}]"#.to_owned(),
            found(400, &["#/0/celsius"]),
        ),
        ("[7]".to_owned(), found(400, &["#/0"])),
        (format!("[[{good}]]"), found(400, &["#/0"])),
        (good.to_owned(), found(400, &["#"])),
        ("null".to_owned(), found(400, &["#"])),
        (r#""""#.to_owned(), found(400, &["#"])),
        ("[".to_owned(), found(400, &["#"])),
    ] {
        assert_eq!(problems(&body).await, wanted, "{body}");
    }
}

/// Mass assignment (CWE-915), a name twice (CWE-436), and more than memory should hold (CWE-770).
///
/// ASVS: V15.3.3
#[tokio::test]
async fn an_entry_has_no_other_member_and_the_array_has_a_bound() {
    for (body, status) in [
        (r#"[{"sensor":"a","celsius":1,"owner":7}]"#.to_owned(), 400),
        (
            r#"[{"sensor":"a","sensor":"b","celsius":1}]"#.to_owned(),
            400,
        ),
        (format!("[{}]", ["{}"; 5_000].join(",")), 413),
        (format!("[{}]", "[".repeat(100_000)), 413),
    ] {
        let found = problems(&body).await.map(|(status, _)| status);
        assert_eq!(
            found,
            Some(status),
            "{}",
            body.chars().take(60).collect::<String>()
        );
    }
}

/// A form of HTML cannot be an array, and no name of a field leads into one.
#[tokio::test]
async fn other_media_types_are_refused_with_the_one_that_is_accepted() {
    let browser = Browser::new().await;
    let good = r#"[{"sensor":"a","celsius":1}]"#;
    let token = browser.gate.token();
    for (kind, body) in [
        (
            "application/x-www-form-urlencoded",
            format!("csrf_token={token}&.0.sensor=a&.0.celsius=1"),
        ),
        ("text/plain", good.to_owned()),
        ("multipart/form-data; boundary=x", "--x--".to_owned()),
    ] {
        let mut request = browser.request(kind, body);
        let token = HeaderValue::from_str(&token).unwrap();
        request.headers_mut().insert("x-csrf-token", token);
        let refused = Form::<Readings>::from_request(request, &())
            .await
            .unwrap_err();
        let response = refused.into_response();
        assert_eq!(response.status(), 415, "{kind}");
    }
}

#[test]
fn the_schema_is_an_array_of_closed_objects() {
    let spec = FormSpec::of::<Readings>();
    let schema = spec.body(FormEncoding::Json);
    assert_eq!(schema["type"], "array");
    assert_eq!(
        (&schema["minItems"], &schema["maxItems"]),
        (&1.into(), &3.into())
    );
    assert_eq!(schema["items"]["additionalProperties"], false);
    assert_eq!(schema["items"]["properties"]["celsius"]["maximum"], 60);
    assert_eq!(spec.to_string(), "[sensor, celsius]");
}
