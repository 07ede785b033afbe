//! Thumbnails: to whom they go, and that nobody chooses their size.

use image::ImageFormat;

use super::kept;
use crate::company::{Portal, document, hand_in};
use crate::files::crafted::picture;

/// ASVS: V8.2.2, V3.2.1, V5.4.1, V2.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_thumbnail_goes_where_its_document_goes_in_the_size_of_the_program() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let eve = portal.member("eve").await;
    let sent = hand_in(&ada, "Photo", "a.png", &picture(480, 480, ImageFormat::Png)).await;
    let page = sent.location().unwrap().to_owned();
    let path = format!("{page}/thumbnail");
    assert!(ada.get(&page).await.text().contains(&path));
    assert!(ada.get("/documents").await.text().contains(&path));

    assert_eq!(eve.get(&path).await.status(), 404, "it is not approved yet");
    assert_eq!(kept(&portal), 1, "and nobody made it for her");
    let small = ada.get(&path).await;
    assert_eq!(small.status(), 200);
    assert_eq!(small.header("content-type"), Some("image/jpeg"));
    assert_eq!(small.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(small.header("cache-control"), Some("private, no-cache"));
    let policy = small.header("content-security-policy").unwrap();
    assert!(policy.contains("sandbox"));
    let drawn = image::load_from_memory(small.bytes()).unwrap();
    assert_eq!((drawn.width(), drawn.height()), (160, 160));
    for size in ["?width=8&height=8", "?size=2048x2048", "?w=1"] {
        let asked = ada.get(&format!("{path}{size}")).await;
        assert!(asked.status() == 400 || asked.bytes() == small.bytes());
    }
    assert_eq!(kept(&portal), 2, "the file and one thumbnail");

    let tag = small.header("etag").unwrap();
    let known = ada.raw("GET", &path).header("if-none-match", tag);
    assert_eq!(known.send().await.unwrap().status(), 304);
    let known = eve.raw("GET", &path).header("if-none-match", tag);
    assert_eq!(known.send().await.unwrap().status(), 404);

    let text = document(&ada, "Text").await;
    let none = ada.get(&format!("{text}/thumbnail")).await;
    assert_eq!(none.status(), 404);
}
