use scraper::{Html, Selector};

/// A form on a page, as a browser parses it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HtmlForm {
    /// The address of its action; empty for the page's own address.
    pub action: String,
    /// Its method in lower case; `get` by default.
    pub method: String,
    /// The hidden fields, including a token.
    pub hidden: Vec<(String, String)>,
    /// Whether it has a password field.
    pub takes_password: bool,
}

/// The forms of a page.
///
/// ```
/// let forms = dewar_audit::sources::forms("<form method=post action=/notes><input type=hidden name=t value=x></form>");
/// assert_eq!(forms[0].hidden, [("t".to_owned(), "x".to_owned())]);
/// ```
#[must_use]
pub fn forms(html: &str) -> Vec<HtmlForm> {
    let page = Html::parse_document(html);
    let (Ok(form), Ok(input)) = (Selector::parse("form"), Selector::parse("input")) else {
        return Vec::new();
    };
    let read = |form: scraper::ElementRef<'_>| {
        let inputs = || form.select(&input);
        let hidden = inputs()
            .filter(|input| input.attr("type") == Some("hidden"))
            .filter_map(|input| {
                Some((
                    input.attr("name")?.to_owned(),
                    input.attr("value").unwrap_or_default().to_owned(),
                ))
            });
        HtmlForm {
            action: form
                .attr("action")
                .unwrap_or_default()
                .split('?')
                .next()
                .unwrap_or_default()
                .to_owned(),
            method: form.attr("method").unwrap_or("get").to_ascii_lowercase(),
            hidden: hidden.collect(),
            takes_password: inputs().any(|input| input.attr("type") == Some("password")),
        }
    };
    page.select(&form).map(read).collect()
}

/// A text that shows whether a page treats input as markup: it ends a value in either kind of quotes, adds an attribute, and then
/// an element.
pub const MARKUP: &str = "zq9'\"onzq9=1><zq9b>";

/// The place where a page treated [`MARKUP`] as markup or as script. This parses the page like a browser; a text search could not
/// tell whether it is escaped.
///
/// ```
/// use dewar_audit::sources::{MARKUP, taken_for_markup};
/// assert_eq!(taken_for_markup("<p>zq9&#39;&quot;onzq9=1&gt;&lt;zq9b&gt;</p>"), None);
/// assert_eq!(taken_for_markup(&format!("<p>{MARKUP}</p>")), Some("as an element"));
/// ```
#[must_use]
pub fn taken_for_markup(html: &str) -> Option<&'static str> {
    let page = Html::parse_document(html);
    for node in page.tree.nodes() {
        if let Some(element) = node.value().as_element() {
            if element.name().starts_with("zq9") {
                return Some("as an element");
            }
            if element.attrs().any(|(name, _)| name.contains("onzq9")) {
                return Some("as an attribute");
            }
            let is_raw = matches!(element.name(), "script" | "style");
            let text = node
                .children()
                .filter_map(|child| child.value().as_text().map(|text| text.to_string()));
            // Unescaped quotes end a string there.
            if is_raw && text.collect::<String>().contains("zq9'\"") {
                return Some("inside a script or a style");
            }
        }
        if node
            .value()
            .as_comment()
            .is_some_and(|comment| comment.contains("zq9'\""))
        {
            return Some("inside a comment");
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_seen_wherever_it_breaks_out() {
        for (page, how) in [
            (format!("<p>{MARKUP}"), "as an element"),
            (
                format!(
                    "<input value=\"{}\">",
                    MARKUP.replace('<', "&lt;").replace('>', "&gt;")
                ),
                "as an attribute",
            ),
            (
                format!("<input value='{}'>", MARKUP.replace(['<', '>'], "")),
                "as an attribute",
            ),
            (
                format!(
                    "<script>var a = \"{}\"</script>",
                    MARKUP.replace(['<', '>'], "")
                ),
                "inside a script or a style",
            ),
            (
                format!("<!-- {} -->", MARKUP.replace('>', "")),
                "inside a comment",
            ),
        ] {
            assert_eq!(taken_for_markup(&page), Some(how), "{page}");
        }
    }

    #[test]
    fn an_escaped_value_is_seen_nowhere() {
        let escaped = "zq9&#x27;&quot;onzq9=1&gt;&lt;zq9b&gt;";
        let page = format!(
            "<title>{escaped}</title><p title=\"{escaped}\">{escaped}</p><textarea>{escaped}</textarea>"
        );
        assert_eq!(taken_for_markup(&page), None);
    }
}
