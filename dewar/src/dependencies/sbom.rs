use std::collections::HashMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::{Part, Parts};

/// The software bill of materials of a program, as [CycloneDX](https://cyclonedx.org) 1.6 (ECMA-424), for `serde_json`.
///
/// It names each crate with its version, package URL and SHA-256, and the crates that each depends on. It has no licences: a lock
/// file does not have them either.
///
/// ```
/// use dewar::dependencies::Parts;
/// let parts = Parts::of_lock_file("version = 4\n[[package]]\nname = \"demo\"\nversion = \"1.0.0\"\n")?;
/// let sbom = serde_json::to_value(parts.sbom("demo")).unwrap_or_default();
/// assert_eq!(sbom["metadata"]["component"]["purl"], "pkg:cargo/demo@1.0.0");
/// # Ok::<(), dewar::dependencies::Unreadable>(())
/// ```
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Sbom<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    bom_format: &'static str,
    spec_version: &'static str,
    version: u8,
    metadata: Metadata<'a>,
    components: Vec<Component<'a>>,
    dependencies: Vec<Dependencies>,
}

#[derive(Debug, Serialize)]
struct Metadata<'a> {
    component: Component<'a>,
}

#[derive(Debug, Serialize)]
struct Component<'a> {
    r#type: &'static str,
    #[serde(rename = "bom-ref")]
    reference: String,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash<'a>>,
}

#[derive(Debug, Serialize)]
struct Hash<'a> {
    alg: &'static str,
    content: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Dependencies {
    r#ref: String,
    depends_on: Vec<String>,
}

impl Parts {
    /// The software bill of materials of the program with this name. The program's own package is its subject.
    #[must_use]
    pub fn sbom<'a>(&'a self, program: &'a str) -> Sbom<'a> {
        let is_program = |part: &&Part| part.name == program && part.source.is_none();
        let own = self.list().iter().find(is_program);
        let subject = own.map_or_else(
            || Component {
                r#type: "application",
                reference: program.to_owned(),
                name: program,
                version: None,
                purl: None,
                hashes: Vec::new(),
            },
            |part| component(part, "application"),
        );
        let others = self.list().iter().filter(|part| !is_program(part));
        let by_name = self.by_name();
        Sbom {
            schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
            bom_format: "CycloneDX",
            spec_version: "1.6",
            version: 1,
            metadata: Metadata { component: subject },
            components: others.map(|part| component(part, "library")).collect(),
            dependencies: self
                .list()
                .iter()
                .map(|part| Dependencies {
                    r#ref: purl(part),
                    depends_on: needed(part, &by_name),
                })
                .collect(),
        }
    }

    fn by_name(&self) -> HashMap<&str, Vec<&Part>> {
        let mut by_name: HashMap<&str, Vec<&Part>> = HashMap::new();
        for part in self.list() {
            by_name.entry(&part.name).or_default().push(part);
        }
        by_name
    }
}

fn component<'a>(part: &'a Part, kind: &'static str) -> Component<'a> {
    let hash = |content| Hash {
        alg: "SHA-256",
        content,
    };
    Component {
        r#type: kind,
        reference: purl(part),
        name: &part.name,
        version: Some(&part.version),
        purl: Some(purl(part)),
        hashes: part.checksum.as_deref().map(hash).into_iter().collect(),
    }
}

/// The characters that a package URL may have unencoded.
const IN_A_PURL: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The package URL (ECMA-427), with its registry or repository if that is not the public one.
fn purl(part: &Part) -> String {
    let encode = |text| utf8_percent_encode(text, IN_A_PURL);
    let at = format!("pkg:cargo/{}@{}", encode(&part.name), encode(&part.version));
    let source = part.source.as_deref().unwrap_or_default();
    match source.split_once('+') {
        Some(("git", _)) => format!("{at}?vcs_url={}", encode(source)),
        Some(("registry" | "sparse", address)) if !address.contains("crates.io") => {
            format!("{at}?repository_url={}", encode(address))
        }
        _ => at,
    }
}

/// The references of a part's dependencies. A lock file writes `name`, with the version if there are several, and with the source if
/// that is not enough.
fn needed(part: &Part, by_name: &HashMap<&str, Vec<&Part>>) -> Vec<String> {
    let found = part.dependencies.iter().filter_map(|written| {
        let mut words = written.split(' ');
        let named = by_name.get(words.next()?)?;
        let (version, source) = (words.next(), words.next());
        let source = source.map(|source| source.trim_matches(['(', ')']));
        let is_meant = |other: &&&Part| {
            version.is_none_or(|version| version == other.version)
                && source.is_none_or(|source| other.source.as_deref() == Some(source))
        };
        named.iter().find(is_meant).map(|other| purl(other))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const LOCK: &str = include_str!("../../../Cargo.lock");

    fn sbom(lock: &str) -> serde_json::Value {
        let parts = Parts::of_lock_file(lock).unwrap();
        serde_json::to_value(parts.sbom("portal")).unwrap()
    }

    #[test]
    fn the_bill_names_every_part_once_and_what_it_depends_on() {
        let bill = sbom(LOCK);
        assert_eq!(
            (&bill["bomFormat"], &bill["specVersion"]),
            (&"CycloneDX".into(), &"1.6".into())
        );
        let subject = &bill["metadata"]["component"];
        assert_eq!(subject["name"], "portal");
        let components = bill["components"].as_array().unwrap();
        let mut known: BTreeSet<_> = components
            .iter()
            .map(|part| part["bom-ref"].clone().to_string())
            .collect();
        known.insert(subject["bom-ref"].to_string());
        assert_eq!(known.len(), Parts::of_lock_file(LOCK).unwrap().list().len());
        let edges = bill["dependencies"].as_array().unwrap();
        assert_eq!(edges.len(), known.len());
        for edge in edges {
            let ends = edge["dependsOn"]
                .as_array()
                .unwrap()
                .iter()
                .chain([&edge["ref"]]);
            for end in ends {
                assert!(known.contains(&end.to_string()), "{end}");
            }
        }
        let portal = edges
            .iter()
            .find(|edge| edge["ref"] == subject["bom-ref"])
            .unwrap();
        let on = portal["dependsOn"].as_array().unwrap();
        assert!(
            on.iter()
                .any(|part| part.as_str().unwrap().starts_with("pkg:cargo/dewar@")),
            "{on:?}"
        );
    }

    #[test]
    fn a_part_is_named_by_its_version_and_where_it_is_from() {
        let lock = "version = 4\n\
            [[package]]\nname = \"a\"\nversion = \"1.0.0+x\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\n\
            checksum = \"00ff\"\ndependencies = [\"b 2.0.0\"]\n\
            [[package]]\nname = \"b\"\nversion = \"1.0.0\"\nsource = \"git+https://example.org/b?rev=1#2\"\n\
            [[package]]\nname = \"b\"\nversion = \"2.0.0\"\nsource = \"sparse+https://example.org/index/\"\n";
        let bill = sbom(lock);
        let purls = [
            "pkg:cargo/a@1.0.0%2Bx",
            "pkg:cargo/b@1.0.0?vcs_url=git%2Bhttps%3A%2F%2Fexample.org%2Fb%3Frev%3D1%232",
            "pkg:cargo/b@2.0.0?repository_url=https%3A%2F%2Fexample.org%2Findex%2F",
        ];
        let components = bill["components"].as_array().unwrap();
        let named: Vec<_> = components
            .iter()
            .map(|part| part["purl"].as_str().unwrap())
            .collect();
        assert_eq!(named, purls);
        assert_eq!(components[0]["hashes"][0]["content"], "00ff");
        assert_eq!(bill["dependencies"][0]["dependsOn"][0], purls[2]);
        // A program without a package of its name is still the subject.
        assert_eq!(bill["metadata"]["component"]["bom-ref"], "portal");
    }
}
