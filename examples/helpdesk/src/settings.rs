//! The settings of the help desk: `[helpdesk]` in `dewar.toml`.

use std::time::Duration;

use dewar::forms::Line;
use dewar::pages::JsonSchema;
use dewar::serde::Serialize;
use dewar::{Dewar, Settings};

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

/// The values of every page, those of the framework too: `{{ layout.desk }}`.
#[derive(Serialize, JsonSchema)]
#[serde(crate = "dewar::serde")]
pub struct Layout {
    desk: Option<Line<60>>,
}

impl Layout {
    pub fn of(dewar: &Dewar) -> Self {
        let settings = dewar.settings::<DeskSettings>().ok();
        let desk = settings.map(|own| own.name.clone());
        Self { desk }
    }
}
