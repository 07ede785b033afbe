//! Why a letter was not accepted, without any text of the mail server: it has read the letter, and could repeat any of it
//! (CWE-117, CWE-532).

use std::error::Error;
use std::io;

use lettre::transport::smtp;
use rustls::CertificateError;

/// The reason for the log: for a refusal its reply code and its enhanced status code (RFC 3463), for anything else our own words.
pub(super) fn reason(error: &smtp::Error) -> String {
    if let Some(code) = error.status() {
        let code = code.to_string();
        return match enhanced_status(error, &code) {
            Some(enhanced) => format!("refused with {code} {enhanced}"),
            None => format!("refused with {code}"),
        };
    }
    if let Some(fault) = tls_error(error) {
        return tls_reason(fault).to_owned();
    }
    if error.is_response() {
        return "its reply is not valid SMTP".to_owned();
    }
    if error.is_tls() {
        return "the TLS handshake failed".to_owned();
    }
    if error.is_client() {
        return "it lacks a required SMTP extension".to_owned();
    }
    let io = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>());
    match io {
        Some(io) => format!("not reached: {}", io.kind()),
        None => "not reached".to_owned(),
    }
}

/// The TLS error inside an SMTP error, if there is one.
fn tls_error(error: &smtp::Error) -> Option<&rustls::Error> {
    causes(error).find_map(tls)
}

fn causes(error: &smtp::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

fn tls<'a>(cause: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let inside = |io: &'a io::Error| io.get_ref()?.downcast_ref::<rustls::Error>();
    let io = cause.downcast_ref::<io::Error>();
    cause.downcast_ref().or_else(|| io.and_then(inside))
}

fn tls_reason(fault: &rustls::Error) -> &'static str {
    let rustls::Error::InvalidCertificate(wrong) = fault else {
        return "the TLS handshake failed";
    };
    if matches!(wrong, CertificateError::UnknownIssuer) {
        return "its certificate is from an untrusted authority";
    }
    if matches!(
        wrong,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }
    ) {
        return "its certificate is for another name";
    }
    if matches!(
        wrong,
        CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }
    ) {
        return "its certificate is not valid at this time";
    }
    "its certificate was refused"
}

/// `5.7.1` at the beginning of the reply, of the class of its code; no other text is returned.
pub(super) fn enhanced_status(error: &smtp::Error, code: &str) -> Option<String> {
    let text = error.source()?.to_string();
    let status = text.split_ascii_whitespace().next()?;
    let mut parts = status.split('.');
    let class = parts.next()?;
    let rest: Vec<&str> = parts.collect();
    let is_number =
        |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let holds = code.get(..1) == Some(class) && rest.len() == 2 && rest.iter().all(is_number);
    holds.then(|| status.to_owned())
}
