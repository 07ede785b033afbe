//! Profile pictures: the only files that a page shows.

use dewar::testing::{Browser, TestResponse};
use image::ImageFormat;

use super::kept;
use crate::company::Portal;
use crate::files::crafted::picture;

async fn new_picture(browser: &Browser, name: &str, bytes: Vec<u8>) -> TestResponse {
    let form = browser.get("/account").await.form("/account/picture");
    browser.submit(form.file("picture", name, bytes)).await
}

/// ASVS: V5.2.2, V14.2.8
#[tokio::test(flavor = "multi_thread")]
async fn a_profile_picture_keeps_its_pixels_and_nothing_else() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let hidden = b"GPS 52.5N 13.4E <?php system($_GET['c']); ?><script>alert(1)</script>";
    let plain = picture(64, 48, ImageFormat::Jpeg);
    // A comment segment after the first two bytes (ITU T.81, B.2.4.5).
    let length = u16::try_from(hidden.len() + 2).unwrap().to_be_bytes();
    let (start, rest) = plain.split_at(2);
    let bytes = [start, b"\xff\xfe", &length, hidden, rest].concat();
    assert_eq!(new_picture(&ada, "me.jpg", bytes).await.status(), 303);
    let shown = ada.get("/account/picture").await;
    assert_eq!(
        (shown.status().as_u16(), shown.header("content-type")),
        (200, Some("image/jpeg"))
    );
    let has = |part: &[u8]| {
        shown
            .bytes()
            .windows(part.len())
            .any(|window| window == part)
    };
    assert!(!has(b"GPS") && !has(b"<?php") && !has(b"<script"));
    assert_eq!(shown.header("x-content-type-options"), Some("nosniff"));
    let picture = image::load_from_memory(shown.bytes()).unwrap();
    assert_eq!((picture.width(), picture.height()), (64, 48));
}

/// ASVS: V5.2.1, V5.2.2
#[tokio::test(flavor = "multi_thread")]
async fn a_profile_picture_is_a_picture_of_a_bounded_size() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let png = picture(64, 48, ImageFormat::Png);
    for (name, bytes, status) in [
        ("me.pdf", b"%PDF-1.4\n%%EOF\n".to_vec(), 415),
        ("me.png", b"%PDF-1.4\n%%EOF\n".to_vec(), 415),
        (
            "me.svg",
            b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(),
            415,
        ),
        ("me.png", b"Tea and milk.\n".to_vec(), 415),
        ("me.php", png.clone(), 415),
        ("me.png", vec![0; 3 * 1024 * 1024], 413),
    ] {
        let answer = new_picture(&ada, name, bytes).await;
        let got = answer.status().as_u16();
        assert!(
            got == status || (status == 415 && got == 422),
            "{name}: {got}"
        );
        assert_eq!(kept(&portal), 0, "{name}");
    }
    assert_eq!(ada.get("/account/picture").await.status(), 404);
    assert_eq!(new_picture(&ada, "me.png", png).await.status(), 303);
    assert_eq!(ada.get("/account/picture").await.status(), 200);
}
