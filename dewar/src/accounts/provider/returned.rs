//! The return from a provider.
use std::net::IpAddr;

use super::attempt::{Attempt, AttemptPurpose, ProvenIdentity};
use super::client::{CodeExchange, Provider, ProviderFault};
use super::id_token::Claims;
use super::identities::{Connected, Identity};
use crate::accounts::{Accounts, Error};
use crate::audit::{Entry, Event};
use crate::forms::Email;
use crate::pages::{AccountPage, LocalPath, Message};
use crate::sessions::{Principal, ProviderCookie, Session, UserId};

/// The parameters of the address by which the provider sends a browser back (OpenID Connect Core 1.0, 3.1.2.5; RFC 9207).
#[derive(Debug)]
pub(crate) struct Return<'a> {
    pub(crate) state: &'a str,
    pub(crate) code: Option<&'a str>,
    pub(crate) error: Option<&'a str>,
    pub(crate) issuer: Option<&'a str>,
}

/// Where the browser goes after the return: never to a page at the address with the code.
#[derive(Debug)]
pub(crate) struct AfterReturn {
    pub(crate) to: LocalPath,
    pub(crate) words: Option<Message>,
}

/// The user who signed in at the provider.
#[derive(Debug)]
pub(super) struct ProvedUser {
    pub(super) subject: String,
    /// The address, if the provider has verified it.
    pub(super) email: Option<Email>,
    pub(super) names: Vec<String>,
    pub(super) role_values: Vec<String>,
}

impl ProvedUser {
    fn new(provider: &Provider, claims: &Claims) -> Self {
        let config = &provider.config;
        let is_verified = claims.says_yes(&config.verified_claim);
        let email = claims.text("email").filter(|_| is_verified);
        let names = ["name", "preferred_username", "nickname"];
        let names = names.into_iter().filter_map(|name| claims.text(name));
        let values = config.roles_claim.as_deref();
        let values = values.map_or_else(Vec::new, |claim| claims.values(claim));
        Self {
            subject: claims.subject.clone(),
            email: email.and_then(|email| Email::parse(email).ok()),
            names: names.map(str::to_owned).collect(),
            role_values: values.into_iter().map(str::to_owned).collect(),
        }
    }
}

impl Accounts {
    /// Takes the return of a browser, which may be anybody's: the browser must wait for exactly this one, and each counts once.
    pub(crate) async fn return_from_provider(
        &self,
        provider: &Provider,
        returned: &Return<'_>,
        session: &Session,
        from: IpAddr,
    ) -> Result<AfterReturn, Error> {
        let inner = &self.0;
        let now = inner.clock.now();
        let cookie = self.1.at_provider.as_deref().unwrap_or_default();
        let name = &*provider.config.name;
        let attempt = Attempt::read(cookie, &inner.ring, name, returned.state, now);
        let waiting = attempt.and_then(|attempt| {
            let purpose = attempt.purpose(session)?;
            Some((attempt, purpose))
        });
        let Some((attempt, purpose)) = waiting else {
            // The cookie stays: a forged return does not end the sign-in that the user began.
            let refused = ProviderFault::Refused("this browser does not wait for this return");
            self.record_fault(provider, &refused, from);
            return Ok(self.back(provider, AttemptPurpose::SignIn, "accounts-provider-late"));
        };
        session.keep_at_provider(ProviderCookie::Removed);
        if !self.spend(&attempt).await? {
            let entry = Entry::new(Event::AuthnTokenReuse).address(from);
            self.record(entry.detail(format_args!("a return from the provider {name}")));
            return Ok(self.back(provider, purpose, "accounts-provider-late"));
        }
        let claims = match self.proved(provider, &attempt, purpose, returned).await {
            Ok(claims) => claims,
            Err(fault) => {
                self.record_fault(provider, &fault, from);
                return Ok(self.back(provider, purpose, told(returned, &fault)));
            }
        };
        let user = ProvedUser::new(provider, &claims);
        match purpose {
            AttemptPurpose::Confirm => self.confirmed(provider, &user, &attempt, session).await,
            AttemptPurpose::Connect => self.connecting(provider, &user, session, from).await,
            AttemptPurpose::SignIn => {
                self.signing_in(provider, &user, &attempt, session, from)
                    .await
            }
        }
    }

    /// The claims that the provider's signature proves.
    async fn proved(
        &self,
        provider: &Provider,
        attempt: &Attempt,
        purpose: AttemptPurpose,
        returned: &Return<'_>,
    ) -> Result<Claims, ProviderFault> {
        let metadata = provider.metadata().await?;
        // Of several providers, one could send a code of another one (mix-up; RFC 9207, RFC 9700, 4.4).
        let is_named = match returned.issuer {
            Some(issuer) => issuer == provider.config.issuer,
            None => !metadata.names_issuer,
        };
        if !is_named {
            return Err(ProviderFault::Refused(
                "the return names another issuer, or none",
            ));
        }
        if returned.error.is_some() {
            return Err(ProviderFault::Refused("the provider returned an error"));
        }
        let code = returned.code.filter(|code| !code.is_empty());
        let exchange = CodeExchange {
            code: code.ok_or(ProviderFault::Refused("the return has no code"))?,
            verifier: &attempt.verifier,
            redirect_uri: &self.redirect_uri(provider),
            nonce: &attempt.nonce,
            left: attempt.left,
            fresh: purpose == AttemptPurpose::Confirm,
        };
        provider.claims(&metadata, &exchange).await
    }

    async fn signing_in(
        &self,
        provider: &Provider,
        proved: &ProvedUser,
        attempt: &Attempt,
        session: &Session,
        from: IpAddr,
    ) -> Result<AfterReturn, Error> {
        let found = self.identity(provider, &proved.subject).await?;
        let Some(identity) = found else {
            return self
                .new_identity(provider, proved, attempt, session, from)
                .await;
        };
        if identity.disabled {
            let entry = Entry::new(Event::AuthnLoginFail).subject(identity.user);
            self.record(entry.address(from).detail("by a provider; disabled"));
            return Ok(self.back(provider, AttemptPurpose::SignIn, "accounts-provider-failed"));
        }
        // The provider replaces the password, not the second factor. A factor that is added meanwhile is a new generation.
        if self.has_second_factor(identity.user).await? {
            return Ok(self.back(provider, AttemptPurpose::SignIn, "accounts-factor-required"));
        }
        self.begin_by_provider(provider, proved, &identity, session, from)
            .await?;
        Ok(AfterReturn {
            to: attempt.next(),
            words: None,
        })
    }

    /// Begins the session of an account whose identity at the provider is proved, under a new token.
    async fn begin_by_provider(
        &self,
        provider: &Provider,
        proved: &ProvedUser,
        identity: &Identity,
        session: &Session,
        from: IpAddr,
    ) -> Result<(), Error> {
        self.roles_from_claims(provider, identity.user, proved)
            .await?;
        session.sign_in(identity.user, identity.generation).await?;
        let name = &provider.config.name;
        let entry = Entry::new(Event::AuthnLoginSuccess).actor(identity.user);
        self.record(entry.address(from).detail(format_args!("provider {name}")));
        Ok(())
    }

    /// An identity that belongs to no account yet. An address that the provider has not verified makes none and reaches none.
    async fn new_identity(
        &self,
        provider: &Provider,
        proved: &ProvedUser,
        attempt: &Attempt,
        session: &Session,
        from: IpAddr,
    ) -> Result<AfterReturn, Error> {
        let back = |id| self.back(provider, AttemptPurpose::SignIn, id);
        let Some(email) = &proved.email else {
            let refused = ProviderFault::Refused("the address is not verified");
            self.record_fault(provider, &refused, from);
            return Ok(back("accounts-provider-unverified"));
        };
        if self.find_by_email(email.as_str()).await?.is_some() {
            return Ok(self.prove_account(provider, proved, email, session));
        }
        if !self.sign_up_is_open() {
            return Ok(back("accounts-provider-closed"));
        }
        let Some(name) = self.name_for(proved, email).await? else {
            return Ok(back("accounts-provider-no-name"));
        };
        let identity = self
            .sign_up_by_provider(provider, proved, (email, &name), from)
            .await?;
        let Some(identity) = identity else {
            // Another sign-up made an account with the address meanwhile.
            return Ok(self.prove_account(provider, proved, email, session));
        };
        self.begin_by_provider(provider, proved, &identity, session, from)
            .await?;
        Ok(AfterReturn {
            to: attempt.next(),
            words: None,
        })
    }

    /// The address has an account: its owner signs in there first, and then decides on the page of the providers.
    fn prove_account(
        &self,
        provider: &Provider,
        proved: &ProvedUser,
        email: &Email,
        session: &Session,
    ) -> AfterReturn {
        let proven = ProvenIdentity {
            provider: provider.config.name.clone(),
            issuer: provider.config.issuer.clone(),
            subject: proved.subject.clone(),
            email: email.as_str().to_owned(),
            until: ProvenIdentity::lives_until(self.0.clock.now()),
        };
        if let Some(cookie) = proven.seal(&self.0.ring) {
            session.keep_at_provider(cookie);
        }
        let words = message(provider, "accounts-provider-prove").with("email", proven.email);
        AfterReturn {
            to: self.place(AccountPage::Providers),
            words: Some(words),
        }
    }

    /// Connects the identity with the account of the signed-in user, who has just re-authenticated and pressed the button.
    async fn connecting(
        &self,
        provider: &Provider,
        proved: &ProvedUser,
        session: &Session,
        from: IpAddr,
    ) -> Result<AfterReturn, Error> {
        let back = |id| self.back(provider, AttemptPurpose::Connect, id);
        let Some(user) = session.principal().map(|person| person.id()) else {
            return Ok(back("accounts-provider-late"));
        };
        let Some(email) = &proved.email else {
            let refused = ProviderFault::Refused("the address is not verified");
            self.record_fault(provider, &refused, from);
            return Ok(back("accounts-provider-unverified"));
        };
        let (name, issuer) = (&*provider.config.name, &*provider.config.issuer);
        let identity = (name, issuer, &*proved.subject, email.as_str());
        Ok(back(self.connect(user, identity, from).await?.told()))
    }

    /// Records that the owner of the session has just signed in again at the provider, with the identity of this account.
    async fn confirmed(
        &self,
        provider: &Provider,
        proved: &ProvedUser,
        attempt: &Attempt,
        session: &Session,
    ) -> Result<AfterReturn, Error> {
        let user = session.principal().map(|person| person.id());
        let found = self.identity(provider, &proved.subject).await?;
        if user.is_none() || found.map(|identity| identity.user) != user {
            return Ok(self.back(
                provider,
                AttemptPurpose::Confirm,
                "accounts-provider-another",
            ));
        }
        if session
            .principal()
            .is_some_and(Principal::has_second_factor)
        {
            return Ok(self.back(
                provider,
                AttemptPurpose::Confirm,
                "accounts-factor-required",
            ));
        }
        session.prove().await?;
        Ok(AfterReturn {
            to: attempt.next(),
            words: Some(message(provider, "accounts-provider-confirmed")),
        })
    }

    /// Back to the page where the way to the provider began, with a message.
    pub(crate) fn back(
        &self,
        provider: &Provider,
        purpose: AttemptPurpose,
        id: &'static str,
    ) -> AfterReturn {
        let page = match purpose {
            AttemptPurpose::Confirm => AccountPage::Confirm,
            AttemptPurpose::Connect => AccountPage::Providers,
            AttemptPurpose::SignIn => AccountPage::SignIn,
        };
        AfterReturn {
            to: self.place(page),
            words: Some(message(provider, id)),
        }
    }

    /// Connects the identity that this browser has proved with the account of the signed-in user, if both have the same address.
    pub(crate) async fn connect_proven(
        &self,
        user: UserId,
        proven: &ProvenIdentity,
        from: IpAddr,
    ) -> Result<Connected, Error> {
        let identity = (
            &*proven.provider,
            &*proven.issuer,
            &*proven.subject,
            &*proven.email,
        );
        self.connect(user, identity, from).await
    }

    /// The identity that this browser has proved, if it may be connected with an account of this address.
    pub(crate) fn proven_for(&self, email: &str) -> Option<ProvenIdentity> {
        use crate::accounts::email::EmailKey;
        let cookie = self.1.at_provider.as_deref()?;
        let proven = ProvenIdentity::read(cookie, &self.0.ring, self.0.clock.now())?;
        (EmailKey::new(&proven.email) == EmailKey::new(email)).then_some(proven)
    }
}

/// The message for the visitor. It does not tell what is wrong with a token.
fn told(returned: &Return<'_>, fault: &ProviderFault) -> &'static str {
    match fault {
        ProviderFault::Refused(_) if returned.error == Some("access_denied") => {
            "accounts-provider-cancelled"
        }
        ProviderFault::Away(_) => "accounts-provider-away",
        ProviderFault::Refused(_) | ProviderFault::Token(_) => "accounts-provider-failed",
    }
}

fn message(provider: &Provider, id: &'static str) -> Message {
    Message::new(id).with("provider", provider.config.label.clone())
}
