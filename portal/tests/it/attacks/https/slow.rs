//! Slow visitors, who hold connections that others need (slowloris).

use std::time::{Duration, Instant};

use dewar::testing::{PATIENCE, StreamEnd};

use crate::killed::{Program, browser};

/// The real program with shorter timeouts, because tests do not wait for ten seconds.
///
/// ASVS: V15.2.2, V13.1.3
#[tokio::test]
async fn who_drips_a_header_or_says_nothing_is_shown_out() {
    let data = tempfile::tempdir().unwrap();
    let settings = data.path().join("dewar.toml");
    std::fs::write(
        &settings,
        "[https.limits]\nheader_timeout = \"1s\"\nhandshake_timeout = \"1s\"\n",
    )
    .unwrap();
    let (_program, url) =
        Program::serve_with(data.path(), &[("DEWAR_CONFIG", settings.to_str().unwrap())]);
    let browser = browser(data.path(), &url);
    assert_eq!(browser.get("/").await.status(), 200);

    let mut dripping = browser.socket().await.unwrap();
    let mut silent = browser.socket().await.unwrap();
    let began = Instant::now();
    dripping
        .send(b"GET / HTTP/1.1\r\nhost: localhost\r\n")
        .await
        .unwrap();
    let mut taken = 0;
    while dripping.send(b"x: y\r\n").await.is_ok() {
        taken += 1;
        assert!(
            taken < 100,
            "a header that never ends was read for {:?}",
            began.elapsed()
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let heard = silent.hear(PATIENCE).await;
    assert_eq!((heard.ending, heard.bytes.len()), (StreamEnd::Closed, 0));
    assert_eq!(browser.get("/").await.status(), 200);
}
