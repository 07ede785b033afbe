//! Dewar: a web framework in which the ten practices of a secured application are properties of the program.
#![forbid(unsafe_code)]

pub mod audit;
pub mod https;
pub mod secrets;
