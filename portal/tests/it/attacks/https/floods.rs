//! Floods of HTTP/2 frames against the real program, whose memory the tests measure. The tests of the framework's listener test
//! single frames.

use std::fs;
use std::time::{Duration, Instant};

use dewar::testing::Browser;
use tempfile::TempDir;
use test_servers::{Frame, Http2};

use crate::killed::{Program, authority, browser};

/// Connections of one attacker, of the 128 that an address may hold.
const CONNECTIONS: usize = 10;
const MIB: u64 = 1024 * 1024;

/// The program, and a user of it.
struct Attacked {
    program: Program,
    other: Browser,
    data: TempDir,
}

impl Attacked {
    async fn begin() -> Self {
        let data = tempfile::tempdir().unwrap();
        let (program, url) = Program::serve(data.path());
        let other = browser(data.path(), &url);
        for path in ["/", "/sign-in", "/sign-up"] {
            assert_eq!(other.get(path).await.status(), 200);
        }
        Self {
            program,
            other,
            data,
        }
    }

    /// A connection of an attacker.
    async fn http2(&self, settings: &[(u16, u32)]) -> Http2 {
        let authority = authority(self.data.path());
        let connecting = Http2::connect(self.other.base(), &authority, settings);
        connecting.await.unwrap()
    }

    /// The peak memory of the program since the last call, and its memory now.
    fn memory(&self) -> (u64, u64) {
        let process = format!("/proc/{}", self.program.id());
        let status = fs::read_to_string(format!("{process}/status")).unwrap();
        let read = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.unwrap().trim().trim_end_matches(" kB");
            kib.parse::<u64>().unwrap() * 1024
        };
        // Linux resets the peak to the current value (proc_pid_clear_refs(5)).
        fs::write(format!("{process}/clear_refs"), "5").unwrap();
        (read("VmHWM:"), read("VmRSS:"))
    }

    /// Attacks while another user requests a page again and again, and gets it; then returns the memory that it took.
    async fn bears<T>(&self, what: &str, bound: u64, attack: impl Future<Output = T>) -> T {
        let (_, before) = self.memory();
        let begun = Instant::now();
        let mut attack = std::pin::pin!(attack);
        let mut served = 0;
        let result = loop {
            let page = async {
                let answer = self.other.get("/sign-in").await;
                assert_eq!(answer.status(), 200, "{what}");
                assert!(answer.text().contains("</form>"), "{what}");
            };
            let mut page = std::pin::pin!(page);
            tokio::select! {
                result = &mut attack => {
                    page.await;
                    break result;
                }
                () = &mut page => served += 1,
            }
        };
        let took = self.memory().0 - before;
        eprintln!(
            "{what}: {} KiB more than {} KiB; another was served {served} times in {:?}",
            took / 1024,
            before / 1024,
            begun.elapsed()
        );
        assert!(took < bound, "{what} took {} KiB", took / 1024);
        result
    }
}

/// Whether the test can measure memory here; prints a note if not.
fn can_measure() -> bool {
    let can = cfg!(target_os = "linux");
    if !can {
        eprintln!(
            "SKIPPED: the memory of a program is read from /proc, which is there on Linux only"
        );
    }
    can
}

/// Connections that all stay open, each after its attack.
async fn hold(
    attacked: &Attacked,
    settings: &[(u16, u32)],
    mut attack: impl AsyncFnMut(&mut Http2),
) -> Vec<Http2> {
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut connection = attacked.http2(settings).await;
        attack(&mut connection).await;
        held.push(connection);
    }
    held
}

/// One header of many MiB over CONTINUATION frames, and one of 4 KiB that each further byte references again.
///
/// ASVS: V4.2.5, V15.2.2
#[tokio::test(flavor = "multi_thread")]
async fn headers_without_end_and_bombs_of_headers_take_little_memory() {
    if !can_measure() {
        return;
    }
    let attacked = Attacked::begin().await;
    let mut endless = Frame::get(1, "/").payload.to_vec();
    // A literal of 32 MiB.
    endless.extend_from_slice(b"\0\x01x\x7f\x81\xff\xff\x0f");
    let mut endless = vec![Frame::new(Frame::HEADERS, Frame::END_STREAM, 1, endless)];
    endless.extend((0..128).map(|_| Frame::new(Frame::CONTINUATION, 0, 1, [b'y'; 16 * 1024])));

    let mut entry = vec![0x40];
    Frame::text(&mut entry, "x");
    Frame::text(&mut entry, &"y".repeat(4_000));
    let named = vec![0xbe; 12_000];
    let bomb = [&Frame::get(1, "/").payload[..], &entry, &named].concat();
    let mut bomb = vec![Frame::new(Frame::HEADERS, Frame::END_STREAM, 1, bomb)];
    bomb.extend((0..4).map(|_| Frame::new(Frame::CONTINUATION, 0, 1, &named)));

    for (what, frames) in [("headers without end", endless), ("bombs", bomb)] {
        let attack = hold(&attacked, &[], async |connection| {
            // The connection may end before everything is sent.
            drop(connection.send(&frames).await);
        });
        drop(attacked.bears(what, 8 * MIB, attack).await);
    }
}

/// A hundred pages on each connection, without a window for any of them (CVE-2019-9517).
///
/// ASVS: V15.2.2, V13.1.3
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_take_little_memory() {
    if !can_measure() {
        return;
    }
    let attacked = Attacked::begin().await;
    // The server refuses a hundred more, and then the connection.
    for (what, number) in [
        ("answers without a window", 199),
        ("requests over the number", 1_000),
    ] {
        let asked: Vec<Frame> = (0..number)
            .map(|number| Frame::get(number * 2 + 1, "/sign-in"))
            .collect();
        let attack = async {
            let held = hold(&attacked, &[(4, 0)], async |connection| {
                drop(connection.send(&asked).await);
            });
            let mut held = held.await;
            for connection in &mut held {
                // Further ones wait until a response is read.
                let mut begun = 0;
                while begun < 32
                    && let Some(frame) = connection.next().await
                {
                    begun += u32::from(frame.kind == Frame::HEADERS);
                }
                assert!(begun == 32 || number > 199, "{begun} have begun");
            }
            held
        };
        drop(attacked.bears(what, 32 * MIB, attack).await);
    }
}

/// Requests that are reset at once (CVE-2023-44487), and control frames whose responses are never read (CVE-2019-9512,
/// CVE-2019-9515): the attacker reconnects whenever a connection ends.
///
/// ASVS: V15.2.2, V13.1.3
#[tokio::test(flavor = "multi_thread")]
async fn rapid_resets_and_questions_without_end_keep_nobody_waiting() {
    if !can_measure() {
        return;
    }
    let attacked = Attacked::begin().await;
    let resets: Vec<Frame> = (0..1_000)
        .flat_map(|number| {
            let stream = number * 2 + 1;
            let reset = Frame::new(Frame::RST_STREAM, 0, stream, [0, 0, 0, 8]);
            [Frame::get(stream, "/sign-in"), reset]
        })
        .collect();
    let attack = async {
        let begun = Instant::now();
        let mut ended = 0;
        while begun.elapsed() < Duration::from_secs(2) {
            let mut connection = attacked.http2(&[]).await;
            drop(connection.send(&resets).await);
            let goodbye = connection.next_of(Frame::GOAWAY).await;
            ended += u32::from(goodbye.is_none_or(|frame| frame.payload[7] == 11));
        }
        ended
    };
    let ended = attacked.bears("rapid resets", 32 * MIB, attack).await;
    assert!(ended > 0, "no connection was ended");

    for (what, frame) in [
        ("PING", Frame::new(Frame::PING, 0, 0, [0; 8])),
        ("SETTINGS", Http2::settings(&[(1, 4096), (4, 100_000)])),
    ] {
        let many = frame.bytes().repeat(20_000);
        let attack = hold(&attacked, &[], async |connection| {
            let quiet = Duration::from_millis(500);
            while let Ok(true) = connection.send_deaf(&many, quiet).await {}
        });
        drop(attacked.bears(what, 32 * MIB, attack).await);
    }
}
