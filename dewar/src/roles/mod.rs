//! **roles: who may enter, and who asks.**
//!
//! ```
//! use dewar::{App, Page, get, roles::Role};
//! #[derive(Role, Clone, Copy, Debug, PartialEq, Eq)]
//! enum Staff {
//!     Reviewer,
//!     #[role(administrator)]
//!     Administrator,
//! }
//! async fn queue() -> Page { Page::new("queue.html") }
//! fn app(app: App) -> App { app.role(Staff::Reviewer, [get("/reviews", queue)]) }
//! ```
//!
//! What the room refuses
//! 1. A route without a heading: it cannot be mounted, so nobody can forget the guard (CWE-862).
//! 2. A visitor where somebody must be signed in: people are sent to the sign-in page, programs get 401.
//! 3. Somebody who has the role no longer: roles are read with each request (ASVS 8.3.2).
//! 4. A record that is not the caller's: [`Scoped`] loads through the caller's scope, and what is outside it is 404, as
//!    if it were not there (CWE-639; ASVS 8.2.2).
//!
//! *How to loosen it:* put the route under another heading; the route table shows it.
//!
//! *What the audit asks:* `check` asks whether somebody has the administrator's role; the auditor, whether each route x
//! role does what the table says. Events: `authz_fail`, `authz_admin` for what an administrator changes,
//! `malicious_direct_reference` for a record of somebody else.

mod access;
mod checks;
mod guard;
mod role;
mod scoped;

pub use access::Access;
pub use dewar_macros::Role;
pub use role::Role;
pub use scoped::{Scope, Scoped};

pub(crate) use checks::findings;
pub(crate) use guard::admit;
