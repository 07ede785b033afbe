use super::address::bare_address;

/// Replaces a refused value; no property accepts it.
const REFUSED: &str = "refused";

/// A value of a property: numbers, units, names, colours. Nothing that opens, closes, quotes, calls or names an address.
pub(super) fn value(text: &str) -> String {
    let harmless = |c: char| c.is_alphanumeric() || " .,%#-_+!".contains(c);
    if text.chars().all(harmless) {
        text.to_owned()
    } else {
        REFUSED.to_owned()
    }
}

/// The inside of a text in quotes (CSS Syntax 3, section 4.3.7): other characters than letters and digits become escapes.
pub(super) fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0' => out.push('\u{fffd}'),
            c if c.is_alphanumeric() || " .,-_".contains(c) => out.push(c),
            c => out.push_str(&format!("\\{:x} ", u32::from(c))),
        }
    }
    out
}

/// The inside of `url(…)`, with quotes or without.
pub(super) fn address(text: &str) -> String {
    // `&` begins an entity in an attribute but not in a `<style>`: the CSS escape is right in both.
    bare_address(text).replace('&', "\\26 ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_a_property_is_nothing_but_that() {
        for text in [
            "#fff",
            "12.5px",
            "bold",
            "-1em",
            "50%",
            "red !important",
            "größe",
        ] {
            assert_eq!(value(text), text);
        }
        for text in [
            "red; background: url(x)",
            "expression(alert(1))",
            "red}body{",
            "url(javascript:x)",
            "\\65 xpression",
            "</style>",
            "'",
            "\"",
            "/*",
            "a:b",
            "red\nblue",
        ] {
            assert_eq!(value(text), REFUSED, "{text}");
        }
    }

    #[test]
    fn a_text_does_not_end_its_quotes() {
        assert_eq!(
            text("a\"b'c\\d\n</style>&"),
            "a\\22 b\\27 c\\5c d\\a \\3c \\2f style\\3e \\26 "
        );
    }

    #[test]
    fn an_address_ends_neither_quotes_nor_parentheses() {
        assert_eq!(address("/a b')(\"?c&d"), "/a%20b%27%29%28%22?c\\26 d");
        assert_eq!(address("javascript:x"), "about:invalid#refused");
    }
}
