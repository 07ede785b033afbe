use crate::pages::Language;

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
    /// The type's name in `kebab-case`: the message of this id has the label of each scope in another language, as the attribute
    /// `is-<name>`, such as `scope.is-tickets_read`.
    const NAME: &'static str = "";

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
    /// The name of the enum.
    pub(crate) of: &'static str,
}

impl ScopeInfo {
    /// All scopes of an enum.
    pub(crate) fn all<S: ApiScope>() -> Vec<Self> {
        let info = |scope: &S| Self {
            name: scope.name(),
            label: scope.label(),
            role: scope.role(),
            of: S::NAME,
        };
        S::ALL.iter().map(info).collect()
    }

    /// Its words in this language, or else those in the code.
    pub(crate) fn words(&self, language: &Language) -> String {
        let translated = language.label_of_choice(self.of, &format!("is-{}", self.name));
        translated.unwrap_or_else(|| self.label.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::pages::{Bundle, Languages};

    #[derive(dewar_macros::ApiScope, Clone, Copy, Debug, PartialEq, Eq)]
    enum ApiRight {
        #[scope(label = "Read tickets")]
        TicketsRead,
        TicketsWrite,
    }

    const GERMAN: &str = "api-right = Recht\n    .is-tickets_read = Tickets lesen\n";

    #[test]
    fn a_scope_has_its_words_in_the_language_of_the_reader() {
        const FILES: [(&str, &str); 2] = [("de/app.ftl", GERMAN), ("en/app.ftl", "a = A\n")];
        let bundle = Bundle::inside(
            |name| {
                let found = FILES.iter().find(|(file, _)| *file == name);
                found.map(|(_, text)| Cow::Borrowed(text.as_bytes()))
            },
            || FILES.map(|(name, _)| Cow::Borrowed(name)).into(),
        );
        let german = Languages::load("en", &bundle).named("de");
        let english = Languages::english().first();
        let words = |language| {
            let scopes = ScopeInfo::all::<ApiRight>().into_iter();
            scopes
                .map(|scope| scope.words(language))
                .collect::<Vec<_>>()
        };
        // A label that nobody has translated is that of the code.
        assert_eq!(words(&german), ["Tickets lesen", "Tickets write"]);
        assert_eq!(words(&english), ["Read tickets", "Tickets write"]);
    }
}
