#![expect(
    clippy::disallowed_types,
    reason = "the command of the operator starts system tools to trust the local authority; no visitor's input reaches it"
)]

use super::local::LocalAuthority;
use crate::secrets::sha256;
use data_encoding::HEXLOWER;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One step that makes browsers trust the local authority.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TrustStep {
    /// The store that it changes: `the system`, `Chromium`.
    pub what: &'static str,
    /// The command, to be typed if Dewar did not run it.
    pub command: String,
    /// Whether it ran and succeeded.
    pub done: bool,
}

/// A program and its arguments; printed as a shell would read it.
struct Step {
    what: &'static str,
    program: &'static str,
    arguments: Vec<String>,
}

impl Step {
    fn new(what: &'static str, program: &'static str, arguments: &[&str]) -> Self {
        let arguments = arguments
            .iter()
            .map(|argument| (*argument).to_owned())
            .collect();
        Self {
            what,
            program,
            arguments,
        }
    }

    fn command(&self, prefix: &str) -> String {
        let mut line = format!("{prefix}{}", self.program);
        for argument in &self.arguments {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,".contains(c);
            if argument.chars().all(plain) {
                line.extend([" ", argument]);
            } else {
                // A quote in a directory's name must not end the argument (CWE-78).
                line.extend([" '", &argument.replace('\'', r"'\''"), "'"]);
            }
        }
        line
    }

    /// Runs it without a shell, and returns whether it succeeded.
    fn run(&self) -> bool {
        let quiet = Stdio::null;
        let mut command = Command::new(self.program);
        command
            .args(&self.arguments)
            .stdin(quiet())
            .stdout(quiet())
            .stderr(quiet());
        command.status().is_ok_and(|status| status.success())
    }

    fn told(&self, prefix: &str, done: bool) -> TrustStep {
        TrustStep {
            what: self.what,
            command: self.command(prefix),
            done,
        }
    }
}

/// Runs the steps in order; a step is of no use without the one before it.
fn each_after_the_other(steps: Vec<Step>) -> Vec<TrustStep> {
    let mut going = true;
    let run = |step: Step| {
        going = going && step.run();
        step.told("sudo ", going)
    };
    steps.into_iter().map(run).collect()
}

impl LocalAuthority {
    /// Makes this machine trust the authority, as far as this process may: the command `https trust`.
    ///
    /// On Linux it copies the certificate to `/usr/local/share/ca-certificates` and runs `update-ca-certificates`. With
    /// `certutil` it also adds it to the stores of Chromium and Firefox. Steps that failed are returned as commands to type. On
    /// macOS, where the system asks the user, it only returns the commands.
    #[must_use]
    pub fn install(&self, home: Option<&Path>) -> Vec<TrustStep> {
        let system = system_steps(&self.certificate_file());
        let mut steps = if cfg!(target_os = "linux") {
            each_after_the_other(system)
        } else {
            let to_type = system.into_iter().map(|step| step.told("", false));
            to_type.collect()
        };
        for step in home
            .map(|home| self.browser_steps(home))
            .unwrap_or_default()
        {
            let done = step.run();
            steps.push(step.told("", done));
        }
        steps
    }

    /// The stores of Chromium and of each Firefox profile: each is an NSS database of its own.
    fn browser_steps(&self, home: &Path) -> Vec<Step> {
        let mut stores: Vec<(&'static str, PathBuf)> = vec![("Chromium", home.join(".pki/nssdb"))];
        let profiles = std::fs::read_dir(home.join(".mozilla/firefox"));
        let profiles = profiles
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path());
        stores.extend(profiles.map(|path| ("Firefox", path)));
        stores.retain(|(_, store)| store.join("cert9.db").is_file());
        let file = self.certificate_file().display().to_string();
        let add = |(what, store): (&'static str, PathBuf)| {
            let store = format!("sql:{}", store.display());
            let rest = ["-A", "-t", "C,,", "-n", self.name(), "-i", &file];
            Step::new(
                what,
                "certutil",
                &[&["-d", store.as_str()], rest.as_slice()].concat(),
            )
        };
        stores.into_iter().map(add).collect()
    }

    /// The steps to do by hand, for a terminal.
    #[must_use]
    pub fn trust_instructions(&self) -> String {
        let path = self.certificate_file();
        let mut text = format!(
            "The certificate of \"{}\" is {}\nIt can issue certificates for localhost, *.localhost, *.test and \
             loopback addresses only.\n",
            self.name(),
            path.display(),
        );
        for step in system_steps(&path) {
            let prefix = if cfg!(target_os = "linux") {
                "sudo "
            } else {
                ""
            };
            let _ = writeln!(text, "  {}: {}", step.what, step.command(prefix));
        }
        text.push_str(
            "  Chromium on Linux: Settings, Privacy and security, Security, Manage certificates, \
             Authorities, Import\n  \
             Firefox: Settings, Privacy & Security, View Certificates, Authorities, Import\n",
        );
        text
    }
}

#[cfg(target_os = "macos")]
fn system_steps(certificate: &Path) -> Vec<Step> {
    let file = certificate.display().to_string();
    vec![Step::new(
        "macOS",
        "security",
        &["add-trusted-cert", "-r", "trustRoot", &file],
    )]
}

#[cfg(not(target_os = "macos"))]
fn system_steps(certificate: &Path) -> Vec<Step> {
    // Each application has an authority of its own, and a second one does not replace the first.
    let content = std::fs::read(certificate).unwrap_or_default();
    let hash = HEXLOWER.encode(&sha256(&content));
    let short = hash.get(..16).unwrap_or_default();
    let target = format!("/usr/local/share/ca-certificates/dewar-local-authority-{short}.crt");
    let file = certificate.display().to_string();
    vec![
        Step::new("the system", "install", &["-m", "0644", &file, &target]),
        Step::new("the system", "update-ca-certificates", &[]),
    ]
}

#[cfg(test)]
mod tests {
    use super::{LocalAuthority, Step};
    use std::fs;

    #[test]
    fn a_directory_name_cannot_become_a_command() {
        let step = Step::new(
            "test",
            "install",
            &["/home/a'; rm -rf b/x.pem", "/plain/path"],
        );
        assert_eq!(
            step.command("sudo "),
            r"sudo install '/home/a'\''; rm -rf b/x.pem' /plain/path"
        );
    }

    #[test]
    fn the_instructions_name_the_file_and_the_stores_that_exist() {
        let data = tempfile::tempdir().unwrap();
        let authority = LocalAuthority::open_or_create(data.path(), 1_800_000_000).unwrap();
        let file = authority.certificate_file().display().to_string();
        assert!(authority.trust_instructions().contains(&file));
        let home = tempfile::tempdir().unwrap();
        assert!(authority.browser_steps(home.path()).is_empty());
        let profile = home.path().join(".mozilla/firefox/abc.default");
        fs::create_dir_all(&profile).unwrap();
        fs::write(profile.join("cert9.db"), "").unwrap();
        let steps = authority.browser_steps(home.path());
        assert_eq!(steps.len(), 1);
        assert!(steps[0].command("").starts_with("certutil -d sql:"));
    }

    /// Dewar must not report that the machine trusts the authority if it does not.
    #[test]
    fn a_step_after_one_that_failed_is_not_taken() {
        let taken = |programs: &[&'static str]| -> Vec<bool> {
            let steps = programs
                .iter()
                .map(|program| Step::new("test", program, &[]));
            let taken = super::each_after_the_other(steps.collect());
            assert!(taken.iter().all(|step| step.command.starts_with("sudo ")));
            taken.iter().map(|step| step.done).collect()
        };
        assert_eq!(taken(&["true", "true"]), [true, true]);
        assert_eq!(taken(&["true", "false", "true"]), [true, false, false]);
        assert_eq!(taken(&["false", "true"]), [false, false]);
        assert_eq!(taken(&["no-such-program", "true"]), [false, false]);
        assert_eq!(taken(&[]), [false; 0]);
    }

    #[cfg(not(target_os = "macos"))]
    #[test]
    fn the_systems_own_store_is_named_with_both_of_its_commands() {
        let data = tempfile::tempdir().unwrap();
        let authority = LocalAuthority::open_or_create(data.path(), 1_800_000_000).unwrap();
        let told = authority.trust_instructions();
        for command in ["install -m 0644 ", "update-ca-certificates"] {
            assert!(told.contains(command), "{told}");
        }
    }
}
