//! **roles: every route says who may enter.**
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
//! # What it refuses
//!
//! 1. A route without a heading. It cannot be mounted, so nobody can forget the guard (CWE-862).
//! 2. A visitor on a route for signed-in users. People are sent to the sign-in page, programs get 401.
//! 3. A user who no longer has the role. Roles are read with each request (ASVS 8.3.2).
//! 4. A record that is not the user's. [`Scoped`] loads through the user's scope, and a record outside it is 404, like one that does
//!    not exist (CWE-639; ASVS 8.2.2).
//!
//! # How to loosen it
//!
//! Mount the route under another heading. The route table shows it.
//!
//! # What the audit asks
//!
//! `check` asks whether somebody has the administrator's role. The auditor asks whether each route does for each role what the table
//! says. Events: `authz_fail`, `authz_admin` for what an administrator changes, `malicious_direct_reference` for a request for another
//! user's record.

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

/// The examples on the practice's page are compiled like those of the code.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/practices/roles.md")]
struct PracticePage;
