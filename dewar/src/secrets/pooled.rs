use super::random::random;
use std::cell::RefCell;

/// A system call for every nonce would cost more than the nonce; one for every kilobyte does not.
const POOL: usize = 1024;

struct RandomPool {
    bytes: [u8; POOL],
    used: usize,
}

thread_local! {
    static POOLED: RefCell<RandomPool> = const { RefCell::new(RandomPool { bytes: [0; POOL], used: POOL }) };
}

/// Random bytes from the system's generator, fetched in batches for each thread.
///
/// They are for values that become public: nonces, request ids and the masks of CSRF tokens. Keys and tokens come from
/// [`random`] directly, so that they never lie in a shared buffer.
pub(crate) fn pooled<const N: usize>() -> [u8; N] {
    POOLED.with_borrow_mut(|pool| pool.take())
}

impl RandomPool {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        if POOL - self.used < N {
            self.bytes = random();
            self.used = 0;
        }
        let left = self.bytes.get_mut(self.used..).unwrap_or_default();
        let Some(fresh) = left.first_chunk_mut::<N>() else {
            return random();
        };
        let taken = *fresh;
        // The buffer is cleared: a second reader of the same bytes would get zeros, not a repeated nonce.
        fresh.fill(0);
        self.used += N;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::pooled;
    use std::collections::HashSet;

    #[test]
    fn bytes_are_handed_out_once() {
        let drawn: HashSet<[u8; 18]> = (0..5_000).map(|_| pooled()).collect();
        assert_eq!(drawn.len(), 5_000);
        assert!(!drawn.contains(&[0; 18]));
    }

    #[test]
    fn more_than_the_pool_holds_is_drawn_directly() {
        assert_ne!(pooled::<2048>(), [0; 2048]);
    }
}
