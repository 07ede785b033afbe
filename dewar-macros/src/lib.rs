//! Derives for data.
