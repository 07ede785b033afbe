//! `https`.
