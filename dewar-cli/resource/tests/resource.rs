use __crate__::Staff;
use dewar::testing::{Browser, Site};

/// Adds one through the form, and gives its address.
async fn added(member: &Browser) -> String {
    let form = member.get("/__tickets__/new").await.form("/__tickets__");
    let answer = member.submit(form__fills__).await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
    answer.location().unwrap().to_owned()
}

#[tokio::test]
async fn a_member_adds_changes_and_deletes_a___ticket__() {
    let site = Site::start(__crate__::app).await;
    let member = site.sign_in_as(Staff::Member).await;
    let address = added(&member).await;
    assert!(member.get("/__tickets__").await.text().contains("__sample__"));

    let edit = format!("{address}/edit");
    let form = member.get(&edit).await.form(&edit);
    member.submit(form.fill("__title__", "__other__")).await;
    assert!(member.get(&address).await.text().contains("__other__"));

    let delete = format!("{address}/delete");
    let form = member.get(&delete).await.form(&delete);
    assert_eq!(member.submit(form).await.status(), 303);
    assert_eq!(member.get(&address).await.status(), 404);
}

#[tokio::test]
async fn a_member_reaches_no___ticket___of_another() {
    let site = Site::start(__crate__::app).await;
    let owner = site.sign_in_as(Staff::Member).await;
    let other = site.sign_in_as(Staff::Member).await;
    let address = added(&owner).await;
    for page in ["", "/edit", "/delete"] {
        assert_eq!(other.get(&format!("{address}{page}")).await.status(), 404);
    }
    assert!(!other.get("/__tickets__").await.text().contains("__sample__"));
    let administrator = site.sign_in_as(Staff::Administrator).await;
    assert_eq!(administrator.get(&address).await.status(), 403);
    assert_eq!(site.visitor().get(&address).await.status(), 303); // to the sign-in page
}

#[tokio::test]
async fn a_change_of_an_old_version_is_refused_and_loses_nothing() {
    let site = Site::start(__crate__::app).await;
    let member = site.sign_in_as(Staff::Member).await;
    let address = added(&member).await;
    let edit = format!("{address}/edit");
    let (first, second) = (
        member.get(&edit).await.form(&edit),
        member.get(&edit).await.form(&edit),
    );
    member.submit(first.fill("__title__", "__other__")).await;
    let answer = member.submit(second.fill("__title__", "Typed too late")).await;
    assert_eq!(answer.status(), 409);
    assert!(answer.text().contains("Typed too late"));
    assert!(member.get(&address).await.text().contains("__other__"));
}

#[tokio::test]
async fn a_page_of_another_site_adds_nothing() {
    let site = Site::start(__crate__::app).await;
    let member = site.sign_in_as(Staff::Member).await;
    let forged = member
        .as_cross_site("https://evil.example")
        .raw("POST", "/__tickets__")
        .form("__title__=Forged");
    assert_eq!(forged.send().await.unwrap().status(), 403);
}
