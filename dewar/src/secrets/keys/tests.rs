use super::*;
use crate::audit::{Clock, Mode};
use crate::secrets::mounts;
use crate::secrets::{Error, Purpose};
use data_encoding::BASE64;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let keys = directory.path().join("keys");
    (directory, keys)
}

fn path_in(dir: &Path) -> PathBuf {
    dir.join("keys.toml")
}

fn ids(result: Result<KeyRing, Vec<Finding>>) -> Vec<&'static str> {
    result
        .unwrap_err()
        .iter()
        .map(|finding| finding.id)
        .collect()
}

/// A key file with this key, and with the required mode.
fn file_with(dir: &Path, key: &[u8]) {
    KeyRing::create(dir).unwrap();
    let text = format!(
        "current = \"abc\"\n[[keys]]\nid = \"abc\"\ncreated = \"2026-11-01T00:00:00Z\"\nkey = \"{}\"\n",
        BASE64.encode(key)
    );
    fs::write(path_in(dir), text).unwrap();
}

#[test]
fn production_does_not_start_without_a_key() {
    let (_directory, dir) = place();
    let findings = KeyRing::open_or_create(&dir, Mode::Production).unwrap_err();
    assert_eq!(findings[0].id, "secrets-missing");
    assert!(findings[0].refuses_launch);
    assert!(findings[0].fix.contains("keys new"));
    assert!(!path_in(&dir).exists());
}

#[test]
fn development_makes_a_key_says_so_and_keeps_it() {
    let (_directory, dir) = place();
    let first = KeyRing::open_or_create(&dir, Mode::Development).unwrap();
    assert_eq!(first.findings()[0].id, "secrets-created");
    let sealed = first.seal(Purpose::Session, b"", b"x").unwrap();
    let second = KeyRing::open_or_create(&dir, Mode::Production).unwrap();
    assert_eq!(second.findings(), []);
    assert_eq!(*second.open(Purpose::Session, b"", &sealed).unwrap(), b"x");
}

#[test]
fn a_rotation_keeps_what_was_made_before() {
    let (_directory, dir) = place();
    let clock = Clock::manual(1_000_000);
    let source = KeySource::in_directory(&dir).clock(clock.clone());
    let first = KeyRing::create(&source).unwrap();
    let before = KeyRing::open_or_create(&source, Mode::Production).unwrap();
    let running = before.clone();
    let token = before.sign(Purpose::Link, b"x", 10);
    let mac = before.mac(Purpose::Csrf, &[b"x"]);
    let second = KeyRing::rotate(&source).unwrap();
    running.reload().unwrap();
    clock.advance(Duration::from_secs(15));
    assert_eq!(before.current_id(), second.id);
    assert!(
        running
            .sign(Purpose::Link, b"x", 10)
            .starts_with(&second.id)
    );
    assert_eq!(running.verify(Purpose::Link, &token, 0), Ok(b"x".to_vec()));
    assert_ne!(running.mac(Purpose::Csrf, &[b"x"]), mac);
    assert_eq!(running.macs(Purpose::Csrf, &[b"x"]).nth(1), Some(mac));
    KeyRing::revoke(&dir, &first.id).unwrap();
    running.reload().unwrap();
    assert_eq!(
        running.verify(Purpose::Link, &token, 0),
        Err(Error::UnknownKey)
    );
    assert_eq!(running.macs(Purpose::Csrf, &[b"x"]).count(), 1);
    let list = KeyRing::list(&dir).unwrap();
    assert_eq!(list.iter().filter(|key| key.current).count(), 1);
    assert!(
        list.iter()
            .any(|key| key.id == first.id && key.revoked.is_some())
    );
}

#[test]
fn the_log_of_a_revoked_key_still_verifies() {
    use crate::audit::{Entry, Event, Log};
    let (directory, dir) = place();
    let path = directory.path().join("audit.jsonl");
    let first = KeyRing::create(&dir).unwrap();
    for _ in 0..2 {
        let ring = KeyRing::open_or_create(&dir, Mode::Production).unwrap();
        let log = Log::open(&path, ring.chain_keys(), Clock::system()).unwrap();
        log.record(Entry::new(Event::SysStartup));
        drop(log);
        KeyRing::rotate(&dir).unwrap();
    }
    KeyRing::revoke(&dir, &first.id).unwrap();
    let ring = KeyRing::open_or_create(&dir, Mode::Production).unwrap();
    assert_eq!(
        Log::verify_file(&path, ring.chain_keys()).unwrap().entries,
        2
    );
}

#[test]
fn the_current_key_is_a_name_and_not_a_position() {
    let (_directory, dir) = place();
    KeyRing::create(&dir).unwrap();
    let current = KeyRing::rotate(&dir).unwrap();
    let text = fs::read_to_string(path_in(&dir)).unwrap();
    let mut parts: Vec<&str> = text.split("[[keys]]").collect();
    parts.swap(1, 2);
    fs::write(path_in(&dir), parts.join("\n[[keys]]")).unwrap();
    let ring = KeyRing::open_or_create(&dir, Mode::Production).unwrap();
    assert_eq!(ring.current_id(), current.id);
}

#[test]
fn the_current_key_cannot_be_revoked_nor_an_unknown_one() {
    let (_directory, dir) = place();
    let current = KeyRing::create(&dir).unwrap();
    assert!(
        KeyRing::revoke(&dir, &current.id).unwrap_err()[0]
            .title
            .contains("current")
    );
    assert!(
        KeyRing::revoke(&dir, "nobody").unwrap_err()[0]
            .title
            .contains("No key")
    );
}

#[test]
fn a_key_file_is_not_replaced() {
    let (_directory, dir) = place();
    let first = KeyRing::create(&dir).unwrap();
    assert!(KeyRing::create(&dir).is_err());
    assert_eq!(KeyRing::list(&dir).unwrap(), [first]);
}

#[test]
fn processes_that_start_and_rotate_at_once_lose_no_key() {
    let (_directory, dir) = place();
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let dir = dir.clone();
            std::thread::spawn(move || {
                let ring = KeyRing::open_or_create(&dir, Mode::Development).unwrap();
                (ring.current_id(), KeyRing::rotate(&dir).unwrap().id)
            })
        })
        .collect();
    let seen: BTreeSet<String> = threads
        .into_iter()
        .flat_map(|thread| <[String; 2]>::from(thread.join().unwrap()))
        .collect();
    let kept: BTreeSet<String> = KeyRing::list(&dir)
        .unwrap()
        .into_iter()
        .map(|key| key.id)
        .collect();
    assert_eq!(kept.len(), 9);
    assert!(seen.is_subset(&kept));
}

#[test]
fn a_weak_key_is_refused_without_being_shown() {
    let (_directory, dir) = place();
    file_with(&dir, &[0x41; 32]);
    for mode in [Mode::Development, Mode::Production] {
        let findings = KeyRing::open_or_create(&dir, mode).unwrap_err();
        assert_eq!(findings[0].id, "secrets-weak");
        assert!(
            !crate::audit::report(&findings).contains("AAAA"),
            "{findings:?}"
        );
        assert!(
            !crate::audit::report(&findings).contains("QUFB"),
            "{findings:?}"
        );
    }
}

#[test]
fn a_damaged_file_is_refused_without_being_quoted() {
    let (_directory, dir) = place();
    KeyRing::create(&dir).unwrap();
    let path = path_in(&dir);
    let whole = fs::read_to_string(&path).unwrap();
    let key = whole.rsplit('"').nth(1).unwrap().to_owned();
    let damages = [
        whole.replace("current = ", "curent = "),
        whole.replace("id = ", "id = x "),
        whole.replace(&key, &format!("{key}!")),
        whole.replace("key = \"", "key = \"\n"),
        whole.replace("created = \"2", "created = \"x"),
        whole.replace("current = \"", "current = \"x"),
        String::new(),
    ];
    for damage in damages {
        fs::write(&path, &damage).unwrap();
        let findings = KeyRing::open_or_create(&dir, Mode::Development).unwrap_err();
        assert_eq!(findings[0].id, "secrets-unusable", "{damage}");
        assert!(
            !crate::audit::report(&findings).contains(&key),
            "{findings:?}"
        );
    }
}

/// Somebody marks a key as leaked by hand, and forgets that it is the current one: Dewar must not silently use another.
///
/// ASVS: V11.2.2
#[test]
fn a_current_key_that_is_marked_as_revoked_refuses_the_launch_beside_a_good_one() {
    let (_directory, dir) = place();
    let first = KeyRing::create(&dir).unwrap();
    let second = KeyRing::rotate(&dir).unwrap();
    let path = path_in(&dir);
    let whole = fs::read_to_string(&path).unwrap();
    assert!(KeyRing::open_or_create(&dir, Mode::Production).is_ok());
    let marked = |id: &str, word: &str| {
        let found = format!("id = \"{id}\"\n");
        whole.replacen(
            &found,
            &format!("{found}{word} = \"2026-11-02T00:00:00Z\"\n"),
            1,
        )
    };
    // Earlier versions wrote the second word.
    for word in ["revoked", "retired"] {
        fs::write(&path, marked(&first.id, word)).unwrap();
        assert!(KeyRing::open_or_create(&dir, Mode::Production).is_ok());
        fs::write(&path, marked(&second.id, word)).unwrap();
        let ids = ids(KeyRing::open_or_create(&dir, Mode::Production));
        assert_eq!(ids, ["secrets-unusable"], "{word}");
    }
}

#[test]
fn a_developer_is_shown_which_key_is_used_and_no_key() {
    let (_directory, dir) = place();
    KeyRing::create(&dir).unwrap();
    let text = fs::read_to_string(path_in(&dir)).unwrap();
    let key = text.rsplit('"').nth(1).unwrap();
    let bytes = format!("{:?}", BASE64.decode(key.as_bytes()).unwrap());
    let ring = KeyRing::open_or_create(&dir, Mode::Production).unwrap();
    let shown = format!("{ring:?}");
    assert!(shown.contains(&ring.current_id()), "{shown}");
    assert!(!shown.contains(key) && !shown.contains(&bytes), "{shown}");
}

/// Only a missing file is made anew: one that cannot be read holds keys that are still needed.
#[test]
fn a_file_that_cannot_be_read_is_refused_and_kept() {
    let (_directory, dir) = place();
    KeyRing::create(&dir).unwrap();
    let path = path_in(&dir);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [&whole[..], b"\xff"].concat()).unwrap();
    for mode in [Mode::Development, Mode::Production] {
        let refused = KeyRing::open_or_create(&dir, mode);
        assert_eq!(ids(refused), ["secrets-unusable"]);
    }
    assert_eq!(fs::read(&path).unwrap().last(), Some(&0xff));
    // The message tells the line, and nothing of its content.
    let text = String::from_utf8(whole).unwrap();
    let lines = text.lines().count();
    for line in 0..lines {
        let mut damaged: Vec<&str> = text.lines().collect();
        damaged[line] = "[[";
        fs::write(&path, damaged.join("\n")).unwrap();
        let findings = KeyRing::open_or_create(&dir, Mode::Production).unwrap_err();
        let report = crate::audit::report(&findings);
        let told = format!("line {} is not", line + 1);
        assert!(report.contains(&told), "{told}: {report}");
    }
}

#[test]
fn two_keys_of_one_id_are_refused() {
    let (_directory, dir) = place();
    file_with(&dir, &random::<32>());
    let path = path_in(&dir);
    let text = fs::read_to_string(&path).unwrap();
    let (_, key) = text.split_once("[[keys]]").unwrap();
    fs::write(&path, format!("{text}[[keys]]{key}")).unwrap();
    assert_eq!(
        ids(KeyRing::open_or_create(&dir, Mode::Production)),
        ["secrets-unusable"]
    );
}

#[test]
fn a_key_of_an_earlier_year_is_worth_a_warning() {
    let (_directory, dir) = place();
    file_with(&dir, &random::<32>());
    let path = path_in(&dir);
    let text = fs::read_to_string(&path)
        .unwrap()
        .replace("2026-11", "2020-11");
    fs::write(&path, text).unwrap();
    let ring = KeyRing::open_or_create(&dir, Mode::Production).unwrap();
    assert_eq!(ring.findings()[0].id, "secrets-old");
}

mod changes;

mod permissions {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn allow(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_is_made_is_private() {
        let (_directory, dir) = place();
        KeyRing::create(&dir).unwrap();
        KeyRing::rotate(&dir).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&dir), 0o700);
        assert_eq!(mode(&path_in(&dir)), 0o600);
        let names: BTreeSet<_> = fs::read_dir(&dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_in_every_mode() {
        let (_directory, dir) = place();
        KeyRing::create(&dir).unwrap();
        for mode in [Mode::Development, Mode::Production] {
            for bits in [0o640, 0o604, 0o620] {
                allow(&path_in(&dir), bits);
                let findings = KeyRing::open_or_create(&dir, mode).unwrap_err();
                assert_eq!(findings[0].id, "secrets-exposed");
                assert!(findings[0].fix.starts_with("chmod 0600 "));
            }
        }
    }

    #[test]
    fn a_directory_that_others_can_write_is_refused() {
        let (_directory, dir) = place();
        KeyRing::create(&dir).unwrap();
        for mode in [Mode::Development, Mode::Production] {
            for bits in [0o770, 0o720, 0o702, 0o777, 0o1777] {
                allow(&dir, bits);
                let opened = KeyRing::open_or_create(&dir, mode);
                assert_eq!(ids(opened), ["secrets-directory-writable"], "{bits:o}");
            }
            for bits in [0o700, 0o750, 0o755] {
                allow(&dir, bits);
                assert!(KeyRing::open_or_create(&dir, mode).is_ok(), "{bits:o}");
            }
        }
    }

    #[test]
    fn a_file_that_was_named_may_be_read_by_its_group_and_by_nobody_else() {
        let (_directory, dir) = place();
        KeyRing::create(&dir).unwrap();
        let source = KeySource::named(path_in(&dir));
        for (bits, good) in [
            (0o400, true),
            (0o440, true),
            (0o640, true),
            (0o660, false),
            (0o444, false),
            (0o644, false),
            (0o604, false),
        ] {
            allow(&path_in(&dir), bits);
            let opened = KeyRing::open_or_create(&source, Mode::Production);
            assert_eq!(opened.is_ok(), good, "{bits:o}");
            if let Err(findings) = opened {
                assert_eq!(findings[0].id, "secrets-exposed");
                assert!(findings[0].fix.contains("defaultMode"), "{findings:?}");
            }
            // In our own directory the group may not read it.
            if bits & 0o077 != 0 {
                assert!(KeyRing::open_or_create(&dir, Mode::Production).is_err());
            }
        }
    }

    #[test]
    fn a_rotation_leaves_mode_and_owner_as_they_are() {
        let (_directory, dir) = place();
        KeyRing::create(&dir).unwrap();
        let source = KeySource::named(path_in(&dir));
        allow(&path_in(&dir), 0o640);
        KeyRing::rotate(&source).unwrap();
        let mode = fs::metadata(path_in(&dir)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }

    /// As Kubernetes mounts it: an open, sticky directory, the file behind two links, swapped as a whole.
    #[test]
    fn a_mounted_secret_is_read_swapped_and_never_written() {
        use std::os::unix::fs::symlink;
        let (directory, dir) = place();
        let clock = Clock::manual(1_000_000);
        let made = KeySource::in_directory(&dir).clock(clock.clone());
        KeyRing::create(&made).unwrap();
        let volume = directory.path().join("mounted");
        let publish = |name: &str| {
            fs::create_dir_all(volume.join(name)).unwrap();
            let file = volume.join(name).join("keys.toml");
            fs::copy(path_in(&dir), &file).unwrap();
            allow(&file, 0o440);
            symlink(name, volume.join("..data_tmp")).unwrap();
            fs::rename(volume.join("..data_tmp"), volume.join("..data")).unwrap();
        };
        publish("..2026_11_24");
        symlink("..data/keys.toml", volume.join("keys.toml")).unwrap();
        allow(&volume, 0o1777);
        let source = KeySource::named(volume.join("keys.toml")).clock(clock.clone());
        let ring = KeyRing::open_or_create(&source, Mode::Production).unwrap();
        assert_eq!(ring.findings(), []);
        assert_eq!(ring.refresh(), None);
        for finding in [
            KeyRing::rotate(&source).unwrap_err(),
            KeyRing::revoke(&source, "abc").unwrap_err(),
        ] {
            assert_eq!(finding[0].id, "secrets-read-only");
            assert!(finding[0].fix.contains("kubectl"), "{finding:?}");
        }
        let second = KeyRing::rotate(&made).unwrap();
        publish("..2026_11_25");
        let change = ring.refresh().unwrap().unwrap();
        assert_eq!(change.added, std::slice::from_ref(&second.id));
        assert_eq!(ring.current_id(), second.id);
        // Without the sticky bit anybody could replace the link.
        allow(&volume, 0o777);
        assert_eq!(
            ids(KeyRing::open_or_create(&source, Mode::Production)),
            ["secrets-directory-writable"]
        );
    }

    #[test]
    fn a_credential_is_not_changed_where_it_is() {
        let (_directory, dir) = place();
        KeyRing::create(&dir).unwrap();
        let source = KeySource::credential(path_in(&dir));
        let finding = KeyRing::rotate(&source).unwrap_err();
        assert_eq!(finding[0].id, "secrets-read-only");
        assert!(finding[0].fix.contains("LoadCredential="), "{finding:?}");
        assert_eq!(KeyRing::list(&source).unwrap().len(), 1);
    }

    #[test]
    fn a_rotation_through_a_link_replaces_the_file_and_not_the_link() {
        let (directory, dir) = place();
        KeyRing::create(&dir).unwrap();
        let real = directory.path().join("real.toml");
        fs::rename(path_in(&dir), &real).unwrap();
        std::os::unix::fs::symlink(&real, path_in(&dir)).unwrap();
        KeyRing::rotate(&dir).unwrap();
        assert!(fs::symlink_metadata(path_in(&dir)).unwrap().is_symlink());
        assert_eq!(KeyRing::list(&dir).unwrap().len(), 2);
        assert!(fs::read_to_string(&real).unwrap().contains("[[keys]]"));
    }
}

/// ASVS: V13.3.2
#[test]
fn a_key_file_of_somebody_else_is_reported_and_one_of_roots_may_be_handed_to_us() {
    use crate::audit::owner_only;
    use std::os::unix::fs::{MetadataExt, chown, symlink};
    let (_dir, path) = place();
    KeyRing::create(&path).unwrap();
    let file = path.join("keys.toml");
    let reported = |source: KeySource| {
        let findings = KeyFile::read(&source).unwrap().unwrap().findings;
        findings.iter().any(|finding| finding.id == "secrets-owner")
    };
    let both = |file: &Path| {
        let ours = file.parent().map(KeySource::in_directory).unwrap();
        [reported(ours), reported(KeySource::named(file))]
    };
    assert_eq!(both(&file), [false, false]);
    if fs::metadata(&file).unwrap().uid() != 0 {
        eprintln!("*** only root can give a file away: its owner is not asked about ***");
        return;
    }
    // The owner of a link decides where it leads.
    let linked = tempfile::tempdir().unwrap();
    let link = linked.path().join("keys.toml");
    symlink(&file, &link).unwrap();
    std::os::unix::fs::lchown(&link, Some(65_534), None).unwrap();
    assert_eq!(both(&link), [true, true]);
    chown(&file, Some(65_534), None).unwrap();
    assert_eq!(both(&file), [true, true]);
    assert!(!owner_only::is_roots(&fs::metadata(&file).unwrap()));
}

/// ASVS: V13.3.1
#[test]
fn a_key_of_ours_in_memory_would_be_another_at_each_start() {
    let Ok(memory) = tempfile::tempdir_in("/dev/shm") else {
        eprintln!("*** there is no /dev/shm here: keys in memory are not asked about ***");
        return;
    };
    let (disk, _) = place();
    let lost = |directory: &Path, mode| {
        let ours = KeyFile::lost_at_restart(&KeySource::in_directory(directory), mode);
        let named = KeyFile::lost_at_restart(&KeySource::named(directory.join("keys.toml")), mode);
        assert!(named.is_none(), "where the operator put it");
        ours.is_some()
    };
    assert!(lost(memory.path(), Mode::Production));
    assert!(!lost(memory.path(), Mode::Development));
    if !matches!(mounts::below(disk.path()), mounts::Below::Disk) {
        eprintln!(
            "*** the folder for temporary files is no disk: keys on a disk are not asked about ***"
        );
        return;
    }
    assert!(!lost(disk.path(), Mode::Production));
}

/// A name is short and plain, and no two keys have the same one.
#[test]
fn a_key_with_a_name_that_is_none_or_anothers_is_refused() {
    let (_directory, dir) = place();
    file_with(&dir, &random::<32>());
    let path = path_in(&dir);
    let whole = fs::read_to_string(&path).unwrap();
    let named = |id: &str| whole.replace("\"abc\"", &format!("\"{id}\""));
    let (_, key) = whole.split_once("[[keys]]").unwrap();
    for text in [
        named(""),
        named("Abc"),
        named("a-b"),
        named("a b"),
        named("\u{e9}"),
        named(&"a".repeat(33)),
        format!("{whole}[[keys]]{key}"),
    ] {
        fs::write(&path, &text).unwrap();
        let findings = KeyRing::open_or_create(&dir, Mode::Development).unwrap_err();
        assert_eq!(findings[0].id, "secrets-unusable", "{text}");
    }
    fs::write(&path, named(&"a".repeat(32))).unwrap();
    assert!(KeyRing::open_or_create(&dir, Mode::Development).is_ok());
}
