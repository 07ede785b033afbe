//! The peer: the portal's pages in bare axum, as a developer would write them by hand for speed, without any protection.
//!
//! It has the same TLS, database file, SQL and templates, with the same values. The bench measures what it leaves out: session,
//! guard, CSRF check and token, nonce, headers, strict requests, limits of time and size, the checked query, statement deadlines,
//! template fuel. The signed-in user is a constant.
//!
//! Connections that keep their statements read SQLite directly; templates are parsed once.

mod database;
mod documents;
mod front;
mod postgres;
mod templates;

use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use dewar::audit::{Clock, Mode, Settings};
use dewar::https;
use http::{StatusCode, header};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use minijinja::Environment;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::{Result, form, uploads};
use database::Readers;
use templates::Static;

/// The unchanged engine, with the portal's templates.
pub(crate) fn engine() -> Result<Environment<'static>> {
    templates::load(Static::load().addresses())
}

pub(crate) use documents::list_of_twelve;
pub(crate) use templates::{assets, bundles};

/// The state that every request shares.
#[derive(Debug)]
struct Bare {
    readers: Readers,
    /// Where the list is read, instead of the file.
    postgres: Option<postgres::Connections>,
    templates: Environment<'static>,
    statics: Static,
}

type Shared = State<Arc<Bare>>;

/// Serves the data directory of the command line, until the process ends.
pub(crate) async fn serve() -> Result {
    let data = std::env::args_os().nth(1).ok_or("no data directory")?;
    let data = std::path::PathBuf::from(data);
    let statics = Static::load();
    let postgres = match std::env::args().nth(2) {
        Some(url) => Some(postgres::Connections::open(&url).await?),
        None => None,
    };
    let bare = Bare {
        postgres,
        readers: Readers::open(&data.join("database.sqlite"))?,
        templates: templates::load(statics.addresses())?,
        statics,
    };
    let router = Router::new()
        .route("/", get(front::index))
        .route("/documents", get(documents::list))
        .route("/static/{name}", get(file))
        .route(form::PATH, post(form::plain))
        .route("/text", get(|| async { "Hello, world!" }))
        .with_state(Arc::new(bare))
        .route(
            uploads::PATH,
            post(uploads::written).with_state(Arc::new(data.clone())),
        );
    let service = TowerToHyperService::new(router);

    let acceptor = TlsAcceptor::from(tls(&data)?);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let port = listener.local_addr()?.port();
    writeln!(std::io::stdout(), "https://localhost:{port}")?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(connection(stream, acceptor.clone(), service.clone()));
    }
}

/// One connection; an aborted one is not reported.
async fn connection(
    stream: TcpStream,
    acceptor: TlsAcceptor,
    service: TowerToHyperService<Router>,
) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    if let Ok(stream) = acceptor.accept(stream).await {
        let served = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        drop(served.await);
    }
}

/// The portal's own TLS: the same certificate, versions, suites, key exchange and tickets. It makes the certificate if there is none.
pub(crate) fn tls(data: &std::path::Path) -> Result<Arc<rustls::ServerConfig>> {
    let settings = Settings::read(None, []);
    let config = https::Config::read(&settings, Mode::Development);
    let now = Clock::system().now();
    let prepared = https::prepare(&config, data, Mode::Development, now)
        .map_err(|findings| format!("{findings:?}"))?;
    let profile = https::TlsProfile::Intermediate;
    Ok(https::server_config(prepared.certificates, profile)?)
}

/// A page, or the error.
type Page = std::result::Result<Html, Failed>;

/// HTML that a template rendered.
struct Html(String);

impl IntoResponse for Html {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], self.0).into_response()
    }
}

/// An error of a handler, which the log records.
struct Failed(crate::Error);

impl<E: Into<crate::Error>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        // Standard error is the log; if it is full, there is no other way to report.
        drop(writeln!(std::io::stderr(), "{}", self.0));
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}

async fn file(State(bare): Shared, Path(name): Path<String>) -> Response {
    match bare.statics.file(&name) {
        Some((kind, content)) => ([(header::CONTENT_TYPE, kind)], content).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
