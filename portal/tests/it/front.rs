//! The front page, and the effects of the portal's script.

use serde_json::json;

use crate::chromium;
use crate::company::{PASSWORD, Portal, add};

#[tokio::test]
async fn a_visitor_signs_in_on_the_front_page() {
    let portal = Portal::open().await;
    add(&portal.running, "ada", &["member"]).await;
    let visitor = portal.visitor();
    let front = visitor.get("/").await;
    let form = front.form("/sign-in");
    let form = form
        .fill("email", "ada@example.org")
        .fill("password", PASSWORD);
    let answer = visitor.submit(form).await;
    assert_eq!(answer.status(), 303);
    let front = visitor.get("/").await.text();
    assert!(front.contains("action=\"/sign-out\""), "{front}");
    assert!(!front.contains("action=\"/sign-in\""), "{front}");
}

/// A link to a page that the settings close leads to a 404.
#[tokio::test]
async fn a_visitor_is_led_to_sign_up_where_that_is_open() {
    for (setting, open) in [("open", true), ("closed", false)] {
        let portal = Portal::open_with(&[("DEWAR_ACCOUNTS_SIGN_UP", setting)]).await;
        let visitor = portal.visitor();
        assert_eq!(
            visitor.get("/sign-up").await.status() == 200,
            open,
            "{setting}"
        );
        for page in ["/", "/sign-in", "/forgot"] {
            let text = visitor.get(page).await.text();
            assert_eq!(text.contains("href=\"/sign-up\""), open, "{setting} {page}");
        }
    }
}

/// Presses the button of a form twice and returns how often the form was sent, and the same after going back to the page.
const TWICE: &str = "(() => {
  let sent = 0;
  addEventListener('submit', event => { sent += !event.defaultPrevented; event.preventDefault(); });
  const form = document.querySelector('form[action=\"/sign-in\"]');
  form.noValidate = true;
  const twice = () => { form.requestSubmit(); form.requestSubmit(); return sent; };
  const first = twice();
  dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }));
  return [first, twice()];
})()";

#[tokio::test(flavor = "multi_thread")]
async fn a_form_is_sent_once_however_often_its_button_is_pressed() {
    let portal = Portal::open().await;
    let visitor = portal.visitor();
    let Some(chromium) = chromium::or_skip(&[&visitor]).await else {
        return;
    };
    let person = chromium.person().await;
    let page = person.page().await;
    page.goto(&format!("{}/", portal.running.url())).await;
    assert_eq!(page.evaluate(TWICE).await, json!([1, 2]));
    let troubles = page.troubles().await;
    assert!(troubles.is_empty(), "{troubles:#?}");
}
