//! The user who runs a command, for the log: the user that the operating system knows.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::sync::LazyLock;

/// Dewar reads at most this many bytes of the list of users.
const MOST: u64 = 1 << 20;

/// The actor of a command's changes: `command line (alice, uid 1000)`. An odd or long name is left out.
pub(crate) fn command_line() -> &'static str {
    static ACTOR: LazyLock<String> = LazyLock::new(|| {
        // From the kernel: the user chooses the variables of the environment.
        let uid = fs::metadata("/proc/self").ok().map(|own| own.uid());
        let mut users = String::new();
        let read = File::open("/etc/passwd");
        let read = read.and_then(|file| file.take(MOST).read_to_string(&mut users));
        if read.is_err() {
            users.clear();
        }
        actor(uid, &users)
    });
    &ACTOR
}

fn actor(uid: Option<u32>, users: &str) -> String {
    let Some(uid) = uid else {
        return "command line".to_owned();
    };
    match name(uid, users) {
        Some(name) => format!("command line ({name}, uid {uid})"),
        None => format!("command line (uid {uid})"),
    }
}

/// The name of a user in the text of `/etc/passwd`.
fn name(uid: u32, users: &str) -> Option<&str> {
    let mut lines = users.lines().map(|line| line.split(':'));
    let name = lines.find_map(|mut fields| {
        let name = fields.next()?;
        let number: u32 = fields.nth(1)?.parse().ok()?;
        (number == uid).then_some(name)
    })?;
    let is_plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    ((1..=32).contains(&name.len()) && is_plain).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_actor_of_a_command_is_the_user_of_the_system() {
        let long = "x".repeat(33);
        let users = format!(
            "root:x:0:0:root:/root:/bin/sh\nbroken\nalice:x:1000:1000::/home/alice:/bin/sh\n\
             a\u{202e}b:x:1001:1001::/:\n{long}:x:1002:1002::/:\n) of nobody:x:1003:1003::/:\n"
        );
        for (uid, told) in [
            (Some(0), "command line (root, uid 0)"),
            (Some(1000), "command line (alice, uid 1000)"),
            (Some(1001), "command line (uid 1001)"),
            (Some(1002), "command line (uid 1002)"),
            (Some(1003), "command line (uid 1003)"),
            (Some(7), "command line (uid 7)"),
            (None, "command line"),
        ] {
            assert_eq!(actor(uid, &users), told);
        }
        assert!(command_line().starts_with("command line"));
    }
}
