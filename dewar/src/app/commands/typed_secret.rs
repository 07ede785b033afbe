use std::io::{self, BufRead, Cursor, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// A password or a key that an operator types at a terminal: one line, which the terminal does not show (CWE-549).
#[derive(Default)]
pub(super) struct TypedSecret(Option<Cursor<Zeroizing<Vec<u8>>>>);

impl Read for TypedSecret {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let line = match &mut self.0 {
            Some(line) => line,
            None => self.0.insert(Cursor::new(ask()?)),
        };
        line.read(buffer)
    }
}

fn ask() -> io::Result<Zeroizing<Vec<u8>>> {
    let terminal = io::stdin();
    let before = Restored(tcgetattr(&terminal)?);
    let mut silent = before.0.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    silent.local_modes.insert(LocalModes::ECHONL);
    tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
    write!(
        io::stderr(),
        "Type it and press Enter (the terminal does not show it): "
    )?;
    let mut line = Zeroizing::new(Vec::with_capacity(4_096));
    terminal.lock().take(4_096).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// The settings of the terminal; dropping this restores them.
struct Restored(Termios);

impl Drop for Restored {
    fn drop(&mut self) {
        // Nobody needs this error: the command ends, and a shell resets its terminal by itself.
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &self.0);
    }
}
