//! A user at work: reads lists and pages, fills in forms, and signs in again when the session was ended.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::StatusCode;

use super::Seen;
use super::production::email;
use crate::Result;
use crate::client::{Answer, Connection, Site};
use crate::world::PASSWORD;

/// The requests over one connection before it opens another.
const OVER_ONE: u32 = 60;

/// The pause between two requests.
const PAUSE: Duration = Duration::from_millis(15);

pub(crate) struct Person {
    number: u8,
    site: Site,
    seen: Arc<Seen>,
    /// Is incremented when all sessions of this user are ended; odd while that is in progress.
    ended: Arc<AtomicU64>,
    /// Its value when the session began.
    since: u64,
    cookie: String,
    connection: Option<(Connection, u32)>,
    wrong: Vec<String>,
}

impl Person {
    pub(crate) fn new(number: u8, site: Site, seen: Arc<Seen>, ended: Arc<AtomicU64>) -> Self {
        Self {
            number,
            site,
            seen,
            ended,
            since: 0,
            cookie: String::new(),
            connection: None,
            wrong: Vec::new(),
        }
    }

    /// Works until the time is over, and returns what went wrong.
    pub(crate) async fn work(mut self, until: Instant) -> Vec<String> {
        if let Err(error) = self.sign_in().await {
            self.wrong.push(format!("the first sign-in: {error}"));
        }
        let mut turn = u32::from(self.number);
        while Instant::now() < until && self.wrong.len() < 100 {
            turn = turn.wrapping_add(1);
            let done = match turn % 4 {
                0 => self.read("/", "<h1").await,
                1 | 2 => self.read("/documents", "<h1").await,
                _ => self.fill_in().await,
            };
            if let Err(error) = done {
                self.wrong.push(format!("{}: {error}", email(self.number)));
                self.connection = None;
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.wrong
    }

    async fn read(&mut self, path: &str, must_hold: &str) -> Result {
        let cookie = self.cookie.clone();
        let request = self.site.get(path, Some(&cookie))?;
        let answer = self.ask(request).await?;
        if self.was_signed_out(&answer).await? {
            return Ok(());
        }
        let page = std::str::from_utf8(&answer.body)?;
        if answer.status != StatusCode::OK || !page.contains(must_hold) {
            return Err(format!("{path} was answered with {}", answer.status).into());
        }
        self.count(&self.seen.good);
        Ok(())
    }

    /// Loads a form, waits like a user who types, and sends it with a mistake. If the form comes back with the mistake, its token
    /// was valid; and the portal's data do not grow.
    async fn fill_in(&mut self) -> Result {
        const PATH: &str = "/account/password";
        let cookie = self.cookie.clone();
        let page = self.ask(self.site.get(PATH, Some(&cookie))?).await?;
        if self.was_signed_out(&page).await? {
            return Ok(());
        }
        let token = page.token()?.to_owned();
        tokio::time::sleep(PAUSE * 10).await;
        let fields = [
            ("csrf_token", &*token),
            ("current_password", ""),
            ("new_password", ""),
        ];
        let request = self.site.post(PATH, Some(&cookie), &fields)?;
        let answer = self.ask(request).await?;
        if self.was_signed_out(&answer).await? {
            return Ok(());
        }
        if answer.status != StatusCode::UNPROCESSABLE_ENTITY {
            return Err(format!("a form was answered with {}", answer.status).into());
        }
        self.count(&self.seen.good);
        self.count(&self.seen.forms);
        Ok(())
    }

    async fn ask(
        &mut self,
        request: http::Request<http_body_util::Full<bytes::Bytes>>,
    ) -> Result<Answer> {
        let (mut connection, used) = match self.connection.take() {
            Some((connection, used)) if used < OVER_ONE => (connection, used),
            _ => {
                let from = Ipv4Addr::new(127, 0, 1, self.number.saturating_add(1));
                self.count(&self.seen.connections);
                (self.site.connect_from(from).await?, 0)
            }
        };
        let answer = connection.ask(request).await?;
        self.connection = Some((connection, used + 1));
        Ok(answer)
    }

    /// Whether a response refuses because the session was ended on purpose; then it begins a new one.
    async fn was_signed_out(&mut self, answer: &Answer) -> Result<bool> {
        let refused = answer.status == StatusCode::SEE_OTHER
            || answer.status == StatusCode::UNAUTHORIZED
            || answer.status == StatusCode::FORBIDDEN;
        if !refused || self.ended.load(Ordering::SeqCst) == self.since {
            return Ok(false);
        }
        self.count(&self.seen.refused);
        self.sign_in().await?;
        Ok(true)
    }

    async fn sign_in(&mut self) -> Result {
        self.connection = None;
        // Odd: the sessions are being ended now, perhaps including the new one.
        let mut since = self.ended.load(Ordering::SeqCst);
        while since % 2 == 1 {
            tokio::time::sleep(PAUSE).await;
            since = self.ended.load(Ordering::SeqCst);
        }
        let form = self.ask(self.site.get("/sign-in", None)?).await?;
        let fields = [
            ("csrf_token", form.token()?),
            ("email", &email(self.number)),
            ("password", PASSWORD),
        ];
        let request = self.site.post("/sign-in", Some(&form.cookies()), &fields)?;
        let answer = self.ask(request).await?;
        if answer.status != StatusCode::SEE_OTHER {
            return Err(format!("signing in was answered with {}", answer.status).into());
        }
        self.since = since;
        self.cookie = answer.cookies();
        self.count(&self.seen.sign_ins);
        self.count(&self.seen.good);
        Ok(())
    }

    fn count(&self, number: &AtomicU64) {
        number.fetch_add(1, Ordering::Relaxed);
    }
}
