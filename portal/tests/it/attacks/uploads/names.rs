//! File names that lead elsewhere, break out of a header or make something run.

use super::kept;
use crate::company::{Portal, hand_in, token};
use crate::files::crafted::word;

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
    let names = portal.stored_files();
    assert!(
        names.iter().all(|path| path.extension().is_none()),
        "{names:?}"
    );
}

/// ASVS: V5.2.2, V5.4.1
#[tokio::test(flavor = "multi_thread")]
async fn a_name_of_a_program_is_refused_whatever_is_inside() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    for name in [
        "macro.docm",
        "plan.docx.html",
        "plan.docx.hta",
        "plan.php.docx",
        "plan.PHTML .docx",
        "plan.cgi.docx",
    ] {
        let answer = hand_in(&ada, name, name, &word(&[])).await;
        assert!([415, 422].contains(&answer.status().as_u16()), "{name}");
        assert!(answer.text().contains("as names of programs do"), "{name}");
        assert_eq!(kept(&portal), 0, "{name}");
    }
    // An ending before the last one is harmless if no server runs such files.
    for name in ["plan.of.may.docx", "Intro to Node.js.docx", "Vol. One.docx"] {
        let plain = hand_in(&ada, "Plan", name, &word(&[])).await;
        assert_eq!(plain.status(), 303, "{name}");
    }
}

/// Bytes that no browser sends in a name: they would end the download's header.
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
