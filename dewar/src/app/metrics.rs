//! Metrics for Prometheus, on the listener of the health probes: how long requests take, and how full the queues are.
//!
//! A histogram is kept for each method, route and class of status; paths that no route has count together, so a visitor
//! cannot make new series. Names and labels follow OpenTelemetry's conventions for HTTP servers.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use metrics::{Histogram, Key, Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{
    Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use super::rooms::Dewar;
use super::table::RouteTable;
use crate::audit::RoutePattern;
use crate::jobs::Counts;

/// How often measured values are summed up; until then each takes eight bytes.
pub(super) const SUM_EVERY: Duration = Duration::from_secs(5);

const REQUESTS: &str = "http_server_request_duration_seconds";

/// The upper bounds of the histogram's buckets, in seconds: OpenTelemetry's, and one below for what Dewar does in a
/// millisecond.
const BUCKETS: [f64; 15] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

const METADATA: Metadata<'static> = Metadata::new("dewar", Level::INFO, None);

/// The metrics of one application.
pub(super) struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
    routes: HashMap<(&'static str, Method), RouteMetrics>,
    /// Paths and methods that no route has.
    others: RouteMetrics,
}

/// The histograms of one route, by class of status: 1xx to 5xx. Each is registered with its first value.
struct RouteMetrics {
    labels: [Label; 2],
    classes: [OnceLock<Histogram>; 5],
}

/// A request that is being measured.
pub(super) struct Measured {
    metrics: Arc<Metrics>,
    began: Instant,
    method: Method,
    route: Option<RoutePattern>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("routes", &self.routes.len())
            .finish_non_exhaustive()
    }
}

impl RouteMetrics {
    fn new(method: &str, route: &'static str) -> Self {
        Self {
            labels: [
                Label::new("http_request_method", method.to_owned()),
                Label::from_static_parts("http_route", route),
            ],
            classes: Default::default(),
        }
    }

    fn record(&self, recorder: &PrometheusRecorder, status: StatusCode, took: Duration) {
        let class = status.as_u16() / 100;
        let Some(histogram) = self.classes.get(usize::from(class.saturating_sub(1))) else {
            return;
        };
        let histogram = histogram.get_or_init(|| {
            let mut labels = self.labels.to_vec();
            labels.push(Label::new(
                "http_response_status_class",
                format!("{class}xx"),
            ));
            recorder.register_histogram(&Key::from_parts(REQUESTS, labels), &METADATA)
        });
        histogram.record(took.as_secs_f64());
    }
}

impl Metrics {
    /// The metrics of these routes. The first application of a process also gets what its own code counts with the macros
    /// of the crate `metrics`.
    pub(super) fn of(table: &RouteTable) -> Option<Arc<Self>> {
        let buckets = Matcher::Full(REQUESTS.to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(buckets, &BUCKETS);
        let recorder = Arc::new(builder.ok()?.build_recorder());
        let handle = recorder.handle();
        drop(metrics::set_global_recorder(Arc::clone(&recorder)));
        let what = "How long the program took until a response began.";
        recorder.describe_histogram(REQUESTS.into(), Some(Unit::Seconds), what.into());
        let entries = table.entries().iter().chain(table.provided());
        let routes = entries.filter_map(|entry| {
            let method = Method::from_bytes(entry.method.as_bytes()).ok()?;
            let route = RouteMetrics::new(&entry.method, entry.path);
            Some(((entry.path, method), route))
        });
        Some(Arc::new(Self {
            routes: routes.collect(),
            others: RouteMetrics::new("_OTHER", ""),
            recorder,
            handle,
        }))
    }

    pub(super) fn begin(
        self: &Arc<Self>,
        method: &Method,
        route: Option<RoutePattern>,
    ) -> Measured {
        Measured {
            metrics: Arc::clone(self),
            began: Instant::now(),
            // Every GET route answers HEAD too.
            method: if method == Method::HEAD {
                Method::GET
            } else {
                method.clone()
            },
            route,
        }
    }

    /// Sums up the measured values, which take memory until then.
    pub(super) fn sum_up(&self) {
        self.handle.run_upkeep();
    }

    /// Everything in the text format of Prometheus.
    ///
    /// The jobs in the database are counted by the caller; none if the database did not answer.
    pub(super) fn text(&self, dewar: &Dewar, jobs: Option<Counts>) -> String {
        self.look(dewar);
        self.look_at_jobs(dewar, jobs);
        self.sum_up();
        self.handle.render()
    }

    /// Reads the figures that the rooms keep anyway.
    fn look(&self, dewar: &Dewar) {
        let accounts = dewar.accounts();
        let uploads = dewar.uploads().in_hand();
        let (files, bytes) = dewar.rooms().intake.under_way();
        let (used, most) = dewar.db().connections();
        self.gauge(HASHES_NOW, accounts.hashes_in_hand() as u64);
        self.gauge(UPLOADS_EXAMINED, uploads.examined as u64);
        self.gauge(UPLOADS_WAITING, uploads.waiting as u64);
        self.gauge(UPLOADS_QUARANTINED, files as u64);
        self.gauge(QUARANTINED_BYTES, bytes);
        self.gauge(CONNECTIONS_USED, used as u64);
        self.gauge(CONNECTIONS_MAX, most as u64);
        self.counter(HASHES, accounts.hashes_done());
        self.counter(STATEMENTS, dewar.db().statements());
        self.counter(ENTRIES_LOST, dewar.log().lost());
    }

    fn look_at_jobs(&self, dewar: &Dewar, counts: Option<Counts>) {
        if let Some(counts) = counts {
            self.gauge(JOBS_WAITING, counts.waiting);
            self.gauge(JOBS_RUNNING, counts.running);
            self.gauge(JOBS_FAILED, counts.failed);
        }
        let live = dewar.live().counts();
        self.gauge(LIVE_OPEN, live.open);
        self.counter(LIVE_EVENTS, live.events);
        self.counter(LIVE_MISSED, live.missed);
        self.counter(LIVE_ENDED, live.ended);
        let runs = dewar.jobs().runs();
        self.gauge(JOBS_HERE, runs.running);
        self.counter(JOBS_DONE, runs.done);
        self.counter(JOBS_AGAIN, runs.again);
        self.counter(JOBS_GIVEN_UP, runs.failed);
        self.counter(JOBS_SECONDS, runs.milliseconds / 1_000);
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "Prometheus knows only floating-point numbers"
    )]
    fn gauge(&self, (name, what): Named, value: u64) {
        self.recorder.describe_gauge(name.into(), None, what.into());
        let key = Key::from_static_name(name);
        self.recorder
            .register_gauge(&key, &METADATA)
            .set(value as f64);
    }

    fn counter(&self, (name, what): Named, value: u64) {
        self.recorder
            .describe_counter(name.into(), None, what.into());
        let key = Key::from_static_name(name);
        self.recorder
            .register_counter(&key, &METADATA)
            .absolute(value);
    }
}

/// The name of a metric, and its description.
type Named = (&'static str, &'static str);

#[rustfmt::skip]
mod named {
    use super::Named;

    pub(super) const CONNECTIONS_MAX: Named = ("dewar_database_connections_max", "The most connections of the database.");
    pub(super) const CONNECTIONS_USED: Named = ("dewar_database_connections_used", "Connections of the database in use.");
    pub(super) const ENTRIES_LOST: Named = ("dewar_audit_entries_lost_total", "Entries of the audit log that were lost.");
    pub(super) const HASHES: Named = ("dewar_password_hashes_total", "Password hashes since the start.");
    pub(super) const HASHES_NOW: Named = ("dewar_password_hashes_in_hand", "Password hashes of visitors that are computed or wait.");
    pub(super) const JOBS_AGAIN: Named = ("dewar_jobs_retried_total", "Attempts at jobs on this node that failed and have another one.");
    pub(super) const JOBS_DONE: Named = ("dewar_jobs_done_total", "Jobs that this node finished.");
    pub(super) const JOBS_FAILED: Named = ("dewar_jobs_failed", "Failed jobs in the database.");
    pub(super) const JOBS_GIVEN_UP: Named = ("dewar_jobs_failed_total", "Jobs that failed on this node in their last attempt.");
    pub(super) const JOBS_HERE: Named = ("dewar_jobs_running_here", "Jobs that this node runs.");
    pub(super) const JOBS_RUNNING: Named = ("dewar_jobs_running", "Jobs that all nodes run.");
    pub(super) const JOBS_SECONDS: Named = ("dewar_jobs_seconds_total", "How long the attempts on this node took, in seconds.");
    pub(super) const JOBS_WAITING: Named = ("dewar_jobs_waiting", "Jobs that wait.");
    pub(super) const LIVE_ENDED: Named = ("dewar_live_ended_total", "Live connections of this node that were closed because a session, a token or a role ended.");
    pub(super) const LIVE_EVENTS: Named = ("dewar_live_events_total", "Events that this node put before a live connection.");
    pub(super) const LIVE_MISSED: Named = ("dewar_live_missed_total", "Times that events for a live connection of this node were dropped, because its client read too slowly.");
    pub(super) const LIVE_OPEN: Named = ("dewar_live_connections", "Live connections of this node.");
    pub(super) const QUARANTINED_BYTES: Named = ("dewar_uploads_quarantined_bytes", "Bytes of uploads that arrive or wait in quarantine.");
    pub(super) const STATEMENTS: Named = ("dewar_database_statements_total", "Statements since the start.");
    pub(super) const UPLOADS_EXAMINED: Named = ("dewar_uploads_examined", "Uploads that are being examined.");
    pub(super) const UPLOADS_QUARANTINED: Named = ("dewar_uploads_quarantined", "Uploads that arrive or wait in quarantine.");
    pub(super) const UPLOADS_WAITING: Named = ("dewar_uploads_waiting", "Uploads that wait for a worker.");
}
use named::{
    CONNECTIONS_MAX, CONNECTIONS_USED, ENTRIES_LOST, HASHES, HASHES_NOW, JOBS_AGAIN, JOBS_DONE,
    JOBS_FAILED, JOBS_GIVEN_UP, JOBS_HERE, JOBS_RUNNING, JOBS_SECONDS, JOBS_WAITING, LIVE_ENDED,
    LIVE_EVENTS, LIVE_MISSED, LIVE_OPEN, QUARANTINED_BYTES, STATEMENTS, UPLOADS_EXAMINED,
    UPLOADS_QUARANTINED, UPLOADS_WAITING,
};

impl Measured {
    pub(super) fn end(self, status: StatusCode) {
        let Self {
            metrics,
            began,
            method,
            route,
        } = self;
        let known = route.and_then(|route| metrics.routes.get(&(route.0, method)));
        let counted = known.unwrap_or(&metrics.others);
        counted.record(&metrics.recorder, status, began.elapsed());
    }
}
