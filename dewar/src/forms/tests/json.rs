use axum::response::IntoResponse;
use proptest::prelude::*;

use super::*;
use crate::forms::{Decimal, Hidden, List, Model, Received, json};
use crate::pages::ErrorKind;

#[derive(crate::forms::Form, Debug)]
struct Order {
    reference: Line<10>,
    price: Option<Decimal<2, 0, 1_000_000>>,
    colours: Vec<Choice<Colour>>,
    urgent: bool,
    items: List<Item, 0, 3>,
}

#[derive(crate::forms::Form, Debug)]
struct Item {
    title: Line<10>,
    count: Int<1, 9>,
}

impl Browser {
    fn json(&self, body: impl Into<Body>) -> Request {
        let mut request = self.request("application/json", body);
        let token = HeaderValue::from_str(&self.gate.token()).unwrap();
        request.headers_mut().insert("x-csrf-token", token);
        request
    }

    pub(super) async fn send_json<T: Model>(&self, body: &str) -> Result<Form<T>, Error> {
        Form::from_request(self.json(body.to_owned()), &()).await
    }
}

#[tokio::test]
async fn the_same_form_is_read_from_json() {
    let browser = Browser::new().await;
    let body = r#"{ "reference": " A7 ", "price": 12.5, "colours": ["red", "deep_blue"], "urgent": true,
                    "items": [{ "title": "Milk", "count": 2 }, { "title": "Tea", "count": 1e0 }] }"#;
    let order = browser
        .send_json::<Order>(body)
        .await
        .unwrap()
        .result()
        .unwrap();
    assert_eq!(order.reference.as_str(), "A7");
    assert_eq!(order.price.unwrap().units(), 1_250);
    assert_eq!(
        (order.colours.len(), order.urgent, order.items.len()),
        (2, true, 2)
    );
    assert_eq!(order.items[1].count.get(), 1);
    let least = browser
        .send_json::<Order>(r#"{"reference":"a","price":null,"urgent":false}"#)
        .await
        .unwrap();
    let least = least.result().unwrap();
    assert!(least.price.is_none() && !least.urgent && least.items.is_empty());
}

#[tokio::test]
async fn json_without_a_token_in_its_header_is_refused_before_it_is_read() {
    let browser = Browser::new().await;
    let read = Body::from_stream(futures_util::stream::once(async {
        panic!("a byte was read");
        #[expect(unreachable_code, reason = "the type of the stream")]
        Ok::<bytes::Bytes, std::io::Error>(bytes::Bytes::new())
    }));
    let request = browser.request("application/json", read);
    let outcome = Form::<Order>::from_request(request, &()).await;
    assert_eq!(
        outcome.err().map(|error| error.kind()),
        Some(ErrorKind::Forbidden)
    );
    assert_eq!(browser.events().await, ["malicious_csrf"]);
}

#[tokio::test]
async fn json_with_more_twice_or_of_another_type_is_refused() {
    let browser = Browser::new().await;
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    for wrong in [
        "",
        "[]",
        "null",
        "\"a\"",
        "{",
        "{}{}",
        "{} x",
        "{'reference':'a'}",
        r#"{"reference":"a",}"#,
        "{\"reference\":\"\u{7}\"}",
        r#"{"reference":"\ud800"}"#,
        r#"{"reference":1}"#,
        r#"{"reference":true}"#,
        r#"{"reference":["a"]}"#,
        r#"{"reference":{"a":1}}"#,
        r#"{"price":true}"#,
        r#"{"items":[{"count":"1"}]}"#,
        r#"{"price":NaN}"#,
        r#"{"colours":"red"}"#,
        r#"{"colours":[["red"]]}"#,
        r#"{"colours":[null]}"#,
        r#"{"urgent":"on"}"#,
        r#"{"urgent":1}"#,
        r#"{"items":{}}"#,
        r#"{"items":["a"]}"#,
        r#"{"items":[[]]}"#,
        &format!("{{\"items\":{deep}}}"),
        &format!("{{\"{}\":1}}", "n".repeat(65)),
    ] {
        let outcome = browser.send_json::<Order>(wrong).await;
        let kind = outcome.err().map(|error| error.kind());
        assert_eq!(kind, Some(ErrorKind::BadRequest), "{wrong}");
    }
    assert_eq!(browser.events().await, ["input_validation_fail"; 28]);
    for extraneous in [
        r#"{"reference":"a","reference":"b"}"#,
        r#"{"urgent":false,"urgent":true}"#,
        r#"{"colours":[],"colours":["red"]}"#,
        r#"{"items":[{"title":"a","title":"b"}]}"#,
        r#"{"owner":1}"#,
        r#"{"items":[{"owner":1}]}"#,
        r#"{"items.0.title":"a"}"#,
        r#"{"csrf_token":"a"}"#,
    ] {
        let outcome = browser.send_json::<Order>(extraneous).await;
        assert!(outcome.is_err(), "{extraneous}");
    }
    let mut events = browser.events().await;
    events.retain(|event| event != "input_validation_fail");
    assert_eq!(events, ["malicious_extraneous"; 8]);
}

#[tokio::test]
async fn json_is_bounded_in_bytes_values_and_each_text() {
    let mut browser = Browser::new().await;
    (browser.config.body, browser.config.fields) = (4096, 5);
    let long = format!(r#"{{"reference":"{}"}}"#, "a".repeat(100));
    let large = format!(r#"{{"reference":"{}"}}"#, "a".repeat(5_000));
    let rows = format!(r#"{{"items":[{}]}}"#, ["{}"; 6].join(","));
    for body in [
        long,
        large,
        r#"{"colours":["red","red","red","red","red","red"]}"#.to_owned(),
        rows,
    ] {
        let outcome = browser.send_json::<Order>(&body).await;
        let kind = outcome.err().map(|error| error.kind());
        assert_eq!(kind, Some(ErrorKind::TooLarge), "{body}");
    }
}

#[tokio::test]
async fn a_script_reads_all_that_is_wrong_by_field() {
    let browser = Browser::new().await;
    let wrong = r#"{"reference":"","items":[{"title":"a","count":99}]}"#;
    let form = browser.send_json::<Order>(wrong).await.unwrap();
    let error = form.or_rerender("never-rendered.html").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unprocessable);
    assert_eq!(
        error
            .field_problems()
            .iter()
            .map(|problem| (problem.field.clone(), problem.words.to_string()))
            .collect::<Vec<_>>(),
        [
            ("reference".to_owned(), "Fill this in.".to_owned()),
            (
                "items.0.count".to_owned(),
                "Enter a number from 1 to 9.".to_owned()
            )
        ]
    );
    assert_eq!(error.into_response().status(), 422);
}

/// A program counts its rows as it sent them: an empty row is a row.
#[tokio::test]
async fn a_pointer_counts_every_row_of_the_array() {
    let browser = Browser::new().await;
    let wrong = r#"{"reference":"a","items":[{},{"title":"b","count":1},{"title":"","count":0}]}"#;
    let form = browser.send_json::<Order>(wrong).await.unwrap();
    let error = form.or_reject().unwrap_err();
    let fields: Vec<&str> = error
        .field_problems()
        .iter()
        .map(|problem| &*problem.field)
        .collect();
    let expected = [
        "items.0.title",
        "items.0.count",
        "items.2.title",
        "items.2.count",
    ];
    assert_eq!(fields, expected);
    let rows = ["{}"; 150].join(",");
    let form = browser
        .send_json::<Order>(&format!(r#"{{"reference":"a","items":[{rows}]}}"#))
        .await
        .unwrap();
    let problems = form.view().problems();
    assert_eq!(
        problems.of(Order::ITEMS).next().map(ToString::to_string),
        Some("Fill in at most 3.".to_owned())
    );
    assert!(
        problems
            .iter()
            .all(|(field, _)| !field.starts_with("items.3"))
    );
}

/// A number keeps the digits that were sent: binary has neither 0.1 nor 2^53 + 1.
#[tokio::test]
async fn a_number_is_read_without_loss() {
    #[derive(crate::forms::Form, Debug)]
    struct Exact {
        small: Decimal<9, -9, 9>,
        wide: Int<0, { i64::MAX }>,
        many: Vec<Int<0, 99>>,
    }
    let browser = Browser::new().await;
    for (sent, small, wide) in [
        (
            r#"{"small":0.123456789,"wide":9007199254740993,"many":[1,2]}"#,
            123_456_789,
            9_007_199_254_740_993,
        ),
        (
            r#"{"small":"-8.999999999","wide":"9223372036854775807","many":[1e0]}"#,
            -8_999_999_999,
            i64::MAX,
        ),
    ] {
        let exact = browser.send_json::<Exact>(sent).await.unwrap();
        let exact = exact.result().unwrap();
        assert_eq!((exact.small.units(), exact.wide.get()), (small, wide));
    }
    for huge in [
        "1e400",
        "-1e400",
        &"9".repeat(400),
        &format!("0.{}1", "0".repeat(400)),
    ] {
        let body = format!(r#"{{"small":{huge},"wide":1}}"#);
        let form = browser.send_json::<Exact>(&body).await.unwrap();
        assert!(
            form.result()
                .unwrap_err()
                .problems()
                .of(Exact::SMALL)
                .next()
                .is_some()
        );
    }
    for wrong in [
        r#"{"small":01}"#,
        r#"{"small":.5}"#,
        r#"{"small":+1}"#,
        r#"{"small":1.}"#,
        r#"{"small":0x1}"#,
        r#"{"small":-}"#,
        r#"{"small":[1]}"#,
        r#"{"many":1}"#,
        r#"{"many":["1"]}"#,
        r#"{"many":[null]}"#,
    ] {
        assert!(browser.send_json::<Exact>(wrong).await.is_err(), "{wrong}");
    }
}

/// The response to JSON that cannot be read names the place, and repeats nothing of it.
#[tokio::test]
async fn json_that_cannot_be_read_is_refused_with_its_place_and_without_its_text() {
    let browser = Browser::new().await;
    for (sent, place, field) in [
        ("{\n  \"reference\": hunter2\n}", "line 2, column 16", ""),
        ("{\"reference\":\"hunter2", "line 1, column 21", ""),
        ("[\"hunter2\"]", "line 1, column 0", ""),
        ("{\"reference\":[\"hunter2\"]}", "line 1", "reference"),
        ("{\"items\":[{},\"hunter2\"]}", "line 1", "items.1"),
        (
            "{\"items\":[{\"count\":\"hunter2\"}]}",
            "line 1",
            "items.0.count",
        ),
        ("{\"hunter2\":", "", ""),
    ] {
        let error = browser.send_json::<Order>(sent).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        if place.is_empty() {
            // The name of an unknown member is repeated, shortened; a value never is.
            continue;
        }
        let text = error.to_string();
        assert!(text.contains(place), "{sent}: {text}");
        let [problem] = error.field_problems() else {
            panic!("{sent}")
        };
        assert_eq!(problem.field, field, "{sent}");
        let told = format!("{text} {} {error:?}", problem.words);
        assert!(!told.contains("hunter2"), "{told}");
    }
}

#[tokio::test]
async fn a_misspelled_member_is_refused_with_the_nearest_name() {
    let browser = Browser::new().await;
    for (sent, near) in [
        (r#"{"referense":"a"}"#, Some("“reference”")),
        (r#"{"items":[{"titel":"a"}]}"#, Some("“items.0.title”")),
        (r#"{"__proto__":{}}"#, None),
        (r#"{"constructor":{}}"#, None),
    ] {
        let error = browser.send_json::<Order>(sent).await.unwrap_err();
        let text = error.to_string();
        assert_eq!(text.contains("Did you mean"), near.is_some(), "{text}");
        assert!(near.is_none_or(|near| text.contains(near)), "{text}");
    }
}

/// A program that sends another type learns which types the route accepts.
#[tokio::test]
async fn another_media_type_is_refused_with_those_that_are_accepted() {
    let browser = Browser::new().await;
    for kind in [
        "text/plain",
        "application/xml",
        "application/json; charset=latin1",
        "application/json5",
        "text/json",
    ] {
        let mut request = browser.json("{}");
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
        let error = Form::<Order>::from_request(request, &()).await.unwrap_err();
        let response = error.into_response();
        assert_eq!(response.status(), 415, "{kind}");
        let accepted = response.headers()["accept-post"].to_str().unwrap();
        assert!(accepted.starts_with("application/json, "), "{accepted}");
    }
}

#[tokio::test]
async fn who_asks_for_a_page_gets_the_page() {
    let browser = Browser::new().await;
    let problems = async |kind: &str, accept: Option<&str>| {
        let body = match kind {
            "application/json" => r#"{"reference":""}"#,
            _ => "reference=",
        };
        let mut request = browser.json(body);
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(kind).unwrap());
        if let Some(accept) = accept {
            super::accept(&mut request, accept);
        }
        let form = Form::<Order>::from_request(request, &()).await.unwrap();
        let error = form.or_rerender("order.html").unwrap_err();
        !error.field_problems().is_empty()
    };
    let form = "application/x-www-form-urlencoded";
    // Every browser names `text/html`.
    assert!(problems(form, None).await);
    assert!(problems(form, Some("*/*")).await);
    assert!(!problems(form, Some("text/html,application/json;q=0.9")).await);
    assert!(problems(form, Some("application/problem+json")).await);
    assert!(problems("application/json", None).await);
    assert!(problems("application/json", Some("*/*")).await);
    assert!(!problems("application/json", Some("text/html")).await);
}

#[tokio::test]
async fn a_hidden_value_in_json_is_sealed_too() {
    #[derive(crate::forms::Form, Debug)]
    struct Rename {
        version: Hidden<Int<0, 9>>,
    }
    let browser = Browser::new().await;
    let sealed = browser.carried(&Rename::view().fill(Rename::VERSION, 7), "version");
    let body = format!(r#"{{"version":"{sealed}"}}"#);
    let form = browser.send_json::<Rename>(&body).await.unwrap();
    assert_eq!(form.result().unwrap().version.get(), 7);
    assert!(
        browser
            .send_json::<Rename>(r#"{"version":"7"}"#)
            .await
            .is_err()
    );
}

/// The members that a form accepts, and others, in any order and any number.
fn object() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any::<f64>().prop_map(|number| number.to_string()),
        any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
        Just("[{\"title\":\"a\",\"count\":1}]".to_owned()),
        Just("[\"red\"]".to_owned()),
    ];
    let name = prop_oneof![
        Just("reference"),
        Just("price"),
        Just("colours"),
        Just("urgent"),
        Just("items"),
        Just("owner")
    ];
    prop::collection::vec((name, value), 0..8).prop_map(|pairs| {
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", pairs.join(","))
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut received = Received::query::<Order>();
        if json::read(&bytes, 5, &mut received).is_ok() {
            prop_assert!(serde_json::from_slice::<serde_json::Map<_, serde_json::Value>>(&bytes).is_ok());
        }
    }

    #[test]
    fn any_object_is_read_within_its_bounds_or_refused(text in object()) {
        let mut received = Received::query::<Order>();
        if json::read(text.as_bytes(), 5, &mut received).is_ok() {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert!(value.get("owner").is_none() && value.as_object().unwrap().len() <= 5);
            let (order, received) = received.read::<Order>().unwrap();
            let view = received.into_view::<Order>();
            prop_assert!(order.is_some() == view.problems.is_empty());
        }
    }
}

#[test]
fn the_schema_says_what_json_is_taken() {
    let schema = crate::forms::FormSpec::new(Order::FIELDS).schema();
    assert_eq!(
        schema,
        serde_json::json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "additionalProperties": false,
            "required": ["reference"],
            "properties": {
                "reference": { "type": "string", "minLength": 1, "maxLength": 10, "title": "Reference" },
                "price": { "type": ["number", "string", "null"], "minimum": 0, "maximum": 1_000_000, "multipleOf": 0.01,
                    "pattern": "^-?[0-9]*\\.?[0-9]+([eE][+-]?[0-9]+)?$", "title": "Price" },
                "colours": { "type": ["array", "null"], "items": { "type": "string", "enum": ["red", "deep_blue"] }, "title": "Colours" },
                "urgent": { "type": ["boolean", "null"], "title": "Urgent" },
                "items": { "type": ["array", "null"], "minItems": 0, "maxItems": 3, "title": "Items", "items": {
                    "type": "object", "additionalProperties": false, "required": ["title", "count"], "properties": {
                        "title": { "type": "string", "minLength": 1, "maxLength": 10, "title": "Title" },
                        "count": { "type": "integer", "minimum": 1, "maximum": 9, "title": "Count" },
                    },
                } },
            },
        })
    );
    let files = crate::forms::FormSpec::new(NewFile::FIELDS).schema();
    assert!(files["properties"].get("file").is_none() && files["required"][0] == "title");
}
