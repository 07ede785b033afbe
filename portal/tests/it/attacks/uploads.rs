//! `uploads`: a file is what its bytes say, lies where nobody can reach it, and comes back inert.

use std::fs;
use std::path::Path;

use dewar::testing::{Answer, Browser};
use image::ImageFormat;

use crate::company::{Portal, document, hand_in, token};
use crate::files::crafted::{picture, word};

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files_below(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

fn kept(portal: &Portal) -> usize {
    let all = files_below(&portal.data.path().join("uploads"));
    all.iter()
        .filter(|path| path.file_name().is_some_and(|name| name != "lock"))
        .count()
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x75\x30\0\0\x75\x30\x08\x02\0\0\0";

/// ASVS: V5.2.2, V5.2.1
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
    assert_eq!(
        kept(&portal),
        0,
        "{:?}",
        files_below(&portal.data.path().join("uploads"))
    );
    assert_eq!(portal.count("SELECT count(*) FROM documents").await, 0);
    document(&ada, "Honest").await;
    assert_eq!(kept(&portal), 1);
}

/// ASVS: V5.2.1
#[tokio::test(flavor = "multi_thread")]
async fn more_than_the_limit_is_cut_off() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let answer = hand_in(&ada, "Large", "large.txt", &vec![b'a'; 21 * 1024 * 1024]).await;
    assert_eq!(answer.status(), 413);
    assert_eq!(kept(&portal), 0);
}

/// ASVS: V5.3.2, V5.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_name_leads_nowhere_and_breaks_out_of_no_header() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for name in [
        "../../../etc/cron.d/x.txt",
        "..\\..\\x.txt",
        "/etc/passwd.txt",
        "a\"; filename=\"x.html.txt",
    ] {
        let answer = hand_in(&ada, "Named", name, b"x\n").await;
        if answer.status() != 303 {
            assert_eq!(answer.status(), 422, "{name:?}");
            continue;
        }
        let file = ada
            .get(&format!("{}/file", answer.location().unwrap()))
            .await;
        let header = file.header("content-disposition").unwrap();
        assert!(header.starts_with("attachment; filename=\""), "{header}");
        assert!(
            !header.contains("..")
                && !header.contains('/')
                && header.matches("filename=").count() == 1,
            "{header}"
        );
    }
    let names = files_below(&portal.data.path().join("uploads"));
    assert!(
        names.iter().all(|path| path.extension().is_none()),
        "{names:?}"
    );
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
    let stored = files_below(&portal.data.path().join("uploads"));
    let name = stored
        .iter()
        .filter_map(|path| path.file_name())
        .find(|name| *name != "lock")
        .unwrap();
    let name = name.to_str().unwrap();
    for path in [
        format!("/uploads/{name}"),
        format!("/static/{name}"),
        format!("/static/../uploads/{name}"),
        format!("/static/%2e%2e/uploads/{name}"),
        format!("/files/{name}"),
        "/data/database.sqlite".to_owned(),
        "/.git/config".to_owned(),
        "/static/portal.css".to_owned(),
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
    // The token after the file: too late.
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

async fn new_picture(browser: &Browser, name: &str, bytes: Vec<u8>) -> Answer {
    let form = browser.get("/account").await.form("/account/picture");
    browser.submit(form.file("picture", name, bytes)).await
}

/// Hands a file in that must be refused, and asks the log whether it was for this reason.
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

/// Each is whole but for the one thing.
///
/// ASVS: V5.2.2, V5.2.6, V16.3.3
#[tokio::test(flavor = "multi_thread")]
async fn a_picture_that_is_too_large_or_something_else_too_is_refused_for_that() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let [png, jpeg] = [ImageFormat::Png, ImageFormat::Jpeg].map(|format| picture(64, 48, format));
    let (wide, high) = (
        picture(30_000, 1, ImageFormat::Png),
        picture(1, 30_000, ImageFormat::Jpeg),
    );
    let php = [png.as_slice(), b"<?php system($_GET['c']);"].concat();
    let both = [png.as_slice(), &word(&[])].concat();
    for (name, bytes, reason) in [
        ("wide.png", &wide, "too_many_pixels"),
        ("high.jpg", &high, "too_many_pixels"),
        ("tail.png", &php, "trailing_data"),
        ("both.png", &both, "trailing_data"),
        ("lake.pdf", &jpeg, "extension_disagrees"),
    ] {
        is_refused_for(reason, &portal, &ada, name, bytes).await;
    }
    for (name, bytes) in [("lake.png", png), ("lake.jpg", jpeg)] {
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

/// ASVS: V5.2.2, V5.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_a_program_is_refused_whatever_is_inside() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for name in [
        "macro.docm",
        "plan.docx.html",
        "plan.php.docx",
        "plan.hta.docx",
    ] {
        let answer = hand_in(&ada, name, name, &word(&[])).await;
        assert!([415, 422].contains(&answer.status().as_u16()), "{name}");
        assert!(answer.text().contains("as names of programs do"), "{name}");
        assert_eq!(kept(&portal), 0, "{name}");
    }
    let plain = hand_in(&ada, "Plan", "plan.of.may.docx", &word(&[])).await;
    assert_eq!(plain.status(), 303);
}

/// ASVS: V5.2.2, V14.2.8
#[tokio::test(flavor = "multi_thread")]
async fn a_profile_picture_keeps_its_pixels_and_nothing_else() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let hidden = b"GPS 52.5N 13.4E <?php system($_GET['c']); ?><script>alert(1)</script>";
    let plain = picture(64, 48, ImageFormat::Jpeg);
    // A comment segment behind the first two bytes (ITU T.81, B.2.4.5).
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

/// Bytes that no browser sends in a name: they would end the header of the download.
///
/// ASVS: V5.4.1, V5.4.2
#[tokio::test(flavor = "multi_thread")]
async fn a_line_break_in_a_name_ends_no_header() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let send = async |name: &str| {
        let body = format!(
            "--x\r\ncontent-disposition: form-data; name=\"csrf_token\"\r\n\r\n{}\r\n--x\r\n\
             content-disposition: form-data; name=\"title\"\r\n\r\nNamed\r\n--x\r\n\
             content-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\nx\r\n--x--\r\n",
            token(&ada).await
        );
        let request = ada
            .raw("POST", "/documents")
            .header("sec-fetch-site", "same-origin");
        let request = request.header("content-type", "multipart/form-data; boundary=x");
        request.body(body).send().await.unwrap()
    };
    for name in [
        "a.txt\r\nset-cookie: x=1",
        "a\nset-cookie: x=1.txt",
        "a\0.php.txt",
        "a.txt\"; filename*=\"UTF-8''x.html",
        "a%0d%0aset-cookie: x=1.txt",
    ] {
        let answer = send(name).await;
        let status = answer.status().as_u16();
        if status != 303 {
            assert!([400, 415, 422].contains(&status), "{name:?}: {status}");
            continue;
        }
        let file = ada
            .get(&format!("{}/file", answer.location().unwrap()))
            .await;
        assert_eq!(file.header("set-cookie"), None, "{name:?}");
        let header = file.header("content-disposition").unwrap();
        assert!(
            header.starts_with("attachment; ") && !header.contains(".html"),
            "{header}"
        );
    }
    assert_eq!(send("plain.txt").await.status(), 303);
}
