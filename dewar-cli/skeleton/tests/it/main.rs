//! The application, tried from outside as its visitors do.

mod front;
