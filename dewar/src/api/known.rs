use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// The most tokens of one generation.
const MOST: usize = 4096;

/// The tokens that this process has accepted lately, by their MACs. They are no permission: each request still looks its token
/// up. They only keep a stranger from using up the failures of a network that others share.
#[derive(Default)]
pub(super) struct KnownTokens(Mutex<Generations>);

/// When the younger is full, the older is forgotten.
#[derive(Default)]
struct Generations {
    young: HashSet<[u8; 32]>,
    old: HashSet<[u8; 32]>,
}

impl KnownTokens {
    pub(super) fn contains(&self, mac: &[u8; 32]) -> bool {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.young.contains(mac) || held.old.contains(mac)
    }

    pub(super) fn add(&self, mac: [u8; 32]) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.young.len() >= MOST {
            held.old = std::mem::take(&mut held.young);
        }
        held.young.insert(mac);
    }

    pub(super) fn remove(&self, mac: &[u8; 32]) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.young.remove(mac);
        held.old.remove(mac);
    }
}

impl std::fmt::Debug for KnownTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KnownTokens")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded_and_the_latest_are_known() {
        let known = KnownTokens::default();
        let mac = |number: usize| {
            let mut mac = [0; 32];
            mac[..8].copy_from_slice(&number.to_be_bytes());
            mac
        };
        for number in 0..3 * MOST {
            known.add(mac(number));
        }
        let held = known.0.lock().unwrap();
        assert!(held.young.len() + held.old.len() <= 2 * MOST);
        drop(held);
        assert!(known.contains(&mac(3 * MOST - 1)) && !known.contains(&mac(0)));
        known.remove(&mac(3 * MOST - 1));
        assert!(!known.contains(&mac(3 * MOST - 1)));
    }
}
