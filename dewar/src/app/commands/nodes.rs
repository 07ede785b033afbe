use super::super::cli::NodesCommand;
use super::super::launch::{Blueprint, refuse_if_any};
use super::database::{existing, is_migrated, is_stopped};
use super::{print, print_json};
use crate::audit::NodeName;
use crate::pages::Error;

/// Lists the nodes of the database, and renames one.
pub(super) async fn run(plan: Blueprint, what: NodesCommand) -> Result<(), Error> {
    refuse_if_any(&plan.findings).map_err(|findings| Error::launch(&findings))?;
    match what {
        NodesCommand::List { json } => list(&plan, json).await,
        NodesCommand::Rename { old, new } => rename(&plan, &old, &new).await,
    }
}

async fn list(plan: &Blueprint, json: bool) -> Result<(), Error> {
    let db = plan.database_to_read().await;
    let nodes = match db.map_err(|findings| Error::launch(&findings))? {
        Some(db) => db.nodes().await?,
        None => Vec::new(),
    };
    if json {
        return print_json(&nodes);
    }
    let mut text = format!("{:<34}{:<10}{}\n", "NODE", "STATE", "WAITING ENTRIES");
    for node in &nodes {
        let state = match node.running {
            Some(true) => "running",
            Some(false) => "stopped",
            None => "-",
        };
        text.push_str(&format!("{:<34}{state:<10}{}\n", node.name, node.waiting));
    }
    print(&text)
}

async fn rename(plan: &Blueprint, old: &str, new: &str) -> Result<(), Error> {
    let named = |name: &str| {
        NodeName::parse(name).ok_or_else(|| {
            Error::command("a node has a name of 1 to 32 lower-case letters, digits and hyphens")
        })
    };
    let (old, new) = (named(old)?, named(new)?);
    if let Some(file) = plan.database_file() {
        is_stopped(&file)?;
    }
    is_migrated(plan, &existing(plan).await?).await?;
    let db = plan.database();
    let db = db.map_err(|findings| Error::launch(&findings))?;
    db.rename_node(&old, &new).await.map_err(Error::command)?;
    print(&format_args!(
        "The node `{old}` is `{new}` now. Set `node = \"{new}\"` where its data directory is, and start it.\n"
    ))
}
