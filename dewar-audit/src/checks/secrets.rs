use std::path::Path;

use dewar::audit::{Practice, Severity};

use super::{Check, Evidence, Looking, Outcome};
use crate::sources::{Data, DirectoryEntry, Sources};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "secrets-in-answers",
        word: Practice::Secrets,
        severity: Severity::Critical,
        what: "no response to a stranger contains a key or a password",
        why: "anyone who has the key can create sessions and tokens of any user",
        fix: "take it out of the page, then make a new key: `<application> keys rotate`",
        cwe: Some(200),
        asvs: &["13.3.1", "14.2.6"],
        look: in_answers,
    },
    Check {
        id: "secrets-readable",
        word: Practice::Secrets,
        severity: Severity::High,
        what: "only the application's user can access key files",
        why: "every program on the machine can read the key, and create sessions of any user",
        fix: "`chmod 600` the file, `chmod 700` its directory, then make a new key: `<application> keys rotate`",
        cwe: Some(732),
        asvs: &["13.3.2"],
        look: readable,
    },
];

/// Beginnings of secrets: PEM, AWS, GitHub, Slack, Stripe, and settings in an output.
const MARKS: [(&str, &str); 11] = [
    ("private key-----", "a private key in PEM"),
    ("secret_key", "a setting named secret_key"),
    ("secretkey", "a setting named secretKey"),
    ("api_key=", "an API key"),
    ("aws_secret_access_key", "an AWS key"),
    ("database_url=", "the address of a database"),
    ("postgres://", "the address of a database"),
    ("$argon2id$", "a password hash"),
    ("$2b$", "a password hash"),
    ("ghp_", "a GitHub token"),
    ("sk_live_", "a Stripe key"),
];

fn in_answers(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let mut seen = Vec::new();
        for answer in looks.walk().await? {
            let headers = answer
                .headers
                .values()
                .filter_map(|value| value.to_str().ok());
            let whole = headers.collect::<Vec<_>>().join("\n") + "\n" + &answer.text();
            let whole = whole.to_ascii_lowercase();
            for (mark, name) in MARKS.iter().filter(|(mark, _)| whole.contains(mark)) {
                // Names only the mark: a report is stored, and must not store the secret too.
                seen.push(Evidence::new(
                    format!("a response contains {name} (`{mark}`)"),
                    &answer.place,
                ));
            }
        }
        Ok(Outcome::Seen(seen))
    })
}

fn readable(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let Some(root) = &looks.data else {
            return Ok(Outcome::Unasked("no data directory was given (--data DIR)"));
        };
        let data = Data::list(root)?;
        let open = data
            .all()
            .iter()
            .filter(|found| is_of_keys(found) && found.is_open_to_others());
        let seen = open.map(|found| {
            let what = if found.is_directory {
                "a directory of keys is open to others"
            } else {
                "a key is open to others"
            };
            Evidence::new(
                what,
                format!("{} ({})", found.path.display(), found.permissions()),
            )
        });
        Ok(Outcome::Seen(seen.collect()))
    })
}

fn is_of_keys(found: &DirectoryEntry) -> bool {
    let below_keys = found.path.starts_with("keys");
    let ending = found
        .path
        .extension()
        .and_then(|ending| ending.to_str())
        .unwrap_or_default();
    below_keys || matches!(ending, "key" | "p12" | "pfx") || is_private_pem(&found.path, ending)
}

/// `privkey.pem` and `server-key.pem`, but not `authority.pem`: a certificate is for everybody.
fn is_private_pem(path: &Path, ending: &str) -> bool {
    let stem = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    ending == "pem" && stem.contains("key")
}
