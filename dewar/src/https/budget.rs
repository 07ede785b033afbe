//! A bound on the bytes that are held for clients: for one connection, for one address and in all.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The share of an address once half of the total is in use: it gets at most this part of what remains. A few addresses
/// at their limits then cannot block everybody else. Each of them takes only a thirty-third of what remains, so after a
/// hundred of them a page still fits.
const SHARE: u64 = 32;

/// The limits in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Most {
    pub(super) connection: u64,
    pub(super) address: u64,
    pub(super) all: u64,
}

/// The budget for one kind of bytes that a listener holds.
#[derive(Clone, Debug)]
pub(super) struct Budget(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    most: Most,
    all: AtomicU64,
    addresses: Mutex<HashMap<IpAddr, u64>>,
}

/// The bytes that one connection holds.
#[derive(Clone, Debug)]
pub(super) struct Account(Arc<HeldBytes>);

#[derive(Debug)]
struct HeldBytes {
    budget: Budget,
    bytes: AtomicU64,
}

/// The bytes do not fit into the budget.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BudgetFull;

/// Bytes that are held; dropping them frees them.
#[derive(Debug)]
pub(super) struct Charge {
    account: Account,
    network: IpAddr,
    bytes: u64,
}

impl Most {
    /// The most that one address may hold while `held` bytes are held in all.
    const fn share(&self, held: u64) -> u64 {
        if held <= self.all / 2 {
            u64::MAX
        } else {
            self.all.saturating_sub(held) / SHARE
        }
    }
}

impl Budget {
    pub(super) fn new(most: Most) -> Self {
        Self(Arc::new(Shared {
            most,
            all: AtomicU64::new(0),
            addresses: Mutex::default(),
        }))
    }

    pub(super) fn account(&self) -> Account {
        Account(Arc::new(HeldBytes {
            budget: self.clone(),
            bytes: AtomicU64::new(0),
        }))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.0.all.load(Ordering::Acquire)
    }

    /// Whether the address is at its limit or at its share of what remains, or the total is used up.
    pub(super) fn is_full_for(&self, network: IpAddr) -> bool {
        let (all, of_address) = (self.bytes(), self.of(network));
        all >= self.0.most.all || of_address >= self.0.most.address.min(self.0.most.share(all))
    }

    fn of(&self, network: IpAddr) -> u64 {
        self.addresses().get(&network).copied().unwrap_or_default()
    }

    fn addresses(&self) -> MutexGuard<'_, HashMap<IpAddr, u64>> {
        let addresses = self.0.addresses.lock();
        addresses.unwrap_or_else(PoisonError::into_inner)
    }

    #[cfg(test)]
    pub(super) fn knows_nobody(&self) -> bool {
        self.addresses().is_empty()
    }
}

impl Account {
    pub(super) fn budget(&self) -> &Budget {
        &self.0.budget
    }

    /// An empty charge for this network.
    pub(super) fn charge(&self, network: IpAddr) -> Charge {
        Charge {
            account: self.clone(),
            network,
            bytes: 0,
        }
    }
}

impl Charge {
    /// Adds bytes if they fit. A charge that is alone always fits, because another limit bounds it.
    ///
    /// # Errors
    /// The bytes do not fit beside what others hold.
    pub(super) fn try_add(&mut self, bytes: u64) -> Result<(), BudgetFull> {
        if bytes == 0 {
            return Ok(());
        }
        let budget = self.account.budget();
        let most = budget.0.most;
        let over = |held: u64, most: u64| held > self.bytes && held.saturating_add(bytes) > most;
        // One lock, so that two charges do not take the same bytes.
        let mut addresses = budget.addresses();
        let of_address = addresses.get(&self.network).copied().unwrap_or_default();
        let all = budget.bytes();
        let is_alone = all <= self.bytes;
        let share = most.share(all.saturating_add(bytes));
        if over(
            self.account.0.bytes.load(Ordering::Acquire),
            most.connection,
        ) || over(of_address, most.address)
            || over(all, most.all)
            || (!is_alone && of_address.saturating_add(bytes) > share)
        {
            return Err(BudgetFull);
        }
        self.account.0.bytes.fetch_add(bytes, Ordering::AcqRel);
        budget.0.all.fetch_add(bytes, Ordering::AcqRel);
        addresses.insert(self.network, of_address.saturating_add(bytes));
        drop(addresses);
        self.bytes += bytes;
        Ok(())
    }

    /// Adds bytes that are held already.
    pub(super) fn add(&mut self, bytes: u64) {
        if bytes == 0 {
            return;
        }
        let budget = self.account.budget();
        self.account.0.bytes.fetch_add(bytes, Ordering::AcqRel);
        budget.0.all.fetch_add(bytes, Ordering::AcqRel);
        *budget.addresses().entry(self.network).or_default() += bytes;
        self.bytes += bytes;
    }

    /// Splits off bytes that are handed over.
    pub(super) fn part(&mut self, bytes: u64) -> Self {
        if self.bytes < bytes {
            let missing = bytes - self.bytes;
            self.add(missing);
        }
        self.bytes -= bytes;
        Self {
            account: self.account.clone(),
            network: self.network,
            bytes,
        }
    }

    /// Frees this many bytes, or all if there are fewer.
    pub(super) fn give_back(&mut self, bytes: u64) {
        let bytes = bytes.min(self.bytes);
        if bytes == 0 {
            return;
        }
        self.bytes -= bytes;
        let budget = self.account.budget();
        self.account.0.bytes.fetch_sub(bytes, Ordering::AcqRel);
        budget.0.all.fetch_sub(bytes, Ordering::AcqRel);
        let mut addresses = budget.addresses();
        if let Some(count) = addresses.get_mut(&self.network) {
            *count = count.saturating_sub(bytes);
            if *count == 0 {
                addresses.remove(&self.network);
            }
        }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}
