//! Dewar: a web framework in which the ten practices of a secured application are properties of the program.
#![forbid(unsafe_code)]

#[cfg(feature = "testing")]
pub mod testing;
