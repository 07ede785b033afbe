use std::fmt::Display;
use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressStyle};

use super::commands::print;
use crate::pages::Error;

/// The progress of a command, as a bar on a terminal. A file or a pipe gets no bar.
///
/// The bar disappears when this value is dropped.
///
/// ```
/// use dewar::app::Progress;
/// let tickets = ["printer", "door"];
/// let progress = Progress::of(2, "tickets");
/// for ticket in tickets {
///     progress.print(format_args!("{ticket}: done"))?;
///     progress.add(1);
/// }
/// # Ok::<(), dewar::Error>(())
/// ```
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// A bar for so many things of a unit, such as `"tickets"`.
    #[must_use]
    pub fn of(total: u64, unit: &'static str) -> Self {
        let progress = Self::drawn(
            Some(total),
            "{wide_bar} {human_pos} of {human_len} {msg} {eta}",
        );
        progress.name(unit);
        progress
    }

    /// A count of things of a unit whose total nobody knows.
    #[must_use]
    pub fn counted(unit: &'static str) -> Self {
        let progress = Self::drawn(None, "{spinner} {human_pos} {msg}");
        progress.name(unit);
        progress
    }

    /// The same, drawn in another way.
    pub(super) fn drawn(total: Option<u64>, template: &'static str) -> Self {
        if !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = total.map_or_else(ProgressBar::no_length, ProgressBar::new);
        let style = ProgressStyle::with_template(template);
        Self(bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())))
    }

    /// Whether somebody sees the bar, so that the total is worth counting.
    pub(super) fn is_seen() -> bool {
        io::stderr().is_terminal()
    }

    pub(super) fn name(&self, name: impl Into<std::borrow::Cow<'static, str>>) {
        self.0.set_message(name);
    }

    /// So many more are done.
    pub fn add(&self, done: u64) {
        self.0.inc(done);
    }

    /// So many are done.
    pub fn set(&self, done: u64) {
        self.0.set_position(done);
    }

    /// Prints a line on standard output, above the bar.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn print(&self, line: impl Display) -> Result<(), Error> {
        self.0.suspend(|| print(&format_args!("{line}\n")))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
