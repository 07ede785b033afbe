use super::*;

async fn sign_up(house: &House, email: &str, name: &str) -> Result<(), Error> {
    let person = NewUser {
        email,
        name,
        password: GOOD,
    };
    house.accounts.sign_up(person, HERE).await.map(drop)
}

#[tokio::test]
async fn a_name_that_says_who_is_in_charge_is_for_administrators_to_give() {
    let house = House::with(|config| config.role = Some("member".to_owned())).await;
    for name in [
        "admin",
        "Site Administrator",
        "Webrnaster",
        "Support",
        "Paperhouse",
        "Paper House",
        "reviewer",
        "---",
    ] {
        let refused = sign_up(&house, "a@example.org", name).await;
        let fine = name == "---";
        assert_eq!(matches!(refused, Err(Error::Name(_))), !fine, "{name}");
    }
    let given = NewUser {
        email: "team@example.org",
        name: "Support",
        password: GOOD,
    };
    let id = house.accounts.add(given, &["reviewer"]).await.unwrap();
    // A user with such a name may change its spelling only as other users may.
    let kept = house.accounts.set_name(id, "SUPPORT").await;
    assert!(matches!(kept, Err(Error::Name(_))));
}

#[tokio::test]
async fn nobody_looks_like_another_who_has_a_role_that_not_everybody_gets() {
    let house = House::with(|config| config.role = Some("member".to_owned())).await;
    let add = async |email: &str, name: &str, role: &str| {
        let person = NewUser {
            email,
            name,
            password: GOOD,
        };
        house.accounts.add(person, &[role]).await.unwrap()
    };
    let coco = add("coco@example.org", "Coco", "reviewer").await;
    let bob = add("bob@example.org", "Bob", "member").await;
    let cyrillic = "\u{421}\u{43e}\u{441}\u{43e}";
    for name in ["Coco", "coco", "C-O-C-O", cyrillic] {
        let refused = sign_up(&house, "a@example.org", name).await;
        assert!(matches!(refused, Err(Error::Name(_))), "{name}");
        let refused = house.accounts.set_name(bob, name).await;
        assert!(matches!(refused, Err(Error::Name(_))), "{name}");
    }
    let found = house.accounts.find(bob).await.unwrap().unwrap();
    assert_eq!(found.name, "Bob");
    // Users may respell their own name, and may share the names of users without a role.
    house.accounts.set_name(coco, "COCO").await.unwrap();
    sign_up(&house, "b@example.org", "Bob").await.unwrap();
    house.accounts.set_name(bob, "  Bob  B. ").await.unwrap();
    let found = house.accounts.find(bob).await.unwrap().unwrap();
    assert_eq!(found.name, "Bob  B.");
}
