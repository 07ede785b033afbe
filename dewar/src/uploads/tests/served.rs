//! The responses with files.

use axum::response::{IntoResponse as _, Response};
use http_body_util::BodyExt as _;
use image::ImageFormat;

use super::made::{PDF, Store, encoded, two_halves};
use crate::forms::{Field, FieldKind, FormValue, Incoming, Problem, RawValue};
use crate::https::{Inert, Nonce, Transport, apply};
use crate::uploads::{Document, Error, KIB, MIB, Picture, Upload};

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response
        .headers()
        .get(name)
        .map(|value| value.to_str().unwrap())
        .unwrap_or_default()
}

#[tokio::test]
async fn a_download_is_an_attachment_with_the_same_bytes() {
    let store = Store::new().await;
    let id = store
        .keep::<Document>("Bericht für März.pdf", PDF)
        .await
        .unwrap();
    let response = store.uploads.serve(&id).await.unwrap().into_response();
    assert_eq!(header(&response, "content-type"), "application/pdf");
    assert_eq!(header(&response, "content-length"), PDF.len().to_string());
    let disposition = header(&response, "content-disposition");
    assert!(disposition.starts_with(
        "attachment; filename=\"Bericht f_r M_rz.pdf\"; filename*=UTF-8''Bericht%20f%C3%BCr"
    ));
    assert_eq!(header(&response, "x-content-type-options"), "nosniff");
    assert_eq!(
        header(&response, "content-security-policy"),
        "sandbox; default-src 'none'"
    );
    assert_eq!(header(&response, "cache-control"), "private, no-store");
    assert_eq!(
        header(&response, "cross-origin-resource-policy"),
        "same-origin"
    );
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        PDF
    );
}

/// Text that a browser would run if it sniffed: four headers forbid it.
///
/// ASVS: V3.2.1
#[tokio::test]
async fn markup_in_a_text_goes_out_as_text_to_be_saved() {
    let store = Store::new().await;
    let markup = b"<b onclick=alert(1)>bold</b> and <script>alert(2)</script>";
    let id = store.keep::<Document>("a.txt", markup).await.unwrap();
    let mut response = store.uploads.serve(&id).await.unwrap().into_response();
    let inert = response.extensions().get::<Inert>().copied();
    apply(
        response.headers_mut(),
        Some(&Nonce::new()),
        Transport::Certificate,
        inert,
    );
    assert!(header(&response, "content-security-policy").contains("sandbox"));
    assert!(header(&response, "content-disposition").starts_with("attachment"));
    assert_eq!(
        header(&response, "content-type"),
        "text/plain; charset=utf-8"
    );
    assert_eq!(header(&response, "x-content-type-options"), "nosniff");
    assert_eq!(header(&response, "cache-control"), "private, no-store");
}

#[tokio::test]
async fn a_large_file_goes_out_in_pieces_and_whole() {
    let store = Store::new().await;
    let text = "All work and no play.\n".repeat(100_000);
    let id = store
        .keep::<Document>("a.txt", text.as_bytes())
        .await
        .unwrap();
    let mut body = store
        .uploads
        .serve(&id)
        .await
        .unwrap()
        .into_response()
        .into_body();
    let (mut pieces, mut bytes) = (0, Vec::new());
    while let Some(frame) = body.frame().await {
        let piece = frame.unwrap().into_data().unwrap();
        assert!(piece.len() <= 128 * 1024);
        bytes.extend_from_slice(&piece);
        pieces += 1;
    }
    assert!(pieces > 10);
    assert!(bytes == text.as_bytes());
}

#[tokio::test]
async fn only_a_picture_that_was_written_anew_is_shown() {
    let store = Store::new().await;
    let png = encoded(&two_halves(), ImageFormat::Png);
    let picture = store.keep::<Picture>("a.png", &png).await.unwrap();
    let response = store.uploads.show(&picture).await.unwrap().into_response();
    assert!(header(&response, "content-disposition").starts_with("inline; "));
    assert_eq!(header(&response, "content-type"), "image/png");
    let document = store.keep::<Document>("a.png", &png).await.unwrap();
    assert!(matches!(
        store.uploads.show(&document).await,
        Err(Error::NotShown)
    ));
    let pdf = store.keep::<Document>("a.pdf", PDF).await.unwrap();
    assert!(matches!(
        store.uploads.show(&pdf).await,
        Err(Error::NotShown)
    ));
}

#[tokio::test]
async fn a_download_can_be_called_otherwise_but_keeps_its_extension() {
    let store = Store::new().await;
    let id = store.keep::<Document>("a.pdf", PDF).await.unwrap();
    let called = |name: &'static str| {
        let uploads = store.uploads.clone();
        let id = id.clone();
        async move {
            let response = uploads
                .serve(&id)
                .await
                .unwrap()
                .called(name)
                .into_response();
            header(&response, "content-disposition").to_owned()
        }
    };
    assert!(
        called("Annual report")
            .await
            .contains("\"Annual report.pdf\"")
    );
    assert!(
        called("x\r\nSet-Cookie: a=b").await.contains("\"a.pdf\""),
        "a name that cannot be used is not used"
    );
    assert!(called("run.php").await.contains("\"a.pdf\""));
    assert!(called("run.exe").await.contains("\"run.exe.pdf\""));
}

#[tokio::test]
async fn a_file_that_was_changed_in_the_storage_is_not_served() {
    let store = Store::new().await;
    let id = store.keep::<Document>("a.pdf", PDF).await.unwrap();
    store.take_away(&id).await;
    store.place(&id, b"something else".as_slice()).await;
    assert!(matches!(
        store.uploads.serve(&id).await,
        Err(Error::Damaged)
    ));
}

/// Bytes that changed in the storage, such as on a disk that fails, though their number is right.
#[tokio::test]
async fn a_file_of_other_bytes_is_not_sent_to_its_end() {
    let store = Store::new().await;
    let id = store
        .keep::<Document>("a.txt", b"agreed: 100")
        .await
        .unwrap();
    store.take_away(&id).await;
    store.place(&id, b"agreed: 900".as_slice()).await;
    let response = store.uploads.serve(&id).await.unwrap().into_response();
    assert!(response.into_body().collect().await.is_err());
}

#[test]
fn a_field_says_what_it_takes() {
    assert_eq!(
        Upload::<Picture, { 2 * MIB }>::HINT,
        "PNG, JPEG, WebP or GIF, up to 2 MiB."
    );
    assert_eq!(
        Upload::<Document, { 512 * KIB }>::HINT,
        "PDF, DOCX, ODT, PPTX, ODP, TXT, CSV, TSV, Markdown, JSON, PNG, JPEG, WebP, GIF, HEIC, AVIF or TIFF, up to 512 KiB."
    );
    let kind = Upload::<Picture, { 2 * MIB }>::KIND;
    assert_eq!(
        (kind.accept, kind.max_bytes),
        (
            Some(".png,.jpg,.jpeg,.jpe,.jfif,.pjpeg,.pjp,.webp,.gif"),
            Some(2 * MIB)
        )
    );
}

#[test]
fn what_the_name_gives_away_is_said_beside_the_field() {
    let directory = tempfile::tempdir().unwrap();
    let problem = |name: &str, bytes: &[u8]| {
        let incoming = Incoming::arrived(directory.path(), name, bytes);
        Upload::<Picture, 10>::parse(RawValue::File(incoming))
            .unwrap_err()
            .to_string()
    };
    assert!(problem("a.pdf", b"x").contains("PNG, JPEG, WebP"));
    assert!(problem("a.php.png", b"x").contains("programs"));
    assert!(problem("a", b"x").contains("Rename"));
    assert!(problem("a.png", b"").contains("empty"));
    assert!(problem("a.png", b"12345678901").contains("10 bytes"));
    assert_eq!(
        Upload::<Picture, 10>::parse(RawValue::Absent)
            .unwrap_err()
            .to_string(),
        "Choose a file."
    );
    assert_eq!(
        std::fs::read_dir(directory.path()).unwrap().count(),
        0,
        "what is refused is gone"
    );
}

/// The reader knows only the limit of the form's field, so this type checks its own.
#[test]
fn a_field_with_a_larger_limit_brings_no_larger_file_into_an_upload() {
    #[derive(Debug, PartialEq)]
    struct Wider(Upload<Picture, 10>);

    impl Field for Wider {
        const KIND: FieldKind = FieldKind::file(".png", 20);

        fn parse(raw: RawValue<'_>) -> Result<Self, Problem> {
            Upload::parse(raw).map(Self)
        }

        fn show(&self) -> FormValue {
            FormValue::Nothing
        }
    }

    let directory = tempfile::tempdir().unwrap();
    for (bytes, taken) in [(10, true), (11, false), (20, false)] {
        assert!(Wider::KIND.max_bytes >= Some(bytes), "the reader takes it");
        let bytes = vec![b'x'; usize::try_from(bytes).unwrap()];
        let incoming = Incoming::arrived(directory.path(), "a.png", &bytes);
        let parsed = Wider::parse(RawValue::File(incoming));
        assert_eq!(parsed.is_ok(), taken, "{} bytes", bytes.len());
    }
}
