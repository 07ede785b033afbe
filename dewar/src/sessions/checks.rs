use super::{Config, SessionLimits};
use crate::audit::{Finding, Practice};

impl Config {
    /// The findings about the settings. `roles` holds the names of the application's roles.
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
        let loose = self
            .roles
            .iter()
            .filter(|(_, limits)| !limits.are_bearable());
        findings.extend(loose.map(|(role, _)| out_of_bounds(role)));
        for (role, _) in &self.roles {
            if !roles.contains(&role.as_str()) {
                let title = format!(
                    "`sessions.roles` names {role:?}, which is not a role of this application"
                );
                findings.push(
                    Finding::refuse(Practice::Sessions, "sessions-role", title)
                        .why("the stricter limits would apply to nobody")
                        .fix(format!("use one of: {}", roles.join(", ")))
                        .cwe(613)
                        .asvs(&["7.3.1", "7.3.2"]),
                );
            }
        }
        findings
    }
}

/// The settings have bounds; limits from code do not.
fn out_of_bounds(role: &str) -> Finding {
    let title = format!("the limits of {role:?}'s sessions are outside the allowed range");
    Finding::refuse(Practice::Sessions, "sessions-limits", title)
        .why("a session that ends too late can be stolen, and one that ends at once is unusable")
        .fix("set an idle limit of 1 minute to 2 hours and a lifetime of 5 minutes to a day in `App::sessions_of`")
        .cwe(613)
        .asvs(&["7.3.1", "7.3.2"])
}

fn never_at_rest(idle: &str, lifetime: &str, limits: SessionLimits) -> Option<Finding> {
    (limits.idle > limits.lifetime).then(|| {
        let title = format!("`sessions.{idle}` is longer than `sessions.{lifetime}`");
        Finding::refuse(Practice::Sessions, "sessions-idle-over-lifetime", title)
            .why("no session could reach the idle limit")
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
    use std::time::Duration;

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
    fn a_session_may_rest_as_long_as_it_lasts_and_no_longer() {
        for (idle, found) in [("60m", &[][..]), ("61m", &["sessions-idle-over-lifetime"])] {
            let settings = [
                ("DEWAR_SESSIONS_IDLE", idle),
                ("DEWAR_SESSIONS_LIFETIME", "60m"),
            ];
            assert_eq!(ids(&settings), found, "{idle}");
        }
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
    fn limits_that_no_setting_could_have_refuse_the_launch() {
        let of = |idle, lifetime| {
            let [idle, lifetime] = [idle, lifetime].map(Duration::from_secs);
            let mut config = Config::default();
            let limits = SessionLimits { idle, lifetime };
            config.roles.push(("reviewer".to_owned(), limits));
            let findings = config.findings(&["reviewer"]);
            findings
                .iter()
                .map(|finding| finding.id)
                .collect::<Vec<_>>()
        };
        assert_eq!(of(60, 300), Vec::<&str>::new());
        assert_eq!(of(7_200, 86_400), Vec::<&str>::new());
        for (idle, lifetime) in [(59, 300), (60, 299), (7_201, 86_400), (7_200, 86_401)] {
            assert_eq!(of(idle, lifetime), ["sessions-limits"], "{idle} {lifetime}");
        }
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
