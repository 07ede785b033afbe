//! Runs a command with a PostgreSQL server of its own: `cargo run -p test-servers --bin with-postgres -- cargo test …`.
//!
//! The server has its data in a temporary directory, listens on a socket there and nowhere else, and ends with the command. The
//! command finds its address in `TEST_DATABASE_URL`.
#![expect(
    clippy::disallowed_types,
    reason = "it runs PostgreSQL, and the command that it is given"
)]

use std::error::Error;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

/// The folders in which Debian installs the server.
const VERSIONS: [&str; 4] = ["18", "17", "16", "15"];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let program = arguments.next().ok_or("which command?")?;
    let folder = tempfile::Builder::new().prefix("dewar-pg-").tempdir()?;
    let mut server = Server::start(folder.path())?;
    let socket = folder.path().display();
    let status = Command::new(program)
        .args(arguments)
        .env(
            "TEST_DATABASE_URL",
            format!("postgres:///postgres?host={socket}&user=dewar"),
        )
        // For `psql`.
        .env("PGHOST", folder.path())
        .env("PGUSER", "dewar")
        .env("PGDATABASE", "postgres")
        .status();
    server.stop()?;
    let code = status?.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// A running server.
struct Server {
    child: Child,
    data: PathBuf,
}

impl Server {
    fn start(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let programs = VERSIONS
            .iter()
            .map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")))
            .find(|programs| programs.join("initdb").is_file())
            .ok_or("PostgreSQL is not installed (apt-get install postgresql)")?;
        let data = folder.join("data");
        std::fs::set_permissions(folder, Permissions::from_mode(0o755))?;
        let is_root = Command::new("id").arg("-u").output()?.stdout == b"0\n";
        if is_root {
            run(Command::new("chown").arg("postgres").arg(folder))?;
        }
        // It refuses to run as root.
        let as_owner = |program: &str| {
            let path = programs.join(program);
            let mut command = if is_root {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(path);
                command
            } else {
                Command::new(path)
            };
            command.current_dir("/").stdout(Stdio::null());
            command
        };
        run(as_owner("initdb")
            .args([
                "-U",
                "dewar",
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--locale=C",
                "--no-sync",
                "-D",
            ])
            .arg(&data))?;
        let socket = folder.display();
        let child = as_owner("postgres")
            .arg("-D")
            .arg(&data)
            .args(["-c", "listen_addresses=", "-c", "fsync=off"])
            .args(["-c", "max_connections=500", "-c", "shared_buffers=256MB"])
            .args(["-c", "max_pred_locks_per_transaction=256"])
            .args([
                "-c",
                "logging_collector=off",
                "-c",
                "log_min_messages=fatal",
            ])
            .args(["-c", &format!("unix_socket_directories={socket}")])
            .spawn()?;
        let mut server = Self { child, data };
        while UnixStream::connect(folder.join(".s.PGSQL.5432")).is_err() {
            if let Some(status) = server.child.try_wait()? {
                return Err(format!("PostgreSQL ended: {status}").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Ends it at once; its data is not needed any more.
    fn stop(&mut self) -> std::io::Result<()> {
        let written = std::fs::read_to_string(self.data.join("postmaster.pid"))?;
        if let Some(pid) = written.lines().next() {
            Command::new("kill").args(["-QUIT", pid]).status()?;
        }
        self.child.wait().map(drop)
    }
}

fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let done = command.output()?;
    if done.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&done.stderr).into_owned().into())
}
