//! The pages of accounts in the route table: where each is, and what leads to one that is not there.

use super::{RouteEntry, RouteTable};
use crate::app::stack::CHANGE_PASSWORD_PATH;
use crate::audit::{Finding, Practice};
use crate::pages::{AccountPage, AccountPaths, LocalPath};
use crate::roles::Access;

impl RouteEntry {
    /// The page of accounts that it is, or whose form it takes: by its handler, or by its usual path.
    fn account_page(&self) -> Option<AccountPage> {
        let mut all = AccountPage::ALL.into_iter();
        self.takes
            .account_page
            .or_else(|| all.find(|page| is_shape(page.usual_path(), self.path)))
    }

    fn takes_form_of(&self, pages: &[AccountPage]) -> bool {
        self.method == "POST"
            && self
                .account_page()
                .is_some_and(|page| pages.contains(&page))
    }
}

/// Whether two paths differ at most in the names of their parameters.
fn is_shape(one: &str, other: &str) -> bool {
    let is_parameter = |part: &str| part.starts_with('{') && part.ends_with('}');
    let (mut one, mut other) = (one.split('/'), other.split('/'));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b || is_parameter(a) && is_parameter(b) => {}
            _ => return false,
        }
    }
}

impl RouteTable {
    /// Whether this page, or button, is mounted.
    pub(in crate::app) fn has_page(&self, page: AccountPage) -> bool {
        let routes = self.routes_of(page);
        routes.iter().any(|entry| entry.method == page.method())
    }

    /// Whether a route takes the form of this page.
    pub(in crate::app) fn takes_form_of(&self, page: AccountPage) -> bool {
        self.own.iter().any(|entry| entry.takes_form_of(&[page]))
    }

    /// The routes of a page: those of its handlers, or else the one at its usual path.
    fn routes_of(&self, page: AccountPage) -> Vec<&RouteEntry> {
        let own = self.own.iter();
        let known: Vec<_> = own
            .clone()
            .filter(|entry| entry.takes.account_page == Some(page))
            .collect();
        let of_method = |routes: &[&RouteEntry]| {
            let mut routes = routes.iter();
            routes.any(|entry| entry.method == page.method())
        };
        if of_method(&known) {
            return known;
        }
        let usual = own.filter(|entry| {
            entry.takes.account_page.is_none() && is_shape(page.usual_path(), entry.path)
        });
        known.into_iter().chain(usual).collect()
    }

    /// Adds the path where password managers look for the page to change a password, if there is one and the application has
    /// no route of its own that takes it.
    pub(in crate::app) fn provide_change_password(&mut self) {
        let is_mounted = self
            .account_paths()
            .pattern(AccountPage::ChangePassword)
            .is_some();
        if is_mounted && !self.has_own_at(CHANGE_PASSWORD_PATH) {
            self.provide("GET", CHANGE_PASSWORD_PATH, Access::Public);
        }
    }

    /// Whether a route of the application's own takes this path, as the router reads patterns: `/.well-known/{file}` does.
    fn has_own_at(&self, path: &str) -> bool {
        let mut router = matchit::Router::new();
        for pattern in self.own.iter().flat_map(RouteEntry::patterns) {
            // An error means that the pattern exists already, or that the table forbids the launch.
            drop(router.insert(pattern, ()));
        }
        router.at(path).is_ok()
    }

    /// The paths of the pages that are mounted.
    pub(in crate::app) fn account_paths(&self) -> AccountPaths {
        let mut paths = AccountPaths::default();
        for page in AccountPage::ALL {
            let routes = self.routes_of(page);
            let mut routes = routes.iter();
            if let Some(entry) = routes.find(|entry| entry.method == page.method()) {
                paths.set(page, entry.path);
            }
        }
        paths
    }

    /// The findings about the pages of accounts.
    pub(super) fn of_account_pages(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for page in AccountPage::ALL {
            let routes = self.routes_of(page);
            let mut shown = routes.iter().filter(|entry| entry.method == page.method());
            let Some(first) = shown.next() else { continue };
            findings.extend(unfit_path(page, first));
            if let Some(other) = shown.find(|other| other.path != first.path) {
                findings.push(two_places(page, first, other));
            }
            let mut forms = routes.iter().filter(|entry| entry.method == "POST");
            if let Some(form) = forms.find(|form| !is_shape(form.path, first.path)) {
                findings.push(apart(page, first, form));
            }
        }
        findings.extend(self.nobody_could_confirm());
        findings.extend(self.led_to_and_missing());
        findings
    }

    /// The pages that others lead to and that are not mounted: a visitor would get 404.
    fn led_to_and_missing(&self) -> Vec<Finding> {
        let (mounted, paths) = (self.mounted(), self.account_paths());
        let mut findings = Vec::new();
        for (leads, to, mount) in LED_TO {
            let (is_there, place) = match to {
                Some(page) => (paths.pattern(*page).is_some(), page.usual_path()),
                None => (mounted.page("/"), "/"),
            };
            if is_there {
                continue;
            }
            if let Some(entry) = self.own.iter().find(|entry| leads(entry)) {
                findings.push(led_nowhere(entry, place, mount));
            }
        }
        findings
    }

    /// A route that requires re-authentication needs the page for it.
    fn nobody_could_confirm(&self) -> Option<Finding> {
        let asks = self.own.iter().find(|entry| entry.takes.recently)?;
        let paths = self.account_paths();
        // The form of a page at an unknown path does not help: the redirect leads to the page.
        let is_known = paths.pattern(AccountPage::Confirm).is_some();
        if is_known && self.takes_form_of(AccountPage::Confirm) {
            return None;
        }
        let title = format!(
            "{} {} requires re-authentication, and no page for it is mounted",
            asks.method, asks.path
        );
        let finding = Finding::refuse(Practice::Accounts, "accounts-no-confirm-page", title)
            .why("Dewar would redirect users to a page that does not exist")
            .fix(
                "mount it: `.signed_in([get(accounts::CONFIRM, accounts::confirm_page), post(accounts::CONFIRM, \
                 accounts::confirm)])`; a page of your own at another path needs `.account_page(AccountPage::Confirm)` on \
                 both routes",
            )
            .asvs(&["7.5.1", "7.5.3"]);
        Some(finding)
    }
}

/// A path that a redirect, a letter and a form cannot lead to, or could lead to another site (open redirect, CWE-601).
fn unfit_path(page: AccountPage, entry: &RouteEntry) -> Option<Finding> {
    let path = entry.path;
    let parameters = path.split('/').filter(|part| part.contains(['{', '}']));
    let parameters: Vec<&str> = parameters.collect();
    let is_plain = LocalPath::parse(path).is_ok() && !path.contains(['?', '#', '%']);
    let are_right = match parameters.as_slice() {
        [] => !page.has_parameter(),
        [only] => page.has_parameter() && is_shape(only, "{}") && !only.starts_with("{*"),
        _ => false,
    };
    if is_plain && are_right {
        return None;
    }
    let title = format!(
        "{} {path} cannot be the page of accounts `{}`",
        entry.method,
        page.name()
    );
    let fix = if page.has_parameter() {
        "give it a path of ASCII characters with one parameter"
    } else {
        "give it a path of ASCII characters without a parameter"
    };
    let finding = Finding::refuse(Practice::Accounts, "accounts-page-path", title)
        .why("links, redirects and letters lead to this path as it is written")
        .fix(format!("{fix}, such as `{}`", page.usual_path()))
        .cwe(601);
    Some(finding)
}

fn two_places(page: AccountPage, one: &RouteEntry, other: &RouteEntry) -> Finding {
    let title = format!(
        "the page of accounts `{}` is mounted at {} and at {}",
        page.name(),
        one.path,
        other.path
    );
    Finding::refuse(Practice::Accounts, "accounts-page-twice", title)
        .why("links, redirects and letters lead to one of them")
        .fix("keep one of the two, and redirect from the other with a handler of your own")
}

fn apart(page: AccountPage, shown: &RouteEntry, form: &RouteEntry) -> Finding {
    let title = format!(
        "the page of accounts `{}` is at {}, and its form is taken at {}",
        page.name(),
        shown.path,
        form.path
    );
    Finding::refuse(Practice::Accounts, "accounts-page-apart", title)
        .why("the form of the page is sent to the path of the page")
        .fix("mount both at one path")
}

/// The routes that lead to a page, the page (none is the front page), and how to mount it.
type Leads = (fn(&RouteEntry) -> bool, Option<AccountPage>, &'static str);

const LED_TO: &[Leads] = &[
    (
        |entry| {
            matches!(
                entry.access,
                Access::AnyRole(_) | Access::Role(_) | Access::SignedIn
            )
        },
        Some(AccountPage::SignIn),
        "`.public([get(accounts::SIGN_IN, accounts::sign_in_page), post(accounts::SIGN_IN, accounts::sign_in)])`",
    ),
    (
        |entry| entry.takes_form_of(&[AccountPage::SignUp, AccountPage::Forgot]),
        Some(AccountPage::SignIn),
        "`.public([get(accounts::SIGN_IN, accounts::sign_in_page), post(accounts::SIGN_IN, accounts::sign_in)])`",
    ),
    // Letters after a sign-up link to it: a user who did not sign up, or has an account already, chooses a new password there.
    (
        |entry| entry.takes_form_of(&[AccountPage::SignUp]),
        Some(AccountPage::Forgot),
        "`.public([get(accounts::FORGOT, accounts::forgot_page), post(accounts::FORGOT, accounts::forgot)])`",
    ),
    (
        |entry| entry.takes_form_of(&[AccountPage::Forgot]),
        Some(AccountPage::Reset),
        "`.public([get(\"/reset/{token}\", accounts::reset_page), post(\"/reset/{token}\", accounts::reset)])`",
    ),
    (
        |entry| entry.takes_form_of(&[AccountPage::SignIn, AccountPage::SignOut]),
        None,
        "`.public([get(\"/\", …)])`",
    ),
];

fn led_nowhere(entry: &RouteEntry, place: &str, mount: &str) -> Finding {
    let title = format!(
        "{} {} leads to {place}, and no page is mounted there",
        entry.method, entry.path
    );
    Finding::warn(Practice::Roles, "roles-led-nowhere", title)
        .why("Users would get a 404 page.")
        .fix(format!("mount the page: {mount}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::Described;
    use crate::pages::Outputs;

    fn entry(method: &str, path: &'static str, page: Option<AccountPage>) -> RouteEntry {
        let mut takes = Described::default();
        takes.account_page = page;
        takes.under(path);
        RouteEntry {
            method: method.to_owned(),
            path,
            also: None,
            access: Access::Public,
            cors: None,
            rate_limits: Vec::new(),
            takes,
            gives: Outputs::default(),
        }
    }

    fn table(entries: impl IntoIterator<Item = RouteEntry>) -> RouteTable {
        let mut table = RouteTable::default();
        for entry in entries {
            table.add(entry);
        }
        table
    }

    #[test]
    fn a_page_is_where_its_handler_is_and_else_at_its_usual_path() {
        use AccountPage::{Account, Reset, SignIn};
        let table = table([
            entry("GET", "/sign-in", None),
            entry("GET", "/anmelden", Some(SignIn)),
            entry("POST", "/anmelden", Some(SignIn)),
            entry("GET", "/reset/{key}", None),
        ]);
        let paths = table.account_paths();
        assert_eq!(paths.pattern(SignIn), Some("/anmelden"));
        assert_eq!(paths.pattern(Reset), Some("/reset/{key}"));
        assert_eq!(paths.pattern(Account), None);
        assert!(table.takes_form_of(SignIn) && !table.takes_form_of(Reset));
    }

    #[test]
    fn a_route_of_the_applications_own_takes_the_path_of_password_managers() {
        for (own, provides) in [
            (None, true),
            (Some("/.well-known/security"), true),
            (Some("/{file}"), true),
            (Some("/.well-known/change-password"), false),
            (Some("/.well-known/{file}"), false),
            (Some("/{*rest}"), false),
        ] {
            let page = AccountPage::ChangePassword;
            let own = own.map(|path| entry("GET", path, None));
            let page = entry("GET", "/account/password", Some(page));
            let mut table = table(own.into_iter().chain([page]));
            table.provide_change_password();
            assert_eq!(table.provided().len() == 1, provides);
        }
    }

    /// A redirect leads to the page: a form at a path that nothing knows the page of is not enough.
    #[test]
    fn a_page_to_confirm_at_an_unknown_path_is_missed() {
        let page = Some(AccountPage::Confirm);
        for (shown, is_found) in [(page, false), (None, true)] {
            let mut asks = entry("POST", "/a", None);
            asks.takes.recently = true;
            let shown = entry("GET", "/sure", shown);
            let found = table([asks, shown, entry("POST", "/sure", page)]).of_account_pages();
            let missed = found
                .iter()
                .any(|found| found.id == "accounts-no-confirm-page");
            assert_eq!(missed, is_found);
        }
    }

    #[test]
    fn a_page_that_nothing_can_lead_to_is_found() {
        use AccountPage::{Reset, SignIn, SignOut};
        for (entries, wanted) in [
            (vec![entry("GET", "/anmelden", Some(SignIn))], &[][..]),
            (vec![entry("GET", "/neu/{token}", Some(Reset))], &[]),
            (
                vec![entry("GET", "/neu", Some(Reset))],
                &["accounts-page-path"],
            ),
            (
                vec![entry("GET", "/neu/{a}/{b}", Some(Reset))],
                &["accounts-page-path"],
            ),
            (
                vec![entry("GET", "/neu/{*rest}", Some(Reset))],
                &["accounts-page-path"],
            ),
            (
                vec![entry("GET", "//evil.example", Some(SignIn))],
                &["accounts-page-path"],
            ),
            (
                vec![entry("GET", "/\\evil.example", Some(SignIn))],
                &["accounts-page-path"],
            ),
            (
                vec![entry("GET", "/{name}", Some(SignIn))],
                &["accounts-page-path"],
            ),
            (
                vec![entry("GET", "/straße", Some(SignIn))],
                &["accounts-page-path"],
            ),
            (
                vec![
                    entry("GET", "/a", Some(SignIn)),
                    entry("GET", "/b", Some(SignIn)),
                ],
                &["accounts-page-twice"],
            ),
            (
                vec![
                    entry("GET", "/a", Some(SignIn)),
                    entry("POST", "/sign-in", Some(SignIn)),
                    entry("GET", "/", None),
                ],
                &["accounts-page-apart"],
            ),
            (
                vec![entry("POST", "/ab", Some(SignOut)), entry("GET", "/", None)],
                &[],
            ),
        ] {
            let found = table(entries).of_account_pages();
            let ids: Vec<_> = found.iter().map(|finding| finding.id).collect();
            assert_eq!(ids, wanted);
        }
    }
}
