//! Drawings, rewritten.

use super::made::recognised;
use crate::uploads::policy::{AnyFile, Bytes, Policy};
use crate::uploads::{FileKind, Picture};

#[derive(Debug)]
enum Drawing {}

impl Policy for Drawing {
    const NAME: &'static str = "drawing";
    const KINDS: &'static [FileKind] = &[FileKind::Svg, FileKind::Png];
    const BYTES: Bytes = Bytes::Reencoded;
}

const OPEN: &str =
    r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink""#;

fn rewritten(inside: &str) -> Result<String, &'static str> {
    whole(&format!("{OPEN}>{inside}</svg>"))
}

fn whole(svg: &str) -> Result<String, &'static str> {
    let (kind, bytes) = recognised::<Drawing>(svg.as_bytes(), "a.svg")?;
    assert_eq!(kind, FileKind::Svg);
    Ok(String::from_utf8(bytes).unwrap())
}

#[test]
fn a_drawing_keeps_what_draws() {
    let inside = r##"<title>A &amp; B</title><defs><linearGradient id="g"><stop offset="0" stop-color="red"/></linearGradient></defs><g transform="translate(1 2)"><path d="M0 0L9,9" fill="url(#g)"/><text x="1">1 &lt; 2</text><use xlink:href="#g"/></g>"##;
    let drawing = rewritten(inside).unwrap();
    let kept = inside.replace("xlink:", "");
    assert_eq!(
        drawing,
        format!("<svg xmlns=\"http://www.w3.org/2000/svg\">{kept}</svg>")
    );
    assert_eq!(
        whole(&drawing),
        Ok(drawing.clone()),
        "what is rewritten stays the same"
    );
}

#[test]
fn styles_become_attributes() {
    let drawing = rewritten(
        "<style>/* x */ @import url(//evil.example); .a, rect { fill: red; behavior: x } #b{fill:blue} g > path {fill:pink}</style>\
         <rect class=\"a\" fill=\"green\"/><rect id=\"b\" class=\"a\"/><path style=\"stroke : #fff ; x:y; fill:url(http://evil.example)\"/>",
    );
    let expected = "<rect fill=\"red\"/><rect id=\"b\" fill=\"blue\"/><path stroke=\"#fff\"/>";
    assert_eq!(
        drawing,
        Ok(format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\">{expected}</svg>"
        ))
    );
}

/// ASVS: V1.3.4
#[test]
fn nothing_that_runs_or_loads_stays() {
    for active in [
        "<script>alert(1)</script>",
        "<x:script xmlns:x='http://www.w3.org/2000/svg'>alert(1)</x:script>",
        "<g><script href='//evil.example'/></g>",
        "<foreignObject><body xmlns='http://www.w3.org/1999/xhtml'><img src='x' onerror='alert(1)'/></body></foreignObject>",
        "<a href='javascript:alert(1)'><rect/></a>",
        "<rect onload='alert(1)' ONCLICK='alert(1)'/>",
        "<image href='http://evil.example/a.png'/>",
        "<image href='data:image/svg+xml,&lt;svg/>'/>",
        "<use href='http://evil.example/a.svg#a'/>",
        "<use xlink:href='data:image/svg+xml,x#a'/>",
        "<rect fill='url(http://evil.example/a#b)'/>",
        "<rect fill='u\\72l(http://evil.example)'/>",
        "<rect fill='URL( &quot;//evil.example&quot; )'/>",
        "<rect style='fill:image-set(&quot;//evil.example&quot; 1x)'/>",
        "<rect fill='src(evil.example)'/>",
        "<style>@import 'evil.example';</style>",
        "<style>@font-face{font-family:x;src:url(evil.example)}</style>",
        "<style>rect{fill:url(evil.example)}</style><rect/>",
        "<animate attributeName='href' values='javascript:alert(1)'/>",
        "<set attributeName='onload' to='alert(1)'/>",
        "<filter id='f'><feImage href='//evil.example'/></filter>",
        "<text><tspan><iframe src='//evil.example'/></tspan></text>",
        "<![CDATA[<script>alert(1)</script>]]>",
        "<!-- <script>alert(1)</script> -->",
        "<?xml-stylesheet href='//evil.example'?>",
        "<rect id='x&quot; onload=&quot;alert(1)'/>",
    ] {
        let drawing = rewritten(active).unwrap();
        for left in [
            "script", "evil", "alert", "on", "import", "data:", "@", "image", "<a",
        ] {
            let inside = drawing.split_once('>').unwrap().1;
            assert!(!inside.contains(left), "{active}: {drawing}");
        }
    }
    // Letters are drawn as letters.
    let text = rewritten("<text>&lt;script>alert(1)&lt;/script></text>").unwrap();
    assert!(
        text.contains("&lt;script&gt;") && !text.contains("<script"),
        "{text}"
    );
}

/// ASVS: V1.5.1
#[test]
fn a_drawing_that_is_no_plain_svg_is_refused() {
    for (expected, svg) in [
        (
            "active_content",
            "<!DOCTYPE svg [<!ENTITY x 'y'>]><svg xmlns='http://www.w3.org/2000/svg'>&x;</svg>",
        ),
        (
            "damaged",
            "<svg xmlns='http://www.w3.org/2000/svg'>&x;</svg>",
        ),
        (
            "damaged",
            "<svg xmlns='http://www.w3.org/2000/svg'><g></svg>",
        ),
        (
            "damaged",
            "<svg xmlns='http://www.w3.org/2000/svg'/><svg xmlns='http://www.w3.org/2000/svg'/>",
        ),
        ("damaged", "<svg xmlns='http://www.w3.org/2000/svg'/>after"),
        ("damaged", "<svg/>"),
        ("damaged", "<html xmlns='http://www.w3.org/1999/xhtml'/>"),
        ("damaged", "no drawing"),
    ] {
        assert_eq!(whole(svg), Err(expected), "{svg}");
    }
    let usual = "<?xml version='1.0'?><!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd'><svg xmlns='http://www.w3.org/2000/svg'/>";
    assert!(whole(usual).is_ok());
    let utf_16: Vec<u8> = format!("{OPEN}/>")
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert!(recognised::<Drawing>(&utf_16, "a.svg").is_err());
}

/// ASVS: V5.2.6
#[test]
fn a_drawing_draws_no_more_than_its_bound() {
    let level = |number: usize| {
        let uses = format!("<use href='#l{}'/>", number + 1).repeat(10);
        format!("<g id='l{number}'>{uses}</g>")
    };
    let levels = |count: usize| -> String {
        let nested: String = (0..count).map(level).collect();
        format!("{nested}<rect id='l{count}'/>")
    };
    assert!(rewritten(&levels(4)).is_ok());
    assert_eq!(rewritten(&levels(6)), Err("bomb"));
    assert_eq!(rewritten("<g id='a'><use href='#a'/></g>"), Err("bomb"));
    let pattern = |number: usize| {
        format!(
            "<pattern id='p{number}'>{}</pattern>",
            format!("<rect fill='url(#p{})'/>", number + 1).repeat(10)
        )
    };
    let patterns: String = (0..7).map(pattern).collect();
    assert_eq!(rewritten(&patterns), Err("bomb"));
    let deep = |depth: usize| format!("{}{}", "<g>".repeat(depth), "</g>".repeat(depth));
    assert!(rewritten(&deep(60)).is_ok());
    assert_eq!(rewritten(&deep(5_000)), Err("bomb"));
    assert_eq!(rewritten(&"<g/>".repeat(60_000)), Err("bomb"));
    assert_eq!(rewritten(&" ".repeat(5 << 20)), Err("bomb"));
    // A marker is drawn at every point.
    let marked = rewritten(
        "<marker id='m'><g/></marker><g marker-end='url(#m)'><path style='marker-mid:url(#m)'/></g>",
    );
    assert!(!marked.unwrap().contains("marker"));
}

/// ASVS: V5.2.6
#[test]
fn a_style_sheet_writes_no_more_than_its_bound() {
    let styled = |length: usize, elements: usize| {
        let value = "a".repeat(length);
        let elements = "<g/>".repeat(elements);
        rewritten(&format!(
            "<style>*{{font-family:{value}}}</style>{elements}"
        ))
    };
    assert!(styled(1_000, 1_000).unwrap().contains("font-family"));
    assert_eq!(styled(1_000, 20_000), Err("bomb"));
    assert!(!styled(2_000, 1).unwrap().contains("font-family"));
    let classes = |names: &str| {
        rewritten(&format!(
            "<style>.b{{fill:red}}</style><g class='{names} b'/>"
        ))
    };
    assert!(classes("a").unwrap().contains("fill"));
    assert!(!classes(&"a".repeat(1_024)).unwrap().contains("fill"));
}

/// ASVS: V5.2.2
#[test]
fn a_drawing_is_taken_only_where_a_policy_lists_it() {
    let svg = format!("{OPEN}/>");
    assert_eq!(
        recognised::<Picture>(svg.as_bytes(), "a.svg").map(drop),
        Err("active_extension")
    );
    assert_eq!(
        recognised::<AnyFile>(svg.as_bytes(), "a.svg").map(drop),
        Err("active_extension")
    );
    assert_eq!(
        recognised::<AnyFile>(svg.as_bytes(), "a.data").map(drop),
        Err("page")
    );
    assert_eq!(
        recognised::<Drawing>(svg.as_bytes(), "x.php.svg").map(drop),
        Err("active_extension")
    );
    assert_eq!(
        recognised::<Drawing>(svg.as_bytes(), "a.png").map(drop),
        Err("unknown_kind")
    );
    let png = super::made::encoded(&super::made::two_halves(), image::ImageFormat::Png);
    assert_eq!(
        recognised::<Drawing>(&png, "a.svg").map(drop),
        Err("extension_disagrees")
    );
    assert!(!AnyFile::KINDS.contains(&FileKind::Svg));
}
