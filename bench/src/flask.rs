//! The portal beside Flask: the same data, TLS and pages, with Flask-Security, Flask-WTF, Flask-Talisman and Flask-SQLAlchemy
//! under gunicorn, behind nginx. `bench/flask` has the program.
#![expect(
    clippy::disallowed_types,
    reason = "a measurement starts what it measures"
)]

use std::fs;
use std::io::{self, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use http::StatusCode;

use crate::Result;
use crate::client::{Site, token};
use crate::command::Flask as Wanted;
use crate::form;
use crate::load::{Measured, WARM_UP, measure};
use crate::pages::{Asked, Page, all_rows};
use crate::report::{median, sorted};
use crate::server::{Server, Used, used_by};
use crate::world::{EMAIL, PASSWORD, World};

/// The pages that both have, by their names in the comparison with bare axum.
const BOTH: [&str; 4] = ["documents", "front", "form", "static"];

/// nginx and gunicorn with their workers, as one server; dropping this value ends them.
struct Flask {
    masters: Vec<Child>,
    site: Site,
    cookie: String,
    token: String,
}

impl Used for Flask {
    fn used(&self) -> Result<Duration> {
        let all = self
            .masters
            .iter()
            .map(|master| used_with_children(master.id()));
        all.sum()
    }
}

fn used_with_children(process: u32) -> Result<Duration> {
    let children = fs::read_to_string(format!("/proc/{process}/task/{process}/children"))?;
    let mut used = used_by(process)?;
    for child in children.split_whitespace() {
        used += used_with_children(child.parse()?)?;
    }
    Ok(used)
}

impl Drop for Flask {
    fn drop(&mut self) {
        for master in &mut self.masters {
            // A master that gets the signal to end also ends its workers; killing it would leave them.
            let ended = Command::new("kill").arg(master.id().to_string()).status();
            drop(ended.and_then(|_| master.wait()));
        }
    }
}

impl Flask {
    async fn start(world: &World, workers: usize) -> Result<Self> {
        let folder = world.data().with_file_name("flask");
        fs::create_dir(&folder)?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("flask");
        let python = |program: &str| folder.join("python").join("bin").join(program);
        done(
            Command::new("python3")
                .arg("-m")
                .arg("venv")
                .arg(folder.join("python")),
        )?;
        let list = source.join("requirements.txt");
        done(
            Command::new(python("pip"))
                .args(["install", "--quiet", "-r"])
                .arg(list),
        )?;
        let mut filled = Self::command(python("python"), &source, &folder);
        done(
            filled
                .arg("app.py")
                .arg(world.data().join("database.sqlite")),
        )?;
        let mut gunicorn = Self::command(python("gunicorn"), &source, &folder);
        gunicorn
            .arg("--bind")
            .arg(format!("unix:{}", folder.join("gunicorn.sock").display()));
        gunicorn.args([
            "--worker-class",
            "gthread",
            "--threads",
            "4",
            "--keep-alive",
            "75",
        ]);
        gunicorn
            .arg("--workers")
            .arg(workers.to_string())
            .arg("app:app");
        let mut nginx = Command::new("/usr/sbin/nginx");
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        nginx
            .arg("-c")
            .arg(Self::nginx(&source, &folder, world, port)?);
        let mut flask = Self {
            masters: vec![gunicorn.spawn()?, nginx.spawn()?],
            site: Site::new(port, &world.authority())?,
            cookie: String::new(),
            token: String::new(),
        };
        flask.sign_in().await?;
        Ok(flask)
    }

    fn command(program: PathBuf, source: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(source).env("HOME", folder);
        command
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PEER_PASSWORD", PASSWORD);
        command.env(
            "PEER_KEY",
            "of a measurement, and of nothing else in the world",
        );
        command.env("PEER_SALT", "146585145368132386173505678016728509634");
        command.env("PEER_DATABASE", folder.join("peer.sqlite"));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Writes the settings of nginx, with the portal's certificate.
    fn nginx(source: &Path, folder: &Path, world: &World, port: u16) -> Result<PathBuf> {
        let authority = world.data().join("local-authority");
        let files = source.join("../../portal/static");
        let said = |path: PathBuf| path.display().to_string();
        let text = fs::read_to_string(source.join("nginx.conf"))?
            .replace("{folder}", &said(folder.to_owned()))
            .replace("{port}", &port.to_string())
            .replace("{certificate}", &said(authority.join("localhost.pem")))
            .replace("{key}", &said(authority.join("localhost.key")))
            .replace("{files}", &said(files));
        let file = folder.join("nginx.conf");
        fs::write(&file, text)?;
        Ok(file)
    }

    /// Waits until it responds, and signs in like a user.
    async fn sign_in(&mut self) -> Result {
        let mut form = None;
        for _ in 0..600 {
            if let Ok(mut connection) = self.site.connect().await
                && let Ok(answer) = connection.ask(self.site.get("/", None)?).await
                && answer.status == StatusCode::OK
            {
                form = Some(answer);
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let form = form.ok_or("Flask did not answer for a minute")?;
        let fields = [
            ("csrf_token", form.token()?),
            ("email", EMAIL),
            ("password", PASSWORD),
        ];
        let posted = self.site.post("/login", Some(&form.cookies()), &fields)?;
        let answer = self.site.connect().await?.ask(posted).await?;
        if answer.status != StatusCode::FOUND {
            return Err(format!("signing in to Flask was answered with {}", answer.status).into());
        }
        self.cookie = answer.cookies();
        let asked = self.site.get("/documents", Some(&self.cookie))?;
        let page = self.site.connect().await?.ask(asked).await?;
        page.token()?.clone_into(&mut self.token);
        Ok(())
    }

    async fn ask(&self, page: &Page) -> Result<(Asked, String)> {
        let path = match page.name {
            "documents" => "/documents",
            "form" => form::PATH,
            "static" => "/static/portal.css",
            _ => "/",
        };
        let mut asked = Asked {
            path: path.to_owned(),
            cookie: page.signed_in.then(|| self.cookie.clone()),
            fields: page
                .takes_form
                .then(|| format!("csrf_token={}&{}", self.token, form::FIELDS)),
            status: page.status,
            length: 0,
        };
        let answer = self
            .site
            .connect()
            .await?
            .ask(asked.request(&self.site)?)
            .await?;
        let body = String::from_utf8(answer.body.to_vec())?;
        if answer.status != page.status {
            return Err(format!("Flask answered {path} with {}:\n{body}", answer.status).into());
        }
        asked.length = body.len();
        Ok((asked, body))
    }
}

fn done(command: &mut Command) -> Result {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}: {said}", command.get_program().display()).into())
}

pub(crate) async fn run(wanted: &Wanted) -> Result {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let world = World::make()?;
    let portal = Server::portal(world.data(), wanted.workers)?;
    let site = Site::new(portal.port(), &world.authority())?;
    let session = site.session().await?;
    let flask = Flask::start(&world, wanted.workers.workers.map_or(cores, usize::from)).await?;
    let (time, many) = (Duration::from_secs(wanted.seconds), wanted.connections);
    let mut out = io::stdout();
    writeln!(
        out,
        "{:<10} {:>13} {:>13} {:>10} {:>10}  CPU of Flask by that of the portal (least to most)",
        "page", "Flask bytes", "portal bytes", "Flask us", "portal us"
    )?;
    for name in BOTH {
        let page = Page::named(name)?;
        let (of_flask, theirs) = flask.ask(&page).await?;
        let (of_portal, ours) = page.ask(&site, &session).await?;
        alike(name, &theirs, &ours)?;
        let flask_turn = async |time| measure(&flask, &flask.site, &of_flask, many, time).await;
        let portal_turn = async |time| measure(&portal, &site, &of_portal, many, time).await;
        flask_turn(WARM_UP).await?;
        portal_turn(WARM_UP).await?;
        let mut rounds: Vec<(Measured, Measured)> = Vec::new();
        for number in 0..wanted.rounds {
            // The second server finds a warm processor, so they take turns in going second.
            rounds.push(if number % 2 == 0 {
                let flask = flask_turn(time).await?;
                (flask, portal_turn(time).await?)
            } else {
                let portal = portal_turn(time).await?;
                (flask_turn(time).await?, portal)
            });
        }
        let middle = |of: fn(&(Measured, Measured)) -> f64| {
            let all = sorted(rounds.iter().map(of));
            let ends = (all.first().copied(), all.last().copied());
            (
                median(&all),
                ends.0.unwrap_or_default(),
                ends.1.unwrap_or_default(),
            )
        };
        let (ratio, least, most) = middle(|(flask, portal)| flask.cpu_us / portal.cpu_us);
        writeln!(
            out,
            "{name:<10} {:>13} {:>13} {:>10.1} {:>10.1}  {ratio:.1} ({least:.1} to {most:.1})",
            theirs.len(),
            ours.len(),
            middle(|(flask, _)| flask.cpu_us).0,
            middle(|(_, portal)| portal.cpu_us).0,
        )?;
    }
    Ok(())
}

/// Checks that both pages show the same, in about as many bytes: otherwise Flask would do less work.
fn alike(name: &str, flask: &str, portal: &str) -> Result {
    if name == "documents" {
        all_rows(flask)?;
    }
    if token(flask).is_some() != token(portal).is_some() {
        return Err(
            format!("{name}: one of both pages has a token, and the other has none").into(),
        );
    }
    let (flask, portal) = (flask.len(), portal.len());
    if flask * 10 < portal * 8 || flask * 8 > portal * 10 {
        return Err(format!("{name}: Flask sent {flask} bytes, the portal {portal}").into());
    }
    Ok(())
}
