/// The roles of an application: its own enum, with `#[derive(Role)]`.
///
/// One variant is marked `#[role(administrator)]`; the first person who is set up gets it. A person may have several
/// roles or none.
///
/// ```
/// use dewar::roles::Role;
/// #[derive(Role, Clone, Copy, Debug, PartialEq, Eq)]
/// enum Staff { Reviewer, #[role(administrator)] HeadOfOffice }
/// assert_eq!(Staff::HeadOfOffice.name(), "head_of_office");
/// assert_eq!(Staff::administrator(), Staff::HeadOfOffice);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a role",
    label = "not a role",
    note = "write the roles as an enum with `#[derive(Role)]` and name one of its variants: a typing error then does not compile"
)]
pub trait Role: Copy + Send + Sync + 'static {
    /// All roles, in the order of the enum.
    const ALL: &'static [Self];

    /// The name in the database and in the route table.
    fn name(self) -> &'static str;

    /// The name that people read.
    fn label(self) -> &'static str;

    /// The role of those who run the application.
    fn administrator() -> Self;
}
