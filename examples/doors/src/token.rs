//! API tokens: a program sends one in `Authorization: Bearer`, and reaches what its owner and its scopes reach.

use dewar::api::ApiScope;
use dewar::app::AccountPages;
use dewar::pages::Json;
use dewar::{App, CurrentUser, get};

#[derive(ApiScope, Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    #[scope(label = "Read your name")]
    NameRead,
}

async fn name(person: CurrentUser) -> Json<String> {
    Json(person.name().to_owned())
}

async fn index() -> &'static str {
    "Make a token on /account/tokens, and send it to /api/name."
}

pub fn app(app: App) -> App {
    app.public([get("/", index)])
        .account_pages(AccountPages::new().with_tokens())
        .api(Scope::NameRead, [get("/api/name", name)])
}

#[cfg(test)]
mod tests {
    use dewar::api::{TokenHolder, TokenRequest};
    use dewar::testing::{Cookies, Site};

    #[tokio::test]
    async fn a_token_opens_the_routes_of_its_scopes() {
        let site = Site::start(super::app).await;
        let ada = site.add_user("ada@example.org", &[]).await;
        let request = TokenRequest {
            name: "laptop",
            scopes: &["name_read"],
            days: 30,
        };
        let tokens = site.dewar().api_tokens();
        let holder = TokenHolder::Person(ada);
        let (token, _) = tokens.create(Some(ada), holder, request).await.unwrap();
        let program = site.visitor();
        let asks = || program.raw("GET", "/api/name").cookies(Cookies::No);
        assert_eq!(asks().send().await.unwrap().status(), 401);
        let header = format!("Bearer {}", token.expose());
        let answer = asks().header("authorization", header).send().await.unwrap();
        assert_eq!(answer.text(), "\"ada\"");
    }
}
