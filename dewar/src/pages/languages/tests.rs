use super::*;

fn words(message: Message, tag: &str) -> String {
    let headers = HeaderMap::from_iter([(http::header::ACCEPT_LANGUAGE, tag.parse().unwrap())]);
    both().of(&headers).translate(&message.into()).into_owned()
}

/// English and German, with messages of an application.
fn both() -> Languages {
    of(&[
        (
            "en/notes.ftl",
            "kept = { $count ->\n    [one] One note is kept.\n   *[other] { $count } notes are kept.\n }\nnew-note-title = Title\n    .hint = In a few words.\n",
        ),
        (
            "de/notes.ftl",
            "kept = { $count ->\n    [one] Eine Notiz ist da.\n   *[other] { $count } Notizen sind da.\n }\nnew-note-title = Überschrift\n    .hint = In wenigen Worten.\n",
        ),
    ])
}

fn of(files: &'static [(&str, &str)]) -> Languages {
    let mut findings = Vec::new();
    let mut by_tag: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for (name, text) in files {
        let tag = name.split('/').next().unwrap();
        let of = by_tag.entry(tag.to_owned()).or_default();
        of.push(((*name).to_owned(), (*text).to_owned()));
    }
    let rest = by_tag.keys().filter(|tag| *tag != "en").map(String::as_str);
    let order: Vec<&str> = std::iter::once("en").chain(rest).collect();
    let locales = order
        .into_iter()
        .map(|tag| {
            locale(
                tag,
                by_tag.get(tag).map_or(&[], Vec::as_slice),
                &mut findings,
            )
        })
        .collect();
    findings.extend(judged::compared(&by_tag, "en"));
    let spoken = Locales {
        locales,
        findings,
        ids: Vec::new(),
    };
    Languages(Arc::new(spoken), SettingValues::default())
}

fn found(files: &'static [(&str, &str)]) -> Vec<String> {
    let languages = of(files);
    languages
        .findings()
        .iter()
        .map(|finding| format!("{}: {}", finding.id, finding.title))
        .collect()
}

#[test]
fn each_reader_gets_their_own_words_and_plural() {
    for (count, english, german) in [
        (1, "One note is kept.", "Eine Notiz ist da."),
        (5, "5 notes are kept.", "5 Notizen sind da."),
    ] {
        let message = || Message::new("kept").with("count", count);
        assert_eq!(words(message(), "en"), english);
        assert_eq!(words(message(), "de-AT"), german);
        assert_eq!(words(message(), "ja"), english);
    }
    assert_eq!(
        words(Message::new("forms-missing"), "de"),
        "Bitte ausfüllen."
    );
}

#[test]
fn an_argument_is_a_text_and_never_a_message() {
    let hostile = "{ $count } { forms-missing } <b>\u{7b}\"x\"\u{7d}\n.hint = y";
    let message = Message::new("forms-file-kind")
        .with("kinds", hostile.to_owned())
        .with("size", "1 MiB");
    for tag in ["en", "de"] {
        let said = words(message.clone(), tag);
        assert!(said.contains(hostile), "{said}");
    }
}

#[test]
fn a_message_without_its_argument_is_said_by_its_id_and_never_half() {
    assert_eq!(words(Message::new("kept"), "de"), "kept");
    assert_eq!(
        words(Message::new("nobody-wrote-this"), "de"),
        "nobody-wrote-this"
    );
}

/// The label of a choice, once for all forms.
#[test]
fn a_choice_has_the_label_of_its_enum() {
    let german = of(&[
        ("en/app.ftl", "a = A\n"),
        ("de/app.ftl", "status = Stand\n    .is-open = Offen\n"),
    ])
    .at(1);
    assert_eq!(
        german.label_of_choice("status", "is-open").as_deref(),
        Some("Offen")
    );
    assert_eq!(german.label_of_choice("status", "is-closed"), None);
    assert_eq!(german.label_of_choice("", "is-open"), None);
}

#[test]
fn labels_are_those_of_the_language_or_of_the_code() {
    let german = both().at(1);
    assert_eq!(german.tag(), "de");
    assert_eq!(
        german.label("new-note", "title", None).as_deref(),
        Some("Überschrift")
    );
    assert_eq!(
        german.label("new-note", "title", Some("hint")).as_deref(),
        Some("In wenigen Worten.")
    );
    assert_eq!(german.label("new-note", "body", None), None);
    assert_eq!(
        Languages::english().first().label("sign-in", "email", None),
        None
    );
}

#[test]
fn both_shipped_languages_say_the_same_with_the_same_arguments() {
    let german = &[("de/app.ftl", "")];
    assert_eq!(found(german), Vec::<String>::new());
}

#[test]
fn what_is_wrong_with_a_file_is_told_with_its_line() {
    assert_eq!(
        found(&[("en/a.ftl", "good = yes\nbad\nalso-good = yes\n")])[0],
        "pages-language-broken: en/a.ftl, line 2 is not valid Fluent"
    );
    assert_eq!(
        found(&[("en/a.ftl", "a = { $n }"), ("de/a.ftl", "a = { $m }")]),
        ["pages-language-argument: de uses $m in a, which the first language does not"]
    );
    assert_eq!(
        found(&[("en/a.ftl", "a = x\nb = y"), ("de/a.ftl", "a = x")]),
        ["pages-language-incomplete: de does not translate 1 messages: b"]
    );
    assert_eq!(
        found(&[("en/a.ftl", "a = x"), ("en/b.ftl", "a = y")]),
        ["pages-language-twice: en/b.ftl repeats the message a"]
    );
    assert_eq!(
        found(&[("german!/a.ftl", "a = x")])[0],
        "pages-language-tag: the folder \"german!\" does not have the name of a language"
    );
}
