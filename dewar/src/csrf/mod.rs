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
//! 3. at least one of the two was sent, for browsers send one; and
//! 4. the form field `csrf_token` or the header `X-CSRF-Token` holds a token made for this very session, or for the
//!    pre-session of a visitor, whose own cookie came along.
//!
//! A handler gets its argument [`Form`](struct@crate::Form) only with the token checked, and no other type can say that it
//! checks it: without a form, the route's guard does.
//!
//! A program sends neither header and has no token. Under the heading [`webhook`](crate::App::webhook), and nowhere else,
//! a request passes by another proof: signed by a sender whose key is known, in time, for this address, and not taken
//! before, on any node (see [`Spelling`]). Whoever's cookies come along, its handler has no session.
//!
//! Beside that, a page that another site asks for in any way but by a link is refused: not in a frame, not as an image
//! or a script (resource isolation; ASVS 3.5.8).
//!
//! *How to loosen it:* not at all.
//!
//! *What the audit asks:* is each unsafe route closed to forged requests; is a delivery refused for its signature alone,
//! and a signed one let in.
//!
//! Sources: OWASP *Cross-Site Request Forgery Prevention*, NIST SP 800-63B-4 5.1, ASVS 3.5.1 to 3.5.3, CWE-352.

mod delivery;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod gate;
mod rule;
mod signed;
mod taken;
mod token;
mod webhook;

pub use delivery::{Delivery, NotJson};
pub use gate::{CsrfChecked, Gate, Refusal};
pub use signed::{Signed, Spelling};
pub use webhook::{Webhooks, signature};

pub(crate) use rule::{Call, Origin, Unproved, judge};
pub(crate) use taken::{MIGRATIONS, Taken};
pub(crate) use webhook::{Refused, Senders};

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
