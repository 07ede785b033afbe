use std::io::Read;

use zeroize::Zeroizing;

use super::super::cli::{SenderName, WebhookKeys};
use super::print;
use crate::audit::Finding;
use crate::pages::Error;
use crate::secrets::{Folder, SharedKeys};

const RESTART: &str = "Restart the application: it reads the webhook keys only at start.\n";

/// Longer than any key, so that any other text is recognized.
const MOST: u64 = 8 * 1024;

/// Makes, rotates and revokes the keys of webhooks' senders.
pub(super) fn run(folder: &Folder, what: &WebhookKeys, input: impl Read) -> Result<(), Error> {
    let refused = |findings: Vec<Finding>| Error::launch(&findings);
    match what {
        WebhookKeys::New { whose } => {
            let key = SharedKeys::create(folder, &whose.sender, given(whose, input)?);
            show(whose, &key.map_err(refused)?)
        }
        WebhookKeys::Revoke { sender } => {
            SharedKeys::revoke(folder, sender).map_err(refused)?;
            print(&format_args!(
                "Dewar now refuses signatures of {sender} that use the previous key.\n"
            ))?;
            print(&RESTART)
        }
        WebhookKeys::Rotate { whose } => {
            let key = SharedKeys::rotate(folder, &whose.sender, given(whose, input)?);
            show(whose, &key.map_err(refused)?)?;
            print(
                &"The previous key stays valid. Once the sender signs with the new one, run `keys webhook revoke`.\n",
            )
        }
    }
}

/// The key that the sender made.
fn given(whose: &SenderName, input: impl Read) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
    if !whose.key_stdin {
        return Ok(None);
    }
    let mut key = Zeroizing::new(Vec::with_capacity(8 * 1024));
    let read = input.take(MOST).read_to_end(&mut key);
    read.map_err(Error::internal)?;
    Ok(Some(key))
}

/// Shows a new key this once. It does not show a key that the sender made, who has it already.
fn show(whose: &SenderName, key: &str) -> Result<(), Error> {
    let sender = &whose.sender;
    if whose.key_stdin {
        print(&format_args!("Stored the key of {sender}.\n"))?;
    } else {
        print(&format_args!(
            "{key}\nGive this key to {sender}; Dewar does not show it again.\n"
        ))?;
    }
    print(&RESTART)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_sender_is_read_where_they_made_it() {
        for (key_stdin, key) in [(true, Some(&b"a key"[..])), (false, None)] {
            let whose = SenderName {
                sender: "billing".to_owned(),
                key_stdin,
            };
            let found = given(&whose, &b"a key"[..]).unwrap();
            assert_eq!(found.as_ref().map(|key| &key[..]), key);
        }
    }
}
