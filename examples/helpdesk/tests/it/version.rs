use dewar::testing::Site;

#[tokio::test]
async fn each_response_has_the_version_of_the_program() {
    let site = Site::start(helpdesk::app).await;
    for path in ["/", "/tickets", "/nowhere"] {
        let answer = site.visitor().get(path).await;
        let version = answer.header("x-helpdesk-version");
        assert_eq!(version, Some(env!("CARGO_PKG_VERSION")), "{path}");
    }
}
