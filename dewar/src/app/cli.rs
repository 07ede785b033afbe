use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use super::command::{OwnCommand, Prepared};
use crate::audit::Flag;

/// The command line of every application.
#[derive(Debug, Clone, Parser)]
#[command(
    about = "Serves the application, or maintains it.",
    disable_help_subcommand = true
)]
pub(super) struct Command {
    #[command(flatten)]
    pub(super) place: GlobalOptions,
    #[command(subcommand)]
    pub(super) what: Option<What>,
    /// Print the name and the version of the application, and the version of Dewar
    #[arg(short = 'V', long)]
    pub(super) version: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub(super) struct GlobalOptions {
    /// Directory of keys, database, files and logs [default: data]
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) data: Option<String>,
    /// Address to serve HTTPS on, such as 127.0.0.1:8443
    #[arg(long, value_name = "ADDR", global = true)]
    pub(super) https: Option<String>,
    /// Address to redirect HTTP to HTTPS on, such as 127.0.0.1:8080
    #[arg(long, value_name = "ADDR", global = true)]
    pub(super) http: Option<String>,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum What {
    /// Serve the application (the default)
    Serve,
    /// Print the route table: every address, and who may enter
    Routes {
        /// As JSON
        #[arg(long)]
        json: bool,
        /// Print the JSON schema of every form and query instead
        #[arg(long, conflicts_with = "json")]
        schema: bool,
        /// Print the OpenAPI 3.1 document of the routes for programs instead
        #[arg(long, conflicts_with_all = ["json", "schema"])]
        openapi: bool,
    },
    /// List all settings: the variable, the allowed values and the default of each, and where its value is written
    Settings {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Run the checks of the start without starting; exit status 1 if one of them would refuse the start
    Check {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// List, retry and run jobs
    Jobs {
        #[command(subcommand)]
        what: JobsCommand,
    },
    /// Create, list and rotate keys
    Keys {
        #[command(subcommand)]
        what: KeysCommand,
    },
    /// Manage accounts
    Users {
        #[command(subcommand)]
        what: Users,
    },
    /// Manage API tokens
    Tokens {
        #[command(subcommand)]
        what: Tokens,
    },
    /// Check and move the files of users
    Uploads {
        #[command(subcommand)]
        what: UploadsCommand,
    },
    /// Back up, check and move the database
    Database {
        #[command(subcommand)]
        what: Database,
    },
    /// List letters that wait or were given up, and addresses that mail servers refused
    Mail {
        #[command(subcommand)]
        what: MailCommand,
    },
    /// Run the database migrations
    Migrate {
        #[command(subcommand)]
        what: Option<Migrate>,
    },
    /// List and rename the nodes that share the database
    Nodes {
        #[command(subcommand)]
        what: NodesCommand,
    },
    /// Manage HTTPS
    Https {
        #[command(subcommand)]
        what: Https,
    },
    /// Print the software bill of materials: the crates that the program is built from
    Sbom {
        /// As JSON, in the format `CycloneDX` 1.6
        #[arg(long)]
        json: bool,
    },
    /// Manage the audit log
    Audit {
        #[command(subcommand)]
        what: Audit,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Database {
    /// Write a consistent copy to a new file, while the application runs
    Backup {
        /// The new file
        file: PathBuf,
    },
    /// Copy all rows of the SQLite file to a PostgreSQL database, and compare them; run it while the application is stopped
    Copy {
        /// The database, such as `postgres://user@host/name`
        #[arg(long, value_name = "URL")]
        to: String,
        /// The file with the password of the role that owns the tables there
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// The CA of the server's certificate, if you run your own
        #[arg(long, value_name = "FILE")]
        ca_file: Option<PathBuf>,
    },
    /// Put a backup in the place of the database; run it while the application is stopped
    Restore {
        /// The backup
        file: PathBuf,
    },
    /// Check the file for damage, and for rows that refer to missing ones
    Verify {
        /// A backup to check instead of the database
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Tokens {
    /// Make a token for a user or a service, and show it this once
    #[command(group = clap::ArgGroup::new("who").required(true))]
    Add {
        /// The user whom the token works for
        #[arg(long, group = "who")]
        email: Option<String>,
        /// The token works for a service, and belongs to nobody
        #[arg(long, group = "who")]
        service: bool,
        /// What the token is for
        #[arg(long)]
        name: String,
        /// A scope; may be given several times
        #[arg(long, required = true)]
        scope: Vec<String>,
        /// How many days it lasts, at most `api.token_lifetime`
        #[arg(long, default_value_t = 30)]
        days: u64,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// List tokens, without the tokens themselves
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke a token, from its next request on
    Revoke {
        /// The token's id, as `tokens list` shows it
        id: String,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum MailCommand {
    /// List the letters that wait or were given up, without their texts
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Manage the addresses that get no letters, because a mail server said that they do not exist
    Refused {
        #[command(subcommand)]
        what: RefusedCommand,
    },
    /// Try the letters that were given up in the last seven days once more
    Retry,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum RefusedCommand {
    /// Let letters go to an address again
    Clear {
        /// The address, as `mail refused list` shows it
        address: String,
    },
    /// List the addresses with their reasons
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum UploadsCommand {
    /// Bind the bucket of the settings to this database, after a comparison of both; run it while the application is stopped
    Adopt {
        /// Bind it even if files there have no row, which the next start deletes; the audit log keeps the reason
        #[arg(long, value_name = "REASON")]
        dangerous_even_with_files_to_delete: Option<String>,
    },
    /// Copy every file to another storage, and compare it, while the application runs; a run that was stopped continues
    Move {
        /// The other storage: `disk`, or `s3://bucket/prefix`; the settings `uploads.s3_…` say how to reach it
        #[arg(long, value_name = "STORAGE")]
        to: String,
    },
    /// Scan stored files for viruses with the scanner's present signatures; a run that was stopped continues. Nobody gets a
    /// file with a virus any more; exit status 1 if there is one, or a file that the scanner did not decide
    Rescan {
        /// Only files that were never scanned
        #[arg(long)]
        unscanned: bool,
    },
    /// Compare the storage with the database; exit status 1 if a file is missing, damaged, or has no row
    Verify {
        /// Read every file, and compare its SHA-256 too
        #[arg(long)]
        digests: bool,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum JobsCommand {
    /// List the jobs that failed, run and wait: the latest 200 of each
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Let a failed job run again, with all its attempts
    Retry {
        /// The job's number, as `jobs list` shows it
        id: i64,
    },
    /// Run jobs, without serving requests, until a signal stops the program
    Run {
        /// Run the jobs that are due, and end
        #[arg(long)]
        once: bool,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Migrate {
    /// Run the pending migrations (the default)
    Apply,
    /// Create the file of the next migration, in the folder `migrations`
    New {
        /// A word for it: small letters, digits and underscores
        name: String,
    },
    /// Print the SQL of the pending migrations, without running them
    Plan,
    /// List the migrations, and which are applied
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum NodesCommand {
    /// List the nodes of the database, whether each runs (on PostgreSQL), and how many entries wait for its audit log
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Give the audit log's place in the database to another name; run it while that node is stopped
    Rename {
        /// The name of the node now
        old: String,
        /// Its new name, which no node has
        new: String,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum KeysCommand {
    /// List all cryptography: keys, algorithms, their uses, and the plan for each after quantum computers
    Inventory {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// List keys with their age and state
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Create the first key
    New,
    /// Re-encrypt the rows of sealed columns with the current key, so that older keys can be revoked
    Reencrypt {
        /// Print the summary as JSON
        #[arg(long)]
        json: bool,
    },
    /// Revoke an older key, after a leak: Dewar refuses everything that it signed and sealed
    Revoke {
        /// The key's id, as `keys list` shows it
        id: String,
        /// Revoke it even if rows are sealed with it, which are then lost; the audit log keeps the reason
        #[arg(long, value_name = "REASON")]
        dangerous_even_if_sealed: Option<String>,
    },
    /// Create a new current key; signatures and seals of the older keys stay valid
    Rotate,
    /// Manage the keys that are shared with the senders of webhooks
    Webhook {
        #[command(subcommand)]
        what: WebhookKeys,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum WebhookKeys {
    /// Create a sender's first key, and show it this once
    New {
        #[command(flatten)]
        whose: SenderName,
    },
    /// Revoke the key before the current one, once the sender signs with the new one
    Revoke {
        /// The sender, as the route table names it
        sender: String,
    },
    /// Create a new key, and show it this once; the one before stays valid until it is revoked
    Rotate {
        #[command(flatten)]
        whose: SenderName,
    },
}

#[derive(Debug, Clone, Args)]
pub(super) struct SenderName {
    /// The sender, as the route table names it
    pub(super) sender: String,
    /// Read the key that the sender made from standard input: from a pipe, or typed at a prompt that does not show it
    #[arg(long)]
    pub(super) key_stdin: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Users {
    /// Add an account
    Add {
        /// The address that the user signs in with
        #[arg(long)]
        email: String,
        /// The name that others see [default: the part before the @]
        #[arg(long)]
        name: Option<String>,
        /// A role; may be given several times
        #[arg(long)]
        role: Vec<String>,
        /// Read the password from standard input: from a pipe, or typed at a prompt that does not show it
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Disable an account and end its sessions
    Disable {
        /// The address that the user signs in with
        #[arg(long)]
        email: String,
    },
    /// Enable a disabled account
    Enable {
        /// The address that the user signs in with
        #[arg(long)]
        email: String,
    },
    /// Make accounts for the users of another application, with their password hashes; an address that has an account stays as it
    /// is, so it can run again. Exit status 1 if a row was refused
    Import(ImportOptions),
    /// List accounts
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Set a new password for an account, or create a link to choose one; the new password ends its sessions
    #[command(group = clap::ArgGroup::new("how").required(true))]
    SetPassword {
        /// The address that the user signs in with
        #[arg(long)]
        email: String,
        /// Print a link to hand over to the user; it works once and for an hour
        #[arg(long, group = "how")]
        link: bool,
        /// Read the password from standard input: from a pipe, or typed at a prompt that does not show it
        #[arg(long, group = "how")]
        password_stdin: bool,
    },
    /// End all sessions of an account, or of all users
    #[command(group = clap::ArgGroup::new("who").required(true))]
    SignOut {
        /// The address that the user signs in with
        #[arg(long, group = "who")]
        email: Option<String>,
        /// All users
        #[arg(long, group = "who")]
        all: bool,
    },
    /// Remove the second factor and the recovery codes of a user who has lost them
    ResetFactors {
        /// The address that the user signs in with
        #[arg(long)]
        email: String,
    },
    /// Forget the failed sign-ins of an account, so that its owner need not wait
    Unlock {
        /// The address that the user signs in with
        #[arg(long)]
        email: String,
    },
}

#[derive(Debug, Clone, Args)]
pub(super) struct ImportOptions {
    /// What the source is
    #[arg(long, value_enum)]
    pub(super) from: ImportFormat,
    /// A file; with `django` and `flask-security` also an SQLite database, or an address such as `postgres://user@host/name`
    pub(super) source: String,
    /// Check every row, and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// A role for every imported user; may be given several times
    #[arg(long)]
    pub(super) role: Vec<String>,
    /// Take no roles and groups from the source
    #[arg(long)]
    pub(super) ignore_roles: bool,
    /// Import users with the administrator's role too; otherwise their rows are refused
    #[arg(long)]
    pub(super) allow_administrators: bool,
    /// The model of users in a file of Django
    #[arg(long, default_value = "auth.user")]
    pub(super) model: String,
    /// The file with the password of the PostgreSQL role
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
    /// The CA of the PostgreSQL server's certificate, if you run your own
    #[arg(long, value_name = "FILE")]
    pub(super) ca_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ImportFormat {
    /// CSV with the columns `email`, `name`, `password_hash`, `roles` and `active`; roles are separated by `|`
    Csv,
    /// The same, with hashes of Werkzeug alone
    Werkzeug,
    /// JSON of `manage.py dumpdata auth.group auth.user`, or the database
    Django,
    /// The CSV with hashes of Flask-Security, or the database
    FlaskSecurity,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Https {
    /// Print the table of response headers, in Markdown
    Headers,
    /// Show when the certificate expires, and how it is renewed
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Make this machine's browsers trust the local certificate authority, or explain how
    Trust,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Audit {
    /// Check that no entry of the audit log was altered, removed or cut off
    Verify,
}

/// A command line with the application's own commands.
#[derive(Debug)]
pub(super) enum Line {
    Framework(Command),
    Own(Prepared),
}

impl Command {
    /// Reads the command line as far as it is known before the application is built. The words are left where they are no
    /// command of the framework: they may be one of the application, or `--help`, which lists both.
    pub(super) fn first_reading(words: Vec<OsString>) -> (Self, Option<Vec<OsString>>) {
        match Self::try_parse_from(&words) {
            Ok(command) => (command, None),
            Err(_) => {
                let place = GlobalOptions::among(&words);
                let command = Self {
                    place,
                    what: None,
                    version: false,
                };
                (command, Some(words))
            }
        }
    }

    /// Reads the command line again, with the application's commands.
    ///
    /// # Errors
    /// `--help`, or a mistake, as clap tells it.
    pub(super) fn second_reading(
        &self,
        words: Vec<OsString>,
        own: &[OwnCommand],
    ) -> Result<Line, clap::Error> {
        let mut all = Self::command();
        for command in own {
            all = all.subcommand((command.describe)());
        }
        let mut described = all.clone();
        let matches = all.try_get_matches_from(words).map_err(with_the_new_name)?;
        let place = GlobalOptions::from_arg_matches(&matches)?;
        if place != self.place {
            let error = "write `--data`, `--https` and `--http` before the command";
            return Err(described.error(ErrorKind::ArgumentConflict, error));
        }
        if let Some((name, matches)) = matches.subcommand()
            && let Some(command) = own.iter().find(|command| command.name == name)
        {
            let prepared = (command.prepare)(matches);
            return Ok(Line::Own(
                prepared.map_err(|error| error.format(&mut described))?,
            ));
        }
        Ok(Line::Framework(Self::from_arg_matches(&matches)?))
    }

    /// `serve` in a directory and on free ports, without a command line.
    pub(super) fn serve_in(data: String) -> Self {
        let free = Some("127.0.0.1:0".to_owned());
        Self {
            place: GlobalOptions {
                data: Some(data),
                https: free.clone(),
                http: free,
            },
            what: None,
            version: false,
        }
    }

    /// The flags that are settings.
    pub(super) fn flags(&self) -> Vec<Flag> {
        let GlobalOptions { data, https, http } = &self.place;
        [
            ("--data", "data", data),
            ("--https", "https.address", https),
            ("--http", "https.http_address", http),
        ]
        .into_iter()
        .filter_map(|(name, setting, value)| {
            let value = value.clone()?;
            Some(Flag {
                name,
                setting,
                value,
            })
        })
        .collect()
    }
}

impl GlobalOptions {
    /// The options of every command among these words, whatever the others mean. The second reading compares.
    fn among(words: &[OsString]) -> Self {
        let texts: Vec<&str> = words.iter().map_while(|word| word.to_str()).collect();
        let value = |flag: &str| {
            let mut rest = texts.iter().take_while(|word| **word != "--");
            while let Some(word) = rest.next() {
                if *word == flag {
                    return rest.next().map(|value| (*value).to_owned());
                }
                let joined = word
                    .strip_prefix(flag)
                    .and_then(|rest| rest.strip_prefix('='));
                if let Some(value) = joined {
                    return Some(value.to_owned());
                }
            }
            None
        };
        Self {
            data: value("--data"),
            https: value("--https"),
            http: value("--http"),
        }
    }
}

/// Whether a command of the framework has this name, or had it.
pub(super) fn is_of_the_framework(name: &str) -> bool {
    let mut commands = Command::command();
    commands.build();
    commands.find_subcommand(name).is_some()
        || name == "help"
        || RENAMED.iter().any(|(old, _)| *old == name)
}

/// Whether an argument would be one that every command has.
pub(super) fn is_of_every_command(id: &str, long: &str, short: Option<char>) -> bool {
    let every = ["data", "https", "http", "help", "version"];
    every.contains(&id) || every.contains(&long) || short.is_some_and(|short| "hV".contains(short))
}

/// Old names of commands, each with its new name.
const RENAMED: [(&str, &str); 3] = [
    ("dependencies", "sbom"),
    ("reseal", "reencrypt"),
    ("retire", "revoke"),
];

/// A mistake on the command line; for the old name of a command, it suggests the new one.
pub(super) fn with_the_new_name(mut error: clap::Error) -> clap::Error {
    let new = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(old)) => RENAMED.iter().find(|(name, _)| name == old),
        _ => None,
    };
    if let Some((_, new)) = new {
        let new = ContextValue::Strings(vec![(*new).to_owned()]);
        error.insert(ContextKind::SuggestedSubcommand, new);
    }
    error
}
