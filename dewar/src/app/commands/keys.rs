use super::super::cli::Keys;
use super::super::launch::Plan;
use super::{print, webhook_keys};
use crate::audit::Finding;
use crate::pages::Error;
use crate::secrets::KeyRing;

pub(super) const RESTART: &str = "Restart the application: it reads its keys at start.\n";

/// Makes, lists, rotates and retires keys.
pub(super) fn run(plan: &Plan, what: &Keys) -> Result<(), Error> {
    let directory = plan.config.data.join("keys");
    let refused = |findings: Vec<Finding>| Error::launch(&findings);
    match what {
        Keys::List => {
            for key in KeyRing::list(&directory).map_err(refused)? {
                print(&format_args!(
                    "{}\n",
                    serde_json::to_string(&key).map_err(Error::internal)?
                ))?;
            }
            Ok(())
        }
        Keys::New => {
            KeyRing::create(&directory).map_err(refused)?;
            print(&format_args!(
                "A key was made in {}.\n",
                directory.display()
            ))
        }
        Keys::Retire { id } => {
            KeyRing::retire(&directory, id).map_err(refused)?;
            print(&format_args!(
                "{id} is retired; what it signed and sealed is refused.\n"
            ))?;
            print(&RESTART)
        }
        Keys::Rotate => {
            let key = KeyRing::rotate(&directory).map_err(refused)?;
            print(&format_args!(
                "{} is the current key; what the others signed and sealed stays good.\n",
                key.id
            ))?;
            print(&RESTART)
        }
        Keys::Webhook { what } => webhook_keys::run(&directory, what),
    }
}
