//! The checks of this room, at start and for the auditor.
use super::Config;
use super::config::TransportSetting;
use super::mail::Destination;
use crate::audit::{Finding, Mode, Practice, Severity, owner_only};

pub(super) fn findings(config: &Config, mode: Mode, roles: &[&str]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if matches!(mode, Mode::Production) {
        findings.extend(mail_in_production(config));
    }
    if let Destination::Smtp(server) = &config.mail
        && server.user.is_some() != server.password_file.is_some()
    {
        findings.push(
            Finding::refuse(Practice::Accounts, "mail-half-credentials", "the mail server has a user name without a password, or a password without a user name")
                .why("The server would refuse every email, and no user could reset a password.")
                .fix("name the user in `mail.transport` and the file with the password in `mail.password_file`"),
        );
    }
    if let Destination::Smtp(server) = &config.mail
        && let Some(file) = &server.password_file
    {
        findings.extend(owner_only::readable_password(
            (Practice::Accounts, "mail-password-readable"),
            "mail.password_file",
            file,
            "Anyone who reads the password can send email as this application.",
        ));
    }
    if config.transport == TransportSetting::Unusable {
        findings.push(not_a_transport(mode));
    }
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
    findings
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

/// Does not repeat the setting: it may hold a password.
fn not_a_transport(mode: Mode) -> Finding {
    let outbox = match mode {
        Mode::Development => "\"outbox\", ",
        Mode::Production => "",
    };
    Finding::refuse(Practice::Accounts, "settings-bad-value", "`mail.transport` does not name a mail server")
        .why("Dewar could not send email. Do not put a password into the settings, because many people can read them.")
        .fix(format!(
            "write {outbox}\"none\", \"smtps://user@host:465\" or \"smtp://user@host:587\" (STARTTLS is required), and \
             name the file with the password in `mail.password_file`"
        ))
        .cwe(522)
}

fn mail_in_production(config: &Config) -> Option<Finding> {
    match &config.mail {
        Destination::Smtp(_) => None,
        Destination::Disabled => Some(
            Finding::warn(Practice::Accounts, "mail-none", "the application sends no mail")
                .why("Users cannot reset their own passwords, and Dewar cannot notify them when a password changes (ASVS 6.3.7).")
                .fix("set `mail.transport` to \"smtps://user@host:465\"")
                .asvs(&["6.3.7", "6.4.3"]),
        ),
        Destination::Outbox(_) => {
            let title = match config.transport {
                TransportSetting::Nothing => "`mail.transport` is not set",
                TransportSetting::Something => "Dewar would write email into a folder",
                // Another finding reports the refused setting.
                TransportSetting::Unusable | TransportSetting::Refused => return None,
            };
            Some(
                Finding::refuse(Practice::Accounts, "mail-not-set", title)
                    .why("In production, email must reach users. A folder would store links that open accounts.")
                    .fix("set `mail.transport` to \"smtps://user@host:465\", or to \"none\" to send no email")
                    .cwe(640)
                    .asvs(&["6.3.7", "6.4.3"]),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Settings;
    use std::path::Path;

    fn read(settings: &[(&str, &str)]) -> (Config, Vec<Finding>) {
        let env = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings = Settings::read(None, env);
        let config = Config::read(&settings, Path::new("data"));
        (config, settings.finish())
    }

    fn ids(mode: Mode, settings: &[(&str, &str)]) -> Vec<&'static str> {
        let (config, bad) = read(settings);
        assert!(bad.is_empty(), "{bad:?}");
        config
            .findings(mode, &["member", "administrator"])
            .iter()
            .map(|finding| finding.id)
            .collect()
    }

    #[test]
    fn production_wants_to_know_where_mail_goes() {
        assert_eq!(ids(Mode::Development, &[]), Vec::<&str>::new());
        assert_eq!(ids(Mode::Production, &[]), ["mail-not-set"]);
        assert_eq!(
            ids(Mode::Production, &[("DEWAR_MAIL_TRANSPORT", "outbox")]),
            ["mail-not-set"]
        );
        assert_eq!(
            ids(Mode::Production, &[("DEWAR_MAIL_TRANSPORT", "none")]),
            ["mail-none"]
        );
        for (mode, offers) in [(Mode::Development, true), (Mode::Production, false)] {
            let (config, _) = read(&[("DEWAR_MAIL_TRANSPORT", "REPLACE ME")]);
            let findings = config.findings(mode, &[]);
            assert_eq!(findings.len(), 1, "{findings:?}");
            assert_eq!(findings[0].id, "settings-bad-value");
            assert_eq!(findings[0].fix.contains("outbox"), offers);
        }
        let smtp = ("DEWAR_MAIL_TRANSPORT", "smtps://mail.example.org");
        assert_eq!(ids(Mode::Production, &[smtp]), Vec::<&str>::new());
        let inside = read(&[smtp, ("DEWAR_MAIL_CA_FILE", "/etc/portal/ca.pem")])
            .0
            .mail;
        let Destination::Smtp(inside) = inside else {
            panic!("{inside:?}")
        };
        assert_eq!(inside.authority.unwrap(), Path::new("/etc/portal/ca.pem"));
        let half = ("DEWAR_MAIL_TRANSPORT", "smtps://robot@mail.example.org");
        assert_eq!(ids(Mode::Production, &[half]), ["mail-half-credentials"]);
        let file = ("DEWAR_MAIL_PASSWORD_FILE", "/etc/portal/mail");
        assert_eq!(ids(Mode::Production, &[half, file]), Vec::<&str>::new());
    }

    #[test]
    fn a_role_that_is_none_is_refused() {
        assert_eq!(
            ids(Mode::Development, &[("DEWAR_ACCOUNTS_ROLE", "member")]),
            Vec::<&str>::new()
        );
        assert_eq!(
            ids(Mode::Development, &[("DEWAR_ACCOUNTS_ROLE", "boss")]),
            ["accounts-role"]
        );
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
    fn settings_cannot_go_below_the_floor() {
        let (config, bad) = read(&[("DEWAR_ACCOUNTS_MIN_PASSWORD_LENGTH", "8")]);
        assert_eq!((config.min_password_length, bad.len()), (15, 1));
        for wrong in [
            "smtps://robot:secret@mail.example.org",
            "http://secret.example",
        ] {
            let (config, _) = read(&[("DEWAR_MAIL_TRANSPORT", wrong)]);
            let bad = config.findings(Mode::Development, &[]);
            assert_eq!(bad.len(), 1);
            assert!(!format!("{bad:?}").contains("secret"), "{bad:?}");
        }
    }
}
