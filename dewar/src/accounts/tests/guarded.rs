//! Promises that a careless change could break without another test noticing.

use super::*;
use crate::forms::RecordVersion;
use crate::pages::Position;
use crate::pages::{Fixture, RequestContext};

/// An attacker who requests links in the name of many costs each of them a letter; one network address can request few.
#[tokio::test]
async fn links_for_many_accounts_are_not_asked_for_from_one_address() {
    let house = House::with(|config| config.rate_limit = 3).await;
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

/// An attacker who finds the link of the first start in an old terminal makes no second administrator with it.
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

/// Two administrators decide from the same page at the same moment. One of them learns that the user was changed.
#[tokio::test]
async fn of_two_decisions_by_one_page_the_second_is_refused() {
    let house = House::open().await;
    let boss = house.join("boss@example.org").await;
    let user = house.join("ada@example.org").await;
    let accounts = &house.accounts;
    let shown = async || RecordVersion::of(&accounts.find(user).await.unwrap().unwrap());
    let taken = |done: [Result<(), Error>; 2]| {
        let changed = |it: &Result<(), Error>| matches!(it, Err(Error::Changed(_)));
        assert_eq!(done.iter().filter(|it| changed(it)).count(), 1, "{done:?}");
        assert_eq!(done.iter().filter(|it| it.is_ok()).count(), 1, "{done:?}");
    };
    for _ in 0..5 {
        // A call that changes nothing keeps the page's version valid.
        accounts.set_roles(boss, user, &[]).await.unwrap();
        let version = shown().await;
        let page = accounts.as_shown(&version);
        let (one, other) = tokio::join!(
            page.set_roles(boss, user, &["member"]),
            page.set_roles(boss, user, &["reviewer"])
        );
        taken([one, other]);
        let version = shown().await;
        let page = accounts.as_shown(&version);
        let (one, other) = tokio::join!(page.disable(boss, user), page.set_roles(boss, user, &[]));
        taken([one, other]);
        accounts.enable(None, user).await.unwrap();
    }
    accounts.disable(None, user).await.unwrap();
    let version = shown().await;
    let page = accounts.as_shown(&version);
    let (one, other) = tokio::join!(page.enable(boss, user), page.enable(boss, user));
    taken([one, other]);
}

/// Two windows show one name, and each sends another. Dewar overwrites nothing silently.
///
/// ASVS: V15.4.2
#[tokio::test]
async fn of_two_names_that_replace_one_the_second_is_refused() {
    let house = House::open().await;
    let user = house.join("ada@example.org").await;
    let accounts = &house.accounts;
    let name = async || accounts.find(user).await.unwrap().unwrap().name;
    for _ in 0..5 {
        accounts.set_name(user, "Ada").await.unwrap();
        let (one, other) = tokio::join!(
            accounts.replace_name(user, "Ada", "Ada One"),
            accounts.replace_name(user, "Ada", "Ada Two")
        );
        let kept = if one.is_ok() { "Ada One" } else { "Ada Two" };
        let done = [one, other];
        let changed = |it: &Result<(), Error>| matches!(it, Err(Error::Changed(_)));
        assert_eq!(done.iter().filter(|it| changed(it)).count(), 1, "{done:?}");
        assert_eq!(done.iter().filter(|it| it.is_ok()).count(), 1, "{done:?}");
        assert_eq!(name().await, kept);
    }
    let nobody = UserId::new(999);
    let answer = accounts.replace_name(nobody, "Ada", "Ada Three").await;
    assert!(matches!(answer, Err(Error::NoSuchUser)), "{answer:?}");
    let answer = accounts.set_name(nobody, "Ada Three").await;
    assert!(matches!(answer, Err(Error::NoSuchUser)), "{answer:?}");
}

/// The password was right before the account was disabled. It begins no session, even if the account is enabled again.
#[tokio::test]
async fn a_sign_in_that_was_under_way_does_not_outlive_disabling() {
    let house = House::open().await;
    let user = house.join("ada@example.org").await;
    let sign_in = || house.accounts.sign_in("ada@example.org", GOOD, HERE);
    let late = sign_in().await.unwrap();
    house.accounts.disable(None, user).await.unwrap();
    house.accounts.enable(None, user).await.unwrap();
    assert!(!house.lets_in(late).await);
    assert!(house.lets_in(sign_in().await.unwrap()).await);
}

/// A user's own session gives no attempts at another user's password.
#[tokio::test]
async fn a_session_of_one_person_counts_for_no_other() {
    let house = House::open().await;
    let ada = house.join("ada@example.org").await;
    house.join("eve@example.org").await;
    let visitor = house.begin_session("eve@example.org").await;
    let session = visitor.begun().await.unwrap();
    let mut request = http::Request::new(());
    let folder = tempfile::tempdir().unwrap();
    let rooms = Fixture::new(folder.path());
    rooms.enter_as(&mut request, http::Extensions::new(), session.clone());
    let context = RequestContext::in_test(&mut request);
    let accounts = house.accounts.for_caller(context);
    let answer = accounts.verify_password(ada, OTHER, HERE).await;
    assert!(matches!(answer, Err(Error::Refused)), "{answer:?}");
    let count = "SELECT count(*) FROM dewar_throttles WHERE own = 1";
    let own: i64 = house.db.query(count, []).await.unwrap()[0].get(0).unwrap();
    assert_eq!(own, 0, "she is counted with the strangers");
    // One user's verified password is not valid for another user either.
    let proof = accounts.verify_password(ada, GOOD, HERE).await.unwrap();
    assert!(matches!(proof.confirm(&session).await, Err(Error::Refused)));
}

/// Dewar limits the size of a page before it queries the database, in either direction.
#[tokio::test]
async fn a_page_of_people_has_at_least_one_and_at_most_two_hundred() {
    let house = House::open().await;
    for n in 0..201 {
        let add = "INSERT INTO dewar_users (email, email_key, name, password_hash, created_at, password_changed_at)
            VALUES (?1, ?1, ?1, '', 0, 0)";
        let email = format!("{n}@example.org");
        house.db.execute(add, [email.into()]).await.unwrap();
    }
    for (asked, shown) in [(0, 1), (50, 50), (100_000, 200)] {
        let found = house.accounts.list("", Position::Start, asked).await;
        assert_eq!(found.unwrap().rows.len(), shown);
    }
}

#[tokio::test]
async fn no_link_is_made_for_an_account_that_is_disabled() {
    let house = House::open().await;
    let ada = house.join("ada@example.org").await;
    assert!(house.accounts.reset_path(ada).await.is_ok());
    house.accounts.disable(None, ada).await.unwrap();
    let refused = house.accounts.reset_path(ada).await;
    assert!(matches!(refused, Err(Error::NoSuchUser)));
}

/// Dewar changes a user only in the state that the page showed, including the roles.
#[tokio::test]
async fn a_person_with_other_roles_is_not_the_one_that_was_shown() {
    use crate::forms::RecordVersion;
    let house = House::open().await;
    let ada = house.join("ada@example.org").await;
    let find = async || house.accounts.find(ada).await.unwrap().unwrap();
    let shown = RecordVersion::of(&find().await);
    assert!(shown.check(&find().await).is_ok());
    let roles = ["member", "reviewer"];
    house.accounts.set_roles(ada, ada, &roles).await.unwrap();
    assert!(shown.check(&find().await).is_err());
}
