//! Thumbnails: made once, beside their file, and gone with it.

use axum::response::IntoResponse as _;
use futures_util::future::join_all;
use http_body_util::BodyExt as _;
use image::{DynamicImage, GenericImageView as _, ImageFormat, Rgba, RgbaImage};

use super::made::{PDF, Store, animated_gif, encoded, jpeg_with_exif, two_halves};
use crate::sessions::UserId;
use crate::uploads::{
    BrowserCache, Document, Error, FileId, InlineImage, Photo, Picture, ScanStatus, Thumbnail,
    Uploads,
};

const SMALL: Thumbnail<10, 10> = Thumbnail::new();
const LARGE: Thumbnail<100, 100> = Thumbnail::new();
const ME: UserId = UserId::new(1);

async fn picture(image: InlineImage) -> (String, DynamicImage) {
    let response = image.into_response();
    assert_eq!(response.status(), 200);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let kind = header("content-type");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-security-policy").contains("sandbox"));
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (kind, image::load_from_memory(&bytes).unwrap())
}

async fn thumbnail(uploads: &Uploads, id: &FileId) -> (String, DynamicImage) {
    picture(uploads.thumbnail(id, SMALL).await.unwrap()).await
}

/// 40 x 20 pixels, of which the left half is transparent.
fn half_transparent() -> DynamicImage {
    DynamicImage::ImageRgba8(RgbaImage::from_fn(40, 20, |x, _| {
        if x < 20 {
            Rgba([0, 0, 0, 0])
        } else {
            Rgba([0, 200, 0, 255])
        }
    }))
}

/// ASVS: V5.2.6
#[tokio::test]
async fn every_format_has_a_small_picture_of_its_first_frame_upright() {
    let store = Store::new().await;
    for (name, bytes, kind, size) in [
        (
            "a.png",
            encoded(&two_halves(), ImageFormat::Png),
            "image/jpeg",
            (10, 5),
        ),
        (
            "a.webp",
            encoded(&two_halves(), ImageFormat::WebP),
            "image/jpeg",
            (10, 5),
        ),
        ("a.jpg", jpeg_with_exif(), "image/jpeg", (5, 10)),
        ("a.gif", animated_gif(3), "image/jpeg", (2, 2)),
        (
            "b.png",
            encoded(&half_transparent(), ImageFormat::Png),
            "image/png",
            (10, 5),
        ),
    ] {
        let sent = store.keep::<Picture>(name, &bytes).await.unwrap();
        let photo = store.keep::<Photo>(name, &bytes).await.unwrap();
        for id in [sent, photo] {
            let (found, small) = thumbnail(&store.uploads, &id).await;
            assert_eq!((found.as_str(), small.dimensions()), (kind, size), "{name}");
            let [red, _, blue, opacity] = small.get_pixel(0, 0).0;
            match name {
                "b.png" => assert_eq!(opacity, 0),
                "a.gif" => assert!(red > 180, "the first frame is red"),
                _ => assert!(red > 200 && blue < 60, "{name}: {red} {blue}"),
            }
        }
    }
}

#[tokio::test]
async fn a_thumbnail_is_made_once_however_many_ask_at_once() {
    let store = Store::new().await;
    let bytes = encoded(&two_halves(), ImageFormat::Png);
    let id = store.keep::<Picture>("a.png", &bytes).await.unwrap();
    let asked = (0..12).map(|_| thumbnail(&store.uploads, &id));
    assert_eq!(join_all(asked).await.len(), 12);
    assert_eq!(store.files_and_rows().await, (2, 2));
    let (_, large) = picture(store.uploads.thumbnail(&id, LARGE).await.unwrap()).await;
    assert_eq!(large.dimensions(), (40, 20), "none is enlarged");
    assert_eq!(store.files_and_rows().await, (3, 3));
    let tag = |image: InlineImage| image.into_response().headers()["etag"].clone();
    let first = tag(store.uploads.thumbnail(&id, SMALL).await.unwrap());
    let again = tag(store.uploads.thumbnail(&id, SMALL).await.unwrap());
    assert_eq!(first, again);
    let cached = store.uploads.thumbnail(&id, SMALL).await.unwrap();
    let response = cached.cached(BrowserCache::Checked).into_response();
    assert_eq!(response.headers()["cache-control"], "private, no-cache");
    let default = store.uploads.thumbnail(&id, SMALL).await.unwrap();
    let headers = default.into_response();
    assert_eq!(headers.headers()["cache-control"], "private, no-store");
}

/// ASVS: V5.2.4, V2.3.3
#[tokio::test]
async fn a_thumbnail_goes_with_its_file_and_is_on_no_quota() {
    let store = Store::with(|config| config.quota_files = 2).await;
    let bytes = encoded(&two_halves(), ImageFormat::Png);
    for _ in 0..2 {
        let id = store.keep::<Photo>("a.png", &bytes).await.unwrap();
        thumbnail(&store.uploads, &id).await;
    }
    let used = store.uploads.used_by(ME).await.unwrap();
    assert_eq!((used.files, used.bytes), (2, 2 * bytes.len() as u64));
    assert_eq!(store.files_and_rows().await, (4, 4));
    assert_eq!(store.uploads.delete_all_of(ME).await.unwrap(), 2);
    assert_eq!(store.files_and_rows().await, (0, 0));
    // In the transaction of the application.
    let id = store.keep::<Photo>("a.png", &bytes).await.unwrap();
    thumbnail(&store.uploads, &id).await;
    let tx = store.db.begin().await.unwrap();
    store.uploads.release(&tx, &id).await.unwrap();
    tx.commit().await.unwrap();
    store.becomes_empty().await;
    let gone = store.uploads.thumbnail(&id, SMALL).await.unwrap_err();
    assert!(matches!(gone, Error::NotFound), "{gone}");
}

/// ASVS: V3.2.1, V5.2.2
#[tokio::test]
async fn only_a_picture_has_a_thumbnail_and_its_own_id_opens_nothing() {
    let store = Store::new().await;
    let paper = store.keep::<Document>("a.pdf", PDF).await.unwrap();
    let none = store.uploads.thumbnail(&paper, SMALL).await.unwrap_err();
    assert!(matches!(none, Error::NoThumbnail), "{none}");
    let page = crate::pages::Error::from(none);
    assert_eq!(page.kind(), crate::pages::ErrorKind::NotFound);
    let bytes = encoded(&two_halves(), ImageFormat::Png);
    let photo = store.keep::<Photo>("a.png", &bytes).await.unwrap();
    assert!(matches!(
        store.uploads.show(&photo).await,
        Err(Error::NotShown)
    ));
    thumbnail(&store.uploads, &photo).await;
    let find = "SELECT id FROM dewar_files WHERE thumbnail_of = ?";
    let rows = store.db.query(find, [(&photo).into()]).await.unwrap();
    let small: String = rows[0].get(0).unwrap();
    let small = small.parse().unwrap();
    for opened in [
        store.uploads.find(&small).await.map(drop),
        store.uploads.serve(&small).await.map(drop),
        store.uploads.thumbnail(&small, SMALL).await.map(drop),
        store.uploads.delete(&small).await,
    ] {
        assert!(matches!(opened, Err(Error::NotFound)), "{opened:?}");
    }
}

/// A file that is served to nobody shows nothing of itself.
///
/// ASVS: V5.4.3
#[tokio::test]
async fn a_picture_that_is_served_to_nobody_has_no_thumbnail_either() {
    let store = Store::new().await;
    let bytes = encoded(&two_halves(), ImageFormat::Png);
    let id = store.keep::<Photo>("a.png", &bytes).await.unwrap();
    thumbnail(&store.uploads, &id).await;
    for (scan, infected) in [(ScanStatus::Waiting, false), (ScanStatus::Infected, true)] {
        let change = "UPDATE dewar_files SET scan = ? WHERE id = ?";
        let values = [scan.as_str().into(), (&id).into()];
        store.db.execute(change, values).await.unwrap();
        let refused = store.uploads.thumbnail(&id, SMALL).await.unwrap_err();
        assert_eq!(matches!(refused, Error::Infected), infected, "{refused}");
        assert_eq!(matches!(refused, Error::Unscanned), !infected, "{refused}");
    }
}

/// A picture that cannot be decoded would otherwise have a worker with each request.
///
/// ASVS: V2.4.1
#[tokio::test]
async fn a_picture_that_cannot_be_decoded_is_tried_once() {
    let store = Store::new().await;
    let bytes = encoded(&two_halves(), ImageFormat::Png);
    let id = store.keep::<Photo>("a.png", &bytes).await.unwrap();
    let kind = async |word: &str| {
        let change = "UPDATE dewar_files SET kind = ? WHERE id = ?";
        let values = [word.into(), (&id).into()];
        store.db.execute(change, values).await.unwrap();
        store.uploads.thumbnail(&id, SMALL).await.map(drop)
    };
    for word in ["webp", "png"] {
        let refused = kind(word).await;
        assert!(matches!(refused, Err(Error::NoThumbnail)), "{word}");
    }
    assert_eq!(store.files_and_rows().await, (1, 1), "nothing stays");
    // Another size is another picture to make, and a new process tries again.
    store.uploads.thumbnail(&id, LARGE).await.unwrap();
}

#[tokio::test]
async fn a_thumbnail_whose_bytes_are_lost_is_made_again_and_one_without_its_file_goes() {
    let store = Store::new().await;
    let bytes = encoded(&two_halves(), ImageFormat::Png);
    let id = store.keep::<Photo>("a.png", &bytes).await.unwrap();
    let own_id = async || {
        thumbnail(&store.uploads, &id).await;
        let find = "SELECT id FROM dewar_files WHERE thumbnail_of = ?";
        let rows = store.db.query(find, [(&id).into()]).await.unwrap();
        let own: String = rows[0].get(0).unwrap();
        own.parse::<FileId>().unwrap()
    };
    store.take_away(&own_id().await).await;
    thumbnail(&store.uploads, &id).await;
    assert_eq!(store.files_and_rows().await, (2, 2));
    store.take_away(&own_id().await).await;
    let swept = store.uploads.sweep_storage().await.unwrap();
    assert_eq!((swept.unfinished, swept.lost.len()), (1, 0));
    assert_eq!(store.files_and_rows().await, (1, 1));
    own_id().await;
    // Another program deleted the row of the file.
    let delete = "DELETE FROM dewar_files WHERE id = ?";
    store.db.execute(delete, [(&id).into()]).await.unwrap();
    store.take_away(&id).await;
    let swept = store.uploads.sweep_storage().await.unwrap();
    assert_eq!(swept.unfinished, 1);
    store.becomes_empty().await;
}
