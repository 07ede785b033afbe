use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bounds on what a form may bring.
///
/// ```
/// let config = dewar::forms::Config::default();
/// assert_eq!(config.fields, 200);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The most bytes of all texts together.
    pub body: usize,
    /// The most fields.
    pub fields: usize,
    /// The most files. Each has its own limit of bytes in its type.
    pub files: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { body: 1024 * 1024, fields: 200, files: 20 }
    }
}

/// The most bytes of a field's name.
pub(super) const NAME: usize = 64;

/// The room's handle: its bounds, and the quarantine where files wait until somebody has looked at them.
#[derive(Debug, Clone)]
pub struct Intake(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: Config,
    quarantine: PathBuf,
}

impl Intake {
    /// Makes the quarantine, readable by its owner alone, and empties it: what lies there was left behind by a process
    /// that was killed.
    ///
    /// # Errors
    /// The directory cannot be made, or not be emptied.
    pub fn open(config: Config, quarantine: &Path) -> io::Result<Self> {
        create_private(quarantine)?;
        for entry in fs::read_dir(quarantine)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Self(Arc::new(Inner { config, quarantine: quarantine.to_owned() })))
    }

    /// The bounds.
    #[must_use]
    pub fn config(&self) -> Config {
        self.0.config
    }

    pub(super) fn quarantine(&self) -> &Path {
        &self.0.quarantine
    }
}

fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_in_quarantine_is_gone_at_start() {
        let directory = tempfile::tempdir().unwrap();
        let quarantine = directory.path().join("quarantine");
        fs::create_dir(&quarantine).unwrap();
        fs::write(quarantine.join("half"), "half a file").unwrap();
        Intake::open(Config::default(), &quarantine).unwrap();
        assert_eq!(fs::read_dir(&quarantine).unwrap().count(), 0);
    }
}
