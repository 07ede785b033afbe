use super::super::cli::Https;
use super::super::launch::{Blueprint, refuse_if_any};
use super::{print, print_json};
use crate::audit::{Clock, Finding};
use crate::https::{CertificateStatus, LocalAuthority};
use crate::pages::Error;

/// Runs the commands of HTTPS.
pub(super) async fn run(plan: Blueprint, what: &Https) -> Result<(), Error> {
    match what {
        Https::Headers => print(&crate::https::markdown_table()),
        Https::Status { json } => status(&plan, *json).await,
        Https::Trust => trust(&plan),
    }
}

/// Reads only, and opens no room: it migrates, creates and orders nothing.
async fn status(plan: &Blueprint, json: bool) -> Result<(), Error> {
    let refused = |findings: Vec<Finding>| Error::launch(&findings);
    refuse_if_any(&plan.findings).map_err(refused)?;
    let https = &plan.config.https;
    if https.behind.is_some() && !json {
        return print(
            &"The proxy in front ends TLS (https.behind_proxy): its certificate is the one that visitors see.\n",
        );
    }
    let standing = match (&https.files, &https.acme) {
        (Some(files), _) => {
            let loaded = files.load(&https.hosts, plan.clock.now());
            let (certificates, _) = loaded.map_err(refused)?;
            CertificateStatus::ends(certificates.not_after())
        }
        (None, Some(_)) => match plan.database_to_read().await.map_err(refused)? {
            Some(db) => {
                let acme = plan.acme_as_it_stands(&db).await.map_err(refused)?;
                acme.map_or(CertificateStatus::ends(None), |acme| {
                    CertificateStatus::of(&acme)
                })
            }
            None => CertificateStatus::ends(None),
        },
        (None, None) => {
            CertificateStatus::ends(LocalAuthority::certificate_ends(&plan.config.data))
        }
    };
    if json {
        print_json(&standing)
    } else {
        print(&standing)
    }
}

fn trust(plan: &Blueprint) -> Result<(), Error> {
    let authority = LocalAuthority::open_or_create(&plan.config.data, Clock::system().now())
        .map_err(Error::internal)?;
    // Some browsers have a certificate store of their own in the home directory.
    for step in authority.install(std::env::home_dir().as_deref()) {
        let done = if step.done { "done" } else { "to do" };
        print(&format_args!(
            "{done}: trusted by {}\n    {}\n",
            step.what, step.command
        ))?;
    }
    print(&format_args!(
        "The certificate: {}\n",
        authority.certificate_file().display()
    ))
}
