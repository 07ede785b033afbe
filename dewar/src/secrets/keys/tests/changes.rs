//! Key files that change under running programs.

use super::*;

/// A ring with its own file, and its clock.
fn node(dir: &Path, clock: &Clock) -> (KeySource, KeyRing) {
    let source = KeySource::in_directory(dir).clock(clock.clone());
    if !source.file().exists() {
        KeyRing::create(&source).unwrap();
        clock.advance(Duration::from_secs(60));
    }
    let ring = KeyRing::open_or_create(&source, Mode::Production).unwrap();
    (source, ring)
}

#[test]
fn a_new_key_verifies_at_once_and_signs_when_it_has_settled() {
    let (_directory, dir) = place();
    let clock = Clock::manual(1_000_000);
    let (source, ring) = node(&dir, &clock);
    let old = ring.signing_id();
    assert_eq!(ring.refresh(), None, "nothing was changed");
    let new = KeyRing::rotate(&source).unwrap();
    assert_eq!(new.state, KeyState::PreActive);
    let change = ring.refresh().unwrap().unwrap();
    assert_eq!(change.added, std::slice::from_ref(&new.id));
    assert_eq!(change.current, Some(new.id.clone()));
    assert_eq!((change.revoked, change.removed), (vec![], vec![]));
    assert_eq!(ring.refresh(), None);
    for seconds in 0..15 {
        assert_eq!(ring.signing_id(), old, "{seconds}");
        assert!(ring.sign(Purpose::Link, b"x", i64::MAX).starts_with(&old));
        assert!(
            ring.seal(Purpose::Flash, b"", b"x")
                .unwrap()
                .starts_with(&old)
        );
        assert_eq!(ring.macs(Purpose::Csrf, &[b"x"]).count(), 2);
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(ring.signing_id(), new.id);
    assert!(
        ring.sign(Purpose::Link, b"x", i64::MAX)
            .starts_with(&new.id)
    );
    let states: Vec<KeyState> = KeyRing::list(&source)
        .unwrap()
        .iter()
        .map(|key| key.state)
        .collect();
    assert_eq!(states, [KeyState::Active, KeyState::Deactivated]);
}

#[test]
fn the_only_usable_key_signs_however_new_it_is() {
    let (_directory, dir) = place();
    let clock = Clock::manual(1_000_000);
    let (source, ring) = node(&dir, &clock);
    let leaked = ring.signing_id();
    let new = KeyRing::rotate(&source).unwrap();
    KeyRing::revoke(&source, &leaked).unwrap();
    let change = ring.refresh().unwrap().unwrap();
    assert_eq!(change.revoked, [leaked]);
    assert_eq!(ring.signing_id(), new.id, "a leaked key signs nothing more");
}

#[test]
fn a_bad_file_changes_nothing_and_is_told_of_once() {
    let (_directory, dir) = place();
    let clock = Clock::manual(1_000_000);
    let (source, ring) = node(&dir, &clock);
    let good = fs::read_to_string(path_in(&dir)).unwrap();
    let token = ring.sign(Purpose::Link, b"x", i64::MAX);
    let key = good.rsplit('"').nth(1).unwrap();
    let weak = good.replace(key, &BASE64.encode(&[7; 32]));
    let half = good.get(..good.len() / 2).unwrap();
    for (text, id) in [
        (weak.as_str(), "secrets-weak"),
        ("", "secrets-unusable"),
        (half, "secrets-unusable"),
    ] {
        fs::write(path_in(&dir), text).unwrap();
        let findings = ring.refresh().unwrap().unwrap_err();
        assert_eq!(findings[0].id, id);
        assert_eq!(ring.findings(), findings, "who asks hears of it");
        assert_eq!(ring.refresh(), None, "once");
        assert_eq!(ring.verify(Purpose::Link, &token, 0), Ok(b"x".to_vec()));
    }
    fs::remove_file(path_in(&dir)).unwrap();
    assert_eq!(
        ring.refresh().unwrap().unwrap_err()[0].id,
        "secrets-missing"
    );
    assert_eq!(ring.refresh(), None);
    fs::write(path_in(&dir), &good).unwrap();
    allow_owner_alone(&path_in(&dir));
    ring.reload().unwrap();
    assert_eq!(ring.findings(), []);
    KeyRing::rotate(&source).unwrap();
    assert_eq!(ring.refresh().unwrap().unwrap().added.len(), 1);
}

#[test]
fn a_file_that_was_opened_to_others_is_noticed() {
    use std::os::unix::fs::PermissionsExt;
    let (_directory, dir) = place();
    let (_, ring) = node(&dir, &Clock::manual(1_000_000));
    fs::set_permissions(path_in(&dir), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(
        ring.refresh().unwrap().unwrap_err()[0].id,
        "secrets-exposed"
    );
}

#[test]
fn a_key_that_was_taken_out_of_the_file_is_told_of() {
    let (_directory, dir) = place();
    let clock = Clock::manual(1_000_000);
    let (source, ring) = node(&dir, &clock);
    let first = ring.signing_id();
    KeyRing::rotate(&source).unwrap();
    ring.reload().unwrap();
    let text = fs::read_to_string(path_in(&dir)).unwrap();
    let (kept, _) = text.rsplit_once("[[keys]]").unwrap();
    fs::write(path_in(&dir), kept).unwrap();
    assert_eq!(ring.reload().unwrap().removed, [first]);
}

/// Two nodes read the file every five seconds, at different moments, while it is rotated again and again, also three
/// times within a second. At any second, each node accepts what the other makes.
#[test]
fn what_one_node_makes_the_other_takes_while_keys_are_rotated() {
    let (_directory, dir) = place();
    let clock = Clock::manual(1_000_000);
    let (source, one) = node(&dir, &clock);
    let (_, other) = node(&dir, &clock);
    let rotations = [
        3, 4, 4, 4, 12, 13, 31, 32, 33, 34, 35, 36, 60, 61, 75, 90, 105, 120, 135, 150,
    ];
    assert_eq!(rotations.len(), 20);
    let mut made: Vec<(String, String, [u8; 32])> = Vec::new();
    let mut signed_by = BTreeSet::new();
    for second in 0..200 {
        for _ in rotations.iter().filter(|at| **at == second) {
            KeyRing::rotate(&source).unwrap();
        }
        for (node, phase) in [(&one, 0), (&other, 3)] {
            if second % 5 == phase {
                node.refresh().transpose().unwrap();
            }
        }
        for (maker, taker) in [(&one, &other), (&other, &one)] {
            signed_by.insert(maker.signing_id());
            made.push((
                maker.sign(Purpose::Link, b"x", i64::MAX),
                maker.seal(Purpose::Flash, b"c", b"x").unwrap(),
                maker.mac(Purpose::Csrf, &[b"x"]),
            ));
            for (signed, sealed, mac) in made.iter().rev().take(20).chain(made.first()) {
                assert!(taker.verify(Purpose::Link, signed, 0).is_ok(), "{second}");
                assert!(taker.open(Purpose::Flash, b"c", sealed).is_ok(), "{second}");
                let known = taker.macs(Purpose::Csrf, &[b"x"]).any(|it| it == *mac);
                assert!(known, "{second}");
            }
        }
        clock.advance(Duration::from_secs(1));
    }
    assert!(
        signed_by.len() > 8,
        "keys were really changed: {signed_by:?}"
    );
    assert_eq!(one.signing_id(), one.current_id());
}

fn allow_owner_alone(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
