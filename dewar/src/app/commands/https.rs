use super::super::cli::Https;
use super::super::launch::Plan;
use super::{print, print_json};
use crate::audit::Clock;
use crate::https::{LocalAuthority, Standing};
use crate::pages::Error;

/// Looks after HTTPS.
pub(super) async fn run(plan: Plan, what: &Https) -> Result<(), Error> {
    match what {
        Https::Headers => print(&crate::https::book()),
        Https::Status { json } => status(plan, *json).await,
        Https::Trust => trust(&plan),
    }
}

async fn status(plan: Plan, json: bool) -> Result<(), Error> {
    let opened = plan
        .open()
        .await
        .map_err(|findings| Error::launch(&findings))?;
    let standing = Standing::of(&opened.certificates, opened.acme.as_ref());
    if json {
        print_json(&standing)
    } else {
        print(&standing)
    }
}

fn trust(plan: &Plan) -> Result<(), Error> {
    let authority = LocalAuthority::open_or_create(&plan.config.data, Clock::system().now())
        .map_err(Error::internal)?;
    // The home directory is where browsers keep a store of their own.
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
