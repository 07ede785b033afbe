use std::io::{self, Read};

use super::super::cli::Users;
use super::super::launch::Plan;
use super::{print, print_json};
use crate::accounts::{Accounts, NewUser, User};
use crate::pages::Error;

/// Looks after accounts.
pub(super) async fn run(plan: Plan, what: Users) -> Result<(), Error> {
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
            let user = known(accounts, &email).await?;
            accounts
                .disable(None, user.id)
                .await
                .map_err(Error::internal)?;
            print(&format_args!(
                "{email} is disabled and signed out everywhere.\n"
            ))?;
        }
        Users::List { json } => list(&everybody(accounts).await?, json)?,
        Users::SignOut { email, all: _ } => sign_out(accounts, email.as_deref()).await?,
    }
    opened.dewar.log().flush().await;
    Ok(())
}

/// Without an address, everybody.
async fn sign_out(accounts: &Accounts, email: Option<&str>) -> Result<(), Error> {
    let (who, ended) = match email {
        Some(email) => {
            let user = known(accounts, email).await?;
            (email, accounts.sign_out_everywhere(None, user.id).await)
        }
        None => ("everybody", accounts.sign_out_everyone().await),
    };
    let ended = ended.map_err(Error::internal)?;
    print(&format_args!("{who}: {ended} sessions have ended.\n"))
}

async fn known(accounts: &Accounts, email: &str) -> Result<User, Error> {
    let found = accounts.find_by_email(email).await;
    found
        .map_err(Error::internal)?
        .ok_or_else(|| Error::internal(format!("there is no account with the address {email}")))
}

async fn everybody(accounts: &Accounts) -> Result<Vec<User>, Error> {
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
