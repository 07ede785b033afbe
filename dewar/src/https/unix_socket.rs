//! A Unix socket for the proxy in front.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

use crate::audit::owner_only;

/// A listening socket, with its file.
#[derive(Debug)]
pub(super) struct UnixSocket {
    listener: UnixListener,
    file: UnixFile,
}

/// The file of a socket. It is removed at the end, unless another program has put its own there.
#[derive(Debug)]
pub(super) struct UnixFile {
    path: PathBuf,
    identity: (u64, u64),
}

impl UnixSocket {
    /// Listens at this path. The owner and the group may connect.
    pub(super) fn bind(path: &Path, backlog: i32) -> io::Result<Self> {
        make_way(path)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        let identity = place(&socket, path)?;
        socket.listen(backlog)?;
        socket.set_nonblocking(true)?;
        let file = UnixFile {
            path: path.to_owned(),
            identity,
        };
        Ok(Self {
            listener: socket.into(),
            file,
        })
    }

    pub(super) fn into_parts(self) -> (UnixListener, UnixFile) {
        (self.listener, self.file)
    }
}

/// Gives the socket its file, with its mode from the first moment at its path.
///
/// The file is made in a directory that nobody else can enter: a link put in its place would turn the change of the mode onto another
/// file. The umask is of the whole process, so it cannot be set for this file alone.
fn place(socket: &Socket, path: &Path) -> io::Result<(u64, u64)> {
    let beside = owner_only::directory_of(path);
    let private = beside.join(format!(".{:x}", std::process::id()));
    let made = private.join("s");
    // A program that was killed here had the same number, as the first of a container has.
    drop(fs::remove_file(&made));
    drop(fs::remove_dir(&private));
    fs::DirBuilder::new().mode(0o700).create(&private)?;
    let placed = SockAddr::unix(&made).and_then(|address| {
        socket.bind(&address)?;
        fs::set_permissions(&made, fs::Permissions::from_mode(0o660))?;
        let identity = owner_only::identity(&fs::symlink_metadata(&made)?);
        fs::rename(&made, path)?;
        Ok(identity)
    });
    drop(fs::remove_file(&made));
    drop(fs::remove_dir(&private));
    placed
}

/// Removes the socket that a killed program left, and nothing else.
fn make_way(path: &Path) -> io::Result<()> {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return Ok(());
    };
    if !metadata.file_type().is_socket() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "another file is there, and no socket",
        ));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(error) => Err(error),
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another program listens there",
        )),
    }
}

impl Drop for UnixFile {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| owner_only::identity(&metadata) == self.identity);
        if is_ours {
            drop(fs::remove_file(&self.path));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_replaces_the_one_of_a_killed_program_and_no_other_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("http");
        let first = UnixSocket::bind(&path, 8).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o660);
        // The private directory is gone, and the socket is reached at its path.
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
        let taken = UnixSocket::bind(&path, 8).unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        // Killed: the file stays, and nobody listens.
        let (listener, file) = first.into_parts();
        std::mem::forget(file);
        drop(listener);
        assert!(path.exists());
        let second = UnixSocket::bind(&path, 8).unwrap();
        drop(second);
        assert!(!path.exists(), "it is removed at the end");
        fs::write(&path, "a letter").unwrap();
        let other = UnixSocket::bind(&path, 8).unwrap_err();
        assert_eq!(other.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"a letter");
    }
}
