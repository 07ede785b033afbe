//! Tests of what the sanitiser removes, and what stays.

use super::*;
use proptest::prelude::*;

type Html = CleanHtml<2_000>;

thread_local! {
    /// How often a text was parsed as a tree and serialized.
    pub(super) static PASSES: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// One pass for unknown markup, one more for replaced elements; the result does not change again.
#[test]
fn a_text_is_sanitised_no_more_often_than_it_changes() {
    for (typed, most) in [
        ("<p>a</p>", 0),
        ("<p class=x>a</p>", 1),
        ("<p>a <a href=https://example.org>b</a></p>", 1),
        ("<p onclick=x>a</p><script>b</script>", 1),
        ("<p><b>a</b></p>", 2),
        ("<div>a</div>", 2),
    ] {
        PASSES.set(0);
        let cleaned = clean(typed);
        assert_eq!(PASSES.get(), most, "{typed}");
        assert_eq!(SANITISER.clean(&cleaned).to_string(), cleaned, "{typed}");
        assert_eq!(once(&cleaned), cleaned, "{typed}");
        PASSES.set(0);
        assert_eq!(clean(&cleaned), cleaned, "{typed}");
        assert_eq!(PASSES.get(), 0, "what is read again: {cleaned}");
    }
}

fn clean(text: &str) -> String {
    Html::clean(text).0
}

#[test]
fn a_text_that_loses_a_line_break_each_time_it_is_read_becomes_one_that_stays() {
    let text = format!("<pre>{}words</pre>", "\n".repeat(9));
    let once = CleanHtml::<80>::clean(&text);
    assert_eq!(CleanHtml::<80>::clean(once.as_str()), once);
    assert!(once.as_str().contains("words"), "{once}");
    // Only its words, and no escaped markup.
    let text = "<li><pre></p>\n\n<a href=https://a.example>b";
    assert_eq!(clean(text), "<p>b</p>");
    // Without words nothing is left, not even a paragraph.
    assert_eq!(clean("<pre>\n<table><tr>"), "");
}

#[test]
fn a_character_that_is_spelled_as_a_reference_is_held_to_the_same_rules() {
    for hidden in [
        "exe&#x202e;gpj",
        "a&#4;b",
        "ad&#8203;min",
        "&#xfeff;",
        "&#x2066;a",
    ] {
        let hidden = &format!("<p>{hidden}</p>");
        assert!(
            CleanHtml::<80>::parse(RawValue::Text(hidden)).is_err(),
            "{hidden}"
        );
    }
    let composed = CleanHtml::<80>::parse(RawValue::Text("<p>Cafe&#x301;</p>")).unwrap();
    assert_eq!(composed.as_str(), "<p>Caf\u{e9}</p>");
}

#[test]
fn hostile_markup_leaves_its_words_at_most() {
    for (typed, kept) in [
        ("<img src=x onerror=alert(1)>hi", "<p>hi</p>"),
        ("<svg><animate onbegin=alert(1)></svg>hi", "<p>hi</p>"),
        ("<p style='position:fixed'>hi</p>", "<p>hi</p>"),
        (
            "<a href='javascript:alert(1)'>hi</a>",
            "<p><a rel=\"noopener nofollow ugc\">hi</a></p>",
        ),
        (
            "<a href='//evil.example'>hi</a>",
            "<p><a rel=\"noopener nofollow ugc\">hi</a></p>",
        ),
        (
            "<p><b>hi</b><form action=/sign-out><button>x</button></form></p>",
            "<p><strong>hi</strong></p>x",
        ),
        ("<!-- --><p>hi</p><!-- -->", "<p>hi</p>"),
    ] {
        let cleaned = clean(typed);
        assert!(
            !cleaned.contains("javascript") && !cleaned.contains("alert(1)"),
            "{cleaned}"
        );
        assert!(
            cleaned.starts_with(kept.trim_end_matches('x')),
            "{typed} -> {cleaned}"
        );
    }
}

#[test]
fn a_link_keeps_its_address_and_is_no_recommendation() {
    assert_eq!(
        clean("<p><a href=\"https://example.org/?a=1&b=2\" target=_blank>x</a></p>"),
        "<p><a href=\"https://example.org/?a=1&amp;b=2\" rel=\"noopener nofollow ugc\">x</a></p>"
    );
}

#[test]
fn plain_text_becomes_paragraphs() {
    assert_eq!(
        clean("one\ntwo\n\n5 < 6 & so on"),
        "<p>one<br>two</p><p>5 &lt; 6 &amp; so on</p>"
    );
}

#[test]
fn markup_without_words_is_missing() {
    for typed in [
        "<p></p>",
        "<p><b></b></p>",
        "<p>&nbsp;</p>",
        "<br>",
        "<div></div>",
    ] {
        assert!(Html::parse(RawValue::Text(typed)).is_err(), "{typed}");
    }
}

/// A user who explains a tag does not send one.
#[test]
fn plain_text_stays_as_it_was_typed() {
    for (typed, shown) in [
        (
            "The <script> tag is dangerous. Rest.",
            "<p>The &lt;script&gt; tag is dangerous. Rest.</p>",
        ),
        ("List<String>", "<p>List&lt;String&gt;</p>"),
        ("if a<b && b>c", "<p>if a&lt;b &amp;&amp; b&gt;c</p>"),
        (
            "<script>alert(1)</script>",
            "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>",
        ),
        ("&nbsp; is a blank", "<p>&amp;nbsp; is a blank</p>"),
        ("<!-- a", "<p>&lt;!-- a</p>"),
        (
            "begin with <p> and <li>",
            "<p>begin with &lt;p&gt; and &lt;li&gt;</p>",
        ),
        ("5\u{a0}%", "<p>5&nbsp;%</p>"),
    ] {
        let field = Html::parse(RawValue::Text(typed)).unwrap();
        assert_eq!(field.as_str(), shown);
        assert_eq!(Html::clean(shown), field, "and stays so");
        assert_eq!(field.words(), typed.replace('\u{a0}', " "));
    }
    for typed in ["a<BR />b", "<P>a</P >", "<span>a</span>", "<div>a</div>"] {
        let field = Html::parse(RawValue::Text(typed)).unwrap();
        assert!(!field.as_str().contains("&lt;"), "{typed}: {field}");
    }
}

/// A user edits a text that became markup when it was saved first, and goes on writing as before.
#[test]
fn what_is_typed_into_markup_is_not_lost() {
    for (typed, kept) in [
        (
            "<p>a <script>b</script>c</p>",
            "<p>a &lt;script&gt;b&lt;/script&gt;c</p>",
        ),
        ("<p>Map<K, V></p>", "<p>Map&lt;K, V&gt;</p>"),
        ("<p>List<U></p>", "<p>List&lt;U&gt;</p>"),
        ("<p>if a<b && b>c</p>", "<p>if a&lt;b &amp;&amp; b&gt;c</p>"),
        ("<p>a<!-- b --></p>", "<p>a&lt;!-- b --&gt;</p>"),
        (
            "<p>a <a href=/documents/1>b</a></p>",
            "<p>a &lt;a href=/documents/1&gt;b&lt;/a&gt;</p>",
        ),
        ("<p>5 <6, </3, <b</p>", "<p>5 &lt;6, &lt;/3, &lt;b</p>"),
        (
            "<p class=x onclick=\"y\">a</p><ul><li>b<li>c</ul>",
            "<p>a</p><ul><li>b</li><li>c</li></ul>",
        ),
    ] {
        let field = Html::parse(RawValue::Text(typed)).unwrap();
        assert_eq!(field.as_str(), kept, "{typed}");
        assert_eq!(Html::parse(RawValue::Text(kept)), Ok(field));
    }
    let shown = Html::parse(RawValue::Text("A Map")).unwrap().to_string();
    let more = shown.replace("Map", "Map<K, V>");
    let field = Html::parse(RawValue::Text(&more)).unwrap();
    assert_eq!(field.words(), "A Map<K, V>");
}

#[test]
fn what_is_pasted_keeps_its_weight_and_its_blocks_apart() {
    for (pasted, shown, words) in [
        (
            "<b>a</b> and <i>b</i>",
            "<p><strong>a</strong> and <em>b</em></p>",
            "a and b",
        ),
        ("<h1>a</h1><h6>b</h6>", "<h3>a</h3><h4>b</h4>", "a b"),
        (
            "<div>Hello</div><div>World</div>",
            "<p>Hello</p><p>World</p>",
            "Hello World",
        ),
        ("<p>a<div>b</div>c</p>", "<p>a</p><p>b</p>c", "a b c"),
        ("a<hr>b", "<p>a<br>b</p>", "a b"),
        (
            "<table><tr><td>2024</td><td>150</td></tr><tr><th>x</th><td>y</td></tr></table>",
            "<p> 2024  150 </p><p> x  y </p>",
            "2024 150 x y",
        ),
        ("<p></p>", "", ""),
        ("<p>a</p><p> </p><p>b</p>", "<p>a</p>\n<p>b</p>", "a b"),
    ] {
        let clean = Html::clean(pasted);
        let spaced = |text: &str| text.replace('\n', "");
        assert_eq!(spaced(clean.as_str()), spaced(shown), "{pasted}");
        assert_eq!(clean.words(), words, "{pasted}");
        assert_eq!(Html::clean(clean.as_str()), clean);
    }
}

/// Every element of HTML that separates its words by default (HTML, 15.3).
#[test]
fn the_words_of_two_blocks_are_two_words() {
    const BLOCKS: &str = "address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure \
        footer form h1 h2 h3 h4 h5 h6 header hgroup legend li listing main menu nav ol optgroup option p pre \
        search section summary ul button textarea";
    for name in BLOCKS.split(' ') {
        let clean = Html::clean(&format!("<{name}>one</{name}><{name}>two</{name}>"));
        assert_eq!(clean.words(), "one two", "{name}: {clean}");
    }
    for inner in [
        "tr><td",
        "tbody><tr><td",
        "thead><tr><th",
        "tfoot><tr><td",
        "caption",
    ] {
        let clean = Html::clean(&format!(
            "<table><{inner}>one</table><table><{inner}>two</table>"
        ));
        assert_eq!(clean.words(), "one two", "{inner}: {clean}");
    }
    // Without a table, as when half a selection is pasted.
    for (typed, words) in [
        ("<td>one</td><td>two</td>", "one two"),
        ("<TH scope=row>one<td>two", "one two"),
        ("<tr><td>one<tr><td>two", "one two"),
        ("one</td>two", "one two"),
        ("<caption>one</caption><tbody><tr><th>two", "one two"),
        ("<table><tr><td>a</table><td>b</td><td>c</td>", "a b c"),
    ] {
        let clean = Html::clean(typed);
        assert_eq!(clean.words(), words, "{typed}: {clean}");
        assert_eq!(Html::clean(clean.as_str()), clean);
    }
    // The blank goes between words, and never into an address.
    let link = "<p><a href=\"https://a.example/?a=<td>\">x</a></p>";
    let kept = clean(link);
    assert!(
        kept.contains("?a=<td>\"") || kept.contains("?a=&lt;td&gt;\""),
        "{kept}"
    );
    assert_eq!(clean(&kept), kept);
    assert_eq!(
        Html::clean("one<span>two</span><a>three</a>").words(),
        "onetwothree"
    );
}

/// Every attribute that HTML, its event handlers, ARIA and RDF define, on every allowed element.
///
/// ASVS: V1.3.1
#[test]
fn no_attribute_stays_that_is_not_on_the_list() {
    const ATTRIBUTES: &str = "abbr about accept accept-charset accesskey action align alink allow allowfullscreen alt \
        archive async autocapitalize autocomplete autocorrect autofocus autoplay axis background bgcolor border \
        bordercolor cellpadding cellspacing char charoff charset checked cite class clear code codebase codetype color \
        cols colspan command commandfor compact content contenteditable controls coords crossorigin data datatype \
        datetime declare decoding default defer dir dirname disabled download draggable enctype enterkeyhint exportparts \
        face fetchpriority for form formaction formenctype formmethod formnovalidate formtarget frame frameborder \
        headers height hidden high href hreflang hspace http-equiv id imagesizes imagesrcset inert inlist inputmode \
        integrity is ismap itemid itemprop itemref itemscope itemtype kind label lang language link list longdesc loop \
        low marginheight marginwidth max maxlength media method min minlength multiple muted name nohref nomodule nonce \
        noresize noshade novalidate nowrap object onabort onbeforeinput onblur onchange onclick oncopy onerror onfocus \
        oninput onload onmouseover onpaste onpointerdown ontoggle ontransitionend open optimum part pattern ping \
        placeholder playsinline popover popovertarget popovertargetaction poster prefix preload profile prompt property \
        readonly referrerpolicy rel required resource rev reversed role rows rowspan rules sandbox scheme scope scrolling \
        selected shape size sizes slot span spellcheck src srcdoc srclang srcset standby start step style summary \
        tabindex target text title translate type typeof usemap valign value valuetype version vlink vocab vspace width \
        wrap writingsuggestions xmlns xml:lang xlink:href aria-hidden aria-label data-x x-on:click @click :href v-html";
    for element in &ELEMENTS {
        for attribute in ATTRIBUTES.split_whitespace() {
            let name = element.name;
            if element.attributes.contains(&attribute) {
                continue;
            }
            for value in ["https://evil.example", "1"] {
                let typed = format!("<{name} {attribute}=\"{value}\">a</{name}>");
                let cleaned = clean(&typed);
                let bare = clean(&format!("<{name}>a</{name}>"));
                assert_eq!(cleaned, bare, "{typed}");
            }
        }
    }
    assert_eq!(
        clean("<a title=\"https://bank.example\" href=\"https://evil.example\">x</a>"),
        "<p><a href=\"https://evil.example\" rel=\"noopener nofollow ugc\">x</a></p>"
    );
    assert_eq!(clean("<p title=a lang=de>x</p>"), "<p>x</p>");
}

#[test]
fn a_list_begins_at_a_number_and_at_nothing_else() {
    let list = |start: &str| clean(&format!("<ol start=\"{start}\"><li>a</li></ol>"));
    assert_eq!(list("3"), "<ol start=\"3\"><li>a</li></ol>");
    for wrong in ["", "-3", "3.5", "1234567890", "x", "\u{663}"] {
        assert_eq!(list(wrong), "<ol><li>a</li></ol>", "{wrong}");
    }
}

#[test]
fn a_preformatted_text_is_not_eaten_line_by_line() {
    let once = clean("<pre>\n\n\nkeep</pre>");
    assert_eq!(clean(&once), once);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn cleaning_what_is_clean_changes_nothing(
        parts in prop::collection::vec(prop_oneof![
            Just("<p>".to_owned()), Just("</p>".to_owned()), Just("<b>".to_owned()), Just("<a href=http://x.y>".to_owned()),
            Just("</a>".to_owned()), Just("<pre>\n".to_owned()), Just("<svg><p>".to_owned()), Just("<table><tr>".to_owned()),
            Just("<math><mi>".to_owned()), Just("&lt;".to_owned()), Just("\n\n".to_owned()), Just("<!--".to_owned()),
            Just("<ul><li>".to_owned()), Just("<h3>".to_owned()), Just("<script>".to_owned()), "[a-z<>\"'&/ =]{0,8}",
        ], 0..12),
    ) {
        let once = clean(&parts.concat());
        prop_assert_eq!(clean(&once), once.clone());
        prop_assert!(!once.contains("<script") && !once.contains("<svg") && !once.contains("<b>"));
    }
}

/// The form sends back what it shows, and nothing in it is too long.
#[test]
fn what_was_kept_is_taken_when_it_comes_back() {
    let link = "<a href=https://a.example>b</a> ";
    for typed in [
        "<".repeat(200),
        "a & b ".repeat(33),
        "5\u{a0}%".repeat(66),
        "a\n\n".repeat(66),
        "a\n".repeat(100),
        link.repeat(6),
        format!("<p>{}</p>", "<b>a</b>".repeat(24)),
        format!("<pre>{}</pre>", "a\n< ".repeat(45)),
    ] {
        let kept = CleanHtml::<200>::parse(RawValue::Text(&typed)).unwrap();
        assert!(kept.as_str().chars().count() > 200, "{kept}");
        let sent = kept.as_str().replace('\n', "\r\n");
        assert_eq!(CleanHtml::<200>::parse(RawValue::Text(&sent)), Ok(kept));
    }
    for long in ["a".repeat(201), format!("<p>{}</p>", "a".repeat(201))] {
        assert!(CleanHtml::<200>::parse(RawValue::Text(&long)).is_err());
    }
    // A user who goes on writing in it is limited only by the number of words, and not by the markup.
    let kept = CleanHtml::<200>::parse(RawValue::Text(&"< ".repeat(90))).unwrap();
    assert!(kept.as_str().chars().count() > 200, "{kept}");
    let more = |words: &str| {
        let edited = kept.as_str().replace("</p>", &format!("{words}</p>"));
        CleanHtml::<200>::parse(RawValue::Text(&edited))
    };
    assert!(more(&"a".repeat(20)).is_ok());
    assert!(more(&"a".repeat(22)).is_err());
    // The content of an unknown tag is text.
    let other = format!("<p>a<script>{}</script></p>", "b".repeat(200));
    assert!(CleanHtml::<200>::parse(RawValue::Text(&other)).is_err());
}

proptest! {
    #[test]
    fn whatever_was_kept_is_taken_when_it_comes_back(
        pieces in prop::collection::vec(
            prop::sample::select(vec![
                "<b>", "</b>", "<p>", "</p>", "<li>", "<ul>", "<pre>", "<a href=https://a.example>", "</a>", "<i>", "<code>",
                "<td>", "</td>", "<tr>", "<a href=https://b@c.example>", "<table>", "<h1>", "<br>", "a", " b ", "\n", "\n\n", "<", "&", "&nbsp;", "\u{a0}", "\u{958}",
            ]),
            0..14,
        ),
    ) {
        let typed: String = pieces.concat().chars().take(60).collect();
        if let Ok(kept) = CleanHtml::<60>::parse(RawValue::Text(&typed)) {
            let sent = kept.as_str().replace('\n', "\r\n");
            prop_assert!(sent.len() <= CleanHtml::<60>::KIND.text_bytes());
            prop_assert_eq!(CleanHtml::<60>::parse(RawValue::Text(&sent)), Ok(kept));
        }
    }
}

/// Known tags, unknown tags, and everything in which an HTML parser drops what it does not know. `#` is a word.
const PIECES: [&str; 62] = [
    "<b a=\"",
    "<b/a=",
    "\" ",
    "<a href='https://a.example/?&lt;#'>",
    "<p>",
    "</p>",
    "<b>",
    "</b>",
    "<i>",
    "</i>",
    "<K#>",
    "</K#>",
    "<u>",
    "</u>",
    "<script>#</script>",
    "<script>#",
    "<!-- # -->",
    "<!--#",
    "<a href=https://a.example/#>",
    "<a href=/#>",
    "<a href='javascript:#'>",
    "<a href=\"https:&#47;/#\">",
    "<a href=https://a@#.example>",
    "</a>",
    "<a>",
    "<ul>",
    "<ol start=#>",
    "<li>",
    "</li>",
    "</ul>",
    "<table>",
    "<tr>",
    "<td>",
    "</td>",
    "<caption>",
    "</table>",
    "<col>",
    "<pre>",
    "</pre>",
    "\n",
    "\n\n",
    "<img alt=#>",
    "<b #>",
    "<i title='#'>",
    "<br>",
    "<hr>",
    " # ",
    "#",
    "& #;",
    "&lt;#&gt;",
    "<h1>",
    "</h1>",
    "<div>",
    "</div>",
    "<? # ?>",
    "<![CDATA[#]]>",
    "</#>",
    "<# ",
    "<style>#",
    "<textarea>#</textarea>",
    "<select><option>#",
    "</select>",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    /// This includes text in a tag, in a comment, or in the address of a link: it is shown, or it is refused.
    #[test]
    fn nothing_that_was_typed_is_lost_without_a_word(
        pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..24),
    ) {
        let words = |number: usize| format!("w{number}w");
        let numbered = pieces.iter().enumerate();
        let typed: String = numbered.map(|(number, piece)| match *piece {
            "<ol start=#>" => "<ol start=7>".to_owned(),
            piece => piece.replace("&#", "&\0").replace('#', &words(number)).replace("&\0", "&#"),
        }).collect();
        if let Ok(kept) = Html::parse(RawValue::Text(&typed)) {
            for (number, piece) in pieces.iter().enumerate() {
                let is_word = piece.contains('#') && *piece != "<ol start=#>";
                prop_assert!(!is_word || kept.as_str().contains(&words(number)), "{piece} of {typed:?}: {kept}");
            }
            let sent = kept.as_str().replace('\n', "\r\n");
            prop_assert_eq!(Html::parse(RawValue::Text(&sent)), Ok(kept));
        }
    }
}

#[test]
fn a_link_leads_to_the_web_or_to_a_letter_and_a_list_starts_at_a_number() {
    for (typed, kept) in [
        ("https://a.example/", true),
        ("HTTP://a.example/", true),
        ("mailto:ada@example.org", true),
        ("tel:+41446681800", false),
        ("sms:+41446681800", false),
        ("ftp://a.example/", false),
        ("data:text/html,a", false),
        ("https://bank.example@evil.example/", false),
        ("https://bank.example:443@evil.example", false),
        ("http://:secret@evil.example", false),
        ("https:\\\\bank.example@evil.example", false),
        (" https:bank.example@evil.example", false),
        ("https://evil.example/@bank.example", true),
        ("vbscript:a", false),
        ("/sign-out", false),
        ("a", false),
        ("https:sign-out", false),
        ("https:/documents/1/delete", false),
        ("HTTPS:/admin", false),
        ("https:\\\\a.example/", false),
        ("https:\\/a.example/", false),
        ("http:?q", false),
        ("https:\t//a.example/", false),
    ] {
        let cleaned = clean(&format!("<p><a href=\"{typed}\">a</a></p>"));
        assert_eq!(cleaned.contains("href"), kept, "{cleaned}");
    }
    for (start, kept) in [
        ("3", true),
        ("", false),
        ("-1", false),
        ("3x", false),
        ("1234567890", false),
    ] {
        let cleaned = clean(&format!("<ol start=\"{start}\"><li>a</li></ol>"));
        assert_eq!(cleaned.contains("start"), kept, "{cleaned}");
    }
    assert_eq!(clean("<p>a<!-- b --></p>"), "<p>a</p>");
}

/// A quoted value may hold anything; the sanitiser's output in one stays the same.
#[test]
fn a_blank_is_put_before_a_loose_cell_and_not_into_a_quoted_value() {
    for (text, apart) in [
        ("a<td>b", "a <td>b"),
        ("a<TD>b</TD>c", "a <TD>b </TD>c"),
        ("<table><td>b</table>", "<table><td>b</table>"),
        ("<table><td>b</table><td>c", "<table><td>b</table> <td>c"),
        ("<a title=\"><td>\">b</a>", "<a title=\"><td>\">b</a>"),
        ("<a title='><td>'>b</a>", "<a title='><td>'>b</a>"),
        ("<a title='\"'><td>b", "<a title='\"'> <td>b"),
        ("<a title=\"<td>", "<a title=\"<td>"),
        ("1 < 2<td>b", "1 < 2 <td>b"),
    ] {
        assert_eq!(turned::with_loose_cells_apart(text), apart, "{text}");
    }
}

/// HTML that an application imports may be nested to any depth.
///
/// ASVS: V15.2.2
#[test]
fn markup_that_is_nested_without_end_leaves_its_words() {
    for (begin, end) in [("<x>", "</x>"), ("<ul><li>", "</li></ul>"), ("<p><b>", "")] {
        let text = format!("{}words{}", begin.repeat(3_000), end.repeat(3_000));
        PASSES.set(0);
        assert_eq!(clean(&text), "<p>words</p>", "{begin}");
        assert_eq!(PASSES.get(), 1, "{begin}");
    }
    let many = "<p>a<br>b<img src=x></p>".repeat(1_000);
    let many = CleanHtml::<4_000>::clean(&many);
    assert_eq!(many.as_str().matches("<p>").count(), 1_000);
    assert!(clean("<ul><li>a<ul><li>b</li></ul></li></ul>").contains("<li>b</li>"));
}

#[test]
fn the_most_characters_hold_without_a_form_too() {
    type Short = CleanHtml<5>;
    assert!(Short::from_text("0123456789").is_err());
    assert_eq!(Short::from_text("a<b\n").unwrap().as_str(), "<p>a&lt;b</p>");
    for (typed, clean) in [
        ("<p>01234</p>", "<p>01234</p>"),
        ("<p>0123456789</p>", "<p>01234</p>"),
        ("<p>a&amp;b&lt;cd</p>", "<p>a&amp;b&lt;c</p>"),
        ("<ul><li>0123</li><li>45</li></ul>", "<p>0123</p>"),
    ] {
        let cut = Short::clean(typed);
        assert_eq!(cut.as_str(), clean, "{typed}");
        assert_eq!(Short::clean(clean), cut, "it stays so");
    }
}
