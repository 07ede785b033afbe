use super::address::{Part, Reach, Srcset};
use super::style::StyleContext;
use super::{Escape, TemplateRejection};

/// An attribute whose value is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) quote: Quote,
    place: AttributeContext,
    /// The template's own text so far: the `type` of a script decides how a browser reads its content.
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quote {
    Double,
    Single,
    Unquoted,
}

/// How the browser reads the value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
enum AttributeContext {
    Text,
    Address(Part, Reach),
    Srcset(Srcset),
    Style(StyleContext),
    /// No value is safe here.
    Refused(AttributeProblem),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AttributeProblem {
    Handler,
    Library,
    Srcdoc,
    Equiv,
    Kind,
    Animation,
}

/// More than the longest `type` of a script.
const TEXT: usize = 64;

impl Attribute {
    pub(super) fn new(element: &str, name: &str, quote: Quote) -> Self {
        Self {
            name: name.to_owned(),
            quote,
            place: place(element, name),
            text: String::new(),
        }
    }

    pub(super) fn step(&mut self, c: char) -> Result<(), TemplateRejection> {
        if self.text.len() < TEXT {
            self.text.push(c);
        }
        match &mut self.place {
            AttributeContext::Address(part, _) => part.step(c),
            AttributeContext::Srcset(srcset) => srcset.step(c),
            AttributeContext::Style(style) => style.step(c),
            AttributeContext::Text | AttributeContext::Refused(_) => Ok(()),
        }
    }

    pub(super) fn value(&mut self) -> Result<Escape, TemplateRejection> {
        let name = || self.name.clone();
        if let AttributeContext::Refused(why) = &self.place {
            return Err(match why {
                AttributeProblem::Handler => TemplateRejection::Handler(name()),
                AttributeProblem::Library => TemplateRejection::Library(name()),
                AttributeProblem::Srcdoc => TemplateRejection::Srcdoc,
                AttributeProblem::Equiv => TemplateRejection::Equiv,
                AttributeProblem::Kind => TemplateRejection::ScriptKind,
                AttributeProblem::Animation => TemplateRejection::Animation(name()),
            });
        }
        if self.quote == Quote::Unquoted {
            return Err(TemplateRejection::Unquoted(name()));
        }
        match &mut self.place {
            AttributeContext::Address(part, reach) => part.value(*reach),
            AttributeContext::Srcset(srcset) => srcset.value(),
            AttributeContext::Style(style) => style.value(),
            AttributeContext::Text | AttributeContext::Refused(_) => Ok(Escape::Plain),
        }
    }

    pub(super) fn join(&self, other: &Self) -> Option<Self> {
        if self.name != other.name || self.quote != other.quote {
            return None;
        }
        let place = match (&self.place, &other.place) {
            (AttributeContext::Address(one, reach), AttributeContext::Address(two, _)) => {
                AttributeContext::Address(one.join(two), *reach)
            }
            (AttributeContext::Srcset(one), AttributeContext::Srcset(two)) => {
                AttributeContext::Srcset(one.join(two))
            }
            (AttributeContext::Style(one), AttributeContext::Style(two)) => {
                AttributeContext::Style(one.join(two)?)
            }
            (one, two) if one == two => one.clone(),
            _ => return None,
        };
        let decides = self.name == "type" && self.text != other.text;
        (!decides).then(|| Self {
            place,
            ..self.clone()
        })
    }

    /// The widest assumption, for the position after a block that another template may fill.
    pub(super) fn widest(&self) -> Self {
        let place = match &self.place {
            AttributeContext::Address(part, reach) => {
                AttributeContext::Address(part.join(&Part::Mixed), *reach)
            }
            AttributeContext::Srcset(_) => AttributeContext::Srcset(Srcset::Address(Part::Mixed)),
            AttributeContext::Text | AttributeContext::Style(_) | AttributeContext::Refused(_) => {
                self.place.clone()
            }
        };
        Self {
            place,
            ..self.clone()
        }
    }
}

fn place(element: &str, whole: &str) -> AttributeContext {
    if ["on", "@", "hx-on", "data-hx-on", "data-on-", "data-on:"]
        .iter()
        .any(|handler| whole.starts_with(handler))
    {
        return AttributeContext::Refused(AttributeProblem::Handler);
    }
    if ["v-", "x-", "ng-", "hx-vals", "hx-vars", ":"]
        .iter()
        .any(|code| whole.starts_with(code))
    {
        return AttributeContext::Refused(AttributeProblem::Library);
    }
    let anywhere = AttributeContext::Address(Part::Start, Reach::Anywhere);
    if let Some(name) = whole.strip_prefix("data-") {
        // No browser reads it, but a script may: by its name it may be an address.
        return match name {
            "srcset" => AttributeContext::Srcset(Srcset::Start),
            name if is_called_address(name) => anywhere,
            _ => AttributeContext::Text,
        };
    }
    // `xlink:href` is an `href`, and so is `v-bind:href`.
    let name = whole.rsplit(':').next().unwrap_or(whole);
    let animates = element == "set" || element.starts_with("animate");
    match (element, name) {
        (_, name) if name.starts_with("on") => AttributeContext::Refused(AttributeProblem::Handler),
        (_, "srcdoc") => AttributeContext::Refused(AttributeProblem::Srcdoc),
        (_, "http-equiv") => AttributeContext::Refused(AttributeProblem::Equiv),
        ("script", "type" | "language") => AttributeContext::Refused(AttributeProblem::Kind),
        (_, "attributename" | "from" | "to" | "by" | "values") if animates => {
            AttributeContext::Refused(AttributeProblem::Animation)
        }
        (_, "style") => AttributeContext::Style(StyleContext::new()),
        (_, "srcset" | "imagesrcset") => AttributeContext::Srcset(Srcset::Start),
        _ if is_loaded(element, name) => AttributeContext::Address(Part::Start, Reach::Local),
        _ if ADDRESSES.contains(&name) || is_called_address(name) => anywhere,
        _ => AttributeContext::Text,
    }
}

/// Attributes that hold an address without a name that shows it.
const ADDRESSES: [&str; 10] = [
    "background",
    "cite",
    "icon",
    "itemid",
    "itemtype",
    "longdesc",
    "ping",
    "poster",
    "profile",
    "xmlns",
];

/// Whether the address is loaded into the page, or receives a form with its token.
fn is_loaded(element: &str, name: &str) -> bool {
    match name {
        "src" => matches!(element, "script" | "iframe" | "frame" | "embed"),
        "href" => matches!(element, "link" | "base" | "use" | "image" | "feimage"),
        "data" | "codebase" | "classid" | "archive" => matches!(element, "object" | "applet"),
        "manifest" | "action" | "formaction" => true,
        "hx-get" | "hx-post" | "hx-put" | "hx-patch" | "hx-delete" => true,
        _ => false,
    }
}

/// Whether a word in the name of an attribute, also of a library's, marks an address.
fn is_called_address(name: &str) -> bool {
    let mut words = name.split(['-', '_', '.']);
    words.any(|word| {
        ["src", "href", "uri", "url", "usemap"]
            .iter()
            .any(|called| word.starts_with(called) || word.ends_with(called))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_is_known_by_its_name_and_its_element() {
        let reach = |element, name| match place(element, name) {
            AttributeContext::Address(_, reach) => Some(reach),
            AttributeContext::Text
            | AttributeContext::Srcset(_)
            | AttributeContext::Style(_)
            | AttributeContext::Refused(_) => None,
        };
        assert_eq!(reach("a", "href"), Some(Reach::Anywhere));
        assert_eq!(reach("a", "xlink:href"), Some(Reach::Anywhere));
        assert_eq!(reach("div", "data-image-url"), Some(Reach::Anywhere));
        assert_eq!(reach("script", "src"), Some(Reach::Local));
        assert_eq!(reach("form", "action"), Some(Reach::Local));
        assert_eq!(reach("div", "hx-get"), Some(Reach::Local));
        for text in [
            "title",
            "data-security",
            "data-action",
            "data-online",
            "data-style",
            "data-icon-name",
        ] {
            assert_eq!(reach("div", text), None, "{text}");
        }
        for (element, name, why) in [
            ("b", "onclick", AttributeProblem::Handler),
            ("b", "data-on-click", AttributeProblem::Handler),
            ("b", "hx-on:click", AttributeProblem::Handler),
            ("b", "@click", AttributeProblem::Handler),
            ("b", "x-data", AttributeProblem::Library),
            (":b", ":title", AttributeProblem::Library),
            ("iframe", "srcdoc", AttributeProblem::Srcdoc),
            ("meta", "http-equiv", AttributeProblem::Equiv),
            ("script", "type", AttributeProblem::Kind),
            ("animatetransform", "to", AttributeProblem::Animation),
        ] {
            assert_eq!(
                place(element, name),
                AttributeContext::Refused(why),
                "{element} {name}"
            );
        }
    }

    #[test]
    fn what_runs_is_known_by_how_it_begins() {
        for (name, why) in [
            ("onload", AttributeProblem::Handler),
            ("xlink:onload", AttributeProblem::Handler),
            ("@click", AttributeProblem::Handler),
            ("hx-on", AttributeProblem::Handler),
            ("data-hx-on:click", AttributeProblem::Handler),
            ("data-on:click", AttributeProblem::Handler),
            ("v-html", AttributeProblem::Library),
            ("x-html", AttributeProblem::Library),
            ("ng-click", AttributeProblem::Library),
            ("hx-vals", AttributeProblem::Library),
            ("hx-vars", AttributeProblem::Library),
            (":href", AttributeProblem::Library),
        ] {
            assert_eq!(place("b", name), AttributeContext::Refused(why), "{name}");
        }
        for element in ["set", "animate", "animatemotion"] {
            for name in ["attributename", "from", "to", "by", "values"] {
                let refused = AttributeContext::Refused(AttributeProblem::Animation);
                assert_eq!(place(element, name), refused, "{element} {name}");
                assert_eq!(place("b", name), AttributeContext::Text, "{name}");
            }
        }
        assert_eq!(
            place("script", "language"),
            AttributeContext::Refused(AttributeProblem::Kind)
        );
        assert_eq!(place("b", "type"), AttributeContext::Text);
        assert!(matches!(place("b", "style"), AttributeContext::Style(_)));
        for name in ["srcset", "imagesrcset", "data-srcset"] {
            assert_eq!(
                place("img", name),
                AttributeContext::Srcset(Srcset::Start),
                "{name}"
            );
        }
    }

    /// The page loads only addresses of this application; a link may lead anywhere.
    #[test]
    fn what_is_loaded_is_of_this_application() {
        let reach = |element, name| match place(element, name) {
            AttributeContext::Address(part, reach) => (part == Part::Start).then_some(reach),
            AttributeContext::Text
            | AttributeContext::Srcset(_)
            | AttributeContext::Style(_)
            | AttributeContext::Refused(_) => None,
        };
        for (elements, names) in [
            (
                &["script", "iframe", "frame", "embed"] as &[_],
                &["src"] as &[_],
            ),
            (&["link", "base", "use", "image", "feimage"], &["href"]),
            (
                &["object", "applet"],
                &["data", "codebase", "classid", "archive"],
            ),
            (&["html", "b"], &["manifest", "action", "formaction"]),
            (
                &["b"],
                &["hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete"],
            ),
        ] {
            for (element, name) in elements
                .iter()
                .flat_map(|e| names.iter().map(move |n| (*e, *n)))
            {
                assert_eq!(reach(element, name), Some(Reach::Local), "{element} {name}");
            }
        }
        for name in ADDRESSES {
            assert_eq!(reach("b", name), Some(Reach::Anywhere), "{name}");
        }
        for name in [
            "src", "href", "data-src", "base_uri", "a.url", "usemap", "imageurl",
        ] {
            assert_eq!(reach("b", name), Some(Reach::Anywhere), "{name}");
        }
        for name in ["data", "codebase", "title", "curled"] {
            assert_eq!(reach("b", name), None, "{name}");
        }
    }

    #[test]
    fn a_value_is_refused_or_escaped_as_its_place_asks() {
        let value = |element, name, quote| Attribute::new(element, name, quote).value();
        for (element, name, refused) in [
            (
                "b",
                "onclick",
                TemplateRejection::Handler("onclick".to_owned()),
            ),
            (
                "b",
                "x-data",
                TemplateRejection::Library("x-data".to_owned()),
            ),
            ("iframe", "srcdoc", TemplateRejection::Srcdoc),
            ("meta", "http-equiv", TemplateRejection::Equiv),
            ("script", "type", TemplateRejection::ScriptKind),
            ("set", "to", TemplateRejection::Animation("to".to_owned())),
        ] {
            assert_eq!(value(element, name, Quote::Double), Err(refused.clone()));
            assert_eq!(value(element, name, Quote::Unquoted), Err(refused));
        }
        for quote in [Quote::Double, Quote::Single] {
            assert_eq!(value("b", "title", quote), Ok(Escape::Plain));
            assert_eq!(value("a", "href", quote), Ok(Escape::Address));
            assert_eq!(value("form", "action", quote), Ok(Escape::LocalAddress));
            assert_eq!(value("img", "srcset", quote), Ok(Escape::Srcset));
        }
        let unquoted = Err(TemplateRejection::Unquoted("title".to_owned()));
        assert_eq!(value("b", "title", Quote::Unquoted), unquoted);
    }

    #[test]
    fn two_branches_meet_where_they_agree() {
        let with = |name: &str, quote, text: &str| {
            let mut attribute = Attribute::new("a", name, quote);
            text.chars().for_each(|c| attribute.step(c).unwrap());
            attribute
        };
        let (path, query) = (
            with("href", Quote::Double, "/a"),
            with("href", Quote::Double, "?a"),
        );
        assert_eq!(path.join(&path), Some(path.clone()));
        let mixed = AttributeContext::Address(Part::Mixed, Reach::Anywhere);
        assert_eq!(path.join(&query).unwrap().place, mixed);
        assert_eq!(path.widest().place, mixed);
        assert_eq!(path.join(&with("href", Quote::Single, "/a")), None);
        assert_eq!(path.join(&with("cite", Quote::Double, "/a")), None);
        assert_eq!(path.join(&with("title", Quote::Double, "/a")), None);
        let kind = |text| with("type", Quote::Double, text);
        assert_eq!(kind("a").join(&kind("a")), Some(kind("a")));
        assert_eq!(kind("a").join(&kind("b")), None);
        let title = |text| with("title", Quote::Double, text);
        assert!(title("a").join(&title("b")).is_some());
        let widest = with("srcset", Quote::Double, "/a 2x").widest();
        assert_eq!(
            widest.place,
            AttributeContext::Srcset(Srcset::Address(Part::Mixed))
        );
        assert_eq!(title(&"a".repeat(100)).text.len(), TEXT);
    }
}
