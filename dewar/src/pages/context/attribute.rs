use super::address::{Part, Reach, Srcset};
use super::style::Style;
use super::{Escape, Refusal};

/// An attribute whose value is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) quote: Quote,
    place: Place,
    /// The template's own text so far: the `type` of a script decides how its content is read.
    pub(super) text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quote {
    Double,
    Single,
    Unquoted,
}

/// What the value of an attribute is to the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Text,
    Address(Part, Reach),
    Srcset(Srcset),
    Style(Style),
    /// No value can be right here.
    Refused(Why),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
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

    pub(super) fn step(&mut self, c: char) -> Result<(), Refusal> {
        if self.text.len() < TEXT {
            self.text.push(c);
        }
        match &mut self.place {
            Place::Address(part, _) => part.step(c),
            Place::Srcset(srcset) => srcset.step(c),
            Place::Style(style) => style.step(c),
            Place::Text | Place::Refused(_) => Ok(()),
        }
    }

    pub(super) fn value(&mut self) -> Result<Escape, Refusal> {
        let name = || self.name.clone();
        if let Place::Refused(why) = &self.place {
            return Err(match why {
                Why::Handler => Refusal::Handler(name()),
                Why::Library => Refusal::Library(name()),
                Why::Srcdoc => Refusal::Srcdoc,
                Why::Equiv => Refusal::Equiv,
                Why::Kind => Refusal::ScriptKind,
                Why::Animation => Refusal::Animation(name()),
            });
        }
        if self.quote == Quote::Unquoted {
            return Err(Refusal::Unquoted(name()));
        }
        match &mut self.place {
            Place::Address(part, reach) => part.value(*reach),
            Place::Srcset(srcset) => srcset.value(),
            Place::Style(style) => style.value(),
            Place::Text | Place::Refused(_) => Ok(Escape::Plain),
        }
    }

    pub(super) fn join(&self, other: &Self) -> Option<Self> {
        if self.name != other.name || self.quote != other.quote {
            return None;
        }
        let place = match (&self.place, &other.place) {
            (Place::Address(one, reach), Place::Address(two, _)) => {
                Place::Address(one.join(two), *reach)
            }
            (Place::Srcset(one), Place::Srcset(two)) => Place::Srcset(one.join(two)),
            (Place::Style(one), Place::Style(two)) => Place::Style(one.join(two)?),
            (one, two) if one == two => one.clone(),
            _ => return None,
        };
        let decides = self.name == "type" && self.text != other.text;
        (!decides).then(|| Self {
            place,
            ..self.clone()
        })
    }

    /// As little as one can know behind something that another template may write.
    pub(super) fn widest(&self) -> Self {
        let place = match &self.place {
            Place::Address(part, reach) => Place::Address(part.join(&Part::Mixed), *reach),
            Place::Srcset(_) => Place::Srcset(Srcset::Address(Part::Mixed)),
            Place::Text | Place::Style(_) | Place::Refused(_) => self.place.clone(),
        };
        Self {
            place,
            ..self.clone()
        }
    }
}

fn place(element: &str, whole: &str) -> Place {
    if ["on", "@", "hx-on", "data-hx-on", "data-on-", "data-on:"]
        .iter()
        .any(|handler| whole.starts_with(handler))
    {
        return Place::Refused(Why::Handler);
    }
    if ["v-", "x-", "ng-", "hx-vals", "hx-vars", ":"]
        .iter()
        .any(|code| whole.starts_with(code))
    {
        return Place::Refused(Why::Library);
    }
    let anywhere = Place::Address(Part::Start, Reach::Anywhere);
    if let Some(name) = whole.strip_prefix("data-") {
        // No browser reads it, but a script may: it is an address if it is called one.
        return match name {
            "srcset" => Place::Srcset(Srcset::Start),
            name if is_called_address(name) => anywhere,
            _ => Place::Text,
        };
    }
    // `xlink:href` is an `href`, and `v-bind:href` became one.
    let name = whole.rsplit(':').next().unwrap_or(whole);
    let animates = element == "set" || element.starts_with("animate");
    match (element, name) {
        (_, name) if name.starts_with("on") => Place::Refused(Why::Handler),
        (_, "srcdoc") => Place::Refused(Why::Srcdoc),
        (_, "http-equiv") => Place::Refused(Why::Equiv),
        ("script", "type" | "language") => Place::Refused(Why::Kind),
        (_, "attributename" | "from" | "to" | "by" | "values") if animates => {
            Place::Refused(Why::Animation)
        }
        (_, "style") => Place::Style(Style::new()),
        (_, "srcset" | "imagesrcset") => Place::Srcset(Srcset::Start),
        _ if is_loaded(element, name) => Place::Address(Part::Start, Reach::Local),
        _ if ADDRESSES.contains(&name) || is_called_address(name) => anywhere,
        _ => Place::Text,
    }
}

/// Attributes that hold an address and are not called one.
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

/// Whether an address becomes part of the page, or a form, which carries the token, is sent there.
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

/// Whether a word in the name of an attribute, of a library's too, says that it holds an address.
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
            Place::Address(_, reach) => Some(reach),
            Place::Text | Place::Srcset(_) | Place::Style(_) | Place::Refused(_) => None,
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
            ("b", "onclick", Why::Handler),
            ("b", "data-on-click", Why::Handler),
            ("b", "hx-on:click", Why::Handler),
            ("b", "@click", Why::Handler),
            ("b", "x-data", Why::Library),
            (":b", ":title", Why::Library),
            ("iframe", "srcdoc", Why::Srcdoc),
            ("meta", "http-equiv", Why::Equiv),
            ("script", "type", Why::Kind),
            ("animatetransform", "to", Why::Animation),
        ] {
            assert_eq!(
                place(element, name),
                Place::Refused(why),
                "{element} {name}"
            );
        }
    }

    #[test]
    fn what_runs_is_known_by_how_it_begins() {
        for (name, why) in [
            ("onload", Why::Handler),
            ("xlink:onload", Why::Handler),
            ("@click", Why::Handler),
            ("hx-on", Why::Handler),
            ("data-hx-on:click", Why::Handler),
            ("data-on:click", Why::Handler),
            ("v-html", Why::Library),
            ("x-html", Why::Library),
            ("ng-click", Why::Library),
            ("hx-vals", Why::Library),
            ("hx-vars", Why::Library),
            (":href", Why::Library),
        ] {
            assert_eq!(place("b", name), Place::Refused(why), "{name}");
        }
        for element in ["set", "animate", "animatemotion"] {
            for name in ["attributename", "from", "to", "by", "values"] {
                let refused = Place::Refused(Why::Animation);
                assert_eq!(place(element, name), refused, "{element} {name}");
                assert_eq!(place("b", name), Place::Text, "{name}");
            }
        }
        assert_eq!(place("script", "language"), Place::Refused(Why::Kind));
        assert_eq!(place("b", "type"), Place::Text);
        assert!(matches!(place("b", "style"), Place::Style(_)));
        for name in ["srcset", "imagesrcset", "data-srcset"] {
            assert_eq!(place("img", name), Place::Srcset(Srcset::Start), "{name}");
        }
    }

    /// What is loaded becomes part of the page, so it is of this application; a link may lead anywhere.
    #[test]
    fn what_is_loaded_is_of_this_application() {
        let reach = |element, name| match place(element, name) {
            Place::Address(part, reach) => (part == Part::Start).then_some(reach),
            Place::Text | Place::Srcset(_) | Place::Style(_) | Place::Refused(_) => None,
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
            ("b", "onclick", Refusal::Handler("onclick".to_owned())),
            ("b", "x-data", Refusal::Library("x-data".to_owned())),
            ("iframe", "srcdoc", Refusal::Srcdoc),
            ("meta", "http-equiv", Refusal::Equiv),
            ("script", "type", Refusal::ScriptKind),
            ("set", "to", Refusal::Animation("to".to_owned())),
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
        let unquoted = Err(Refusal::Unquoted("title".to_owned()));
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
        let mixed = Place::Address(Part::Mixed, Reach::Anywhere);
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
        assert_eq!(widest.place, Place::Srcset(Srcset::Address(Part::Mixed)));
        assert_eq!(title(&"a".repeat(100)).text.len(), TEXT);
    }
}
