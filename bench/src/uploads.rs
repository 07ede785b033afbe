//! Uploads: how fast a stream reaches the disk and how much memory it takes, beside a bare server that only writes it.
//!
//! The portal's side receives multipart with a token, writes the quarantine, examines every byte as text, hashes it and makes it
//! durable; the bare side receives the same bytes, writes them into a file and makes that durable. Both delete the file.

use std::fs;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request as Arrived, State};
use bytes::Bytes;
use dewar::uploads::{Bytes as Stored, FileKind, MIB, Policy, Upload};
use dewar::{CurrentUser, Form, Uploads};
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use serde::Serialize;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

use crate::Result;
use crate::client::{Session, Site};
use crate::command::Streams;
use crate::report::{median, sorted};
use crate::server::{Server, Used as _};
use crate::world::World;

/// The address of one browser.
const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;

/// The path on both servers.
pub(crate) const PATH: &str = "/bulk";

/// The limits that a measurement exceeds on purpose, raised by the settings that an operator has.
const SETTINGS: [(&str, &str); 7] = [
    ("DEWAR_HTTPS_LIMITS_BODY", "16GiB"),
    ("DEWAR_HTTPS_LIMITS_BODY_TIMEOUT", "1h"),
    ("DEWAR_HTTPS_LIMITS_HANDLER_TIMEOUT", "10m"),
    ("DEWAR_UPLOADS_QUOTA", "512GiB"),
    ("DEWAR_UPLOADS_UNDER_WAY", "64GiB"),
    ("DEWAR_UPLOADS_MAX_PER_OWNER", "1000"),
    ("DEWAR_UPLOADS_QUEUE", "1000"),
];

/// Texts of any size.
#[derive(Debug)]
enum Bulky {}

impl Policy for Bulky {
    const NAME: &'static str = "bulky";
    const KINDS: &'static [FileKind] = &[FileKind::Txt];
    const BYTES: Stored = Stored::AsSent;
}

#[derive(Form, Debug)]
pub(crate) struct Bulk {
    file: Upload<Bulky, { 12 * 1024 * MIB }>,
}

/// The portal's side. The file is stored whole, and dropped.
pub(crate) async fn kept(
    me: CurrentUser,
    uploads: Uploads,
    form: Form<Bulk>,
) -> dewar::Result<&'static str> {
    let bulk = form.or_rerender("front/index.html")?;
    drop(uploads.keep(me.id(), bulk.file).await?);
    Ok("taken")
}

/// The bare side: the bytes of the body, into a file.
pub(crate) async fn written(State(folder): State<Arc<PathBuf>>, request: Arrived) -> StatusCode {
    match write_body(&folder, request.into_body()).await {
        Ok(()) => StatusCode::OK,
        Err(error) => {
            drop(writeln!(io::stderr(), "{error}"));
            StatusCode::INTERNAL_SERVER_ERROR
        }
    }
}

async fn write_body(folder: &std::path::Path, mut body: Body) -> Result {
    let place = tempfile::NamedTempFile::new_in(folder)?;
    let mut file = tokio::fs::File::from_std(place.reopen()?);
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame?.into_data() {
            file.write_all(&data).await?;
        }
    }
    file.flush().await?;
    Ok(file.sync_all().await?)
}

#[derive(Debug, Serialize)]
struct Report {
    bytes: u64,
    /// Each round: the portal, and the bare server.
    rounds: Vec<[Turn; 2]>,
    /// The portal's share of the bare server's speed, the median of the rounds.
    share: f64,
    /// The portal's CPU time divided by that of the bare server, the median of the rounds.
    cpu: f64,
    /// How much the portal's memory grew at its peak, for one file of this size.
    grown_for_one: u64,
    at_once: u16,
    bytes_of_each: u64,
    grown_for_all: u64,
}

/// One file to one server.
#[derive(Clone, Copy, Debug, Default, Serialize)]
struct Turn {
    /// Bytes per second.
    speed: f64,
    /// The server's CPU time for a MiB, in microseconds.
    cpu_us: f64,
}

/// Sends a file, and measures.
async fn turn(server: &Server, site: &Site, session: &Session, bytes: u64) -> Result<Turn> {
    let (began, used) = (Instant::now(), server.used()?);
    send(site, HERE, session, bytes).await?;
    let (took, used) = (began.elapsed(), server.used()?.saturating_sub(used));
    #[expect(clippy::cast_precision_loss, reason = "sizes have fewer digits")]
    let bytes = bytes as f64;
    Ok(Turn {
        speed: bytes / took.as_secs_f64(),
        cpu_us: used.as_secs_f64() * 1e6 / (bytes / 1_048_576.0),
    })
}

pub(crate) async fn run(streams: &Streams) -> Result {
    let world = World::make()?;
    let bare = Server::bare(world.data(), streams.workers)?;
    let portal = Server::portal_with(world.data(), streams.workers, &SETTINGS)?;
    let bare_site = Site::new(bare.port(), &world.authority())?;
    let site = Site::new(portal.port(), &world.authority())?;
    let session = site.session().await?;
    let bytes = streams.mebibytes * MIB;
    // Warm, so that the growth is that of the file.
    send(&site, HERE, &session, MIB).await?;
    let before = memory(&portal, "VmRSS")?;
    let mut rounds = Vec::new();
    for round in 0..streams.rounds {
        // In turns, and each is the first of a round as often as the other.
        let nobody = Session::default();
        let pair = if round % 2 == 0 {
            let ours = turn(&portal, &site, &session, bytes).await?;
            [ours, turn(&bare, &bare_site, &nobody, bytes).await?]
        } else {
            let bare = turn(&bare, &bare_site, &nobody, bytes).await?;
            [turn(&portal, &site, &session, bytes).await?, bare]
        };
        rounds.push(pair);
    }
    let grown_for_one = memory(&portal, "VmHWM")?.saturating_sub(before);
    drop(portal);

    let portal = Server::portal_with(world.data(), streams.workers, &SETTINGS)?;
    let site = Site::new(portal.port(), &world.authority())?;
    let session = Arc::new(site.session().await?);
    send(&site, HERE, &session, MIB).await?;
    let before = memory(&portal, "VmRSS")?;
    let of_each = 16 * MIB;
    let mut all = JoinSet::new();
    for number in 0..streams.at_once {
        let (site, session) = (site.clone(), Arc::clone(&session));
        // Of many people, because each address has a limited share of connections.
        let [high, low] = number.to_be_bytes();
        let from = Ipv4Addr::new(127, 1, high, low.max(1));
        all.spawn(async move { send(&site, from, &session, of_each).await });
    }
    while let Some(done) = all.join_next().await {
        done??;
    }
    let report = Report {
        bytes,
        share: ratio(&rounds, |turn| turn.speed),
        cpu: ratio(&rounds, |turn| turn.cpu_us),
        rounds,
        grown_for_one,
        at_once: streams.at_once,
        bytes_of_each: of_each,
        grown_for_all: memory(&portal, "VmHWM")?.saturating_sub(before),
    };
    write(&report, streams, io::stdout())
}

/// The median of a figure of the portal divided by that of the bare server.
fn ratio(rounds: &[[Turn; 2]], of: fn(&Turn) -> f64) -> f64 {
    let ratios = rounds.iter().map(|[ours, bare]| of(ours) / of(bare));
    median(&sorted(ratios))
}

/// A figure of the process, in bytes.
fn memory(server: &Server, what: &str) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id()))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
    let kibibytes: u64 = line
        .and_then(|line| line.trim().strip_suffix("kB"))
        .ok_or("no such figure")?
        .trim()
        .parse()?;
    Ok(kibibytes * 1024)
}

const CUT: &str = "a-line-between-two-parts";

/// Sends a text of this many bytes, as a browser does: with a token, in parts.
async fn send(site: &Site, from: Ipv4Addr, session: &Session, bytes: u64) -> Result {
    let token = &session.token;
    let head = format!(
        "--{CUT}\r\nContent-Disposition: form-data; name=\"csrf_token\"\r\n\r\n{token}\r\n--{CUT}\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"bulk.txt\"\r\nContent-Type: text/plain\r\n\r\n"
    );
    let tail = format!("\r\n--{CUT}--\r\n");
    let piece = Bytes::from(
        "A line of a long text that nobody will read.\n"
            .repeat(1_457)
            .into_bytes(),
    );
    let piece_length = u64::try_from(piece.len())?;
    let whole = usize::try_from(bytes / piece_length)?;
    let rest = piece.slice(..usize::try_from(bytes % piece_length)?);
    let length = head.len() as u64 + bytes + tail.len() as u64;
    let pieces = [Bytes::from(head)]
        .into_iter()
        .chain(std::iter::repeat_n(piece, whole))
        .chain([rest, Bytes::from(tail)]);
    let frames = pieces.map(|piece| Ok::<_, io::Error>(Frame::data(piece)));
    let body = StreamBody::new(futures_util::stream::iter(frames));
    let request = site.stream(PATH, &session.cookie)?;
    let (mut parts, ()) = request.into_parts();
    let kind = format!("multipart/form-data; boundary={CUT}");
    parts
        .headers
        .insert(header::CONTENT_TYPE, HeaderValue::from_str(&kind)?);
    parts.headers.insert(header::CONTENT_LENGTH, length.into());
    let mut sender = site.sender_from(from).await?;
    let answer = sender
        .send_request(Request::from_parts(parts, body))
        .await?;
    let status = answer.status();
    let text = answer.into_body().collect().await?.to_bytes();
    if status == StatusCode::OK {
        return Ok(());
    }
    Err(format!(
        "an upload was answered with {status}: {}",
        String::from_utf8_lossy(&text)
    )
    .into())
}

fn write(report: &Report, streams: &Streams, mut out: impl Write) -> Result {
    if streams.json {
        serde_json::to_writer_pretty(&mut out, report)?;
        return Ok(writeln!(out)?);
    }
    let mebibytes = |bytes: u64| bytes / MIB;
    writeln!(
        out,
        "one file of {} MiB, in turns:",
        mebibytes(report.bytes)
    )?;
    for [ours, bare] in &report.rounds {
        writeln!(
            out,
            "  portal {:.0} MiB/s, {:.0} us of CPU a MiB; bare {:.0} MiB/s, {:.0} us",
            ours.speed / 1_048_576.0,
            ours.cpu_us,
            bare.speed / 1_048_576.0,
            bare.cpu_us
        )?;
    }
    writeln!(
        out,
        "  the portal's share of the speed: {:.2}; of its CPU time, {:.2} of the bare server's; medians",
        report.share, report.cpu
    )?;
    writeln!(
        out,
        "  the portal's memory grew by {} MiB",
        mebibytes(report.grown_for_one)
    )?;
    writeln!(
        out,
        "{} files of {} MiB at once: the portal's memory grew by {} MiB",
        report.at_once,
        mebibytes(report.bytes_of_each),
        mebibytes(report.grown_for_all)
    )?;
    Ok(())
}
