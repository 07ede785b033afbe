use std::collections::BTreeSet;

use super::*;

/// Made by the libraries themselves: `checks/password_vectors.py`.
const VECTORS: &str = include_str!("vectors.tsv");
const SALT: &str = "146585145368132386173505678016728509634";

/// From the tests of ASP.NET Core (`PasswordHasherTest.cs`): all are of this password.
const ASP_NET: &str = "my password";
const OF_ASP_NET: [&str; 4] = [
    "AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw",
    "AQAAAAIAAAD6AAAAIJbVi5wbMR+htSfFp8fTw8N8GOS/Sje+S/4YZcgBfU7EQuqv4OkVYmc4VJl9AGZzmRTxSkP7LtVi9IWyUxX8IAAfZ8v+\
     ZfhjCcudtC1YERSqE1OEdXLW9VukPuJWBBjLuw==",
    "AQAAAAAAAAD6AAAAEAhftMyfTJylOlZT+eEotFXd1elee8ih5WsjXaR3PA9M",
    "AQAAAAEAA9CQAAAAIESkQuj2Du8Y+kbc5lcN/W/3NiAZFEm11P27nrSN5/tId+bR1SwV8CO1Jd72r4C08OLvplNlCDc3oQZ8efcW+jQ=",
];
/// From the factory of users in a new Laravel application.
const OF_LARAVEL: &str = "$2y$10$92IXUNpkjO0rOQ5byMi.Ye4oKoEa3Ro9llC/.og/at2.uheWG/igi";
/// From jBCrypt's tests, as Devise writes it.
const OF_JBCRYPT: &str = "$2a$08$aTsUwsyowQuzRrDqFflhgekJ8d9/7Z3GV3UcgvzQW3J5zMyrTvlz.";

fn salt() -> FlaskSalt {
    Arc::new(Secret::new(SALT.to_owned()))
}

fn verify(stored: &StoredHash, password: &str) -> bool {
    let parsed = ParsedHash::parse(stored.as_str(), Some(&salt())).unwrap();
    parsed.verify(
        &NormalizedPassword::new(password),
        &mut Workspace::default(),
    )
}

fn vectors() -> impl Iterator<Item = (&'static str, String, StoredHash)> {
    let lines = VECTORS.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let [library, password, hash] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let stored = match library {
            "flask-security" => imported_flask_security(hash, &salt()),
            _ => imported(hash),
        };
        let password = serde_json::from_str(password).unwrap();
        (
            library,
            password,
            stored.unwrap_or_else(|error| panic!("{hash}: {error}")),
        )
    })
}

/// ASVS: V11.4.2, V6.2.8
#[test]
fn hashes_of_the_libraries_themselves_are_verified() {
    let mut libraries = BTreeSet::new();
    for (library, password, stored) in vectors() {
        // The slow ones are verified once; they are the same code.
        assert!(verify(&stored, &password), "{library}: {}", stored.as_str());
        if !library.ends_with("default") {
            let other = format!("{password}.");
            assert!(!verify(&stored, &other), "{library}: {}", stored.as_str());
        }
        assert!(
            stored.needs_upgrade(super::super::scheme::Scheme::default()),
            "{}",
            stored.as_str()
        );
        libraries.insert(library);
    }
    assert!(libraries.len() >= 12, "{libraries:?}");
}

#[test]
fn published_hashes_of_asp_net_laravel_and_jbcrypt_are_verified() {
    let known = OF_ASP_NET.map(|hash| (hash, ASP_NET));
    let others = [
        (OF_LARAVEL, "password"),
        (OF_JBCRYPT, "abcdefghijklmnopqrstuvwxyz"),
    ];
    for (hash, password) in known.into_iter().chain(others) {
        let stored = imported(hash).unwrap();
        assert!(verify(&stored, password), "{hash}");
        assert!(!verify(&stored, "my passwore"), "{hash}");
    }
}

/// Django and bcrypt take a password as it was typed, and Flask-Security its NFKD; Dewar's own hashes are of its NFC.
#[test]
fn each_framework_s_own_spelling_of_a_password_is_the_one_that_counts() {
    let apart = "cafe\u{301} Mu\u{308}ller \u{9375} \u{1f511}";
    for (library, password, stored) in vectors().filter(|(_, password, _)| password.contains("caf"))
    {
        assert_ne!(apart, password);
        let is_same = library == "flask-security";
        assert_eq!(
            verify(&stored, apart),
            is_same,
            "{library}: {}",
            stored.as_str()
        );
    }
}

/// ASVS: V6.2.9
#[test]
fn bcrypt_takes_no_longer_password_for_its_first_72_bytes_and_no_nul_for_an_end() {
    let of = |password: &str| {
        let found = vectors().find(|(library, of, _)| *library == "bcrypt" && of == password);
        found.unwrap().2
    };
    let whole = of(&"x".repeat(72));
    assert!(verify(&whole, &"x".repeat(72)));
    for longer in ["x".repeat(73), "x".repeat(71) + "xy", "x".repeat(1_024)] {
        assert!(!verify(&whole, &longer), "{}", longer.len());
    }
    let plain = of("seven green kettles sing");
    for longer in [
        "seven green kettles sing\0",
        "seven green kettles sing\0seven green kettles sing",
    ] {
        assert!(!verify(&plain, longer), "{longer:?}");
    }
    // bcrypt of a digest is not bcrypt of a password: there is nothing to refuse.
    let digests = vectors()
        .filter(|(_, password, stored)| password.len() == 100 && stored.as_str().contains("$2b$"));
    assert!(
        digests
            .map(|(.., stored)| assert!(verify(&stored, &"x".repeat(100))))
            .count()
            >= 2
    );
}

/// CWE-400: a row must not cost a sign-in 64 GiB or a year.
#[test]
fn a_hash_that_costs_too_much_is_refused_before_anything_is_computed() {
    let hex = "ab".repeat(64);
    let base64 = "A".repeat(43) + "=";
    let rest = "abcdefghijklmnopqrstuu";
    let digest = "abcdefghijklmnopqrstuvwxyzabcde";
    for (hostile, tame) in [
        (format!("scrypt:67108864:8:1$salt${hex}"), format!("scrypt:32768:8:1$salt${hex}")),
        (format!("scrypt:2:1073741823:1$salt${hex}"), format!("scrypt:2:32:1$salt${hex}")),
        (format!("scrypt:131072:8:5$salt${hex}"), format!("scrypt:131072:8:4$salt${hex}")),
        (format!("scrypt:1024:1:17$salt${hex}"), format!("scrypt:1024:1:16$salt${hex}")),
        (format!("pbkdf2:sha256:4294967295$salt${hex}"), format!("pbkdf2:sha256:4000000$salt$ab{}", "ab".repeat(31))),
        (format!("pbkdf2_sha256$4000001$salt${base64}"), format!("pbkdf2_sha256$4000000$salt${base64}")),
        (format!("$2b$31${rest}{digest}"), format!("$2b$14${rest}{digest}")),
        (format!("$2b$15${rest}{digest}"), format!("$2b$04${rest}{digest}")),
        (
            "$argon2id$v=19$m=67108864,t=1,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
            "$argon2id$v=19$m=131072,t=16,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        ),
        ("$scrypt$ln=63,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(), "$scrypt$ln=17,r=8,p=1$c2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned()),
        ("$7$z6..../....salt$uNukb1vWH4JL24jm3ibbTuHT1Qruu11234567890123".to_owned(), "$7$D6..../....salt$uNukb1vWH4JL24jm3ibbTuHT1Qruu1123456789012.".to_owned()),
    ] {
        let refused = imported(&hostile).unwrap_err();
        assert!(matches!(refused, HashProblem::TooCostly(_)), "{hostile}: {refused}");
        assert!(imported(&tame).is_ok(), "{tame}: {:?}", imported(&tame));
    }
    let asp_net = |iterations: u32| {
        let mut bytes = vec![1, 0, 0, 0, 1];
        bytes.extend(iterations.to_be_bytes());
        bytes.extend([0, 0, 0, 16]);
        bytes.extend([7; 48]);
        data_encoding::BASE64.encode(&bytes)
    };
    assert!(matches!(
        imported(&asp_net(u32::MAX)),
        Err(HashProblem::TooCostly(_))
    ));
    assert!(imported(&asp_net(100_000)).is_ok());
}

#[test]
fn a_hash_in_a_wrong_spelling_is_refused_with_the_reason() {
    let hex = "ab".repeat(32);
    let long = "a".repeat(MOST_CHARACTERS + 1);
    for wrong in [
        "",
        "!",
        "!unusable",
        "secret",
        &long,
        "pbkdf2:sha256$salt$abcd",
        &format!("pbkdf2:sha256:0$salt${hex}"),
        &format!("pbkdf2:sha256:+5$salt${hex}"),
        &format!("pbkdf2:sha256:05$salt${hex}"),
        &format!("pbkdf2:sha256:99999999999$salt${hex}"),
        &format!("pbkdf2:md5:1000$salt${hex}"),
        &format!("pbkdf2:sha256:1000$$ {hex}"),
        &format!("pbkdf2:sha256:1000$salt${hex}$more"),
        &format!("pbkdf2:sha256:1000$salt${}", hex.to_uppercase()),
        "pbkdf2:sha256:1000$salt$abcd",
        &format!("scrypt:1000:8:1$salt${hex}"),
        &format!("scrypt:1:8:1$salt${hex}"),
        &format!("scrypt:1024:8$salt${hex}"),
        &format!("scrypt:1024:0:1$salt${hex}"),
        "$2x$12$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde",
        "$2b$3$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde",
        "$2b$12$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcd",
        "$2b$12$abcdefghijklmnopqrstuüabcdefghijklmnopqrstuvwxyzabcd",
        "$7$é6..../....salt$abc",
        "$6$rounds=5000$salt$hash",
        "sha1$salt$abcdef",
        "flask-security:$2b$12$abcdefghijklmnopqrstuuabcdefghijklmnopqrstuvwxyzabcde",
        "AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4A=",
        "AQAAAAkAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw",
        "AQAAAAIAAAAy/////+MwvhsH",
    ] {
        let refused = imported(wrong);
        assert!(refused.is_err(), "{wrong}");
        let told = refused.unwrap_err().to_string();
        assert!(wrong.len() < 9 || !told.contains(wrong), "{told}");
    }
}

#[test]
fn a_hash_of_flask_security_needs_the_application_s_salt() {
    let (_, password, stored) = vectors()
        .find(|(library, ..)| *library == "flask-security")
        .unwrap();
    assert!(matches!(
        ParsedHash::parse(stored.as_str(), None),
        Err(HashProblem::NoFlaskSalt)
    ));
    let other = Arc::new(Secret::new("another salt".to_owned()));
    let parsed = ParsedHash::parse(stored.as_str(), Some(&other)).unwrap();
    assert!(!parsed.verify(
        &NormalizedPassword::new(&password),
        &mut Workspace::default()
    ));
    // Flask-Security makes these of the password itself.
    let django = vectors()
        .find(|(library, ..)| *library == "django")
        .unwrap()
        .2;
    let same = imported_flask_security(django.as_str(), &salt()).unwrap();
    assert_eq!(same.as_str(), django.as_str());
}
