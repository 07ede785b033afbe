//! `uploads`: a file has the type of its bytes, lies where nobody can reach it, and is sent as an inert download.

mod corpus;
mod direct;
mod names;
mod pictures;
mod ranges;
mod thumbnails;
mod viruses;

use dewar::testing::Browser;
use image::ImageFormat;

use crate::company::{Portal, document, hand_in, token};
use crate::files::crafted::{picture, scans, word};

fn kept(portal: &Portal) -> usize {
    portal.stored_files().len()
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x75\x30\0\0\x75\x30\x08\x02\0\0\0";

/// ASVS: V1.3.4, V5.2.2, V5.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_what_it_says_is_refused_and_leaves_nothing() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".as_slice();
    for (name, bytes) in [
        (
            "page.txt",
            b"<!doctype html><script>alert(1)</script>".as_slice(),
        ),
        ("drawing.png", svg),
        ("drawing.svg", svg),
        ("shell.php", b"<?php system($_GET['c']);"),
        ("shell.php.txt", b"just text\n"),
        ("shell.jpg", b"\xff\xd8\xff\xe0<?php system($_GET['c']);"),
        ("late.pdf", b"junk before\n%PDF-1.7\n%%EOF\n"),
        ("huge.png", PNG),
        ("paper.docx", b"PK\x03\x04 but not a zip"),
        ("binary.txt", b"a\0b"),
        ("program.csv", b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0"),
        ("terminal.txt", b"harmless \x1b]0;title\x07"),
        ("both.txt", b"%PDF-1.7\n1 0 obj <<>> endobj\n%%EOF\n"),
        (
            "dressed.txt",
            b"<?xml version='1.0'?><!-- --><svg onload='alert(1)'/>",
        ),
        ("no-ending", b"text\n"),
        ("empty.txt", b""),
    ] {
        let answer = hand_in(&ada, name, name, bytes).await;
        assert!(
            [415, 422].contains(&answer.status().as_u16()),
            "{name}: {}",
            answer.status()
        );
    }
    assert_eq!(kept(&portal), 0, "{:?}", portal.stored_files());
    assert_eq!(portal.count("SELECT count(*) FROM documents").await, 0);
    document(&ada, "Honest").await;
    assert_eq!(kept(&portal), 1);
}

/// Letters at the beginning of a text are no signature, and markup in a text is sent as text.
///
/// ASVS: V5.2.2, V3.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_text_stays_a_text_whatever_it_begins_with() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for (name, bytes, media_type) in [
        ("mz.csv", "MZ,Mozambique\r\n", "text/csv"),
        ("true.csv", "true,Anna\r\n", "text/csv"),
        (
            "pages.txt",
            "P1 of last week\x0cPage two\r\n\x1a",
            "text/plain",
        ),
        (
            "letter.txt",
            "<a@example.org> wrote: <script>alert(1)</script>",
            "text/plain",
        ),
        (
            "data.txt",
            "<?xml version=\"1.0\"?><a onclick=\"alert(1)\"/>",
            "text/plain",
        ),
    ] {
        let answer = hand_in(&ada, name, name, bytes.as_bytes()).await;
        assert_eq!(answer.status(), 303, "{name}: {}", answer.text());
        let page = answer.location().unwrap();
        let file = ada.get(&format!("{page}/file")).await;
        assert_eq!(file.bytes().as_ref(), bytes.as_bytes(), "{name}");
        assert!(file.header("content-type").unwrap().starts_with(media_type));
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
        let disposition = file.header("content-disposition").unwrap();
        assert!(disposition.starts_with("attachment"), "{disposition}");
    }
}

/// Dewar deletes the file and loses no typed word, even if the file is larger than any body may be.
///
/// ASVS: V5.2.1
#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_limit_is_cut_off_and_loses_no_word() {
    let portal = Portal::open_with(&[("DEWAR_HTTPS_LIMITS_BODY", "24MiB")]).await;
    let ada = portal.member("ada").await;
    let page = ada.get("/documents/new").await;
    let words = "<p>Written for an hour.</p>";
    for (before, mebibytes) in [(0, 21), (1, 25)] {
        let form = page
            .form("/documents")
            .fill("title", "Large")
            .fill("description", words)
            .fill("tags", "plan, lake")
            .file("file", "large.txt", vec![b'a'; mebibytes * 1024 * 1024]);
        let answer = ada.submit(form).await;
        assert_eq!(answer.status(), 413, "{mebibytes}");
        let again = answer.form("/documents");
        let typed = |name: &str| again.value(name);
        assert_eq!(typed("title").as_deref(), Some("Large"));
        assert_eq!(typed("description").as_deref(), Some(words));
        assert_eq!(typed("tags").as_deref(), Some("plan, lake"));
        let is_wrong = answer.attribute("[name=file]", "aria-invalid");
        assert_eq!(is_wrong.as_deref(), Some("true"));
        assert!(answer.text().contains("larger than 20 MiB"));
        assert_eq!(kept(&portal), before);
        let small = ada
            .submit(again.file("file", "small.txt", "Agreed.\n"))
            .await;
        assert_eq!(small.status(), 303, "{}", small.text());
        let shown = ada.get(small.location().unwrap()).await.text();
        assert!(shown.contains("Written for an hour."), "{shown}");
    }
}

/// ASVS: V5.4.2, V3.2.1, V14.3.2
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_is_inert() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = document(&ada, "Plan").await;
    let file = ada.get(&format!("{path}/file")).await;
    assert_eq!(file.bytes().as_ref(), b"What was agreed.\n");
    assert!(
        file.header("content-disposition")
            .unwrap()
            .starts_with("attachment")
    );
    assert_eq!(file.header("x-content-type-options"), Some("nosniff"));
    assert!(
        file.header("content-security-policy")
            .unwrap()
            .contains("sandbox")
    );
    assert!(file.header("cache-control").unwrap().contains("no-store"));
    assert_eq!(
        file.header("cross-origin-resource-policy"),
        Some("same-origin")
    );
}

/// ASVS: V5.3.1, V13.4.1
#[tokio::test(flavor = "multi_thread")]
async fn no_address_leads_to_the_files() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    document(&ada, "Plan").await;
    let stored = portal.stored_files();
    let name = stored.iter().find_map(|path| path.file_name()).unwrap();
    let name = name.to_str().unwrap();
    for path in [
        format!("/uploads/{name}"),
        format!("/static/{name}"),
        format!("/static/../uploads/{name}"),
        format!("/static/%2e%2e/uploads/{name}"),
        format!("/files/{name}"),
    ] {
        let status = ada
            .raw("GET", &path)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16();
        assert!([400, 404].contains(&status), "{path}: {status}");
    }
}

/// ASVS: V5.2.2, V3.5.1
#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_not_a_byte_is_written() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let page = ada.get("/documents/new").await;
    let form = page
        .form("/documents")
        .fill("title", "Plan")
        .file("file", "note.txt", "x\n");
    assert_eq!(ada.submit(form.without("csrf_token")).await.status(), 403);
    // The token comes after the file: too late.
    let late = "--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\nx\r\n--x\r\n\
        content-disposition: form-data; name=\"csrf_token\"\r\n\r\n{}\r\n--x--\r\n";
    let late = late.replace("{}", &token(&ada).await);
    let request = ada
        .raw("POST", "/documents")
        .header("sec-fetch-site", "same-origin");
    let request = request
        .header("content-type", "multipart/form-data; boundary=x")
        .body(late);
    assert_eq!(request.send().await.unwrap().status(), 403);
    assert_eq!(kept(&portal), 0);
}

/// Hands in a file that must be refused, and checks its reason in the log.
async fn is_refused_for(
    reason: &str,
    portal: &Portal,
    browser: &Browser,
    name: &str,
    bytes: &[u8],
) {
    let status = hand_in(browser, name, name, bytes).await.status();
    assert!([415, 422].contains(&status.as_u16()), "{name}: {status}");
    let log = portal.log().await;
    let last = log
        .lines()
        .rfind(|line| line.contains("\"upload_validation\""));
    assert!(
        last.is_some_and(|line| line.contains(reason)),
        "{name}: {last:?}"
    );
    assert_eq!(kept(portal), 0, "{name}");
}

/// The checksum of a chunk of PNG.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}

/// Each is complete except for the one thing.
///
/// ASVS: V5.2.2, V5.2.6, V16.3.3
#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_is_too_large_or_something_else_too_is_refused_for_that() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let [png, jpeg] = [ImageFormat::Png, ImageFormat::Jpeg].map(|format| picture(64, 48, format));
    let side = 30_000_u32.to_be_bytes();
    let mut wide = png.clone();
    wide[16..24].copy_from_slice(&[side, side].concat());
    let checksum = crc(&wide[12..29]).to_be_bytes();
    wide[29..33].copy_from_slice(&checksum);
    let mut high = jpeg.clone();
    let is_frame = |marker: &[u8]| marker == [0xff, 0xc0];
    let frame = high.windows(2).position(is_frame).unwrap();
    high[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    let php = [png.as_slice(), b"<?php system($_GET['c']);"].concat();
    let both = [png.as_slice(), &word(&[])].concat();
    for (name, bytes, reason) in [
        ("wide.png", &wide, "too_many_pixels"),
        ("high.jpg", &high, "too_many_pixels"),
        ("tail.png", &php, "trailing_data"),
        ("both.png", &both, "trailing_data"),
        ("lake.pdf", &jpeg, "extension_disagrees"),
        ("slow.jpg", &scans(100), "too_many_scans"),
    ] {
        is_refused_for(reason, &portal, &ada, name, bytes).await;
    }
    let other_names = [("lake.jfif", jpeg.clone()), ("pass.jpe", scans(10))];
    for (name, bytes) in [("lake.png", png), ("lake.jpg", jpeg)]
        .into_iter()
        .chain(other_names)
    {
        let answer = hand_in(&ada, name, name, &bytes).await;
        assert_eq!(answer.status(), 303, "{name}");
    }
}

/// ASVS: V5.2.2, V5.2.3, V16.3.3
#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_runs_or_unpacks_to_too_much_is_refused_for_that() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let zeros = vec![0; 48 * 1024 * 1024];
    for (name, part, bytes, reason) in [
        ("bomb.docx", "word/media/a.bin", zeros.as_slice(), "bomb"),
        (
            "macro.docx",
            "word/vbaProject.bin",
            b"Sub AutoOpen()",
            "active_content",
        ),
        (
            "object.docx",
            "word/embeddings/o.bin",
            b"MZ",
            "active_content",
        ),
    ] {
        is_refused_for(reason, &portal, &ada, name, &word(&[(part, bytes)])).await;
    }
    let plain = hand_in(
        &ada,
        "Plan",
        "plan.docx",
        &word(&[("word/media/a.bin", b"small")]),
    )
    .await;
    assert_eq!(plain.status(), 303);
}
