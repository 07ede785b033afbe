//! A command beside the framework's: `cargo run -p doors --bin command -- greet --name Ada`.

use dewar::{App, Command, Dewar, Error, clap, get};

/// Remember a greeting
#[derive(clap::Args)]
struct Greet {
    /// Whom to greet
    #[arg(long)]
    name: String,
}

impl Command for Greet {
    const NAME: &'static str = "greet";

    async fn run(self, dewar: Dewar) -> dewar::Result {
        if self.name.is_empty() {
            return Err(Error::command("a greeting needs a name").exit_status(3));
        }
        let add = "INSERT INTO greetings (name) VALUES (?)";
        dewar.db().execute(add, [self.name.into()]).await?;
        Ok(())
    }
}

async fn index() -> &'static str {
    "Stop the program, and run it again with `greet --name Ada`."
}

pub fn app(app: App) -> App {
    app.public([get("/", index)])
        .command::<Greet>()
        .migrations([dewar::database::Migration::new(
            "greetings",
            "CREATE TABLE greetings (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL) STRICT",
        )])
}

#[cfg(test)]
mod tests {
    use dewar::App;

    #[tokio::test]
    async fn the_command_runs_with_the_rooms_open() {
        let directory = std::env::temp_dir().join(format!("greet-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let app = || super::app(App::in_directory(&directory).unwrap());
        app().run(["greet", "--name", "Ada"]).await.unwrap();
        assert!(app().run(["greet", "--name", ""]).await.is_err());
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
