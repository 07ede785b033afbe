//! Promises that a careless change could break without another test noticing.

use super::*;

/// Somebody who asks for links in the name of many costs them all a letter; one network address asks for few.
#[tokio::test]
async fn links_for_many_accounts_are_not_asked_for_from_one_address() {
    let house = House::with(|config| config.attempts = 3).await;
    let ask = |n: u8, from| {
        let email = format!("p{n}@example.org");
        house.accounts.request_reset(&email, from)
    };
    for n in 0..3 {
        ask(n, HERE).unwrap();
    }
    let more = ask(3, HERE);
    assert!(matches!(more, Err(Error::Throttled(_))), "{more:?}");
    ask(3, IpAddr::from([198, 51, 100, 1])).unwrap();
    house.accounts.settle().await;
}

/// Whoever finds the link of the first start in an old terminal makes no second administrator with it.
#[tokio::test]
async fn a_setup_link_is_spent_once_there_is_an_administrator() {
    let house = House::open().await;
    let path = house.accounts.setup_path().await.unwrap().unwrap();
    let token = path.strip_prefix("/setup/").unwrap();
    house.accounts.look_at_setup(token).await.unwrap();
    let roles = ["administrator"];
    let boss = person("boss@example.org", GOOD);
    house.accounts.add(boss, &roles).await.unwrap();
    let look = house.accounts.look_at_setup(token).await;
    assert!(matches!(look, Err(Error::LinkSpent)), "{look:?}");
    let late = house
        .accounts
        .set_up(token, person("eve@example.org", GOOD), HERE)
        .await;
    assert!(matches!(late, Err(Error::LinkSpent)), "{late:?}");
    let eve = house.accounts.find_by_email("eve@example.org").await;
    assert!(eve.unwrap().is_none());
}

/// The password was right before the account was disabled. It begins no session, even where the account is enabled again.
#[tokio::test]
async fn a_sign_in_that_was_under_way_does_not_outlive_disabling() {
    let house = House::open().await;
    let user = house.join("ada@example.org").await;
    let sign_in = || house.accounts.sign_in("ada@example.org", GOOD, HERE);
    let late = sign_in().await.unwrap();
    house.accounts.disable(None, user).await.unwrap();
    house.accounts.enable(None, user).await.unwrap();
    let is_in = async |proof: super::super::VerifiedPassword| {
        let session = house.visitor();
        proof.begin(&session).await.unwrap();
        let mut set = HeaderMap::new();
        session.write(&mut set);
        let line = set.get(http::header::SET_COOKIE).unwrap().to_str().unwrap();
        let mut headers = HeaderMap::new();
        let cookie = line.split(';').next().unwrap().parse().unwrap();
        headers.insert(http::header::COOKIE, cookie);
        let found = house.sessions.of_request(&headers, None).await.unwrap();
        found.principal().is_some()
    };
    assert!(!is_in(late).await);
    assert!(is_in(sign_in().await.unwrap()).await);
}
