//! The account whose hash an address without an account costs at sign-in.
//!
//! Imported hashes cost another time than Dewar's own. If every unknown address cost Dewar's own, a sign-in that takes longer would
//! show that its address has an account, and a list of addresses could be sorted by a stopwatch (CWE-208). So Dewar compares a
//! password for an unknown address with the hash of some other account, always the same for the same address. The share of slow
//! addresses is then the same among known and unknown ones, and an address turns from slow to fast in both cases when a user signs in
//! and gets a new hash.
use super::Accounts;
use super::email::EmailKey;
use super::password::StoredHash;
use crate::database::Error;
use crate::secrets::Purpose;

impl Accounts {
    /// The hash that an address costs if it has no account; none if nobody has one.
    pub(super) async fn stand_in(&self, key: &EmailKey) -> Result<Option<StoredHash>, Error> {
        let inner = &self.0;
        let latest = "SELECT coalesce(max(id), 0) FROM dewar_users";
        let latest = inner.db.query(latest, []).await?;
        let latest: i64 = latest.first().map_or(Ok(0), |row| row.get(0))?;
        let mac = inner.ring.mac(Purpose::StandIn, &[key.as_str().as_bytes()]);
        let chosen = choose(mac, u64::try_from(latest).unwrap_or(0));
        let chosen = i64::try_from(chosen).unwrap_or(latest);
        let find = "SELECT password_hash FROM dewar_users WHERE id >= ?1 ORDER BY id LIMIT 1";
        let rows = inner.db.query(find, [chosen.into()]).await?;
        let stored = rows.first().map(|row| row.get(0)).transpose()?;
        Ok(stored.map(StoredHash::from_database))
    }
}

/// A number from 1 to `latest`. When `latest` grows, few choices change (linear hashing): otherwise each new account would give
/// unknown addresses another time, and known ones not.
fn choose(mac: [u8; 32], latest: u64) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = mac;
    let number = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    if latest < 2 {
        return latest;
    }
    // The smallest power of two that is not below `latest`, as a mask.
    let mask = u64::MAX >> (latest - 1).leading_zeros();
    let chosen = number & mask;
    let chosen = if chosen >= latest {
        number & (mask >> 1)
    } else {
        chosen
    };
    chosen + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mac(number: u64) -> [u8; 32] {
        crate::secrets::sha256(&number.to_le_bytes())
    }

    #[test]
    fn every_choice_is_an_account_and_every_account_is_chosen() {
        for latest in [1, 2, 3, 5, 8, 9, 100] {
            let chosen: std::collections::BTreeSet<u64> =
                (0..5_000).map(|n| choose(mac(n), latest)).collect();
            assert_eq!(chosen.first(), Some(&1), "{latest}");
            assert_eq!(chosen.last(), Some(&latest));
            assert_eq!(chosen.len() as u64, latest);
        }
        assert_eq!(choose(mac(1), 0), 0);
    }

    #[test]
    fn a_new_account_changes_few_choices() {
        for latest in [7, 8, 1_000, 1_024] {
            let changed = (0..10_000_u64)
                .filter(|n| choose(mac(*n), latest) != choose(mac(*n), latest + 1))
                .count() as u64;
            assert!(changed <= 3 * 10_000 / latest, "{latest}: {changed}");
        }
    }
}
