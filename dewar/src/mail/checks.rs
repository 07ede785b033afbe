//! The checks of this room, at start and for the auditor.
use super::Config;
use super::config::TransportSetting;
use super::server::Destination;
use crate::audit::{Finding, Mode, Practice, owner_only};

pub(super) fn findings(config: &Config, mode: Mode) -> Vec<Finding> {
    let mut findings = Vec::new();
    if matches!(mode, Mode::Production) {
        findings.extend(mail_in_production(config));
    }
    if let Destination::Smtp(server) = &config.destination {
        if server.user.is_some() != server.password_file.is_some() {
            findings.push(half_credentials());
        }
        if let Some(file) = &server.password_file {
            findings.extend(owner_only::readable_password(
                (Practice::Accounts, "mail-password-readable"),
                "mail.password_file",
                file,
                "Anyone who reads the password can send email as this application.",
            ));
        }
    }
    if config.transport == TransportSetting::Unusable {
        findings.push(not_a_transport(mode));
    }
    findings
}

fn half_credentials() -> Finding {
    Finding::refuse(
        Practice::Accounts,
        "mail-half-credentials",
        "the mail server has a user name without a password, or a password without a user name",
    )
    .why("The server would refuse every email, and no user could reset a password.")
    .fix("name the user in `mail.transport` and the file with the password in `mail.password_file`")
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
    match &config.destination {
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
        let findings = config.findings(mode);
        findings.iter().map(|finding| finding.id).collect()
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
            let findings = config.findings(mode);
            assert_eq!(findings.len(), 1, "{findings:?}");
            assert_eq!(findings[0].id, "settings-bad-value");
            assert_eq!(findings[0].fix.contains("outbox"), offers);
        }
        let smtp = ("DEWAR_MAIL_TRANSPORT", "smtps://mail.example.org");
        assert_eq!(ids(Mode::Production, &[smtp]), Vec::<&str>::new());
        let inside = read(&[smtp, ("DEWAR_MAIL_CA_FILE", "/etc/portal/ca.pem")])
            .0
            .destination;
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
    fn a_transport_with_a_password_is_refused_and_not_repeated() {
        for wrong in [
            "smtps://robot:secret@mail.example.org",
            "http://secret.example",
        ] {
            let (config, _) = read(&[("DEWAR_MAIL_TRANSPORT", wrong)]);
            let bad = config.findings(Mode::Development);
            assert_eq!(bad.len(), 1);
            assert!(!format!("{bad:?}").contains("secret"), "{bad:?}");
        }
    }
}
