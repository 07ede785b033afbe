//! Attacks on the portal, one file a word. Each test really attacks, fails, and also makes the honest request, which works.

mod accounts;
mod api;
mod audit;
pub(crate) mod csrf;
mod database;
mod dependencies;
mod forms;
mod https;
mod jobs;
mod live;
mod mail;
mod pages;
mod roles;
mod secrets;
mod sessions;
mod uploads;
