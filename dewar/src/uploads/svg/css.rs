//! The rules of a style sheet whose selector is one name, class or id.

use std::rc::Rc;

use super::lists;

/// At most so many rules; a drawing program writes one for each look.
const MAX_RULES: usize = 2_000;

/// At most so many declarations of a rule: more than there are properties.
const MAX_DECLARATIONS: usize = 64;

/// At most so many bytes of a value, because every element of a rule gets it.
const MAX_VALUE: usize = 1_024;

#[derive(Debug, Default)]
pub(super) struct Sheet {
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    selector: String,
    /// Every selector of a list has the same ones.
    declarations: Rc<[(&'static str, String)]>,
}

impl Sheet {
    /// Adds the rules of a style sheet. Rules of other selectors and all that begins with `@` are left out.
    pub(super) fn add(&mut self, css: &str) {
        let css = without_comments(css);
        let mut rest = css.as_str();
        while let Some((selectors, after)) = rest.split_once('{') {
            let Some((declarations, next)) = after.split_once('}') else {
                return;
            };
            rest = next;
            // A statement without a block, such as `@import`, ends with a semicolon.
            let selectors = selectors.rsplit(';').next().unwrap_or_default();
            if selectors.contains('@') {
                continue;
            }
            let found: Rc<[_]> = declarations_of(declarations).into();
            for selector in selectors
                .split(',')
                .map(str::trim)
                .filter(|selector| is_simple(selector))
            {
                if self.rules.len() >= MAX_RULES {
                    return;
                }
                self.rules.push(Rule {
                    selector: selector.to_owned(),
                    declarations: Rc::clone(&found),
                });
            }
        }
    }

    /// The declarations for an element, the stronger ones last: by name, by class, by id.
    pub(super) fn of<'a>(
        &'a self,
        name: &'a str,
        class: &'a str,
        id: &'a str,
    ) -> impl Iterator<Item = &'a (&'static str, String)> {
        let by = move |wanted: u8| {
            self.rules.iter().filter(move |rule| {
                let selector = rule.selector.as_str();
                match (
                    wanted,
                    selector.strip_prefix('.'),
                    selector.strip_prefix('#'),
                ) {
                    (1, Some(wanted), _) => class.split_ascii_whitespace().any(|one| one == wanted),
                    (2, _, Some(wanted)) => id == wanted,
                    (0, None, None) => selector == name || selector == "*",
                    _ => false,
                }
            })
        };
        by(0)
            .chain(by(1))
            .chain(by(2))
            .flat_map(|rule| rule.declarations.iter())
    }
}

/// The declarations of a block or of the attribute `style` that are on the lists.
pub(super) fn declarations_of(css: &str) -> Vec<(&'static str, String)> {
    css.split(';')
        .filter_map(|declaration| {
            let (name, value) = declaration.split_once(':')?;
            let name = lists::property(name.trim().to_ascii_lowercase().as_str())?;
            let value = value.trim();
            let value = value.strip_suffix("!important").unwrap_or(value);
            if value.len() > MAX_VALUE {
                return None;
            }
            Some((name, lists::value(name, value)?))
        })
        .take(MAX_DECLARATIONS)
        .collect()
}

fn is_simple(selector: &str) -> bool {
    let name = selector.strip_prefix(['.', '#']).unwrap_or(selector);
    let is_name = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
    };
    selector == "*" || is_name(name)
}

fn without_comments(css: &str) -> String {
    let mut out = String::new();
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        out.push(' ');
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ASVS: V5.2.6
    #[test]
    fn the_selectors_of_a_list_share_few_and_short_declarations() {
        let mut sheet = Sheet::default();
        let long = "a".repeat(MAX_VALUE + 1);
        let many = "fill:a;".repeat(MAX_DECLARATIONS * 10);
        sheet.add(&format!(".a,.b{{font-family:{long};{many}}}"));
        let [first, second] = sheet.rules.as_slice() else {
            panic!("two rules: {sheet:?}");
        };
        assert!(Rc::ptr_eq(&first.declarations, &second.declarations));
        assert_eq!(first.declarations.len(), MAX_DECLARATIONS);
        assert!(first.declarations.iter().all(|(name, _)| *name == "fill"));
    }
}
