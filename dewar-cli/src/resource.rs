//! A model with its migration, forms, pages, access rule and tests.

use std::path::Path;

use rust_embed::RustEmbed;

use crate::error::Error;
use crate::field::{self, Field, Required};
use crate::names::Names;
use crate::plan::{self, Plan};

#[derive(RustEmbed)]
#[folder = "resource"]
struct Outlines;

/// Writes it into the application in this folder.
pub(crate) fn generate(below: &Path, names: &Names, fields: &[Field]) -> Result<String, Error> {
    let first = field::check(fields)?;
    let library = plan::read(below, "src/lib.rs")?;
    let package = package_name(&plan::read(below, "Cargo.toml")?)
        .ok_or_else(|| Error::NoApplication("the package's name in Cargo.toml".into()))?;
    let schema = plan::read(below, "src/schema.rs")?;
    let number = schema.matches("Migration::new(").count().saturating_add(1);
    let migration = format!("{number:04}_{}", names.many);

    let mut words = blocks(names, fields, first);
    words.extend(enums(names, fields));
    words.extend(spellings(names, first, &package.replace('-', "_")));
    let outline = |path: &str| -> String {
        let text = Outlines::get(path)
            .map(|file| String::from_utf8_lossy(&file.data).into_owned())
            .unwrap_or_default();
        words
            .iter()
            .fold(text, |text, (word, value)| text.replace(word, value))
    };
    let mut plan = Plan::default();
    plan.add(
        format!("migrations/{migration}.sql"),
        outline("migration.sql"),
    );
    let (one, many) = (&names.one, &names.many);
    for file in ["mod", "list", "show", "new", "edit", "delete"] {
        plan.add(
            format!("src/{many}/{file}.rs"),
            outline(&format!("src/{file}.rs")),
        );
    }
    plan.add(format!("src/{many}/{one}.rs"), outline("src/model.rs"));
    for page in ["list", "show", "new", "edit", "delete"] {
        let outline = outline(&format!("templates/{page}.html"));
        plan.add(format!("templates/{many}/{page}.html"), outline);
    }
    plan.add(format!("tests/it/{many}.rs"), outline("tests/resource.rs"));

    plan.change("src/lib.rs", with_routes(&library, names)?);
    plan.change(
        "src/schema.rs",
        with_table(&schema, names, &package, &migration)?,
    );
    let tests = plan::read(below, "tests/it/main.rs")?;
    plan.change(
        "tests/it/main.rs",
        format!("{}\nmod {many};\n", tests.trim_end()),
    );
    let layout = plan::read(below, "templates/layout.html").ok();
    if let Some(layout) = layout.and_then(|layout| with_link(&layout, names)) {
        plan.change("templates/layout.html", layout);
    }
    let said = plan.write(below)?;
    Ok(format!(
        "{said}\n\nNext:\n  cargo test\n  cargo run -- routes"
    ))
}

/// The placeholders of code that depends on the fields.
fn blocks(names: &Names, fields: &[Field], first: &Field) -> Vec<(&'static str, String)> {
    let lines = |line: &dyn Fn(&Field) -> String| -> String {
        fields.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    let others = || fields.iter().skip(1);
    let plain = types_with(fields, None);
    let in_edit = types_with(fields, Some("RecordVersion"));
    let heads: Vec<String> = std::iter::once(first)
        .chain(others().filter(|field| is_short(field)))
        .map(|field| format!("head({:?})", field.label()))
        .collect();
    let cells = others().filter(|field| is_short(field)).map(|field| {
        format!(
            "<td data-label=\"{}\">{}</td>",
            field.label(),
            shown(names, field)
        )
    });
    let fills: String = fields.iter().map(Field::fill).collect();
    vec![
        ("__columns__", lines(&column)),
        ("__types__", plain),
        ("__edit_types__", in_edit),
        (
            "__model_fields__",
            lines(&|field| format!("    pub {}: {},", field.name, field.rust_type(names))),
        ),
        (
            "__form_fields__",
            lines(&|field| format!("    {}: {},", field.name, field.rust_type(names))),
        ),
        (
            "__set_fields__",
            lines(&|field| format!("        {0}: Set(new.{0}),", field.name)),
        ),
        ("__heads__", heads.join(", ")),
        ("__cells__", cells.collect::<Vec<_>>().join("\n")),
        (
            "__facts__",
            others()
                .map(|field| fact(names, field))
                .collect::<Vec<_>>()
                .join("\n"),
        ),
        ("__fills__", fills),
    ]
}

/// The types of the fields, and one more.
fn types_with(fields: &[Field], more: Option<&'static str>) -> String {
    let types = fields.iter().map(|field| field.kind.form);
    let mut types: Vec<&str> = types.chain(more).collect();
    types.sort_unstable();
    types.dedup();
    types.join(", ")
}

/// The placeholders of the enums of choices.
fn enums(names: &Names, fields: &[Field]) -> [(&'static str, String); 3] {
    let used: String = fields
        .iter()
        .filter_map(|field| field.enum_name(names))
        .map(|name| format!(", {name}"))
        .collect();
    let derive = (!used.is_empty()).then_some("Choices");
    let written = fields.iter().filter_map(|field| field.enumeration(names));
    [
        ("__model_types__", types_with(fields, derive)),
        ("__enum_imports__", used),
        ("__enums__", written.collect()),
    ]
}

/// The placeholders of names.
fn spellings(names: &Names, first: &Field, library: &str) -> [(&'static str, String); 10] {
    [
        ("__sample__", first.sample().to_owned()),
        ("__other__", "Another line".to_owned()),
        ("__title__", first.name.clone()),
        ("__crate__", library.to_owned()),
        ("__word__", names.words()),
        ("__words__", names.many.replace('_', " ")),
        ("__Words__", names.title()),
        ("__tickets__", names.many.clone()),
        ("__ticket__", names.one.clone()),
        ("__Ticket__", names.camel()),
    ]
}

fn column(field: &Field) -> String {
    let null = match field.required {
        Required::Yes => " NOT NULL",
        Required::No => "",
    };
    let rule = field.rule();
    format!("    {} {}{null}{rule},", field.name, field.kind.column)
}

/// Whether a list has room for it.
fn is_short(field: &Field) -> bool {
    !matches!(field.kind.name, "text" | "clean_html")
}

fn shown(names: &Names, field: &Field) -> String {
    let value = format!("{}.{}", names.one, field.name);
    match field.required {
        Required::Yes => format!("{{{{ {value} }}}}"),
        Required::No => format!("{{% if {value} %}}{{{{ {value} }}}}{{% endif %}}"),
    }
}

fn fact(names: &Names, field: &Field) -> String {
    let fact = format!(
        "<dt>{}</dt><dd>{{{{ {}.{} }}}}</dd>",
        field.label(),
        names.one,
        field.name
    );
    match field.required {
        Required::Yes => fact,
        Required::No => format!("{{% if {}.{} %}}{fact}{{% endif %}}", names.one, field.name),
    }
}

fn package_name(manifest: &str) -> Option<String> {
    let line = manifest
        .lines()
        .find(|line| line.starts_with("name = \""))?;
    line.split('"').nth(1).map(str::to_owned)
}

/// The text, with something before the first line that begins so.
fn before(text: &str, file: &str, anchor: &'static str, added: &str) -> Result<String, Error> {
    let missing = || Error::NoAnchor {
        file: file.into(),
        line: anchor,
    };
    let line = text
        .lines()
        .find(|line| line.trim_start().starts_with(anchor))
        .ok_or_else(missing)?;
    let (head, tail) = text.split_once(line).ok_or_else(missing)?;
    Ok(format!("{head}{added}{line}{tail}"))
}

fn with_routes(library: &str, names: &Names) -> Result<String, Error> {
    let many = &names.many;
    let routes = format!(
        "    .role(
        Staff::Member,
        [
            get(\"/{many}\", {many}::list),
            post(\"/{many}\", {many}::create),
            get(\"/{many}/new\", {many}::new),
            get(\"/{many}/{{id}}\", {many}::show),
            get(\"/{many}/{{id}}/edit\", {many}::edit),
            post(\"/{many}/{{id}}/edit\", {many}::change),
            get(\"/{many}/{{id}}/delete\", {many}::confirm),
            post(\"/{many}/{{id}}/delete\", {many}::delete),
        ],
    )
"
    );
    let text = before(
        library,
        "src/lib.rs",
        "mod schema;",
        &format!("mod {many};\n"),
    )?;
    before(&text, "src/lib.rs", ".sign_up_as(", &routes)
}

fn with_table(
    schema: &str,
    names: &Names,
    package: &str,
    migration: &str,
) -> Result<String, Error> {
    const LIST: &str = "pub(crate) const MIGRATIONS: &[Migration] = &[";
    const MODELS: &str = "    vec![";
    let many = &names.many;
    let no_anchor = |line| Error::NoAnchor {
        file: "src/schema.rs".into(),
        line,
    };
    let new = format!(
        "    Migration::new(\n        \"{}_{migration}\",\n        include_str!(\"../migrations/{migration}.sql\"),\n    ),\n",
        package.replace('-', "_")
    );
    let (head, tail) = schema.split_once(LIST).ok_or_else(|| no_anchor(LIST))?;
    let (list, tail) = tail.split_once("];").ok_or_else(|| no_anchor("];"))?;
    let (between, models) = tail.split_once(MODELS).ok_or_else(|| no_anchor(MODELS))?;
    let (tables, end) = models.split_once(']').ok_or_else(|| no_anchor("]"))?;
    let table = format!(
        "        Table::of::<crate::{many}::{}::Entity>(),\n",
        names.one
    );
    Ok(format!(
        "{head}{LIST}\n{}{new}];{between}{MODELS}\n{}{table}    ]{end}",
        whole_lines(list),
        whole_lines(tables),
    ))
}

/// The items of a list, one a line.
fn whole_lines(list: &str) -> String {
    let list = list.trim_matches('\n').trim_end();
    if list.trim().is_empty() {
        return String::new();
    }
    let comma = if list.ends_with(',') { "" } else { "," };
    let indent = if list.starts_with(' ') {
        ""
    } else {
        "        "
    };
    format!("{indent}{list}{comma}\n")
}

/// A link in the navigation of the layout, unless the layout was changed beyond recognition.
fn with_link(layout: &str, names: &Names) -> Option<String> {
    let link = format!(
        "{{% if \"member\" in user.roles %}}<a href=\"/{}\">{}</a>{{% endif %}}\n",
        names.many,
        names.title()
    );
    let (head, tail) = layout.split_once("<a href=\"/account/password\">")?;
    Some(format!("{head}{link}<a href=\"/account/password\">{tail}"))
}
