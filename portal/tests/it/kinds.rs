//! All kinds of files that the portal accepts, made by real programs, up and down; and how many a user may store.

use std::fs;

use image::ImageFormat;

use crate::company::{PASSWORD, Portal, document, hand_in, sign_in};
use crate::files;
use crate::files::crafted::picture;
use crate::killed::{Program, browser};

/// A document comes back byte for byte, and a picture too: it is served as an attachment and never shown in a page.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "a table of eight kinds")]
async fn every_kind_of_file_comes_back_as_it_was_sent() {
    let Some(files) = files::or_skip() else {
        return;
    };
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let table = "Name,Amount\r\n\"Müller, Jörg\",12.50\r\n";
    let all = [
        (
            "PDF",
            "application/pdf",
            files.pdf("minutes.pdf", "Minutes & more"),
        ),
        (
            "DOCX",
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            files.docx("plan.docx", "# Plan\n\nTo do *everything*."),
        ),
        (
            "ODT",
            "application/vnd.oasis.opendocument.text",
            files.odt("plan.odt", "# Plan\n\n- one\n- two\n"),
        ),
        (
            "TXT",
            "text/plain",
            files.text("notes.txt", "Grüße aus Köln\n\tund ein Tab\n"),
        ),
        ("CSV", "text/csv", files.text("table.csv", table)),
        ("PNG", "image/png", files.png("lake.png", 320, 200)),
        (
            "JPEG",
            "image/jpeg",
            files.jpeg("lake.jpg", 320, 200, "a comment"),
        ),
        ("WebP", "image/webp", files.webp("lake.webp", 320, 200)),
    ];
    for (kind, media_type, path) in &all {
        let (bytes, name) = (
            fs::read(path).unwrap(),
            path.file_name().unwrap().to_str().unwrap(),
        );
        let answer = hand_in(&ada, kind, name, &bytes).await;
        assert_eq!(answer.status(), 303, "{kind}: {}", answer.text());
        let page = answer.location().unwrap();
        let facts = ada.get(page).await.texts(".facts dd");
        assert!(
            facts.iter().any(|fact| fact.starts_with(kind)),
            "{kind}: {facts:?}"
        );
        let file = ada.get(&format!("{page}/file")).await;
        assert_eq!(file.bytes().as_ref(), bytes, "{kind} came back changed");
        assert!(
            file.header("content-type").unwrap().starts_with(media_type),
            "{kind}"
        );
        let disposition = file.header("content-disposition").unwrap();
        assert!(
            disposition.starts_with("attachment") && disposition.contains(name),
            "{disposition}"
        );
    }
    assert_eq!(
        ada.get("/documents").await.texts("tbody tr").len(),
        all.len()
    );
}

/// An owner's quota limits files and bytes; deleting a file makes room again.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_keeps_too_much_is_told_and_keeps_what_was_there() {
    let portal = Portal::on_sqlite().await;
    portal.member("ada").await;
    portal.member("eve").await;
    let data = portal.close().await;
    let limits = [
        ("DEWAR_UPLOADS_QUOTA", "1MiB"),
        ("DEWAR_UPLOADS_QUOTA_FILES", "3"),
    ];
    let (_program, url) = Program::serve_with(data.path(), &limits);
    let (ada, eve) = (browser(data.path(), &url), browser(data.path(), &url));
    for (browser, email) in [(&ada, "ada@example.org"), (&eve, "eve@example.org")] {
        assert_eq!(sign_in(browser, email, PASSWORD).await.status(), 303);
    }
    let first = document(&ada, "First").await;
    let large = hand_in(&ada, "Large", "large.txt", &vec![b'a'; 1024 * 1024]).await;
    assert_eq!(large.status(), 422, "more than a mebibyte in all");
    assert_eq!(
        large.form("/documents").value("title").as_deref(),
        Some("Large"),
        "what was typed stays"
    );
    // The size is known while the file arrives, and the message is beside the field.
    let said = large.texts(".error").join("\n");
    assert!(said.contains("does not fit beside the files"), "{said}");
    document(&ada, "Second").await;
    document(&ada, "Third").await;
    let fourth = hand_in(&ada, "Fourth", "note.txt", b"x\n").await;
    assert_eq!(fourth.status(), 422, "more than three files");
    let form = ada.get("/account").await.form("/account/picture");
    let dot = picture(4, 4, ImageFormat::Png);
    let shown = ada.submit(form.file("picture", "dot.png", dot)).await;
    assert_eq!(shown.status(), 422, "a picture is a file like others");
    assert_eq!(ada.get("/documents").await.texts("tbody tr").len(), 3);
    document(&eve, "Of another").await;

    let confirm = ada.get(&format!("{first}/delete")).await;
    assert_eq!(
        ada.submit(confirm.form(&format!("{first}/delete")))
            .await
            .status(),
        303
    );
    assert_eq!(
        hand_in(&ada, "Fourth", "note.txt", b"x\n").await.status(),
        303
    );
}
