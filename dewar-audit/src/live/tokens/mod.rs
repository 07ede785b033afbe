//! Cookies and tokens: decoded, guessed, forged, and the forgery proved.

mod cookie;
mod flask;
mod jwt;
mod words;

use super::engine::{Engine, Stop};

pub(super) async fn run(engine: &mut Engine) -> Result<(), Stop> {
    let seen: Vec<(String, String)> = engine
        .cookies
        .iter()
        .map(|(name, seen)| (name.clone(), seen.value.clone()))
        .collect();
    let keys = words::keys(&engine.target().host);
    for (name, value) in &seen {
        flask::guess(engine, name, value, &keys);
    }
    cookie::forge(engine).await?;
    jwt::run(engine, &keys).await
}
