//! **csrf: a request that another site made changes nothing.**
//!
//! ```
//! use dewar::{Form, Redirect, forms};
//! #[derive(Form)]
//! struct Rename { name: forms::Line<80> }
//! // Nothing to remember: a `Form` exists only after both checks.
//! async fn rename(form: Form<Rename>) -> dewar::Result<Redirect> {
//!     let wanted = form.or_rerender("rename.html")?;
//!     Ok(Redirect::to("/").flash(format!("Now called {}.", wanted.name)))
//! }
//! ```
//!
//! # What it refuses
//!
//! A request with an unsafe method, unless all of these hold:
//! 1. `Sec-Fetch-Site` is `same-origin` or `none`, if the browser sent it.
//! 2. `Origin` is this application's own, if the browser sent it.
//! 3. The request has at least one of the two headers. Browsers send one.
//! 4. The form field `csrf_token` or the header `X-CSRF-Token` holds a token of this session. A visitor's token needs the
//!    visitor's own cookie too.
//!
//! A handler gets a [`Form`](struct@crate::Form) only after the token was checked, and no other type can claim that it checks it.
//! Without a form, the route's guard checks the token.
//!
//! A program sends neither header and has no token. Under the heading [`webhook`](crate::App::webhook), and nowhere
//! else, a signature replaces them. It must come from a sender whose key is known, in time, for this address, and no
//! node may have accepted it before (see [`SignatureScheme`]). Its handler has no session, whatever cookies the request
//! has.
//!
//! Dewar also refuses a page that another site requests other than by a link: in a frame, as an image or as a script
//! (resource isolation; ASVS 3.5.8).
//!
//! # How to loosen it
//!
//! There is no way to loosen it.
//!
//! # What the audit asks
//!
//! Does every unsafe route refuse forged requests? Does a webhook refuse a request without a valid signature, and
//! accept a signed one?
//!
//! Sources: OWASP *Cross-Site Request Forgery Prevention*, NIST SP 800-63B-4 5.1, ASVS 3.5.1 to 3.5.3, CWE-352.

mod accepted_delivery;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod origin_check;
mod token;
mod tokens;
mod verified_webhook;
mod webhook;
mod webhook_auth;

pub use tokens::{CsrfChecked, CsrfRejection, CsrfTokens};
pub use verified_webhook::{NotJson, VerifiedWebhook};
pub use webhook::{Webhooks, signature};
pub use webhook_auth::{SignatureScheme, WebhookAuth};

pub(crate) use accepted_delivery::{AcceptedDelivery, MIGRATIONS};
pub(crate) use origin_check::{
    Origin, RequestHead, is_own as is_own_origin, judge, judge_live, judge_web_socket,
};
pub(crate) use tokens::COOKIE as VISITOR_COOKIE;
pub(crate) use webhook::{SenderKeys, WebhookRejection};

/// The cryptography that the room uses besides the keys of `secrets`, for the command `keys inventory`.
pub(crate) fn inventory() -> Vec<crate::audit::inventory::Cryptography> {
    use crate::audit::inventory::{AlgorithmKind, Cryptography, STAYS};
    let mac = "HMAC-SHA256, a shared key of 256 bits or more";
    vec![
        Cryptography::new(
            crate::audit::Practice::Csrf,
            AlgorithmKind::Token,
            "webhooks",
            mac,
        )
        .used_for("webhook requests, one key for each sender")
        .after_quantum(STAYS),
    ]
}

/// The form field that holds the token.
pub const FIELD: &str = "csrf_token";

/// The header that holds the token of a request without a form.
pub const HEADER: &str = "x-csrf-token";

/// Compiles the examples on the practice's page like those of the code.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/practices/csrf.md")]
struct PracticePage;
