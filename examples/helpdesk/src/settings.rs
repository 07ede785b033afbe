//! The settings of the help desk: `[helpdesk]` in `dewar.toml`.

use std::time::Duration;

use dewar::Settings;
use dewar::forms::Line;

#[derive(Settings)]
#[settings(section = "helpdesk")]
pub struct DeskSettings {
    /// The name of the desk, on the front page and in letters.
    #[setting(default = "Help desk")]
    pub name: Line<60>,
    /// How long a ticket waits for its customer before it is closed.
    #[setting(default = "14d", min = "1d", max = "365d")]
    pub close_after: Duration,
}
