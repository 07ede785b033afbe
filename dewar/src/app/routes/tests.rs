use http::Request;

use super::*;
use crate::audit::Reserve;
use crate::forms::Config;

/// The room of the reserve is for people who sign in, sign out and end sessions; everything else that writes waits.
///
/// ASVS: V15.2.2
#[test]
fn while_the_disk_is_full_only_what_secures_an_account_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let reserve = Reserve::take(folder.path(), 1);
    let intake = Intake::new(Config::default(), folder.path()).beside(reserve.clone());
    let waits = |asks, path: &str| {
        let request = Request::post(path).extension(intake.clone());
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let route = Guarded {
            handler: (),
            access: Access::SignedIn,
            asks,
            pace: Pace::OfAll,
            recently: false,
            form: None,
        };
        route.waits_for_room(&parts)
    };
    let signed = Asks::Signature(Signed::by("billing"));
    let all = [
        (Asks::Form, "/documents", true),
        (Asks::Token, "/documents/7/delete", true),
        (signed, "/deliveries", true),
        (Asks::Form, "/account/name", true),
        (Asks::Nothing, "/documents", false),
        (Asks::Form, SIGN_IN, false),
        (Asks::Token, SIGN_OUT, false),
        (Asks::Form, CONFIRM, false),
        (Asks::Token, "/account/sessions/end-others", false),
        (Asks::Token, "/account/sessions/abc/end", false),
        (Asks::Token, "/account/sessions-of-others", true),
        (Asks::Token, "/sign-in/again", true),
    ];
    for (asks, path, _) in all {
        assert!(!waits(asks, path), "there is room: {path}");
    }
    reserve.give_up();
    for (asks, path, wanted) in all {
        assert_eq!(waits(asks, path), wanted, "{path}");
    }
}
