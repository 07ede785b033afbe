//! Every route as every kind of user, compared with the route table and with the matrix that was approved.

use dewar::testing::Site;

use crate::company::document;

/// A new route, a moved one and a handler that forgets its record are a changed line of `tests/access.txt`.
///
/// ASVS: V8.1.1, V8.2.1, V8.2.2, V8.3.1, V8.3.2, V4.1.4
#[tokio::test(flavor = "multi_thread")]
async fn the_access_matrix_is_the_approved_one() {
    let site = Site::start(portal::app).await;
    site.add_user("ada@example.org", &["member"]).await;
    let path = document(&site.sign_in("ada@example.org").await, "Hers").await;
    let id = path.rsplit('/').next().unwrap();
    let matrix = site
        .access_matrix()
        .record("/documents/{id}", id, &["ada@example.org"])
        .value("/reviews/{id}", id);
    matrix.run().await.assert_matches("tests/access.txt");
}
