//! Whether a file survives the next start: the type of its file system in `/proc/self/mountinfo`.

use std::path::{Path, PathBuf};

/// The kind of storage below a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Below {
    /// The writable layer of a container, which is deleted with the container.
    ContainerLayer,
    /// Storage that stays, as far as Dewar can see.
    Disk,
    /// Memory, which is empty at the next start.
    Memory,
}

/// The storage below this path on this machine; `Disk` if the system does not report it.
pub(crate) fn below(path: &Path) -> Below {
    let Ok(table) = std::fs::read_to_string("/proc/self/mountinfo") else {
        return Below::Disk;
    };
    // A directory that does not exist yet will be where its first existing parent is.
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let real = absolute
        .ancestors()
        .find_map(|there| std::fs::canonicalize(there).ok());
    below_in(&table, &real.unwrap_or(absolute))
}

/// The same, from a given table (proc(5)). The deepest mount point above the path counts; of several at one point, the
/// last one, which hides the others.
fn below_in(table: &str, path: &Path) -> Below {
    let mounts = table.lines().filter_map(mount);
    let found = mounts
        .filter(|mount| path.starts_with(&mount.point))
        .enumerate()
        .max_by_key(|(line, mount)| (mount.point.components().count(), *line));
    match found {
        Some((_, mount)) if MEMORY.contains(&mount.kind) => Below::Memory,
        Some((_, mount)) if mount.kind == "overlay" && mount.point == Path::new("/") => {
            Below::ContainerLayer
        }
        Some(_) | None => Below::Disk,
    }
}

const MEMORY: [&str; 3] = ["devtmpfs", "ramfs", "tmpfs"];

struct MountEntry<'a> {
    point: PathBuf,
    kind: &'a str,
}

/// `36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw`: the fifth word is the mount point. The type is
/// after the hyphen, because the number of words before it varies.
fn mount(line: &str) -> Option<MountEntry<'_>> {
    let (before, after) = line.split_once(" - ")?;
    Some(MountEntry {
        point: PathBuf::from(unescaped(before.split(' ').nth(4)?)),
        kind: after.split(' ').next()?,
    })
}

/// mountinfo writes spaces, tabs, line ends and backslashes in octal.
fn unescaped(text: &str) -> String {
    let codes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n")];
    let text = codes
        .iter()
        .fold(text.to_owned(), |text, (code, character)| {
            text.replace(code, character)
        });
    text.replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTAINER: &str = "\
2140 1937 0:301 / / rw,relatime master:512 - overlay overlay rw,lowerdir=/a:/b,upperdir=/c,workdir=/d
2141 2140 0:304 / /proc rw,nosuid - proc proc rw
2142 2140 0:305 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755
2150 2140 0:299 / /run/secrets/keys ro,relatime - tmpfs tmpfs rw,size=12k
2151 2140 259:1 /var/lib/docker/volumes/portal/_data /var/lib/portal rw,relatime shared:1 propagate_from:2 - ext4 /dev/nvme0n1p1 rw
2152 2151 0:320 / /var/lib/portal/cache rw - ramfs none rw
2153 2140 0:321 / /srv/with\\040space rw - tmpfs tmpfs rw
2154 2140 0:322 / /twice rw - tmpfs tmpfs rw
2155 2154 8:1 / /twice rw - xfs /dev/sda1 rw
this is no line of it
";

    #[test]
    fn the_deepest_mount_and_the_last_of_several_counts() {
        for (path, expected) in [
            ("/data/keys", Below::ContainerLayer),
            ("/var/lib/portal/keys", Below::Disk),
            ("/var/lib/portal/cache/keys", Below::Memory),
            ("/var/lib/portal2", Below::ContainerLayer),
            ("/run/secrets/keys/keys.toml", Below::Memory),
            ("/dev/shm/keys", Below::Memory),
            ("/srv/with space/keys", Below::Memory),
            ("/twice/keys", Below::Disk),
        ] {
            assert_eq!(below_in(CONTAINER, Path::new(path)), expected, "{path}");
        }
    }

    #[test]
    fn an_overlay_that_is_not_the_root_or_a_table_that_says_nothing_refuses_nothing() {
        let line = "1 2 0:1 / /var rw - overlay overlay rw\n";
        assert_eq!(below_in(line, Path::new("/var/lib")), Below::Disk);
        assert_eq!(below_in("", Path::new("/var/lib")), Below::Disk);
        assert_eq!(below_in("- - -\n - \n", Path::new("/var")), Below::Disk);
    }

    #[test]
    fn a_directory_that_is_not_there_yet_lies_where_its_parent_does() {
        let missing = Path::new("/proc/self/there/is/none");
        assert_eq!(below(missing), below(Path::new("/proc")));
    }
}
