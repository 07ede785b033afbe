//! Compares answers, without what the request itself put into them.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::call::{Answer, Call, encode};

/// The parts of an answer that are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Print {
    pub(super) status: u16,
    location: String,
    words: BTreeSet<u64>,
    count: usize,
    kind: String,
    cookies: Vec<String>,
}

/// The print of an answer to a request.
pub(super) fn print(call: &Call, answer: &Answer) -> Print {
    print_without(call, answer, &[])
}

/// The same without these texts too: what two requests sent is taken out of both answers.
pub(super) fn print_without(call: &Call, answer: &Answer, more: &[String]) -> Print {
    let mut text = answer.text.clone();
    let mut location = answer.header("location").to_owned();
    for sent in call.sent().into_iter().chain(more.iter().cloned()) {
        for form in [
            sent.clone(),
            escape(&sent),
            escape_numeric(&sent),
            encode(&sent),
            sent.replace('"', "\\\""),
        ] {
            text = text.replace(&form, "");
            location = location.replace(&form, "");
        }
    }
    let words: Vec<u64> = text
        .split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ','))
        .filter(|word| !word.is_empty() && !is_random(word))
        .map(hash)
        .collect();
    Print {
        status: answer.status,
        location: location.split('?').next().unwrap_or_default().to_owned(),
        count: words.len(),
        words: words.into_iter().collect(),
        kind: answer.kind(),
        cookies: answer
            .all("set-cookie")
            .iter()
            .filter_map(|line| line.split_once('=').map(|(name, _)| name.to_owned()))
            .collect(),
    }
}

fn hash(word: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    word.hash(&mut hasher);
    hasher.finish()
}

/// Tokens, nonces and times differ in every answer.
fn is_random(word: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let is_time = digits >= 4 && word.contains(':');
    word.len() > 20 && digits >= 2 || is_time
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;")
}

fn escape_numeric(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#x27;")
}

impl Print {
    /// 0 to 100: how much of the words two answers have in common.
    pub(super) fn likeness(&self, other: &Self) -> usize {
        if self.status != other.status || self.location != other.location || self.kind != other.kind
        {
            return 0;
        }
        let common = self.words.intersection(&other.words).count();
        let all = self.words.union(&other.words).count();
        let by_words = (common * 100).checked_div(all).unwrap_or(100);
        let (less, more) = (self.count.min(other.count), self.count.max(other.count));
        by_words.min((less * 100).checked_div(more).unwrap_or(100))
    }

    /// Whether they say the same, word for word.
    pub(super) fn has_same_words(&self, other: &Self) -> bool {
        self.words == other.words && self.location == other.location
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self == other || (self.cookies == other.cookies && self.likeness(other) >= 97)
    }

    /// Clearly another answer.
    pub(super) fn is_other(&self, other: &Self) -> bool {
        self.likeness(other) < 95 || self.cookies != other.cookies
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, query: &str) -> Print {
        let answer = Answer {
            status: 200,
            text: text.to_owned(),
            ..Answer::default()
        };
        print(&Call::get(&format!("/?q={query}")), &answer)
    }

    #[test]
    fn an_echo_makes_no_difference_and_a_row_does() {
        assert!(
            of("<p>no result for alpha one", "alpha")
                .is_same(&of("<p>no result for gamma one", "gamma"))
        );
        assert!(of("<p>no &#39;xyz&lt; one", "%27xyz%3C").is_same(&of("<p>no abcde one", "abcde")));
        assert!(of("<p>no result", "aaaa").is_other(&of("<p>Ada Lovelace", "aaaa")));
    }
}
