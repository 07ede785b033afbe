//! Makes accounts from the users of another application, with their password hashes.
//!
//! An import only adds. It changes no account that is there, and gives none a role, a name or a password: otherwise a row with a
//! known address and the row's own password would take the account over.
use std::collections::HashSet;

use super::email::EmailKey;
use super::hash_formats::{self, FlaskSalt, HashProblem};
use super::password::StoredHash;
use super::sign_up::{NewUser, add_role, insert};
use super::users::about;
use super::{Accounts, Error};
use crate::audit::Event;
use crate::database::{Tx, refuse_while_reading};
use crate::forms::{Email, Name, Problem};

/// The most roles of a row.
const MOST_ROLES: usize = 64;

/// A row of a source, as it says it.
#[derive(Debug)]
pub(crate) struct ImportRow {
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) password_hash: String,
    pub(crate) roles: Vec<String>,
    pub(crate) state: AccountState,
}

/// Whether the user may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccountState {
    Active,
    Disabled,
}

/// The hashes that a source may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashSource {
    Any,
    FlaskSecurity,
    Werkzeug,
}

/// Whether a source may make administrators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImportedAdministrators {
    Allow,
    Refuse,
}

/// A row that can become an account.
pub(crate) struct ImportUser {
    email: Email,
    name: Name<80>,
    hash: StoredHash,
    roles: Vec<String>,
    state: AccountState,
}

/// Why a row cannot become an account, for the operator.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImportProblem {
    #[error("the address: {0}")]
    Address(Problem),
    #[error("the name: {0}")]
    Name(Problem),
    #[error(transparent)]
    Hash(HashProblem),
    #[error("the password hash is not one of Werkzeug")]
    NotWerkzeug,
    #[error("no role is named {0:?}; {1}")]
    UnknownRole(String, String),
    #[error("the role {0} administers the application; `--allow-administrators` imports it")]
    Administrator(String),
    #[error("more than {MOST_ROLES} roles")]
    ManyRoles,
    #[error("the same address is on an earlier row; nothing of this one was imported")]
    Twice,
}

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ImportOutcome {
    Created,
    Exists,
}

/// Reads the rows of one source.
pub(crate) struct ImportReader<'a> {
    accounts: &'a Accounts,
    source: HashSource,
    administrators: ImportedAdministrators,
    flask_salt: Option<FlaskSalt>,
    /// Eight bytes for each address so far, so that a million rows need few megabytes.
    seen: HashSet<u64>,
}

impl Accounts {
    /// A reader of a source's rows; none if its hashes need the salt of Flask-Security, and there is none.
    pub(crate) fn import_reader(
        &self,
        source: HashSource,
        administrators: ImportedAdministrators,
    ) -> Option<ImportReader<'_>> {
        let flask_salt = self.0.pool.flask_salt().cloned();
        if source == HashSource::FlaskSecurity && flask_salt.is_none() {
            return None;
        }
        Some(ImportReader {
            accounts: self,
            source,
            administrators,
            flask_salt,
            seen: HashSet::new(),
        })
    }

    /// Makes the accounts in one transaction, each with an entry in the audit log. An address that has an account stays as it is.
    pub(crate) async fn import(&self, users: &[ImportUser]) -> Result<Vec<ImportOutcome>, Error> {
        refuse_while_reading()?;
        let tx = self.0.db.begin().await?;
        let mut done = Vec::with_capacity(users.len());
        for user in users {
            done.push(self.import_one(&tx, user).await?);
        }
        tx.commit().await?;
        Ok(done)
    }

    async fn import_one(&self, tx: &Tx, user: &ImportUser) -> Result<ImportOutcome, Error> {
        let inner = &self.0;
        let person = NewUser {
            email: user.email.as_str(),
            name: user.name.as_str(),
            password: "",
        };
        let now = inner.clock.now();
        let Some(id) = insert(tx, person, &user.hash, now, None).await? else {
            return Ok(ImportOutcome::Exists);
        };
        for role in &user.roles {
            add_role(tx, id, role).await?;
        }
        if user.state == AccountState::Disabled {
            let set = "UPDATE dewar_users SET disabled_at = ?1 WHERE id = ?2";
            tx.execute(set, [now.into(), id.into()]).await?;
        }
        let entry = about(Event::UserCreated, None, id);
        let entry = entry.detail(format_args!("imported {}", user.roles.join(" ")));
        tx.record(&inner.log, entry).await?;
        Ok(ImportOutcome::Created)
    }

    /// What [`import`](Self::import) would do, without doing it.
    pub(crate) async fn import_would(
        &self,
        users: &[ImportUser],
    ) -> Result<Vec<ImportOutcome>, Error> {
        let mut would = Vec::with_capacity(users.len());
        for user in users {
            let found = self.find_by_email(user.email.as_str()).await?;
            would.push(match found {
                Some(_) => ImportOutcome::Exists,
                None => ImportOutcome::Created,
            });
        }
        Ok(would)
    }
}

impl ImportReader<'_> {
    /// Parses a row.
    pub(crate) fn parse(&mut self, row: &ImportRow) -> Result<ImportUser, ImportProblem> {
        let email = Email::parse(&row.email).map_err(ImportProblem::Address)?;
        let name = match row.name.trim() {
            "" => email.as_str().split('@').next().unwrap_or_default(),
            name => name,
        };
        let name = Name::<80>::parse(name).map_err(ImportProblem::Name)?;
        let hash = self.hash(&row.password_hash)?;
        let roles = self.roles(&row.roles)?;
        let key = EmailKey::new(email.as_str()).hash();
        let (start, _) = key.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        if !self.seen.insert(u64::from_le_bytes(*start)) {
            return Err(ImportProblem::Twice);
        }
        Ok(ImportUser {
            email,
            name,
            hash,
            roles,
            state: row.state,
        })
    }

    /// An empty hash and Django's `!…` are those of a user without a password, who gets one by a link.
    fn hash(&self, text: &str) -> Result<StoredHash, ImportProblem> {
        let text = text.trim();
        if text.is_empty() || text.starts_with(StoredHash::NO_PASSWORD) {
            return Ok(StoredHash::from_database(
                StoredHash::NO_PASSWORD.to_owned(),
            ));
        }
        let is_werkzeug = text.starts_with("scrypt:") || text.starts_with("pbkdf2:");
        match (self.source, &self.flask_salt) {
            (HashSource::Werkzeug, _) if !is_werkzeug => Err(ImportProblem::NotWerkzeug),
            (HashSource::FlaskSecurity, Some(salt)) => {
                hash_formats::imported_flask_security(text, salt).map_err(ImportProblem::Hash)
            }
            _ => hash_formats::imported(text).map_err(ImportProblem::Hash),
        }
    }

    fn roles(&self, written: &[String]) -> Result<Vec<String>, ImportProblem> {
        let roles = &self.accounts.0.roles;
        if written.len() > MOST_ROLES {
            return Err(ImportProblem::ManyRoles);
        }
        for role in written {
            if !roles.all.contains(&role.as_str()) {
                let known = if roles.all.is_empty() {
                    "this application has no roles".to_owned()
                } else {
                    format!("the roles are: {}", roles.all.join(", "))
                };
                let role = role.chars().take(80).collect();
                return Err(ImportProblem::UnknownRole(role, known));
            }
            if roles.administrator == Some(role.as_str())
                && self.administrators == ImportedAdministrators::Refuse
            {
                return Err(ImportProblem::Administrator(role.clone()));
            }
        }
        Ok(written.to_vec())
    }
}
