//! Some files of Dewar's corpus over HTTP, and a request of a thousand parts.

use super::{is_refused_for, kept};
use crate::company::{Portal, hand_in, token};

fn corpus(path: &str) -> Vec<u8> {
    let file = format!(
        "{}/../dewar/tests/corpus/{path}",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read(&file).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// One file for each way to hide something. Dewar's own tests examine all files.
///
/// ASVS: V5.2.2, V5.2.3, V5.3.3, V16.3.3
#[tokio::test(flavor = "multi_thread")]
async fn hostile_files_are_refused_and_leave_nothing() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for (path, reason) in [
        ("pdf/js-open-action.pdf", "active_content"),
        ("pdf/js-incremental.pdf", "active_content"),
        ("pdf/launch.pdf", "active_content"),
        ("docx/macro-renamed.docx", "active_content"),
        ("docx/elsewhere-template-http.docx", "external"),
        ("docx/zip-bomb.docx", "bomb"),
        ("docx/zip-duplicate-document.docx", "damaged"),
        ("odt/event-listener.odt", "active_content"),
        ("odt/encrypted.odt", "encrypted"),
        ("jpeg/script-after.jpg", "trailing_data"),
        ("jpeg/php-in-comment-as-php.php.jpg", "active_extension"),
        ("both/png-then-jar.png", "trailing_data"),
        ("png/bomb-30000.png", "too_many_pixels"),
        ("text/page.txt", "page"),
        ("text/escape.csv", "control_character"),
    ] {
        let name = path.rsplit('/').next().unwrap();
        let bytes = corpus(&format!("hostile/{path}"));
        is_refused_for(reason, &portal, &ada, name, &bytes).await;
    }
}

/// They come back byte for byte, as attachments.
///
/// ASVS: V5.2.2, V5.4.2
#[tokio::test(flavor = "multi_thread")]
async fn honest_files_are_taken_and_come_back_as_they_were() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for path in [
        "pdf/chromium-page.pdf",
        "pdf/pyhanko-signature.pdf",
        "docx/python-docx-rich.docx",
        "odt/pandoc.odt",
        "jpeg/phone-mpf.jpg",
        "png/optipng-interlaced.png",
        "webp/gif2webp-animated.webp",
        "txt/bidi.txt",
        "csv/begins-mz.csv",
    ] {
        let name = path.rsplit('/').next().unwrap();
        let bytes = corpus(&format!("honest/{path}"));
        let answer = hand_in(&ada, name, name, &bytes).await;
        assert_eq!(answer.status(), 303, "{path}: {}", answer.text());
        let page = answer.location().unwrap();
        let file = ada.get(&format!("{page}/file")).await;
        assert_eq!(file.bytes().as_ref(), bytes, "{path}");
        let disposition = file.header("content-disposition").unwrap();
        assert!(disposition.starts_with("attachment"), "{disposition}");
    }
}

/// A thousand files, or a thousand texts: more than any form has.
///
/// ASVS: V5.2.1, V5.2.4, V15.3.7
#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_a_thousand_parts_is_refused_and_leaves_nothing() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let file = "content-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nx";
    let text = "content-disposition: form-data; name=\"title\"\r\n\r\nPlan";
    for part in [file, text] {
        let token = token(&ada).await;
        let mut body = format!(
            "--x\r\ncontent-disposition: form-data; name=\"csrf_token\"\r\n\r\n{token}\r\n--x\r\n"
        );
        body.push_str(&format!("{part}\r\n--x\r\n").repeat(999));
        body.push_str(&format!("{part}\r\n--x--\r\n"));
        let request = ada
            .raw("POST", "/documents")
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "multipart/form-data; boundary=x");
        let status = request.body(body).send().await.unwrap().status().as_u16();
        assert!([400, 413, 422].contains(&status), "{status}");
        assert_eq!(kept(&portal), 0);
        assert_eq!(portal.count("SELECT count(*) FROM documents").await, 0);
    }
    let answer = hand_in(&ada, "Plan", "plan.txt", b"x\n").await;
    assert_eq!(answer.status(), 303, "{}", answer.text());
}
