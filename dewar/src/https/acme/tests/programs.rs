//! Programs of the system that tests use.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Child;

/// The path of a program. None skips the test with a message, and fails it on the CI machine.
pub(super) fn or_skip(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file());
    if found.is_none() {
        let deciding = std::env::var_os("CI").is_some_and(|value| value == "true");
        assert!(
            !deciding,
            "{name} is not installed (apt-get install pebble)"
        );
        // Past the test harness, which hides the output of a passing test.
        writeln!(
            std::io::stderr(),
            "\n*** SKIPPED: {name} is not installed (apt-get install pebble) ***\n"
        )
        .unwrap();
    }
    found
}

/// A process that ends with this value.
pub(super) struct Running(pub(super) Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A free address of this machine.
pub(super) fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}
