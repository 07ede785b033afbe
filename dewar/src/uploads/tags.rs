//! Reads the attributes of XML tags as far as relationships and manifests need it, and refuses anything else.

/// One start tag: its name without prefix, and its attributes without prefix.
#[derive(Debug)]
pub(crate) struct StartTag {
    pub(crate) name: String,
    attributes: Vec<(String, String)>,
}

impl StartTag {
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

/// Every start tag of a document, or `None` if it is not plain XML: a DTD, an unclosed tag, an unquoted value, an entity
/// that is neither one of the five nor a number. Real programs that write these files need none of these.
pub(crate) fn start_tags(xml: &str) -> Option<Vec<StartTag>> {
    let mut tags = Vec::new();
    let mut rest = xml;
    while let Some((_, after)) = rest.split_once('<') {
        rest = if let Some(comment) = after.strip_prefix("!--") {
            comment.split_once("-->")?.1
        } else if let Some(text) = after.strip_prefix("![CDATA[") {
            text.split_once("]]>")?.1
        } else if after.starts_with('!') {
            return None;
        } else if let Some(instruction) = after.strip_prefix('?') {
            instruction.split_once("?>")?.1
        } else if let Some(end) = after.strip_prefix('/') {
            end.split_once('>')?.1
        } else {
            let (tag, rest) = start_tag(after)?;
            tags.push(tag);
            rest
        };
    }
    Some(tags)
}

fn start_tag(text: &str) -> Option<(StartTag, &str)> {
    let end = text.find(|c: char| c.is_whitespace() || c == '/' || c == '>')?;
    let (name, mut rest) = text.split_at_checked(end)?;
    let mut tag = StartTag {
        name: local(name),
        attributes: Vec::new(),
    };
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix("/>").or_else(|| rest.strip_prefix('>')) {
            return Some((tag, after));
        }
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, after) = after.strip_prefix(quote)?.split_once(quote)?;
        let key = key.trim_end();
        if key.is_empty() || key.contains(|c: char| c.is_whitespace() || "<>\"'/".contains(c)) {
            return None;
        }
        tag.attributes.push((local(key), unescape(value)?));
        rest = after;
    }
}

fn local(name: &str) -> String {
    name.rsplit(':').next().unwrap_or(name).to_owned()
}

fn unescape(value: &str) -> Option<String> {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, after) = after.split_once(';')?;
        out.push(match entity {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            number => {
                let number = number.strip_prefix('#')?;
                let code = match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                };
                char::from_u32(code)?
            }
        });
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_however_they_are_written() {
        let xml = "<?xml version='1.0'?><!-- <x> --><r:Relationships xmlns:r='u'>\
                   <r:Relationship\n TargetMode = \"&#69;xternal\" Type='a&amp;b>c'/></r:Relationships>";
        let tags = start_tags(xml).unwrap();
        assert_eq!(tags.len(), 2);
        assert_eq!(tags[1].name, "Relationship");
        assert_eq!(tags[1].attribute("TargetMode"), Some("External"));
        assert_eq!(tags[1].attribute("Type"), Some("a&b>c"));
    }

    #[test]
    fn what_cannot_be_read_is_not_guessed() {
        for xml in [
            "<!DOCTYPE x [<!ENTITY e 'v'>]><x/>",
            "<x a=b/>",
            "<x a='1'",
            "<x a='&e;'/>",
            "<x a/>",
        ] {
            assert!(start_tags(xml).is_none(), "{xml}");
        }
    }

    #[test]
    fn a_tag_ends_where_it_ends_and_not_later() {
        let names = |xml: &str| -> Option<Vec<String>> {
            Some(start_tags(xml)?.into_iter().map(|tag| tag.name).collect())
        };
        for (xml, expected) in [
            ("<a/>", Some(vec!["a"])),
            ("<a>", Some(vec!["a"])),
            ("<a />", Some(vec!["a"])),
            ("<a\tb='1'/><c>", Some(vec!["a", "c"])),
            ("<a b='>' c=\"/>\"/><d/>", Some(vec!["a", "d"])),
            ("<!-- <a> --><b/>", Some(vec!["b"])),
            ("<![CDATA[<a>]]><b/>", Some(vec!["b"])),
            ("<?a <b> ?><c/>", Some(vec!["c"])),
            ("</a><b/>", Some(vec!["b"])),
            ("text", Some(vec![])),
            ("<!-- <a>", None),
            ("<![CDATA[<a>", None),
            ("<?a <b>", None),
            ("</a", None),
            ("<a", None),
            ("<!ELEMENT a>", None),
        ] {
            let expected = expected.map(|names| names.into_iter().map(str::to_owned).collect());
            assert_eq!(names(xml), expected, "{xml}");
        }
    }

    /// A name that Dewar reads differently from Word would hide an attribute from the rules.
    #[test]
    fn the_name_of_an_attribute_has_nothing_else_in_it() {
        for key in ["", "b c", "b<", "b>", "b\"", "b'", "b/"] {
            assert!(start_tags(&format!("<a {key}='1'/>")).is_none(), "{key}");
        }
        let tags = start_tags("<a b = '1' x:c=\"2\"/>").unwrap();
        assert_eq!(tags[0].attribute("b"), Some("1"));
        assert_eq!(tags[0].attribute("c"), Some("2"));
        assert_eq!(tags[0].attribute("x:c"), None);
    }

    #[test]
    fn entities_are_what_they_stand_for() {
        for (value, expected) in [
            ("&amp;&lt;&gt;&quot;&apos;", Some("&<>\"'")),
            ("a&#65;b&#x42;&#X43;c", Some("aAbBCc")),
            ("&amp;lt;", Some("&lt;")),
            ("&nbsp;", None),
            ("&#;", None),
            ("&#xD800;", None),
            ("&amp", None),
        ] {
            assert_eq!(unescape(value).as_deref(), expected, "{value}");
        }
    }
}
