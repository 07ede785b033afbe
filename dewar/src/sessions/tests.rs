//! A session from its beginning to its end, in the default store.

mod values;

use std::time::Duration;

use http::{HeaderMap, HeaderValue, header};

use super::*;
use crate::audit::{Clock, Log};
use crate::database::{Db, Migration};

/// The columns of the accounts' table that sessions read; the room that owns it comes later in the order.
pub(in crate::sessions) const PEOPLE: Migration = Migration::new(
    "people_0001",
    "CREATE TABLE dewar_users (
        id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL, picture TEXT, disabled_at INTEGER,
            second_factor_at INTEGER
    ) STRICT;
    CREATE TABLE dewar_user_roles (user_id INTEGER NOT NULL, role TEXT NOT NULL) STRICT;",
);
const ADA: UserId = UserId::new(1);
const EVE: UserId = UserId::new(2);

struct House {
    db: Db,
    clock: Clock,
    log: Log,
    sessions: Sessions,
    _directory: tempfile::TempDir,
}

impl House {
    async fn open() -> Self {
        Self::with(Config::default()).await
    }

    async fn with(config: Config) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let clock = Clock::manual(1_800_000_000);
        let log = Log::open(directory.path().join("audit"), [7; 32], clock.clone()).unwrap();
        let db = Db::temporary().unwrap();
        let all: Vec<Migration> = [PEOPLE].iter().chain(MIGRATIONS).copied().collect();
        db.migrate(&all).await.unwrap();
        let add = "INSERT INTO dewar_users (id, email, name) VALUES (?1, 'ada@example.org', 'Ada')";
        for user in [ADA, EVE] {
            db.execute(add, [user.into()]).await.unwrap();
        }
        let sessions = Sessions::new(db.clone(), config, clock.clone(), log.clone());
        Self {
            db,
            clock,
            log,
            sessions,
            _directory: directory,
        }
    }

    async fn request(&self, cookies: &HeaderMap) -> Session {
        self.sessions.of_request(cookies, None).await.unwrap()
    }

    /// Signs in from a browser with these cookies, and returns the browser's cookies after that.
    async fn sign_in(&self, cookies: &HeaderMap, user: UserId, generation: i64) -> HeaderMap {
        let session = self.request(cookies).await;
        session.sign_in(user, generation).await.unwrap();
        after(&session).expect("a cookie")
    }

    async fn principal(&self, cookies: &HeaderMap) -> Option<UserId> {
        self.request(cookies).await.principal().map(Principal::id)
    }

    fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    async fn role(&self, user: UserId, role: &'static str) {
        let add = "INSERT INTO dewar_user_roles (user_id, role) VALUES (?1, ?2)";
        self.db
            .execute(add, [user.into(), role.into()])
            .await
            .unwrap();
    }

    /// The events of the log with their details, the latest first.
    async fn events(&self) -> Vec<String> {
        self.log.flush().await;
        let latest = self.log.latest(100, None).await.unwrap();
        let told = latest.into_iter();
        told.map(|told| format!("{}: {}", told.event, told.detail.unwrap_or_default()))
            .collect()
    }

    /// When a user's sessions were last used, the latest first.
    async fn seen(&self, user: UserId) -> Vec<i64> {
        let listed = self.sessions.list_of(user).await.unwrap();
        listed.iter().map(|session| session.seen_at).collect()
    }
}

/// The cookies of a browser after a response that sets one; none if it sets none or removes one.
fn after(session: &Session) -> Option<HeaderMap> {
    let mut answer = HeaderMap::new();
    session.write(&mut answer);
    let line = answer.get(header::SET_COOKIE)?.to_str().unwrap();
    let pair = line.split(';').next().unwrap();
    let (name, value) = pair.split_once('=').unwrap();
    assert_eq!(name, COOKIE);
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, HeaderValue::from_str(pair).unwrap());
    (!value.is_empty()).then_some(headers)
}

fn limits(idle: u64, lifetime: u64) -> SessionLimits {
    SessionLimits {
        idle: Duration::from_secs(idle),
        lifetime: Duration::from_secs(lifetime),
    }
}

#[tokio::test]
async fn a_session_begins_under_a_new_token_and_ends_at_once() {
    let house = House::open().await;
    let visitor = house.request(&HeaderMap::new()).await;
    assert!(visitor.principal().is_none() && visitor.id().is_none());
    assert!(visitor.binding().is_none() && !visitor.is_recent() && !visitor.began());
    assert!(after(&visitor).is_none(), "a visitor is given nothing");
    assert!(visitor.begun().await.is_err());

    visitor.sign_in(ADA, 0).await.unwrap();
    assert!(visitor.began());
    assert_eq!(visitor.proved(), Some((ADA, 0)));
    let begun = visitor.begun().await.unwrap();
    assert_eq!(begun.principal().map(Principal::id), Some(ADA));
    assert_eq!(after(&begun), after(&visitor));
    let first = after(&visitor).unwrap();
    let session = house.request(&first).await;
    let person = session.principal().unwrap();
    assert_eq!((person.id(), person.name()), (ADA, "Ada"));
    assert_eq!(person.email(), "ada@example.org");
    assert_eq!(person.picture(), None);
    assert_eq!(session.binding(), session.id().map(SessionId::bytes));
    assert!(session.is_recent() && !session.began() && session.proved().is_none());
    assert!(format!("{session:?}").contains("UserId(1)"));
    assert!(after(&session).is_none(), "nothing has changed");

    // After another sign-in in the same browser, the earlier session is over, and the new one differs.
    let second = house.sign_in(&first, ADA, 0).await;
    assert_eq!(house.principal(&first).await, None);
    assert_eq!(house.principal(&second).await, Some(ADA));
    assert_eq!(house.sessions.list_of(ADA).await.unwrap().len(), 1);
    assert_ne!(house.request(&second).await.id(), session.id());

    let session = house.request(&second).await;
    session.sign_out().await.unwrap();
    let mut answer = HeaderMap::new();
    session.write(&mut answer);
    let line = answer[header::SET_COOKIE].to_str().unwrap();
    assert!(
        line.starts_with("__Host-session=;") && line.contains("Max-Age=0"),
        "{line}"
    );
    assert_eq!(house.principal(&second).await, None);
    assert!(house.sessions.list_of(ADA).await.unwrap().is_empty());
}

/// ASVS: V7.3.1, V7.3.2
#[tokio::test]
async fn a_session_ends_by_rest_and_by_age_to_the_second() {
    let config = Config {
        limits: limits(100, 250),
        roles: vec![("reviewer".to_owned(), limits(30, 1_000))],
        ..Config::default()
    };
    let house = House::with(config).await;
    let cookies = house.sign_in(&HeaderMap::new(), ADA, 0).await;
    house.wait(100);
    assert_eq!(house.principal(&cookies).await, Some(ADA));
    let rested = house.sign_in(&HeaderMap::new(), EVE, 0).await;
    house.wait(101);
    let over = house.request(&rested).await;
    assert!(over.principal().is_none());
    assert_eq!(over.ended_owner(), Some(EVE));
    assert_eq!(house.events().await[0], "session_expired: idle");
    let again = house.request(&rested).await;
    assert_eq!(
        again.ended_owner(),
        None,
        "it is removed, so nothing is known of it"
    );

    // A session that is used, just within its lifetime and beyond it.
    let cookies = house.sign_in(&HeaderMap::new(), ADA, 0).await;
    for waited in [90, 90, 70] {
        house.wait(waited);
        assert_eq!(house.principal(&cookies).await, Some(ADA), "{waited}");
        while house.seen(ADA).await[0] != house.clock.now() {
            tokio::task::yield_now().await;
        }
    }
    house.wait(1);
    assert_eq!(house.request(&cookies).await.ended_owner(), Some(ADA));
    assert_eq!(house.events().await[0], "session_expired: lifetime");

    // The strictest limit of a user's roles counts.
    house.role(ADA, "reviewer").await;
    let cookies = house.sign_in(&HeaderMap::new(), ADA, 0).await;
    house.wait(30);
    assert_eq!(house.principal(&cookies).await, Some(ADA));
    house.wait(31);
    assert_eq!(house.principal(&cookies).await, None);
}

#[tokio::test]
async fn a_session_is_seen_once_a_minute() {
    let house = House::open().await;
    let began = house.clock.now();
    let cookies = house.sign_in(&HeaderMap::new(), ADA, 0).await;
    house.wait(59);
    assert_eq!(house.principal(&cookies).await, Some(ADA));
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert_eq!(house.seen(ADA).await, [began], "to read costs no write");
    house.wait(1);
    assert_eq!(house.principal(&cookies).await, Some(ADA));
    while house.seen(ADA).await != [began + 60] {
        tokio::task::yield_now().await;
    }
}

/// ASVS: V7.4.2, V7.4.3, V7.4.5
#[tokio::test]
async fn what_was_signed_out_elsewhere_is_over_at_the_next_request() {
    let house = House::open().await;
    let nobody = HeaderMap::new();
    let (one, other) = (
        house.sign_in(&nobody, ADA, 0).await,
        house.sign_in(&nobody, ADA, 0).await,
    );
    let eve = house.sign_in(&nobody, EVE, 0).await;
    let id = *house.request(&one).await.id().unwrap();
    assert!(
        !house.sessions.end(EVE, &id).await.unwrap(),
        "it is not hers"
    );
    assert!(house.sessions.end(ADA, &id).await.unwrap());
    assert!(!house.sessions.end(ADA, &id).await.unwrap());
    assert_eq!(house.principal(&one).await, None);
    assert_eq!(house.sessions.end_all_of(ADA).await.unwrap(), 1);
    assert_eq!(house.principal(&other).await, None);
    assert_eq!(house.principal(&eve).await, Some(EVE));

    // A sign-in does not count if it read its account before everybody was signed out.
    let late = house.sign_in(&nobody, ADA, 0).await;
    assert_eq!(house.request(&late).await.ended_owner(), Some(ADA));
    assert_eq!(
        house.events().await[0],
        "session_expired: signed out everywhere"
    );
    let ada = house.sign_in(&nobody, ADA, 1).await;
    assert_eq!(house.principal(&ada).await, Some(ADA));
    assert_eq!(house.sessions.end_everyone().await.unwrap(), 2);
    assert_eq!(house.principal(&ada).await, None);
    assert_eq!(house.principal(&eve).await, None);
    for (user, generation) in [(ADA, 2), (EVE, 1)] {
        let cookies = house.sign_in(&nobody, user, generation).await;
        assert_eq!(house.principal(&cookies).await, Some(user));
    }

    let ada = house.sign_in(&nobody, ADA, 2).await;
    let disable = "UPDATE dewar_users SET disabled_at = 1 WHERE id = 1";
    house.db.execute(disable, []).await.unwrap();
    assert_eq!(house.request(&ada).await.ended_owner(), Some(ADA));
    assert_eq!(house.events().await[0], "session_expired: disabled");
    let eve = house.sign_in(&nobody, EVE, 1).await;
    let visitor = house.request(&nobody).await;
    assert!(
        visitor.sign_in(UserId::new(9), 0).await.is_err(),
        "the account does not exist"
    );
    assert!(
        house
            .sessions
            .next_generation(UserId::new(9))
            .await
            .is_err()
    );
    assert_eq!(house.sessions.next_generation(EVE).await.unwrap(), 2);
    assert_eq!(house.principal(&eve).await, None);
}

/// ASVS: V7.2.4, V7.5.2
#[tokio::test]
async fn whoever_proves_who_they_are_goes_on_under_a_new_token() {
    let house = House::open().await;
    let nobody = HeaderMap::new();
    let other = house.sign_in(&nobody, ADA, 0).await;
    let first = house.sign_in(&nobody, ADA, 0).await;
    house.wait(600);
    assert!(house.request(&first).await.is_recent());
    house.wait(1);
    let session = house.request(&first).await;
    assert!(!session.is_recent());
    session.prove().await.unwrap();
    assert!(session.is_recent() && !session.began());
    assert_eq!(session.proved(), Some((ADA, 0)));
    assert_eq!(
        house.events().await[0],
        "session_renewed: the user re-authenticated"
    );
    let second = after(&session).unwrap();
    assert_ne!(second, first);
    assert_eq!(house.principal(&first).await, None);
    let renewed = house.request(&second).await;
    assert!(renewed.is_recent());
    assert_eq!(
        renewed.id(),
        session.id(),
        "the pages of other tabs stay good"
    );

    assert_eq!(renewed.end_others().await.unwrap(), 1);
    let third = after(&renewed).unwrap();
    assert_eq!(house.principal(&other).await, None);
    assert_eq!(house.principal(&second).await, None);
    let session = house.request(&third).await;
    assert_eq!(session.principal().map(Principal::id), Some(ADA));

    // A changed password: a new session, and no other.
    let beside = house.sign_in(&nobody, ADA, 1).await;
    let generation = house.sessions.next_generation(ADA).await.unwrap();
    session.renew_alone(ADA, generation).await.unwrap();
    assert_eq!(session.proved(), Some((ADA, 2)));
    let fourth = after(&session).unwrap();
    assert_eq!(house.principal(&fourth).await, Some(ADA));
    for gone in [&beside, &third] {
        assert_eq!(house.principal(gone).await, None);
    }
    assert_eq!(house.sessions.list_of(ADA).await.unwrap().len(), 1);

    // A session that ended meanwhile does not come back.
    let session = house.request(&fourth).await;
    house.sessions.end_all_of(ADA).await.unwrap();
    assert!(matches!(session.prove().await, Err(Error::Ended)));
    let visitor = house.request(&nobody).await;
    assert!(matches!(visitor.prove().await, Err(Error::Visitor)));
    assert!(matches!(visitor.end_others().await, Err(Error::Visitor)));
}

/// ASVS: V7.2.4
#[tokio::test]
async fn other_rights_are_another_token_and_ask_for_the_password_again() {
    let house = House::open().await;
    let before = house.sign_in(&HeaderMap::new(), ADA, 0).await;
    house.role(ADA, "reviewer").await;
    let session = house.request(&before).await;
    assert!(session.principal().unwrap().has_role_named("reviewer"));
    assert!(!session.is_recent());
    let renewed = after(&session).expect("a new token");
    assert_eq!(
        house.events().await[0],
        "session_renewed: the roles changed"
    );
    assert_eq!(house.principal(&before).await, None);
    let next = house.request(&renewed).await;
    assert!(next.principal().is_some() && !next.is_recent());
    assert!(after(&next).is_none());
}

/// ASVS: V7.1.2
#[tokio::test]
async fn beyond_the_limit_the_oldest_ends_and_it_is_told() {
    let config = Config {
        max_per_user: 2,
        ..Config::default()
    };
    let house = House::with(config).await;
    let mut browsers = Vec::new();
    for told in [0, 0, 1] {
        house.wait(1);
        browsers.push(house.sign_in(&HeaderMap::new(), ADA, 0).await);
        let events = house.events().await;
        let excess = events.iter().filter(|event| event.contains("excess"));
        assert_eq!(excess.count(), told);
    }
    assert_eq!(house.principal(&browsers[0]).await, None);
    for browser in &browsers[1..] {
        assert_eq!(house.principal(browser).await, Some(ADA));
    }
}

#[tokio::test]
async fn a_sweep_takes_what_no_limit_lets_live() {
    let config = Config {
        limits: limits(100, 250),
        ..Config::default()
    };
    let house = House::with(config).await;
    house.sign_in(&HeaderMap::new(), ADA, 0).await;
    house.wait(100);
    assert_eq!(house.sessions.sweep().await.unwrap(), 0);
    house.wait(1);
    let busy = house.sign_in(&HeaderMap::new(), EVE, 0).await;
    assert_eq!(house.sessions.sweep().await.unwrap(), 1);
    for _ in 0..3 {
        house.wait(83);
        house.request(&busy).await;
        while house.seen(EVE).await != [house.clock.now()] {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(house.sessions.sweep().await.unwrap(), 0);
    house.wait(2);
    assert_eq!(house.sessions.sweep().await.unwrap(), 1, "past its age");
}
