//! The portal, tested from outside: by the test client, and by a real browser with real files.
//!
//! They are one binary, so that it is linked once. `cfg(test)` tells clippy that these modules are only tests.
#![expect(
    clippy::disallowed_types,
    reason = "tests start the real program, and the tools that make real files"
)]

#[cfg(test)]
mod administration;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod bucket;
#[cfg(test)]
mod chromium;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod company;
#[cfg(test)]
mod elsewhere;
#[cfg(test)]
mod files;
#[cfg(test)]
mod front;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod kinds;
#[cfg(test)]
mod languages;
#[cfg(test)]
mod listing;
#[cfg(test)]
mod moving;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod outside;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod reach;
#[cfg(test)]
mod recipes;
#[cfg(test)]
mod rescue;
#[cfg(test)]
#[path = "../../../dewar/tests/it/servers.rs"]
mod servers;
#[cfg(test)]
mod tokens;
