use super::hosts::Hosts;
use crate::audit::{Finding, Practice, Section, Severity};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};
use url::Url;

/// The path of the file (RFC 9116, 3).
pub(crate) const SECURITY_TXT_PATH: &str = "/.well-known/security.txt";

/// The contact for reports of vulnerabilities: section `https.security_txt` (RFC 9116).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecurityTxt {
    /// The addresses to report to, in the order of preference; without one there is no file.
    pub contact: Vec<String>,
    /// When the content of the file expires.
    pub expires: Option<OffsetDateTime>,
    /// The other fields, each with its address.
    pub links: Vec<(&'static str, String)>,
    /// The languages of reports.
    pub languages: Vec<String>,
}

/// The settings with one address each, and the field of each.
const LINKS: [(&str, &str); 3] = [
    ("acknowledgments", "Acknowledgments"),
    ("encryption", "Encryption"),
    ("policy", "Policy"),
];

impl SecurityTxt {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let contact = section.list("contact", &[]);
        if !contact.iter().all(|place| is_place(place)) {
            let right = "a list of URLs, such as [\"mailto:security@example.org\"], [\"https://example.org/report\"] \
                         or [\"tel:+49-30-123456\"]";
            section.refuse("contact", right);
        }
        let written = section.optional_text("expires");
        let expires = written.and_then(|text| OffsetDateTime::parse(&text, &Rfc3339).ok());
        if expires.is_none() && !contact.is_empty() {
            section.refuse(
                "expires",
                "a time such as \"2027-06-30T00:00:00Z\", less than a year ahead",
            );
        }
        let mut links = Vec::new();
        for (key, field) in LINKS {
            match section.optional_text(key) {
                Some(place) if is_place(&place) => links.push((field, place)),
                Some(_) => section.refuse(key, "a URL, such as \"https://example.org/security\""),
                None => {}
            }
        }
        let languages = section.list("languages", &[]);
        if !languages.iter().all(|tag| is_tag(tag)) {
            section.refuse(
                "languages",
                "a list of language tags, such as [\"en\", \"de\"]",
            );
        }
        Self {
            contact,
            expires,
            links,
            languages,
        }
    }

    /// The content of the file, for an application at this host and port.
    #[must_use]
    pub(crate) fn text(&self, hosts: &Hosts, port: u16) -> Option<String> {
        let (expires, host) = (self.expires?.format(&Rfc3339).ok()?, hosts.iter().next()?);
        if self.contact.is_empty() {
            return None;
        }
        let port = if port == 443 {
            String::new()
        } else {
            format!(":{port}")
        };
        let mut lines: Vec<String> = self
            .contact
            .iter()
            .map(|place| format!("Contact: {place}"))
            .collect();
        lines.push(format!("Expires: {expires}"));
        lines.extend(
            self.links
                .iter()
                .map(|(field, place)| format!("{field}: {place}")),
        );
        if !self.languages.is_empty() {
            lines.push(format!(
                "Preferred-Languages: {}",
                self.languages.join(", ")
            ));
        }
        lines.push(format!(
            "Canonical: https://{host}{port}{SECURITY_TXT_PATH}"
        ));
        lines.push(String::new());
        Some(lines.join("\n"))
    }

    /// The finding about the date, if it is wrong at `now` (Unix seconds).
    pub(super) fn finding(&self, now: i64) -> Option<Finding> {
        let expires = self.expires.filter(|_| !self.contact.is_empty())?;
        let left = Duration::seconds(expires.unix_timestamp() - now);
        let finding = if left.is_negative() || left.is_zero() {
            Finding::warn(
                Practice::Https,
                "https-security-txt-expired",
                "https.security_txt.expires is past",
            )
            .why("A security researcher must not trust expired addresses, and may publish the vulnerability instead.")
        } else if left > Duration::days(366) {
            Finding::warn(
                Practice::Https,
                "https-security-txt-far",
                "https.security_txt.expires is more than a year ahead",
            )
            .why(
                "After a year without a check, the addresses may no longer work (RFC 9116, 2.5.5).",
            )
        } else {
            return None;
        };
        let fix =
            "Check the addresses in https.security_txt, and set expires to less than a year ahead.";
        Some(finding.fix(fix).severity(Severity::Low))
    }
}

/// An address of a kind that RFC 9116 allows; a line break would begin another field.
fn is_place(text: &str) -> bool {
    let known =
        Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "mailto" | "https" | "tel"));
    known && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_tag(text: &str) -> bool {
    let parts = text.split('-');
    let fits = |part: &str| {
        (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    parts.into_iter().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Settings;
    use time::macros::datetime;

    fn read(values: &[(&str, &str)]) -> (SecurityTxt, Vec<String>) {
        let values = values.iter().map(|(name, value)| {
            (
                format!("DEWAR_HTTPS_SECURITY_TXT_{name}"),
                (*value).to_owned(),
            )
        });
        let settings = Settings::read(None, values);
        let read = SecurityTxt::read(&settings.section("https.security_txt"));
        let findings = settings.finish();
        (
            read,
            findings.into_iter().map(|finding| finding.title).collect(),
        )
    }

    #[test]
    fn the_file_has_what_the_rfc_demands() {
        let (read, findings) = read(&[
            (
                "CONTACT",
                "mailto:security@example.org, https://example.org/report",
            ),
            ("EXPIRES", "2027-06-30T00:00:00Z"),
            ("POLICY", "https://example.org/security"),
            ("LANGUAGES", "en, de-CH"),
        ]);
        assert!(findings.is_empty(), "{findings:?}");
        let hosts = Hosts::new(["example.org"]).unwrap();
        let text = "Contact: mailto:security@example.org\nContact: https://example.org/report\n\
            Expires: 2027-06-30T00:00:00Z\nPolicy: https://example.org/security\nPreferred-Languages: en, de-CH\n\
            Canonical: https://example.org/.well-known/security.txt\n";
        assert_eq!(read.text(&hosts, 443).as_deref(), Some(text));
    }

    #[test]
    fn without_a_contact_there_is_no_file_and_nothing_wrong() {
        let (read, findings) = read(&[]);
        assert!(findings.is_empty() && read.finding(0).is_none());
        assert_eq!(read.text(&Hosts::new(["example.org"]).unwrap(), 443), None);
    }

    #[test]
    fn what_is_no_address_no_date_or_no_language_is_refused() {
        let contact = ("CONTACT", "mailto:security@example.org");
        let expires = ("EXPIRES", "2027-06-30T00:00:00Z");
        for wrong in [
            &[contact][..],
            &[contact, ("EXPIRES", "2027-06-30")],
            &[expires, ("CONTACT", "security@example.org")],
            &[expires, ("CONTACT", "http://example.org/")],
            &[contact, expires, ("POLICY", "javascript:alert(1)")],
            &[contact, expires, ("LANGUAGES", "en_US")],
        ] {
            assert_eq!(read(wrong).1.len(), 1, "{wrong:?}");
        }
    }

    #[test]
    fn a_date_that_is_past_or_far_is_said() {
        let (read, _) = read(&[
            ("CONTACT", "mailto:security@example.org"),
            ("EXPIRES", "2027-06-30T00:00:00Z"),
        ]);
        let id = |now: OffsetDateTime| read.finding(now.unix_timestamp()).map(|found| found.id);
        assert_eq!(
            id(datetime!(2027-07-01 0:00 UTC)),
            Some("https-security-txt-expired")
        );
        assert_eq!(id(datetime!(2026-12-01 0:00 UTC)), None);
        assert_eq!(
            id(datetime!(2026-06-01 0:00 UTC)),
            Some("https-security-txt-far")
        );
    }
}
