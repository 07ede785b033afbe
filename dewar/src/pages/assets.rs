mod asset;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use axum::response::Response;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::request::Parts;

use super::Bundle;
use crate::audit::Mode;
use crate::https::HeldElsewhere;
use crate::secrets::sha256;
use asset::Asset;

/// The path of static files.
pub(crate) const PREFIX: &str = "/static/";

/// The static files of an application, each at an address with a hash of its content.
///
/// A file's address changes with its content, so browsers keep it for a year. An address that Dewar never gave out is
/// 404, whatever its extension (ASVS 13.4.7, 14.2.5).
///
/// ```
/// use dewar::pages::{Assets, Bundle};
/// #[derive(rust_embed::RustEmbed)]
/// #[folder = "static"]
/// struct Static;
/// let assets = Assets::load(&[Bundle::of::<Static>()]);
/// let address = assets.address("dewar.css").unwrap_or_default();
/// assert!(address.starts_with("/static/dewar.") && address.ends_with(".css"));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Assets(Arc<Shelf>);

#[derive(Debug, Default)]
struct Shelf {
    files: RwLock<Files>,
    /// The folders that are read again during development; empty in production.
    written: Vec<Bundle>,
}

#[derive(Debug, Default)]
struct Files {
    addresses: HashMap<String, String>,
    files: HashMap<String, Asset>,
}

impl Assets {
    /// Reads every file of the bundles; a file of a later bundle replaces one of the same name.
    #[must_use]
    pub fn load(bundles: &[Bundle]) -> Self {
        let mut shelf = Files::default();
        for bundle in bundles {
            for name in bundle.names() {
                let (Some(kind), Some(content)) = (kind_of(&name), bundle.read(&name)) else {
                    tracing::warn!(%name, "Dewar does not serve a static file of an unknown type");
                    continue;
                };
                shelf.add(&name, kind, Bytes::from(content.into_owned()));
            }
        }
        Self(Arc::new(Shelf {
            files: RwLock::new(shelf),
            written: Vec::new(),
        }))
    }

    /// As [`load`](Self::load); in development, a debug build reads a file again whenever a page names it, as it does
    /// templates.
    pub(crate) fn load_in(bundles: &[Bundle], mode: Mode) -> Self {
        let Self(loaded) = Self::load(bundles);
        let reads_again = mode == Mode::Development && cfg!(debug_assertions);
        let shelf = Arc::into_inner(loaded).unwrap_or_default();
        let written = if reads_again {
            bundles.to_vec()
        } else {
            Vec::new()
        };
        Self(Arc::new(Shelf { written, ..shelf }))
    }

    /// The address of a file, by its name in its folder.
    #[must_use]
    pub fn address(&self, name: &str) -> Option<String> {
        self.look_again(name);
        self.files().addresses.get(name).cloned()
    }

    fn files(&self) -> RwLockReadGuard<'_, Files> {
        self.0.files.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the current content of a file under an address of its own. An open page still gets the old file.
    fn look_again(&self, name: &str) {
        let mut written = self.0.written.iter().rev();
        let Some(content) = written.find_map(|bundle| bundle.read(name)) else {
            return;
        };
        let Some(kind) = kind_of(name) else {
            return;
        };
        let (address, hash) = address_of(name, &content);
        if self.files().addresses.get(name) == Some(&address) {
            return;
        }
        let asset = Asset::new(Bytes::from(content.into_owned()), kind, &hash);
        let mut files = self.0.files.write().unwrap_or_else(PoisonError::into_inner);
        files.addresses.insert(name.to_owned(), address.clone());
        files.files.insert(address, asset);
    }

    /// The value of the attribute `integrity` for a file (W3C *Subresource Integrity*): `sha384-…`.
    ///
    /// ```
    /// use dewar::pages::{Assets, Bundle};
    /// #[derive(rust_embed::RustEmbed)]
    /// #[folder = "static"]
    /// struct Static;
    /// let assets = Assets::load(&[Bundle::of::<Static>()]);
    /// assert!(assets.integrity("dewar.css").is_some_and(|hash| hash.starts_with("sha384-")));
    /// ```
    #[must_use]
    pub fn integrity(&self, name: &str) -> Option<String> {
        let address = self.address(name)?;
        let files = self.files();
        files
            .files
            .get(&address)
            .map(|asset| asset.integrity.clone())
    }

    /// The response to a request below `/static/`, if the file exists.
    pub(crate) fn serve(&self, request: &Parts) -> Option<Response> {
        let files = self.files();
        let asset = files.files.get(request.uri.path())?;
        let mut answer = asset.answer(&request.method, &request.headers);
        answer.extensions_mut().insert(HeldElsewhere::Program);
        Some(answer)
    }
}

/// The address of a file with this content, and the hash in it.
fn address_of(name: &str, content: &[u8]) -> (String, String) {
    let hash = HEXLOWER.encode(sha256(content).get(..8).unwrap_or_default());
    let address = match name.rsplit_once('.') {
        Some((stem, ending)) => format!("{PREFIX}{stem}.{hash}.{ending}"),
        None => format!("{PREFIX}{name}.{hash}"),
    };
    (address, hash)
}

impl Files {
    fn add(&mut self, name: &str, kind: &'static str, content: Bytes) {
        let (address, hash) = address_of(name, &content);
        self.addresses.insert(name.to_owned(), address.clone());
        self.files.insert(address, Asset::new(content, kind, &hash));
    }
}

/// The media type by the extension; Dewar serves no file with another extension (ASVS 13.4.7).
fn kind_of(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    Some(match ending {
        "avif" => "image/avif",
        "css" => "text/css; charset=utf-8",
        "gif" => "image/gif",
        "ico" => "image/x-icon",
        "jpg" | "jpeg" => "image/jpeg",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        "ogg" => "audio/ogg",
        "png" => "image/png",
        "svg" => "image/svg+xml; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "vtt" => "text/vtt; charset=utf-8",
        "wasm" => "application/wasm",
        "webm" => "video/webm",
        "webmanifest" => "application/manifest+json",
        "webp" => "image/webp",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use http::{Request, header};
    use http_body_util::BodyExt;

    use super::*;

    const NAMES: [&str; 7] = [
        "film.mp4",
        "app.webmanifest",
        "app.js",
        "app.js.map",
        "page.html",
        "notes.php",
        "backup.sql",
    ];

    /// Files as a release build has them: inside the program.
    fn shelf() -> Assets {
        let bundle = Bundle::inside(
            |name| NAMES.contains(&name).then_some(Cow::Borrowed(&[7; 5000])),
            || NAMES.map(Cow::Borrowed).to_vec(),
        );
        Assets::load(&[bundle])
    }

    fn ask(assets: &Assets, path: &str, range: &str) -> Option<Response> {
        let request = Request::get(path).header(header::RANGE, range);
        assets.serve(&request.body(()).unwrap().into_parts().0)
    }

    #[tokio::test]
    async fn a_film_inside_the_program_is_sent_in_the_parts_that_a_player_asks_for() {
        let assets = shelf();
        let film = assets.address("film.mp4").unwrap();
        let response = ask(&assets, &film, "bytes=4096-").unwrap();
        assert_eq!(response.status(), 206);
        assert_eq!(response.headers()["content-type"], "video/mp4");
        assert_eq!(response.headers()["content-range"], "bytes 4096-4999/5000");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body.len(), 904);
        let manifest = ask(&assets, &assets.address("app.webmanifest").unwrap(), "");
        let manifest = manifest.unwrap();
        assert_eq!(
            manifest.headers()["content-type"],
            "application/manifest+json"
        );
    }

    /// The hash in the format of W3C's *Subresource Integrity*; Python's `hashlib` made it.
    #[test]
    fn the_integrity_of_a_file_is_that_of_its_bytes() {
        let assets = shelf();
        let known = "sha384-6J2bZ/A8kTK0t6jgzS0ziqr0Q6Fw+xf+N9BN9sFnOOoz8FZRNHQIHgJGujPRfFLL";
        assert_eq!(assets.integrity("app.js").as_deref(), Some(known));
        assert_eq!(assets.integrity("backup.sql"), None);
        assert_eq!(assets.integrity(""), None);
    }

    #[test]
    fn a_file_of_an_odd_ending_is_not_there() {
        let assets = shelf();
        for name in ["app.js.map", "page.html", "notes.php", "backup.sql"] {
            assert_eq!(assets.address(name), None, "{name}");
        }
        let script = assets.address("app.js").unwrap();
        assert!(ask(&assets, &script, "").is_some());
        for odd in [
            format!("{script}.map"),
            format!("{script}.bak"),
            format!("{script}~"),
            format!("{script};x.bat"),
            format!("{script}/"),
            script.to_uppercase(),
            "/static/app.js".to_owned(),
            "/static/".to_owned(),
            "/static/../static/app.js".to_owned(),
        ] {
            assert!(ask(&assets, &odd, "").is_none(), "{odd}");
        }
    }

    /// With a wrong media type a browser runs or hides a file by mistake: `nosniff` forbids it to guess.
    #[test]
    fn each_ending_has_its_kind_and_no_other_has_one() {
        let kinds = [
            ("avif", "image/avif"),
            ("css", "text/css; charset=utf-8"),
            ("gif", "image/gif"),
            ("ico", "image/x-icon"),
            ("jpeg", "image/jpeg"),
            ("jpg", "image/jpeg"),
            ("js", "text/javascript; charset=utf-8"),
            ("json", "application/json"),
            ("mjs", "text/javascript; charset=utf-8"),
            ("mp3", "audio/mpeg"),
            ("mp4", "video/mp4"),
            ("ogg", "audio/ogg"),
            ("png", "image/png"),
            ("svg", "image/svg+xml; charset=utf-8"),
            ("txt", "text/plain; charset=utf-8"),
            ("vtt", "text/vtt; charset=utf-8"),
            ("wasm", "application/wasm"),
            ("webm", "video/webm"),
            ("webmanifest", "application/manifest+json"),
            ("webp", "image/webp"),
            ("woff", "font/woff"),
            ("woff2", "font/woff2"),
        ];
        for (ending, kind) in kinds {
            assert_eq!(kind_of(&format!("a.b.{ending}")), Some(kind), "{ending}");
        }
        for name in [
            "css",
            "a.html",
            "a.css.map",
            "a.php",
            "a.toml",
            "a.CSS",
            "a.",
        ] {
            assert_eq!(kind_of(name), None, "{name}");
        }
    }

    /// In production nobody changes a file under a running program, and no page waits for the disk.
    #[test]
    fn files_are_looked_at_again_in_development_alone() {
        let bundle = || [Bundle::inside(|_| None, Vec::new)];
        let again = |mode| !Assets::load_in(&bundle(), mode).0.written.is_empty();
        assert!(!again(Mode::Production));
        assert_eq!(again(Mode::Development), cfg!(debug_assertions));
    }
}
