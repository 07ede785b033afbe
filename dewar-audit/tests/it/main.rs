//! Tests that every check fails on an application in which everything is wrong, and passes on one built on `dewar`.

#[cfg(test)]
mod hello;
#[cfg(test)]
mod live;
#[cfg(test)]
mod python;
#[cfg(test)]
mod weak;
