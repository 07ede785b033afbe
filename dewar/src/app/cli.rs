use clap::error::{ContextKind, ContextValue};
use clap::{Args, Parser, Subcommand};

use crate::audit::Flag;

/// The command line of every application.
#[derive(Debug, Clone, Parser)]
#[command(
    about = "Serves the application, or looks after it.",
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

#[derive(Debug, Clone, Args)]
pub(super) struct GlobalOptions {
    /// Where keys, database, files and logs live [default: data]
    #[arg(long, value_name = "DIR", global = true)]
    pub(super) data: Option<String>,
    /// Where HTTPS is served, such as 127.0.0.1:8443
    #[arg(long, value_name = "ADDR", global = true)]
    pub(super) https: Option<String>,
    /// Where HTTP is sent on to HTTPS, such as 127.0.0.1:8080
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
        /// The JSON schema of every form and query instead
        #[arg(long, conflicts_with = "json")]
        schema: bool,
    },
    /// Ask every room's start-up questions; exit status 1 where one refuses the launch
    Check {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Make, list and rotate keys
    Keys {
        #[command(subcommand)]
        what: KeysCommand,
    },
    /// Look after accounts
    Users {
        #[command(subcommand)]
        what: Users,
    },
    /// Bring the database up to date
    Migrate,
    /// Look after HTTPS
    Https {
        #[command(subcommand)]
        what: Https,
    },
    /// Print what the program is built from
    Dependencies {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Look after the audit log
    Audit {
        #[command(subcommand)]
        what: Audit,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum KeysCommand {
    /// List all cryptography: keys, algorithms, what each is used for and what becomes of it
    Inventory {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// List keys: how old each is, and where in its life
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Make the first key
    New,
    /// Seal the rows of sealed columns with the current key, so that older ones can be revoked
    Reencrypt {
        /// The summary as JSON
        #[arg(long)]
        json: bool,
    },
    /// End an older key, after a leak: what it signed and sealed is refused from then on
    Revoke {
        /// The key's id, as `keys list` shows it
        id: String,
        /// Revoke it although rows are sealed with it, which are lost then; the audit log keeps the reason
        #[arg(long, value_name = "REASON")]
        dangerous_even_if_sealed: Option<String>,
    },
    /// Make a new current key; what the old ones signed and sealed stays good
    Rotate,
    /// Look after the keys that are shared with webhooks' senders
    Webhook {
        #[command(subcommand)]
        what: WebhookKeys,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum WebhookKeys {
    /// Make a sender's first key, and show it this once
    New {
        #[command(flatten)]
        whose: SenderName,
    },
    /// End the key before the current one, once the sender signs with the new one
    Revoke {
        /// The sender, as the route table names it
        sender: String,
    },
    /// Make a new key, and show it this once; the one before stays good until it is revoked
    Rotate {
        #[command(flatten)]
        whose: SenderName,
    },
}

#[derive(Debug, Clone, Args)]
pub(super) struct SenderName {
    /// The sender, as the route table names it
    pub(super) sender: String,
    /// Read the key that the sender made from standard input: from a pipe, or typed when the program asks for it (what you type is not shown)
    #[arg(long)]
    pub(super) key_stdin: bool,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Users {
    /// Add an account
    Add {
        /// The address that the person signs in with
        #[arg(long)]
        email: String,
        /// The name that others see [default: the part before the @]
        #[arg(long)]
        name: Option<String>,
        /// A role; may be given several times
        #[arg(long)]
        role: Vec<String>,
        /// Read the password from standard input: from a pipe, or typed when the program asks for it (what you type is not shown)
        #[arg(long, required = true)]
        password_stdin: bool,
    },
    /// Disable an account and end its sessions
    Disable {
        /// The address that the person signs in with
        #[arg(long)]
        email: String,
    },
    /// Let a disabled account sign in again
    Enable {
        /// The address that the person signs in with
        #[arg(long)]
        email: String,
    },
    /// List accounts
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Set a new password for an account, or make a link to choose one; its sessions end with the old password
    #[command(group = clap::ArgGroup::new("how").required(true))]
    SetPassword {
        /// The address that the person signs in with
        #[arg(long)]
        email: String,
        /// Print a link that works once and for an hour, to be handed over to the person
        #[arg(long, group = "how")]
        link: bool,
        /// Read the password from standard input: from a pipe, or typed when the program asks for it (what you type is not shown)
        #[arg(long, group = "how")]
        password_stdin: bool,
    },
    /// End all sessions of an account, or of everybody
    #[command(group = clap::ArgGroup::new("who").required(true))]
    SignOut {
        /// The address that the person signs in with
        #[arg(long, group = "who")]
        email: Option<String>,
        /// Everybody
        #[arg(long, group = "who")]
        all: bool,
    },
    /// Forget the failed attempts to sign in to an account, so that its owner need not wait
    Unlock {
        /// The address that the person signs in with
        #[arg(long)]
        email: String,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Https {
    /// Print the table of response headers, in Markdown
    Headers,
    /// Tell when the certificate ends, and how it is renewed
    Status {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Make this machine's browsers trust the local certificate authority, or say how
    Trust,
}

#[derive(Debug, Clone, Subcommand)]
pub(super) enum Audit {
    /// Check that no entry of the audit log was altered, removed or cut off
    Verify,
}

impl Command {
    /// Reads the command line; `--help` and mistakes end the program with clap's own text and status.
    pub(super) fn from_command_line() -> Self {
        Self::try_parse().unwrap_or_else(|error| with_the_new_name(error).exit())
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

/// Commands that had another name before, each with the one that it has now.
const RENAMED: [(&str, &str); 2] = [("reseal", "reencrypt"), ("retire", "revoke")];

/// A mistake on the command line; where it is the old name of a command, with the new one.
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
