//! Sends requests within the limits, as visitors, and keeps what was found.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::call::{Answer, Call, clip};
use super::client::{Client, Failure, Target};
use super::finding::{Findings, LiveCoverage, LiveFinding};
use super::listener::Listener;
use super::options::{Account, LiveOptions};
use super::point::Point;
use super::route::Route;
use crate::sources::Error;

/// Why the audit ends early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// The limit of requests or of time is reached.
    Budget(&'static str),
    /// The application does not answer any more.
    Dead(String),
    /// An account cannot sign in again.
    SignedOut(String),
}

/// A visitor: cookies and headers of its own.
#[derive(Debug, Clone, Default)]
pub(super) struct Visitor {
    pub(super) name: String,
    pub(super) jar: BTreeMap<String, String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) account: Option<Account>,
    pub(super) witness: Option<Witness>,
}

/// A page that shows whether somebody is signed in.
#[derive(Debug, Clone)]
pub(super) struct Witness {
    pub(super) target: String,
    pub(super) status: u16,
    /// A word that only those see who are signed in.
    pub(super) word: Option<String>,
}

impl Witness {
    pub(super) fn sees(&self, answer: &Answer) -> bool {
        answer.status == self.status
            && self
                .word
                .as_ref()
                .is_none_or(|word| answer.text.to_lowercase().contains(word))
    }
}

/// A cookie that was set.
#[derive(Debug, Clone)]
pub(super) struct SeenCookie {
    pub(super) value: String,
    /// The whole line.
    pub(super) line: String,
    pub(super) target: String,
}

/// Nobody: the visitor without an account is always the first.
pub(super) const NOBODY: usize = 0;

#[derive(Debug)]
pub(super) struct Engine {
    pub(super) client: Client,
    pub(super) options: LiveOptions,
    pub(super) visitors: Vec<Visitor>,
    pub(super) routes: Vec<Route>,
    pub(super) findings: Findings,
    pub(super) coverage: LiveCoverage,
    pub(super) listener: Option<Listener>,
    /// Every cookie that was set, by its name: the last one.
    pub(super) cookies: BTreeMap<String, SeenCookie>,
    pub(super) began: Instant,
    /// The account that sends what needs no other.
    pub(super) me: usize,
    next: Instant,
    serial: u64,
    salt: u64,
    late: u32,
}

impl Engine {
    pub(super) async fn open(url: &str, options: &LiveOptions) -> Result<Self, Error> {
        let target = Target::read(url, options.permitted_host.as_deref())?;
        let listener = if target.is_loopback {
            Listener::open().await.ok()
        } else {
            None
        };
        let client = Client::open(target, options.authority.as_deref(), options.patience)?;
        let nobody = Visitor {
            name: "nobody".to_owned(),
            ..Visitor::default()
        };
        let random = dewar::secrets::random::<8>();
        Ok(Self {
            client,
            options: options.clone(),
            visitors: vec![nobody],
            routes: Vec::new(),
            findings: Findings {
                file: options.progress_file.clone(),
                ..Findings::default()
            },
            coverage: LiveCoverage::default(),
            listener,
            cookies: BTreeMap::new(),
            began: Instant::now(),
            me: NOBODY,
            next: Instant::now(),
            serial: 0,
            salt: u64::from_le_bytes(random) % 100_000,
            late: 0,
        })
    }

    pub(super) const fn target(&self) -> &Target {
        &self.client.target
    }

    /// The beginning of every marker of this audit.
    pub(super) fn own(&self) -> String {
        format!("zq{:05}x", self.salt)
    }

    /// A word that stands nowhere else: letters and digits, and it begins with a letter.
    pub(super) fn marker(&mut self) -> String {
        self.serial += 1;
        format!("zq{:05}x{:04}z", self.salt, self.serial)
    }

    /// Two numbers whose product is not in any answer by chance.
    pub(super) fn factors(&mut self) -> (u64, u64, String) {
        self.serial += 1;
        let left = 10_007 + (self.salt * 31 + self.serial * 7919) % 80_000;
        let right = 11_003 + (self.salt * 17 + self.serial * 104_729) % 80_000;
        (left, right, (left * right).to_string())
    }

    pub(super) fn visitor(&self, who: usize) -> Visitor {
        self.visitors.get(who).cloned().unwrap_or_default()
    }

    /// Sends an attack: its answer changes nothing of the visitor.
    pub(super) async fn send(&mut self, who: usize, call: &Call) -> Result<Answer, Stop> {
        let visitor = self.visitor(who);
        let cookies = cookies_of(&visitor, call);
        let mut call = call.clone();
        for (name, value) in &visitor.headers {
            if !call
                .headers
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
            {
                call.headers.push((name.clone(), value.clone()));
            }
        }
        self.exchange(&call, &cookies).await
    }

    /// Sends a request as a browser does: it keeps the cookies of the answer.
    pub(super) async fn visit(&mut self, who: usize, call: &Call) -> Result<Answer, Stop> {
        let answer = self.send(who, call).await?;
        if let Some(visitor) = self.visitors.get_mut(who) {
            keep_cookies(&mut visitor.jar, &answer);
        }
        Ok(answer)
    }

    /// Follows redirects on this origin.
    pub(super) async fn follow(
        &mut self,
        who: usize,
        call: &Call,
    ) -> Result<(Answer, String), Stop> {
        let mut answer = self.visit(who, call).await?;
        let mut at = call.target();
        for _ in 0..5 {
            if !answer.is_redirect() {
                break;
            }
            let Some(next) = self.target().local(&at, answer.header("location")) else {
                break;
            };
            if super::route::danger(&next, "").is_some() {
                break;
            }
            answer = self.visit(who, &Call::get(&next)).await?;
            at = next;
        }
        Ok((answer, at))
    }

    async fn exchange(
        &mut self,
        call: &Call,
        cookies: &[(String, String)],
    ) -> Result<Answer, Stop> {
        let mut refused = 0;
        loop {
            self.check_budget()?;
            self.wait_for_turn().await;
            self.coverage.requests += 1;
            match self.client.send(call, cookies).await {
                Ok(answer) => {
                    self.late = 0;
                    self.note_cookies(call, &answer);
                    super::passive::look(self, call, &answer);
                    return Ok(answer);
                }
                Err(Failure::Unwritable | Failure::Broken) => return Ok(Answer::default()),
                Err(Failure::Late) => {
                    self.late += 1;
                    if self.late > 5 {
                        return Err(Stop::Dead(format!(
                            "it did not answer in time to {}",
                            call.target()
                        )));
                    }
                    return Ok(Answer {
                        took: self.client.patience,
                        ..Answer::default()
                    });
                }
                Err(Failure::Unreachable(why)) => {
                    refused += 1;
                    if refused > 12 {
                        return Err(Stop::Dead(why));
                    }
                    // A development server starts again after a crash.
                    tokio::time::sleep(Duration::from_millis(250)).await;
                }
            }
        }
    }

    fn note_cookies(&mut self, call: &Call, answer: &Answer) {
        for line in answer.all("set-cookie") {
            let pair = line.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else {
                continue;
            };
            let value = value.trim().trim_matches('"').to_owned();
            if !value.is_empty() && self.cookies.len() < 50 {
                let seen = SeenCookie {
                    value,
                    target: call.target(),
                    line: line.clone(),
                };
                self.cookies.insert(name.trim().to_owned(), seen);
            }
        }
    }

    fn check_budget(&self) -> Result<(), Stop> {
        if self.coverage.requests >= self.options.max_requests {
            return Err(Stop::Budget("the limit of requests is reached"));
        }
        if self.began.elapsed() >= self.options.max_time {
            return Err(Stop::Budget("the limit of time is reached"));
        }
        Ok(())
    }

    async fn wait_for_turn(&mut self) {
        let now = Instant::now();
        if self.next > now {
            tokio::time::sleep(self.next - now).await;
        }
        self.next = Instant::now() + Duration::from_secs(1) / self.options.rate.max(1);
    }

    /// Says what is about to be changed.
    pub(super) fn announce(&self, call: &Call) {
        if self.options.verbose && call.is_write() {
            drop(writeln!(
                io::stderr(),
                "dewar-audit: sends {} {}",
                call.method,
                clip(&call.target(), 200)
            ));
        }
    }

    /// A finding at a place of a request, with its proof.
    pub(super) fn report(
        &mut self,
        id: &str,
        route: &Route,
        point: &Point,
        call: &Call,
        answer: &Answer,
        shows: &str,
    ) {
        let name = route.parameter(point);
        let finding = LiveFinding::of(id, &call.method, &route.pattern).at(point.place(), &name);
        self.prove(finding, call, answer, shows);
    }

    /// Adds the request, the answer and the command that repeats it.
    pub(super) fn prove(
        &mut self,
        mut finding: LiveFinding,
        call: &Call,
        answer: &Answer,
        shows: &str,
    ) {
        let origin = self.target().origin();
        if finding.url.is_empty() {
            finding.url = format!("{origin}{}", clip(&call.target(), 500));
        }
        let body = call
            .content()
            .map(|(_, bytes)| clip(&String::from_utf8_lossy(&bytes), 400))
            .unwrap_or_default();
        finding.evidence.push(
            format!(
                "request: {} {} {body}",
                call.method,
                clip(&call.target(), 400)
            )
            .trim_end()
            .to_owned(),
        );
        finding.evidence.push(format!(
            "answer: {} {}",
            answer.status,
            clip(&answer.around(shows), 500)
        ));
        finding.evidence.push(call.curl(&origin, &call.cookies));
        self.findings.add(finding);
    }
}

fn cookies_of(visitor: &Visitor, call: &Call) -> Vec<(String, String)> {
    let mut all = visitor.jar.clone();
    all.extend(call.cookies.iter().cloned());
    // An empty value takes the cookie out.
    all.into_iter()
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

pub(super) fn keep_cookies(jar: &mut BTreeMap<String, String>, answer: &Answer) {
    for line in answer.all("set-cookie") {
        let mut parts = line.split(';');
        let Some((name, value)) = parts.next().and_then(|pair| pair.split_once('=')) else {
            continue;
        };
        let lower = line.to_ascii_lowercase();
        let ends = value.trim().is_empty()
            || lower.contains("max-age=0")
            || lower.contains("expires=thu, 01 jan 1970");
        if ends {
            jar.remove(name.trim());
        } else if jar.len() < 50 {
            jar.insert(
                name.trim().to_owned(),
                value.trim().trim_matches('"').to_owned(),
            );
        }
    }
}
