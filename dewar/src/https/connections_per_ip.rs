use super::address::ClientAddress;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Limits the connections of each address, so that one client cannot take all of them.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionsPerIp {
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
    each: usize,
}

/// A connection that counts; it stops counting when dropped.
#[derive(Debug)]
pub(crate) struct ConnectionPermit {
    seats: ConnectionsPerIp,
    network: IpAddr,
}

impl ConnectionsPerIp {
    pub(crate) fn new(each: usize) -> Self {
        Self {
            taken: Arc::default(),
            each,
        }
    }

    pub(crate) fn take(&self, address: ClientAddress) -> Option<ConnectionPermit> {
        let network = address.network();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(network).or_insert(0);
        if *count >= self.each {
            return None;
        }
        *count += 1;
        Some(ConnectionPermit {
            seats: self.clone(),
            network,
        })
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut taken = self
            .seats
            .taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientAddress, ConnectionsPerIp};

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let seats = ConnectionsPerIp::new(2);
        let one = ClientAddress("192.0.2.1".parse().unwrap());
        let other = ClientAddress("192.0.2.2".parse().unwrap());
        let first = seats.take(one).unwrap();
        let _second = seats.take(one).unwrap();
        assert!(seats.take(one).is_none());
        assert!(seats.take(other).is_some());
        drop(first);
        assert!(seats.take(one).is_some());
        assert_eq!(seats.taken.lock().unwrap().len(), 1);
    }

    /// The map forgets an address without connections, so it does not grow with every client.
    #[test]
    fn an_address_without_a_seat_is_forgotten() {
        let seats = ConnectionsPerIp::new(3);
        let one = ClientAddress("192.0.2.1".parse().unwrap());
        let taken: Vec<_> = std::iter::from_fn(|| seats.take(one)).collect();
        assert_eq!(taken.len(), 3);
        for (left, seat) in taken.into_iter().enumerate().rev() {
            drop(seat);
            let counts = seats.taken.lock().unwrap();
            assert_eq!(counts.values().sum::<usize>(), left);
            assert_eq!(counts.is_empty(), left == 0);
        }
    }

    /// One client has any number of IPv6 addresses in one network, and an IPv4 address may come as an IPv6 one.
    #[test]
    fn addresses_of_one_network_share_their_places() {
        for (one, other, shared) in [
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff:ffff:ffff:ffff", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
        ] {
            let seats = ConnectionsPerIp::new(1);
            let _taken = seats.take(ClientAddress(one.parse().unwrap())).unwrap();
            let second = seats.take(ClientAddress(other.parse().unwrap()));
            assert_eq!(second.is_none(), shared, "{one} and {other}");
        }
    }
}
