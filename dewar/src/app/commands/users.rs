use std::io::{self, Read, Write as _};

use zeroize::Zeroizing;

use super::super::cli::Users;
use super::super::launch::{Blueprint, refuse_if_any};
use super::super::run::origin;
use super::super::{Dewar, background};
use super::{import, print, print_json};
use crate::accounts::{self, Accounts, NewUser, User};
use crate::pages::{AccountPage, Error, Position};

pub(super) const OLDER: &str = "an older program created the tables; run `migrate` first";

/// Manages accounts.
pub(super) async fn run(plan: Blueprint, what: Users, input: impl Read) -> Result<(), Error> {
    // Listing only reads and opens no room: it migrates, creates and removes nothing.
    if let Users::List { json } = what {
        return list(&everybody(&plan).await?, json);
    }
    let https = &plan.config.https;
    let origin = origin(https, https.public_port);
    let paths = plan.table.account_paths();
    let has_reset = paths.pattern(AccountPage::Reset).is_some();
    let config = plan.config.database.clone();
    let opened = plan
        .open()
        .await
        .map_err(|findings| Error::launch(&findings))?;
    let done = if let Users::Import(options) = &what {
        import::run(&opened.dewar, options, &config).await
    } else {
        change(&opened.dewar, what, has_reset, &origin, input).await
    };
    background::end_log(&opened.dewar).await;
    done
}

/// Runs a command that changes something.
async fn change(
    dewar: &Dewar,
    what: Users,
    has_reset: bool,
    origin: &str,
    input: impl Read,
) -> Result<(), Error> {
    let accounts = dewar.accounts();
    match what {
        Users::Add {
            email, name, role, ..
        } => add(accounts, &email, name, &role, input).await?,
        Users::Disable { email } => {
            let user = known(accounts, &email).await?;
            let disabled = accounts.disable(None, user.id).await;
            disabled.map_err(|error| wrong(error, &email, accounts))?;
            print(&format_args!(
                "{email} is disabled and signed out everywhere.\n"
            ))?;
        }
        Users::Enable { email } => {
            let user = known(accounts, &email).await?;
            let enabled = accounts.enable(None, user.id).await;
            enabled.map_err(|error| wrong(error, &email, accounts))?;
            print(&format_args!("{email} may sign in again.\n"))?;
        }
        // Both are done by their callers.
        Users::Import(_) | Users::List { json: _ } => {}
        Users::ResetFactors { email } => reset_factors(accounts, &email).await?,
        Users::SetPassword { email, link, .. } => {
            if link {
                has_reset_page(has_reset)?;
                reset_link(accounts, &email, origin).await?;
            } else {
                set_password(accounts, &email, input).await?;
            }
        }
        Users::SignOut { email, all: _ } => sign_out(accounts, email.as_deref()).await?,
        Users::Unlock { email } => unlock(accounts, &email).await?,
    }
    Ok(())
}

/// Reads the password from standard input.
async fn add(
    accounts: &Accounts,
    email: &str,
    name: Option<String>,
    roles: &[String],
    input: impl Read,
) -> Result<(), Error> {
    let password = password(input)?;
    let name = name.unwrap_or_else(|| email.split('@').next().unwrap_or_default().to_owned());
    let roles: Vec<&str> = roles.iter().map(String::as_str).collect();
    let person = NewUser {
        email,
        name: &name,
        password: password.trim_end_matches(['\r', '\n']),
    };
    let id = accounts.add(person, &roles).await;
    let id = id.map_err(|error| wrong(error, email, accounts))?;
    print(&format_args!("{id} {email}\n"))
}

/// Refuses to make a link whose page is not mounted.
fn has_reset_page(mounted: bool) -> Result<(), Error> {
    if mounted {
        return Ok(());
    }
    Err(Error::command(
        "this application has no page for the link; mount `.public([get(\"/reset/{token}\", accounts::reset_page), \
         post(\"/reset/{token}\", accounts::reset)])`, or set the new password with `--password-stdin`",
    ))
}

/// A link to choose a new password, for the operator to hand over.
async fn reset_link(accounts: &Accounts, email: &str, origin: &str) -> Result<(), Error> {
    let user = known(accounts, email).await?;
    if !user.is_active() {
        return Err(Error::command(format!(
            "{email} is disabled; run `users enable` first"
        )));
    }
    let path = accounts.reset_path(user.id).await;
    let path = path.map_err(|error| wrong(error, email, accounts))?;
    print(&format_args!(
        "{email} can choose a new password here, once and within an hour:\n{origin}{path}\n"
    ))
}

/// Reads the new password from standard input.
async fn set_password(accounts: &Accounts, email: &str, input: impl Read) -> Result<(), Error> {
    let user = known(accounts, email).await?;
    let new = password(input)?;
    let set = accounts.set_password(user.id, new.trim_end_matches(['\r', '\n']));
    set.await.map_err(|error| wrong(error, email, accounts))?;
    accounts.settle().await;
    print(&format_args!(
        "{email} has a new password and is signed out everywhere.\n"
    ))
}

/// Anybody who has the password can sign in with it alone afterwards, so the operator asks for the user's identity first.
async fn reset_factors(accounts: &Accounts, email: &str) -> Result<(), Error> {
    let user = known(accounts, email).await?;
    let reset = accounts.reset_factors(None, user.id).await;
    if !reset.map_err(|error| wrong(error, email, accounts))? {
        return Err(Error::command(format!("{email} has no second factor")));
    }
    accounts.settle().await;
    print(&format_args!(
        "{email} has no second factor now and is signed out everywhere.\n"
    ))
}

async fn unlock(accounts: &Accounts, email: &str) -> Result<(), Error> {
    let user = known(accounts, email).await?;
    let unlocked = accounts.unlock(None, user.id).await;
    unlocked.map_err(|error| wrong(error, email, accounts))?;
    print(&format_args!(
        "{email} is unlocked: Dewar has reset the count of failed attempts.\n"
    ))
}

/// Without an address, for all users.
async fn sign_out(accounts: &Accounts, email: Option<&str>) -> Result<(), Error> {
    let (who, ended) = match email {
        Some(email) => {
            let user = known(accounts, email).await?;
            (email, accounts.sign_out_everywhere(None, user.id).await)
        }
        None => ("everybody", accounts.sign_out_everyone().await),
    };
    let ended = ended.map_err(Error::internal)?;
    let ended = if ended == 1 {
        "one session has ended".to_owned()
    } else {
        format!("{ended} sessions have ended")
    };
    print(&format_args!("{who}: {ended}.\n"))
}

async fn known(accounts: &Accounts, email: &str) -> Result<User, Error> {
    let found = accounts.find_by_email(email).await;
    let none = || {
        Error::command(format!(
            "no account has the address {email}; `users list` shows all accounts"
        ))
    };
    found.map_err(Error::internal)?.ok_or_else(none)
}

/// The password from standard input, without the end of its line.
fn password(mut input: impl Read) -> Result<Zeroizing<String>, Error> {
    let mut password = Zeroizing::new(String::new());
    match input.read_to_string(&mut password) {
        Ok(_) => Ok(password),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(Error::command(
            "the password on standard input is not UTF-8",
        )),
        Err(error) => Err(Error::internal(error)),
    }
}

/// A mistake of the operator, in words for the operator. Any other error is the program's or the machine's.
fn wrong(error: accounts::Error, email: &str, accounts: &Accounts) -> Error {
    use accounts::Error as Wrong;
    match error {
        Wrong::Address(problem) => {
            Error::command(format!("{email:?} is not an address: {problem}"))
        }
        Wrong::Taken => Error::command(format!("{email} already has an account")),
        Wrong::UnknownRole(role) => {
            let known = accounts.role_names();
            let known = if known.is_empty() {
                "this application has no roles".to_owned()
            } else {
                format!("the roles are: {}", known.join(", "))
            };
            Error::command(format!("no role is named {role:?}; {known}"))
        }
        error @ (Wrong::Guessable(_) | Wrong::TooLong(_) | Wrong::TooShort(_)) => {
            Error::command(format!("the password: {error}"))
        }
        error @ (Wrong::Changed(_)
        | Wrong::Closed
        | Wrong::FactorRequired
        | Wrong::FactorThere
        | Wrong::LastAdministrator
        | Wrong::LastWayIn
        | Wrong::LinkSpent
        | Wrong::Name(_)
        | Wrong::NoSuchUser
        | Wrong::Refused
        | Wrong::SignInEnded
        | Wrong::Throttled(_)
        | Wrong::TooManyLinks) => Error::command(error),
        error @ (Wrong::Busy(_)
        | Wrong::FlaskSalt(_)
        | Wrong::Database(_)
        | Wrong::Mail(_)
        | Wrong::NotSealed
        | Wrong::Pool(_)
        | Wrong::ProviderSecret(_)
        | Wrong::Fields(_)
        | Wrong::Sessions(_)) => Error::internal(error),
    }
}

async fn everybody(plan: &Blueprint) -> Result<Vec<User>, Error> {
    refuse_if_any(&plan.findings).map_err(|findings| Error::launch(&findings))?;
    let mut all = Vec::new();
    let db = plan.database_to_read().await;
    let Some(db) = db.map_err(|findings| Error::launch(&findings))? else {
        let none = "No accounts: the database does not exist yet";
        let said = match plan.database_file() {
            Some(file) => writeln!(io::stderr(), "{none}: {}", file.display()),
            None => writeln!(io::stderr(), "{none}."),
        };
        said.map_err(Error::internal)?;
        return Ok(all);
    };
    let older = !db.migrations_pending(&plan.migrations()).await?.is_empty();
    let mut place = Position::Start;
    loop {
        let found = match accounts::list(&db, "", place, 200).await {
            Err(error) if older => {
                return Err(Error::command(format!("{OLDER}: {error}")));
            }
            found => found?,
        };
        let next = found.next(User::key);
        all.extend(found.rows);
        match next {
            Some(key) => place = Position::After(key),
            None => return Ok(all),
        }
    }
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
        let factor = if user.second_factor_at.is_some() {
            "2 factors"
        } else {
            "password"
        };
        print(&format_args!(
            "{:<5} {:<8} {:<9} {:<40} {} [{}]\n",
            user.id,
            state,
            factor,
            user.email,
            user.name,
            user.roles.join(" ")
        ))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::ErrorKind;

    /// A broken pipe is the machine's fault, and is not reported as a typed password.
    #[test]
    fn a_password_is_read_whole_and_what_is_wrong_with_it_is_told() {
        struct BrokenOutput;
        impl Read for BrokenOutput {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        assert_eq!(&**password(&b"a b\n"[..]).unwrap(), "a b\n");
        let typed = password(&b"\xff"[..]).unwrap_err();
        assert_ne!(typed.kind(), ErrorKind::Internal);
        assert!(format!("{typed:?}").contains("not UTF-8"), "{typed:?}");
        assert_eq!(
            password(BrokenOutput).unwrap_err().kind(),
            ErrorKind::Internal
        );
    }
}
