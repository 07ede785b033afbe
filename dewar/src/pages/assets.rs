mod asset;

#[cfg(any(fuzzing, test))]
pub(super) use asset::part_of;

use std::collections::HashMap;
use std::sync::Arc;

use axum::response::Response;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::request::Parts;

use super::Bundle;
use crate::secrets::sha256;
use asset::Asset;

/// Where static files live in an application's addresses.
pub(crate) const PREFIX: &str = "/static/";

/// The static files of an application, each under a name that holds a hash of its content.
///
/// A file's address changes with its content, so browsers keep it for a year; a name that was never handed out is 404,
/// whatever its ending (ASVS 13.4.7, 14.2.5).
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
    addresses: HashMap<String, String>,
    files: HashMap<String, Asset>,
}

impl Assets {
    /// Reads every file of the bundles; a later bundle's file stands before an earlier one's of the same name.
    #[must_use]
    pub fn load(bundles: &[Bundle]) -> Self {
        let mut shelf = Shelf::default();
        for bundle in bundles {
            for name in bundle.names() {
                let (Some(kind), Some(content)) = (kind_of(&name), bundle.read(&name)) else {
                    tracing::warn!(%name, "a static file of a kind that is not served is left out");
                    continue;
                };
                shelf.add(&name, kind, Bytes::from(content.into_owned()));
            }
        }
        Self(Arc::new(shelf))
    }

    /// The address of a file, by the name that it has in its folder.
    #[must_use]
    pub fn address(&self, name: &str) -> Option<&str> {
        self.0.addresses.get(name).map(String::as_str)
    }

    /// What the attribute `integrity` says of a file (W3C *Subresource Integrity*): `sha384-…`.
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
    pub fn integrity(&self, name: &str) -> Option<&str> {
        let asset = self.0.files.get(self.address(name)?)?;
        Some(&asset.integrity)
    }

    /// Answers a request for a path below `/static/`, if there is such a file.
    pub(crate) fn serve(&self, request: &Parts) -> Option<Response> {
        let asset = self.0.files.get(request.uri.path())?;
        Some(asset.answer(&request.method, &request.headers))
    }
}

impl Shelf {
    fn add(&mut self, name: &str, kind: &'static str, content: Bytes) {
        let hash = HEXLOWER.encode(sha256(&content).get(..8).unwrap_or_default());
        let address = match name.rsplit_once('.') {
            Some((stem, ending)) => format!("{PREFIX}{stem}.{hash}.{ending}"),
            None => format!("{PREFIX}{name}.{hash}"),
        };
        self.addresses.insert(name.to_owned(), address.clone());
        self.files.insert(address, Asset::new(content, kind, &hash));
    }
}

/// The kinds of file that are served; a file of another ending is not (ASVS 13.4.7).
fn kind_of(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    Some(match ending {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml; charset=utf-8",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => return None,
    })
}
