//! `roles`: who may enter.

use dewar::roles::Role;

use super::site::{Site, Staff};

#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_have_the_role_enter() {
    let site = Site::open().await;
    assert_eq!(site.visitor.get("/reviews").await.status(), 303);
    assert_eq!(
        site.member("ada", &[]).await.get("/reviews").await.status(),
        403
    );
    assert_eq!(
        site.member("rob", &["reviewer"])
            .await
            .get("/reviews")
            .await
            .status(),
        200
    );
}

#[test]
fn roles_have_names_and_labels() {
    assert_eq!(Staff::administrator(), Staff::HeadOfOffice);
    assert_eq!(
        (Staff::HeadOfOffice.name(), Staff::Reviewer.label()),
        ("head_of_office", "Reads along")
    );
    assert_eq!(Staff::ALL.len(), 2);
}
