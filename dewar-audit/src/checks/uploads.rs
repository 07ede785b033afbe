use dewar::audit::{Practice, Severity};

use super::{Check, Evidence, Looking, Outcome};
use crate::sources::{Ask, Data, Sources};

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "uploads-served",
        word: Practice::Uploads,
        severity: Severity::High,
        what: "no file of the data directory has an address",
        why: "an attacker guesses the paths of documents, keys and the database, and downloads them",
        fix: "keep data outside every served directory, and serve files by a handler that checks access",
        cwe: Some(552),
        asvs: &["5.4.1", "13.4.7"],
        look: served,
    },
    Check {
        id: "uploads-escape",
        word: Practice::Uploads,
        severity: Severity::Critical,
        what: "no spelling of a path leaves the static files",
        why: "an attacker can read every file that the application may read",
        fix: "find static files in a table made at start: `static_files::<Static>()`",
        cwe: Some(22),
        asvs: &["5.3.2"],
        look: escape,
    },
    Check {
        id: "uploads-hidden-files",
        word: Practice::Uploads,
        severity: Severity::High,
        what: "hidden files, sources and listings of directories have no address",
        why: "a copied repository contains every key that was ever in it",
        fix: "serve a list of files with known endings, and answer all other requests with 404",
        cwe: Some(538),
        asvs: &["13.4.1", "13.4.3", "13.4.7"],
        look: hidden,
    },
    Check {
        id: "uploads-readable",
        word: Practice::Uploads,
        severity: Severity::Medium,
        what: "only the application's user can access uploads",
        why: "every program on the machine reads the documents, quarantine and all",
        fix: "`chmod -R go= <data>/uploads`, and start the application with the umask 077",
        cwe: Some(732),
        asvs: &["13.3.2", "14.2.1"],
        look: readable,
    },
];

/// The most files of the data directory that are requested by name.
const MOST_FILES: usize = 60;

fn served(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let mut targets: Vec<String> = [
            "/uploads/",
            "/quarantine/",
            "/uploads/quarantine/",
            "/files/",
            "/data/",
            "/database.sqlite",
            "/audit.jsonl",
            "/keys/keys.toml",
        ]
        .map(str::to_owned)
        .into();
        if let Some(root) = &looks.data {
            let data = Data::list(root)?;
            for found in data.files().take(MOST_FILES) {
                let path = found.path.to_string_lossy().into_owned();
                targets.extend(
                    ["/", "/data/", "/static/", "/uploads/"]
                        .map(|prefix| format!("{prefix}{path}")),
                );
                let name = found.path.file_name().unwrap_or_default().to_string_lossy();
                targets.push(format!("/static/{name}"));
            }
        }
        fetch(
            looks,
            targets,
            "a file or directory of the data has an address",
        )
        .await
    })
}

fn escape(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let mut targets = Vec::new();
        for up in [
            "../",
            "..%2f",
            "%2e%2e/",
            "%2e%2e%2f",
            "..%5c",
            "....//",
            "..%252f",
        ] {
            for (depth, file) in [(1, "Cargo.toml"), (2, "Cargo.toml"), (8, "etc/passwd")] {
                targets.push(format!("/static/{}{file}", up.repeat(depth)));
            }
        }
        targets.push("/static//etc/passwd".to_owned());
        targets.push("/static/%2fetc%2fpasswd".to_owned());
        fetch(looks, targets, "a path leads out of the static files").await
    })
}

fn hidden(looks: &Sources) -> Looking<'_> {
    Box::pin(async move {
        let targets = [
            "/.env",
            "/.git/config",
            "/.git/HEAD",
            "/.htaccess",
            "/static/.env",
            "/static/.gitignore",
            "/Cargo.toml",
            "/Cargo.lock",
            "/dewar.toml",
            "/src/main.rs",
            "/static/",
            "/static/zq9.exe",
            "/static/zq9.html",
            "/backup.zip",
            "/database.sql",
        ];
        fetch(
            looks,
            targets.map(str::to_owned).into(),
            "a hidden file, a source or a listing has an address",
        )
        .await
    })
}

async fn fetch(
    looks: &Sources,
    targets: Vec<String>,
    what: &'static str,
) -> Result<Outcome, crate::sources::Error> {
    let mut seen = Vec::new();
    for target in targets {
        if looks.routes.has("GET", &target) {
            continue;
        }
        let answer = looks.answers.ask(Ask::get(target)).await?;
        if answer.is_success() {
            seen.push(Evidence::new(what, &answer.place));
        }
    }
    Ok(Outcome::Seen(seen))
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
            .filter(|found| found.path.starts_with("uploads") && found.is_open_to_others());
        let seen = open.map(|found| {
            Evidence::new(
                "an upload is open to others",
                format!("{} ({})", found.path.display(), found.permissions()),
            )
        });
        Ok(Outcome::Seen(seen.collect()))
    })
}
