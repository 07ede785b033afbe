use std::io::{self, Write as _};

use serde::Serialize;

use super::super::cli::Tokens;
use super::super::launch::{Blueprint, refuse_if_any};
use super::super::{Dewar, background};
use super::users::OLDER;
use super::{print, print_json};
use crate::api::{self, ApiTokenInfo, TokenHolder, TokenRequest};
use crate::pages::Error;

/// How many tokens are read at once.
const PAGE: i64 = 500;

/// A new token, the only time that it is shown.
#[derive(Serialize)]
struct NewToken<'a> {
    token: &'a str,
    #[serde(flatten)]
    info: ApiTokenInfo,
}

/// Manages API tokens.
pub(super) async fn run(plan: Blueprint, what: Tokens) -> Result<(), Error> {
    // Listing only reads and opens no room: it migrates, creates and removes nothing.
    if let Tokens::List { json } = what {
        return list(&plan, json).await;
    }
    let opened = plan
        .open()
        .await
        .map_err(|findings| Error::launch(&findings))?;
    let done = change(&opened.dewar, what).await;
    background::end_log(&opened.dewar).await;
    done
}

async fn change(dewar: &Dewar, what: Tokens) -> Result<(), Error> {
    match what {
        Tokens::List { .. } => Ok(()),
        Tokens::Revoke { id, json } => revoke(dewar, &id, json).await,
        Tokens::Add {
            email,
            service: _,
            name,
            scope,
            days,
            json,
        } => {
            let holder = holder(dewar, email.as_deref()).await?;
            let scopes: Vec<&str> = scope.iter().map(String::as_str).collect();
            let request = TokenRequest {
                name: &name,
                scopes: &scopes,
                days,
            };
            let made = dewar.api_tokens().create(None, holder, request).await;
            let (text, info) = made.map_err(|error| wrong(error, dewar))?;
            let token = text.expose();
            if json {
                return print_json(&NewToken { token, info });
            }
            print(&format_args!("{token}\n"))
        }
    }
}

async fn holder(dewar: &Dewar, email: Option<&str>) -> Result<TokenHolder, Error> {
    let Some(email) = email else {
        return Ok(TokenHolder::Service);
    };
    let found = dewar.accounts().find_by_email(email).await;
    let none = || {
        Error::command(format!(
            "no account has the address {email}; `users list` shows all accounts"
        ))
    };
    let user = found.map_err(Error::internal)?.ok_or_else(none)?;
    Ok(TokenHolder::Person(user.id))
}

async fn revoke(dewar: &Dewar, id: &str, json: bool) -> Result<(), Error> {
    let none = || {
        Error::command(format!(
            "no token that works has the id {id:?}; `tokens list` shows all tokens"
        ))
    };
    let holder = api::holder_of(dewar.db(), id).await?.ok_or_else(none)?;
    let revoked = dewar.api_tokens().revoke(None, holder, id).await;
    if !revoked.map_err(Error::internal)? {
        return Err(none());
    }
    if json {
        return print_json(&serde_json::json!({ "id": id, "revoked": true }));
    }
    print(&format_args!("The token {id} no longer works.\n"))
}

/// A mistake of the operator, in words for the operator.
fn wrong(error: api::Error, dewar: &Dewar) -> Error {
    match error {
        api::Error::UnknownScope(scope) => {
            let known = dewar.api_tokens().scope_names();
            let known = if known.is_empty() {
                "this application has no scopes".to_owned()
            } else {
                format!("the scopes are: {}", known.join(", "))
            };
            Error::command(format!(
                "this token cannot have the scope {scope:?}: it does not exist, or the user has not its role; {known}"
            ))
        }
        api::Error::Database(_) => Error::internal(error),
        error @ (api::Error::Name
        | api::Error::NoScope
        | api::Error::NoSuchUser
        | api::Error::Throttled(_)
        | api::Error::TooLong(_)
        | api::Error::TooMany(_)) => Error::command(error),
    }
}

async fn list(plan: &Blueprint, json: bool) -> Result<(), Error> {
    let all = everything(plan).await?;
    if json {
        return print_json(&all);
    }
    let now = plan.clock.now();
    for token in &all {
        let state = match (token.revoked_at, token.is_active(now)) {
            (Some(_), _) => "revoked",
            (None, true) => "active",
            (None, false) => "expired",
        };
        let holder = token
            .user
            .map_or_else(|| "service".to_owned(), |user| format!("user {user}"));
        print(&format_args!(
            "{} {state:<8} {holder:<10} {} [{}]\n",
            token.id,
            token.name,
            token.scopes.join(" ")
        ))?;
    }
    Ok(())
}

async fn everything(plan: &Blueprint) -> Result<Vec<ApiTokenInfo>, Error> {
    refuse_if_any(&plan.findings).map_err(|findings| Error::launch(&findings))?;
    let db = plan.database_to_read().await;
    let Some(db) = db.map_err(|findings| Error::launch(&findings))? else {
        writeln!(io::stderr(), "No tokens: the database does not exist yet")
            .map_err(Error::internal)?;
        return Ok(Vec::new());
    };
    let is_older = !db.migrations_pending(&plan.migrations()).await?.is_empty();
    let mut all: Vec<ApiTokenInfo> = Vec::new();
    loop {
        let after = all.last().map_or("", |token| token.id.as_str());
        let page = match api::page_of_all(&db, after, PAGE).await {
            Err(error) if is_older => return Err(Error::command(format!("{OLDER}: {error}"))),
            page => page?,
        };
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}
