//! Another web site with any pages, without any policy.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use dewar::App;
use dewar::audit::Clock;
use dewar::https::{CertificateFiles, Hosts, Listener, RequestLimits, TlsProfile, server_config};
use dewar::testing::Browser;
use http::Uri;
use tokio::sync::oneshot;

/// The site, on a port of its own and with a certificate that Chromium can be made to trust; it stops when it is dropped.
pub(crate) struct Elsewhere {
    port: u16,
    /// A client that trusts it.
    pub(crate) visitor: Browser,
    _stop: oneshot::Sender<()>,
    _data: tempfile::TempDir,
}

impl Elsewhere {
    /// Pages by path; every other path is an empty page.
    pub(crate) async fn open(pages: HashMap<String, String>) -> Self {
        let data = tempfile::tempdir().unwrap();
        // Started once for its certificate, which names `localhost` and 127.0.0.1.
        let running = App::in_directory(&data).unwrap().start().await.unwrap();
        let authority = std::fs::read(running.authority_file().unwrap()).unwrap();
        running.stop().await.unwrap();
        let folder = data.path().join("local-authority");
        let files =
            CertificateFiles::new(folder.join("localhost.pem"), folder.join("localhost.key"));
        let hosts = Hosts::new(["localhost"]).unwrap();
        let (certificates, _) = files.load(&hosts, Clock::system().now()).unwrap();
        let listener = Listener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let port = listener.address().port();
        let page = async move |path: Uri| {
            let empty = "<!doctype html><title>Elsewhere</title><body>".to_owned();
            let html = pages.get(path.path()).cloned().unwrap_or(empty);
            ([("content-type", "text/html; charset=utf-8")], html)
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async move { drop(stopped.await) };
        let tls = server_config(certificates, TlsProfile::Intermediate).unwrap();
        let site = Router::new().fallback(page);
        tokio::spawn(listener.serve(site, Some(tls), RequestLimits::default(), until));
        Self {
            port,
            visitor: Browser::new(&format!("https://localhost:{port}"), &authority),
            _stop: stop,
            _data: data,
        }
    }

    /// Another port of the same host is the same site, so it gets cookies; another host is another site.
    pub(crate) fn origins(&self) -> [String; 2] {
        ["localhost", "127.0.0.1"].map(|host| self.at(host))
    }

    /// The site under another name that resolves to it. Its certificate does not have the name; a browser that pins its key
    /// accepts it.
    pub(crate) fn at(&self, host: &str) -> String {
        format!("https://{host}:{}", self.port)
    }
}
