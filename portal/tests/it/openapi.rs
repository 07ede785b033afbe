//! The portal's OpenAPI document, judged by somebody else's validator, and compared with what the portal answers.

use std::fs;
use std::path::{Path, PathBuf};

use dewar::App;
use serde_json::{Value, json};

use crate::commands::{portal, printed};
use crate::company::{Portal, document};
use crate::programs::{or_skip, run};

fn of_the_portal() -> Value {
    let scratch = tempfile::tempdir().unwrap();
    let table = portal::app(App::in_directory(scratch.path()).unwrap()).route_table();
    table.openapi("portal", "1")
}

/// The validator of `.ci/run`, or one that is installed.
fn validator() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/python/bin");
    let own = own.join("openapi-spec-validator");
    let package = "python3-venv, then pip install openapi-spec-validator";
    or_skip(
        package,
        &[&*own.to_string_lossy(), "openapi-spec-validator"],
    )
}

/// A document that a tool cannot read helps nobody. The command prints the same text each time, so a review sees each change.
#[test]
fn the_document_is_valid_openapi_and_the_same_each_time() {
    let data = tempfile::tempdir().unwrap();
    let text = printed(&portal(data.path(), "routes --openapi"));
    assert_eq!(text, printed(&portal(data.path(), "routes --openapi")));
    let Some(validator) = validator() else { return };
    let file = data.path().join("openapi.json");
    fs::write(&file, &text).unwrap();
    run(&validator, ["--schema", "3.1", &*file.to_string_lossy()]);
}

/// Pages for people are not in it, and everything that a program needs is.
#[test]
fn the_document_has_the_types_of_the_handlers() {
    let document = of_the_portal();
    let paths = &document["paths"];
    assert!(paths.get("/documents").is_none(), "{paths}");
    let list = &paths["/api/documents"]["get"];
    let page = list["parameters"].as_array().unwrap().iter();
    let names: Vec<&str> = page.map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["q", "status", "tag", "sort", "page"]);
    assert_eq!(list["parameters"][0]["schema"]["maxLength"], 80);
    let answer = &list["responses"]["200"]["content"]["application/json"];
    assert_eq!(
        answer["schema"]["$ref"],
        "#/components/schemas/DocumentPage"
    );
    assert_eq!(list["security"], json!([{ "token": [] }]));
    let create = &paths["/api/documents"]["post"];
    let content = create["requestBody"]["content"].as_object().unwrap();
    assert_eq!(content.keys().collect::<Vec<_>>(), ["multipart/form-data"]);
    let parts = &content["multipart/form-data"]["schema"];
    assert_eq!(parts["properties"]["file"]["format"], "binary");
    assert_eq!(parts["required"], json!(["title", "file"]));
    assert_eq!(create["security"], json!([{ "token": [] }]));
    let change = &paths["/api/documents/{id}"]["post"];
    let body = &change["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["additionalProperties"], false);
    assert_eq!(body["properties"]["version"]["type"], "integer");
    for status in [200, 400, 401, 403, 404, 409, 413, 415, 422, 429, 503] {
        let responses = &change["responses"];
        assert!(
            responses.get(status.to_string()).is_some(),
            "{status}: {responses}"
        );
    }
    assert!(change["responses"].get("201").is_none());
    let status = &document["components"]["schemas"]["DocumentRecord"]["properties"]["status"];
    assert_eq!(status["enum"], json!(["approved", "pending", "rejected"]));
}

/// Documents by the API: handed in, listed, shown and changed, each answer as its schema states it.
#[tokio::test(flavor = "multi_thread")]
async fn a_program_hands_in_lists_shows_and_changes_documents() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    document(&ada, "Plan").await;
    let scopes = ["documents_read", "documents_write"];
    let (token, _) = portal.api_token("ada", &scopes).await;
    let send = async |path: &str, kind: &str, body: &str| {
        let raw = portal.program(&token, "POST", path);
        let raw = raw.header("content-type", kind);
        raw.body(body.to_owned()).send().await.unwrap()
    };
    let read = async |path: &str| {
        let raw = portal.program(&token, "GET", path);
        raw.send().await.unwrap()
    };
    let parts = "--cut\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nTea\r\n\
         --cut\r\nContent-Disposition: form-data; name=\"tags\"\r\n\r\nhot, green\r\n\
         --cut\r\nContent-Disposition: form-data; name=\"file\"; filename=\"tea.txt\"\r\n\r\nLeaves.\n\r\n--cut--\r\n";
    let made = send("/api/documents", "multipart/form-data; boundary=cut", parts).await;
    assert_eq!(made.status(), 201, "{}", made.text());
    let path = made.location().unwrap().to_owned();
    let shown = read(&path).await;
    assert_eq!(shown.header("content-type"), Some("application/json"));
    assert!(
        shown
            .header("cache-control")
            .unwrap()
            .starts_with("no-store")
    );
    assert_eq!(shown.text(), made.text());
    let record: Value = serde_json::from_str(&shown.text()).unwrap();
    let schema = &of_the_portal()["components"]["schemas"]["DocumentRecord"];
    let stated: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    let written: Vec<&String> = record.as_object().unwrap().keys().collect();
    assert_eq!(stated, written);
    assert_eq!(record["tags"], json!(["green", "hot"]));
    let list: Value = serde_json::from_str(&read("/api/documents?q=Tea").await.text()).unwrap();
    assert_eq!(list["documents"][0]["title"], "Tea");
    assert_eq!(list["documents"].as_array().unwrap().len(), 1);
    let new = r#"{"version":1,"title":"Coffee","description":"<p>Hot.</p><script>x</script>"}"#;
    let changed = send(&path, "application/json", new).await;
    assert_eq!(changed.status(), 200, "{}", changed.text());
    let changed: Value = serde_json::from_str(&changed.text()).unwrap();
    assert_eq!(
        (&changed["title"], &changed["version"]),
        (&json!("Coffee"), &json!(2))
    );
    assert!(!changed["description"].as_str().unwrap().contains("<script"));
    // In the language that the program prefers.
    let raw = portal.program(&token, "GET", "/api/documents?sort=x");
    let german = raw.header("accept-language", "de").send().await.unwrap();
    assert_eq!(german.status(), 400);
    assert_eq!(german.header("content-language"), Some("de"));
    assert!(
        german.text().contains("\"code\":\"not-offered\""),
        "{}",
        german.text()
    );
    portal.running.stop().await.unwrap();
}
