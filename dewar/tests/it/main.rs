//! The one integration binary of the framework: one file a room.

mod app;
mod architecture;
mod does_not_compile;
