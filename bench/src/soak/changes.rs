//! The changes while users are at work.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Production;
use crate::Result;
use crate::server::production_command;

/// How often each change was made.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub(crate) keys: u64,
    pub(crate) certificates: u64,
    pub(crate) sessions: u64,
}

impl Changes {
    /// Changes keys, certificate and sessions in turn until the time is over; blocks the calling thread.
    pub(crate) fn go_on(production: &Production, every: Duration, until: Instant) -> Result<Self> {
        let mut made = Self::default();
        let mut turn = 0_usize;
        loop {
            let pause = every / 3;
            if Instant::now() + pause >= until {
                return Ok(made);
            }
            sleep(pause);
            match turn % 3 {
                0 => {
                    production_command(production, &["keys", "rotate"], "")?;
                    made.keys += 1;
                }
                1 => {
                    production.new_certificate()?;
                    made.certificates += 1;
                }
                _ => {
                    let who = u8::try_from(turn / 3 % production.people())?;
                    production.end_sessions(who)?;
                    made.sessions += 1;
                }
            }
            turn += 1;
        }
    }
}
