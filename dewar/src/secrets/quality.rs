use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};

/// The least bytes of a key: HMAC-SHA256 and AES-256 need this many.
pub(super) const SHORTEST: usize = 32;
/// 32 random bytes have about 30 different values; fewer than 16 happen once in 10^14 keys.
const FEWEST_DIFFERENT: usize = 16;
/// 32 hexadecimal digits have fewer than 8 different ones once in 10^7 keys, and such a key is not much worse.
const FEWEST_DIFFERENT_IN_TEXT: usize = 8;

/// Why a key is weak, as the end of "The key … ".
///
/// It finds mistakes, not malice: a key that an attacker chose can look like any other.
pub(super) fn weakness(key: &[u8]) -> Option<&'static str> {
    well_known_or_short(key)
        .or_else(|| is_text(key).then_some("is text, not random bytes"))
        .or_else(|| regular(key, FEWEST_DIFFERENT))
}

/// Why a key that two programs share is weak. Services show theirs as text, so it may be text.
pub(super) fn weakness_of_shared(key: &[u8]) -> Option<&'static str> {
    let fewest = if is_text(key) {
        FEWEST_DIFFERENT_IN_TEXT
    } else {
        FEWEST_DIFFERENT
    };
    well_known_or_short(key).or_else(|| regular(key, fewest))
}

fn well_known_or_short(key: &[u8]) -> Option<&'static str> {
    if is_published(key) {
        return Some("was published in a tutorial or a standard");
    }
    (key.len() < SHORTEST).then_some("is shorter than 32 bytes")
}

fn is_text(key: &[u8]) -> bool {
    key.iter()
        .all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
}

fn regular(key: &[u8], fewest_different: usize) -> Option<&'static str> {
    if is_periodic(key) {
        return Some("repeats itself");
    }
    if is_sequence(key) {
        return Some("is a sequence");
    }
    let different: std::collections::BTreeSet<u8> = key.iter().copied().collect();
    (different.len() < fewest_different).then_some("has too few different bytes to be random")
}

fn is_periodic(key: &[u8]) -> bool {
    (1..=key.len() / 2).any(|period| {
        let shifted = key.iter().skip(period);
        key.iter().zip(shifted).all(|(byte, later)| byte == later)
    })
}

fn is_sequence(key: &[u8]) -> bool {
    let mut steps = key
        .iter()
        .zip(key.iter().skip(1))
        .map(|(byte, next)| next.wrapping_sub(*byte));
    let Some(first) = steps.next() else {
        return false;
    };
    steps.all(|step| step == first)
}

/// Whether the key, or the text that it encodes, is in the table.
fn is_published(key: &[u8]) -> bool {
    let text = key.to_ascii_lowercase();
    WORDS
        .iter()
        .any(|word| text == word.as_bytes() || repeats(&text, word.as_bytes()))
        || PREFIXES
            .iter()
            .any(|prefix| text.starts_with(prefix.as_bytes()))
        || HEX.iter().any(|hex| {
            HEXLOWER_PERMISSIVE
                .decode(hex.as_bytes())
                .is_ok_and(|it| it == key)
        })
        || HEX.iter().any(|hex| text == hex.as_bytes())
        || BASE64S
            .iter()
            .any(|text| BASE64.decode(text.as_bytes()).is_ok_and(|it| it == key))
}

fn repeats(text: &[u8], word: &[u8]) -> bool {
    text.len() > word.len()
        && text
            .iter()
            .zip(word.iter().cycle())
            .all(|(left, right)| left == right)
}

/// Keys that people type, in small letters, once or repeated.
const WORDS: [&str; 22] = [
    "0123456789abcdef",
    "abcdefghijklmnopqrstuvwxyz",
    "change-me",
    "change_me",
    "changeit",
    "changeme",
    "default",
    "dev",
    "development key", // Flask's older tutorial
    "foobar",
    "keyboard cat", // express-session
    "mysecret",
    "mysecretkey",
    "not-a-secret",
    "password",
    "s3cr3t",
    "secret",
    "secret_key",
    "secretkey",
    "supersecret",
    "super-secret",         // Flask-JWT
    "you-will-never-guess", // the Flask Mega-Tutorial
];

const PREFIXES: [&str; 6] = [
    "_5#y2l\"f4q8z\\n\\xec]/", // Flask's quickstart, as typed
    "_5#y2l\"f4q8z\n",         // Flask's quickstart, as bytes
    "django-insecure-",        // Django's startproject
    "replace this",
    "your-256-bit-secret", // jwt.io
    "your-secret",
];

const HEX: [&str; 4] = [
    // Flask's quickstart since 2.0
    "192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf",
    // FastAPI's tutorial on OAuth2
    "09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7",
    // NIST SP 800-38A, AES-256
    "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
    // RFC 8439, the AEAD example
    "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
];

const BASE64S: [&str; 1] = [
    // Rocket's guide, "Secret Key"
    "hPRYyVRiMyxpw5sBB1XeCMN1kFsDCqKvBi2QJxBVHQk=",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secrets::random;

    #[test]
    fn random_keys_are_good() {
        for _ in 0..1_000 {
            assert_eq!(weakness(&random::<32>()), None);
            assert_eq!(weakness(&random::<64>()), None);
        }
    }

    #[test]
    fn published_keys_are_refused() {
        let published = Some("was published in a tutorial or a standard");
        let flask = HEXLOWER_PERMISSIVE.decode(HEX[0].as_bytes()).unwrap();
        assert_eq!(weakness(&flask), published);
        assert_eq!(weakness(HEX[0].as_bytes()), published);
        assert_eq!(weakness(b"Secret"), published);
        assert_eq!(weakness("changeme".repeat(8).as_bytes()), published);
        assert_eq!(
            weakness(b"django-insecure-8f)x2z$u!k1q0p7vj3m4n5b6c7d8e9f0g1h2"),
            published
        );
        assert_eq!(
            weakness(&BASE64.decode(BASE64S[0].as_bytes()).unwrap()),
            published
        );
    }

    #[test]
    fn keys_that_are_not_random_are_refused() {
        let sequence: Vec<u8> = (0..32).collect();
        let falling: Vec<u8> = (0..64).rev().map(|byte| byte * 3).collect();
        let half: [u8; 16] = random();
        let few: Vec<u8> = (0..32)
            .map(|at| [7, 200, 13, 91, 255][at * at % 5])
            .collect();
        assert_eq!(weakness(&[0; 32]), Some("repeats itself"));
        assert_eq!(weakness(&[0xff; 32]), Some("repeats itself"));
        assert_eq!(weakness(&sequence), Some("is a sequence"));
        assert_eq!(weakness(&falling), Some("is a sequence"));
        assert_eq!(weakness(&[half, half].concat()), Some("repeats itself"));
        assert!(weakness(&few).is_some());
        assert_eq!(weakness(&random::<31>()), Some("is shorter than 32 bytes"));
        assert_eq!(weakness(b""), Some("is shorter than 32 bytes"));
        assert_eq!(
            weakness(b"correct horse battery staple, and then some"),
            Some("is text, not random bytes")
        );
    }

    /// A key of `count` different bytes, beginning with `from`, that neither repeats itself nor is a sequence.
    fn with_different(count: u8, from: u8) -> Vec<u8> {
        let up = (0..32).map(|at| at % count);
        let folded = up.enumerate().map(|(at, byte)| match at < 16 {
            true => byte,
            false => count - 1 - byte,
        });
        folded.map(|byte| from + byte).collect()
    }

    #[test]
    fn the_fewest_different_bytes_are_fewer_in_text_that_two_programs_share() {
        let few = Some("has too few different bytes to be random");
        let (bytes, letters) = (0x80, b'a');
        for (count, from, own, shared) in [
            (16, bytes, None, None),
            (15, bytes, few, few),
            (8, bytes, few, few),
            (8, letters, Some("is text, not random bytes"), None),
            (7, letters, Some("is text, not random bytes"), few),
        ] {
            let key = with_different(count, from);
            assert_eq!(weakness(&key), own, "{count} from {from}");
            assert_eq!(weakness_of_shared(&key), shared, "{count} from {from}");
        }
        let half: [u8; 16] = random();
        assert_eq!(
            weakness_of_shared(&[half, half].concat()),
            Some("repeats itself")
        );
        assert!(!is_sequence(b"") && !is_sequence(b"a") && is_sequence(b"ab"));
        assert!(!is_periodic(b"aba") && is_periodic(b"abab") && !is_periodic(b"abaa"));
        assert!(is_text(b"a b\t") && !is_text(b"a\x00") && !is_text(b"\xff"));
    }

    #[test]
    fn each_entry_of_the_table_is_refused_in_every_spelling() {
        let published = Some("was published in a tutorial or a standard");
        for word in WORDS {
            let once_and_again = word.repeat(40 / word.len() + 1);
            for key in [once_and_again.clone(), once_and_again.to_ascii_uppercase()] {
                assert_eq!(weakness(key.as_bytes()), published, "{key}");
            }
            assert!(is_published(word.as_bytes()), "{word}");
            // A whole word and the beginning of the next one count too; a text that only begins with the word does not.
            assert!(is_published(&once_and_again.as_bytes()[..33]));
            let other = format!("{word}~{word}~{word}~{word}~{word}~{word}~{word}~");
            assert!(!is_published(other.as_bytes()), "{other}");
        }
        for prefix in PREFIXES {
            assert!(
                is_published(format!("{prefix}and more").as_bytes()),
                "{prefix}"
            );
        }
        for hex in HEX {
            let bytes = HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).unwrap();
            assert!(is_published(&bytes) && is_published(hex.as_bytes()));
            assert!(is_published(hex.to_ascii_uppercase().as_bytes()));
        }
        assert!(!is_published(b"") && !is_published(&random::<32>()));
    }

    #[test]
    fn the_table_can_be_decoded() {
        assert!(
            HEX.iter()
                .all(|hex| HEXLOWER_PERMISSIVE.decode(hex.as_bytes()).is_ok())
        );
        assert!(
            BASE64S
                .iter()
                .all(|text| BASE64.decode(text.as_bytes()).is_ok())
        );
    }
}
