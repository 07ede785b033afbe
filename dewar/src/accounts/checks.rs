//! The checks of this room, at start and for the auditor.
use std::path::Path;

use super::Config;
use super::config::{ADMINISTRATORS, FactorPages, NOBODY};
use crate::audit::{Finding, Practice, Severity, owner_only};
use crate::database::{self, Db};

pub(super) fn findings(config: &Config, roles: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(role) = &config.role
        && !roles.contains(&role.as_str())
    {
        findings.push(
            Finding::refuse(Practice::Accounts, "accounts-role", format!("`accounts.role` is {role:?}, which is not a role of this application"))
                .why("New accounts would have a role that allows nothing, or that a later version defines.")
                .fix(format!("use one of: {}", roles.join(", ")))
                .cwe(266),
        );
    }
    findings.extend(
        config
            .flask_security_salt_file
            .as_deref()
            .and_then(salt_file),
    );
    findings
}

/// The file with the salt of Flask-Security is missing, or other users of the machine can read it.
fn salt_file(file: &Path) -> Option<Finding> {
    const SETTING: &str = "accounts.flask_security_salt_file";
    if let Err(error) = std::fs::File::open(file) {
        let title = format!("{SETTING}: {}: {error}", file.display());
        return Some(
            Finding::refuse(Practice::Accounts, "accounts-flask-salt-missing", title)
                .why("No user from Flask-Security could sign in.")
                .fix("write the `SECURITY_PASSWORD_SALT` of that application into the file, or remove the setting"),
        );
    }
    owner_only::readable_password(
        (Practice::Accounts, "accounts-flask-salt-readable"),
        SETTING,
        file,
        "Without the salt, the imported hashes in a stolen table cannot be attacked.",
    )
}

pub(super) fn gives_everybody(config: &Config, administrator: &str) -> Option<Finding> {
    let open = matches!(config.sign_up, super::SignUps::Open);
    (open && config.role.as_deref() == Some(administrator)).then(|| {
        Finding::refuse(
            Practice::Accounts,
            "accounts-role-administrator",
            "every new user would be an administrator",
        )
        .why("Anyone with an email address could sign up, and then do everything.")
        .fix("name another role in `accounts.role` and `App::sign_up_as`, or set `accounts.sign_up` to \"closed\"")
        .cwe(269)
        .asvs(&["8.2.1"])
    })
}

/// How many accounts have a password hash of another framework, or none; their owners have not signed in yet.
pub(crate) async fn outdated_hashes(db: &Db) -> Result<Option<Finding>, database::Error> {
    let count =
        "SELECT count(*) FROM dewar_users WHERE substr(password_hash, 1, 10) <> '$argon2id$'
        AND substr(password_hash, 1, 4) <> '$2b$'
        AND NOT (password_hash = '!' AND EXISTS (SELECT 1 FROM dewar_identities i WHERE i.user_id = dewar_users.id))";
    let rows = db.query(count, []).await?;
    let count: i64 = rows.first().map_or(Ok(0), |row| row.get(0))?;
    Ok((count > 0).then(|| {
        Finding::warn(
            Practice::Accounts,
            "accounts-hashes-outdated",
            format!("accounts with a password hash of another framework, or without a password: {count}"),
        )
        .severity(Severity::Low)
        .why("A stolen table reveals these passwords as easily as the former application's did. Dewar replaces each at the next sign-in.")
        .fix("after some months, disable the accounts that nobody uses, or give their owners a link: `users set-password --link`")
        .cwe(916)
        .asvs(&["11.4.2"])
    }))
}

/// Visitors can sign up, and no setting gives them a role: they could sign in, and every page of a role would be closed.
pub(super) fn gives_nobody(config: &Config, roles: &[&str]) -> Option<Finding> {
    let open = matches!(config.sign_up, super::SignUps::Open);
    let first = roles.first().filter(|_| open && config.role.is_none())?;
    Some(
        Finding::warn(
            Practice::Accounts,
            "accounts-role-none",
            "new users have no role",
        )
        .severity(Severity::Low)
        .why("A new user gets 403 on every page under `.role(…)`, until an administrator assigns a role.")
        .fix(format!(
            "set the role of new users: `.sign_up_as(Role::…)` on the `App`, or `accounts.role = \"{first}\"` in \
             dewar.toml (roles: {}); to disable sign-up, `accounts.sign_up = \"closed\"`",
            roles.join(", ")
        )),
    )
}

const MOUNT: &str = "mount the pages: `.account_pages(AccountPages::new())`, or `.public([get(accounts::SECOND_FACTOR, \
    accounts::second_factor_page), post(accounts::SECOND_FACTOR, accounts::second_factor)])` and \
    `.signed_in([get(accounts::FACTORS, accounts::factors_page), post(accounts::FACTORS, accounts::add_factor), \
    post(\"/account/second-factor/codes\", accounts::renew_recovery_codes), \
    post(\"/account/second-factor/remove\", accounts::remove_factor)])`, beside the page that confirms";

/// Roles that require a second factor, and pages that nobody could reach.
pub(super) fn of_second_factors(
    config: &Config,
    roles: &[&str],
    administrator: Option<&str>,
    mounted: FactorPages,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let setting = &config.second_factor_roles;
    for role in setting {
        let is_known = [ADMINISTRATORS, NOBODY].contains(&&**role) || roles.contains(&&**role);
        if !is_known {
            let title = format!(
                "`accounts.second_factor_roles` has {role:?}, which is not a role of this application"
            );
            let finding = Finding::refuse(Practice::Accounts, "accounts-second-factor-role", title)
                .why("Nobody would need a second factor because of it.")
                .fix(format!(
                    "use `administrators`, `nobody`, or: {}",
                    roles.join(", ")
                ))
                .asvs(&["6.3.3"]);
            findings.push(finding);
        }
    }
    let required = config.factor_roles(administrator);
    let is_default = *setting == [ADMINISTRATORS];
    if mounted == FactorPages::Some {
        findings.push(
            Finding::refuse(
                Practice::Accounts,
                "accounts-second-factor-pages",
                "some pages of second factors are mounted, and others are not",
            )
            .why("A user could set a factor up, and then not sign in with it.")
            .fix(MOUNT),
        );
    } else if mounted == FactorPages::None && !required.is_empty() {
        let title = format!(
            "no page to set up a second factor is mounted, so users with the role {} sign in with a password alone",
            required.join(", ")
        );
        let id = "accounts-second-factor-unmounted";
        let finding = if is_default {
            Finding::warn(Practice::Accounts, id, title)
        } else {
            Finding::refuse(Practice::Accounts, id, title)
        };
        let finding = finding
            .why("Whoever learns one password of theirs can do everything that they can.")
            .fix(MOUNT)
            .asvs(&["6.3.3"]);
        findings.push(finding);
    }
    let administrator = administrator.filter(|role| !required.iter().any(|one| one == role));
    if let Some(role) = administrator {
        let title = format!("users with the role {role} need no second factor");
        findings.push(
            Finding::warn(Practice::Accounts, "accounts-second-factor-off", title)
                .why("Whoever learns one password of theirs can do everything that they can.")
                .fix("add `administrators` to `accounts.second_factor_roles`")
                .asvs(&["6.3.3"]),
        );
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Settings;

    fn read(settings: &[(&str, &str)]) -> (Config, Vec<Finding>) {
        let env = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings = Settings::read(None, env);
        let config = Config::read(&settings);
        (config, settings.finish())
    }

    fn ids(settings: &[(&str, &str)]) -> Vec<&'static str> {
        let (config, bad) = read(settings);
        assert!(bad.is_empty(), "{bad:?}");
        config
            .findings(&["member", "administrator"])
            .iter()
            .map(|finding| finding.id)
            .collect()
    }

    #[test]
    fn a_role_that_is_none_is_refused() {
        assert_eq!(
            ids(&[("DEWAR_ACCOUNTS_ROLE", "member")]),
            Vec::<&str>::new()
        );
        assert_eq!(ids(&[("DEWAR_ACCOUNTS_ROLE", "boss")]), ["accounts-role"]);
    }

    #[test]
    fn nobody_becomes_an_administrator_by_signing_up() {
        let role = ("DEWAR_ACCOUNTS_ROLE", "administrator");
        let found = |settings: &[(&str, &str)]| {
            let (config, _) = read(settings);
            config
                .gives_everybody("administrator")
                .map(|finding| finding.id)
        };
        assert_eq!(found(&[role]), Some("accounts-role-administrator"));
        assert_eq!(found(&[("DEWAR_ACCOUNTS_ROLE", "member")]), None);
        assert_eq!(found(&[role, ("DEWAR_ACCOUNTS_SIGN_UP", "closed")]), None);
        let (mut config, _) = read(&[]);
        config.role_or(Some("administrator"));
        assert!(config.gives_everybody("administrator").is_some());
        let (mut config, _) = read(&[("DEWAR_ACCOUNTS_ROLE", "member")]);
        config.role_or(Some("reviewer"));
        assert_eq!(
            config.role.as_deref(),
            Some("member"),
            "the setting stands first"
        );
    }

    /// Users who had just signed up met 403 on every page, and no finding said so.
    #[test]
    fn a_sign_up_without_a_role_is_named_with_what_to_add() {
        let found = |settings: &[(&str, &str)], roles: &[&str]| {
            let (config, _) = read(settings);
            config.gives_nobody(roles)
        };
        let finding = found(&[], &["member", "reviewer"]).unwrap();
        assert!(!finding.refuses_launch);
        for part in [
            ".sign_up_as(",
            "accounts.role = \"member\"",
            "member, reviewer",
            "\"closed\"",
        ] {
            assert!(finding.fix.contains(part), "{}", finding.fix);
        }
        assert_eq!(found(&[], &[]), None, "there is none to give");
        let roles = &["member"];
        assert_eq!(found(&[("DEWAR_ACCOUNTS_ROLE", "member")], roles), None);
        assert_eq!(found(&[("DEWAR_ACCOUNTS_SIGN_UP", "closed")], roles), None);
    }

    #[test]
    fn whoever_administers_needs_a_second_factor_unless_the_settings_say_nobody() {
        use FactorPages::{All, None as NoPages, Some as SomePages};
        let found = |roles: &str, mounted| {
            let (config, bad) = read(&[("DEWAR_ACCOUNTS_SECOND_FACTOR_ROLES", roles)]);
            assert!(bad.is_empty(), "{bad:?}");
            let found = config.of_second_factors(&["member", "head"], Some("head"), mounted);
            let ids = found.iter().map(|one| (one.id, one.refuses_launch));
            (config.factor_roles(Some("head")), ids.collect::<Vec<_>>())
        };
        let off = ("accounts-second-factor-off", false);
        let unmounted = "accounts-second-factor-unmounted";
        for (roles, mounted, required, ids) in [
            ("administrators", All, &["head"][..], vec![]),
            ("head", All, &["head"], vec![]),
            ("administrators, member", All, &["head", "member"], vec![]),
            ("nobody", All, &[], vec![off]),
            ("nobody", NoPages, &[], vec![off]),
            ("member", All, &["member"], vec![off]),
            (
                "administrators",
                NoPages,
                &["head"],
                vec![(unmounted, false)],
            ),
            ("head", NoPages, &["head"], vec![(unmounted, true)]),
            (
                "administrators",
                SomePages,
                &["head"],
                vec![("accounts-second-factor-pages", true)],
            ),
            (
                "boss",
                All,
                &["boss"],
                vec![("accounts-second-factor-role", true), off],
            ),
        ] {
            let required: Vec<String> = required.iter().map(ToString::to_string).collect();
            assert_eq!(
                found(roles, mounted),
                (required, ids),
                "{roles} {mounted:?}"
            );
        }
        let (config, _) = read(&[]);
        assert_eq!(config.factor_roles(Some("head")), ["head"]);
        assert!(config.of_second_factors(&[], None, NoPages).is_empty());
    }

    #[test]
    fn settings_cannot_go_below_the_floor() {
        let (config, bad) = read(&[("DEWAR_ACCOUNTS_MIN_PASSWORD_LENGTH", "8")]);
        assert_eq!((config.min_password_length, bad.len()), (15, 1));
        for (name, low) in [
            ("DEWAR_ACCOUNTS_ARGON2_MEMORY", "18MiB"),
            ("DEWAR_ACCOUNTS_ARGON2_PASSES", "1"),
            ("DEWAR_ACCOUNTS_BCRYPT_COST", "11"),
            ("DEWAR_ACCOUNTS_PASSWORD_HASH", "md5"),
        ] {
            let (config, bad) = read(&[(name, low)]);
            assert_eq!(
                (config.scheme(), bad.len()),
                (Config::default().scheme(), 1),
                "{name}"
            );
        }
        let (config, bad) = read(&[
            ("DEWAR_ACCOUNTS_ARGON2_MEMORY", "64MiB"),
            ("DEWAR_ACCOUNTS_ARGON2_PASSES", "3"),
        ]);
        assert!(bad.is_empty(), "{bad:?}");
        assert!(config.scheme().told().contains("m=65536 t=3"));
    }
}
