//! The allow-list of clean HTML. The sanitiser and the documentation are made from it.

/// An element and its attributes.
pub(super) struct AllowedElement {
    pub(super) name: &'static str,
    pub(super) attributes: &'static [&'static str],
    pub(super) purpose: &'static str,
}

const fn element(name: &'static str, purpose: &'static str) -> AllowedElement {
    AllowedElement {
        name,
        attributes: &[],
        purpose,
    }
}

/// The elements that stay. Of any other element only the words stay.
pub(super) const ELEMENTS: [AllowedElement; 14] = [
    element("p", "a paragraph"),
    element("br", "a new line"),
    element("strong", "weight"),
    element("em", "stress"),
    element("u", "underlined"),
    element("ul", "a list"),
    AllowedElement {
        name: "ol",
        attributes: &["start"],
        purpose: "a numbered list",
    },
    element("li", "an item of a list"),
    element("blockquote", "a quotation"),
    element("code", "inline code"),
    element("pre", "preformatted text"),
    element("h3", "a heading"),
    element("h4", "a lower heading"),
    AllowedElement {
        name: "a",
        attributes: &["href"],
        purpose: "a link",
    },
];

/// Elements without an end tag, also outside this list.
pub(super) const VOID: [&str; 4] = ["br", "hr", "img", "input"];

/// The elements that are removed with their content; of any other element the words stay.
pub(super) const EMPTIED: [&str; 8] = [
    "script", "style", "template", "noscript", "title", "iframe", "svg", "math",
];

/// The schemes of a link. A relative link could lead to `/sign-out`, or to a different place on each page.
pub(super) const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// The `rel` of every link.
pub(super) const REL: &str = "noopener nofollow ugc";

/// The list for people, in Markdown.
pub(super) fn printed() -> String {
    let mut text = String::from("| element | attributes | what for |\n|---|---|---|\n");
    for AllowedElement {
        name,
        attributes,
        purpose,
    } in &ELEMENTS
    {
        let attributes: Vec<String> = attributes.iter().map(|name| format!("`{name}`")).collect();
        let attributes = match attributes.join(", ") {
            none if none.is_empty() => "none".to_owned(),
            some => some,
        };
        text.push_str(&format!("| `{name}` | {attributes} | {purpose} |\n"));
    }
    let list = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    text.push_str(&format!(
        "\nSchemes of a link: {}, never relative; each gets `rel=\"{REL}\"`.\n",
        list(&SCHEMES)
    ));
    text.push_str(&format!(
        "Dewar removes these elements with their content from HTML that no form sent: {}. It keeps the text of every other element.\n",
        list(&EMPTIED)
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forms::CleanHtml;

    #[test]
    fn each_element_of_the_list_stays_and_no_attribute_that_is_not_on_it() {
        for element in &ELEMENTS {
            let name = element.name;
            let typed = match name {
                "br" => "<p>a<br class=x>b</p>".to_owned(),
                "li" => "<ul><li class=x onclick=y>a</li></ul>".to_owned(),
                "ul" | "ol" => format!("<{name} class=x onclick=y><li>a</li></{name}>"),
                name => format!("<{name} class=x style=y onclick=z id=i>a</{name}>"),
            };
            let clean = CleanHtml::<200>::clean(&typed).to_string();
            assert!(clean.contains(&format!("<{name}")), "{typed} -> {clean}");
            for gone in ["class", "style", "onclick", "id="] {
                assert!(!clean.contains(gone), "{typed} -> {clean}");
            }
        }
        for name in EMPTIED {
            let typed = format!("<p>kept</p><{name}>gone</{name}>");
            assert_eq!(CleanHtml::<200>::clean(&typed).as_str(), "<p>kept</p>");
        }
    }

    #[test]
    fn the_page_about_forms_prints_the_list_as_it_is() {
        let page = include_str!("../../../../docs/practices/forms.md");
        let (_, rest) = page.split_once("<!-- clean-html -->\n").unwrap();
        let (list, _) = rest.split_once("<!-- /clean-html -->").unwrap();
        assert_eq!(list, printed());
    }
}
