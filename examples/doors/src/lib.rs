//! A small application for each door of Dewar. The programs in `src/bin` serve them.

pub mod command;
pub mod job;
pub mod layer;
pub mod letter;
pub mod look;
pub mod rate_limit;
pub mod setting;
pub mod token;
pub mod web_socket;
pub mod webhook;
