use std::collections::BTreeMap;
use std::sync::Mutex;

use aws_lc_rs::{digest, hmac};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use dewar_audit::live::{Account, audit};

use super::server::{
    Asked, Reply, escape, found, json, missing, names, options, page, redirect, serve,
};

const NOTHING: [&str; 0] = [];

const FORM: &str = "<form method=post action=/login><input name=user><input type=password name=password></form><a href=/me>me</a>";

/// An application with accounts whose session is a cookie that these two functions write and read.
fn accounts(
    write: impl Fn(&str) -> String + Send + Sync,
    read: impl Fn(&str) -> Option<String> + Send + Sync,
) -> impl Fn(&Asked) -> Reply + Send + Sync {
    let tries = Mutex::new(BTreeMap::<String, u32>::new());
    move |asked: &Asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/") => page(FORM),
        ("POST", "/login")
            if asked
                .headers
                .get("sec-fetch-site")
                .is_some_and(|site| site == "cross-site") =>
        {
            page("refused").status(403)
        }
        ("POST", "/login") => {
            let mut tries = tries.lock().unwrap();
            let count = tries.entry(asked.f("user")).or_default();
            *count += 1;
            if asked.f("user") == "adalove" && asked.f("password") == "right-One-2" {
                *count = 0;
                let cookie = format!("sid={}; HttpOnly; SameSite=Lax", write("adalove"));
                return redirect("/me").header("Set-Cookie", &cookie);
            }
            if *count > 8 {
                page("slow down").status(429)
            } else {
                page("invalid name or password")
            }
        }
        ("GET", "/me") => match read(&asked.cookie("sid")) {
            Some(name) => page(format!(
                "Hello {} <a href=/logout>log out</a>",
                escape(&name)
            )),
            None => redirect("/"),
        },
        _ => missing(),
    }
}

async fn found_with(application: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Vec<String> {
    let mut with_account = options();
    with_account.accounts = vec![Account::new("adalove", "right-One-2")];
    let report = audit(&serve(application).await, &with_account)
        .await
        .unwrap();
    assert_eq!(report.coverage.counts["accounts"], 1, "{report}");
    names(&report)
}

fn random_session() -> impl Fn(&Asked) -> Reply + Send + Sync {
    accounts(
        |_| "9f86d081884c7d65".to_owned(),
        |cookie| (cookie == "9f86d081884c7d65").then(|| "adalove".to_owned()),
    )
}

#[tokio::test]
async fn an_application_with_accounts_that_is_in_order_is_silent() {
    assert_eq!(found_with(random_session()).await, NOTHING);
}

#[tokio::test]
async fn a_session_that_the_visitor_can_write_is_found() {
    let name_of = |text: &str| {
        serde_json::from_str::<serde_json::Value>(text).ok()?["user"]
            .as_str()
            .map(str::to_owned)
    };
    let plain = accounts(
        |name| BASE64.encode(format!("{{\"user\":\"{name}\"}}").as_bytes()),
        move |cookie| name_of(&String::from_utf8(BASE64.decode(cookie.as_bytes()).ok()?).ok()?),
    );
    assert_eq!(found_with(plain).await, ["live-session-forgery cookie:sid"]);
    let sha =
        |text: &str| HEXLOWER.encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    let hashed = accounts(
        move |name| {
            let text = format!("{{\"user\":\"{name}\"}}");
            BASE64.encode(format!("{text}.{}", sha(&text)).as_bytes())
        },
        move |cookie| {
            let text = String::from_utf8(BASE64.decode(cookie.as_bytes()).ok()?).ok()?;
            let (text, hash) = text.rsplit_once('.')?;
            name_of(text).filter(|_| sha(text) == hash)
        },
    );
    assert_eq!(
        found_with(hashed).await,
        ["live-session-forgery cookie:sid"]
    );
}

fn sha1(key: &[u8], text: &[u8]) -> Vec<u8> {
    hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key),
        text,
    )
    .as_ref()
    .to_vec()
}

/// Sessions as Flask signs them.
fn flask(key: &'static str) -> impl Fn(&Asked) -> Reply + Send + Sync {
    let sign = move |signed: &str| {
        BASE64URL_NOPAD.encode(&sha1(
            &sha1(key.as_bytes(), b"cookie-session"),
            signed.as_bytes(),
        ))
    };
    accounts(
        move |name| {
            let signed = format!(
                "{}.aJ1x2w",
                BASE64URL_NOPAD.encode(format!("{{\"user\":\"{name}\"}}").as_bytes())
            );
            format!("{signed}.{}", sign(&signed))
        },
        move |cookie| {
            let (signed, signature) = cookie.rsplit_once('.')?;
            (sign(signed) == signature).then(|| "adalove".to_owned())
        },
    )
}

#[tokio::test]
async fn a_weak_key_of_sessions_is_guessed_and_a_strong_one_is_not() {
    assert_eq!(
        found_with(flask("aaaaaaa")).await,
        ["live-weak-session-key cookie:sid"]
    );
    assert_eq!(found_with(flask("6zJ7hT0mYbq3V9x1")).await, NOTHING);
}

/// Tokens as JWT libraries sign them.
fn jwt(key: &'static str, verifies: bool) -> impl Fn(&Asked) -> Reply + Send + Sync {
    let sign = move |signed: &str| {
        BASE64URL_NOPAD.encode(
            hmac::sign(
                &hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()),
                signed.as_bytes(),
            )
            .as_ref(),
        )
    };
    accounts(
        move |name| {
            let header = BASE64URL_NOPAD.encode(b"{\"alg\":\"HS256\",\"typ\":\"JWT\"}");
            let signed = format!(
                "{header}.{}",
                BASE64URL_NOPAD
                    .encode(format!("{{\"sub\":\"{name}\",\"exp\":99999999999}}").as_bytes())
            );
            format!("{signed}.{}", sign(&signed))
        },
        move |cookie| {
            let (signed, signature) = cookie.rsplit_once('.')?;
            let claims = BASE64URL_NOPAD
                .decode(signed.split('.').nth(1)?.as_bytes())
                .ok()?;
            let claims: serde_json::Value = serde_json::from_slice(&claims).ok()?;
            let name = claims["sub"].as_str()?.to_owned();
            (!verifies || sign(signed) == signature).then_some(name)
        },
    )
}

#[tokio::test]
async fn a_token_without_a_check_or_with_a_weak_key_is_found() {
    assert_eq!(
        found_with(jwt("6zJ7hT0mYbq3V9x1", false)).await,
        ["live-jwt-unverified cookie:sid"]
    );
    assert_eq!(
        found_with(jwt("secret", true)).await,
        ["live-jwt-weak-key cookie:sid"]
    );
    assert_eq!(found_with(jwt("6zJ7hT0mYbq3V9x1", true)).await, NOTHING);
}

/// Notes of a signed-in account, with a check of the token or without.
fn notes(checks: bool) -> impl Fn(&Asked) -> Reply + Send + Sync {
    let inner = accounts(
        |_| "9f86d081884c7d65".to_owned(),
        |cookie| (cookie == "9f86d081884c7d65").then(|| "adalove".to_owned()),
    );
    let kept = Mutex::new(Vec::<String>::new());
    move |asked: &Asked| {
        let is_in = asked.cookie("sid") == "9f86d081884c7d65";
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/me") if is_in => page(format!(
                "Hello adalove <a href=/logout>log out</a><form method=post action=/notes><input type=hidden name=csrf_token value=0123456789abcdef01><input name=text></form>{}",
                escape(&kept.lock().unwrap().join(" "))
            )),
            ("POST", "/notes")
                if is_in && (!checks || asked.f("csrf_token") == "0123456789abcdef01") =>
            {
                kept.lock().unwrap().push(asked.f("text"));
                redirect("/me")
            }
            ("POST", "/notes") => page("refused").status(403),
            ("POST", "/login") => {
                let reply = inner(asked);
                // Nothing but the form stands against other sites.
                let headers = reply
                    .headers
                    .iter()
                    .map(|(name, value)| (name.clone(), value.replace("; SameSite=Lax", "")))
                    .collect();
                Reply { headers, ..reply }
            }
            _ => inner(asked),
        }
    }
}

#[tokio::test]
async fn a_token_that_nobody_checks_is_found_by_the_change() {
    assert_eq!(found_with(notes(false)).await, ["live-csrf"]);
    assert_eq!(found_with(notes(true)).await, NOTHING);
}

#[tokio::test]
async fn a_well_known_account_and_endless_tries_are_found() {
    let application = |asked: &Asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/") => page(
            "<form method=post action=/login><input name=user><input type=password name=password></form>",
        ),
        ("POST", "/login") if asked.f("user") == "admin" && asked.f("password") == "admin" => {
            redirect("/me").header("Set-Cookie", "sid=0123456789abcdef; HttpOnly; SameSite=Lax")
        }
        ("POST", "/login") => page("invalid name or password"),
        ("GET", "/me") if asked.cookie("sid") == "0123456789abcdef" => {
            page("<a href=/logout>log out</a>")
        }
        ("GET", "/me") => redirect("/"),
        _ => missing(),
    };
    assert_eq!(found(application).await, ["live-default-credentials"]);
}

fn is_cross_site(asked: &Asked) -> bool {
    asked
        .headers
        .get("sec-fetch-site")
        .is_some_and(|site| site == "cross-site")
}

/// An application in which everybody can sign up.
fn club(
    least: usize,
    limit: Option<u32>,
    says_who: bool,
) -> impl Fn(&Asked) -> Reply + Send + Sync {
    let members = Mutex::new(BTreeMap::<String, String>::new());
    let tries = Mutex::new(BTreeMap::<String, u32>::new());
    move |asked: &Asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/") => page(format!("{FORM}<a href=/join>join</a>")),
        ("GET", "/join") => page(
            "<form method=post action=/register><input name=user><input type=password name=password></form>",
        ),
        ("POST", _) if is_cross_site(asked) => page("refused").status(403),
        ("POST", "/register")
            if asked.f("password").len() < least || asked.f("password") == "password" =>
        {
            page("that is too short").status(422)
        }
        ("POST", "/register") => {
            members
                .lock()
                .unwrap()
                .insert(asked.f("user"), asked.f("password"));
            redirect("/")
        }
        ("POST", "/login") => {
            let members = members.lock().unwrap();
            let mut tries = tries.lock().unwrap();
            let count = tries.entry(asked.f("user")).or_default();
            *count += 1;
            if limit.is_some_and(|limit| *count > limit) {
                return page("slow down").status(429);
            }
            match members.get(&asked.f("user")) {
                Some(password) if *password == asked.f("password") => {
                    *count = 0;
                    redirect("/me").header(
                        "Set-Cookie",
                        &format!("sid=member-{}; HttpOnly; SameSite=Lax", asked.f("user")),
                    )
                }
                Some(_) if says_who => page("the password is wrong"),
                _ => page("invalid name or password"),
            }
        }
        ("GET", "/me") => match asked
            .cookie("sid")
            .strip_prefix("member-")
            .filter(|name| members.lock().unwrap().contains_key(*name))
        {
            Some(_) => page("<a href=/logout>log out</a>"),
            None => redirect("/"),
        },
        _ => missing(),
    }
}

#[tokio::test]
async fn short_passwords_endless_tries_and_telling_messages_are_found() {
    assert_eq!(found(club(1, Some(8), false)).await, ["live-weak-password"]);
    assert_eq!(found(club(8, None, false)).await, ["live-brute-force"]);
    assert_eq!(found(club(8, Some(8), false)).await, NOTHING);
    let telling = audit(&serve(club(8, Some(8), true)).await, &options())
        .await
        .unwrap();
    assert!(
        telling
            .findings
            .iter()
            .any(|finding| finding.id == "live-user-enumeration"),
        "{telling}"
    );
    let silent = audit(&serve(club(8, Some(8), false)).await, &options())
        .await
        .unwrap();
    assert!(
        silent
            .findings
            .iter()
            .all(|finding| finding.id != "live-user-enumeration"),
        "{silent}"
    );
}

#[tokio::test]
async fn files_that_are_not_for_visitors_are_found_by_what_they_hold() {
    let bad = |asked: &Asked| match asked.path.as_str() {
        "/" => page("x"),
        "/.git/HEAD" => Reply {
            headers: Vec::new(),
            ..page("ref: refs/heads/main\n")
        },
        "/.env" => Reply {
            headers: Vec::new(),
            ..page("SECRET_KEY=abc\nDEBUG=1\n")
        },
        "/console" => page("<title>Interactive Console</title>"),
        _ => missing(),
    };
    assert_eq!(found(bad).await, ["live-debugger", "live-exposed-file"]);
    let all = |_: &Asked| Reply {
        headers: Vec::new(),
        ..page("ref: refs/heads/main\n")
    };
    assert_eq!(found(all).await, NOTHING);
}

#[tokio::test]
async fn an_origin_that_is_sent_back_with_credentials_is_found() {
    let cors = |all: bool| {
        move |asked: &Asked| match (asked.path.as_str(), asked.headers.get("origin")) {
            ("/", None) => page("x"),
            ("/", Some(origin)) if all => page("x")
                .header("Access-Control-Allow-Origin", origin)
                .header("Access-Control-Allow-Credentials", "true"),
            ("/", Some(_)) => page("x").header("Access-Control-Allow-Origin", "*"),
            _ => missing(),
        }
    };
    assert_eq!(found(cors(true)).await, ["live-cors header:Origin"]);
    assert_eq!(found(cors(false)).await, NOTHING);
}

#[tokio::test]
async fn an_uploaded_page_that_comes_back_as_a_page_is_found() {
    let uploads = |attaches: bool| {
        let kept = Mutex::new(BTreeMap::<String, String>::new());
        move |asked: &Asked| match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/") => page(
                "<form method=post action=/send enctype=multipart/form-data><input type=file name=doc></form>",
            ),
            ("POST", "/send") => {
                let name = asked
                    .body
                    .split("filename=\"")
                    .nth(1)
                    .and_then(|rest| rest.split('"').next())
                    .unwrap_or_default();
                let content = asked
                    .body
                    .split("\r\n\r\n")
                    .nth(1)
                    .and_then(|rest| rest.split("\r\n--").next())
                    .unwrap_or_default();
                let name = name.rsplit('/').next().unwrap_or_default().to_owned();
                kept.lock()
                    .unwrap()
                    .insert(format!("/uploads/{name}"), content.to_owned());
                page(format!("<a href=\"/uploads/{}\">sent</a>", escape(&name)))
            }
            ("GET", path) => match kept.lock().unwrap().get(path) {
                Some(content) if attaches => {
                    page(content.clone()).header("Content-Disposition", "attachment")
                }
                Some(content) => page(content.clone()),
                None => missing(),
            },
            _ => missing(),
        }
    };
    let all = found(uploads(false)).await;
    assert!(
        all.contains(&"live-upload-active file:doc".to_owned()),
        "{all:?}"
    );
    assert_eq!(found(uploads(true)).await, NOTHING);
}

#[tokio::test]
async fn a_field_that_no_form_has_is_found_when_it_is_kept() {
    let users = |copies_all: bool| {
        move |asked: &Asked| match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/") => page(
                "<script>fetch('/api/notes', {method: 'POST', body: JSON.stringify({title: t})})</script>",
            ),
            ("POST", "/api/notes") => {
                let sent: serde_json::Value = serde_json::from_str(&asked.body).unwrap_or_default();
                let mut record = serde_json::json!({"title": sent["title"], "role": "user"});
                if copies_all && sent["role"].is_string() {
                    record["role"] = sent["role"].clone();
                }
                json(record.to_string())
            }
            _ => missing(),
        }
    };
    assert_eq!(found(users(true)).await, ["live-mass-assignment json:role"]);
    assert_eq!(found(users(false)).await, NOTHING);
}

#[tokio::test]
async fn a_list_of_accounts_with_their_passwords_is_found() {
    let list = |hides: bool| {
        move |asked: &Asked| match asked.path.as_str() {
            "/" => page("<a href=/api/people>people</a>"),
            "/api/people" if hides => json("[{\"name\": \"ada\", \"password\": null}]"),
            "/api/people" => json("[{\"name\": \"ada\", \"password\": \"5f4dcc3b5aa765d6\"}]"),
            _ => missing(),
        }
    };
    assert_eq!(
        found(list(false)).await,
        ["live-sensitive-data answer:password"]
    );
    assert_eq!(found(list(true)).await, NOTHING);
}

/// Two members; each note has an address of its own.
fn diary(scopes: bool) -> impl Fn(&Asked) -> Reply + Send + Sync {
    let kept = Mutex::new(Vec::<(String, String)>::new());
    move |asked: &Asked| {
        let who = asked
            .cookie("sid")
            .strip_prefix("member-")
            .map(str::to_owned);
        match (asked.method.as_str(), asked.path.as_str(), who) {
            ("GET", "/", _) => page(FORM),
            ("POST", "/login", _)
                if asked.f("password") == format!("{}-Pass-1", asked.f("user")) =>
            {
                redirect("/me").header(
                    "Set-Cookie",
                    &format!("sid=member-{}; HttpOnly; SameSite=Lax", asked.f("user")),
                )
            }
            ("POST", "/login", _) => {
                page("invalid name or password").status(if asked.f("user").starts_with("zq") {
                    429
                } else {
                    200
                })
            }
            ("GET", "/me", Some(who)) => {
                let kept = kept.lock().unwrap();
                let own = kept
                    .iter()
                    .enumerate()
                    .filter(|(_, (owner, _))| *owner == who);
                let links: String = own
                    .map(|(id, _)| format!("<a href=/notes/{id}>note</a>"))
                    .collect();
                page(format!(
                    "<a href=/logout>log out</a><form method=post action=/notes><input name=text></form>{links}"
                ))
            }
            ("POST", "/notes", Some(who)) if !asked.headers.contains_key("sec-fetch-site") => {
                kept.lock().unwrap().push((who, asked.f("text")));
                redirect("/me")
            }
            ("GET", path, Some(who)) => {
                let id = path
                    .strip_prefix("/notes/")
                    .and_then(|id| id.parse::<usize>().ok());
                let kept = kept.lock().unwrap();
                let note = id
                    .and_then(|id| kept.get(id))
                    .filter(|(owner, _)| !scopes || *owner == who);
                note.map_or_else(missing, |(_, text)| page(escape(text)))
            }
            ("GET", _, None) => redirect("/"),
            _ => page("refused").status(403),
        }
    }
}

#[tokio::test]
async fn anothers_object_is_found_by_its_marker() {
    let mut two = options();
    two.accounts = vec![
        Account::new("adalove", "adalove-Pass-1"),
        Account::new("gracehop", "gracehop-Pass-1"),
    ];
    let bad = audit(&serve(diary(false)).await, &two).await.unwrap();
    assert_eq!(names(&bad), ["live-object-access path:segment 2"], "{bad}");
    let good = audit(&serve(diary(true)).await, &two).await.unwrap();
    assert_eq!(names(&good), NOTHING, "{good}");
}
