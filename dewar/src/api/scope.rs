/// The scopes of an application's API tokens: its own enum, with `#[derive(ApiScope)]`.
///
/// A token has some of them, and a route under [`App::api`](crate::App::api) requires one. `#[scope(label = "…")]` sets the words
/// that people read. `#[scope(role = Staff::Reviewer)]` ties a scope to a role: a personal token has the scope only while
/// its owner has the role. A service has no roles, so an administrator decides alone which scopes it gets.
///
/// ```
/// use dewar::api::ApiScope;
/// use dewar::roles::Role;
/// #[derive(Role, Clone, Copy, Debug, PartialEq, Eq)]
/// enum Staff { Reviewer, #[role(administrator)] Administrator }
/// #[derive(ApiScope, Clone, Copy, Debug, PartialEq, Eq)]
/// enum Scope {
///     #[scope(label = "Read tickets")]
///     TicketsRead,
///     #[scope(role = Staff::Reviewer)]
///     ReviewsWrite,
/// }
/// assert_eq!(Scope::TicketsRead.name(), "tickets_read");
/// assert_eq!(Scope::ReviewsWrite.role(), Some("reviewer"));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a scope of API tokens",
    label = "not a scope",
    note = "write the scopes as an enum with `#[derive(ApiScope)]` and name one of its variants: a typing error then does not compile"
)]
pub trait ApiScope: Copy + Send + Sync + 'static {
    /// All scopes, in the order of the enum.
    const ALL: &'static [Self];

    /// The name in the database, in the route table and in `WWW-Authenticate`.
    fn name(self) -> &'static str;

    /// The words that people read.
    fn label(self) -> &'static str;

    /// The name of the role that the owner of a personal token needs.
    fn role(self) -> Option<&'static str>;
}

/// A scope as the framework knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ScopeInfo {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) role: Option<&'static str>,
}

impl ScopeInfo {
    /// All scopes of an enum.
    pub(crate) fn all<S: ApiScope>() -> Vec<Self> {
        let info = |scope: &S| Self {
            name: scope.name(),
            label: scope.label(),
            role: scope.role(),
        };
        S::ALL.iter().map(info).collect()
    }
}
