use std::sync::Arc;

use super::super::{Charge, Charged, SessionStore, StoredValue, ValueWrite, WriteOutcome};
use crate::secrets::random;
use crate::sessions::record::{Hash, Live, New, Renewal, SessionId};
use crate::sessions::{Error, UserId};

type Any = Arc<dyn SessionStore>;

/// Every promise of a store, each with its own user.
pub(super) async fn all(store: &Any) {
    what_was_begun_is_found(store).await;
    several_are_found_together(store).await;
    a_collision_is_refused_and_overwrites_nothing(store).await;
    a_touch_never_brings_an_ended_session_back(store).await;
    a_renewed_token_is_worth_nothing(store).await;
    of_two_renewals_at_once_one_holds(store).await;
    ending_all_beats_what_is_under_way(store).await;
    all_others_end_and_one_stays(store).await;
    nobody_ends_the_session_of_another(store).await;
    the_oldest_ends_beyond_the_limit(store).await;
    begun_at_once_no_more_than_the_limit_stay(store).await;
    a_list_holds_one_persons_sessions_the_latest_first(store).await;
    two_changes_of_a_value_lose_nothing(store).await;
    values_end_with_their_session(store).await;
    values_are_counted(store).await;
    what_is_past_its_time_is_swept(store).await;
    everybody_is_signed_out(store).await;
    a_rate_limit_is_counted_exactly(store).await;
    what_is_owed_counts_even_where_no_more_is_admitted(store).await;
    a_count_far_ahead_counts_as_a_full_bucket(store).await;
    counts_that_say_nothing_are_swept(store).await;
}

pub(super) fn new(user: i64, now: i64) -> New {
    New {
        token_hash: random(),
        live: Live {
            id: SessionId::new(),
            user: UserId::new(user),
            generation: 3,
            created_at: now,
            seen_at: now,
            proved_at: now,
            roles: "member reviewer".to_owned(),
        },
        device: "Firefox \u{e9} \"on\" 'Linux'".to_owned(),
        address: "192.0.2.7".to_owned(),
    }
}

async fn begun(store: &Any, user: i64, now: i64) -> New {
    let new = new(user, now);
    assert_eq!(store.begin(&new, 100).await.unwrap(), 0);
    new
}

fn renewal(now: i64) -> Renewal {
    Renewal {
        token_hash: random(),
        generation: 4,
        seen_at: now,
        proved_at: now,
        roles: "administrator".to_owned(),
    }
}

async fn found(store: &Any, token: &Hash) -> Option<Live> {
    store.find(token).await.unwrap().map(|found| found.live)
}

fn set(before: Option<i64>, json: &str) -> ValueWrite {
    ValueWrite {
        before,
        after: Some(StoredValue {
            version: i64::from_be_bytes(random()) & i64::MAX,
            json: json.to_owned(),
        }),
        most: 3,
    }
}

async fn what_was_begun_is_found(store: &Any) {
    let new = begun(store, 1, 100).await;
    assert_eq!(found(store, &new.token_hash).await, Some(new.live.clone()));
    assert_eq!(found(store, &random()).await, None);
    assert_eq!(
        found(store, new.live.id.bytes()).await,
        None,
        "an id is no token"
    );
    store.touch(&new.token_hash, 170).await.unwrap();
    store.touch(&new.token_hash, 160).await.unwrap();
    assert_eq!(found(store, &new.token_hash).await.unwrap().seen_at, 170);
}

/// More than one statement or script reads.
async fn several_are_found_together(store: &Any) {
    let mut begun_now = Vec::new();
    for at in 0..3 {
        begun_now.push(begun(store, 1, 100 + at).await);
    }
    let mut tokens: Vec<Hash> = (0..500).map(|_| random()).collect();
    tokens.extend(begun_now.iter().map(|new| new.token_hash));
    let found = store.find_all(&tokens).await.unwrap();
    assert_eq!(found.len(), 3);
    for new in begun_now {
        let found = found.get(&new.token_hash).unwrap();
        assert_eq!(found.live, new.live);
    }
    assert!(store.find_all(&[]).await.unwrap().is_empty());
}

/// tower-sessions 0.12 gave one user's session to another: a new record overwrote one with the same id.
async fn a_collision_is_refused_and_overwrites_nothing(store: &Any) {
    let first = begun(store, 2, 100).await;
    let same_token = New {
        token_hash: first.token_hash,
        ..new(3, 200)
    };
    let mut same_id = new(3, 200);
    same_id.live.id = first.live.id;
    for twin in [same_token, same_id] {
        let refused = store.begin(&twin, 100).await;
        assert!(matches!(refused, Err(Error::Collision)), "{refused:?}");
    }
    let other = begun(store, 3, 200).await;
    let onto = Renewal {
        token_hash: first.token_hash,
        ..renewal(210)
    };
    let refused = store.renew(&other.token_hash, &onto).await;
    assert!(matches!(refused, Err(Error::Collision)), "{refused:?}");
    assert_eq!(found(store, &first.token_hash).await, Some(first.live));
    assert_eq!(found(store, &other.token_hash).await, Some(other.live));
}

async fn a_touch_never_brings_an_ended_session_back(store: &Any) {
    for round in 0..10 {
        let new = begun(store, 4, 100).await;
        let (touched, ended) = tokio::join!(
            store.touch(&new.token_hash, 200 + round),
            store.end(new.live.user, &new.live.id)
        );
        touched.unwrap();
        assert!(ended.unwrap());
        store.touch(&new.token_hash, 300).await.unwrap();
        assert_eq!(found(store, &new.token_hash).await, None);
        assert!(store.list_of(new.live.user).await.unwrap().is_empty());
    }
}

async fn a_renewed_token_is_worth_nothing(store: &Any) {
    let new = begun(store, 5, 100).await;
    let done = store.keep(&new.live.id, "basket", &set(None, "1")).await;
    assert_eq!(done.unwrap(), WriteOutcome::Written);
    let renewal = renewal(200);
    assert!(store.renew(&new.token_hash, &renewal).await.unwrap());
    assert_eq!(found(store, &new.token_hash).await, None);
    let live = found(store, &renewal.token_hash).await.unwrap();
    let expected = Live {
        generation: 4,
        seen_at: 200,
        proved_at: 200,
        roles: "administrator".to_owned(),
        ..new.live.clone()
    };
    assert_eq!(live, expected);
    let kept = store.value(&new.live.id, "basket").await.unwrap().unwrap();
    assert_eq!(kept.json, "1");
    assert!(
        !store
            .renew(&new.token_hash, &self::renewal(300))
            .await
            .unwrap()
    );
}

async fn of_two_renewals_at_once_one_holds(store: &Any) {
    for _ in 0..10 {
        let new = begun(store, 6, 100).await;
        let (one, two) = (renewal(200), renewal(200));
        let (first, second) = tokio::join!(
            store.renew(&new.token_hash, &one),
            store.renew(&new.token_hash, &two)
        );
        assert!(first.unwrap() != second.unwrap(), "exactly one is true");
        let alive = [&one, &two].map(|renewal| found(store, &renewal.token_hash));
        let [one, two] = alive;
        assert!(one.await.is_some() != two.await.is_some());
    }
}

async fn ending_all_beats_what_is_under_way(store: &Any) {
    let user = UserId::new(7);
    for _ in 0..10 {
        let new = begun(store, 7, 100).await;
        let renewal = renewal(200);
        let (renewed, touched, ended) = tokio::join!(
            store.renew(&new.token_hash, &renewal),
            store.touch(&new.token_hash, 200),
            store.end_all_of(user, None)
        );
        renewed.unwrap();
        touched.unwrap();
        assert_eq!(ended.unwrap(), 1);
        assert_eq!(found(store, &new.token_hash).await, None);
        assert_eq!(found(store, &renewal.token_hash).await, None);
        assert!(store.list_of(user).await.unwrap().is_empty());
    }
}

async fn all_others_end_and_one_stays(store: &Any) {
    let mut all = Vec::new();
    for now in 100..104 {
        all.push(begun(store, 8, now).await);
    }
    let stays = &all[1];
    let ended = store.end_all_of(UserId::new(8), Some(&stays.live.id)).await;
    assert_eq!(ended.unwrap(), 3);
    for one in &all {
        let alive = found(store, &one.token_hash).await.is_some();
        assert_eq!(alive, one.live.id == stays.live.id);
    }
}

async fn nobody_ends_the_session_of_another(store: &Any) {
    let ada = begun(store, 9, 100).await;
    assert!(!store.end(UserId::new(10), &ada.live.id).await.unwrap());
    assert!(found(store, &ada.token_hash).await.is_some());
    assert!(store.end(UserId::new(9), &ada.live.id).await.unwrap());
    assert!(!store.end(UserId::new(9), &ada.live.id).await.unwrap());
}

async fn the_oldest_ends_beyond_the_limit(store: &Any) {
    let mut all = Vec::new();
    for now in 100..105 {
        let new = new(11, now);
        let ended = store.begin(&new, 3).await.unwrap();
        assert_eq!(ended, u64::from(now >= 103));
        all.push(new);
    }
    for (number, one) in all.iter().enumerate() {
        let alive = found(store, &one.token_hash).await.is_some();
        assert_eq!(alive, number >= 2, "{number}");
    }
}

async fn begun_at_once_no_more_than_the_limit_stay(store: &Any) {
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let store = Arc::clone(store);
            tokio::spawn(async move { store.begin(&new(12, 100), 3).await.unwrap() })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(store.list_of(UserId::new(12)).await.unwrap().len(), 3);
}

async fn a_list_holds_one_persons_sessions_the_latest_first(store: &Any) {
    let first = begun(store, 13, 100).await;
    let second = begun(store, 13, 200).await;
    begun(store, 14, 300).await;
    store.touch(&first.token_hash, 400).await.unwrap();
    let list = store.list_of(UserId::new(13)).await.unwrap();
    let ids: Vec<_> = list.iter().map(|listed| listed.id).collect();
    assert_eq!(ids, [first.live.id, second.live.id]);
    let listed = &list[0];
    assert_eq!(
        (
            listed.created_at,
            listed.seen_at,
            &*listed.device,
            &*listed.address
        ),
        (100, 400, &*first.device, "192.0.2.7")
    );
}

async fn two_changes_of_a_value_lose_nothing(store: &Any) {
    let id = begun(store, 15, 100).await.live.id;
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for _ in 0..10 {
                    add_one(&store, &id).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let kept = store.value(&id, "count").await.unwrap().unwrap();
    assert_eq!(kept.json, "40");
}

async fn add_one(store: &Any, id: &SessionId) {
    loop {
        let before = store.value(id, "count").await.unwrap();
        let count: u32 = before.as_ref().map_or(0, |kept| kept.json.parse().unwrap());
        let change = set(before.map(|kept| kept.version), &(count + 1).to_string());
        match store.keep(id, "count", &change).await.unwrap() {
            WriteOutcome::Written => return,
            WriteOutcome::Changed => {}
            other @ (WriteOutcome::Ended | WriteOutcome::Full) => panic!("{other:?}"),
        }
    }
}

async fn values_end_with_their_session(store: &Any) {
    let one = begun(store, 16, 100).await;
    let id = one.live.id;
    let text = "{\"a\": \"\u{e9} 'b' $1 ?1\"}";
    store.keep(&id, "basket", &set(None, text)).await.unwrap();
    assert_eq!(
        store.value(&id, "basket").await.unwrap().unwrap().json,
        text
    );
    let another = begun(store, 16, 200).await;
    assert_eq!(store.value(&another.live.id, "basket").await.unwrap(), None);
    assert!(store.end(one.live.user, &id).await.unwrap());
    assert_eq!(store.value(&id, "basket").await.unwrap(), None);
    let late = store.keep(&id, "basket", &set(None, "1")).await.unwrap();
    assert_eq!(late, WriteOutcome::Ended);
    assert_eq!(store.value(&id, "basket").await.unwrap(), None);
}

async fn values_are_counted(store: &Any) {
    let id = begun(store, 17, 100).await.live.id;
    for name in ["a", "b", "c"] {
        let done = store.keep(&id, name, &set(None, "1")).await.unwrap();
        assert_eq!(done, WriteOutcome::Written);
    }
    let done = store.keep(&id, "d", &set(None, "1")).await.unwrap();
    assert_eq!(done, WriteOutcome::Full);
    let version = store
        .value(&id, "a")
        .await
        .unwrap()
        .map(|kept| kept.version);
    let away = |before| ValueWrite {
        before,
        after: None,
        most: 3,
    };
    let done = store.keep(&id, "a", &away(Some(1))).await.unwrap();
    assert_eq!(done, WriteOutcome::Changed, "of another version");
    assert_eq!(
        store.keep(&id, "a", &away(version)).await.unwrap(),
        WriteOutcome::Written
    );
    assert_eq!(store.value(&id, "a").await.unwrap(), None);
    let done = store.keep(&id, "d", &set(None, "1")).await.unwrap();
    assert_eq!(done, WriteOutcome::Written);
    let done = store.keep(&id, "d", &set(None, "2")).await.unwrap();
    assert_eq!(done, WriteOutcome::Changed, "there is one already");
}

async fn what_is_past_its_time_is_swept(store: &Any) {
    let at = 1_000_000;
    let rested = begun(store, 18, at).await;
    let fresh = begun(store, 18, at + 500).await;
    let busy = begun(store, 18, at - 100).await;
    store.touch(&busy.token_hash, at + 900).await.unwrap();
    store.sweep(at + 100, 0).await.unwrap();
    assert_eq!(found(store, &rested.token_hash).await, None);
    assert!(found(store, &fresh.token_hash).await.is_some());
    assert!(found(store, &busy.token_hash).await.is_some());
    assert_eq!(
        store.sweep(0, at).await.unwrap(),
        1,
        "too old, however busy"
    );
    assert_eq!(found(store, &busy.token_hash).await, None);
    assert_eq!(store.sweep(0, at).await.unwrap(), 0);
    assert_eq!(store.list_of(UserId::new(18)).await.unwrap().len(), 1);
}

async fn everybody_is_signed_out(store: &Any) {
    let (ada, eve) = (begun(store, 19, 100).await, begun(store, 20, 100).await);
    assert!(store.end_everyone().await.unwrap() >= 2);
    assert_eq!(found(store, &ada.token_hash).await, None);
    assert_eq!(found(store, &eve.token_hash).await, None);
    assert_eq!(store.end_everyone().await.unwrap(), 0);
}

/// Three at once, and one more each second.
fn three(now: i64, owed: u32) -> Charge {
    Charge {
        key: random(),
        now,
        interval: 1_000_000,
        room: 2_000_000,
        furthest: 3_000_000,
        owed,
    }
}

/// A time in microseconds, as it is today: a store that counts in floating-point numbers must not round it.
const TODAY: i64 = 1_800_000_000_123_457;

async fn a_rate_limit_is_counted_exactly(store: &Any) {
    let charge = three(TODAY, 0);
    let all = (0..20).map(|_| store.charge(&charge));
    let all = futures_util::future::join_all(all).await;
    let admitted = all
        .iter()
        .filter(|found| matches!(found, Ok(Charged::Admitted { .. })));
    assert_eq!(admitted.count(), 3, "{all:?}");
    let empty_at = TODAY + 3_000_000;
    assert_eq!(
        store.charge(&charge).await.unwrap(),
        Charged::Refused { empty_at }
    );
    let other = three(TODAY, 0);
    let empty_at = TODAY + 1_000_000;
    assert_eq!(
        store.charge(&other).await.unwrap(),
        Charged::Admitted { empty_at }
    );
    let later = Charge {
        now: TODAY + 1_000_000,
        ..charge
    };
    let empty_at = TODAY + 4_000_000;
    assert_eq!(
        store.charge(&later).await.unwrap(),
        Charged::Admitted { empty_at }
    );
    assert_eq!(
        store.charge(&later).await.unwrap(),
        Charged::Refused { empty_at }
    );
}

async fn what_is_owed_counts_even_where_no_more_is_admitted(store: &Any) {
    let charge = three(TODAY, 2);
    let empty_at = TODAY + 3_000_000;
    assert_eq!(
        store.charge(&charge).await.unwrap(),
        Charged::Admitted { empty_at }
    );
    let empty_at = TODAY + 5_000_000;
    assert_eq!(
        store.charge(&charge).await.unwrap(),
        Charged::Refused { empty_at }
    );
}

/// A node whose clock was wrong, or a limit that was longer before, locks nobody out.
async fn a_count_far_ahead_counts_as_a_full_bucket(store: &Any) {
    for wrong in [TODAY + 3_600_000_000, TODAY + 40_000_000_000_000] {
        let charge = three(TODAY, 0);
        let before = Charge {
            now: wrong,
            ..charge
        };
        store.charge(&before).await.unwrap();
        let empty_at = TODAY + 3_000_000;
        assert_eq!(
            store.charge(&charge).await.unwrap(),
            Charged::Refused { empty_at }
        );
        let later = Charge {
            now: TODAY + 1_000_000,
            ..charge
        };
        let empty_at = TODAY + 4_000_000;
        assert_eq!(
            store.charge(&later).await.unwrap(),
            Charged::Admitted { empty_at }
        );
        // And what nodes owe is added as before.
        let owes = Charge { owed: 2, ..later };
        let empty_at = TODAY + 6_000_000;
        assert_eq!(
            store.charge(&owes).await.unwrap(),
            Charged::Refused { empty_at }
        );
    }
    let lost = Charge {
        now: TODAY + 60_000_000_000_000,
        ..three(TODAY, 0)
    };
    store.charge(&lost).await.unwrap();
    assert_eq!(store.sweep_counts(TODAY + 20_000_000).await.unwrap(), 0);
}

async fn counts_that_say_nothing_are_swept(store: &Any) {
    let charge = three(TODAY, 0);
    store.charge(&charge).await.unwrap();
    store.sweep_counts(TODAY + 999_999).await.unwrap();
    let empty_at = TODAY + 2_000_000;
    assert_eq!(
        store.charge(&charge).await.unwrap(),
        Charged::Admitted { empty_at }
    );
    assert_eq!(store.sweep_counts(TODAY + 10_000_000).await.unwrap(), 0);
}
