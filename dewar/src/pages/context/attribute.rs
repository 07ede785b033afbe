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
    // `xlink:href` is an `href`, `v-bind:href` becomes one; `data-` says nothing about what a script makes of it.
    let name = whole.rsplit(':').next().unwrap_or(whole);
    let name = name.strip_prefix("data-").unwrap_or(name);
    if name.starts_with("on") || whole.contains("on:") || whole.starts_with('@') {
        return Place::Refused(Why::Handler);
    }
    if ["v-", "x-", "ng-", "hx-vals", "hx-vars", ":"]
        .iter()
        .any(|code| whole.starts_with(code))
    {
        return Place::Refused(Why::Library);
    }
    let animates = element == "set" || element.starts_with("animate");
    match (element, name) {
        (_, "srcdoc") => Place::Refused(Why::Srcdoc),
        (_, "http-equiv") => Place::Refused(Why::Equiv),
        ("script", "type" | "language") => Place::Refused(Why::Kind),
        (_, "attributename" | "from" | "to" | "by" | "values") if animates => {
            Place::Refused(Why::Animation)
        }
        (_, "style") => Place::Style(Style::new()),
        (_, "srcset" | "imagesrcset") => Place::Srcset(Srcset::Start),
        _ => address(element, name).map_or(Place::Text, |reach| Place::Address(Part::Start, reach)),
    }
}

/// Where an attribute leads to, if it holds an address.
fn address(element: &str, name: &str) -> Option<Reach> {
    let local = match (element, name) {
        // What becomes part of the page, and where a form, which carries the token, is sent.
        ("script" | "iframe" | "frame" | "embed", "src") => true,
        ("link" | "base" | "use" | "image" | "feimage", "href") => true,
        (_, "data" | "codebase" | "classid" | "manifest" | "archive") => element != "data",
        (_, "action" | "formaction") => true,
        (_, "href" | "src" | "cite" | "background" | "poster" | "longdesc") => false,
        (_, "usemap" | "profile" | "icon" | "ping" | "xmlns" | "itemtype" | "itemid") => false,
        // The name of an attribute that nobody here knows may say what a script makes of it.
        (_, name)
            if ["src", "href", "uri", "url"]
                .iter()
                .any(|part| name.contains(part)) =>
        {
            false
        }
        _ => return None,
    };
    Some(if local { Reach::Local } else { Reach::Anywhere })
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
        assert_eq!(reach("div", "title"), None);
        for (element, name, why) in [
            ("b", "onclick", Why::Handler),
            ("b", "data-onclick", Why::Handler),
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
}
