use super::*;
use std::time::Duration;

use crate::forms::{AsProblem, Many, Password, Query, StrictQuery, Unavailable};
use crate::pages::ErrorKind;
use crate::pages::{Languages, NeedsToken, SettingValues};
use axum::extract::FromRequestParts;
use axum::response::IntoResponse;

const GOOD: &str = "title=Milk&body=&colour=red";

fn kind<T: crate::forms::Model>(outcome: Result<Form<T>, Error>) -> Option<ErrorKind> {
    outcome.err().map(|error| error.kind())
}

#[tokio::test]
async fn a_form_becomes_its_type() {
    let note = Browser::new().await;
    let fields =
        "title=+Milk+&body=two+litres&colour=deep_blue&others=red&others=deep_blue&pinned=on";
    let note = note
        .send::<NewNote>(fields)
        .await
        .unwrap()
        .or_rerender("new.html")
        .unwrap();
    assert_eq!(note.title.as_str(), "Milk");
    assert_eq!(note.body.unwrap().as_str(), "<p>two litres</p>");
    assert_eq!(
        (*note.colour, note.others.len(), note.pinned),
        (Colour::DeepBlue, 2, true)
    );
}

#[tokio::test]
async fn a_form_without_a_token_is_refused_and_noted() {
    let browser = Browser::new().await;
    for body in [
        GOOD.to_owned(),
        format!("csrf_token=&{GOOD}"),
        format!("csrf_token=wrong&{GOOD}"),
    ] {
        let request = browser.request("application/x-www-form-urlencoded", body);
        let outcome = Form::<NewNote>::from_request(request, &()).await;
        assert_eq!(kind(outcome), Some(ErrorKind::Forbidden));
    }
    assert_eq!(browser.events().await, ["malicious_csrf"; 3]);
}

#[tokio::test]
async fn another_browsers_token_is_refused() {
    let (browser, other) = (Browser::new().await, Browser::new().await);
    let body = format!("csrf_token={}&{GOOD}", other.gate.token());
    let request = browser.request("application/x-www-form-urlencoded", body);
    assert_eq!(
        kind(Form::<NewNote>::from_request(request, &()).await),
        Some(ErrorKind::Forbidden)
    );
}

#[tokio::test]
async fn a_token_in_the_header_will_do() {
    let browser = Browser::new().await;
    let mut request = browser.request("application/x-www-form-urlencoded; charset=UTF-8", GOOD);
    let token = HeaderValue::from_str(&browser.gate.token()).unwrap();
    request.headers_mut().insert("x-csrf-token", token);
    assert!(Form::<NewNote>::from_request(request, &()).await.is_ok());
}

#[tokio::test]
async fn a_handler_outside_the_stack_is_a_500_and_never_a_pass() {
    let browser = Browser::new().await;
    let body = format!("csrf_token={}&{GOOD}", browser.gate.token());
    let mut request = browser.request("application/x-www-form-urlencoded", body);
    request.extensions_mut().remove::<RequestContext>();
    assert_eq!(
        kind(Form::<NewNote>::from_request(request, &()).await),
        Some(ErrorKind::Internal)
    );
}

#[tokio::test]
async fn fields_that_the_form_does_not_have_are_refused_and_noted() {
    let browser = Browser::new().await;
    for more in [
        "is_admin=true",
        "title=Again",
        "csrf_token=again",
        "%3Cscript%3E=1",
    ] {
        let outcome = browser.send::<NewNote>(&format!("{GOOD}&{more}")).await;
        assert_eq!(kind(outcome), Some(ErrorKind::BadRequest), "{more}");
    }
    assert_eq!(browser.events().await, ["malicious_extraneous"; 4]);
}

#[tokio::test]
async fn a_choice_that_was_not_offered_is_an_error_and_a_security_event() {
    let browser = Browser::new().await;
    let form = browser
        .send::<NewNote>("title=Milk&body=&colour=green")
        .await
        .unwrap();
    assert_eq!(
        form.result()
            .unwrap_err()
            .problems()
            .of(NewNote::COLOUR)
            .count(),
        1
    );
    assert_eq!(browser.events().await, ["input_validation_discrete_fail"]);
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once_with_what_was_typed() {
    let browser = Browser::new().await;
    let form = browser
        .send::<SignUp>("email=%22me%22&password=too-short&age=200&about=%3Cb%3E+hi")
        .await
        .unwrap();
    let view = form.result().unwrap_err();
    let wrong: Vec<&str> = view
        .untyped
        .problems
        .iter()
        .map(|(field, _)| field)
        .collect();
    assert_eq!(wrong, ["email", "password", "age"]);
    let html = shown(&view);
    assert!(
        html.contains("value=\"&quot;me&quot;\"") && html.contains("&lt;b&gt; hi</textarea>"),
        "{html}"
    );
    assert!(
        !html.contains("too-short"),
        "a password is never shown again: {html}"
    );
    let log = format!("{view:?}");
    assert!(
        !log.contains("<b>") && !log.contains("too-short"),
        "what was typed is not in a log: {log}"
    );
}

/// ASVS: V2.2.3
#[tokio::test]
async fn a_rule_between_fields_is_asked_when_each_is_right() {
    let browser = Browser::new().await;
    let form = browser
        .send::<NewNote>("title=Milk&body=Milk&colour=red")
        .await
        .unwrap();
    let html = shown(&form.result().unwrap_err());
    assert!(
        html.contains("Say more than the title.")
            && html.contains("<li>Nothing is said twice.</li>"),
        "{html}"
    );
}

#[tokio::test]
async fn the_page_comes_again_at_422() {
    let browser = Browser::new().await;
    let error = browser
        .send::<NewNote>("title=&body=&colour=red")
        .await
        .unwrap()
        .or_rerender("new.html")
        .unwrap_err();
    assert_eq!(error.into_response().status(), 422);
    let (_, bound) = browser
        .send::<NewNote>(GOOD)
        .await
        .unwrap()
        .bind("new.html")
        .unwrap();
    assert_eq!(
        bound
            .refuse(NewNote::TITLE, "There is one.")
            .into_response()
            .status(),
        422
    );
}

#[tokio::test]
async fn only_forms_are_read() {
    let browser = Browser::new().await;
    for content_type in [
        "application/ld+json",
        "text/json",
        "text/plain",
        "multipart/form-data",
        "application/x-www-form-urlencoded; charset=utf-16",
    ] {
        let outcome = Form::<NewNote>::from_request(browser.request(content_type, GOOD), &()).await;
        assert_eq!(
            kind(outcome),
            Some(ErrorKind::UnsupportedMediaType),
            "{content_type}"
        );
    }
}

#[tokio::test]
async fn a_body_is_bounded_while_it_is_read() {
    let mut browser = Browser::new().await;
    browser.config.body = 4096;
    let long = "x".repeat(5000);
    let outcome = browser.send::<NewNote>(&format!("title={long}")).await;
    assert_eq!(kind(outcome), Some(ErrorKind::TooLarge));
    let outcome = browser.send_parts::<NewFile>(&[("title\"", &long)]).await;
    assert_eq!(kind(outcome), Some(ErrorKind::TooLarge));
}

/// It reads as much of a part as its field may have, and as much of all parts as the form may have.
///
/// ASVS: V2.2.1, V15.2.2
#[tokio::test]
async fn the_texts_of_parts_are_bounded_each_and_together() {
    let mut browser = Browser::new().await;
    let about = "y".repeat(150);
    let texts = [
        ("email\"", "ada@example.org"),
        ("password\"", "a quiet lake before the rain"),
        ("about\"", &about),
    ];
    browser.config.body = 400;
    let form = browser.send_parts::<SignUp>(&texts).await.unwrap();
    assert!(form.result().is_ok());
    // Each is under the limit, and together they are over it.
    browser.config.body = 160;
    let outcome = browser.send_parts::<SignUp>(&texts).await;
    assert_eq!(kind(outcome), Some(ErrorKind::TooLarge));
    // Under the limit of the form, and over that of its field.
    let browser = Browser::new().await;
    let long = "y".repeat(20_000);
    assert!(long.len() < browser.config.body);
    let outcome = browser.send_parts::<SignUp>(&[("about\"", &long)]).await;
    assert_eq!(kind(outcome), Some(ErrorKind::TooLarge));
}

#[tokio::test]
async fn fields_are_counted() {
    let mut browser = Browser::new().await;
    browser.config.fields = 3;
    assert_eq!(
        kind(browser.send::<NewNote>(GOOD).await),
        Some(ErrorKind::TooLarge)
    );
}

#[tokio::test]
async fn a_file_waits_in_quarantine_until_its_owner_is_dropped() {
    let browser = Browser::new().await;
    let form = browser
        .send_parts::<NewFile>(&[
            ("title\"", "Report"),
            (
                "file\"; filename=\"../a.txt\"\r\nContent-Type: text/plain",
                "hello",
            ),
        ])
        .await
        .unwrap();
    let file = form.or_rerender("new.html").unwrap().file.0;
    assert_eq!(
        (file.name(), file.claimed_type(), file.size()),
        ("a.txt", Some("text/plain"), 5)
    );
    assert_eq!(
        (std::fs::read(file.path()).unwrap(), browser.quarantined()),
        (b"hello".to_vec(), 1)
    );
    drop(file);
    assert_eq!(browser.quarantined(), 0);
}

#[tokio::test]
async fn no_byte_of_a_file_is_written_before_the_token_is_checked() {
    let browser = Browser::new().await;
    let token = browser.gate.token();
    let file = ("file\"; filename=\"a.txt\"", "hello");
    for parts in [
        vec![file],
        vec![file, ("csrf_token\"", &token)],
        vec![("csrf_token\"", "wrong"), file],
    ] {
        let outcome = browser.send_parts_alone::<NewFile>(&parts).await;
        assert_eq!(kind(outcome), Some(ErrorKind::Forbidden));
        assert_eq!(browser.quarantined(), 0);
    }
}

/// The type has the count: Dewar reads a further file and does not write it.
///
/// ASVS: V5.2.1
#[tokio::test]
async fn more_files_than_a_field_takes_are_not_written_and_said_beside_it() {
    #[derive(crate::forms::Form, Debug)]
    struct Claim {
        title: Line<20>,
        receipts: Many<Small, 1, 2>,
    }
    let browser = Browser::new().await;
    let (title, file) = (
        ("title\"", "Taxi"),
        ("receipts\"; filename=\"a.txt\"", "5.00"),
    );
    for files in 1..=2 {
        let parts = [vec![title], vec![file; files]].concat();
        let claim = browser.send_parts::<Claim>(&parts).await.unwrap();
        assert_eq!(claim.result().unwrap().receipts.len(), files);
    }
    for files in [0, 3, 20] {
        let parts = [vec![title], vec![file; files]].concat();
        let form = browser.send_parts::<Claim>(&parts).await.unwrap();
        let view = form.result().unwrap_err();
        let problem = view
            .problems()
            .of(Claim::RECEIPTS)
            .next()
            .unwrap()
            .to_string();
        let bound = if files == 0 {
            "at least 1"
        } else {
            "at most 2"
        };
        assert!(problem.contains(bound), "{files}: {problem}");
        let html = shown(&view);
        assert!(
            html.contains("Taxi") && html.contains(" multiple"),
            "{html}"
        );
        assert_eq!(browser.quarantined(), 0);
    }
    // Past the limit of the form, and one more that is also too large: the field still shows it.
    let long = "x".repeat(101);
    let third = ("receipts\"; filename=\"a.txt\"", long.as_str());
    for (parts, status) in [
        ([vec![title], vec![file; 21]].concat(), 413),
        (vec![title, file, file, third], 422),
    ] {
        let form = browser.send_parts::<Claim>(&parts).await.unwrap();
        assert_eq!(browser.quarantined(), 0);
        let again = form.or_rerender("new.html").unwrap_err().into_response();
        assert_eq!(again.status(), status);
    }
}

#[tokio::test]
async fn a_file_field_that_was_left_empty_is_missing_and_no_file() {
    let browser = Browser::new().await;
    let parts = [
        ("title\"", "a"),
        (
            "file\"; filename=\"\"\r\nContent-Type: application/octet-stream",
            "",
        ),
    ];
    let view = browser
        .send_parts::<NewFile>(&parts)
        .await
        .unwrap()
        .result()
        .unwrap_err();
    assert_eq!(
        view.problems()
            .of(NewFile::FILE)
            .next()
            .unwrap()
            .to_string(),
        "Choose a file."
    );
    assert_eq!(browser.quarantined(), 0);
}

#[tokio::test]
async fn a_refused_form_asks_for_its_file_again_and_keeps_none() {
    let browser = Browser::new().await;
    let parts = [("title\"", ""), ("file\"; filename=\"a.txt\"", "hello")];
    let view = browser
        .send_parts::<NewFile>(&parts)
        .await
        .unwrap()
        .result()
        .unwrap_err();
    assert!(shown(&view).contains("Choose the file again."));
    assert_eq!(browser.quarantined(), 0);
}

#[tokio::test]
async fn a_file_where_a_text_belongs_is_refused() {
    let browser = Browser::new().await;
    let outcome = browser
        .send_parts::<NewFile>(&[("title\"; filename=\"a\"", "x")])
        .await;
    assert_eq!(kind(outcome), Some(ErrorKind::BadRequest));
    let outcome = browser
        .send_parts::<NewFile>(&[("title\"", "a"), ("file\"", "a text")])
        .await
        .unwrap();
    assert!(outcome.result().is_err());
}

#[tokio::test]
async fn an_unknown_parameter_of_a_page_is_passed_over_and_a_strict_query_refuses_it() {
    #[derive(crate::forms::Form, Debug)]
    struct Search {
        q: Option<Line<5>>,
    }
    let browser = Browser::new().await;
    for query in [
        "fbclid=x",
        "utm_source=mail&q=milk",
        "q=milk&",
        "&q=milk",
        "q=milk&gclid=%ff%zz%",
        "%ff=1&q=milk&=x&&",
        "a=1&a=2&q=milk",
    ] {
        let mut parts = browser.head(&format!("/?{query}"));
        let page = Query::<Search>::from_request_parts(&mut parts, &()).await;
        let found = page.unwrap().0.q.map(|q| q.as_str().to_owned());
        assert_eq!(found.is_some(), query.contains("q=milk"), "{query}");
        let strict = StrictQuery::<Search>::from_request_parts(&mut parts, &()).await;
        let only_known = ["q=milk&", "&q=milk"].contains(&query);
        assert_eq!(strict.is_ok(), only_known, "{query}");
    }
}

#[tokio::test]
async fn a_query_is_checked_like_a_form() {
    #[derive(crate::forms::Form, Debug)]
    struct Search {
        q: Option<Line<5>>,
        page: Option<Int<1, 9>>,
    }
    let browser = Browser::new().await;
    let ask = async |query: &str| {
        let mut parts = browser.head(&format!("/?{query}"));
        Query::<Search>::from_request_parts(&mut parts, &()).await
    };
    let Query(search) = ask("q=milk&page=2").await.unwrap();
    assert_eq!(
        (search.q.unwrap().as_str(), search.page.unwrap().get()),
        ("milk", 2)
    );
    assert!(
        ask("").await.unwrap().0.q.is_none() && ask("q=&page=").await.unwrap().0.page.is_none()
    );
    for query in ["q=a&q=b", "q=toolong", "page=0", "q=%ff"] {
        assert_eq!(
            ask(query).await.unwrap_err().kind(),
            ErrorKind::BadRequest,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_body_that_https_cut_short_is_told_by_its_reason() {
    use crate::https::BodyError;
    let browser = Browser::new().await;
    let cut = async |error: BodyError| {
        let body = Body::from_stream(futures_util::stream::iter([Err::<bytes::Bytes, _>(error)]));
        let request = browser.request("application/x-www-form-urlencoded", body);
        kind(Form::<NewNote>::from_request(request, &()).await)
    };
    assert_eq!(
        cut(BodyError::TooLarge { limit: 1 }).await,
        Some(ErrorKind::TooLarge)
    );
    assert_eq!(cut(BodyError::TooSlow).await, Some(ErrorKind::TooSlow));
    let broken = BodyError::Broken("reset".into());
    assert_eq!(cut(broken).await, Some(ErrorKind::BadRequest));
}

/// A setting is one fact: the page, the browser's check and the error have the same number.
#[tokio::test]
async fn a_new_password_has_as_many_characters_as_the_settings_say() {
    let browser = Browser::new().await;
    let facts = SettingValues {
        password_characters: 20,
        ..SettingValues::default()
    };
    for (languages, hint) in [
        (Languages::english(), "At least 20 characters."),
        (Languages::german(), "Mindestens 20 Zeichen."),
    ] {
        let language = languages.with_facts(facts).first();
        let value = SignUp::view().value_at(&browser.gate, &language, None);
        let html = value.to_string();
        assert!(html.contains("minlength=\"20\""), "{html}");
        assert!(
            html.contains(hint) && !html.contains("minlength=\"15\""),
            "{html}"
        );
    }
    let send = async |password: &str| {
        let body = format!(
            "csrf_token={}&email=ada%40example.org&password={password}",
            browser.gate.token()
        );
        let mut request = browser.request("application/x-www-form-urlencoded", body);
        let later = RequestContext::in_test(&mut request).later_mut();
        let intake = later.get::<Intake>().unwrap().clone();
        later.insert(intake.with_min_password_length(20));
        let form = Form::<SignUp>::from_request(request, &()).await.unwrap();
        form.result()
    };
    let said = |view: FormView<SignUp>| {
        let problem = view.problems().of(SignUp::PASSWORD).next().unwrap().clone();
        problem.to_string()
    };
    for typed in ["short", "seventeen.letters", "nineteen.characters"] {
        let said = said(send(typed).await.unwrap_err());
        assert!(said.contains("20") && !said.contains("15"), "{said}");
    }
    assert!(send("twenty.characters.or").await.is_ok());
}

#[derive(super::super::Form, Debug)]
struct ChangePassword {
    old: Password,
    new: NewPassword,
}

/// A password manager stores a password under a name, and the user types none here.
#[tokio::test]
async fn a_form_with_a_password_says_whose_it_is() {
    let browser = Browser::new().await;
    let english = Languages::english().first();
    let shown =
        |view: &dyn NeedsToken, person| view.value_at(&browser.gate, &english, person).to_string();
    let name = "-password-owner\" autocomplete=\"username\" value=\"o&#x27;brien@example.org\" readonly hidden>";
    let person = Some("o'brien@example.org");
    let html = shown(&ChangePassword::view(), person);
    assert!(html.contains(name), "{html}");
    let html = shown(
        &ChangePassword::view().username("o'brien@example.org"),
        None,
    );
    assert!(html.contains(name), "{html}");
    // It has no name under which a browser would send it, and appears nowhere else.
    for view in [
        shown(&ChangePassword::view(), None),
        shown(&SignUp::view(), person),
        shown(&NewNote::view(), person),
    ] {
        assert!(!view.contains("autocomplete=\"username\" value"), "{view}");
    }
}

#[derive(Clone, Copy, Debug)]
enum Late {
    Broken,
    Busy,
    Full,
    Name,
}

impl From<Late> for Error {
    fn from(_: Late) -> Self {
        Self::internal("the disk is full")
    }
}

impl AsProblem for Late {
    fn as_problem(&self) -> Option<Problem> {
        match self {
            Self::Broken | Self::Busy | Self::Full => None,
            Self::Name => Some("Somebody is called that.".into()),
        }
    }

    fn as_unavailable(&self) -> Option<Unavailable> {
        match self {
            Self::Broken | Self::Name => None,
            Self::Busy => Some(Unavailable::busy(Duration::from_secs(7), "Later.")),
            Self::Full => Some(Unavailable::disk_full()),
        }
    }
}

/// Nobody types a form again because a disk is full.
///
/// ASVS: V16.5.2
#[tokio::test]
async fn what_the_server_lacks_is_said_at_the_field_and_nothing_typed_is_lost() {
    let browser = Browser::new().await;
    for (late, status, retry, words) in [
        (Late::Full, 507, None, "no room on our disk"),
        (Late::Busy, 503, Some("7"), "Later."),
    ] {
        for accept in ["text/html", "application/json"] {
            let token = browser.gate.token();
            let body = format!("csrf_token={token}&title=Ada&colour=red");
            let mut request = browser.request("application/x-www-form-urlencoded", body);
            super::accept(&mut request, accept);
            let form = Form::<NewNote>::from_request(request, &()).await.unwrap();
            let (_, bound) = form.bind("notes/new.html").unwrap();
            let error = bound
                .or_refuse(Err::<(), _>(late), NewNote::TITLE)
                .unwrap_err();
            let fields: Vec<_> = error.field_problems().to_vec();
            let response = error.into_response();
            assert_eq!(response.status(), status);
            let header = response.headers().get("retry-after");
            assert_eq!(header.map(|value| value.to_str().unwrap()), retry);
            if accept == "application/json" {
                let (field, said) = (&fields[0].field, &fields[0].words);
                assert_eq!(field, "title");
                assert!(said.to_string().contains(words), "{said}");
            }
        }
    }
}

/// If the program finds a problem after the form was read, the page shows it at its field, and no typed value is lost.
#[tokio::test]
async fn an_error_that_a_person_can_correct_is_the_form_again() {
    let browser = Browser::new().await;
    let form = browser
        .send::<NewNote>("title=Ada&colour=red")
        .await
        .unwrap();
    let (_, bound) = form.bind("notes/new.html").unwrap();
    assert_eq!(
        bound.or_refuse(Ok::<_, Late>(7), NewNote::TITLE).unwrap(),
        7
    );
    let passed = bound
        .or_refuse(Err::<(), _>(Late::Broken), NewNote::TITLE)
        .unwrap_err();
    assert_eq!(passed.kind(), ErrorKind::Internal);
    let refused = bound
        .or_refuse(Err::<(), _>(Late::Name), NewNote::TITLE)
        .unwrap_err();
    assert_eq!(refused.into_response().status(), 422);
}

#[derive(super::super::Form, Debug)]
struct Comment {
    version: crate::forms::RecordVersion,
    words: Text<80>,
}

/// A record of one fact.
struct Fact(&'static str);

impl crate::forms::Record for Fact {
    fn facts(&self) -> Vec<String> {
        vec![self.0.to_owned()]
    }
}

/// 409 and not 422, for people and for programs: the request itself is right (RFC 9110, 15.5.10 and 15.5.21).
#[tokio::test]
async fn a_form_about_what_was_changed_is_a_conflict_and_keeps_what_was_typed() {
    let browser = Browser::new().await;
    let version = crate::forms::RecordVersion::of(&Fact("old")).to_string();
    let send = async |accept: &'static str| {
        let sealed = browser
            .gate
            .seal(&["comment", "version"], &version)
            .unwrap();
        let fields = [
            ("csrf_token", browser.gate.token()),
            ("version", sealed),
            ("words", "I agree".to_owned()),
        ];
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let mut request = browser.request("application/x-www-form-urlencoded", body);
        super::accept(&mut request, accept);
        let form = Form::<Comment>::from_request(request, &()).await.unwrap();
        form.bind("new.html").unwrap()
    };
    for accept in ["text/html", "application/json"] {
        let (new, bound) = send(accept).await;
        assert_eq!(new.words.as_str(), "I agree");
        assert!(
            bound
                .or_changed(&new.version, Comment::VERSION, &Fact("old"))
                .is_ok()
        );
        let changed = bound.or_changed(&new.version, Comment::VERSION, &Fact("new"));
        for error in [changed.unwrap_err(), bound.conflict("Open it again.")] {
            assert_eq!(error.into_response().status(), 409, "{accept}");
        }
    }
}
