//! The cost of the ten words: the portal's pages beside the same pages in bare axum, or in Flask, in one run.
//!
//! Both servers are child processes of this program. It is three programs, and the name under which it starts selects one: the
//! driver, `bare` (see [`bare`]) and `portal`, which is the portal's own `main` with one more route ([`form`]).

mod bare;
mod client;
mod command;
mod compare;
mod flask;
mod form;
mod growth;
mod load;
mod pages;
mod parts;
mod plot;
mod report;
mod server;
mod soak;
mod storm;
mod uploads;
mod world;

use std::path::Path;

use clap::Parser;

use command::{Command, What};

/// Any error is printed and ends the run.
type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T = (), E = Error> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result {
    let started_as = std::env::args_os().next().unwrap_or_default();
    match Path::new(&started_as)
        .file_name()
        .and_then(|name| name.to_str())
    {
        Some(server::BARE) => bare::serve().await,
        Some(server::PORTAL) => {
            let app = dewar::App::from_env().map_err(|error| told(&error))?;
            let app = form::with_order(portal::app(app));
            app.serve().await.map_err(|error| told(&error))
        }
        _ => drive(Command::parse()).await,
    }
}

async fn drive(command: Command) -> Result {
    match command.what {
        None => compare::run(&command.compare).await,
        Some(What::Parts(parts)) => parts::run(&parts).await,
        Some(What::Flask(flask)) => flask::run(&flask).await,
        Some(What::Growth(growth)) => growth::run(&growth).await,
        Some(What::Load(load)) => compare::load(&load).await,
        Some(What::Soak(soak)) => soak::run(&soak).await,
        Some(What::Storm(storm)) => storm::run(&storm).await,
        Some(What::Uploads(streams)) => uploads::run(&streams).await,
    }
}

fn told(error: &dewar::Error) -> Error {
    format!("{error:?}").into()
}
