//! The framework's one integration binary: one file a room, each through the public API.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod api;
#[cfg(test)]
mod app;
#[cfg(test)]
mod architecture;
#[cfg(test)]
mod asvs;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod book;
#[cfg(test)]
mod csrf;
#[cfg(test)]
mod database;
#[cfg(test)]
mod dependencies;
#[cfg(test)]
mod does_not_compile;
#[cfg(debug_assertions)]
#[cfg(test)]
mod edited;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod https;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod languages;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod live;
#[cfg(test)]
mod look;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod proof;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod site;
#[cfg(test)]
mod uploads;
