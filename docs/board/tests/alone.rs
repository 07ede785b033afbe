//! The board depends on `dewar` and `tokio` alone, so whatever it uses comes through Dewar's re-exports: here the ones that the
//! tutorial does not need.

use dewar::axum::extract::FromRequestParts;
use dewar::database::Migration;
use dewar::http::{HeaderMap, request::Parts};
use dewar::sea_orm;
use dewar::sea_orm::entity::prelude::*;
use dewar::serde::{Deserialize, Serialize};
use dewar::time::OffsetDateTime;
use dewar::tracing;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "notices")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub title: String,
    pub published_at: i64,
}

#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

#[derive(Serialize, Deserialize)]
#[serde(crate = "dewar::serde")]
struct Greeting {
    text: String,
}

struct Host(String);

impl<S: Sync> FromRequestParts<S> for Host {
    type Rejection = dewar::Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, dewar::Error> {
        let headers: &HeaderMap = &parts.headers;
        let host = headers.get("host").and_then(|host| host.to_str().ok());
        host.map(|host| Self(host.to_owned()))
            .ok_or_else(dewar::Error::not_found)
    }
}

#[test]
fn the_manifest_names_dewar_and_tokio_and_nothing_else() {
    let manifest = include_str!("../Cargo.toml");
    let (_, rest) = manifest.split_once("[dependencies]\n").unwrap();
    let (own, _) = rest.split_once("\n[").unwrap();
    let names = own.lines().filter(|line| !line.is_empty());
    let names: Vec<&str> = names.map(|line| line.split('.').next().unwrap()).collect();
    assert_eq!(names, ["dewar", "tokio"]);
}

#[tokio::test]
async fn every_derive_finds_its_crate_through_dewar() {
    let text = dewar::serde_json::json!({ "text": "Tea" }).to_string();
    let greeting: Greeting = dewar::serde_json::from_str(&text).unwrap();
    assert_eq!(greeting.text, "Tea");
    let request = dewar::http::Request::get("/").header("host", "board.test");
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    let host = Host::from_request_parts(&mut parts, &()).await.unwrap();
    assert_eq!(host.0, "board.test");
    assert_eq!(Entity.table_name(), "notices");
    tracing::info!(at = %OffsetDateTime::UNIX_EPOCH, "checked");
    assert!(board::Templates::get("notices/index.html").is_some());
    let _unused = Migration::new("board_0002_nothing", "SELECT 1");
}
