//! The settings that an application declares: a struct with `#[derive(Settings)]`, read by the section like a room's own.

use super::section::Section;
use super::value::SettingValue;
use super::{KnownSetting, RawSetting, Settings, variable};
use crate::audit::{Finding, Practice};

/// A section of the application's own in `dewar.toml`: a struct with `#[derive(Settings)]`.
///
/// ```
/// use dewar::audit::SettingsSection;
/// use std::time::Duration;
/// #[derive(dewar::Settings)]
/// #[settings(section = "helpdesk")]
/// struct HelpdeskSettings {
///     /// How long a ticket may wait for its first answer.
///     #[setting(default = "4h", min = "1m", max = "7d")]
///     answer_within: Duration,
/// }
/// assert_eq!(HelpdeskSettings::SECTION, "helpdesk");
/// # fn app(app: dewar::App) -> dewar::App { app.settings::<HelpdeskSettings>() }
/// # let settings = dewar::audit::Settings::read(None, []);
/// # assert_eq!(HelpdeskSettings::read(&settings.section("helpdesk")).unwrap().answer_within.as_secs(), 4 * 3600);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a section of settings",
    note = "write `#[derive(dewar::Settings)]` and `#[settings(section = \"…\")]` on the struct"
)]
pub trait SettingsSection: Sized + Send + Sync + 'static {
    /// The name of the section: `helpdesk` for `[helpdesk]` and `DEWAR_HELPDESK_…`.
    const SECTION: &'static str;

    /// Reads all settings of the section. `None` if one is wrong; the findings of the settings name each of them.
    fn read(section: &Section<'_>) -> Option<Self>;
}

/// The type of a field of a [`SettingsSection`]: a [`SettingValue`], an `Option` or a `Vec` of one, or a
/// [`Secret`](crate::secrets::Secret).
///
/// ```
/// use dewar::audit::SettingField;
/// fn is_a_setting<T: SettingField>() {}
/// is_a_setting::<Vec<std::net::IpAddr>>();
/// is_a_setting::<Option<dewar::secrets::Secret<String>>>();
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a setting",
    note = "a time: `Duration`; a size: `dewar::audit::ByteSize`; one of a few words: an enum with `#[derive(Choices)]`",
    note = "a password or a token: `Secret<String>`, whose setting names a file",
    note = "several values: `Vec<T>`; a value that may be missing: `Option<T>`",
    note = "a type of your own: implement `dewar::audit::SettingValue` for it"
)]
pub trait SettingField: Sized {
    /// Reads the setting. `None` if it is missing or wrong, which a finding reports.
    #[doc(hidden)]
    fn read(section: &Section<'_>, setting: &DeclaredSetting) -> Option<Self>;
}

/// A setting as the derive wrote it down.
///
/// ```
/// use dewar::audit::DeclaredSetting;
/// const WITHIN: DeclaredSetting = DeclaredSetting::new("answer_within").default("4h").min("1m");
/// # let _ = WITHIN;
/// ```
#[derive(Debug, Clone, Copy)]
pub struct DeclaredSetting {
    pub(super) name: &'static str,
    pub(super) help: &'static str,
    default: Option<DefaultText>,
    min: Option<&'static str>,
    max: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
enum DefaultText {
    List(&'static [&'static str]),
    One(&'static str),
}

impl DeclaredSetting {
    /// A setting with this name in its section.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            help: "",
            default: None,
            min: None,
            max: None,
        }
    }

    /// The purpose of the setting, for the operator.
    #[must_use]
    pub const fn help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    /// The value if the operator writes none.
    #[must_use]
    pub const fn default(mut self, text: &'static str) -> Self {
        self.default = Some(DefaultText::One(text));
        self
    }

    /// The values if the operator writes none, for a list.
    #[must_use]
    pub const fn default_list(mut self, texts: &'static [&'static str]) -> Self {
        self.default = Some(DefaultText::List(texts));
        self
    }

    /// The least value.
    #[must_use]
    pub const fn min(mut self, text: &'static str) -> Self {
        self.min = Some(text);
        self
    }

    /// The greatest value.
    #[must_use]
    pub const fn max(mut self, text: &'static str) -> Self {
        self.max = Some(text);
        self
    }

    /// The setting's name for the file with its secret.
    pub(crate) fn file(&self) -> String {
        format!("{}_file", self.name)
    }

    pub(crate) const fn purpose(&self) -> &'static str {
        self.help
    }

    /// Whether the struct gives it a default or a bound, which a secret has none of.
    pub(crate) const fn has_values(&self) -> bool {
        self.default.is_some() || self.min.is_some() || self.max.is_some()
    }

    /// The default as the list of settings shows it.
    fn shown_default(&self) -> String {
        match self.default {
            None => String::new(),
            Some(DefaultText::One(text)) => text.to_owned(),
            Some(DefaultText::List(texts)) => texts.join(","),
        }
    }
}

/// How one value is read: between its bounds.
struct Reading<T> {
    right: String,
    parse: Parse<T>,
}

type Parse<T> = Box<dyn Fn(&str) -> Option<T>>;

impl<T: SettingValue> Reading<T> {
    /// `None` if the struct's own bounds are no values of the type.
    fn of(setting: &DeclaredSetting) -> Option<Self> {
        let bound = |text: Option<&'static str>| match text {
            None => Some(None),
            Some(text) => T::parse(text).map(Some),
        };
        let (low, high) = (bound(setting.min)?, bound(setting.max)?);
        let is_empty = matches!((&low, &high), (Some(low), Some(high)) if !low.at_most(high));
        if is_empty {
            return None;
        }
        let bounds = match (setting.min, setting.max) {
            (None, None) => String::new(),
            (Some(low), None) => format!(", at least {low}"),
            (None, Some(high)) => format!(", at most {high}"),
            (Some(low), Some(high)) => format!(", from {low} to {high}"),
        };
        let fits = move |value: &T| {
            low.as_ref().is_none_or(|low| low.at_most(value))
                && high.as_ref().is_none_or(|high| value.at_most(high))
        };
        Some(Self {
            right: format!("{}{bounds}", T::right()),
            parse: Box::new(move |text| T::parse(text).filter(&fits)),
        })
    }

    fn one(&self, raw: &RawSetting) -> Option<T> {
        let unquoted = match raw {
            RawSetting::Text(text) => return (self.parse)(text),
            RawSetting::Integer(number) => number.to_string(),
            RawSetting::Flag(flag) => flag.to_string(),
            RawSetting::List(_) | RawSetting::Other(_) | RawSetting::Section => return None,
        };
        (self.parse)(&unquoted).filter(|_| T::UNQUOTED)
    }

    fn several(&self, raw: &RawSetting) -> Option<Vec<T>> {
        match raw {
            RawSetting::List(texts) => texts.iter().map(|text| (self.parse)(text)).collect(),
            RawSetting::Text(text) if text.trim().is_empty() => Some(Vec::new()),
            RawSetting::Text(text) => {
                let parts = text.split(',');
                parts.map(|part| (self.parse)(part.trim())).collect()
            }
            RawSetting::Flag(_)
            | RawSetting::Integer(_)
            | RawSetting::Other(_)
            | RawSetting::Section => None,
        }
    }
}

/// A value read from the settings, or the reason for none.
enum Found<T> {
    Missing,
    Refused,
    Value(T),
}

impl Section<'_> {
    /// Reads a declared setting; the value of the operator, or the default.
    fn declared<T>(
        &self,
        setting: &DeclaredSetting,
        right: &str,
        default: Option<&RawSetting>,
        read: impl Fn(&RawSetting) -> Option<T>,
    ) -> Found<T> {
        // The default is read too if the operator wrote a value: its mistake shows in the first start of a test.
        let preset = default.map(&read);
        if matches!(preset, Some(None)) {
            self.wrong_declaration(setting, "its default is not allowed", right);
            return Found::Refused;
        }
        if !self.is_free(setting.name) {
            self.wrong_declaration(setting, "two settings have its name", right);
            return Found::Refused;
        }
        let shown = setting.shown_default();
        match self.value(setting.name, (right, setting.help), &shown, read) {
            Some(value) => Found::Value(value),
            None if self.is_refused(setting.name) => Found::Refused,
            None => preset.flatten().map_or(Found::Missing, Found::Value),
        }
    }

    /// The finding about a setting without a default that the operator did not write.
    pub(crate) fn missing(&self, key: &str, right: &str, help: &str) {
        let name = self.full(key);
        let purpose = if help.is_empty() {
            String::new()
        } else {
            format!("{help} ")
        };
        self.settings().push(
            Finding::refuse(
                Practice::of_section(&name),
                "settings-missing",
                format!("{name} is missing"),
            )
            .why(format!("{purpose}The setting has no default."))
            .fix(format!(
                "Write {right}: in dewar.toml, or in {}.",
                variable(&name)
            )),
        );
    }

    /// The finding about a struct that cannot be read, whatever the operator writes.
    pub(crate) fn wrong_declaration(&self, setting: &DeclaredSetting, what: &str, right: &str) {
        let title = format!(
            "the declaration of {} is wrong: {what}",
            self.full(setting.name)
        );
        self.settings().push(
            Finding::refuse(Practice::Audit, "settings-declaration", title)
                .why("The application's own code declares it, so no value of the operator could be right.")
                .fix(format!(
                    "Change the attributes of the field; a value is {right}."
                )),
        );
    }
}

/// How a field of this type is read, or the finding that the struct's bounds are wrong.
fn reading<T: SettingValue>(
    section: &Section<'_>,
    setting: &DeclaredSetting,
) -> Option<Reading<T>> {
    let reading = Reading::of(setting);
    if reading.is_none() {
        section.wrong_declaration(setting, "its bounds are not allowed", &T::right());
    }
    reading
}

/// Reads a field with one value, and gives the allowed values.
fn one<T: SettingValue>(
    section: &Section<'_>,
    setting: &DeclaredSetting,
) -> Option<(Found<T>, String)> {
    let reading = reading::<T>(section, setting)?;
    let default = setting.default.map(|default| match default {
        DefaultText::One(text) => RawSetting::Text(text.to_owned()),
        DefaultText::List(_) => RawSetting::Other("a list"),
    });
    let read = |raw: &RawSetting| reading.one(raw);
    let found = section.declared(setting, &reading.right, default.as_ref(), read);
    Some((found, reading.right))
}

impl<T: SettingValue> SettingField for T {
    fn read(section: &Section<'_>, setting: &DeclaredSetting) -> Option<Self> {
        match one(section, setting)? {
            (Found::Value(value), _) => Some(value),
            (Found::Refused, _) => None,
            (Found::Missing, right) => {
                section.missing(setting.name, &right, setting.help);
                None
            }
        }
    }
}

impl<T: SettingValue> SettingField for Option<T> {
    fn read(section: &Section<'_>, setting: &DeclaredSetting) -> Option<Self> {
        match one(section, setting)?.0 {
            Found::Value(value) => Some(Some(value)),
            Found::Missing => Some(None),
            Found::Refused => None,
        }
    }
}

impl<T: SettingValue> SettingField for Vec<T> {
    fn read(section: &Section<'_>, setting: &DeclaredSetting) -> Option<Self> {
        let reading = reading::<T>(section, setting)?;
        let right = format!(
            "a list, in the environment separated by commas, of values that are each {}",
            reading.right
        );
        let default = setting.default.map(|default| match default {
            DefaultText::One(text) => RawSetting::List(vec![text.to_owned()]),
            DefaultText::List(texts) => {
                RawSetting::List(texts.iter().map(|text| (*text).to_owned()).collect())
            }
        });
        let read = |raw: &RawSetting| reading.several(raw);
        match section.declared(setting, &right, default.as_ref(), read) {
            Found::Value(values) => Some(values),
            Found::Refused => None,
            Found::Missing => {
                section.missing(setting.name, &right, setting.help);
                None
            }
        }
    }
}

impl Settings {
    /// Reads a section of the application. `None` if a setting is wrong, which a finding reports.
    pub(crate) fn of_application<T: SettingsSection>(&self) -> Option<T> {
        if let Some(taken) = self.taken(T::SECTION) {
            self.push(section_taken(T::SECTION, &taken));
            return None;
        }
        T::read(&self.section(T::SECTION))
    }

    /// A setting that another section reads and that this section could be taken for, in the file or in the environment.
    fn taken(&self, section: &str) -> Option<String> {
        let prefix = variable(section);
        let in_it = |known: &KnownSetting| {
            let rest = known.variable.strip_prefix(&prefix)?;
            (rest.is_empty() || rest.starts_with('_')).then(|| known.name.clone())
        };
        self.known().iter().find_map(in_it)
    }
}

fn section_taken(section: &str, taken: &str) -> Finding {
    let title = format!("the section [{section}] has the setting {taken} of another section");
    Finding::refuse(Practice::Audit, "settings-section-taken", title)
        .why("One line of dewar.toml or one variable would be read as two settings.")
        .fix("Give the application's section another name: `#[settings(section = \"…\")]`; read each section once.")
}
