//! The program from outside. `cfg(test)` tells clippy that the module is only tests.
#![expect(
    clippy::disallowed_types,
    reason = "tests start the real program, and Cargo for what it makes"
)]

#[cfg(test)]
mod made;
