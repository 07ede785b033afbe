/// The shared methods of every text type: reading, showing, storing.
macro_rules! words {
    ($name:ident <$max:ident>) => {
        impl<const $max: usize> $name<$max> {
            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<const $max: usize> std::fmt::Display for $name<$max> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl<const $max: usize> AsRef<str> for $name<$max> {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl<const $max: usize> From<$name<$max>> for String {
            fn from(words: $name<$max>) -> Self {
                words.0
            }
        }

        impl<const $max: usize> std::str::FromStr for $name<$max> {
            type Err = $crate::forms::Problem;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl<const $max: usize> serde::Serialize for $name<$max> {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    };
}
pub(super) use words;
