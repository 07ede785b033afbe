//! Sends the letters that are due.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::list;
use super::mailer::{Mailer, Shared};
use super::parts;
use super::queue::{self, CONTENT, Claimed, seconds};
use super::transport::{Delivery, MailTransport};
use crate::audit::{Entry, Event};
use crate::database;
use crate::secrets::{self, random};

/// The delay before the second attempt. Each further one waits four times longer.
const FIRST_DELAY: i64 = 5;

/// The longest delay between two attempts.
const LONGEST_DELAY: i64 = 4 * 3600;

/// How often a node looks for letters that another node queued and did not send.
const LOOK_EVERY: Duration = Duration::from_secs(60);

impl Mailer {
    /// Sends letters until the stop.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<()>) {
        if !self.sends() {
            return;
        }
        loop {
            // A letter that is under way is finished and recorded, or it would be sent once more.
            let wait = self
                .send_due(|| !stopped.has_changed().unwrap_or(true))
                .await;
            tokio::select! {
                _ = stopped.changed() => return,
                () = self.shared.queued.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends everything that is due now: for a test, and at the end of a command.
    pub async fn settle(&self) {
        if self.sends() {
            self.send_due(|| true).await;
        }
    }

    /// Sends what is due, and begins no letter after this time: the others wait in the database.
    pub(crate) async fn settle_within(&self, time: Duration) {
        let end = Instant::now() + time;
        if self.sends() {
            self.send_due(|| Instant::now() < end).await;
        }
    }

    /// Removes letters that ended long ago. Runs from time to time.
    pub(crate) async fn sweep(&self) -> Result<(), database::Error> {
        let shared = &self.shared;
        let (now, window) = (shared.clock.now(), shared.config.limit_window);
        queue::sweep(&shared.db, now, window).await.map(drop)
    }

    /// Sends what is due while it may go on, and returns how long to wait for the next letter.
    async fn send_due(&self, may_go_on: impl Fn() -> bool) -> Duration {
        let shared = &self.shared;
        let _turn = shared.turn.lock().await;
        let sent = async {
            while may_go_on()
                && let Some(letter) = queue::claim(&shared.db, shared.clock.now()).await?
            {
                shared.attempt(letter).await?;
            }
            queue::next_due(&shared.db).await
        };
        match Box::pin(sent).await {
            Ok(next) => next.map_or(LOOK_EVERY, |next| {
                let wait = next.saturating_sub(shared.clock.now()).max(1);
                Duration::from_secs(wait.unsigned_abs()).min(LOOK_EVERY)
            }),
            Err(error) => {
                tracing::warn!(%error, "emails wait: the database cannot be read or changed");
                LOOK_EVERY
            }
        }
    }
}

impl Shared {
    async fn attempt(&self, letter: Claimed) -> Result<(), database::Error> {
        let now = self.clock.now();
        if self.end_of(&letter) <= now {
            return self.give_up(&letter, "it was not sent in time").await;
        }
        if list::has_left_since(&self.db, &letter).await? {
            return queue::remove(&self.db, &letter.id).await;
        }
        let Some(message) = self.message_of(&letter).await? else {
            // Another node may have the key already, or still.
            let reason = "this node has no key for its text";
            return self.try_later(&letter, reason).await;
        };
        let delivery = self.deliver(&letter, message).await;
        let (db, id) = (&self.db, letter.id.as_str());
        let now = self.clock.now();
        match delivery {
            Delivery::Accepted => queue::sent(db, id, now).await,
            Delivery::AddressRefused(reason) => {
                queue::refuse_address(db, &letter.address_key, now, &reason).await?;
                let entry = Entry::new(Event::Application("mail_address_refused"));
                self.log
                    .record(entry.subject(mark(&letter.address_key)).detail(&reason));
                self.give_up(&letter, &reason).await
            }
            Delivery::Rejected(reason) => self.give_up(&letter, &reason).await,
            Delivery::Later(reason) => self.try_later(&letter, &reason).await,
            Delivery::Unreachable(reason) => {
                let due_at = now + delay(letter.attempts);
                tracing::error!(reason, "emails wait: the mail server cannot be used");
                // None of the others can be sent either, so none of them costs an attempt.
                queue::all_later(db, now, due_at).await?;
                if due_at >= self.end_of(&letter) {
                    return self.give_up(&letter, &reason).await;
                }
                queue::later(db, id, due_at, &reason).await
            }
        }
    }

    /// Its message, if this node can open it.
    async fn message_of(&self, letter: &Claimed) -> Result<Option<String>, database::Error> {
        if letter.size > 0 {
            return parts::open(&self.db, &self.ring, letter).await;
        }
        let opened = letter
            .content
            .as_ref()
            .and_then(|sealed| CONTENT.open(&self.ring, &letter.id, sealed).ok());
        Ok(opened.map(|message| message.expose().clone()))
    }

    /// When this letter is given up.
    fn end_of(&self, letter: &Claimed) -> i64 {
        let patience = seconds(self.config.give_up_after);
        letter
            .useless_at
            .min(letter.queued_at.saturating_add(patience))
    }

    /// Lets this letter wait, and no other.
    async fn try_later(&self, letter: &Claimed, reason: &str) -> Result<(), database::Error> {
        let due_at = self.clock.now() + delay(letter.attempts);
        if due_at >= self.end_of(letter) {
            return self.give_up(letter, reason).await;
        }
        tracing::warn!(
            template = letter.template,
            attempts = letter.attempts,
            reason,
            "an email waits"
        );
        queue::later(&self.db, &letter.id, due_at, reason).await
    }

    /// On a thread that may block.
    async fn deliver(&self, letter: &Claimed, message: String) -> Delivery {
        let Some(transport) = self.transport.clone() else {
            return Delivery::Unreachable("the application sends no mail".to_owned());
        };
        let (id, to, at) = (letter.id.clone(), letter.address.clone(), letter.queued_at);
        let delivered = tokio::task::spawn_blocking(move || {
            let mut transport = transport.lock().unwrap_or_else(PoisonError::into_inner);
            MailTransport::deliver(&mut transport, &id, at, &to, message.as_bytes())
        });
        delivered
            .await
            .unwrap_or_else(|_| Delivery::Later("the sending thread ended".to_owned()))
    }

    /// The log and the operator's list show what became of it.
    async fn give_up(&self, letter: &Claimed, reason: &str) -> Result<(), database::Error> {
        queue::failed(&self.db, &letter.id, self.clock.now(), reason).await?;
        tracing::error!("Dewar gave up on an email ({}): {reason}", letter.template);
        let entry = Entry::new(Event::Application("mail_failed"));
        let entry = entry.subject(mark(&letter.address_key));
        self.log
            .record(entry.detail(format_args!("{}: {reason}", letter.template)));
        Ok(())
    }
}

/// An address for the audit log, which shows that two entries are about one, and does not name it.
pub(super) fn mark(address_key: &str) -> String {
    let hash = secrets::sha256(address_key.as_bytes());
    let start = hash.get(..8).unwrap_or_default();
    format!("address {}", data_encoding::HEXLOWER.encode(start))
}

/// The delay after this attempt: longer each time, and a quarter shorter or longer by chance, so that letters that failed together
/// do not come back together.
fn delay(attempts: i64) -> i64 {
    let steps = u32::try_from(attempts.saturating_sub(1).clamp(0, 16)).unwrap_or(0);
    let delay = FIRST_DELAY
        .saturating_mul(4_i64.saturating_pow(steps))
        .min(LONGEST_DELAY);
    let chance = i64::from(u16::from_be_bytes(random()));
    let quarter = (delay / 4).max(1);
    delay - quarter + chance * 2 * quarter / i64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_delay_is_longer_up_to_four_hours_and_no_two_are_the_same() {
        for (attempts, delay_of) in [
            (1, 5),
            (2, 20),
            (3, 80),
            (6, 5120),
            (7, 14_400),
            (i64::MAX, 14_400),
        ] {
            let quarter = (delay_of / 4).max(1);
            for _ in 0..100 {
                let delay = delay(attempts);
                assert!(
                    (delay_of - quarter..=delay_of + quarter).contains(&delay),
                    "{attempts}: {delay}"
                );
            }
        }
        let long: std::collections::BTreeSet<i64> = (0..50).map(|_| delay(9)).collect();
        assert!(long.len() > 10, "{long:?}");
    }
}
