//! Every check is shown to fail, and to pass.

mod hello;
mod weak;
