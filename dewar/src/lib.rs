//! Dewar: a web framework in which the ten practices of a secured application are properties of the program.
#![forbid(unsafe_code)]

extern crate self as dewar;

pub mod audit;
pub mod csrf;
pub mod database;
pub mod dependencies;
pub mod secrets;
pub mod sessions;
pub mod https;
pub mod pages;

pub use pages::{Error, Page, Redirect};

/// What handlers and `main` return.
pub type Result<T = (), E = Error> = std::result::Result<T, E>;
