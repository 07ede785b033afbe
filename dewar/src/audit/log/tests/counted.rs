//! Repeated refusals, and entries that could not be written, are counted.

use super::*;

#[tokio::test]
async fn entries_that_find_no_room_are_counted_and_written_down() {
    let (_directory, path) = place();
    let log = Log::open_with(
        &path,
        KEY.into(),
        Clock::manual(NOON),
        Opening {
            queue: 4,
            ..Opening::default()
        },
    )
    .unwrap();
    // Holding the lock stops the writer, and the queue fills.
    let file = fs::File::open(&path).unwrap();
    file.lock().unwrap();
    for number in 0..600 {
        log.record(Entry::new(Event::SessionCreated).actor(number));
    }
    let lost = log.lost();
    assert!(lost >= 500, "{lost}");
    file.unlock().unwrap();
    log.flush().await;
    log.record(Entry::new(Event::SysShutdown));
    log.flush().await;
    let verified = log.verify().await.unwrap();
    let said: u64 = verified
        .remarks
        .iter()
        .filter_map(|remark| remark.detail.rsplit(' ').next()?.parse::<u64>().ok())
        .sum();
    assert_eq!(said, lost);
    assert_eq!(
        verified.entries,
        600 - lost + 1 + verified.remarks.len() as u64
    );
    assert_eq!(log.findings()[0].id, "audit-entries-lost");
}

#[tokio::test]
async fn what_cannot_be_written_is_counted_and_written_down_once_it_can() {
    let (_directory, path) = place();
    let log = open(&path);
    let directory = path.parent().unwrap();
    let away = directory.with_extension("away");
    fs::rename(directory, &away).unwrap();
    log.record(Entry::new(Event::SysStartup));
    log.flush().await;
    assert_eq!(log.lost(), 1);
    fs::rename(&away, directory).unwrap();
    log.record(Entry::new(Event::SysShutdown));
    log.flush().await;
    let verified = log.verify().await.unwrap();
    assert_eq!(verified.entries, 2);
    assert_eq!(
        verified.remarks[0].detail,
        "entries that could not be stored: 1"
    );
}

/// At a stop no later entry follows with which it would be written.
#[tokio::test]
async fn what_could_not_be_written_is_written_down_at_the_stop() {
    let (_directory, path) = place();
    let log = open(&path);
    let directory = path.parent().unwrap();
    let away = directory.with_extension("away");
    fs::rename(directory, &away).unwrap();
    log.record(Entry::new(Event::SysStartup));
    log.flush().await;
    fs::rename(&away, directory).unwrap();
    drop(log);
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("entries that could not be stored: 1"),
        "{text}"
    );
}

/// 11,350 refused sign-ins a second wrote 7 MB a second of log.
///
/// ASVS: V16.3.3
#[tokio::test]
async fn a_flood_of_refusals_is_counted_and_its_sum_is_written() {
    let (_directory, path) = place();
    let clock = Clock::manual(NOON);
    let log = Log::open(&path, KEY, clock.clone()).unwrap();
    for _ in 0..100_000 {
        log.record(refused("192.0.2.1"));
    }
    log.record(refused("192.0.2.2"));
    log.record(refused("192.0.2.1").actor(17));
    // One household is one address (RFC 6177).
    for number in 0..2 * tally::WRITTEN {
        log.record(refused(&format!("2001:db8::{number:x}")));
    }
    log.record(Entry::new(Event::SessionCreated));
    log.flush().await;
    assert_eq!(log.lost(), 0);
    let written = tally::WRITTEN as usize;
    assert_eq!(
        told(&log, Event::MaliciousCsrf).len(),
        written + 2 + written
    );
    assert_eq!(
        told(&log, Event::SessionCreated).len(),
        1,
        "pushed out by the flood"
    );

    clock.advance(COUNTED_WITHIN);
    log.record(refused("192.0.2.1"));
    log.flush().await;
    let told = told(&log, Event::MaliciousCsrf);
    let sum = |times: usize, address: &str| {
        let detail = format!("{times} times more in this window");
        assert!(
            told.contains(&(detail, Some(address.to_owned()))),
            "{told:?}"
        );
    };
    sum(100_000 - written, "192.0.2.1");
    sum(written, "2001:db8::");
    assert_eq!(told.len(), written + 2 + written + 2 + 1);
    assert_eq!(log.verify().await.unwrap().remarks, []);
}

#[tokio::test]
async fn what_was_counted_is_told_at_the_end_too() {
    let (_directory, path) = place();
    let log = open(&path);
    (0..tally::WRITTEN + 5).for_each(|_| log.record(refused("192.0.2.1")));
    drop(log);
    let last = Log::latest_in(&path, 1, None).unwrap().remove(0);
    assert_eq!(last.detail.as_deref(), Some("5 times more in this window"));
}

#[tokio::test]
async fn kinds_of_refusals_are_told_apart_up_to_a_bound() {
    let (_directory, path) = place();
    let log = open(&path);
    let addresses = u32::try_from(tally::MOST).unwrap() + 500;
    for number in 0..addresses {
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string();
        log.record(refused(&address));
        if number % 1_000 == 0 {
            log.flush().await;
        }
    }
    log.settle();
    log.flush().await;
    let told = told(&log, Event::MaliciousCsrf);
    assert_eq!(told.len(), tally::MOST + 1);
    let last = told.last().unwrap();
    assert_eq!(last.0, "500 times more from other addresses in this window");
}
