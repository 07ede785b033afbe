use crate::audit::{Finding, Practice, Severity};

/// Checks the holders of the roles: does somebody administer the application?
pub(crate) fn findings(administrator: Option<&str>, holders: i64) -> Option<Finding> {
    let role = administrator.filter(|_| holders == 0)?;
    let title = format!("no user has the role `{role}`");
    Some(
        Finding::warn(Practice::Roles, "roles-no-administrator", title)
            .severity(Severity::Low)
            .why("Nobody can assign roles or disable accounts. Anyone who finds the link for the first administrator can use it.")
            .fix(format!("start the application and open the link that it prints, or run `users add --role {role}`"))
            .asvs(&["8.1.1"]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_without_its_administrator_is_reported() {
        let found = findings(Some("head"), 0).unwrap();
        assert!(found.id == "roles-no-administrator" && found.fix.contains("--role head"));
        assert_eq!(findings(Some("head"), 1), None);
        assert_eq!(findings(None, 0), None, "it has no such role");
    }
}
