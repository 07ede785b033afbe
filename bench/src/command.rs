use clap::{Args, Parser, Subcommand, ValueEnum};

/// Compares the portal with bare axum: CPU time of the server for each request, throughput, latency.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Command {
    #[command(flatten)]
    pub(crate) compare: Compare,
    #[command(subcommand)]
    pub(crate) what: Option<What>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum What {
    /// Compare the portal with the same pages in Flask behind nginx
    Flask(Flask),
    /// Request the list and the search while the documents become more
    Growth(Growth),
    /// Load one page of one server for a while, to observe it with a profiler
    Load(Load),
    /// Measure only the check of a form and the rendering of a page
    Parts(Parts),
    /// Load the portal while keys, certificates and sessions change: no request may fail
    Soak(Soak),
    /// Request a cheap page while sign-ins are hashed
    Storm(Storm),
    /// Stream large files, beside a bare server that only writes them
    Uploads(Streams),
}

#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// How often each server is measured on each page, in turns
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// How long a turn lasts
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,
    /// How many connections send requests at the same time; each number is a comparison of its own
    #[arg(long, value_delimiter = ',', default_values_t = [16, 1])]
    pub(crate) connections: Vec<u16>,
    #[command(flatten)]
    pub(crate) workers: Workers,
    /// Only the document list, without the pages that show where the time goes
    #[arg(long)]
    pub(crate) list_only: bool,
    /// Both servers read an empty database of this PostgreSQL server, after it was filled; only the document list
    #[arg(long, value_name = "URL")]
    pub(crate) postgres: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Flask {
    /// How often each server is measured on each page, in turns
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// How long a turn lasts
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,
    /// How many connections send requests at the same time
    #[arg(long, default_value_t = 1)]
    pub(crate) connections: u16,
    #[command(flatten)]
    pub(crate) workers: Workers,
}

#[derive(Debug, Args)]
pub(crate) struct Parts {
    /// How often each side is measured, in turns
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rounds: u32,
    /// How many forms are read in a turn; for pages it is a fiftieth
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) times: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Growth {
    /// How many documents there are, from few to many
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 100_000, 1_000_000])]
    pub(crate) documents: Vec<u32>,
    /// How often each page is measured for each number, in turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) rounds: u32,
    /// How long a turn lasts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,
    /// How many connections send requests at the same time
    #[arg(long, default_value_t = 4)]
    pub(crate) connections: u16,
    /// The portal reads an empty database of this PostgreSQL server, after it was filled
    #[arg(long, value_name = "URL")]
    pub(crate) postgres: Option<String>,
    /// Write a plot of the requests per second
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<std::path::PathBuf>,
    #[command(flatten)]
    pub(crate) workers: Workers,
}

#[derive(Debug, Args)]
pub(crate) struct Load {
    /// The server
    pub(crate) who: Who,
    /// The page, by its name in the comparison's table
    #[arg(default_value = "documents")]
    pub(crate) page: String,
    /// How long
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,
    /// How many connections send requests at the same time
    #[arg(long, default_value_t = 16)]
    pub(crate) connections: u16,
    #[command(flatten)]
    pub(crate) workers: Workers,
    /// Both servers read an empty database of this PostgreSQL server, after it was filled
    #[arg(long, value_name = "URL")]
    pub(crate) postgres: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Storm {
    /// How many sign-ins are in progress at the same time
    #[arg(long, default_value_t = 8)]
    pub(crate) sign_ins: u16,
    /// How long each part lasts
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub(crate) seconds: u64,
    /// How many connections request the cheap page
    #[arg(long, default_value_t = 4)]
    pub(crate) connections: u16,
    #[command(flatten)]
    pub(crate) workers: Workers,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Soak {
    /// How long
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=1440))]
    pub(crate) minutes: u64,
    /// How many users are at work
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) people: u8,
    /// Seconds between two changes of keys, of certificates and of sessions, each
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(2..=3600))]
    pub(crate) every: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Streams {
    /// The size of the file, in MiB
    #[arg(long, default_value_t = 4_096, value_parser = clap::value_parser!(u64).range(1..=12_000))]
    pub(crate) mebibytes: u64,
    /// How often each server gets it, in turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=50))]
    pub(crate) rounds: u32,
    /// How many files of 16 MiB are sent at the same time
    #[arg(long, default_value_t = 200)]
    pub(crate) at_once: u16,
    #[command(flatten)]
    pub(crate) workers: Workers,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, Args)]
pub(crate) struct Workers {
    /// The worker threads of each server [default: the cores, like tokio]
    #[arg(long)]
    pub(crate) workers: Option<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Who {
    Bare,
    Portal,
}
