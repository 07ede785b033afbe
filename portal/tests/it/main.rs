//! The portal, driven from outside: by the test client, and by a real browser on real files.
//!
//! One binary, so that it is linked once. `cfg(test)` tells clippy that these modules are tests throughout.

#[cfg(test)]
mod attacks;
#[cfg(test)]
mod chromium;
#[cfg(test)]
mod company;
#[cfg(test)]
mod elsewhere;
#[cfg(test)]
mod files;
#[cfg(test)]
mod journey;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod languages;
#[cfg(test)]
mod programs;
#[cfg(test)]
mod reach;
