use super::acme::{Acme, AcmeStatus};
use std::fmt;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// The status of the certificate in use, as `https status` prints it.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct CertificateStatus {
    /// When it ends, in Unix seconds; `None` until there is one.
    not_after: Option<i64>,
    /// How it renews, if it comes by ACME.
    acme: Option<AcmeStatus>,
}

impl CertificateStatus {
    pub(crate) fn of(acme: &Acme) -> Self {
        let acme = acme.status();
        Self {
            not_after: acme.not_after,
            acme: Some(acme),
        }
    }

    /// The status of a certificate that does not come by ACME.
    pub(crate) fn ends(not_after: Option<i64>) -> Self {
        let acme = None;
        Self { not_after, acme }
    }
}

impl fmt::Display for CertificateStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.not_after {
            Some(end) => writeln!(f, "The certificate expires at {}.", iso(end))?,
            None => writeln!(f, "No certificate exists yet.")?,
        }
        let Some(acme) = &self.acme else {
            return writeln!(f, "It is not from ACME.");
        };
        writeln!(f, "It is from {}.", acme.directory)?;
        if let Some(at) = acme.renews_at {
            writeln!(f, "Its renewal is at {}.", iso(at))?;
        }
        if acme.failures > 0 {
            let (failures, at) = (acme.failures, iso(acme.tries_again_at));
            writeln!(
                f,
                "{failures} orders failed; the next attempt is at {at}. The last error: {}",
                acme.failure
            )?;
        }
        Ok(())
    }
}

/// RFC 3339, UTC.
pub(super) fn iso(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds)
        .ok()
        .and_then(|moment| moment.format(&Rfc3339).ok())
        .unwrap_or_else(|| format!("unix second {seconds}"))
}
