//! The validity of certificates: of the makeshift one, and of one from an authority.

use super::super::{
    CLOCKS_DIFFER, CertificateFacts, DAY, StoredCertificate, judged, makeshift, names,
};
use super::HOST;
use crate::https::Hosts;
use rcgen::{CertificateParams, KeyPair};
use rustls::server::ParsedCertificate;

const NOW: i64 = 1_800_000_000;

#[test]
fn what_answers_before_the_first_certificate_names_every_host_for_a_month() {
    let hosts = Hosts::new([HOST, "127.0.0.1", "[::1]"]).unwrap();
    let made = makeshift(&hosts, NOW).unwrap();
    let facts = CertificateFacts::read(made.cert.first().unwrap()).unwrap();
    assert_eq!(facts.not_before, NOW - DAY);
    assert_eq!(facts.not_after, NOW + 30 * DAY);
    let parsed = ParsedCertificate::try_from(made.cert.first().unwrap()).unwrap();
    assert!(hosts.iter().all(|host| names(&parsed, host)));
    assert!(!names(&parsed, "other.test"));
}

/// Exact to the second, but a node's clock may be some minutes behind the authority's.
#[test]
fn a_certificate_counts_between_its_dates_alone() {
    let hosts = Hosts::new([HOST]).unwrap();
    let mut params = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
    let moment = |at| time::OffsetDateTime::from_unix_timestamp(at).unwrap();
    (params.not_before, params.not_after) = (moment(NOW), moment(NOW + DAY));
    let key = KeyPair::generate().unwrap();
    let kept = StoredCertificate {
        chain: params.self_signed(&key).unwrap().pem(),
        key: key.serialize_pem(),
    };
    for (now, counts) in [
        (NOW - CLOCKS_DIFFER - 1, false),
        (NOW - CLOCKS_DIFFER, true),
        (NOW, true),
        (NOW + DAY - 1, true),
        (NOW + DAY, false),
    ] {
        let taken = judged(&kept, &hosts, now).is_ok();
        assert_eq!(taken, counts, "{} s after its beginning", now - NOW);
    }
    let other = Hosts::new([HOST, "other.test"]).unwrap();
    assert!(judged(&kept, &other, NOW).is_err());
    let stranger = StoredCertificate {
        chain: kept.chain.clone(),
        key: KeyPair::generate().unwrap().serialize_pem(),
    };
    assert!(judged(&stranger, &hosts, NOW).is_err(), "another's key");
    assert_eq!(format!("{kept:?}"), "Kept([redacted])");
}

#[test]
fn what_should_be_known_of_a_certificate_is_said_and_nothing_else() {
    let status = |not_after, renews_at, failures| super::super::AcmeStatus {
        directory: String::new(),
        not_after,
        renews_at,
        failures,
        failure: "no route".to_owned(),
        tries_again_at: NOW,
    };
    let none = |failures| status(None, None, failures).findings(NOW);
    assert_eq!(none(0)[0].id, "https-acme-none-yet");
    assert_eq!(none(0)[0].why, "The application orders it when it serves.");
    let why = &none(3)[0].why;
    assert!(
        why.starts_with("3 orders failed. The last error: no route"),
        "{why}"
    );
    let (renewal, end) = (NOW, NOW + 20 * DAY);
    let at = |failures, now| {
        let found = status(Some(end), Some(renewal), failures).findings(now);
        found
            .into_iter()
            .map(|finding| finding.id)
            .collect::<Vec<_>>()
    };
    let half = NOW + 10 * DAY;
    assert_eq!(at(0, half), [""; 0]);
    assert_eq!(at(0, half + 1), ["https-acme-late"]);
    assert_eq!(at(1, half), ["https-acme-failing"]);
    assert_eq!(at(1, half + 1), ["https-acme-failing", "https-acme-late"]);
    let late = status(Some(end), Some(renewal), 0).findings(end - 4 * DAY);
    assert!(
        late[0]
            .title
            .starts_with("The certificate expires in 4 days")
    );
}
