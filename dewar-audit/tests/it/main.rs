//! Every check is shown to fail on an application in which everything is wrong, and to pass on one built on `dewar`.

#[cfg(test)]
mod hello;
#[cfg(test)]
mod weak;
