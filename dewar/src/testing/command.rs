//! The commands of an application under test.

use super::Site;
use crate::app::App;
use crate::pages::Error;

/// The result of a command: its exit status, its output, and its error.
///
/// ```
/// # #[tokio::main]
/// # async fn main() {
/// use dewar::testing::Site;
/// # use dewar::{App, get};
/// # async fn hello() -> &'static str { "Hello, world!" }
/// # fn app(app: App) -> App { app.public([get("/", hello)]) }
/// let site = Site::start(app).await;
/// let routes = site.command(app, ["routes"]).await;
/// assert_eq!(routes.status(), 0);
/// assert!(routes.output().contains("public"));
/// # }
/// ```
#[derive(Debug)]
pub struct CommandOutput {
    done: Result<(), Error>,
    output: String,
}

impl CommandOutput {
    /// The exit status that the program would have.
    #[must_use]
    pub fn status(&self) -> u8 {
        match &self.done {
            Ok(()) => 0,
            Err(error) => error.own_status().unwrap_or(1),
        }
    }

    /// The text that it printed with [`app::print`](crate::app::print) or [`Progress::print`](crate::app::Progress::print), as the commands of the
    /// framework do. The output of `println!` is not in it.
    #[must_use]
    pub fn output(&self) -> &str {
        &self.output
    }

    /// The reason of a failure, as the person reads it on standard error; empty after a success.
    #[must_use]
    pub fn error(&self) -> String {
        let error = self.done.as_ref().err();
        error.map_or_else(String::new, |error| format!("{error:?}"))
    }
}

impl Site {
    /// Runs a command of the program beside the running application, with the same data, settings and clock. `app` is the function
    /// that the site was started with.
    ///
    /// ```
    /// # #[tokio::main]
    /// # async fn main() {
    /// use dewar::app::{ReadOnlyDewar, print};
    /// use dewar::testing::Site;
    /// use dewar::{App, Error, ReadCommand, clap};
    ///
    /// /// Print how many tickets are open
    /// #[derive(clap::Args)]
    /// struct Count {
    ///     #[arg(long)]
    ///     most: i64,
    /// }
    ///
    /// impl ReadCommand for Count {
    ///     const NAME: &'static str = "count";
    ///     async fn run(self, _: ReadOnlyDewar) -> dewar::Result {
    ///         print(&"7 tickets are open\n")?;
    ///         if self.most < 7 {
    ///             return Err(Error::command("too many").exit_status(3));
    ///         }
    ///         Ok(())
    ///     }
    /// }
    ///
    /// fn app(app: App) -> App { app.read_command::<Count>() }
    ///
    /// let site = Site::start(app).await;
    /// let count = site.command(app, ["count", "--most", "6"]).await;
    /// assert_eq!((count.status(), count.output()), (3, "7 tickets are open\n"));
    /// assert!(count.error().contains("too many"));
    /// # }
    /// ```
    ///
    /// # Panics
    /// The settings of the site cannot be read again.
    pub async fn command<S, const N: usize>(
        &self,
        app: impl FnOnce(App) -> App<S>,
        words: [&str; N],
    ) -> CommandOutput
    where
        S: Clone + Send + Sync + 'static,
    {
        let (done, output) = self.program(app).run_printing(&words).await;
        CommandOutput { done, output }
    }
}
