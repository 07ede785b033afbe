use std::collections::{BTreeSet, HashSet};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::any;
use http::{Extensions, Method};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::developer::{Developer, Rows};
use super::examine::ports_in_use;
use super::health::Health;
use super::launch::{Blueprint, LaunchPurpose, Opened, causes};
use super::layers::{Layers, Routes};
use super::metrics::{self, Metrics};
use super::patterns::Patterns;
use super::programs::ProgramRoutes;
use super::rate_limit::{Counters, Posts};
use super::request_log::RequestLog;
use super::scan_detector::ScanDetector;
use super::stack::{Core, Stack, not_this_method, nothing_here, without_slash};
use super::table::has_pages;
use super::{App, Dewar, background, commands};
use crate::accounts::FACTOR_SECRET;
use crate::audit::{Entry, Event, Finding, Mode, Practice};
use crate::database::SealedColumn;
use crate::https::acme::{Acme, PlainHttp};
use crate::https::{
    BehindProxy, Certificates, Config as Https, FromProxy, HttpService, HttpsLayer, Listener,
    PagePolicy, Reload, ToHttps, server_config,
};
use crate::jobs::PAYLOAD;
#[cfg(feature = "testing")]
use crate::jobs::Runner;
use crate::mail;
use crate::pages::Error;

/// The columns that the framework seals in rows of its own.
const SEALED: [SealedColumn; 4] = [PAYLOAD, mail::CONTENT, mail::PARTS, FACTOR_SECRET];

/// A running application. It keeps running when this value is dropped; [`stop`](Self::stop) ends it.
///
/// ```
/// use dewar::{App, get};
/// async fn hello() -> &'static str { "Hello, world!" }
/// # #[tokio::main] async fn main() -> dewar::Result {
/// # let directory = tempfile::tempdir().map_err(dewar::Error::internal)?;
/// let running = App::in_directory(&directory)?.public([get("/", hello)]).start().await?;
/// assert!(running.url().starts_with("https://localhost:"));
/// running.stop().await
/// # }
/// ```
#[derive(Debug)]
pub struct Running {
    dewar: Dewar,
    url: String,
    https: SocketAddr,
    http: Option<SocketAddr>,
    authority: Option<String>,
    findings: Vec<Finding>,
    shows_developers: bool,
    #[cfg(feature = "testing")]
    runner: Arc<Runner>,
    stop: watch::Sender<()>,
    tasks: Vec<JoinHandle<()>>,
    /// The listener for health probes. It ends last: until then it reports that the program stops.
    probes: Option<Probes>,
}

/// How long the stop begins to send letters. Later ones wait in the database.
pub(super) const LAST_LETTERS: Duration = Duration::from_secs(5);

#[derive(Debug)]
struct Probes {
    address: SocketAddr,
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl<S: Clone + Send + Sync + 'static> App<S> {
    /// Runs the command of the command line: serves the application until a signal stops it, or administers it.
    ///
    /// # Errors
    /// Everything that forbids the launch, all at once; or the failure of a command.
    pub async fn serve(self) -> Result<(), Error> {
        commands::run(self).await
    }

    /// Runs a command as if these words were on the command line. The data and the settings are those of the application. A test reads
    /// the output too with `testing::Site::command`.
    ///
    /// # Errors
    /// The words are no command, or the failure of the command.
    pub async fn run<W: Into<std::ffi::OsString>>(
        self,
        words: impl IntoIterator<Item = W>,
    ) -> Result<(), Error> {
        let words = words.into_iter().map(Into::into);
        let program = std::iter::once("app".into());
        commands::run_words(self, program.chain(words).collect()).await
    }

    /// The same, with what the command printed.
    #[cfg(feature = "testing")]
    pub(crate) async fn run_printing(self, words: &[&str]) -> (Result<(), Error>, String) {
        let words = words.to_vec();
        commands::printing(commands::on_heap(|| self.run(words))).await
    }

    /// Starts the application and returns: for tests, and for programs that do more than serve.
    ///
    /// # Errors
    /// As [`serve`](Self::serve).
    pub async fn start(mut self) -> Result<Running, Error> {
        commands::read_line(&mut self).unwrap_or_else(|error| error.exit());
        let (mut plan, mount, outside) = self.plan();
        plan.purpose = LaunchPurpose::Serve;
        let https = plan.config.https.clone();
        // This check is among those before the first write: the data directory of a failed start would be in the way.
        plan.findings.extend(ports_in_use(&https));
        // A free port is known once it is bound. Any other port is bound after the rooms are open, so that no client
        // waits for them.
        let mut listeners = None;
        if https
            .tcp_address()
            .is_some_and(|address| address.port() == 0)
        {
            let bound = Listeners::bind(&https)?;
            plan.base_url = origin(&https, bound.port(&https));
            listeners = Some(bound);
        }
        let policy = Arc::new(plan.table.content().page_policy());
        let patterns = Patterns::of_table(&plan.table);
        let programs = ProgramRoutes::of_table(&plan.table);
        let live = plan.table.live();
        let requests = RequestLog::new(plan.config.audit.requests);
        let metrics = https.metrics.then(|| Metrics::of(&plan.table)).flatten();
        let developer = plan.developer.take();
        let opened = plan
            .open()
            .await
            .map_err(|findings| Error::launch(&findings))?;
        background::recover(&opened.dewar)
            .await
            .map_err(Error::internal)?;
        let (router, state, shared) = mount(&opened.dewar);
        let routes = MountedRoutes {
            router,
            state,
            shared,
            policy,
            patterns,
            programs,
            live,
            requests,
            metrics,
            developer,
            outside,
        };
        let listeners = match listeners {
            Some(listeners) => listeners,
            None => Listeners::bind(&https)?,
        };
        Running::begin(opened, routes, listeners, &https)
    }

    /// Splits an application into the plan of its rooms, its routes with its own state, which wait for the rooms, and its outer
    /// layers.
    pub(super) fn plan(
        self,
    ) -> (
        Blueprint,
        impl FnOnce(&Dewar) -> (Routes, Extensions, Extensions),
        Layers,
    ) {
        let table = self.route_table();
        let of_all = table.content().clone();
        let limits = self.parts.rate_limits.clone();
        let bucket = self.config.uploads.direct_target();
        let Self {
            config,
            settings,
            clock,
            routes,
            state,
            mut parts,
            outside,
            inside,
            shared,
            ..
        } = self;
        // After the application's own.
        parts.sealed.extend(SEALED);
        let rows = || Rows::of(&table, &parts.templates, &parts.letters, settings.known());
        // Behind a proxy on this machine every visitor would be near.
        let shows = config.mode == Mode::Development && config.https.behind.is_none();
        let developer = shows.then(|| Developer::new(rows(), limits.clone()));
        let findings = Developer::with_hidden(developer.as_ref(), &table, settings.finish());
        let plan = Blueprint {
            developer,
            base_url: origin(&config.https, config.https.public_port),
            config,
            parts,
            table,
            clock,
            findings,
            purpose: LaunchPurpose::Command,
        };
        let mount = move |dewar: &Dewar| {
            let mut router = Router::new();
            for path in slashed(routes.iter().map(|(_, route)| (&route.method, route.path))) {
                router = router.route(&path, any(without_slash));
            }
            let mut counters = Counters::new(dewar.rooms().counts.clone());
            for (access, mut route) in routes {
                if has_pages(access) {
                    route.described.upload_to(bucket.as_ref());
                }
                route.described.prepare_pages(&of_all);
                let place = (route.method.as_str(), route.path);
                let pace = route.pace.open(place, &limits, &mut counters);
                let guarded = (route.mount)(access, &route.described, dewar, pace);
                if let Some(below) = &route.also {
                    router = router.route(below, guarded.clone());
                }
                router = router.route(route.path, guarded);
            }
            let state = state(dewar);
            let mut of_jobs = Extensions::new();
            of_jobs.insert(state.clone());
            let router = router
                .method_not_allowed_fallback(not_this_method)
                .fallback(nothing_here)
                .with_state(state);
            (Routes::new(router, inside), of_jobs, shared.make(dewar))
        };
        (plan, mount, outside)
    }
}

/// The routes with their handlers and their state, their patterns, the request log, and the outer layers.
struct MountedRoutes {
    router: Routes,
    /// The application's own state, by its type, for its jobs.
    state: Extensions,
    /// The values that handlers share.
    shared: Extensions,
    /// The headers of a page whose route has none of its own.
    policy: Arc<PagePolicy>,
    patterns: Patterns,
    programs: ProgramRoutes,
    live: HashSet<&'static str>,
    requests: RequestLog,
    metrics: Option<Arc<Metrics>>,
    developer: Option<Developer>,
    outside: Layers,
}

/// The sockets for visitors.
struct Listeners {
    https: Listener,
    redirect: Option<Listener>,
}

impl Listeners {
    fn bind(config: &Https) -> Result<Self, Error> {
        let https = match &config.behind {
            Some(BehindProxy::Socket(path)) => Listener::bind_unix(path)
                .map_err(|error| Error::launch(&[no_socket(path, &error)]))?,
            Some(BehindProxy::Loopback(_) | BehindProxy::Platform) | None => {
                bind(config.address, config.address_setting())?
            }
        };
        let mut https = https.behind(config.proxies.clone());
        if config.behind.is_some() {
            https = https.only_from_proxies();
        }
        Ok(Self {
            https,
            redirect: redirect(config)?,
        })
    }

    /// The port that visitors reach.
    fn port(&self, config: &Https) -> u16 {
        if config.address.port() == 0 && config.behind.is_none() {
            self.https.address().port()
        } else {
            config.public_port
        }
    }
}

/// The paths of pages with a trailing slash, as people type them. Paths that the application has itself and catch-all paths
/// are left out.
fn slashed<'a>(routes: impl Iterator<Item = (&'a Method, &'static str)>) -> Vec<String> {
    let routes: Vec<_> = routes.collect();
    let mut taken: BTreeSet<String> = routes.iter().map(|(_, path)| shape(path)).collect();
    let pages = routes.iter().filter(|(method, path)| {
        *method == Method::GET && !path.ends_with('/') && !path.contains("{*")
    });
    pages
        .map(|(_, path)| format!("{path}/"))
        .filter(|path| taken.insert(shape(path)))
        .collect()
}

/// A path without the names of its parameters: two paths of one shape would be one route.
fn shape(path: &str) -> String {
    let segments = path.split('/');
    let shapes = segments.map(|one| if one.starts_with('{') { "{}" } else { one });
    shapes.collect::<Vec<_>>().join("/")
}

impl Running {
    fn begin(
        opened: Opened,
        mut routes: MountedRoutes,
        listeners: Listeners,
        config: &Https,
    ) -> Result<Self, Error> {
        let Opened {
            dewar,
            certificates,
            authority,
            acme,
            findings,
        } = opened;
        let tls = tls_of(config, &certificates)?;
        let answers = acme.as_ref().map(Acme::answers);
        let port = listeners.port(config);
        let Listeners {
            https: listener,
            redirect,
        } = listeners;
        let listener = listener.answering(answers.clone());
        let https = listener.address();
        let http = redirect.as_ref().map(Listener::address);
        let (stop, stopped) = watch::channel(());

        let metrics = routes.metrics.clone();
        let shows_developers = routes.developer.is_some();
        let runner = Arc::new(dewar.runner(std::mem::take(&mut routes.state)));
        let answering = answering(&dewar, routes, config, port);
        let to_https = ToHttps::new(config.hosts.clone(), port, config.limits.clone());
        let serving = (answering, to_https.clone());
        let mut tasks = vec![spawn(listener, serving, tls, config, &stopped)];
        if let Some(listener) = redirect {
            let redirect = PlainHttp {
                answers,
                others: to_https,
            };
            let listening = listen(listener, redirect, None, config, stopped.clone());
            tasks.push(tokio::spawn(listening));
        }
        let probes = probes((&dewar, metrics), config, &stopped)?;
        let authority_file = authority
            .as_ref()
            .map(|authority| authority.certificate_file().display().to_string());
        let clock = dewar.clock().clone();
        let reload = Reload::new(config.clone(), authority, certificates, clock);
        tasks.extend(background::begin(&dewar, reload, acme, &stopped));
        tasks.extend(runner.start(&stopped, config.limits.drain_timeout));
        let url = origin(config, port);
        dewar.log().record(Entry::new(Event::SysStartup));
        Ok(Self {
            dewar,
            url,
            https,
            http,
            authority: authority_file,
            findings,
            shows_developers,
            #[cfg(feature = "testing")]
            runner,
            stop,
            tasks,
            probes,
        })
    }

    /// The URL of the application: its first host, with the port unless it is 443.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The address that listens for HTTPS, or in plain HTTP for the proxy of `https.behind_proxy`. Its port is 0 if that connects by
    /// a Unix socket.
    #[must_use]
    pub fn https(&self) -> SocketAddr {
        self.https
    }

    /// The address that redirects plain HTTP to HTTPS.
    #[must_use]
    pub fn http(&self) -> Option<SocketAddr> {
        self.http
    }

    /// The address that answers health probes, where `https.health` is set.
    #[must_use]
    pub fn health(&self) -> Option<SocketAddr> {
        self.probes.as_ref().map(|probes| probes.address)
    }

    /// The certificate file of the local authority, which a client of this machine trusts.
    #[must_use]
    pub fn authority_file(&self) -> Option<&str> {
        self.authority.as_deref()
    }

    /// The findings that did not forbid the launch.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Whether the page for developers is there.
    pub(super) fn shows_developers(&self) -> bool {
        self.shows_developers
    }

    /// The rooms.
    #[must_use]
    pub fn dewar(&self) -> &Dewar {
        &self.dewar
    }

    /// Runs every job that is due, and the schedules, one after another, and returns how many attempts it made: for tests.
    ///
    /// An application of [`App::in_directory`] runs no job by itself, so a test decides when jobs run, and moves time with
    /// [`Clock::manual`](crate::audit::Clock::manual). With the setting `DEWAR_JOBS_CONCURRENCY` they run by themselves.
    ///
    /// ```
    /// use dewar::App;
    /// # #[tokio::main] async fn main() -> dewar::Result {
    /// # let directory = tempfile::tempdir().map_err(dewar::Error::internal)?;
    /// let running = App::in_directory(&directory)?.start().await?;
    /// assert_eq!(running.run_jobs().await?, 0);
    /// running.stop().await
    /// # }
    /// ```
    ///
    /// # Errors
    /// The database cannot be read or written. An error of a job is in its row, as always.
    #[cfg(feature = "testing")]
    pub async fn run_jobs(&self) -> Result<u64, Error> {
        Ok(self.runner.run_due().await?)
    }

    /// Stops gracefully: accepts no more requests, finishes the requests under way, and writes the log to its end.
    ///
    /// # Errors
    /// A task did not end as it should.
    pub async fn stop(self) -> Result<(), Error> {
        self.stop.send_replace(());
        for task in self.tasks {
            task.await.map_err(Error::internal)?;
        }
        if let Some(probes) = self.probes {
            probes.stop.send_replace(());
            probes.task.await.map_err(Error::internal)?;
        }
        self.dewar.accounts().finish_requests().await;
        self.dewar.mailer().settle_within(LAST_LETTERS).await;
        self.dewar.rooms().reports.settle();
        self.dewar.log().settle();
        self.dewar.log().record(Entry::new(Event::SysShutdown));
        background::end_log(&self.dewar).await;
        self.dewar.rooms().node.release().await;
        Ok(())
    }
}

/// Starts to serve visitors, or the proxy in front if that ends TLS.
fn spawn<A: HttpService>(
    listener: Listener,
    (answering, to_https): (A, ToHttps),
    tls: TlsConfig,
    config: &Https,
    stopped: &watch::Receiver<()>,
) -> JoinHandle<()> {
    if tls.is_some() {
        return tokio::spawn(listen(listener, answering, tls, config, stopped.clone()));
    }
    let from_proxy = FromProxy::new(answering, to_https);
    tokio::spawn(listen(listener, from_proxy, None, config, stopped.clone()))
}

/// The TLS of the listener; none if a proxy in front ends TLS.
fn tls_of(config: &Https, certificates: &Arc<Certificates>) -> Result<TlsConfig, Error> {
    if config.behind.is_some() {
        return Ok(None);
    }
    let tls = server_config(Arc::clone(certificates), config.tls);
    tls.map(Some).map_err(Error::internal)
}

/// The finding of a Unix socket on which the program cannot listen.
fn no_socket(path: &Path, error: &(dyn std::error::Error + 'static)) -> Finding {
    let title = format!("cannot listen on {} (https.behind_proxy)", path.display());
    Finding::refuse(Practice::Https, "https-listen", title)
        .why(causes(error))
        .fix("stop the program that listens there, or set `https.behind_proxy` to a path in a directory of the application's own")
}

/// The stack as the service that a listener calls.
fn answering(
    dewar: &Dewar,
    routes: MountedRoutes,
    config: &Https,
    port: u16,
) -> impl HttpService + use<> {
    let protect = HttpsLayer::with_policy(
        config.hosts.clone(),
        config.limits.clone(),
        config.transport(),
        routes.policy,
    );
    let rates = dewar.rooms().intake.config().rates;
    let posts = Posts::new(rates, dewar.clock());
    let core = Core {
        patterns: routes.patterns,
        programs: routes.programs,
        live: routes.live,
        https: protect,
        requests: routes.requests,
        metrics: routes.metrics,
        developer: routes.developer,
        routes: routes.router,
        scan_detector: ScanDetector::new(dewar.clock()),
        services: Arc::new(dewar.services(posts, routes.shared)),
        security_txt: config.security_txt.text(&config.hosts, port),
        // Behind a proxy on this machine every visitor would be near.
        mailbox: dewar
            .rooms()
            .mailbox
            .clone()
            .filter(|_| config.behind.is_none()),
        dewar: dewar.clone(),
    };
    let stack = Arc::new(Stack::new(core, routes.outside));
    tower::service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let stack = Arc::clone(&stack);
        async move { Ok::<_, Infallible>(stack.walk(request.map(Body::new)).await) }
    })
}

/// The listener for health probes, where `https.health` is set.
fn probes(
    (dewar, metrics): (&Dewar, Option<Arc<Metrics>>),
    config: &Https,
    stopped: &watch::Receiver<()>,
) -> Result<Option<Probes>, Error> {
    let Some(address) = config.health else {
        return Ok(None);
    };
    let listener = bind(address, "https.health")?.oldest_gives_way();
    let address = listener.address();
    let health = Health::new(dewar, metrics.clone(), stopped.clone());
    let mut config = config.clone();
    config.limits = Health::limits(&config.limits);
    let (stop, ended) = watch::channel(());
    let listening = listen(listener, health, None, &config, ended.clone());
    let task = tokio::spawn(async move {
        tokio::select! {
            () = listening => {}
            () = sum_up(metrics) => {}
        }
    });
    Ok(Some(Probes {
        address,
        stop,
        task,
    }))
}

/// Sums up the metrics from time to time, without an end.
async fn sum_up(metrics: Option<Arc<Metrics>>) {
    let Some(metrics) = metrics else {
        return std::future::pending().await;
    };
    let mut every = tokio::time::interval(metrics::SUM_EVERY);
    loop {
        every.tick().await;
        metrics.sum_up();
    }
}

/// The listener that redirects visitors to HTTPS, where there is one.
fn redirect(config: &Https) -> Result<Option<Listener>, Error> {
    let listener = config
        .http_address
        .map(|address| bind(address, "https.http_address"));
    let listener = listener.transpose()?;
    Ok(listener.map(|listener| listener.behind(config.proxies.clone())))
}

/// Listens on the address of a setting.
fn bind(address: SocketAddr, setting: &'static str) -> Result<Listener, Error> {
    Listener::bind(address)
        .map_err(|error| Error::launch(&[cannot_listen(address, setting, &error)]))
}

/// The finding of a setting whose address the program cannot listen on.
pub(super) fn cannot_listen(
    address: SocketAddr,
    setting: &'static str,
    error: &(dyn std::error::Error + 'static),
) -> Finding {
    let title = format!("cannot listen on {address} ({setting})");
    Finding::refuse(Practice::Https, "https-listen", title)
        .why(causes(error))
        .fix(format!("stop the program that uses the port, or set `{setting}` to an address that is free and allowed"))
}

/// The origin of links in letters. It never comes from a request's `Host` (CWE-640).
pub(super) fn origin(config: &Https, port: u16) -> String {
    let host = config.hosts.iter().next().unwrap_or("localhost");
    if port == 443 {
        format!("https://{host}")
    } else {
        format!("https://{host}:{port}")
    }
}

type TlsConfig = Option<Arc<rustls::ServerConfig>>;

fn listen<A: HttpService>(
    listener: Listener,
    service: A,
    tls: TlsConfig,
    config: &Https,
    mut stopped: watch::Receiver<()>,
) -> impl Future<Output = ()> + Send + 'static {
    let limits = config.limits.clone();
    async move {
        // An error means that the sender is gone, which is a stop as well.
        let stop = async move { drop(stopped.changed().await) };
        match listener.serve(service, tls, limits, stop).await {
            Ok(drained) if drained.cut > 0 => {
                tracing::warn!(cut = drained.cut, "the stop closed open connections")
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "a listener ended"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::https::answer;

    fn size_of_request<S: HttpService>(
        _: impl FnOnce(&'static Dewar, MountedRoutes, &'static Https, u16) -> S,
    ) -> usize {
        size_of_future(answer::<S>)
    }

    fn size_of_future<A, B, C, F: Future>(_: impl FnOnce(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    /// Nothing but the mode decides it, and a proxy that ends TLS has none either: every visitor would be near.
    #[test]
    fn production_has_no_page_for_developers() {
        let data = tempfile::tempdir().unwrap();
        let proxy = ("DEWAR_HTTPS_BEHIND_PROXY", "127.0.0.1:8080");
        for (settings, is_there) in [
            (vec![], true),
            (vec![("DEWAR_MODE", "development")], true),
            (vec![("DEWAR_MODE", "production")], false),
            (vec![proxy], false),
        ] {
            let app = App::in_directory_with(&data, settings.clone()).unwrap();
            let (plan, _, _) = app.plan();
            assert_eq!(plan.developer.is_some(), is_there, "{settings:?}");
        }
    }

    /// A visitor may have as many requests under way as connections times streams.
    #[test]
    fn a_request_under_way_takes_little_memory() {
        let bytes = size_of_request(answering);
        assert!(bytes <= 5_500, "{bytes}");
    }
}
