//! Refusals of many addresses and users.

use super::*;

fn nth(number: u32) -> std::net::IpAddr {
    std::net::Ipv4Addr::from(0x0a00_0000 + number).into()
}

/// Somebody with many addresses, once as an actor and once as an attacker of one account.
#[tokio::test]
async fn one_person_fills_no_log_from_many_addresses() {
    let (_directory, path) = place();
    let log = open(&path);
    let locked = || Entry::new(Event::AuthnLoginLock).subject("mark of an address");
    for number in 0..2_000 {
        log.record(refused(&nth(number).to_string()).actor(17));
        log.record(locked().address(nth(number)));
    }
    log.record(refused("192.0.2.1").actor(18));
    log.flush().await;
    let most = tally::WRITTEN_OF_ONE as usize;
    assert_eq!(told(&log, Event::MaliciousCsrf).len(), most + 1);
    assert_eq!(told(&log, Event::AuthnLoginLock).len(), most);
}

/// Many users from many addresses; a new kind of refusal is written nevertheless.
#[tokio::test]
async fn all_refusals_together_fill_no_log() {
    let (_directory, path) = place();
    let log = open(&path);
    let each = 2 * tally::WRITTEN_AGAIN / tally::WRITTEN;
    for number in 0..each {
        for _ in 0..tally::WRITTEN {
            log.record(refused(&nth(number).to_string()).actor(number));
        }
        log.flush().await;
    }
    let again = tally::WRITTEN_AGAIN as usize;
    let written = told(&log, Event::MaliciousCsrf).len();
    assert_eq!(written, again + each as usize);
    log.record(refused("192.0.2.1"));
    log.flush().await;
    assert_eq!(told(&log, Event::MaliciousCsrf).len(), written + 1);
    assert_eq!(log.lost(), 0);
}
