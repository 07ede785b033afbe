//! `forms`.
