//! Keys that are shared with another program, which signs its webhooks with them.

use super::config::Folder;
use super::quality;
use super::random::{random, same, to_array};
use super::source::FileOwner;
use crate::audit::owner_only::{self, TooOpen};
use crate::audit::{Finding, Practice};
use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A larger file is not a sender's key.
const LONGEST: u64 = 4 * 1024;

/// The keys of a sender: its current one and, while it changes over to a new one, the previous one.
pub(crate) struct SharedKeys {
    keys: Vec<hmac::Key>,
}

/// A key in the form that both sides know.
type Material = Zeroizing<Vec<u8>>;

impl SharedKeys {
    /// Reads `<folder>/<sender>` and, if it exists, `<sender>.previous`.
    ///
    /// # Errors
    /// Every file that cannot be used, with its fix.
    pub(crate) fn read(folder: &Folder, sender: &str) -> Result<Self, Vec<Finding>> {
        if !is_name(sender) {
            return Err(vec![no_name(sender)]);
        }
        let (current, previous) = paths(folder, sender);
        let (mut known, mut findings) = (Vec::new(), Vec::new());
        for file in [current, previous] {
            match material(&file, folder) {
                Ok(Some(key)) => known.push(hmac::Key::new(hmac::HMAC_SHA256, &key)),
                Ok(None) if known.is_empty() && findings.is_empty() => {
                    findings.push(unusable(sender, &file, "does not exist"));
                }
                Ok(None) => {}
                Err(why) => findings.push(unusable(sender, &file, &why)),
            }
        }
        if findings.is_empty() {
            Ok(Self { keys: known })
        } else {
            Err(findings)
        }
    }

    /// Whether Dewar could make this sender's key: there is none yet, and the folder is one of its own.
    pub(crate) fn can_be_made(folder: &Folder, sender: &str) -> bool {
        folder.place == FileOwner::Ours && is_name(sender) && !paths(folder, sender).0.exists()
    }

    /// Signs these parts, one after the other, as a sender does.
    pub(crate) fn sign(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        mac(&hmac::Key::new(hmac::HMAC_SHA256, key), parts)
    }

    /// Keys without a file.
    #[cfg(test)]
    pub(crate) fn of(keys: &[&[u8]]) -> Self {
        let keys = keys
            .iter()
            .map(|key| hmac::Key::new(hmac::HMAC_SHA256, key));
        Self {
            keys: keys.collect(),
        }
    }

    /// Whether one of the keys signed these parts, one after the other, with HMAC-SHA-256.
    pub(crate) fn signed(&self, parts: &[&[u8]], mac: &[u8]) -> bool {
        self.keys
            .iter()
            .any(|key| same(&self::mac(key, parts), mac))
    }

    /// Makes the first key of a sender, or stores the one that the sender made.
    ///
    /// # Errors
    /// The sender has a key already, or it cannot be written.
    pub(crate) fn create(
        folder: &Folder,
        sender: &str,
        theirs: Option<Material>,
    ) -> Result<Zeroizing<String>, Vec<Finding>> {
        let (current, _) = writable(folder, sender)?;
        let _lock = lock(folder)?;
        if current.exists() {
            return Err(vec![refused(
                format!("the sender {sender} already has a key"),
                "to change it, run `<app> keys webhook rotate`: the old one stays valid until `keys webhook revoke`",
            )]);
        }
        keep(&current, sender, theirs)
    }

    /// Writes a new key; the previous one stays valid until [`revoke`](Self::revoke).
    ///
    /// # Errors
    /// The sender has no key yet, or it cannot be written.
    pub(crate) fn rotate(
        folder: &Folder,
        sender: &str,
        theirs: Option<Material>,
    ) -> Result<Zeroizing<String>, Vec<Finding>> {
        let (current, previous) = writable(folder, sender)?;
        let _lock = lock(folder)?;
        let before = material(&current, folder)
            .and_then(|key| key.ok_or_else(|| "does not exist".to_owned()))
            .map_err(|why| vec![unusable(sender, &current, &why)])?;
        judge(sender, theirs.as_ref())?;
        // In this order, so that the key in use is always on the disk.
        write(&previous, &before).map_err(|error| vec![unwritable(&previous, &error)])?;
        keep(&current, sender, theirs)
    }

    /// Revokes the previous key.
    ///
    /// # Errors
    /// The sender has no previous key, or it cannot be removed.
    pub(crate) fn revoke(folder: &Folder, sender: &str) -> Result<(), Vec<Finding>> {
        let (_, previous) = writable(folder, sender)?;
        let _lock = lock(folder)?;
        fs::remove_file(&previous).map_err(|error| vec![unwritable(&previous, &error)])?;
        owner_only::sync_directory(owner_only::directory_of(&previous))
            .map_err(|error| vec![unwritable(&previous, &error)])
    }
}

impl std::fmt::Debug for SharedKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedKeys([redacted])")
    }
}

fn mac(key: &hmac::Key, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(part);
    }
    to_array(context.sign().as_ref())
}

fn paths(folder: &Folder, sender: &str) -> (PathBuf, PathBuf) {
    let folder = &folder.path;
    (
        folder.join(sender),
        folder.join(format!("{sender}.previous")),
    )
}

/// One process at a time changes the files of senders. The system releases the lock when the process ends, in whatever way.
fn lock(folder: &Folder) -> Result<File, Vec<Finding>> {
    let file = folder.path.with_extension("lock");
    let locked = || -> io::Result<File> {
        owner_only::create_directory(owner_only::directory_of(&file))?;
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let opened = owner_only::private(&mut options).open(&file)?;
        opened.lock()?;
        Ok(opened)
    };
    locked().map_err(|error| vec![unwritable(&file, &error)])
}

/// The files of a sender with a valid name.
fn writable(folder: &Folder, sender: &str) -> Result<(PathBuf, PathBuf), Vec<Finding>> {
    if is_name(sender) {
        Ok(paths(folder, sender))
    } else {
        Err(vec![no_name(sender)])
    }
}

/// A sender's name is part of a path, and the route table prints it (CWE-22).
fn is_name(sender: &str) -> bool {
    (1..=64).contains(&sender.len())
        && sender
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The key in a file; none if the file does not exist; or why it is invalid, as the end of a sentence.
fn material(path: &Path, folder: &Folder) -> Result<Option<Material>, String> {
    let unreadable = |error: io::Error| format!("cannot be read: {error}");
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    // Of the open file, not of the name: nobody can replace the file between the two calls.
    let metadata = file.metadata().map_err(unreadable)?;
    if let Some(open) = TooOpen::of(path, &metadata, folder.place.unwanted()) {
        return Err(format!("{}: {}", open.what(), open.fix()));
    }
    if metadata.len() > LONGEST {
        return Err(format!("is longer than {LONGEST} bytes"));
    }
    let capacity = usize::try_from(metadata.len()).unwrap_or_default() + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
    file.take(LONGEST)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    without_line_end(&mut bytes);
    match quality::weakness_of_shared(&bytes) {
        Some(weakness) => Err(weakness.to_owned()),
        None => Ok(Some(bytes)),
    }
}

/// An editor adds a line end, which is not part of the sender's key. Random bytes stay as they are.
fn without_line_end(bytes: &mut Material) {
    let end = bytes.trim_ascii_end().len();
    if bytes.iter().take(end).all(u8::is_ascii_graphic) {
        bytes.truncate(end);
    }
}

/// Refuses a sender's key that is easy to guess.
fn judge(sender: &str, theirs: Option<&Material>) -> Result<(), Vec<Finding>> {
    let Some(weakness) = theirs.and_then(|key| quality::weakness_of_shared(key)) else {
        return Ok(());
    };
    Err(vec![refused(
        format!("the given key for {sender} {weakness}"),
        "let the sender create one, or omit `--key-stdin`",
    )])
}

/// Writes a sender's key, or a new one of ours, and returns it.
fn keep(
    file: &Path,
    sender: &str,
    theirs: Option<Material>,
) -> Result<Zeroizing<String>, Vec<Finding>> {
    let theirs = theirs.map(|mut key| {
        without_line_end(&mut key);
        key
    });
    judge(sender, theirs.as_ref())?;
    // As text, because an operator pastes it into the sender's settings.
    let key = theirs.unwrap_or_else(|| {
        let bytes = Zeroizing::new(random::<32>());
        Zeroizing::new(BASE64URL_NOPAD.encode(&*bytes).into_bytes())
    });
    write(file, &key).map_err(|error| vec![unwritable(file, &error)])?;
    Ok(Zeroizing::new(String::from_utf8_lossy(&key).into_owned()))
}

/// Writes a key atomically.
fn write(file: &Path, key: &[u8]) -> io::Result<()> {
    let folder = owner_only::directory_of(file);
    owner_only::create_directory(folder)?;
    let draft = folder.join(format!(".draft-{}", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    let mut opened = owner_only::private(&mut options).open(&draft)?;
    let written = opened
        .write_all(key)
        .and_then(|()| opened.sync_all())
        .and_then(|()| fs::rename(&draft, file));
    if let Err(error) = written {
        fs::remove_file(&draft).ok();
        return Err(error);
    }
    owner_only::sync_directory(folder)
}

fn unusable(sender: &str, file: &Path, why: &str) -> Finding {
    Finding::refuse(
        Practice::Secrets,
        "secrets-webhook-key",
        format!("the key of the webhook sender `{sender}` {why}"),
    )
    .why("a route under `webhook` authenticates requests by their signature only")
    .fix(format!(
        "create one with `<app> keys webhook new {sender}`, or put the sender's own into {}, mode 0600",
        file.display()
    ))
    .cwe(345)
    .asvs(&["13.3.1", "13.3.2"])
}

fn no_name(sender: &str) -> Finding {
    refused(
        format!("`{sender}` cannot be the name of a webhook sender"),
        "a name has only lower-case letters, digits and `-`, and at most 64 of them",
    )
}

fn unwritable(file: &Path, error: &io::Error) -> Finding {
    refused(
        format!("cannot change {}: {error}", file.display()),
        "run the command as the user that runs the application",
    )
}

fn refused(title: String, fix: &str) -> Finding {
    Finding::refuse(Practice::Secrets, "secrets-webhook-key", title).fix(fix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn folder(data: &tempfile::TempDir) -> Folder {
        Folder {
            path: data.path().join("webhooks"),
            place: FileOwner::Ours,
        }
    }

    fn put(folder: &Folder, name: &str, key: &[u8], mode: u32) {
        fs::create_dir_all(&folder.path).unwrap();
        let file = folder.path.join(name);
        fs::write(&file, key).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
    }

    fn signature(key: &[u8], text: &[u8]) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        hmac::sign(&key, text).as_ref().to_vec()
    }

    const KEY: &[u8] = b"a key that only two programs hav";

    #[test]
    fn a_key_that_is_missing_weak_or_readable_by_others_refuses_the_launch() {
        let data = tempfile::tempdir().unwrap();
        let refused = || {
            SharedKeys::read(&folder(&data), "billing").unwrap_err()[0]
                .title
                .clone()
        };
        assert!(refused().ends_with("does not exist"), "{}", refused());
        for (key, mode, words) in [
            (&KEY[..31], 0o600, "is shorter than 32 bytes"),
            (&[], 0o600, "is shorter than 32 bytes"),
            (
                KEY,
                0o640,
                "has mode 0640 and is accessible to others: chmod 0600 ",
            ),
            (
                KEY,
                0o604,
                "has mode 0604 and is accessible to others: chmod 0600 ",
            ),
            (&[b'k'; 40], 0o600, "repeats itself"),
            (
                b"changemechangemechangemechangeme",
                0o600,
                "was published in a tutorial or a standard",
            ),
        ] {
            put(&folder(&data), "billing", key, mode);
            assert!(refused().contains(words), "{words}: {}", refused());
        }
        let long: Vec<u8> = (0..=LONGEST).flat_map(|n| n.to_be_bytes()).collect();
        put(&folder(&data), "billing", &long, 0o600);
        assert!(refused().contains("is longer than"), "{}", refused());
        put(&folder(&data), "billing", KEY, 0o600);
        assert!(SharedKeys::read(&folder(&data), "billing").is_ok());
        put(&folder(&data), "billing.previous", b"short", 0o600);
        assert!(refused().ends_with("is shorter than 32 bytes"));
    }

    /// A file with a key's name but without a key is reported, and not treated as a missing key.
    #[test]
    fn a_file_is_read_up_to_its_bound_and_no_further() {
        let data = tempfile::tempdir().unwrap();
        let dir = &folder(&data);
        let long: Vec<u8> = random::<4096>().to_vec();
        put(dir, "billing", &long, 0o600);
        let keys = SharedKeys::read(dir, "billing").unwrap();
        assert!(keys.signed(&[b"{}"], &signature(&long, b"{}")));
        assert!(!keys.signed(&[b"{}"], &signature(KEY, b"{}")));
        assert!(!keys.signed(&[b"{ }"], &signature(&long, b"{}")));
        assert!(!format!("{keys:?}").contains(&format!("{long:?}")));
        let title = || {
            SharedKeys::read(dir, "billing").unwrap_err()[0]
                .title
                .clone()
        };
        put(dir, "billing", &[&long[..], b"7"].concat(), 0o600);
        assert!(
            title().ends_with("is longer than 4096 bytes"),
            "{}",
            title()
        );
        fs::remove_file(dir.path.join("billing")).unwrap();
        fs::create_dir(dir.path.join("billing")).unwrap();
        let mode = fs::Permissions::from_mode(0o700);
        fs::set_permissions(dir.path.join("billing"), mode).unwrap();
        assert!(title().contains("cannot be read"), "{}", title());
    }

    /// A sender's name has a bound, and a line end is only removed from text.
    #[test]
    fn names_have_a_bound_and_random_bytes_keep_theirs() {
        let (longest, longer) = ("a".repeat(64), "a".repeat(65));
        assert!(is_name(&longest) && is_name("a-1") && !is_name(&longer) && !is_name(""));
        for (given, kept) in [
            (&b"abc\n"[..], &b"abc"[..]),
            (b"abc \t\r\n", b"abc"),
            (b"a\x00c\n", b"a\x00c\n"),
            (b"a c\n", b"a c\n"),
            (b"\xff\n", b"\xff\n"),
            (b"\n", b""),
            (b"", b""),
        ] {
            let mut bytes = Zeroizing::new(given.to_vec());
            without_line_end(&mut bytes);
            assert_eq!(*bytes, kept, "{given:?}");
        }
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_none() {
        let data = tempfile::tempdir().unwrap();
        for name in ["", "../keys", "a/b", "a.previous", "Billing", "a_b", "a\0"] {
            assert!(SharedKeys::read(&folder(&data), name).is_err(), "{name}");
            assert!(
                SharedKeys::create(&folder(&data), name, None).is_err(),
                "{name}"
            );
            assert!(SharedKeys::revoke(&folder(&data), name).is_err(), "{name}");
        }
        assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
    }

    /// An unreadable file is distinguished from a missing one.
    #[test]
    fn a_folder_that_is_none_is_told() {
        let data = tempfile::tempdir().unwrap();
        let folder = folder(&data);
        fs::write(&folder.path, "").unwrap();
        let refused = SharedKeys::read(&folder, "billing").unwrap_err();
        assert!(refused[0].title.contains("cannot be read"), "{refused:?}");
    }

    #[test]
    fn both_keys_hold_from_a_rotation_until_the_old_one_is_revoked() {
        let data = tempfile::tempdir().unwrap();
        let dir = &folder(&data);
        let holds = |key: &str| {
            let keys = SharedKeys::read(dir, "billing").unwrap();
            keys.signed(&[b"one", b"two"], &signature(key.as_bytes(), b"onetwo"))
        };
        assert!(SharedKeys::rotate(dir, "billing", None).is_err());
        let first = SharedKeys::create(dir, "billing", None).unwrap();
        assert!(SharedKeys::create(dir, "billing", None).is_err());
        assert!(holds(&first));
        let second = SharedKeys::rotate(dir, "billing", None).unwrap();
        assert_ne!(*first, *second);
        assert!(holds(&first) && holds(&second));
        let third = SharedKeys::rotate(dir, "billing", None).unwrap();
        assert!(!holds(&first) && holds(&second) && holds(&third));
        SharedKeys::revoke(dir, "billing").unwrap();
        assert!(!holds(&second) && holds(&third));
        assert!(SharedKeys::revoke(dir, "billing").is_err());
        for entry in fs::read_dir(&dir.path).unwrap() {
            let mode = entry.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    /// A service that makes its key itself shows it as text, and an operator pastes it with a line end.
    #[test]
    fn a_senders_own_key_is_kept_as_its_sender_knows_it() {
        let data = tempfile::tempdir().unwrap();
        let theirs = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let given = || Zeroizing::new(format!("{theirs}\r\n").into_bytes());
        let told = SharedKeys::create(&folder(&data), "stripe", Some(given())).unwrap();
        assert_eq!(*told, theirs);
        let keys = SharedKeys::read(&folder(&data), "stripe").unwrap();
        assert!(keys.signed(&[b"{}"], &signature(theirs.as_bytes(), b"{}")));
        let weak = Zeroizing::new(b"secret".to_vec());
        assert!(SharedKeys::rotate(&folder(&data), "stripe", Some(weak)).is_err());
        let keys = SharedKeys::read(&folder(&data), "stripe").unwrap();
        assert!(keys.signed(&[b"{}"], &signature(theirs.as_bytes(), b"{}")));
    }
}
