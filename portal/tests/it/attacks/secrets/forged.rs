//! Signed and sealed values of the portal, altered and sent back.

use dewar::secrets::{KeyRing, Purpose};

use crate::company::{Portal, document, post, shown, token};

const FLASH: &str = "__Host-flash";

/// The text with another character at each place, one at a time.
fn altered(text: &str) -> impl Iterator<Item = String> + '_ {
    text.char_indices().map(|(place, old)| {
        let new = if old == 'B' { 'C' } else { 'B' };
        let mut altered = text.to_owned();
        altered.replace_range(place..=place, &new.to_string());
        altered
    })
}

/// ASVS: V11.3.3, V11.2.5, V9.1.1
#[tokio::test]
async fn a_message_that_was_altered_or_made_elsewhere_is_not_shown() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = document(&ada, "Plan").await;
    post(&ada, &format!("{path}/comments"), "comment=hi").await;
    let good = ada.cookie(FLASH).unwrap().value().to_owned();
    let show = async |value: &str| {
        let visitor = portal.visitor();
        visitor.plant_cookie(FLASH, value);
        let page = visitor.get("/").await;
        assert_eq!(page.status(), 200, "{value}");
        page.texts(".flash p")
    };
    assert_eq!(show(&good).await, ["Your comment was added."]);
    for altered in altered(&good).step_by(5) {
        assert!(show(&altered).await.is_empty(), "{altered}");
    }
    // Sealed under our own key, but for something else; under another key; not sealed at all.
    let ours = portal.running.dewar().keys();
    let other = Purpose::Application("flash");
    let text = b"Send your password to Eve";
    for forged in [
        ours.seal(other, b"flash", text).unwrap(),
        ours.seal(Purpose::Flash, b"other", text).unwrap(),
        ours.sign(Purpose::Flash, text, i64::MAX),
        KeyRing::ephemeral()
            .seal(Purpose::Flash, b"flash", text)
            .unwrap(),
        String::new(),
        "A".repeat(4000),
    ] {
        assert!(show(&forged).await.is_empty(), "{forged}");
    }
}

/// ASVS: V3.5.1, V9.1.1, V11.2.4
#[tokio::test]
async fn a_form_token_with_one_character_changed_is_refused() {
    let portal = Portal::open().await;
    let ada = portal.member("ada").await;
    let path = format!("{}/comments", document(&ada, "Plan").await);
    let good = token(&ada).await;
    let version = shown(&ada, &path).await.unwrap();
    let send = async |token: &str| {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("csrf_token", token),
                ("comment", "hi"),
                ("version", &version),
            ])
            .finish();
        let request = ada
            .raw("POST", &path)
            .header("sec-fetch-site", "same-origin");
        request.form(&body).send().await.unwrap().status().as_u16()
    };
    let cut = good.chars().skip(1).collect::<String>();
    let longer = [format!("{good}A"), format!("{good}=")];
    for forged in altered(&good).step_by(7).chain([cut]).chain(longer) {
        assert_eq!(send(&forged).await, 403, "{forged}");
    }
    assert_eq!(portal.count("SELECT count(*) FROM comments").await, 0);
    assert_eq!(send(&good).await, 303);
}

/// The command line gives the same result: production does not start with a key that an attacker could have.
///
/// ASVS: V11.2.3, V13.3.1, V13.2.3
#[tokio::test]
async fn the_program_does_not_start_in_production_on_a_guessable_key() {
    let portal = Portal::open().await;
    portal.running.stop().await.unwrap();
    let data = portal.data.path();
    let check = || super::check(data, &[]);
    let (starts, said) = check();
    assert!(starts, "{said}");
    let file = data.join("keys/keys.toml");
    let good = std::fs::read_to_string(&file).unwrap();
    let is_key = |line: &&str| line.trim_start().starts_with("key =");
    let key = good
        .lines()
        .find(is_key)
        .unwrap()
        .split('"')
        .nth(1)
        .unwrap();
    let weak = [
        ("zeros", vec![0; 32]),
        ("a sequence", (0..32).collect()),
        ("text", b"correct horse battery staple 123".to_vec()),
        ("short", vec![7, 99, 3, 250, 16, 81, 4, 61]),
        // Flask's quickstart.
        (
            "published",
            data_encoding::HEXLOWER
                .decode(b"192b9bdd22ab9ed4d12e236c78afcb9a393ec15f71bbf5dc987d54727823bcbf")
                .unwrap(),
        ),
        ("repeated", [[3, 141, 59, 26].as_slice(); 8].concat()),
    ];
    for (name, bytes) in weak {
        let weak = data_encoding::BASE64.encode(&bytes);
        std::fs::write(&file, good.replace(key, &weak)).unwrap();
        let (starts, said) = check();
        assert!(!starts && said.contains("The key"), "{name}: {said}");
        assert!(!said.contains(&weak), "the key is printed: {said}");
    }
    // No key at all: in development one would be created.
    std::fs::remove_file(&file).unwrap();
    let (starts, said) = check();
    assert!(!starts && !file.exists(), "{said}");
}
