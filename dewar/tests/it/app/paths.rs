//! The parameters of a path: whatever does not parse is 404, and the handler is not called.

use dewar::forms::{Path, PathParams, Slug, Uuid};
use dewar::pages::Text;
use dewar::testing::Browser;
use dewar::{App, get};

#[derive(PathParams)]
struct Place {
    issue: u32,
    project: Slug<12>,
}

async fn by_name(Path(place): Path<Place>) -> Text {
    Text::new(format!("{} {}", place.project, place.issue))
}

async fn four(Path((a, b, c, d)): Path<(u32, u32, Slug<9>, u32)>) -> Text {
    Text::new(format!("{a} {b} {c} {d}"))
}

async fn upload(Path(id): Path<Uuid>) -> Text {
    Text::new(id.to_string())
}

fn app(directory: &tempfile::TempDir) -> App {
    App::in_directory(directory).unwrap().public([
        get("/{project}/issues/{issue}", by_name),
        get("/x/{a}/{b}/{c}/{d}", four),
        get("/uploads/{id}", upload),
    ])
}

/// ASVS: V2.2.1, V1.1.1
#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_does_not_parse_is_not_found() {
    let directory = tempfile::tempdir().unwrap();
    let running = app(&directory).start().await.unwrap();
    let authority = std::fs::read(running.authority_file().unwrap()).unwrap();
    let browser = Browser::new(running.url(), &authority);
    let id = "67e55044-10b1-426f-9247-bb680e5fe0c8";
    for (path, text) in [
        ("/tea/issues/7", "tea 7"),
        ("/x/1/2/c/4", "1 2 c 4"),
        (&format!("/uploads/{id}"), id),
    ] {
        assert_eq!(browser.get(path).await.text(), text, "{path}");
    }
    let upper = format!("/uploads/{}", id.to_uppercase());
    for path in [
        "/Tea/issues/7",
        "/tea/issues/07",
        "/tea/issues/-7",
        "/tea%2d/issues/7",
        "/tea%20/issues/7",
        "/tea%E2%80%8B/issues/7",
        "/%25/issues/7",
        "/7/issues/tea",
        "/x/1/2/c/4294967296",
        "/x/1/2//4",
        &upper,
        "/uploads/67e55044",
    ] {
        let status = browser.get(path).await.status().as_u16();
        assert!([400, 404].contains(&status), "{path}: {status}");
    }
    running.stop().await.unwrap();
}

async fn elsewhere(_: Path<Place>) -> &'static str {
    "never called"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_the_path_does_not_have_refuses_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let table = serde_json::to_value(app(&directory).route_table()).unwrap();
    let named = serde_json::json!([
        {"name": "project", "takes": "slug"},
        {"name": "issue", "takes": "integer"},
    ]);
    assert_eq!(table[0]["parameters"], named);
    let wrong = app(&directory).public([get("/{project}/bugs/{number}", elsewhere)]);
    let refused = format!("{:?}", wrong.start().await.unwrap_err());
    assert!(refused.contains("forms-path-parameters"), "{refused}");
}
