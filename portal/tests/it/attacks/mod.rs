//! Attacks on the portal, one file a word. Each is really tried, fails, and stands beside the honest request that works.

mod accounts;
mod audit;
pub(crate) mod csrf;
mod database;
mod dependencies;
mod forms;
mod https;
mod pages;
mod roles;
mod secrets;
mod sessions;
mod uploads;
