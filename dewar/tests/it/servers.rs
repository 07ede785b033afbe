//! Servers for tests: each on a free port of this machine, in its own folder, stopped with the test.
#![allow(
    dead_code,
    reason = "each test that includes this file uses a part of it"
)]
#![allow(
    clippy::disallowed_types,
    reason = "a test starts PostgreSQL and Redis, where the file that includes this one does not say it already"
)]

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

// By the crate's name, because the integration tests include this file too.
use dewar::audit::Clock;
use dewar::testing::{Certified, PATIENCE, TestAuthority};

/// The password of these servers.
pub(crate) const PASSWORD: &str = "only for this test";

/// A server that ends when it is dropped, and after five minutes in any case.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    pub(crate) folder: tempfile::TempDir,
    /// The file with the server's process id, if the server is not the child itself.
    pid_file: Option<PathBuf>,
    ended: bool,
}

impl Server {
    /// A file with the password.
    pub(crate) fn password_file(&self) -> PathBuf {
        self.folder.path().join("password")
    }

    /// Kills it at once, as a power cut would.
    pub(crate) fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let noted = self.pid_file.as_ref().and_then(|file| {
            let text = std::fs::read_to_string(file).ok()?;
            text.lines().next().map(str::to_owned)
        });
        let pid = noted.unwrap_or_else(|| self.child.id().to_string());
        // If the first was enough, the second finds no process.
        let own = self.child.id().to_string();
        for arguments in [["-QUIT", &pid], ["-TERM", &own]] {
            drop(
                Command::new("kill")
                    .args(arguments)
                    .stderr(Stdio::null())
                    .status(),
            );
        }
        drop(self.child.wait());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

/// The path of a program. If it is missing, the test is skipped with a message, and fails in CI.
fn program(package: &str, places: &[&str]) -> Option<PathBuf> {
    let found = places.iter().map(PathBuf::from).find(|path| path.is_file());
    if found.is_none() {
        let text = format!("{places:?}: not installed (apt-get install {package})");
        let deciding = std::env::var_os("CI").is_some_and(|value| value == "true");
        assert!(!deciding, "{text}");
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        writeln!(std::io::stderr(), "\n*** SKIPPED {test}: {text} ***\n").unwrap();
    }
    found
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, format!("{PASSWORD}\n")).unwrap();
    let own = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&password, own).unwrap();
    folder
}

fn started(
    mut command: Command,
    folder: tempfile::TempDir,
    port: u16,
    pid_file: Option<PathBuf>,
) -> Server {
    let said = std::fs::File::create(folder.path().join("said")).unwrap();
    let child = command
        .stdin(Stdio::null())
        .stdout(said.try_clone().unwrap())
        .stderr(said)
        .spawn()
        .unwrap();
    let mut server = Server {
        child,
        port,
        folder,
        pid_file,
        ended: false,
    };
    let end = Instant::now() + PATIENCE;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        let ended = server.child.try_wait().unwrap();
        let said = || std::fs::read_to_string(server.folder.path().join("said")).unwrap();
        assert!(
            ended.is_none() && Instant::now() < end,
            "{ended:?}: {}",
            said()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    server
}

/// A certificate for `localhost`, and the authority that signed it in `authority.pem`.
fn certificate(folder: &Path) -> Certified {
    let authority = TestAuthority::new();
    std::fs::write(folder.join("authority.pem"), authority.pem()).unwrap();
    let now = Clock::system().now();
    authority.certify(folder, &["localhost"], now, 90).unwrap()
}

/// A Redis server, with or without TLS.
pub(crate) fn redis(encrypted: bool) -> Option<Server> {
    let redis = program(
        "redis-server",
        &["/usr/bin/redis-server", "/usr/bin/valkey-server"],
    )?;
    let (folder, port) = (folder(), free_port());
    let path = folder.path().display().to_string();
    let mut text = format!(
        "bind 127.0.0.1\ndir {path}\nsave \"\"\nappendonly no\nrequirepass \"{PASSWORD}\"\n"
    );
    if encrypted {
        let own = certificate(folder.path());
        let (certificate, key) = (own.certificate.display(), own.key.display());
        text.push_str(&format!(
            "port 0\ntls-port {port}\ntls-auth-clients no\ntls-cert-file {certificate}\n\
             tls-key-file {key}\ntls-ca-cert-file {path}/authority.pem\n"
        ));
    } else {
        text.push_str(&format!("port {port}\n"));
    }
    let settings = folder.path().join("redis.conf");
    std::fs::write(&settings, text).unwrap();
    let mut command = Command::new("timeout");
    command.arg("300").arg(redis).arg(settings);
    Some(started(command, folder, port, None))
}

/// A virus scanner that knows the EICAR test file alone, and takes 1 MiB at most.
pub(crate) fn clamd() -> Option<Server> {
    let clamd = program("clamav-daemon", &["/usr/sbin/clamd"])?;
    let (folder, port) = (folder(), free_port());
    let path = folder.path().display().to_string();
    let data = folder.path().join("db");
    std::fs::create_dir(&data).unwrap();
    let eicar = "44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature\n";
    std::fs::write(data.join("eicar.hdb"), eicar).unwrap();
    let settings = folder.path().join("clamd.conf");
    let text = format!(
        "Foreground yes\nDatabaseDirectory {path}/db\nTCPAddr 127.0.0.1\nTCPSocket {port}\n\
         LocalSocket {path}/clamd.ctl\nStreamMaxLength 1M\nTemporaryDirectory {path}\n"
    );
    std::fs::write(&settings, text).unwrap();
    let mut command = Command::new("timeout");
    command.arg("300").arg(clamd).arg("-c").arg(settings);
    Some(started(command, folder, port, None))
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}

/// A program that refuses to run as root.
fn as_postgres(program: &Path, root: bool) -> Command {
    let mut command = Command::new("timeout");
    command.arg("300");
    if root {
        command.args(["runuser", "-u", "postgres", "--"]);
    }
    command.arg(program).current_dir("/");
    command
}

/// The pooler `PgBouncer` before a PostgreSQL server, in one of its modes.
pub(crate) fn pgbouncer(server: &Server, mode: &str) -> Option<Server> {
    let pgbouncer = program("pgbouncer", &["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"])?;
    let (folder, port) = (folder(), free_port());
    let path = folder.path().display().to_string();
    let text = format!(
        "[databases]\npostgres = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
         unix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {path}/users\npool_mode = {mode}\npidfile = {path}/pid\n",
        server.port
    );
    std::fs::write(folder.path().join("pgbouncer.ini"), text).unwrap();
    let user = format!("\"dewar\" \"{PASSWORD}\"\n");
    std::fs::write(folder.path().join("users"), user).unwrap();
    let root = is_root();
    if root {
        let owned = Command::new("chown")
            .args(["-R", "postgres", &path])
            .status();
        assert!(owned.unwrap().success());
    }
    let mut command = as_postgres(&pgbouncer, root);
    command.arg(format!("{path}/pgbouncer.ini"));
    Some(started(
        command,
        folder,
        port,
        Some(format!("{path}/pid").into()),
    ))
}

/// A PostgreSQL server for the test, with TLS for clients that request it. It refuses to run as root.
pub(crate) fn postgres() -> Option<Server> {
    let places =
        ["15", "16", "17", "18"].map(|version| format!("/usr/lib/postgresql/{version}/bin/initdb"));
    let initdb = program("postgresql", &places.each_ref().map(String::as_str))?;
    let (folder, port) = (folder(), free_port());
    let own = certificate(folder.path());
    let data = folder.path().join("data");
    let path = folder.path().display().to_string();
    let root = is_root();
    if root {
        let owned = Command::new("chown")
            .args(["-R", "postgres", &path])
            .status();
        assert!(owned.unwrap().success());
    }
    let made = as_postgres(&initdb, root)
        .args([
            "-U",
            "dewar",
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ])
        .arg(format!("--pwfile={path}/password"))
        .arg("-D")
        .arg(&data)
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let mut command = as_postgres(&initdb.with_file_name("postgres"), root);
    command.arg("-D").arg(&data).args(["-p", &port.to_string()]);
    for setting in [
        "listen_addresses=127.0.0.1".to_owned(),
        format!("unix_socket_directories={path}"),
        "fsync=off".to_owned(),
        "ssl=on".to_owned(),
        format!("ssl_cert_file={}", own.certificate.display()),
        format!("ssl_key_file={}", own.key.display()),
    ] {
        command.args(["-c", &setting]);
    }
    let pid_file = data.join("postmaster.pid");
    Some(started(command, folder, port, Some(pid_file)))
}
