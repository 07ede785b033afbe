//! Lock-out (CWE-645): a stranger who knows only an address costs its owner a delay, and nothing else.

use std::sync::Mutex;

use http::{Request, header};

use super::*;
use crate::accounts::link;
use crate::accounts::throttle::{LONGEST_WAIT, STOPPED_FOR};
use crate::pages::{Fixture, RequestContext};
use crate::secrets::Token;

const ADA: &str = "ada@example.org";
const MINUTE: u64 = 60;

/// A browser that uses the room: it stores the cookies of responses, and sends them with each request.
#[derive(Default)]
struct Browser {
    cookies: Mutex<Vec<(String, String)>>,
}

impl Browser {
    fn with_cookie(name: &str, value: &str) -> Self {
        Self {
            cookies: Mutex::new(vec![(name.to_owned(), value.to_owned())]),
        }
    }

    fn headers(&self) -> HeaderMap {
        let cookies = self.cookies.lock().unwrap();
        let pairs: Vec<_> = cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, pairs.join("; ").parse().unwrap());
        headers
    }

    fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.cookies.lock().unwrap();
        let found = cookies.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    }

    /// Drops the session, as when it expires or the user signs out.
    fn drop_session(&self) {
        let mut cookies = self.cookies.lock().unwrap();
        cookies.retain(|(name, _)| name != "__Host-session");
    }

    /// One request: the handler's part of it, and the middleware stack's treatment of the response.
    async fn request<T>(
        &self,
        house: &House,
        handler: impl AsyncFnOnce(Accounts, Session) -> T,
    ) -> T {
        let headers = self.headers();
        let session = house.sessions.of_request(&headers, None).await.unwrap();
        let mut request = Request::new(());
        *request.headers_mut() = headers.clone();
        let folder = tempfile::tempdir().unwrap();
        let rooms = Fixture::new(folder.path());
        rooms.enter_as(&mut request, http::Extensions::new(), session.clone());
        let context = RequestContext::in_test(&mut request);
        let accounts = house.accounts.for_caller(context);
        let answer = handler(accounts.clone(), session.clone()).await;
        let mut set = HeaderMap::new();
        session.write(&mut set);
        accounts.remember(&session, &headers, &mut set);
        let mut cookies = self.cookies.lock().unwrap();
        for line in set.get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            cookies.retain(|(known, _)| known != name);
            cookies.push((name.to_owned(), value.to_owned()));
        }
        answer
    }

    async fn sign_in(&self, house: &House, password: &str, from: IpAddr) -> Result<(), Error> {
        self.request(house, async |accounts, session| {
            let proof = accounts.sign_in(ADA, password, from).await?;
            proof.begin(&session).await.map(drop)
        })
        .await
    }

    async fn confirm(&self, house: &House, password: &str, from: IpAddr) -> Result<(), Error> {
        self.request(house, async |accounts, session| {
            let user = session.principal().unwrap().id();
            let proof = accounts.confirm_password(user, password, from).await?;
            proof.confirm(&session).await
        })
        .await
    }

    async fn change(&self, house: &House, old: &str, new: &str) -> Result<(), Error> {
        self.request(house, async |accounts, session| {
            let user = session.principal().unwrap().id();
            let proof = accounts.verify_password(user, old, HERE).await?;
            accounts.change_password(proof, new, &session).await
        })
        .await
    }

    async fn reset(&self, house: &House, token: &str, new: &str) -> Result<(), Error> {
        self.request(house, async |accounts, _| {
            accounts.reset(token, new, HERE).await
        })
        .await
    }
}

/// As in production; the other tests of the room allow many attempts from one address.
async fn house() -> House {
    let house = House::with(|config| {
        config.rate_limit = Config::default().rate_limit;
        config.role = Some("member".to_owned());
    })
    .await;
    house.join(ADA).await;
    house
}

fn somewhere(n: u64) -> IpAddr {
    let [.., b, c, d] = n.to_be_bytes();
    IpAddr::from([10, b, c, d])
}

/// Sends wrong passwords until strangers have to wait, and then until the stop.
async fn use_up_strangers(house: &House, failures: usize) {
    let mut counted = 0;
    for n in 0.. {
        if counted == failures {
            return;
        }
        match house.accounts.sign_in(ADA, OTHER, somewhere(n)).await {
            Err(Error::Refused) => counted += 1,
            Err(Error::Throttled(wait)) => house.clock.advance(wait),
            other => panic!("{other:?}"),
        }
    }
}

/// The tokens of all links in the letters so far, the oldest first.
async fn tokens(house: &House) -> Vec<String> {
    let start = "https://portal.example.org/reset/";
    let letters = house.letters().await;
    let links = letters
        .iter()
        .filter_map(|letter| letter.split(start).nth(1));
    links
        .map(|rest| rest.split_whitespace().next().unwrap().to_owned())
        .collect()
}

async fn ask_for_link(house: &House, from: IpAddr) {
    drop(house.accounts.request_reset(ADA, from));
    house.accounts.settle().await;
}

/// Fault F2, for a day: a wrong password every quarter of an hour, and requests for a letter of each kind in between, first from
/// one network address, then from a new one for each request.
#[tokio::test]
async fn a_day_of_attack_costs_the_owner_a_delay_in_an_unknown_browser_and_nothing_else() {
    for one_address in [true, false] {
        let house = house().await;
        let at_home = Browser::default();
        at_home.sign_in(&house, GOOD, HERE).await.unwrap();
        let (mut requests, mut password, mut resets) = (0, GOOD, 0);
        let mut guesses = 0;
        for quarter in 0..24 * 4_u64 {
            for step in 0..45 {
                requests += 1;
                let from = somewhere(if one_address { 1 } else { requests });
                if step % SIGN_UP_EVERY == 0 {
                    let again = person(ADA, "somebody else's own words");
                    let answer = house.accounts.sign_up(again, from).await;
                    assert!(
                        matches!(answer, Ok(_) | Err(Error::Throttled(_))),
                        "{answer:?}"
                    );
                } else {
                    drop(house.accounts.request_reset(ADA, from));
                }
                house.clock.advance(Duration::from_secs(20));
            }
            let from = somewhere(if one_address { 1 } else { requests });
            let guess = house.accounts.sign_in(ADA, OTHER, from).await;
            guesses += usize::from(matches!(guess, Err(Error::Refused)));
            // A letter's file is named after the moment of its writing, on a thread that may be late.
            house.accounts.settle().await;
            if quarter % 8 != 7 {
                continue;
            }
            // Every two hours the owner comes back: signs out at home, signs in, and uses the letters that arrived.
            at_home.drop_session();
            at_home.sign_in(&house, password, HERE).await.unwrap();
            at_home.confirm(&house, password, HERE).await.unwrap();
            let elsewhere = Browser::default();
            if quarter % 24 == 23 {
                let token = tokens(&house).await.pop().unwrap();
                let new = ["nine blue lanterns drift", "four slow rivers bend"][resets % 2];
                elsewhere.reset(&house, &token, new).await.unwrap();
                elsewhere.sign_in(&house, new, HERE).await.unwrap();
                let gone = at_home.sign_in(&house, password, HERE).await;
                assert!(gone.is_err(), "the old password");
                at_home.sign_in(&house, new, HERE).await.unwrap();
                (password, resets) = (new, resets + 1);
            }
        }
        assert_eq!(resets, 4);
        assert!(guesses <= 24 * 4, "{guesses}");
    }
}

/// One request in 45 is a sign-up, because each costs a hash. That is more often than the limit of those letters.
const SIGN_UP_EVERY: u64 = 45;

/// With mail off, and no operator: an attacker with one address leaves a turn to the owner, and the response names its time.
#[tokio::test]
async fn the_owner_waits_as_long_as_the_answer_says_and_is_in() {
    for (failures, longest) in [(16, LONGEST_WAIT), (100, STOPPED_FOR)] {
        let house = House::without_mail().await;
        house.join(ADA).await;
        use_up_strangers(&house, failures).await;
        let owner = Browser::default();
        let attacker = somewhere(999_999);
        let mut waited = Duration::ZERO;
        loop {
            match owner.sign_in(&house, GOOD, HERE).await {
                Ok(()) => break,
                Err(Error::Throttled(wait)) => {
                    assert!(wait <= longest, "{wait:?}");
                    // The attacker tries every minute meanwhile, and takes each possible turn.
                    let until = house.clock.now() + i64::try_from(wait.as_secs()).unwrap();
                    while house.clock.now() < until {
                        let left = u64::try_from(until - house.clock.now()).unwrap();
                        house.clock.advance(Duration::from_secs(left.min(MINUTE)));
                        drop(house.accounts.sign_in(ADA, OTHER, attacker).await);
                    }
                    waited += wait;
                }
                Err(other) => panic!("{other:?}"),
            }
            assert!(waited <= 2 * longest, "{waited:?}");
        }
    }
}

#[tokio::test]
async fn an_administrator_unlocks_and_the_log_says_so() {
    let house = house().await;
    let user = house.accounts.find_by_email(ADA).await.unwrap().unwrap().id;
    use_up_strangers(&house, 100).await;
    assert_eq!(house.accounts.locked(&[user]).await.unwrap(), [user]);
    let waiting = Browser::default().sign_in(&house, GOOD, HERE).await;
    assert!(matches!(waiting, Err(Error::Throttled(_))), "{waiting:?}");
    house.accounts.unlock(Some(user), user).await.unwrap();
    assert!(house.accounts.locked(&[user]).await.unwrap().is_empty());
    Browser::default()
        .sign_in(&house, GOOD, HERE)
        .await
        .unwrap();
    house.accounts.0.log.flush().await;
    assert!(house.log().contains("unlocked"));
    let nobody = house.accounts.unlock(None, UserId::new(4711)).await;
    assert!(matches!(nobody, Err(Error::NoSuchUser)), "{nobody:?}");
}

/// A stolen cookie or session is worth ten guesses; after them it waits like a stranger.
#[tokio::test]
async fn a_stolen_browser_or_session_cannot_guess_without_end() {
    let house = house().await;
    let owner = Browser::default();
    owner.sign_in(&house, GOOD, HERE).await.unwrap();
    use_up_strangers(&house, 100).await;
    owner.drop_session();
    owner.sign_in(&house, GOOD, HERE).await.unwrap();
    let thief = Browser::with_cookie("__Host-device", &owner.cookie("__Host-device").unwrap());
    let mut guesses = 0;
    for n in 0..200 {
        match thief.sign_in(&house, OTHER, somewhere(n)).await {
            Err(Error::Refused) => guesses += 1,
            Err(Error::Throttled(wait)) if wait <= Duration::from_secs(16) => {
                house.clock.advance(wait);
            }
            Err(Error::Throttled(_)) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(guesses, 10);
    let mut confirmed = 0;
    for n in 0..200 {
        match owner.confirm(&house, OTHER, somewhere(n)).await {
            Err(Error::Refused) => confirmed += 1,
            Err(Error::Throttled(wait)) if wait <= Duration::from_secs(16) => {
                house.clock.advance(wait);
            }
            Err(Error::Throttled(_)) => break,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(confirmed, 10);
}

/// A known browser's cookie ends with a new password, with a sign-out everywhere and when it expires; and it is worth nothing for
/// another account.
#[tokio::test]
async fn a_browser_is_known_for_one_account_and_until_a_new_password() {
    type Ending = fn(&House, UserId) -> std::pin::Pin<Box<dyn Future<Output = ()> + '_>>;
    let endings: [(&str, Ending); 4] = [
        ("password", |house, user| {
            Box::pin(async move { house.accounts.set_password(user, GOOD).await.unwrap() })
        }),
        ("everywhere", |house, user| {
            Box::pin(async move {
                house
                    .accounts
                    .sign_out_everywhere(None, user)
                    .await
                    .unwrap();
            })
        }),
        ("disabled", |house, user| {
            Box::pin(async move {
                house.accounts.disable(None, user).await.unwrap();
                house.accounts.enable(None, user).await.unwrap();
            })
        }),
        ("time", |house, _| {
            Box::pin(async move { house.clock.advance(Duration::from_secs(180 * 24 * 3600)) })
        }),
    ];
    for (name, end) in endings {
        let house = house().await;
        let user = house.accounts.find_by_email(ADA).await.unwrap().unwrap().id;
        let owner = Browser::default();
        owner.sign_in(&house, GOOD, HERE).await.unwrap();
        owner.drop_session();
        end(&house, user).await;
        use_up_strangers(&house, 16).await;
        let answer = owner.sign_in(&house, GOOD, HERE).await;
        assert!(
            matches!(answer, Err(Error::Throttled(_))),
            "{name}: {answer:?}"
        );
    }
    let house = house().await;
    house.join("eve@example.org").await;
    let eve = Browser::default();
    eve.request(&house, async |accounts, session| {
        let proof = accounts
            .sign_in("eve@example.org", GOOD, HERE)
            .await
            .unwrap();
        proof.begin(&session).await.map(drop).unwrap();
    })
    .await;
    use_up_strangers(&house, 16).await;
    let answer = eve.sign_in(&house, GOOD, HERE).await;
    assert!(matches!(answer, Err(Error::Throttled(_))), "{answer:?}");
}

/// Three users who share a browser are known in it; the cookie does not grow with a fourth.
#[tokio::test]
async fn a_browser_is_known_for_those_who_share_it() {
    let house = house().await;
    let shared = Browser::default();
    let mut sizes = Vec::new();
    for email in [
        "a@example.org",
        "b@example.org",
        ADA,
        "c@example.org",
        "d@example.org",
    ] {
        if email != ADA {
            house.join(email).await;
        }
        shared
            .request(&house, async |accounts, session| {
                let proof = accounts.sign_in(email, GOOD, HERE).await.unwrap();
                proof.begin(&session).await.map(drop).unwrap();
            })
            .await;
        sizes.push(shared.cookie("__Host-device").unwrap().len());
    }
    assert!(sizes.iter().all(|size| *size <= 500), "{sizes:?}");
    assert_eq!(sizes[3], sizes[4]);
    use_up_strangers(&house, 16).await;
    shared.sign_in(&house, GOOD, HERE).await.unwrap();
}

/// Fault F14: other users of a known browser's network address cannot use up its attempts.
#[tokio::test]
async fn a_shared_network_address_does_not_hold_back_those_who_are_known() {
    let house = house().await;
    let owner = Browser::default();
    owner.sign_in(&house, GOOD, HERE).await.unwrap();
    ask_for_link(&house, HERE).await;
    let token = tokens(&house).await.pop().unwrap();
    for n in 0..40 {
        let email = format!("p{n}@example.org");
        drop(house.accounts.sign_in(&email, OTHER, HERE).await);
    }
    let stranger = Browser::default().sign_in(&house, GOOD, HERE).await;
    assert!(matches!(stranger, Err(Error::Throttled(_))), "{stranger:?}");
    owner.confirm(&house, GOOD, HERE).await.unwrap();
    owner.drop_session();
    owner.sign_in(&house, GOOD, HERE).await.unwrap();
    Browser::default()
        .reset(&house, &token, OTHER)
        .await
        .unwrap();
    // Their own attempts are limited too, correct ones as well.
    let mut last = Ok(());
    let owner = Browser::default();
    house.clock.advance(Duration::from_secs(3600));
    owner.sign_in(&house, OTHER, HERE).await.unwrap();
    for _ in 0..40 {
        last = owner.sign_in(&house, OTHER, HERE).await;
    }
    assert!(matches!(last, Err(Error::Throttled(_))), "{last:?}");
}

/// A link that arrived stays valid, however many others anybody requests, and whether they are sent or not.
#[tokio::test]
async fn a_request_for_a_link_never_ends_the_one_that_the_owner_holds() {
    let house = house().await;
    ask_for_link(&house, HERE).await;
    let first = tokens(&house).await.pop().unwrap();
    for n in 0..50 {
        ask_for_link(&house, somewhere(n)).await;
        house.clock.advance(Duration::from_secs(MINUTE));
        assert!(house.accounts.look_at_reset(&first).await.is_ok(), "{n}");
    }
    let all = tokens(&house).await;
    assert!((3..=6).contains(&all.len()), "{}", all.len());
    Browser::default()
        .reset(&house, &first, OTHER)
        .await
        .unwrap();
    for token in &all {
        let other = house.accounts.look_at_reset(token).await;
        assert!(matches!(other, Err(Error::LinkSpent)), "{other:?}");
    }
}

/// A link for a new password, beyond every limit of letters.
async fn link_of(house: &House, user: UserId) -> Option<Token> {
    let tx = house.db.begin().await.unwrap();
    let made = link::make_reset(&tx, user, house.clock.now()).await;
    tx.commit().await.unwrap();
    made.unwrap()
}

/// The limit of letters is kept in memory; the limit of links outlives a restart, and ends none.
#[tokio::test]
async fn links_are_bounded_and_the_bound_ends_none_of_them() {
    let house = house().await;
    let user = house.accounts.find_by_email(ADA).await.unwrap().unwrap().id;
    let mut made = Vec::new();
    for _ in 0..20 {
        made.extend(link_of(&house, user).await);
    }
    assert_eq!(made.len(), 8);
    for token in &made {
        assert!(house.accounts.look_at_reset(&token.reveal()).await.is_ok());
    }
    ask_for_link(&house, HERE).await;
    assert!(tokens(&house).await.is_empty());
}

/// Each kind of letter has its own limit, and the notice of a change has none.
#[tokio::test]
async fn one_kind_of_letter_does_not_use_up_another() {
    let house = house().await;
    let owner = Browser::default();
    owner.sign_in(&house, GOOD, HERE).await.unwrap();
    for n in 0..20 {
        let again = person(ADA, "somebody else's own words");
        house.accounts.sign_up(again, somewhere(n)).await.unwrap();
    }
    for n in 0..20 {
        ask_for_link(&house, somewhere(n)).await;
    }
    let (mut old, mut new) = (GOOD, OTHER);
    for _ in 0..5 {
        owner.change(&house, old, new).await.unwrap();
        (old, new) = (new, old);
    }
    let letters = house.letters().await;
    let count = |words: &str| {
        letters
            .iter()
            .filter(|letter| letter.contains(words))
            .count()
    };
    assert_eq!(count("You have an account already"), 3);
    assert_eq!(count("Choose a new password"), 3);
    assert_eq!(count("Your password was changed"), 5);
}

/// Fault F11: an older link ends with a new password, however it was set, and with the account.
#[tokio::test]
async fn a_link_survives_neither_a_new_password_nor_the_account() {
    type Ending = fn(&House, UserId) -> std::pin::Pin<Box<dyn Future<Output = ()> + '_>>;
    let endings: [(&str, Ending); 4] = [
        ("change", |house, _| {
            Box::pin(async move {
                let owner = Browser::default();
                owner.sign_in(house, GOOD, HERE).await.unwrap();
                owner.change(house, GOOD, OTHER).await.unwrap();
            })
        }),
        ("command", |house, user| {
            Box::pin(async move { house.accounts.set_password(user, OTHER).await.unwrap() })
        }),
        ("signed out everywhere", |house, user| {
            Box::pin(async move {
                let ended = house.accounts.sign_out_everywhere(None, user).await;
                ended.unwrap();
            })
        }),
        ("disabled", |house, user| {
            Box::pin(async move {
                house.accounts.disable(None, user).await.unwrap();
                house.accounts.enable(None, user).await.unwrap();
            })
        }),
    ];
    for (name, end) in endings {
        let house = house().await;
        let user = house.accounts.find_by_email(ADA).await.unwrap().unwrap().id;
        ask_for_link(&house, HERE).await;
        let token = tokens(&house).await.pop().unwrap();
        assert!(house.accounts.look_at_reset(&token).await.is_ok());
        end(&house, user).await;
        let late = Browser::default()
            .reset(&house, &token, "four slow rivers bend")
            .await;
        assert!(matches!(late, Err(Error::LinkSpent)), "{name}: {late:?}");
    }
    // A link that is made while the account is being disabled opens nothing either.
    let house = house().await;
    let user = house.accounts.find_by_email(ADA).await.unwrap().unwrap().id;
    house.accounts.disable(None, user).await.unwrap();
    let late = link_of(&house, user).await.unwrap();
    assert!(house.accounts.look_at_reset(&late.reveal()).await.is_err());
    let tx = house.db.begin().await.unwrap();
    let purpose = link::LinkPurpose::Reset;
    let spent = link::spend(&tx, purpose, &late, house.clock.now()).await;
    assert!(spent.unwrap().is_none());
}
