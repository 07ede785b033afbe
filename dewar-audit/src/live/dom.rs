//! Reads pages as a browser does: links, forms, and where a marker stands.

use scraper::{ElementRef, Html, Selector};

use super::script::is_code;

/// The contents of a page.
#[derive(Debug, Clone, Default)]
pub(super) struct Page {
    pub(super) links: Vec<Link>,
    pub(super) forms: Vec<Form>,
    pub(super) scripts: Vec<String>,
    /// The addresses of its scripts.
    pub(super) sources: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) href: String,
    pub(super) text: String,
}

/// A form with its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) action: String,
    pub(super) method: String,
    pub(super) is_multipart: bool,
    pub(super) fields: Vec<Field>,
    /// Its labels, buttons and names, in lower case.
    pub(super) words: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) value: String,
    pub(super) is_required: bool,
}

fn select<'a>(root: ElementRef<'a>, css: &str) -> Vec<ElementRef<'a>> {
    Selector::parse(css).map_or_else(
        |_| Vec::new(),
        |selector| root.select(&selector).take(2000).collect(),
    )
}

fn text_of(element: ElementRef<'_>) -> String {
    let text: String = element.text().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(super) fn read(html: &str) -> Page {
    let document = Html::parse_document(html);
    let root = document.root_element();
    let attr = |css: &str, name: &str| -> Vec<String> {
        select(root, css)
            .iter()
            .filter_map(|element| element.attr(name).map(str::to_owned))
            .collect()
    };
    let mut links: Vec<Link> = select(root, "a[href], area[href], link[href]")
        .into_iter()
        .filter(|element| {
            element.attr("rel").is_none_or(|rel| {
                !matches!(rel, "stylesheet" | "icon" | "preconnect" | "dns-prefetch")
            })
        })
        .filter_map(|element| {
            Some(Link {
                href: element.attr("href")?.to_owned(),
                text: text_of(element),
            })
        })
        .collect();
    let frames = attr("iframe[src]", "src")
        .into_iter()
        .chain(attr("frame[src]", "src"));
    links.extend(frames.map(|href| Link {
        href,
        text: String::new(),
    }));
    for content in attr("meta[http-equiv=refresh i]", "content") {
        if let Some(href) = refresh_target(&content) {
            links.push(Link {
                href,
                text: String::new(),
            });
        }
    }
    Page {
        links,
        forms: select(root, "form")
            .into_iter()
            .map(|form| read_form(root, form))
            .collect(),
        scripts: select(root, "script:not([src])")
            .iter()
            .map(|script| script.text().collect())
            .collect(),
        sources: attr("script[src]", "src"),
    }
}

/// The address of `<meta http-equiv=refresh content="0; url=…">`.
pub(super) fn refresh_target(content: &str) -> Option<String> {
    let (_, rest) = content.split_once([';', ','])?;
    let rest = rest.trim();
    let is_url = rest
        .get(..3)
        .is_some_and(|start| start.eq_ignore_ascii_case("url"));
    let rest = if is_url {
        rest.get(3..)?.trim_start().strip_prefix('=')?
    } else {
        rest
    };
    Some(rest.trim().trim_matches(['"', '\'']).to_owned())
}

fn read_form(root: ElementRef<'_>, form: ElementRef<'_>) -> Form {
    let mut fields: Vec<Field> = Vec::new();
    let mut controls = select(form, "input, textarea, select, button[name]");
    if let Some(id) = form.attr("id").filter(|id| {
        id.chars()
            .all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    }) {
        controls.extend(select(
            root,
            &format!("input[form={id}], textarea[form={id}], select[form={id}]"),
        ));
    }
    for control in controls {
        let kind = match control.value().name() {
            "input" => control.attr("type").unwrap_or("text").to_ascii_lowercase(),
            other => other.to_owned(),
        };
        let Some(name) = control
            .attr("name")
            .or_else(|| control.attr("id"))
            .filter(|name| !name.is_empty())
        else {
            continue;
        };
        if kind == "button" || kind == "reset" || kind == "image" {
            continue;
        }
        let value = field_value(control, &kind);
        let is_repeated = fields.iter().any(|known| known.name == name)
            && matches!(kind.as_str(), "radio" | "checkbox");
        if !is_repeated {
            fields.push(Field {
                name: name.to_owned(),
                kind,
                value,
                is_required: control.attr("required").is_some(),
            });
        }
    }
    let words = [
        text_of(form),
        form.attr("id").unwrap_or_default().to_owned(),
        form.attr("class").unwrap_or_default().to_owned(),
    ]
    .into_iter()
    .chain(
        select(form, "input[type=submit]")
            .into_iter()
            .filter_map(|input| input.attr("value").map(str::to_owned)),
    )
    .chain(fields.iter().map(|field| field.name.clone()));
    Form {
        action: form.attr("action").unwrap_or_default().to_owned(),
        method: form.attr("method").unwrap_or("get").to_ascii_uppercase(),
        is_multipart: form
            .attr("enctype")
            .is_some_and(|kind| kind.eq_ignore_ascii_case("multipart/form-data"))
            || fields.iter().any(|field| field.kind == "file"),
        words: words.collect::<Vec<_>>().join(" ").to_lowercase(),
        fields,
    }
}

fn field_value(control: ElementRef<'_>, kind: &str) -> String {
    match kind {
        "textarea" => control.text().collect(),
        "select" => {
            let options = select(control, "option");
            let chosen = options
                .iter()
                .find(|option| option.attr("selected").is_some());
            let filled = options
                .iter()
                .find(|option| option.attr("value").is_some_and(|value| !value.is_empty()));
            chosen
                .or(filled)
                .or(options.first())
                .map(|option| {
                    option
                        .attr("value")
                        .map_or_else(|| text_of(*option), str::to_owned)
                })
                .unwrap_or_default()
        }
        _ => control.attr("value").unwrap_or_default().to_owned(),
    }
}

/// How a marker runs in a page; `None` if it is only text.
///
/// The marker is a word of letters and digits that starts an element, is the name of an attribute, starts a script's address, or
/// stands in a script outside its strings.
pub(super) fn executes(html: &str, marker: &str) -> Option<&'static str> {
    if !html.contains(marker) {
        return None;
    }
    let document = Html::parse_document(html);
    for node in document.tree.nodes() {
        let Some(element) = node.value().as_element() else {
            continue;
        };
        let name = element.name();
        if name.eq_ignore_ascii_case(marker) {
            return Some("as an element");
        }
        for (attribute, value) in element.attrs() {
            if attribute.eq_ignore_ascii_case(marker) {
                return Some("as an attribute");
            }
            let is_address = matches!(attribute, "href" | "src" | "action" | "formaction" | "data");
            let cleaned: String = value
                .chars()
                .filter(|c| !c.is_ascii_control() && *c != ' ')
                .collect();
            if is_address
                && cleaned.to_ascii_lowercase().starts_with("javascript:")
                && value.contains(marker)
                && matches!(
                    name,
                    "a" | "iframe"
                        | "form"
                        | "button"
                        | "input"
                        | "area"
                        | "frame"
                        | "object"
                        | "embed"
                )
            {
                return Some("as an address of a script");
            }
            if attribute.starts_with("on") && is_code(value, marker) {
                return Some("inside an event handler");
            }
        }
        if name == "script" {
            let text: String = node
                .children()
                .filter_map(|child| child.value().as_text().map(|text| text.to_string()))
                .collect();
            if is_script(element.attr("type")) && is_code(&text, marker) {
                return Some("inside a script");
            }
        }
    }
    None
}

fn is_script(kind: Option<&str>) -> bool {
    kind.is_none_or(|kind| kind.is_empty() || kind.contains("javascript") || kind == "module")
}

/// Where a harmless marker stands, to choose the attacks that fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Address,
    Attribute,
    Comment,
    Script,
    Text,
}

pub(super) fn places(html: &str, marker: &str) -> Vec<Place> {
    let document = Html::parse_document(html);
    let mut all = Vec::new();
    for node in document.tree.nodes() {
        if let Some(element) = node.value().as_element() {
            for (name, value) in element.attrs().filter(|(_, value)| value.contains(marker)) {
                // Nothing before the marker settles the scheme.
                let before = value.split(marker).next().unwrap_or_default();
                let starts = matches!(name, "href" | "src" | "action" | "formaction" | "data")
                    && !before.contains(['/', '?', '#', ':']);
                all.push(if starts {
                    Place::Address
                } else {
                    Place::Attribute
                });
                if name.starts_with("on") {
                    all.push(Place::Script);
                }
            }
        }
        if node
            .value()
            .as_comment()
            .is_some_and(|comment| comment.contains(marker))
        {
            all.push(Place::Comment);
        }
        if node
            .value()
            .as_text()
            .is_some_and(|text| text.contains(marker))
        {
            let parent = node.parent().and_then(|parent| {
                parent
                    .value()
                    .as_element()
                    .map(|element| element.name().to_owned())
            });
            all.push(if parent.as_deref() == Some("script") {
                Place::Script
            } else {
                Place::Text
            });
        }
    }
    all.sort_unstable();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_runs_in_these_places_and_only_there() {
        for page in [
            "<p><zqm x=1>",
            "<input value=\"\" zqm=1 y=\"\">",
            "<a href=' JavaScript:zqm()'>x</a>",
            "<script>var a = '';zqm;'';</script>",
            "<b onclick=\"f('');zqm;('')\">",
        ] {
            assert!(executes(page, "zqm").is_some(), "{page}");
        }
        for page in [
            "<p>&lt;zqm x=1&gt;",
            "<input value=\"zqm=1\">",
            "<a href='/?x=javascript:zqm'>x</a>",
            "<script>var a = '\\';zqm';</script>",
            "<textarea><zqm></textarea>",
            "<!-- <zqm> -->",
            "<script type='application/json'>zqm</script>",
            "<title><zqm></title>",
        ] {
            assert!(executes(page, "zqm").is_none(), "{page}");
        }
    }

    #[test]
    fn a_form_without_an_action_and_a_field_with_only_an_id_are_read() {
        let page = read(
            "<form method=post><input id=a><select name=s><option value=''>-</option><option value=2></select><button>Delete</button></form>",
        );
        assert_eq!(page.forms.len(), 1);
        assert_eq!(page.forms[0].fields.len(), 2);
        assert_eq!(page.forms[0].fields[1].value, "2");
        assert!(page.forms[0].words.contains("delete"));
    }
}
