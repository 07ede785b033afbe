//! The checks of this room at start.
use super::{Origins, ScopeInfo};
use crate::audit::{Finding, Practice};
use crate::roles::Access;

/// The findings about the scopes of an application with these roles.
pub(crate) fn findings(scopes: &[ScopeInfo], roles: &[&str]) -> Vec<Finding> {
    let unknown = scopes.iter().filter_map(|scope| {
        let role = scope.role.filter(|role| !roles.contains(role))?;
        let title = format!("the scope {} needs the role {role}, which the application does not have", scope.name);
        let finding = Finding::refuse(Practice::Roles, "api-scope-role", title)
            .why("no personal token could have this scope")
            .fix("use a role of the application's enum, and give the enum to `App::roles` or `App::role`");
        Some(finding)
    });
    unknown.collect()
}

/// The findings about the origins of a route.
pub(crate) fn of_cors(
    (method, path): (&str, &str),
    access: Access,
    origins: &Origins,
) -> Vec<Finding> {
    let refuse = |id, title: String| {
        Finding::refuse(Practice::Csrf, id, title)
            .cwe(942)
            .asvs(&["3.4.2"])
    };
    let mut findings: Vec<Finding> = origins
        .wrong()
        .into_iter()
        .map(|wrong| {
            refuse("api-cors-origin", format!("{method} {path}: the origin {wrong}"))
                .why("an origin that no browser sends allows nobody, and one that anybody can have allows everybody")
                .fix("write each origin as browsers do, such as `https://app.example`")
        })
        .collect();
    let is_public_read = access == Access::Public && method == "GET";
    let takes_token = matches!(access, Access::Api(_));
    if !is_public_read && !takes_token {
        let title = format!("{method} {path} lets scripts of other origins read it");
        findings.push(
            refuse("api-cors-heading", title)
                .why("Dewar reads a session there, and another origin's script has no business with somebody's session")
                .fix("mount it under `.api(…)`, or as a `get` under `.public(…)`"),
        );
    } else if takes_token && origins.is_any() {
        let title = format!("{method} {path} takes a token and lets every origin read it");
        findings.push(
            refuse("api-cors-any", title)
                .why("a page that got hold of a token could use it from any visitor's browser")
                .fix("name the origins: `Origins::of([\"https://app.example\"])`"),
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(method: &str, access: Access, origins: &Origins) -> Vec<&'static str> {
        let found = of_cors((method, "/x"), access, origins);
        found.iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn other_origins_read_what_needs_no_session() {
        let one = Origins::of(["https://app.example"]);
        let none: [&str; 0] = [];
        assert_eq!(ids("GET", Access::Public, &one), none);
        assert_eq!(ids("GET", Access::Public, &Origins::any()), none);
        assert_eq!(ids("POST", Access::Api("a"), &one), none);
        assert_eq!(
            ids("GET", Access::Api("a"), &Origins::any()),
            ["api-cors-any"]
        );
        for (method, access) in [
            ("POST", Access::Public),
            ("GET", Access::SignedIn),
            ("GET", Access::Role("reviewer")),
        ] {
            assert_eq!(ids(method, access, &one), ["api-cors-heading"], "{access}");
        }
        let wrong = Origins::of(["*", "null", "https://app.example/x"]);
        assert_eq!(ids("GET", Access::Public, &wrong), ["api-cors-origin"; 3]);
    }

    #[test]
    fn a_scope_of_a_foreign_role_is_found() {
        let scope = |role| ScopeInfo {
            name: "a",
            label: "A",
            role,
            of: "scope",
        };
        assert!(findings(&[scope(None), scope(Some("reviewer"))], &["reviewer"]).is_empty());
        let found = findings(&[scope(Some("editor"))], &["reviewer"]);
        assert_eq!(found[0].id, "api-scope-role");
    }
}
