use serde::Serialize;

use crate::api::{ApiTokenInfo, ApiTokens, Error, ScopeInfo, TokenHolder, TokenRequest};
use crate::forms::{Form, Int, Line, Many, Offered, Pick};
use crate::pages::{self, AccountPage, Language, Page};
use crate::sessions::{Principal, Session};

const PAGE: &str = "accounts/tokens.html";

/// A new token: what it is for, what it may do, and how long.
#[derive(Debug, dewar_macros::Form)]
pub struct NewApiToken {
    /// What it is for.
    #[field(
        label = "What is it for?",
        hint = "The program or the computer that uses it."
    )]
    name: Line<60>,
    /// Its scopes.
    #[field(label = "What may it do?")]
    scopes: Many<Pick<ScopeInfo>, 1, 100>,
    /// How many days it lasts.
    #[field(label = "How many days does it last?")]
    days: Int<1, 365>,
}

/// A token as the page shows it.
#[derive(Debug, Serialize)]
struct View {
    /// The path of the button to revoke it.
    revoke: String,
    name: String,
    scopes: Vec<String>,
    created_at: i64,
    expires_at: i64,
    used_at: Option<i64>,
    state: &'static str,
}

/// One of the two pages: of a person's tokens, or of all services'.
pub(super) struct TokenPage<'a> {
    pub(super) tokens: &'a ApiTokens,
    pub(super) holder: TokenHolder,
    pub(super) offered: Vec<ScopeInfo>,
    pub(super) language: Language,
}

impl TokenPage<'_> {
    fn offers(&self) -> Offered<ScopeInfo> {
        let language = &self.language;
        Offered::new(self.offered.clone(), |scope| {
            (scope.name, scope.words(language))
        })
    }

    const fn account_page(&self) -> AccountPage {
        match self.holder {
            TokenHolder::Person(_) => AccountPage::Tokens,
            TokenHolder::Service => AccountPage::ServiceTokens,
        }
    }

    /// The path of the button that revokes a token.
    fn revoke(&self, id: &str) -> String {
        let button = match self.holder {
            TokenHolder::Person(_) => AccountPage::RevokeToken,
            TokenHolder::Service => AccountPage::RevokeServiceToken,
        };
        self.tokens.paths().with(button, id)
    }

    /// The page with the list, without a form.
    async fn listed(&self) -> Result<Page, Error> {
        let now = self.tokens.0.clock.now();
        let all = self.tokens.list_of(self.holder).await?;
        let view = |info: ApiTokenInfo| View {
            state: match (info.revoked_at, info.is_active(now)) {
                (Some(_), _) => "revoked",
                (None, true) => "active",
                (None, false) => "expired",
            },
            scopes: self.labels(&info.scopes),
            revoke: self.revoke(&info.id),
            name: info.name,
            created_at: info.created_at,
            expires_at: info.expires_at,
            used_at: info.used_at,
        };
        let views: Vec<View> = all.into_iter().map(view).collect();
        Ok(Page::new(PAGE)
            .with("tokens", views)
            .with("action", self.tokens.paths().path(self.account_page()))
            .with("services", self.holder == TokenHolder::Service))
    }

    /// The words of scopes; a scope that the application no longer has is shown by its name.
    fn labels(&self, names: &[String]) -> Vec<String> {
        let all = &self.tokens.0.scopes;
        let label = |name: &String| {
            let known = all.iter().find(|scope| scope.name == name);
            known.map_or_else(|| name.clone(), |scope| scope.words(&self.language))
        };
        names.iter().map(label).collect()
    }

    pub(super) async fn show(&self) -> Result<Page, pages::Error> {
        let form = NewApiToken::view().offer(NewApiToken::SCOPES, &self.offers());
        let page = self.listed().await?;
        Ok(page.with("created", None::<&str>).form("form", form))
    }

    /// Makes the token, and shows it this once.
    pub(super) async fn create(
        &self,
        session: &Session,
        form: Form<NewApiToken>,
    ) -> Result<Page, pages::Error> {
        let offers = self.offers();
        let page = self.listed().await?.with("created", None::<&str>);
        let (new, bound) = form.offer(NewApiToken::SCOPES, &offers).bind(page)?;
        let scopes: Result<Vec<&str>, _> = new
            .scopes
            .iter()
            .map(|pick| offers.chosen(pick).map(|scope| scope.name))
            .collect();
        let request = TokenRequest {
            name: new.name.as_str(),
            scopes: &scopes?,
            days: new.days.get().unsigned_abs(),
        };
        let created = match self.holder {
            TokenHolder::Person(_) => self.tokens.create_in(session, request).await,
            TokenHolder::Service => {
                let by = session.principal().map(Principal::id);
                self.tokens.create(by, self.holder, request).await
            }
        };
        let field = match &created {
            Err(Error::TooLong(_)) => NewApiToken::DAYS.any(),
            Err(Error::Name) => NewApiToken::NAME.any(),
            _ => NewApiToken::SCOPES.any(),
        };
        let (text, _) = bound.or_refuse(created, field)?;
        let form = NewApiToken::view().offer(NewApiToken::SCOPES, &offers);
        let page = self.listed().await?;
        Ok(page.with("created", text.expose()).form("form", form))
    }
}
