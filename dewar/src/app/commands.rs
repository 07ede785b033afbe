use std::io::{self, Read, Write};

use serde::Serialize;

use super::cli::{Audit, Https, Keys, Users, What};
use super::launch::Plan;
use super::{App, serving};
use crate::accounts::{NewUser, User};
use crate::audit::{Clock, Finding, Log, report};
use crate::dependencies::Parts;
use crate::https::LocalAuthority;
use crate::pages::Error;
use crate::secrets::KeyRing;

const RESTART: &str = "Restart the application: it reads its keys at start.\n";

/// Does what the command line says.
pub(super) async fn run<S: Clone + Send + Sync + 'static>(app: App<S>) -> Result<(), Error> {
    let what = app.command.what.clone().unwrap_or(What::Serve);
    if let What::Serve = what {
        return serving::serve(app).await;
    }
    let (plan, _) = app.plan();
    match what {
        What::Serve => Ok(()),
        What::Audit {
            what: Audit::Verify,
        } => verify_log(&plan),
        What::Check { json } => check(plan, json).await,
        What::Dependencies { json } => dependencies(&plan, json),
        What::Https { what: Https::Trust } => trust(&plan),
        What::Keys { what } => keys(&plan, &what),
        What::Migrate => migrate(plan).await,
        What::Routes { json } => routes(&plan, json),
        What::Users { what } => users(plan, what).await,
    }
}

fn routes(plan: &Plan, json: bool) -> Result<(), Error> {
    if json {
        print_json(&plan.table)
    } else {
        print(&plan.table)
    }
}

/// Status 1 where something forbids the launch, so that a pipeline stops.
async fn check(plan: Plan, json: bool) -> Result<(), Error> {
    let findings = match plan.open().await {
        Ok(opened) => opened.findings,
        Err(findings) => findings,
    };
    if json {
        print_json(&findings)?;
    } else if findings.is_empty() {
        print(&"Nothing is wrong.\n")?;
    } else {
        print(&report(&findings))?;
    }
    let refuses = findings.iter().any(|finding| finding.refuses_launch);
    if refuses { Err(Error::quiet()) } else { Ok(()) }
}

fn dependencies(plan: &Plan, json: bool) -> Result<(), Error> {
    let none = "this program was built without `.lock_file(…)`, so it does not know its own parts";
    let text = plan.parts.lock_file.ok_or_else(|| Error::internal(none))?;
    let parts = Parts::of_lock_file(text).map_err(Error::internal)?;
    if json {
        print_json(&parts)
    } else {
        print(&parts)
    }
}

fn keys(plan: &Plan, what: &Keys) -> Result<(), Error> {
    let directory = plan.config.data.join("keys");
    let refused = |findings: Vec<Finding>| Error::launch(&findings);
    match what {
        Keys::List => {
            for key in KeyRing::list(&directory).map_err(refused)? {
                print(&format_args!(
                    "{}\n",
                    serde_json::to_string(&key).map_err(Error::internal)?
                ))?;
            }
            Ok(())
        }
        Keys::New => {
            KeyRing::create(&directory).map_err(refused)?;
            print(&format_args!(
                "A key was made in {}.\n",
                directory.display()
            ))
        }
        Keys::Retire { id } => {
            KeyRing::retire(&directory, id).map_err(refused)?;
            print(&format_args!(
                "{id} is retired; what it signed and sealed is refused.\n"
            ))?;
            print(&RESTART)
        }
        Keys::Rotate => {
            let key = KeyRing::rotate(&directory).map_err(refused)?;
            print(&format_args!(
                "{} is the current key; what the others signed and sealed stays good.\n",
                key.id
            ))?;
            print(&RESTART)
        }
    }
}

async fn migrate(plan: Plan) -> Result<(), Error> {
    plan.keys().map_err(|findings| Error::launch(&findings))?;
    let db = plan
        .database()
        .map_err(|findings| Error::launch(&findings))?;
    let applied = db.migrate(&plan.migrations()).await?;
    if applied.is_empty() {
        return print(&"The database is up to date.\n");
    }
    for name in applied {
        print(&format_args!("applied {name}\n"))?;
    }
    Ok(())
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

fn verify_log(plan: &Plan) -> Result<(), Error> {
    let ring = plan.keys().map_err(|findings| Error::launch(&findings))?;
    let verified = Log::verify_file(plan.config.data.join("audit.jsonl"), ring.chain_keys());
    let verified = verified.map_err(Error::internal)?;
    print(&format_args!(
        "{} entries, none altered, removed or cut off. Head: {}\n",
        verified.entries, verified.head
    ))
}

async fn users(plan: Plan, what: Users) -> Result<(), Error> {
    let opened = plan
        .open()
        .await
        .map_err(|findings| Error::launch(&findings))?;
    let accounts = opened.dewar.accounts();
    match what {
        Users::Add {
            email,
            name,
            role,
            password_stdin: _,
        } => {
            let mut password = zeroize::Zeroizing::new(String::new());
            io::stdin()
                .read_to_string(&mut password)
                .map_err(Error::internal)?;
            let password = password.trim_end_matches(['\r', '\n']);
            let name =
                name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
            let roles: Vec<&str> = role.iter().map(String::as_str).collect();
            let person = NewUser {
                email: &email,
                name: &name,
                password,
            };
            let id = accounts
                .add(person, &roles)
                .await
                .map_err(Error::internal)?;
            print(&format_args!("{id} {email}\n"))?;
        }
        Users::Disable { email } => {
            let found = accounts
                .find_by_email(&email)
                .await
                .map_err(Error::internal)?;
            let user = found.ok_or_else(|| {
                Error::internal(format!("there is no account with the address {email}"))
            })?;
            accounts
                .disable(None, user.id)
                .await
                .map_err(Error::internal)?;
            print(&format_args!(
                "{email} is disabled and signed out everywhere.\n"
            ))?;
        }
        Users::List { json } => list(&everybody(accounts).await?, json)?,
    }
    opened.dewar.log().flush().await;
    Ok(())
}

async fn everybody(accounts: &crate::accounts::Accounts) -> Result<Vec<User>, Error> {
    let mut all = Vec::new();
    for page in 1.. {
        let found = accounts
            .list("", page, 200)
            .await
            .map_err(Error::internal)?;
        if found.users.is_empty() {
            break;
        }
        all.extend(found.users);
    }
    Ok(all)
}

fn list(users: &[User], json: bool) -> Result<(), Error> {
    if json {
        return print_json(&users);
    }
    for user in users {
        let state = if user.is_active() {
            "active"
        } else {
            "disabled"
        };
        print(&format_args!(
            "{:<5} {:<8} {:<40} {} [{}]\n",
            user.id,
            state,
            user.email,
            user.name,
            user.roles.join(" ")
        ))?;
    }
    Ok(())
}

fn print(what: &impl std::fmt::Display) -> Result<(), Error> {
    write!(io::stdout(), "{what}").map_err(Error::internal)
}

fn print_json(what: &impl Serialize) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(what).map_err(Error::internal)?;
    print(&format_args!("{text}\n"))
}
