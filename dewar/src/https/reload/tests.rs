use super::Reload;
use crate::audit::{Clock, Mode, Settings};
use crate::https::{CertificateFiles, Config, Hosts};
use crate::testing::TestAuthority;

const DAY: i64 = 86_400;

/// A node whose certificate files change again and again.
struct Node {
    folder: tempfile::TempDir,
    authority: TestAuthority,
    reload: Reload,
}

impl Node {
    fn started() -> Self {
        let (folder, authority) = (tempfile::tempdir().unwrap(), TestAuthority::new());
        let clock = Clock::manual(1_795_000_000);
        let made = authority.certify(folder.path(), &["portal.test"], clock.now(), 60);
        let made = made.unwrap();
        let files = CertificateFiles::new(made.certificate, made.key);
        let mut config = Config::read(&Settings::read(None, []), Mode::Development);
        config.hosts = Hosts::new(["portal.test"]).unwrap();
        let (certificates, _) = files.load(&config.hosts, clock.now()).unwrap();
        config.files = Some(files);
        let reload = Reload::new(config, None, certificates, clock);
        Self {
            folder,
            authority,
            reload,
        }
    }

    fn write(&self, names: &[&str], days: i64) {
        let now = self.reload.clock.now();
        self.authority
            .certify(self.folder.path(), names, now, days)
            .unwrap();
    }

    /// Two looks at unchanged files, after which they are read; returns whether another certificate is in use then.
    async fn takes(&mut self) -> bool {
        let before = self.reload.certificates.leaf();
        self.reload.look().await;
        self.reload.look().await;
        before != self.reload.certificates.leaf()
    }
}

/// ASVS: V12.2.2
#[tokio::test]
async fn a_bad_certificate_never_takes_the_place_of_a_good_one() {
    let mut node = Node::started();
    assert!(!node.takes().await, "they are the same files");
    for (names, days) in [
        (&["other.test"], 60),
        (&["portal.test"], -1),
        (&["evil-portal.test"], 60),
    ] {
        node.write(names, days);
        assert!(!node.takes().await, "{names:?} for {days} days");
    }
    let certificate = node.reload.config.files.clone().unwrap().certificate;
    std::fs::write(&certificate, "no certificate").unwrap();
    assert!(!node.takes().await);
    node.write(&["portal.test"], 90);
    assert!(node.takes().await);
    let end = node.reload.certificates.not_after().unwrap();
    assert_eq!((end - node.reload.clock.now()) / DAY, 90);
}

/// A renewal writes two files: until the second is complete, no key belongs to the first.
#[tokio::test]
async fn half_of_a_renewal_is_not_read() {
    let mut node = Node::started();
    let before = node.reload.certificates.leaf();
    node.write(&["portal.test"], 90);
    node.reload.look().await;
    assert!(before == node.reload.certificates.leaf());
    node.write(&["portal.test"], 80);
    node.reload.look().await;
    assert!(
        before == node.reload.certificates.leaf(),
        "it changes still"
    );
    node.reload.look().await;
    assert!(before != node.reload.certificates.leaf());
}
