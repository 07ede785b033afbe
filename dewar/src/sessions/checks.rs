use super::{Config, Limits};
use crate::audit::{Finding, Word};

impl Config {
    /// What start-up asks of the settings. It knows the application's roles by their names.
    #[must_use]
    pub fn findings(&self, roles: &[&str]) -> Vec<Finding> {
        let mut findings = self.store.findings();
        let mut all = vec![
            ("idle", "lifetime", self.limits),
            (
                "administrator_idle",
                "administrator_lifetime",
                self.administrators,
            ),
        ];
        all.extend(
            self.roles
                .iter()
                .map(|(_, limits)| ("roles", "roles", *limits)),
        );
        findings.extend(
            all.into_iter()
                .filter_map(|(idle, lifetime, limits)| never_at_rest(idle, lifetime, limits)),
        );
        for (role, _) in &self.roles {
            if !roles.contains(&role.as_str()) {
                let title = format!(
                    "`sessions.roles` names {role:?}, which is no role of this application"
                );
                findings.push(
                    Finding::refuse(Word::Sessions, "sessions-role", title)
                        .why("the stricter limits that were meant for somebody would hold for nobody")
                        .fix(format!("use one of: {}", roles.join(", ")))
                        .cwe(613)
                        .asvs(&["7.3.1", "7.3.2"]),
                );
            }
        }
        findings
    }
}

fn never_at_rest(idle: &str, lifetime: &str, limits: Limits) -> Option<Finding> {
    (limits.idle > limits.lifetime).then(|| {
        let title = format!("`sessions.{idle}` is longer than `sessions.{lifetime}`");
        Finding::refuse(Word::Sessions, "sessions-idle-over-lifetime", title)
            .why("the idle limit could never be reached")
            .fix(format!(
                "set `sessions.{idle}` to less than `sessions.{lifetime}`"
            ))
            .cwe(613)
            .asvs(&["7.3.1", "7.3.2"])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Settings;

    fn ids(settings: &[(&str, &str)]) -> Vec<&'static str> {
        let owned = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let settings = Settings::read(None, owned);
        let config = Config::read(&settings);
        let mut findings = settings.finish();
        findings.extend(config.findings(&["reviewer", "administrator"]));
        findings.iter().map(|finding| finding.id).collect()
    }

    #[test]
    fn limits_of_roles_are_read_and_judged() {
        let good = [(
            "DEWAR_SESSIONS_ROLES",
            "reviewer 20m 9h,administrator 5m 1h",
        )];
        assert_eq!(ids(&good), Vec::<&str>::new());
        assert_eq!(
            ids(&[("DEWAR_SESSIONS_ROLES", "reviewr 20m 9h")]),
            ["sessions-role"]
        );
        for wrong in [
            "reviewer 20m",
            "reviewer 20 9h",
            "reviewer 20m 9h x",
            "reviewer 3h 9h",
            "reviewer  20m 9h",
        ] {
            assert_eq!(
                ids(&[("DEWAR_SESSIONS_ROLES", wrong)]),
                ["settings-value"],
                "{wrong}"
            );
        }
        assert_eq!(
            ids(&[("DEWAR_SESSIONS_ROLES", "reviewer 20m 10m")]),
            ["sessions-idle-over-lifetime"]
        );
    }

    #[test]
    fn a_limit_that_could_never_be_reached_refuses_the_launch() {
        let short = [
            ("DEWAR_SESSIONS_LIFETIME", "10m"),
            ("DEWAR_SESSIONS_ADMINISTRATOR_LIFETIME", "10m"),
        ];
        assert_eq!(ids(&short), ["sessions-idle-over-lifetime"; 2]);
    }

    #[test]
    fn a_store_in_clear_or_with_a_password_in_its_address_refuses_the_launch() {
        for store in [
            "redis://10.0.0.5",
            "postgres://portal:secret@localhost/portal",
        ] {
            let settings = [("DEWAR_SESSIONS_STORE", store)];
            assert_eq!(ids(&settings), ["settings-value"], "{store}");
        }
    }

    #[cfg(not(feature = "redis"))]
    #[test]
    fn a_store_that_was_not_built_refuses_the_launch() {
        let settings = [("DEWAR_SESSIONS_STORE", "redis://localhost")];
        assert_eq!(ids(&settings), ["sessions-store-not-built"]);
    }
}
