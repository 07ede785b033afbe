//! The real program on a full disk.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{Program, browser, in_process};
use crate::company::{PASSWORD, add, document, hand_in, sign_in};

/// A small disk, unmounted at the end of the test.
struct Disk(tempfile::TempDir);

impl Disk {
    /// None if this user may not mount one.
    fn mount() -> Option<Self> {
        let place = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=96m,mode=0700", "tmpfs"]);
        let mounted = mount.arg(place.path()).output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        mounted.then(|| Self(place))
    }

    fn data(&self) -> &Path {
        self.0.path()
    }

    /// Writes until the disk is full.
    fn fill(&self) {
        let mut file = fs::File::create(self.filler()).unwrap();
        for size in [1 << 20, 1 << 12, 1] {
            let block = vec![7; size];
            while file.write_all(&block).is_ok() {}
        }
    }

    fn empty(&self) {
        fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> std::path::PathBuf {
        self.data().join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(self.data()).output());
    }
}

/// Waits for a busy machine, but no longer than necessary.
async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..6_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("waited in vain: {what}");
}

/// On a full disk nobody could sign in.
///
/// ASVS: V16.5.2
#[tokio::test(flavor = "multi_thread")]
async fn people_sign_in_and_read_on_a_full_disk_and_the_operator_is_told() {
    let Some(disk) = Disk::mount() else {
        println!("SKIPPED: this user may not mount a small disk, so no disk is full");
        return;
    };
    let data = disk.data();
    let running = in_process(data).await;
    add(&running, "Ada", &["member"]).await;
    running.stop().await.unwrap();
    let (program, url) = Program::serve_with(data, &[("DEWAR_AUDIT_RESERVE", "12MiB")]);
    let ada = browser(data, &url);
    sign_in(&ada, "ada@example.org", PASSWORD).await;
    let path = document(&ada, "Before").await;
    let reserve = data.join("reserve");
    assert_eq!(fs::metadata(&reserve).unwrap().len(), 12 * 1024 * 1024);

    disk.fill();
    until("the reserve is given up", || !reserve.exists()).await;
    let again = browser(data, &url);
    let signed_in = sign_in(&again, "ada@example.org", PASSWORD).await;
    assert_eq!(signed_in.status(), 303, "{}", signed_in.text());
    assert_eq!(again.get(&path).await.status(), 200);
    let refused = hand_in(&again, "Full", "full.txt", b"no room for this\n").await;
    assert_eq!(refused.status(), 507, "{}", refused.text());
    // Texts, which used up the reserve for users who sign in.
    let page = again.get(&path).await;
    let comments = format!("{path}/comments");
    let words = "Typed on a full disk";
    let form = page.form(&comments).fill("comment", words);
    let refused = again.submit(form).await;
    assert_eq!(refused.status(), 507, "{}", refused.text());
    assert!(refused.text().contains(words));
    let signed_in = sign_in(&browser(data, &url), "ada@example.org", PASSWORD).await;
    assert_eq!(signed_in.status(), 303, "{}", signed_in.text());
    let said = || fs::read_to_string(data.join("audit.jsonl")).unwrap();
    until("the log says so", || said().contains("sys_disk_full")).await;

    disk.empty();
    until("the reserve is taken again", || reserve.exists()).await;
    until("the log says so", || said().contains("sys_disk_free")).await;
    document(&again, "After").await;
    let mut verify = Command::new(env!("CARGO_BIN_EXE_portal"));
    verify.args(["audit", "verify", "--data"]).arg(data);
    assert!(verify.output().unwrap().status.success());
    drop(program);
}
