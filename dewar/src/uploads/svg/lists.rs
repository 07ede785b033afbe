//! The elements, attributes and values that stay.

/// Elements that draw or are drawn from.
#[rustfmt::skip]
const ELEMENTS: &[&str] = &[
    "svg", "g", "defs", "symbol", "use", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan",
    "textPath", "linearGradient", "radialGradient", "stop", "clipPath", "mask", "pattern", "title", "desc", "switch",
];

/// Elements whose letters are drawn or read aloud.
const TEXTS: &[&str] = &["text", "tspan", "textPath", "title", "desc"];

/// Properties of CSS that are also attributes. Not markers: a path inherits them and draws them at every point, which no count
/// of elements shows.
#[rustfmt::skip]
const PROPERTIES: &[&str] = &[
    "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit",
    "stroke-dasharray", "stroke-dashoffset", "stroke-opacity", "opacity", "color", "display", "visibility", "overflow", "clip-path",
    "clip-rule", "mask", "stop-color", "stop-opacity", "font-family", "font-size",
    "font-weight", "font-style", "font-variant", "font-stretch", "text-anchor", "dominant-baseline", "alignment-baseline",
    "baseline-shift", "letter-spacing", "word-spacing", "text-decoration", "writing-mode", "direction", "paint-order",
    "vector-effect", "shape-rendering", "text-rendering", "image-rendering", "color-interpolation",
];

/// Other attributes.
#[rustfmt::skip]
const ATTRIBUTES: &[&str] = &[
    "id", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "fx", "fy", "fr", "width", "height", "d", "points",
    "pathLength", "dx", "dy", "rotate", "textLength", "lengthAdjust", "startOffset", "viewBox", "preserveAspectRatio", "version",
    "transform", "gradientTransform", "gradientUnits", "spreadMethod", "offset", "patternTransform", "patternUnits",
    "patternContentUnits", "clipPathUnits", "maskUnits", "maskContentUnits", "refX",
    "refY", "href",
];

fn of(list: &[&'static str], name: &str) -> Option<&'static str> {
    list.iter().find(|known| **known == name).copied()
}

pub(super) fn element(name: &str) -> Option<&'static str> {
    of(ELEMENTS, name)
}

pub(super) fn has_text(name: &str) -> bool {
    TEXTS.contains(&name)
}

pub(super) fn property(name: &str) -> Option<&'static str> {
    of(PROPERTIES, name)
}

pub(super) fn attribute(name: &str) -> Option<&'static str> {
    of(ATTRIBUTES, name).or_else(|| property(name))
}

/// The value of an attribute or property, if it can do nothing but draw.
pub(super) fn value(name: &str, value: &str) -> Option<String> {
    let value = value.trim();
    if name == "id" {
        return is_name(value).then(|| value.to_owned());
    }
    if name == "href" {
        return value
            .strip_prefix('#')
            .filter(|id| is_name(id))
            .map(|_| value.to_owned());
    }
    let is_plain = |c: char| {
        c.is_alphanumeric()
            || c.is_ascii_whitespace()
            || matches!(
                c,
                '.' | ',' | '%' | '#' | '(' | ')' | '+' | '-' | '_' | '\'' | '"'
            )
    };
    let is_free = |name: &str| !name.trim_end().is_empty() && !is_harmless_function(name);
    let mut functions = value.split('(');
    functions.next_back();
    let has_other = functions.any(|before| {
        let name = before
            .rsplit(|c: char| !(c.is_alphanumeric() || c == '-'))
            .next()
            .unwrap_or_default();
        is_free(name)
    });
    (value.chars().all(is_plain) && !has_other && references(value).is_some())
        .then(|| value.to_owned())
}

/// Functions of colours and of transformations, and the reference to a part of the same drawing.
fn is_harmless_function(name: &str) -> bool {
    #[rustfmt::skip]
    const FUNCTIONS: &[&str] = &[
        "url", "rgb", "rgba", "hsl", "hsla", "matrix", "translate", "translatex", "translatey", "scale", "scalex", "scaley",
        "rotate", "skewx", "skewy",
    ];
    FUNCTIONS.contains(&name.to_ascii_lowercase().as_str())
}

/// The ids in every `url(#id)` of a value; `None` if one leads elsewhere.
pub(super) fn references(value: &str) -> Option<Vec<&str>> {
    let lower = value.to_ascii_lowercase();
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = lower.get(at..)?.find("url") {
        let start = at + next + 3;
        let inside = value
            .get(start..)?
            .strip_prefix('(')?
            .split_once(')')?
            .0
            .trim();
        let bare = inside.trim_matches(['\'', '"']);
        found.push(bare.strip_prefix('#').filter(|id| is_name(id))?);
        at = start;
    }
    Some(found)
}

fn is_name(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= 256
        && id
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'))
}
