//! An authenticator app for tests.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;

use super::{Browser, TestResponse};
use crate::audit::Clock;

/// The authenticator app of one user: it was added on the application's own page, and gives the codes of the second factor.
///
/// [`Site::sign_in_as`](super::Site::sign_in_as) makes one by itself for a user whose role needs a second factor. It passes because
/// it read the page and computed the code, as an app does.
///
/// ```
/// # #[tokio::main]
/// # async fn main() {
/// use dewar::app::AccountPages;
/// use dewar::testing::{Authenticator, Site};
/// use dewar::{App, accounts};
/// fn app(app: App) -> App { app.account_pages(AccountPages::new()) }
///
/// let site = Site::start(app).await;
/// site.add_user("ada@example.org", &[]).await;
/// let ada = site.sign_in("ada@example.org").await;
/// let telephone = Authenticator::add(&ada, accounts::FACTORS, site.clock()).await;
/// assert_eq!(telephone.code(site.clock().now()).len(), 6);
/// # }
/// ```
pub struct Authenticator {
    secret: Vec<u8>,
    recovery_codes: Mutex<Vec<String>>,
    /// The latest step whose code was given out: the application accepts it once.
    given: Mutex<i64>,
}

/// The seconds of a step.
const PERIOD: i64 = 30;

impl Authenticator {
    /// Reads the secret of a page that offers a new app. The application knows the app after its first code.
    ///
    /// ```
    /// # use dewar::testing::{Authenticator, Browser};
    /// # use dewar::audit::Clock;
    /// async fn first_code(browser: &Browser, clock: &Clock) -> String {
    ///     let page = browser.get("/account/second-factor").await;
    ///     Authenticator::scan(&page).unused_code(clock.now())
    /// }
    /// # let _ = first_code;
    /// ```
    ///
    /// # Panics
    /// The page shows no secret.
    #[must_use]
    pub fn scan(page: &TestResponse) -> Self {
        let shown = page.texts("code.token");
        let secret = shown
            .first()
            .unwrap_or_else(|| panic!("the page shows no secret:\n{}", page.text()));
        Self::of_key(secret)
    }

    /// The app of a key that a person types in, with blanks or without.
    ///
    /// ```
    /// use dewar::testing::Authenticator;
    /// let app = Authenticator::of_key("GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    /// assert_eq!(app.code(59), "287082"); // RFC 6238, appendix B
    /// ```
    ///
    /// # Panics
    /// It is not base32.
    #[must_use]
    pub fn of_key(key: &str) -> Self {
        let key = key.replace(' ', "");
        let secret = BASE32_NOPAD
            .decode(key.as_bytes())
            .unwrap_or_else(|error| panic!("{key} is no key: {error}"));
        Self {
            secret,
            recovery_codes: Mutex::default(),
            given: Mutex::new(i64::MIN),
        }
    }

    /// Adds an app to the user of this browser, on the page at this path. The browser's user has signed in recently.
    ///
    /// # Panics
    /// The application refuses it.
    pub async fn add(browser: &Browser, path: &str, clock: &Clock) -> Self {
        let page = browser.get(path).await;
        let new = Self::scan(&page);
        let code = new.next_code(clock.now());
        let code = code.unwrap_or_else(|| panic!("a new app has a code"));
        let added = browser.submit(page.form(path).fill("code", &code)).await;
        let codes = added.texts(".codes code");
        assert!(
            added.status() == 200 && !codes.is_empty(),
            "{path} did not add the app:\n{}",
            added.text()
        );
        *new.recovery_codes
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = codes;
        new
    }

    /// The code that the app shows at this time, whether it was used or not.
    #[must_use]
    pub fn code(&self, now: i64) -> String {
        self.code_of(now.div_euclid(PERIOD))
    }

    /// A code that was not given out before: of the app, as long as the application accepts one at this time, and then a recovery
    /// code.
    ///
    /// # Panics
    /// All recovery codes were given out.
    pub fn unused_code(&self, now: i64) -> String {
        let code = self.next_code(now).or_else(|| self.recovery_code());
        code.unwrap_or_else(|| panic!("every code was given out; move the clock by 30 seconds"))
    }

    /// A recovery code that was not given out before.
    pub fn recovery_code(&self) -> Option<String> {
        let mut codes = self
            .recovery_codes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        codes.pop()
    }

    /// The earliest code of the app from the present one on that the application would accept, and that was not given out. The one
    /// before would end at once on a slow machine.
    fn next_code(&self, now: i64) -> Option<String> {
        let present = now.div_euclid(PERIOD);
        let mut given = self.given.lock().unwrap_or_else(PoisonError::into_inner);
        let step = present.max(given.saturating_add(1));
        if step > present + 1 {
            return None;
        }
        *given = step;
        Some(self.code_of(step))
    }

    fn code_of(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.secret);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().copied().unwrap_or_default() & 0x0f);
        let four = tag.get(offset..).and_then(|rest| rest.first_chunk());
        let number = four.copied().map_or(0, u32::from_be_bytes) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }

    /// Answers the page that asks for a code, and returns the response to it.
    ///
    /// ```
    /// # use dewar::testing::{Authenticator, Browser, TestResponse};
    /// # use dewar::audit::Clock;
    /// async fn confirm(browser: &Browser, app: &Authenticator, asks: &TestResponse, clock: &Clock) -> TestResponse {
    ///     app.answer(browser, asks, clock).await
    /// }
    /// # let _ = confirm;
    /// ```
    ///
    /// # Panics
    /// The page does not ask for one.
    pub async fn answer(
        &self,
        browser: &Browser,
        asks: &TestResponse,
        clock: &Clock,
    ) -> TestResponse {
        let mut forms = asks.forms().into_iter();
        let form = forms.find(|form| form.names().contains(&"code"));
        let form = form.unwrap_or_else(|| panic!("no code is asked for:\n{}", asks.text()));
        let code = self.unused_code(clock.now());
        browser.submit(form.fill("code", &code)).await
    }
}

/// The secret is not printed.
impl fmt::Debug for Authenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authenticator").finish_non_exhaustive()
    }
}
