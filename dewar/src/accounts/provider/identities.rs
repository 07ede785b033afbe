//! Which identity at a provider belongs to which account.
use std::net::IpAddr;

use serde::Serialize;

use super::attempt::Attempt;
use super::client::Provider;
use super::returned::ProvedUser;
use crate::accounts::letters::{ProviderConnected, ProviderDisconnected, Welcome};
use crate::accounts::password::StoredHash;
use crate::accounts::sign_up::{add_role, insert};
use crate::accounts::{Accounts, Error, NewUser};
use crate::audit::{Entry, Event};
use crate::database::{self, Db, Tx};
use crate::forms::Email;
use crate::mail::{LetterKind, MailQuota, Recipient};
use crate::pages::AccountPage;
use crate::secrets::Token;
use crate::sessions::UserId;

/// The most identities of one account.
const MOST: i64 = 12;

/// The account of an identity.
#[derive(Debug)]
pub(super) struct Identity {
    pub(super) user: UserId,
    pub(super) generation: i64,
    pub(super) disabled: bool,
}

/// An identity of the signed-in user, as the page shows it.
#[derive(Debug, Serialize)]
pub(crate) struct OwnIdentity {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) email: String,
    pub(crate) created_at: i64,
}

/// The result of connecting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connected {
    /// It belongs to another account.
    Another,
    Done,
    /// The account has very many.
    TooMany,
}

impl Connected {
    pub(crate) const fn told(self) -> &'static str {
        match self {
            Self::Another => "accounts-provider-another",
            Self::Done => "accounts-provider-connected",
            Self::TooMany => "accounts-provider-many",
        }
    }
}

impl Accounts {
    /// Notes that an attempt is over. False if it was before: of two returns at the same moment one counts, on all nodes.
    pub(super) async fn spend(&self, attempt: &Attempt) -> Result<bool, Error> {
        let spend = "INSERT INTO dewar_provider_returns (state_hash, expires_at) VALUES (?1, ?2)
            ON CONFLICT (state_hash) DO NOTHING";
        let values = [attempt.mark().into(), attempt.ends().into()];
        Ok(self.0.db.execute(spend, values).await? == 1)
    }

    /// The account of an identity. The issuer and the subject name it, and nothing else: an address can change its owner.
    pub(super) async fn identity(
        &self,
        provider: &Provider,
        subject: &str,
    ) -> Result<Option<Identity>, Error> {
        let find = "SELECT u.id, u.session_generation, u.disabled_at FROM dewar_identities i
            JOIN dewar_users u ON u.id = i.user_id WHERE i.issuer = ?1 AND i.subject = ?2";
        let values = [provider.config.issuer.as_str().into(), subject.into()];
        let rows = self.0.db.query(find, values).await?;
        let identity = rows.first().map(|row| {
            Ok::<_, database::Error>(Identity {
                user: UserId::new(row.get(0)?),
                generation: row.get(1)?,
                disabled: row.get::<Option<i64>>(2)?.is_some(),
            })
        });
        Ok(identity.transpose()?)
    }

    /// The name of a new account: one that the provider says, or the beginning of the address, if a user may choose it.
    pub(super) async fn name_for(
        &self,
        proved: &ProvedUser,
        email: &Email,
    ) -> Result<Option<String>, Error> {
        let local = email.as_str().split('@').next().unwrap_or_default();
        let names = proved.names.iter().map(String::as_str);
        for name in names.chain([local]) {
            match self.free(name, None).await {
                Ok(name) => return Ok(Some(name.as_str().to_owned())),
                Err(Error::Name(_)) => {}
                Err(other) => return Err(other),
            }
        }
        Ok(None)
    }

    /// Makes an account without a password for an identity whose address the provider has verified. None if the address has one.
    pub(super) async fn sign_up_by_provider(
        &self,
        provider: &Provider,
        proved: &ProvedUser,
        (email, name): (&Email, &str),
        from: IpAddr,
    ) -> Result<Option<Identity>, Error> {
        let inner = &self.0;
        inner.check_rate_limit(from)?;
        let person = NewUser {
            email: email.as_str(),
            name,
            password: "",
        };
        let none = StoredHash::from_database(StoredHash::NO_PASSWORD.to_owned());
        let language = Some(self.1.language.tag());
        let tx = inner.db.begin().await?;
        let user = insert(&tx, person, &none, inner.clock.now(), language).await?;
        let Some(user) = user else {
            return Ok(None);
        };
        if let Some(role) = &inner.config.role {
            add_role(&tx, user, role).await?;
        }
        let config = &provider.config;
        let identity = (
            &*config.name,
            &*config.issuer,
            &*proved.subject,
            email.as_str(),
        );
        if !add(&tx, user, identity, inner.clock.now()).await? {
            return Ok(None);
        }
        let entry = Entry::new(Event::UserCreated).actor(user).subject(user);
        let entry = entry
            .address(from)
            .detail(format_args!("provider {}", config.name));
        tx.record(&inner.log, entry).await?;
        let link = self.address_of(AccountPage::SignIn);
        let about = (LetterKind::SignUp, MailQuota::Network(from));
        let to = Recipient::stored(email.as_str()).in_language(&self.1.language);
        inner.write_to(&tx, about, to, &Welcome { link }).await?;
        tx.commit().await?;
        Ok(Some(Identity {
            user,
            generation: 0,
            disabled: false,
        }))
    }

    /// Connects an identity with an account, and tells its owner by a letter.
    pub(super) async fn connect(
        &self,
        user: UserId,
        identity: (&str, &str, &str, &str),
        from: IpAddr,
    ) -> Result<Connected, Error> {
        let inner = &self.0;
        let (name, issuer, subject, _) = identity;
        let person = self.find(user).await?.ok_or(Error::NoSuchUser)?;
        let tx = inner.db.begin().await?;
        let find = "SELECT user_id FROM dewar_identities WHERE issuer = ?1 AND subject = ?2";
        let rows = tx.query(find, [issuer.into(), subject.into()]).await?;
        if let Some(row) = rows.first() {
            let is_own = row.get::<i64>(0)? == user.get();
            return Ok(if is_own {
                Connected::Done
            } else {
                Connected::Another
            });
        }
        let count = "SELECT count(*) FROM dewar_identities WHERE user_id = ?1";
        let rows = tx.query(count, [user.into()]).await?;
        let has: i64 = rows.first().map_or(Ok(0), |row| row.get(0))?;
        if has >= MOST {
            return Ok(Connected::TooMany);
        }
        if !add(&tx, user, identity, inner.clock.now()).await? {
            return Ok(Connected::Another);
        }
        let entry = Entry::new(Event::AuthnFactorAdded)
            .actor(user)
            .subject(user);
        let entry = entry.address(from).detail(format_args!("provider {name}"));
        tx.record(&inner.log, entry).await?;
        let (provider, link) = (self.label_of(name), self.address_of(AccountPage::Forgot));
        self.tell_owner(&tx, &person, &ProviderConnected { provider, link })
            .await?;
        tx.commit().await?;
        Ok(Connected::Done)
    }

    /// The identities of a user.
    pub(crate) async fn identities_of(&self, user: UserId) -> Result<Vec<OwnIdentity>, Error> {
        let find = "SELECT id, provider, email, created_at FROM dewar_identities WHERE user_id = ?1
            ORDER BY created_at, id LIMIT 12";
        let rows = self.0.db.query(find, [user.into()]).await?;
        let read = rows.iter().map(|row| {
            Ok::<_, database::Error>(OwnIdentity {
                id: row.get(0)?,
                label: self.label_of(&row.get::<String>(1)?),
                email: row.get(2)?,
                created_at: row.get(3)?,
            })
        });
        Ok(read.collect::<Result<_, _>>()?)
    }

    /// Disconnects an identity of a user, unless it is the last way into the account.
    ///
    /// # Errors
    /// [`Error::LastWayIn`]; [`Error::NoSuchUser`] if the user has no such identity.
    pub(crate) async fn disconnect(
        &self,
        user: UserId,
        id: &str,
        from: IpAddr,
    ) -> Result<(), Error> {
        let inner = &self.0;
        let person = self.find(user).await?.ok_or(Error::NoSuchUser)?;
        let tx = inner.db.begin().await?;
        let end = "DELETE FROM dewar_identities WHERE id = ?1 AND user_id = ?2 RETURNING provider";
        let rows = tx.query(end, [id.into(), user.into()]).await?;
        let name: String = rows.first().ok_or(Error::NoSuchUser)?.get(0)?;
        if !self.has_way_in(&tx, user).await? {
            return Err(Error::LastWayIn);
        }
        let entry = Entry::new(Event::AuthnFactorRemoved)
            .actor(user)
            .subject(user);
        let entry = entry.address(from).detail(format_args!("provider {name}"));
        tx.record(&inner.log, entry).await?;
        let (provider, link) = (self.label_of(&name), self.address_of(AccountPage::Forgot));
        self.tell_owner(&tx, &person, &ProviderDisconnected { provider, link })
            .await?;
        Ok(tx.commit().await?)
    }

    /// Whether a password opens the account, or an identity at a provider of the settings.
    async fn has_way_in(&self, tx: &Tx, user: UserId) -> Result<bool, Error> {
        let find = "SELECT password_hash FROM dewar_users WHERE id = ?1";
        let rows = tx.query(find, [user.into()]).await?;
        let hash: String = rows.first().ok_or(Error::NoSuchUser)?.get(0)?;
        if hash != StoredHash::NO_PASSWORD {
            return Ok(true);
        }
        let find = "SELECT issuer FROM dewar_identities WHERE user_id = ?1";
        let rows = tx.query(find, [user.into()]).await?;
        let issuers: Result<Vec<String>, _> = rows.iter().map(|row| row.get(0)).collect();
        let mut providers = self.0.providers.iter();
        let issuers = issuers?;
        Ok(providers.any(|provider| issuers.contains(&provider.config.issuer)))
    }

    /// The label of a provider, or its name if the settings do not have it any more.
    pub(super) fn label_of(&self, name: &str) -> String {
        let provider = self.provider(name);
        provider.map_or_else(|| name.to_owned(), |found| found.config.label.clone())
    }
}

/// Adds an identity. False if an account has it.
async fn add(
    tx: &Tx,
    user: UserId,
    (provider, issuer, subject, email): (&str, &str, &str, &str),
    now: i64,
) -> Result<bool, database::Error> {
    let add =
        "INSERT INTO dewar_identities (id, user_id, provider, issuer, subject, email, created_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (issuer, subject) DO NOTHING";
    let values = [
        Token::new().reveal().into(),
        user.into(),
        provider.into(),
        issuer.into(),
        subject.into(),
        email.into(),
        now.into(),
    ];
    tx.execute(add, values).await.map(|added| added == 1)
}

/// Removes the notes about attempts whose cookies have expired.
pub(crate) async fn sweep(db: &Db, now: i64) -> Result<u64, database::Error> {
    let sweep = "DELETE FROM dewar_provider_returns WHERE expires_at < ?1";
    db.execute(sweep, [now.into()]).await
}
