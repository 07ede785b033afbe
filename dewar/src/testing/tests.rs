use super::*;
use std::time::Duration;

const PAGE: &str = r#"
<form class=search action="/find?old=1"><input name=q value=tea></form>
<form method=post action="/notes" id=main>
  <input type=hidden name=csrf_token value="a&amp;b">
  <input name=title value=old><input name=fixed value=f readonly><input name=off value=x disabled>
  <textarea name=body>
one
two</textarea>
  <input type=checkbox name=tags value=red checked><input type=checkbox name=tags value=blue>
  <input type=checkbox name=agree>
  <input type=radio name=size value=s><input type=radio name=size value=l checked>
  <select name=kind><option>Plain note</option><option value=p>Private</option>
    <option value=x disabled>Never</option></select>
  <select name=many multiple><option selected>1<option>2<option selected>3</select>
  <fieldset disabled><input name=fenced value=x></fieldset>
  <button type=button name=no value=x>No</button>
  <button>Save</button><button name=then value=publish formaction="/publish">Publish</button>
</form>
<input name=outside value=o form=main>
<form method=post enctype="multipart/form-data" action="/files">
  <input type=file name=paper><input type=file name=more multiple><input name=note></form>"#;

fn echo(asked: &RecordedRequest) -> OtherSiteReply {
    let told = |name| asked.header(name).unwrap_or("-").to_owned();
    let names = [
        "sec-fetch-site",
        "origin",
        "referer",
        "cookie",
        "content-type",
    ];
    let head: Vec<String> = names.into_iter().map(told).collect();
    OtherSiteReply::bytes(
        "text/plain",
        format!("{}\n{}", head.join("|"), asked.text()),
    )
}

fn pages(asked: &RecordedRequest) -> OtherSiteReply {
    match (asked.method(), asked.path()) {
        (_, "/") => OtherSiteReply::page(PAGE)
            .header(
                "set-cookie",
                "__Host-s=1; Secure; HttpOnly; Path=/; SameSite=Lax",
            )
            .header("referrer-policy", "same-origin"),
        (_, "/see") => OtherSiteReply::page("")
            .status(303)
            .header("location", "/echo"),
        (_, "/again") => OtherSiteReply::page("")
            .status(307)
            .header("location", "/echo"),
        (_, "/link") => OtherSiteReply::page("<a href='echo?x=1#y'>Go</a>"),
        ("GET", "/find") => OtherSiteReply::bytes("text/plain", asked.query().to_owned()),
        _ => echo(asked),
    }
}

async fn visitor() -> (OtherSite, Browser) {
    let site = OtherSite::open(pages).await;
    let browser = Browser::new(site.url(), site.authority_pem());
    (site, browser)
}

#[tokio::test]
async fn a_form_is_sent_as_a_browser_sends_it() {
    let (site, visitor) = visitor().await;
    let form = visitor.get("/").await.form("/notes");
    let answer = visitor.submit(form.fill("title", "Tea & milk")).await;
    let (head, body) = answer
        .text()
        .split_once('\n')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let url = site.url();
    let kind = "application/x-www-form-urlencoded";
    assert_eq!(head, format!("same-origin|{url}|{url}/|__Host-s=1|{kind}"));
    assert_eq!(
        body,
        "csrf_token=a%26b&title=Tea+%26+milk&fixed=f&body=one%0D%0Atwo&tags=red&size=l\
         &kind=Plain+note&many=1&many=3&outside=o"
    );
}

#[tokio::test]
async fn boxes_choices_and_buttons_do_what_a_person_does() {
    let (_site, visitor) = visitor().await;
    let form = visitor.get("/").await.form("form#main");
    let form = form
        .uncheck("tags")
        .choose("tags", "blue")
        .check("agree")
        .choose("size", "s");
    let form = form
        .choose("kind", "p")
        .choose("many", "2")
        .press("Publish");
    assert_eq!(
        (form.method(), form.action().as_str()),
        ("POST", "/publish")
    );
    let (_, body) = form.encoded();
    assert_eq!(
        String::from_utf8_lossy(&body),
        "csrf_token=a%26b&title=old&fixed=f&body=one%0D%0Atwo&tags=blue&agree=on&size=s\
         &kind=p&many=1&many=2&many=3&then=publish&outside=o"
    );
}

#[tokio::test]
async fn an_attackers_form_holds_what_no_person_could_put_in() {
    let (_site, visitor) = visitor().await;
    let form = visitor
        .get("/")
        .await
        .form("/notes")
        .without("csrf_token")
        .without("body");
    let form = form
        .tamper("kind", "x")
        .tamper("fixed", "g")
        .tamper("admin", "1")
        .duplicate("title", "2");
    let (_, body) = form.without("many").encoded();
    assert_eq!(
        String::from_utf8_lossy(&body),
        "title=old&fixed=g&tags=red&size=l&kind=x&outside=o&admin=1&title=2"
    );
}

#[tokio::test]
async fn a_person_cannot_change_what_the_page_does_not_offer() {
    let (_site, visitor) = visitor().await;
    let form = visitor.get("/").await.form("/notes");
    let attempts: [fn(FormOnPage) -> FormOnPage; 7] = [
        |form| form.fill("csrf_token", "x"),
        |form| form.fill("fixed", "x"),
        |form| form.fill("off", "x"),
        |form| form.fill("fenced", "x"),
        |form| form.fill("missing", "x"),
        |form| form.choose("kind", "x"),
        |form| form.press("No"),
    ];
    for (place, attempt) in attempts.into_iter().enumerate() {
        let form = form.clone();
        assert!(
            std::panic::catch_unwind(move || attempt(form)).is_err(),
            "{place}"
        );
    }
}

#[tokio::test]
async fn files_travel_as_multipart_and_an_empty_field_says_so() {
    let (_site, visitor) = visitor().await;
    let form = visitor.get("/").await.form("/files");
    let form = form
        .file("more", "a.png", vec![1, 2])
        .file_as("more", "b.html", "image/png", "<b>");
    let text = visitor.submit(form.fill("note", "n")).await.text();
    let parts = [
        "name=\"paper\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n\r\n",
        "name=\"more\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\u{1}\u{2}\r\n",
        "name=\"more\"; filename=\"b.html\"\r\nContent-Type: image/png\r\n\r\n<b>\r\n",
        "name=\"note\"\r\n\r\nn\r\n",
    ];
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
}

#[tokio::test]
async fn a_search_replaces_the_query_and_links_tell_where_they_stood() {
    let (site, visitor) = visitor().await;
    let page = visitor.get("/").await;
    assert_eq!(
        visitor.submit(page.form("form.search")).await.text(),
        "q=tea"
    );
    let link = visitor.get("/link").await;
    let answer = visitor.click(&link, "a").await;
    assert_eq!(answer.path(), "/echo?x=1");
    assert_eq!(
        answer.text(),
        format!("same-origin|-|{}/link|__Host-s=1|-\n", site.url())
    );
}

#[tokio::test]
async fn redirects_are_followed_one_at_a_time_and_only_when_asked() {
    let (site, visitor) = visitor().await;
    let form = visitor.get("/").await.form("/notes");
    let post = |path: &str| format!("{}{path}", site.url());
    let mut see = form.clone().into_navigation();
    see.url = post("/see").parse().unwrap();
    let answer = visitor.navigate(see.clone()).await;
    assert_eq!(
        (answer.status().as_u16(), answer.location()),
        (303, Some("/echo"))
    );
    let followed = answer.follow().await;
    assert!(
        followed.text().ends_with("|-\n"),
        "a GET without a body: {}",
        followed.text()
    );
    see.url = post("/again").parse().unwrap();
    let followed = visitor.navigate(see).await.follow().await;
    assert!(
        followed.text().contains("\ncsrf_token=a%26b&"),
        "the form again: {}",
        followed.text()
    );
}

#[tokio::test]
async fn another_sites_page_says_so_and_lax_cookies_stay_home() {
    let (_site, visitor) = visitor().await;
    let form = visitor.get("/").await.form("/notes").without("body");
    let evil = visitor.as_cross_site("https://evil.example");
    let head = "cross-site|https://evil.example|https://evil.example/|";
    assert!(
        evil.submit(form.clone())
            .await
            .text()
            .starts_with(&format!("{head}-|"))
    );
    let careless = evil.sending_all_cookies();
    assert!(
        careless
            .submit(form)
            .await
            .text()
            .starts_with(&format!("{head}__Host-s=1|"))
    );
    let link = evil.get("/echo").await.text();
    assert!(
        link.starts_with("cross-site|-|https://evil.example/|__Host-s=1|"),
        "{link}"
    );
}

#[tokio::test]
async fn old_browsers_send_no_fetch_metadata_but_an_origin() {
    let (site, visitor) = visitor().await;
    let form = visitor.get("/").await.form("/notes");
    let answer = visitor.without_fetch_metadata().submit(form).await;
    assert!(
        answer.text().starts_with(&format!("-|{}|", site.url())),
        "{}",
        answer.text()
    );
}

#[tokio::test]
async fn a_raw_request_carries_what_it_was_given_and_nothing_else() {
    let (_site, visitor) = visitor().await;
    visitor.get("/").await;
    let sent = |cookies| {
        visitor
            .raw("PATCH", "/x")
            .form("a=1")
            .cookies(cookies)
            .send()
    };
    let kind = "application/x-www-form-urlencoded";
    assert_eq!(
        sent(Cookies::All).await.unwrap().text(),
        format!("-|-|-|__Host-s=1|{kind}\na=1")
    );
    assert_eq!(
        sent(Cookies::No).await.unwrap().text(),
        format!("-|-|-|-|{kind}\na=1")
    );
    assert_eq!(
        sent(Cookies::CrossSite).await.unwrap().text(),
        format!("-|-|-|-|{kind}\na=1")
    );
}

#[tokio::test]
async fn a_socket_sends_any_bytes_and_tells_how_it_ended() {
    let (_site, visitor) = visitor().await;
    let mut socket = visitor.socket().await.unwrap();
    socket.send(b"GET / HTTP/1.1\r\n").await.unwrap();
    let heard = socket.hear(Duration::from_millis(50)).await;
    assert_eq!((heard.bytes.len(), heard.ending), (0, StreamEnd::Silent));
    socket.send(b"bad header\r\n\r\n").await.unwrap();
    let heard = socket.hear(PATIENCE).await;
    assert_eq!(
        (heard.status(), heard.ending),
        (Some(400), StreamEnd::Closed)
    );
}

#[tokio::test]
async fn a_certificate_of_another_authority_is_refused() {
    let (site, _) = visitor().await;
    let (other, _) = visitor().await;
    let visitor = Browser::new(site.url(), other.authority_pem());
    let refused = visitor.raw("GET", "/").send().await;
    assert!(matches!(refused, Err(Error::Connect(_))), "{refused:?}");
    assert!(visitor.pin().await.is_err());
    assert_eq!(
        Browser::new(site.url(), site.authority_pem())
            .pin()
            .await
            .unwrap()
            .len(),
        44
    );
}

#[tokio::test]
async fn another_visitor_has_cookies_of_their_own_and_stolen_ones_can_be_planted() {
    let (_site, visitor) = visitor().await;
    visitor.get("/").await;
    let stolen = visitor.cookie("__Host-s").unwrap();
    let thief = visitor.another();
    assert!(thief.cookies().is_empty());
    thief.plant_cookie(stolen.name(), stolen.value());
    assert!(
        thief
            .get("/echo")
            .await
            .text()
            .starts_with("none|-|-|__Host-s=1|")
    );
    visitor.forget_cookies();
    assert!(visitor.cookies().is_empty() && !thief.cookies().is_empty());
}

/// A `main` of an application and its tests mount the same function.
#[tokio::test]
async fn a_site_of_a_test_asks_for_a_role_and_gives_its_users_one() {
    #[derive(crate::roles::Role, Clone, Copy)]
    enum Staff {
        Editor,
        #[role(administrator)]
        Owner,
    }
    async fn desk() -> &'static str {
        "The desk"
    }
    fn app(app: crate::App) -> crate::App {
        let sign_in = [
            crate::get(crate::accounts::SIGN_IN, crate::accounts::sign_in_page),
            crate::post(crate::accounts::SIGN_IN, crate::accounts::sign_in),
        ];
        app.public(sign_in)
            .role(Staff::Editor, [crate::get("/desk", desk)])
    }
    let started = std::time::Instant::now();
    let site = Site::start(app).await;
    println!("started in {:?}", started.elapsed());
    let (editor, owner) = (
        site.sign_in_as(Staff::Editor).await,
        site.sign_in_as(Staff::Owner).await,
    );
    println!("two signed in after {:?}", started.elapsed());
    assert_eq!(editor.get("/desk").await.text(), "The desk");
    assert_eq!(owner.get("/desk").await.status(), 403);
    assert_eq!(site.visitor().get("/desk").await.status(), 303);
    site.stop().await;
}
