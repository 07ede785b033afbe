//! Commands of an application's own: beside the framework's, with the rooms open, or reading alone.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use dewar::app::{Progress, ReadOnlyDewar};
use dewar::database::Migration;
use dewar::{App, Command, Dewar, Error, ReadCommand, Settings, clap};
use tempfile::TempDir;

const TICKETS: Migration = Migration::new(
    "tickets_0001",
    "CREATE TABLE tickets (id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT NOT NULL) STRICT",
);

/// How many rows the last command that reads has seen.
static SEEN: AtomicI64 = AtomicI64::new(-1);

#[derive(Settings)]
#[settings(section = "helpdesk")]
struct Helpdesk {
    #[setting(default = "4h")]
    answer_within: Duration,
}

/// Write tickets into the table
#[derive(clap::Args)]
struct Fill {
    /// How many
    #[arg(long, default_value_t = 2)]
    tickets: i64,
}

impl Command for Fill {
    const NAME: &'static str = "fill";

    async fn run(self, dewar: Dewar) -> dewar::Result {
        let progress = Progress::of(self.tickets.unsigned_abs(), "tickets");
        for number in 0..self.tickets {
            let insert = "INSERT INTO tickets (title) VALUES (?)";
            dewar
                .db()
                .execute(insert, [format!("{number}").into()])
                .await?;
            progress.add(1);
        }
        let within = dewar.settings::<Helpdesk>()?.answer_within;
        assert_eq!(within, Duration::from_secs(4 * 3600));
        Ok(())
    }
}

/// Count the tickets
#[derive(clap::Parser)]
struct Count {
    /// Remove them, which a command that reads cannot do
    #[arg(long)]
    remove: bool,
    /// Fail with this exit status
    #[arg(long)]
    status: Option<u8>,
}

impl ReadCommand for Count {
    const NAME: &'static str = "count";

    async fn run(self, dewar: ReadOnlyDewar) -> dewar::Result {
        dewar.settings::<Helpdesk>()?;
        let rows = dewar.db().query("SELECT count(*) FROM tickets", []).await?;
        SEEN.store(rows[0].get(0)?, Ordering::SeqCst);
        if self.remove {
            dewar.db().execute("DELETE FROM tickets", []).await?;
        }
        match self.status {
            Some(status) => Err(Error::command("as you asked").exit_status(status)),
            None => Ok(()),
        }
    }
}

fn app(folder: &TempDir) -> App {
    App::in_directory(folder)
        .unwrap()
        .migrations([TICKETS])
        .settings::<Helpdesk>()
        .command::<Fill>()
        .read_command::<Count>()
}

async fn told(app: App, words: &[&str]) -> String {
    match app.run(words.iter().copied()).await {
        Ok(()) => String::new(),
        // As `main` prints it.
        Err(error) => format!("{error:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_runs_with_the_rooms_open_and_another_only_reads() {
    let folder = tempfile::tempdir().unwrap();
    let early = told(app(&folder), &["count"]).await;
    assert_eq!(early, "the database does not exist yet");
    assert_eq!(told(app(&folder), &["fill", "--tickets", "3"]).await, "");
    assert_eq!(told(app(&folder), &["count"]).await, "");
    assert_eq!(SEEN.load(Ordering::SeqCst), 3);
    let refused = told(app(&folder), &["count", "--remove"]).await;
    assert!(
        refused.contains("the command `count` changes rows"),
        "{refused}"
    );
    assert_eq!(told(app(&folder), &["count"]).await, "");
    assert_eq!(SEEN.load(Ordering::SeqCst), 3, "nothing was removed");
    let failed = told(app(&folder), &["count", "--status", "3"]).await;
    assert_eq!(failed, "as you asked");
    // A newer program beside an older one: the tables are not ready for the command.
    let newer = app(&folder).migrations([Migration::new(
        "tickets_0002",
        "CREATE TABLE agents (id INTEGER PRIMARY KEY AUTOINCREMENT) STRICT",
    )]);
    let pending = told(newer, &["count"]).await;
    assert!(pending.contains("run `migrate` first"), "{pending}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_tells_of_both_kinds_of_commands() {
    let folder = tempfile::tempdir().unwrap();
    let help = told(app(&folder), &["--help"]).await;
    for part in [
        "routes",
        "Write tickets into the table",
        "Count the tickets",
        "--data",
    ] {
        assert!(help.contains(part), "{part}: {help}");
    }
    let help = told(app(&folder), &["fill", "--help"]).await;
    assert!(
        help.contains("How many") && help.contains("--data"),
        "{help}"
    );
    for (words, part) in [
        (&["fll"][..], "a similar subcommand exists: 'fill'"),
        (&["reseal"], "reencrypt"),
        (&["fill", "--ticket", "1"], "--tickets"),
        (&["fill", "--tickets", "many"], "invalid value 'many'"),
        (&["count", "--data", "/elsewhere"], "before the command"),
    ] {
        let told = told(app(&folder), words).await;
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(told(app(&folder), &["routes"]).await, "");
    assert!(!folder.path().join("keys").exists(), "nothing was made");
}

macro_rules! commands {
    ($($command:ident $name:literal { $($(#[$attribute:meta])* $field:ident: $ty:ty)? })*) => {$(
        #[derive(clap::Args)]
        struct $command {
            $(
                $(#[$attribute])*
                $field: $ty
            )?
        }

        impl Command for $command {
            const NAME: &'static str = $name;

            async fn run(self, _: Dewar) -> dewar::Result {
                Ok(())
            }
        }
    )*};
}

commands! {
    Routes "routes" {}
    Old "reseal" {}
    Help "help" {}
    Spaced "re index" {}
    Again "fill" {}
    Place "place" { #[arg(long)] data: String }
    Version "version" { #[arg(short = 'V')] verbose: bool }
}

commands! {
    ShortName "argument" { #[arg(long, short_alias = 'h')] high: bool }
    LongName "long" { #[arg(long, visible_alias = "https")] secure: bool }
    Nested "nested" { #[command(subcommand)] what: Inner }
}

#[derive(clap::Subcommand)]
enum Inner {
    One {
        #[arg(long, alias = "data")]
        place: String,
    },
}

#[derive(clap::Args)]
#[command(visible_alias = "routes")]
struct Alias {}

impl Command for Alias {
    const NAME: &'static str = "ways";

    async fn run(self, _: Dewar) -> dewar::Result {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_name_of_a_command_or_an_argument_is_judged_like_the_first() {
    let folder = tempfile::tempdir().unwrap();
    for (app, part) in [
        (
            app(&folder).command::<Alias>(),
            "two commands are named `routes`",
        ),
        (
            app(&folder).command::<ShortName>(),
            "the argument `high` of the command `argument`",
        ),
        (
            app(&folder).command::<LongName>(),
            "the argument `secure` of the command `long`",
        ),
        (
            app(&folder).command::<Nested>(),
            "the argument `place` of the command `nested`",
        ),
    ] {
        let error = format!("{:?}", app.start().await.unwrap_err());
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_cannot_stand_beside_the_others_refuses_the_start() {
    let folder = tempfile::tempdir().unwrap();
    for (app, part) in [
        (
            app(&folder).command::<Routes>(),
            "two commands are named `routes`",
        ),
        (
            app(&folder).command::<Old>(),
            "two commands are named `reseal`",
        ),
        (
            app(&folder).command::<Help>(),
            "two commands are named `help`",
        ),
        (
            app(&folder).command::<Again>(),
            "two commands are named `fill`",
        ),
        (
            app(&folder).command::<Spaced>(),
            "the command `re index` has no name",
        ),
        (
            app(&folder).command::<Place>(),
            "the argument `data` of the command `place`",
        ),
        (
            app(&folder).command::<Version>(),
            "the argument `verbose` of the command `version`",
        ),
    ] {
        let error = format!("{:?}", app.start().await.unwrap_err());
        assert!(error.contains(part), "{part}: {error}");
    }
    let refused = app(&folder).command::<Again>();
    let error = told(refused, &["count"]).await;
    assert!(error.contains("two commands are named `fill`"), "{error}");
    app(&folder).start().await.unwrap().stop().await.unwrap();
}
