use std::io;
use std::path::PathBuf;

/// Why nothing was made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "`{0}` is not a name of a package: write small letters, digits, `-` and `_`, and begin with a letter"
    )]
    PackageName(String),
    #[error(
        "`{0}` is not a name: write small letters, digits and `_`, and begin with a letter; no word of Rust"
    )]
    Name(String),
    #[error("`{0}` is not a field: write `name:type`, such as `title:line` or `due:date?`")]
    Field(String),
    #[error(
        "`{0}` is no choice: write two values or more, of small letters and `_`, such as `status:choice(open,in_progress)`"
    )]
    Choice(String),
    #[error("`{0}` is no type of a field; there are {known}", known = crate::field::KINDS.map(|kind| kind.name).join(", "))]
    Kind(String),
    #[error(
        "the field `{0}` exists already: every record has `id`, `owner_id`, `created_at` and `version`, and each name stands once"
    )]
    Twice(String),
    #[error("the first field names the record in lists: write it as `{0}:line`, without `?`")]
    First(String),
    #[error("{0} exists already; nothing was written")]
    Exists(PathBuf),
    #[error(
        "there is no application here: {0} is missing. Run this in the folder that `dewar new` made"
    )]
    NoApplication(PathBuf),
    #[error(
        "{file} has no line `{line}`, so this program does not know where to add to it; nothing was written"
    )]
    NoAnchor { file: PathBuf, line: &'static str },
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
}
