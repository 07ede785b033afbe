//! The list of users.

use super::*;
use crate::accounts::User;
use crate::pages::Paged;

#[tokio::test]
async fn people_are_listed_by_name_and_found_by_what_is_typed() {
    let house = House::open().await;
    for (email, name) in [
        ("z@example.org", "Zoe"),
        ("a@example.org", "Ada"),
        ("p@example.org", "100% Paul"),
    ] {
        let person = NewUser {
            email,
            name,
            password: GOOD,
        };
        house
            .accounts
            .add(person, &["member", "reviewer"])
            .await
            .unwrap();
    }
    let list = async |holding: &str, place| house.accounts.list(holding, place, 2).await.unwrap();
    let names = |page: &Paged<User>| -> Vec<String> {
        page.rows.iter().map(|user| user.name.clone()).collect()
    };
    let first = list("", Position::Start).await;
    assert_eq!(
        (names(&first), first.earlier),
        (vec!["100% Paul".to_owned(), "Ada".to_owned()], false)
    );
    let page = list("", Position::After(first.next(User::key).unwrap())).await;
    assert_eq!((names(&page), page.more), (vec!["Zoe".to_owned()], false));
    let back = list("", Position::Before(page.previous(User::key).unwrap())).await;
    assert_eq!(names(&back), names(&first));
    assert_eq!(names(&list("0% p", Position::Start).await), ["100% Paul"]);
    let found = list("%", Position::Start).await;
    assert_eq!(found.rows.len(), 1);
    let zoe = page.rows[0].id;
    house.accounts.set_name(zoe, "Jürgen Groß").await.unwrap();
    for spelling in ["jürgen", "JÜRGEN", "GROSS", "Ju\u{308}rgen"] {
        assert_eq!(
            list(spelling, Position::Start).await.rows.len(),
            1,
            "{spelling}"
        );
    }
    assert_eq!(found.rows[0].roles, ["member", "reviewer"]);
    let id = found.rows[0].id;
    house.accounts.set_name(id, "Paul").await.unwrap();
    let picture = crate::uploads::FileId::random();
    let tx = house.db.begin().await.unwrap();
    let before = house.accounts.set_picture(&tx, id, Some(&picture)).await;
    assert_eq!(before.unwrap(), None);
    let before = house.accounts.set_picture(&tx, id, None).await;
    assert_eq!(before.unwrap(), Some(picture));
    tx.commit().await.unwrap();
}
