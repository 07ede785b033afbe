use super::server::{SHORT, Server, patient, read_all};
use crate::https::{Network, Proxies, ProxyForm, RequestLimits, TlsProfile};

const ASK: &str = "GET /address HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";

async fn server(trusted: &str, form: ProxyForm, limits: RequestLimits) -> Server {
    let networks = vec![Network::parse(trusted).unwrap()];
    let proxies = Proxies::new(networks, Some(form));
    Server::behind(proxies, TlsProfile::Intermediate, limits).await
}

/// The address that the application sees.
fn seen(answer: &str) -> &str {
    answer.rsplit("\r\n").next().unwrap_or_default()
}

#[tokio::test]
async fn a_trusted_proxy_names_the_visitor_and_a_stranger_does_not() {
    let ask = format!("{ASK}X-Forwarded-For: 198.51.100.1, 192.0.2.7\r\n\r\n");
    let trusting = server("127.0.0.0/8", ProxyForm::XForwardedFor, patient()).await;
    assert_eq!(seen(&trusting.exchange(&ask).await), "192.0.2.7");
    let other = server("10.0.0.0/8", ProxyForm::XForwardedFor, patient()).await;
    assert_eq!(seen(&other.exchange(&ask).await), "127.0.0.1");
    let form = server("127.0.0.0/8", ProxyForm::Forwarded, patient()).await;
    assert_eq!(seen(&form.exchange(&ask).await), "127.0.0.1");
}

#[tokio::test]
async fn the_proxy_protocol_comes_before_tls() {
    let server = server("127.0.0.1", ProxyForm::ProxyProtocol, patient()).await;
    let ask = format!("{ASK}X-Forwarded-For: 198.51.100.1\r\n\r\n");
    let one = b"PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\n";
    let answer = server.exchange_after(one, &ask).await.unwrap();
    assert_eq!(seen(&answer), "192.0.2.7");
    let head = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0f";
    let two = [
        &head[..],
        &[192, 0, 2, 8, 10, 0, 0, 1, 0, 80, 1, 187],
        b"\x04\0\0",
    ]
    .concat();
    let answer = server.exchange_after(&two, &ask).await.unwrap();
    assert_eq!(seen(&answer), "192.0.2.8");
    let answer = server
        .exchange_after(b"PROXY UNKNOWN\r\n", &ask)
        .await
        .unwrap();
    assert_eq!(seen(&answer), "127.0.0.1");
    for wrong in [
        &b""[..],
        b"PROXY TCP4 evil\r\n",
        b"PROXY TCP4 192.0.2.7 192.0.2.1 1 2\n",
    ] {
        assert!(
            server.exchange_after(wrong, &ask).await.is_err(),
            "{wrong:?}"
        );
    }
}

#[tokio::test]
async fn the_proxy_protocol_of_a_stranger_is_refused() {
    let server = server("10.0.0.1", ProxyForm::ProxyProtocol, patient()).await;
    let ask = format!("{ASK}\r\n");
    let line = b"PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\n";
    assert!(server.exchange_after(line, &ask).await.is_err());
    assert_eq!(seen(&server.exchange(&ask).await), "127.0.0.1");
}

#[tokio::test]
async fn a_proxy_that_says_nothing_is_shown_out() {
    let limits = RequestLimits {
        header_timeout: SHORT,
        ..patient()
    };
    let server = server("127.0.0.1", ProxyForm::ProxyProtocol, limits).await;
    assert_eq!(read_all(&mut server.tcp().await).await, "");
}

#[tokio::test]
async fn a_proxy_may_hold_more_connections_than_one_visitor() {
    let limits = || RequestLimits {
        connections_per_address: 2,
        ..patient()
    };
    let ask = format!("{ASK}\r\n");
    let headers = server("127.0.0.1", ProxyForm::XForwardedFor, limits()).await;
    let open = [headers.tls("http/1.1").await, headers.tls("http/1.1").await];
    assert_eq!(seen(&headers.exchange(&ask).await), "127.0.0.1");
    drop(open);
    // The PROXY protocol names the client of a connection, and then its connections are counted.
    let announced = server("127.0.0.1", ProxyForm::ProxyProtocol, limits()).await;
    let line = b"PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\n";
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut tcp = announced.tcp().await;
        tokio::io::AsyncWriteExt::write_all(&mut tcp, line)
            .await
            .unwrap();
        let stream = announced.tls_over(tcp, "http/1.1", rustls::ALL_VERSIONS);
        open.push(stream.await.unwrap());
    }
    assert!(announced.exchange_after(line, &ask).await.is_err());
    let other = b"PROXY TCP4 192.0.2.8 192.0.2.1 56324 443\r\n";
    assert!(announced.exchange_after(other, &ask).await.is_ok());
}

#[tokio::test]
async fn modern_is_tls_1_3_alone() {
    let proxies = Proxies::default();
    let modern = Server::behind(proxies.clone(), TlsProfile::Modern, patient()).await;
    let intermediate = Server::behind(proxies, TlsProfile::Intermediate, patient()).await;
    let (old, new) = (&rustls::version::TLS12, &rustls::version::TLS13);
    for (server, version, agrees) in [
        (&modern, new, true),
        (&modern, old, false),
        (&intermediate, new, true),
        (&intermediate, old, true),
    ] {
        let tcp = server.tcp().await;
        let stream = server.tls_over(tcp, "h2", &[version]).await;
        assert_eq!(stream.is_ok(), agrees, "{version:?}");
        if let Ok(stream) = stream
            && version.version == rustls::ProtocolVersion::TLSv1_3
        {
            let group = stream.get_ref().1.negotiated_key_exchange_group().unwrap();
            assert_eq!(group.name(), rustls::NamedGroup::X25519MLKEM768);
        }
    }
}
