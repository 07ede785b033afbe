//! The black box: any web application, by its address.

use crate::scan::{ScanCheck, ScanReport};
use crate::sources::Error;

/// The checks of the black box.
const CHECKS: &[ScanCheck] = &[];

/// How to audit an application at an address.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct LiveOptions {
    /// The most requests per second; none if 0.
    pub rate: u32,
    /// The host again, if it is not this machine, to confirm that you may attack it.
    pub permitted_host: Option<String>,
}

/// Every check of the black box.
pub fn checks() -> impl Iterator<Item = &'static ScanCheck> {
    CHECKS.iter()
}

/// Audits the application at this address.
///
/// # Errors
/// Always, because the black box is not built yet.
pub async fn audit(url: &str, _options: &LiveOptions) -> Result<ScanReport, Error> {
    std::future::ready(Err(Error::Address {
        url: url.to_owned(),
        why: "the audit of any application by its address is not built yet; an application on Dewar needs --url, --authority and --routes",
    }))
    .await
}
