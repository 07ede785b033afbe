//! **csrf: a request that another site made does not change anything here.**
//!
//! ```
//! use dewar::{Form, Redirect, forms};
//! #[derive(Form)]
//! struct Rename { name: forms::Line<80> }
//! // Nothing to remember: `Form` cannot be had without both checks.
//! async fn rename(form: Form<Rename>) -> dewar::Result<Redirect> {
//!     let wanted = form.or_show("rename.html")?;
//!     Ok(Redirect::to("/").flash(format!("Now called {}.", wanted.name)))
//! }
//! ```
//!
//! What the room refuses. A request with an unsafe method passes only if
//! 1. `Sec-Fetch-Site`, where the browser sends it, says `same-origin` or `none`; and
//! 2. `Origin`, where it is sent, is this application's own; and
//! 3. at least one of the two was sent; and
//! 4. the form field `csrf_token` or the header `X-CSRF-Token` holds a token made for this very session, or for the
//!    pre-session of a visitor, whose own cookie came along.
//!
//! Beside that, a page that another site asks for in any way but by a link is refused: not in a frame, not as an image
//! or a script (resource isolation; ASVS 3.5.8).
//!
//! *How to loosen it:* not at all. An address that other programs call stands under the heading
//! [`webhook`](crate::App::webhook), which asks for another proof: a signature.
//!
//! *What the audit asks:* does every unsafe route read a form, or stand under `webhook`.
//!
//! Sources: OWASP *Cross-Site Request Forgery Prevention*, NIST SP 800-63B-4 5.1, ASVS 3.5.1 to 3.5.3, CWE-352.

mod gate;
mod rule;
mod token;
mod webhook;

pub use gate::{CsrfChecked, Gate, Refusal};
pub use webhook::{Delivery, NotJson, Signed, Webhooks};

pub(crate) use rule::{Call, judge};

/// What cryptography the room uses beside the keys of `secrets`, for the command `keys inventory`.
pub(crate) fn inventory() -> Vec<crate::audit::inventory::Cryptography> {
    use crate::audit::inventory::{Cryptography, Kind, STAYS};
    let mac = "HMAC-SHA256, a key of 256 bits or more that is shared with the sender";
    vec![
        Cryptography::new(crate::audit::Word::Csrf, Kind::Token, "webhooks", mac)
            .used_for("deliveries of other programs, one key for each sender")
            .after_quantum(STAYS),
    ]
}

/// The form field that holds the token.
pub const FIELD: &str = "csrf_token";

/// The header that holds it where there is no form.
pub const HEADER: &str = "x-csrf-token";
