use crate::accounts::{CONFIRM, SIGN_IN, SIGN_OUT};
use http::Request;

use super::*;
use crate::audit::Reserve;
use crate::forms::Config;
use crate::pages::Fixture;

fn with(intake: &Intake) -> http::Extensions {
    let mut later = http::Extensions::new();
    later.insert(intake.clone());
    later
}

/// The room of the reserve is for people who sign in, sign out and end sessions; everything else that writes waits.
///
/// ASVS: V15.2.2
#[test]
fn while_the_disk_is_full_only_what_secures_an_account_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let rooms = Fixture::new(folder.path());
    let reserve = Reserve::take(folder.path(), 1);
    let intake = Intake::new(Config::default(), folder.path()).beside(reserve.clone());
    let waits = |asks, path: &str| {
        let mut request = Request::post(path).body(()).unwrap();
        rooms.enter(&mut request, with(&intake));
        let route = Guarded {
            stays_open: None,
            only_reads: None,
            policy: None,
            handler: (),
            access: Access::SignedIn,
            asks,
            pace: RouteRates::default(),
            recently: false,
            factor_recently: false,
            form: None,
        };
        let context = RequestContext::in_test(&mut request);
        route.waits_for_room(path, context).unwrap()
    };
    let signed = RequiredProof::Signature(WebhookAuth::hmac("billing"));
    let all = [
        (RequiredProof::Form, "/documents", true),
        (RequiredProof::Token, "/documents/7/delete", true),
        (signed, "/deliveries", true),
        (RequiredProof::Form, "/account/name", true),
        (RequiredProof::Nothing, "/documents", false),
        (RequiredProof::Form, SIGN_IN, false),
        (RequiredProof::Token, SIGN_OUT, false),
        (RequiredProof::Form, CONFIRM, false),
        (RequiredProof::Token, "/account/sessions/end-others", false),
        (RequiredProof::Token, "/account/sessions/abc/end", false),
        (RequiredProof::Token, "/account/sessions-of-others", true),
        (RequiredProof::Token, "/sign-in/again", true),
    ];
    for (asks, path, _) in all {
        assert!(!waits(asks, path), "there is room: {path}");
    }
    reserve.give_up();
    for (asks, path, wanted) in all {
        assert_eq!(waits(asks, path), wanted, "{path}");
    }
}

async fn done() -> &'static str {
    "done"
}

/// A route answers before its handler runs: nothing is written while the disk is full, and a form that is only shown again
/// does nothing.
///
/// ASVS: V15.2.2, V3.5.1
#[tokio::test]
async fn a_button_waits_for_room_and_is_never_pressed_by_showing_a_form_again() {
    let folder = tempfile::tempdir().unwrap();
    let rooms = Fixture::new(folder.path());
    let reserve = Reserve::take(folder.path(), 1);
    let intake = Intake::new(Config::default(), folder.path()).beside(reserve.clone());
    let answer = async |asks, only_shown: bool| {
        let mut request = Request::post("/documents/7/delete").body(()).unwrap();
        rooms.enter(&mut request, with(&intake));
        RequestContext::in_test(&mut request).admission.show_only = only_shown;
        let (parts, ()) = request.into_parts();
        let route = Guarded {
            stays_open: None,
            only_reads: None,
            policy: None,
            handler: done,
            access: Access::Public,
            asks,
            pace: RouteRates::unlimited(),
            recently: false,
            factor_recently: false,
            form: None,
        };
        let passed = route.pass::<((),), ()>(parts, Body::empty(), ()).await;
        passed
            .map(|response| response.status())
            .map_err(|error| error.kind())
    };
    let ok = Ok(StatusCode::OK);
    let busy = Err(ErrorKind::InsufficientStorage);
    for full in [false, true] {
        if full {
            reserve.give_up();
        }
        let button = answer(RequiredProof::Token, false).await;
        assert_eq!(button == busy, full, "{button:?}");
        assert_ne!(button, ok, "it has no token");
        assert_eq!(
            answer(RequiredProof::Token, true).await,
            Err(ErrorKind::Forbidden)
        );
        assert_eq!(
            answer(RequiredProof::Form, true).await,
            ok,
            "its form decides"
        );
        assert_eq!(answer(RequiredProof::Nothing, false).await, ok);
    }
}
