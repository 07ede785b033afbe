use super::*;
use crate::accounts::MIGRATIONS;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
const DAY: i64 = 24 * 3600;

async fn database() -> Db {
    let db = Db::temporary().unwrap();
    db.migrate(MIGRATIONS).await.unwrap();
    db
}

fn ada() -> FailureLimit {
    FailureLimit::of_strangers(&EmailKey::new("ada@example.org"))
}

/// A new address for each number.
fn sender_number(n: usize) -> IpAddr {
    let [.., b, c, d] = u32::try_from(n).unwrap().to_be_bytes();
    IpAddr::from([10, b, c, d])
}

/// The seconds that each of the next failures has to wait, each from another network address.
async fn waits(db: &Db, allowance: FailureLimit, now: &mut i64, failures: usize) -> Vec<u64> {
    let mut waits = Vec::new();
    while waits.len() < failures {
        let from = sender_number(waits.len());
        match attempt(db, allowance, from, *now).await.unwrap() {
            AttemptVerdict::Go { .. } => waits.push(0),
            AttemptVerdict::Wait(wait) => {
                *now += i64::try_from(wait.as_secs()).unwrap();
                let again = attempt(db, allowance, from, *now).await.unwrap();
                assert!(
                    matches!(again, AttemptVerdict::Go { .. }),
                    "the wait is the truth"
                );
                waits.push(wait.as_secs());
            }
            AttemptVerdict::Spent => break,
        }
    }
    waits
}

#[tokio::test]
async fn the_wait_doubles_after_five_failures_and_ends_at_a_quarter_of_an_hour() {
    let db = database().await;
    let mut now = 1_000_000;
    let waits = waits(&db, ada(), &mut now, 18).await;
    assert_eq!(
        waits,
        [
            0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900
        ]
    );
}

/// NIST SP 800-63B-4, 3.2.2: the stop limits guessing. It locks nobody out for good (CWE-645).
#[tokio::test]
async fn after_a_hundred_failures_one_attempt_is_let_through_every_six_hours() {
    let db = database().await;
    let mut now = 1_000_000;
    waits(&db, ada(), &mut now, 100).await;
    let six_hours = STOPPED_FOR.as_secs();
    assert_eq!(
        waits(&db, ada(), &mut now, 3).await,
        [six_hours, six_hours, six_hours]
    );
    now += 365 * DAY;
    let go = attempt(&db, ada(), HERE, now).await.unwrap();
    assert_eq!(go, AttemptVerdict::Go { failures: 104 });
}

/// The limit that the practice page names: an attacker with any number of network addresses, who never sleeps.
#[tokio::test]
async fn strangers_guess_at_most_so_often_whatever_their_addresses() {
    let db = database().await;
    let (start, mut now) = (1_000_000, 1_000_000);
    let mut by_day = [0_usize; 30];
    for n in 0.. {
        match attempt(&db, ada(), sender_number(n), now).await.unwrap() {
            AttemptVerdict::Wait(wait) => now += i64::try_from(wait.as_secs()).unwrap(),
            AttemptVerdict::Go { .. } => {
                let day = usize::try_from((now - start) / DAY).unwrap();
                let Some(guesses) = by_day.get_mut(day) else {
                    break;
                };
                *guesses += 1;
            }
            AttemptVerdict::Spent => unreachable!("that of strangers only becomes slower"),
        }
        sweep(&db, now).await.unwrap();
    }
    assert!(by_day[0] <= 101, "{by_day:?}");
    assert!(
        by_day[1..].iter().all(|guesses| *guesses <= 4),
        "{by_day:?}"
    );
    // A pause until the count is forgotten gains nothing.
    let kept = i64::try_from(STRANGERS_ARE_KEPT.as_secs()).unwrap();
    assert!(HARD_STOP <= 4 * kept / DAY, "a burst after each pause");
}

/// An attacker who keeps the limit used up from one address leaves everybody else a turn as long as the wait itself.
#[tokio::test]
async fn one_network_address_cannot_take_every_turn() {
    let db = database().await;
    let mut now = 1_000_000;
    for (failures, wait) in [(16, LONGEST_WAIT), (84, STOPPED_FOR)] {
        waits(&db, ada(), &mut now, failures).await;
        let attacker = IpAddr::from([198, 51, 100, 9]);
        let AttemptVerdict::Wait(first) = attempt(&db, ada(), attacker, now).await.unwrap() else {
            panic!("nobody may go now");
        };
        now += i64::try_from(first.as_secs()).unwrap();
        let go = attempt(&db, ada(), attacker, now).await.unwrap();
        assert!(matches!(go, AttemptVerdict::Go { .. }), "{go:?}");
        let left = |from| attempt(&db, ada(), from, now);
        assert_eq!(
            left(attacker).await.unwrap(),
            AttemptVerdict::Wait(2 * wait)
        );
        assert_eq!(left(HERE).await.unwrap(), AttemptVerdict::Wait(wait));
        now += 2 * i64::try_from(wait.as_secs()).unwrap() - 1;
        let attackers = attempt(&db, ada(), attacker, now).await.unwrap();
        assert_eq!(attackers, AttemptVerdict::Wait(Duration::from_secs(1)));
        let owners = attempt(&db, ada(), HERE, now).await.unwrap();
        assert!(matches!(owners, AttemptVerdict::Go { .. }), "{owners:?}");
    }
}

#[tokio::test]
async fn attempts_at_the_same_moment_are_all_counted() {
    let db = database().await;
    let all = (0..50).map(|_| attempt(&db, ada(), HERE, 1_000_000));
    let verdicts = futures_util::future::join_all(all).await;
    let went = verdicts
        .iter()
        .filter(|verdict| matches!(verdict, Ok(AttemptVerdict::Go { .. })))
        .count();
    assert_eq!(went, 5);
}

/// A stolen cookie or session is no way around the limit of strangers: it has ten guesses, and waiting brings no more.
#[tokio::test]
async fn an_own_allowance_has_ten_failures_and_no_more() {
    let db = database().await;
    let add = "INSERT INTO dewar_users
        (id, email, email_key, name, password_hash, created_at, password_changed_at)
        VALUES (1, '', '', '', '', 0, 0)";
    db.execute(add, []).await.unwrap();
    let user = UserId::new(1);
    let session = SessionId::parse(&"A".repeat(43)).unwrap();
    for own in [
        FailureLimit::of_browser(user, &[7; 16]),
        FailureLimit::of_session(user, &session),
    ] {
        let mut now = 1_000_000;
        let longest = waits(&db, own, &mut now, 100).await;
        assert_eq!(longest, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16]);
        for later in [1, DAY, 179 * DAY] {
            sweep(&db, now + later).await.unwrap();
            let spent = attempt(&db, own, HERE, now + later).await.unwrap();
            assert_eq!(spent, AttemptVerdict::Spent, "{later}");
        }
        let others = attempt(&db, FailureLimit::of_browser(user, &[8; 16]), HERE, now);
        assert!(matches!(others.await.unwrap(), AttemptVerdict::Go { .. }));
        clear(&db, FailureLimit::of_browser(user, &[8; 16]))
            .await
            .unwrap();
    }
    let strangers = attempt(&db, ada(), HERE, 1_000_000).await.unwrap();
    assert_eq!(strangers, AttemptVerdict::Go { failures: 1 });
}

#[tokio::test]
async fn what_was_not_tried_is_given_back_and_counts_are_forgotten_after_a_month() {
    let db = database().await;
    for _ in 0..20 {
        let go = attempt(&db, ada(), HERE, 1_000_000).await.unwrap();
        assert_eq!(go, AttemptVerdict::Go { failures: 1 });
        give_back(&db, ada()).await.unwrap();
    }
    assert_eq!(sweep(&db, 1_000_000 + 29 * DAY).await.unwrap(), 0);
    assert_eq!(sweep(&db, 1_000_000 + 31 * DAY).await.unwrap(), 1);
}

/// Nine guesses at a stolen session stay nine, and waiting a month does not bring ten more.
#[tokio::test]
async fn one_attempt_is_given_back_and_own_counts_are_kept_as_long_as_the_cookie() {
    let db = database().await;
    let add = "INSERT INTO dewar_users
        (id, email, email_key, name, password_hash, created_at, password_changed_at)
        VALUES (1, '', '', '', '', 0, 0)";
    db.execute(add, []).await.unwrap();
    let own = FailureLimit::of_browser(UserId::new(1), b"nonce");
    for allowance in [ada(), own] {
        for failures in 1..=4 {
            let go = attempt(&db, allowance, HERE, 1_000_000).await.unwrap();
            assert_eq!(go, AttemptVerdict::Go { failures });
        }
        give_back(&db, allowance).await.unwrap();
        let again = attempt(&db, allowance, HERE, 1_000_000).await.unwrap();
        assert_eq!(again, AttemptVerdict::Go { failures: 4 });
    }
    assert_eq!(sweep(&db, 1_000_000 + 31 * DAY).await.unwrap(), 1);
    let later = attempt(&db, own, HERE, 1_000_000 + 31 * DAY).await;
    assert_eq!(later.unwrap(), AttemptVerdict::Go { failures: 5 });
    assert_eq!(sweep(&db, 1_000_000 + 210 * DAY).await.unwrap(), 0);
    assert_eq!(sweep(&db, 1_000_000 + 212 * DAY).await.unwrap(), 1);
}

/// Each browser of an account has its own failures; correct passwords in all of them are counted together.
#[test]
fn browsers_and_sessions_are_counted_apart_and_their_owner_once() {
    let (ada, eve) = (UserId::new(1), UserId::new(2));
    let session = SessionId::parse(&"A".repeat(43)).unwrap();
    let all = [
        FailureLimit::of_browser(ada, b"one"),
        FailureLimit::of_browser(ada, b"two"),
        FailureLimit::of_browser(eve, b"one"),
        FailureLimit::of_session(ada, &session),
        FailureLimit::of_session(eve, &session),
        FailureLimit::of_strangers(&EmailKey::new("ada@example.org")),
    ];
    for (at, one) in all.iter().enumerate() {
        assert!(all.iter().skip(at + 1).all(|other| other.key != one.key));
    }
    assert_eq!(all[0].bucket(), all[1].bucket());
    assert_eq!(all[0].bucket(), all[3].bucket());
    assert_ne!(all[0].bucket(), all[2].bucket());
    assert!(all[0].is_last(OWN) && !all[0].is_last(OWN - 1));
    assert!(all[5].is_last(HARD_STOP) && !all[5].is_last(HARD_STOP - 1));
}
