use super::*;
use crate::audit::{Mode, Settings};
use crate::https::Config;
use axum::http::HeaderValue;
use proptest::prelude::*;

const PEER: &str = "10.0.0.1";

fn proxies(form: ProxyForm) -> Proxies {
    let networks = ["10.0.0.0/24", "2001:db8:a::/64"];
    let networks = networks.map(|text| Network::parse(text).unwrap());
    Proxies::new(networks.to_vec(), Some(form))
}

/// The client of a request with these header lines.
fn visitor(form: ProxyForm, lines: &[&str]) -> String {
    let name = match form {
        ProxyForm::Forwarded => "forwarded",
        ProxyForm::XForwardedFor | ProxyForm::ProxyProtocol => "x-forwarded-for",
    };
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(name, HeaderValue::from_bytes(line.as_bytes()).unwrap());
    }
    let peer = ClientAddress(PEER.parse().unwrap());
    proxies(form).visitor(&headers, peer).0.to_string()
}

#[test]
fn the_last_address_that_is_no_proxy_of_ours_counts() {
    for (lines, wanted) in [
        (&["192.0.2.7"][..], "192.0.2.7"),
        (&["192.0.2.7:4711"], "192.0.2.7"),
        (&["2001:db8::7"], "2001:db8::7"),
        (&["[2001:db8::7]:4711"], "2001:db8::7"),
        (&["::ffff:192.0.2.7"], "192.0.2.7"),
        (&["198.51.100.1, 192.0.2.7"], "192.0.2.7"),
        (&["198.51.100.1,192.0.2.7 ,\t10.0.0.9"], "192.0.2.7"),
        (&["198.51.100.1", "192.0.2.7, 2001:db8:a::5"], "192.0.2.7"),
        (&["nonsense \" \\, 192.0.2.7"], "192.0.2.7"),
        (&["127.0.0.1, 10.0.0.1, 192.0.2.7"], "192.0.2.7"),
        (&["10.0.0.3, 10.0.0.9"], "10.0.0.3"),
        (&[], PEER),
    ] {
        assert_eq!(
            visitor(ProxyForm::XForwardedFor, lines),
            wanted,
            "{lines:?}"
        );
    }
}

/// The proxy's own address must not pass for a visitor's.
#[test]
fn a_proxy_that_names_nobody_is_told_from_one_that_names_itself() {
    let peer = ClientAddress(PEER.parse().unwrap());
    let named = |line: Option<&'static str>| {
        let mut headers = HeaderMap::new();
        if let Some(line) = line {
            headers.insert("forwarded", HeaderValue::from_static(line));
        }
        // The header that this proxy does write, and that is not the one of the setting.
        headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.7"));
        proxies(ProxyForm::Forwarded).named(&headers, peer)
    };
    for nobody in [None, Some("for=unknown"), Some("proto=https"), Some("")] {
        assert_eq!(named(nobody), None, "{nobody:?}");
    }
    assert_eq!(named(Some("for=10.0.0.1")), Some(peer));
    let none = Proxies::default();
    assert_eq!(none.named(&HeaderMap::new(), peer), Some(peer));
}

#[test]
fn a_chain_that_cannot_be_read_names_nobody() {
    for line in [
        "",
        "unknown",
        "192.0.2.7,",
        "192.0.2.7, ,",
        "192.0.2.7:",
        "192.0.2.7:port",
        "192.0.2.7:123456",
        "192.0.2.07",
        "192.0.2.7.1",
        "0x7f000001",
        "[192.0.2.7]",
        "[2001:db8::7",
        "[2001:db8::7]x",
        "[2001:db8::7]:",
        "fe80::1%eth0",
        "0.0.0.0",
        "224.0.0.1",
        "192.0.2.7 198.51.100.1",
        "192.0.2.7, \"10.0.0.2\"",
        "for=192.0.2.7",
    ] {
        assert_eq!(visitor(ProxyForm::XForwardedFor, &[line]), PEER, "{line}");
    }
    // Dewar reads sixteen proxies and not one more, on one line or on many.
    let long = ["10.0.0.2"; 16].join(",");
    assert_eq!(visitor(ProxyForm::XForwardedFor, &[&long]), "10.0.0.2");
    let lines = ["10.0.0.2"; 16];
    assert_eq!(visitor(ProxyForm::XForwardedFor, &lines), "10.0.0.2");
    let long = ["10.0.0.2"; 17].join(",");
    assert_eq!(visitor(ProxyForm::XForwardedFor, &[&long]), PEER);
    let lines = ["10.0.0.2"; 17];
    assert_eq!(visitor(ProxyForm::XForwardedFor, &lines), PEER);
}

#[test]
fn forwarded_is_read_in_all_its_spellings() {
    for (lines, wanted) in [
        (&["for=192.0.2.7"][..], "192.0.2.7"),
        (
            &["For=\"192.0.2.7:47011\";proto=http;by=10.0.0.1"],
            "192.0.2.7",
        ),
        (&["proto=https; FOR=\"[2001:db8::7]\""], "2001:db8::7"),
        (&["for=\"[2001:db8::7]:80\";host=\"a;b,c\""], "2001:db8::7"),
        (
            &["for=198.51.100.1, for=192.0.2.7", "for=10.0.0.9"],
            "192.0.2.7",
        ),
        // A quote that the client opened does not swallow the proxy's element.
        (&["for=\"198.51.100.1, for=192.0.2.7"], "192.0.2.7"),
        (&["for=198.51.100.1\", for=\"192.0.2.7\""], "192.0.2.7"),
        (&["for=\"\\, for=192.0.2.7"], "192.0.2.7"),
    ] {
        assert_eq!(visitor(ProxyForm::Forwarded, lines), wanted, "{lines:?}");
    }
    for line in [
        "for=unknown",
        "for=_hidden",
        "for=192.0.2.7;for=198.51.100.1",
        "by=192.0.2.7",
        "192.0.2.7",
        "for=\"192.0.2.7",
        "for=\"192.0.2.7\"x",
        "for=192.0.2.7;proto",
    ] {
        assert_eq!(visitor(ProxyForm::Forwarded, &[line]), PEER, "{line}");
    }
}

#[test]
fn only_the_form_that_is_set_is_read() {
    assert_eq!(visitor(ProxyForm::ProxyProtocol, &["192.0.2.7"]), PEER);
    let mut headers = HeaderMap::new();
    headers.insert("x-forwarded-for", HeaderValue::from_static("192.0.2.7"));
    headers.insert("x-real-ip", HeaderValue::from_static("192.0.2.7"));
    let peer = ClientAddress(PEER.parse().unwrap());
    assert_eq!(proxies(ProxyForm::Forwarded).visitor(&headers, peer), peer);
}

#[test]
fn networks_hold_what_they_say() {
    let holds = |network: &str, address: &str| {
        Network::parse(network)
            .unwrap()
            .holds(address.parse().unwrap())
    };
    assert!(holds("10.0.0.0/8", "10.255.0.1") && !holds("10.0.0.0/8", "11.0.0.1"));
    assert!(holds("2001:db8::/33", "2001:db8:7fff::1"));
    assert!(!holds("2001:db8::/33", "2001:db8:8000::1"));
    assert!(!holds("0.0.0.0/0", "::1") && holds("0.0.0.0/0", "192.0.2.7"));
    for wrong in [
        "",
        "10",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.1/8",
        "10.0.0.0/+8",
        "::/129",
        "localhost",
        "::ffff:10.0.0.1",
        "10.0.0.0/8/8",
        "010.0.0.0/8",
        "10.0.0.0/256",
    ] {
        assert!(Network::parse(wrong).is_none(), "{wrong}");
    }
}

#[test]
fn a_proxy_names_its_visitors_in_one_form_alone() {
    use ProxyForm::{Forwarded, ProxyProtocol, XForwardedFor};
    let network = Network::parse("10.0.0.0/8").unwrap();
    for (form, in_headers, announces) in [
        (None, false, false),
        (Some(Forwarded), true, false),
        (Some(XForwardedFor), true, false),
        (Some(ProxyProtocol), false, true),
    ] {
        let proxies = Proxies::new(vec![network], form);
        for (peer, is_trusted) in [([10, 0, 0, 1], true), ([192, 0, 2, 1], false)] {
            let peer = IpAddr::from(peer);
            let found = (proxies.names_in_headers(peer), proxies.announces(peer));
            assert_eq!(
                found,
                (in_headers && is_trusted, announces && is_trusted),
                "{form:?} {peer}"
            );
        }
    }
}

fn ids(trusted: &str, form: &str) -> Vec<&'static str> {
    let mut environment = vec![("DEWAR_HTTPS_CLIENT_IP_SOURCE".to_owned(), form.to_owned())];
    if !trusted.is_empty() {
        environment.push(("DEWAR_HTTPS_TRUSTED_PROXIES".to_owned(), trusted.to_owned()));
    }
    let settings = Settings::read(None, environment);
    let config = Config::read(&settings, Mode::Development);
    let mut found = settings.finish();
    found.extend(findings(&config.proxies));
    found.iter().map(|finding| finding.id).collect()
}

#[test]
fn what_cannot_be_meant_is_refused_and_what_is_wide_is_warned_about() {
    assert!(ids("", "none").is_empty());
    assert!(ids("10.0.0.5, 172.16.0.0/12, fd00::/8", "forwarded").is_empty());
    assert!(ids("203.0.113.5", "proxy-protocol").is_empty());
    assert_eq!(ids("10.0.0.5", "none"), ["https-proxy-form"]);
    assert_eq!(ids("", "forwarded"), ["https-proxy-nobody"]);
    assert_eq!(ids("203.0.113.0/24", "forwarded"), ["https-proxy-public"]);
    for wide in ["11.0.0.0/8", "2001::/16"] {
        assert_eq!(ids(wide, "forwarded"), ["https-proxy-public"], "{wide}");
    }
    for everyone in [
        "0.0.0.0/0",
        "::/0",
        "128.0.0.0/1",
        "12.0.0.0/7",
        "2000::/15",
    ] {
        assert_eq!(
            ids(everyone, "forwarded"),
            ["https-proxy-everyone"],
            "{everyone}"
        );
    }
    assert_eq!(
        ids("10.0.0.5", "x-real-ip").len(),
        2,
        "an unknown form is none, and none is named"
    );
}

#[test]
fn both_versions_of_the_proxy_protocol_are_read_and_nothing_else() {
    let named = |line: &str| protocol::text(line.as_bytes());
    let four: IpAddr = "192.0.2.7".parse().unwrap();
    let six: IpAddr = "2001:db8::7".parse().unwrap();
    assert_eq!(
        named("PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n"),
        Some(Some(four))
    );
    assert_eq!(
        named("PROXY TCP6 2001:db8::7 ::1 56324 443\r\n"),
        Some(Some(six))
    );
    assert_eq!(named("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), Some(None));
    assert_eq!(named("PROXY UNKNOWN\r\n"), Some(None));
    for wrong in [
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\n",
        "PROXY TCP4 192.0.2.7  10.0.0.1 56324 443\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 056324 443\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324 65536\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443 x\r\n",
        "PROXY TCP4 2001:db8::7 10.0.0.1 56324 443\r\n",
        "PROXY UDP4 192.0.2.7 10.0.0.1 56324 443\r\n",
        "proxy TCP4 192.0.2.7 10.0.0.1 56324 443\r\n",
    ] {
        assert_eq!(named(wrong), None, "{wrong:?}");
    }
    let addresses = [&[192, 0, 2, 7, 10, 0, 0, 1, 0, 80, 1, 187][..], b"more"].concat();
    assert_eq!(protocol::binary(0x21, 0x11, &addresses), Some(Some(four)));
    assert_eq!(protocol::binary(0x20, 0x00, &[]), Some(None));
    assert_eq!(protocol::binary(0x21, 0x11, &addresses[..11]), None);
    assert_eq!(protocol::binary(0x21, 0x21, &addresses), None);
    assert_eq!(
        protocol::binary(0x21, 0x12, &addresses),
        None,
        "no datagrams"
    );
    assert_eq!(
        protocol::binary(0x31, 0x11, &addresses),
        None,
        "another version"
    );
}

proptest! {
    #[test]
    fn what_a_visitor_writes_before_the_proxy_changes_nothing(
        written in "[ -~\t]{0,200}",
        address in any::<[u8; 4]>().prop_map(std::net::Ipv4Addr::from),
    ) {
        prop_assume!(!address.is_unspecified() && !address.is_multicast());
        prop_assume!(address.octets()[..3] != [10, 0, 0]);
        let appended = format!("{written}, {address}");
        prop_assert_eq!(visitor(ProxyForm::XForwardedFor, &[&appended]), address.to_string());
        let appended = format!("{written}, for=\"{address}:80\";proto=https");
        prop_assert_eq!(visitor(ProxyForm::Forwarded, &[&appended]), address.to_string());
    }

    #[test]
    fn no_bytes_make_the_parsers_fail(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
        let _ = protocol::text(&bytes);
        if let [command, family, rest @ ..] = &bytes[..] {
            let _ = protocol::binary(*command, *family, rest);
        }
        let mut headers = HeaderMap::new();
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            headers.insert("forwarded", value);
        }
        let peer = ClientAddress(PEER.parse().unwrap());
        let _ = proxies(ProxyForm::Forwarded).visitor(&headers, peer);
    }
}
