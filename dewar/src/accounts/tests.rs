//! The room as a whole, without HTTP.
mod guarded;
mod imported_hashes;
mod listed;
mod lock_out;
mod naming;
mod passwords;
mod recorded;
mod told;

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use http::HeaderMap;

use super::password::{NormalizedPassword, Workspace};
use super::pool::{ComparedHash, PoolShare};
use super::scheme::Scheme;
use super::{
    Accounts, Config, Dependencies, Error, MIGRATIONS, MIGRATIONS_AFTER_SESSIONS, NewUser,
    PasswordHashing, Roles, SignUps, models,
};
use crate::audit::{Clock, Log};
use crate::database::{self, Db};
use crate::mail::{self, Destination, Mailer};
use crate::pages::{Assets, Bundle, Languages, LetterTemplates, Position, Templates};
use crate::secrets::KeyRing;
use crate::sessions::{self, Session, Sessions, UserId};

const GOOD: &str = "seven green kettles sing";
const OTHER: &str = "nine blue lanterns drift";
const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

struct House {
    accounts: Accounts,
    clock: Clock,
    db: Db,
    sessions: Sessions,
    folder: tempfile::TempDir,
}

impl House {
    async fn open() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::with_mail(change, |_| {}).await
    }

    async fn without_mail() -> Self {
        Self::with_mail(|_| {}, |mail| mail.destination = Destination::Disabled).await
    }

    async fn with_mail(
        change: impl FnOnce(&mut Config),
        change_mail: impl FnOnce(&mut mail::Config),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(1_800_000_000);
        let db = Db::temporary().unwrap();
        db.migrate(MIGRATIONS).await.unwrap();
        let rooms = [
            MIGRATIONS,
            sessions::MIGRATIONS,
            MIGRATIONS_AFTER_SESSIONS,
            mail::MIGRATIONS,
            database::MIGRATIONS,
        ];
        db.migrate(&rooms.concat()).await.unwrap();
        db.register(&models()).await.unwrap();
        let log = Log::open(folder.path().join("audit.log"), [7; 32], clock.clone()).unwrap();
        let sessions = Sessions::new(
            db.clone(),
            sessions::Config::default(),
            clock.clone(),
            log.clone(),
        );
        let mut config = Config {
            rate_limit: 1000,
            ..Config::default()
        };
        change(&mut config);
        let roles = Roles {
            administrator: Some("administrator"),
            all: vec!["administrator", "member", "reviewer"],
        };
        let needs = Dependencies {
            client: crate::outgoing::Client::new(crate::outgoing::Config::default()),
            clock: clock.clone(),
            config,
            db: db.clone(),
            mailer: mailer(folder.path(), (&clock, &db, &log), change_mail),
            log,
            ring: KeyRing::ephemeral(),
            roles,
            sessions: sessions.clone(),
            site: "Paperhouse".to_owned(),
            paths: crate::pages::AccountPaths::default(),
        };
        let accounts = Accounts::open(needs).unwrap();
        Self {
            accounts,
            clock,
            db,
            sessions,
            folder,
        }
    }

    async fn join(&self, email: &str) -> UserId {
        self.accounts
            .add(person(email, GOOD), &["member"])
            .await
            .unwrap()
    }

    fn visitor(&self) -> Session {
        self.sessions.visitor()
    }

    /// Signs in with the right password, and begins a session.
    async fn begin_session(&self, email: &str) -> Session {
        let proof = self.accounts.sign_in(email, GOOD, HERE).await.unwrap();
        let session = self.visitor();
        let step = proof.begin(&session).await.unwrap();
        assert!(matches!(step, super::SignInStep::Complete));
        session
    }

    /// Whether a user is signed in after a session began with this verified password.
    async fn lets_in(&self, proof: super::VerifiedPassword) -> bool {
        let session = self.visitor();
        let step = proof.begin(&session).await.unwrap();
        assert!(matches!(step, super::SignInStep::Complete));
        let mut set = HeaderMap::new();
        session.write(&mut set);
        let line = set.get(http::header::SET_COOKIE).unwrap().to_str().unwrap();
        let mut headers = HeaderMap::new();
        let cookie = line.split(';').next().unwrap().parse().unwrap();
        headers.insert(http::header::COOKIE, cookie);
        let found = self.sessions.of_request(&headers, None).await.unwrap();
        found.principal().is_some()
    }

    async fn live_sessions(&self) -> i64 {
        let rows = self
            .db
            .query("SELECT count(*) FROM dewar_sessions", [])
            .await
            .unwrap();
        rows[0].get(0).unwrap()
    }

    /// The letters so far, with the quoted-printable line ends removed.
    async fn letters(&self) -> Vec<String> {
        self.accounts.settle().await;
        letters_in(&self.folder.path().join("outbox"))
    }

    /// The thread counts after its reply.
    async fn hashed_once_since(&self, before: u64) {
        while self.accounts.hashes_done() == before {
            tokio::task::yield_now().await;
        }
        assert_eq!(self.accounts.hashes_done() - before, 1);
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("audit.log")).unwrap()
    }

    /// The token of the only letter with a link to this path.
    async fn token(&self, path: &str) -> String {
        let letters = self.letters().await;
        let start = format!("https://portal.example.org{path}/");
        let letter = letters
            .iter()
            .rev()
            .find(|letter| letter.contains(&start))
            .unwrap();
        letter
            .split(&start)
            .nth(1)
            .unwrap()
            .split_whitespace()
            .next()
            .unwrap()
            .to_owned()
    }
}

#[derive(rust_embed::RustEmbed)]
#[folder = "templates"]
struct OwnTemplates;

/// The letters with the framework's templates.
fn mailer(
    folder: &Path,
    (clock, db, log): (&Clock, &Db, &Log),
    change: impl FnOnce(&mut mail::Config),
) -> Mailer {
    let own = [Bundle::of::<OwnTemplates>()];
    let html = Templates::load(&own, Assets::default(), crate::audit::Mode::Production);
    let mut config = mail::Config::default();
    config.destination = Destination::Outbox(folder.join("outbox"));
    change(&mut config);
    let needs = mail::Dependencies {
        clock: clock.clone(),
        config,
        db: db.clone(),
        log: log.clone(),
        ring: KeyRing::ephemeral(),
        templates: LetterTemplates::load(&own, html),
        languages: Languages::english(),
        letters: super::letters().to_vec(),
        base_url: "https://portal.example.org/".to_owned(),
        host: "portal.example.org".to_owned(),
    };
    Mailer::open(needs).unwrap()
}

fn letters_in(outbox: &Path) -> Vec<String> {
    let mut files: Vec<_> = std::fs::read_dir(outbox)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    let read = |path| {
        std::fs::read_to_string(path)
            .unwrap()
            .replace("=\r\n", "")
            .replace("=3D", "=")
    };
    files.into_iter().map(read).collect()
}

fn person<'a>(email: &'a str, password: &'a str) -> NewUser<'a> {
    NewUser {
        email,
        name: "Ada Lovelace",
        password,
    }
}

#[tokio::test]
async fn whoever_signed_up_can_sign_in_and_nobody_else() {
    let house = House::with(|config| config.role = Some("member".to_owned())).await;
    house
        .accounts
        .sign_up(person("Ada@example.org", GOOD), HERE)
        .await
        .unwrap();
    house.begin_session("ada@EXAMPLE.org").await;
    assert_eq!(house.live_sessions().await, 1);
    let user = house
        .accounts
        .find_by_email("ada@example.org")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (user.email.as_str(), user.roles.as_slice()),
        ("Ada@example.org", &["member".to_owned()][..])
    );
    let wrong = house.accounts.sign_in("ada@example.org", OTHER, HERE).await;
    assert!(matches!(wrong, Err(Error::Refused)), "{wrong:?}");
}

#[tokio::test]
async fn unknown_wrong_and_disabled_are_one_answer_at_one_cost() {
    let house = House::open().await;
    house.join("ada@example.org").await;
    let gone = house.join("gone@example.org").await;
    house.accounts.disable(None, gone).await.unwrap();
    for (email, password) in [
        ("ada@example.org", OTHER),
        ("nobody@example.org", GOOD),
        ("gone@example.org", GOOD),
        ("gone@example.org", OTHER),
    ] {
        let (hashes, statements) = (house.accounts.hashes_done(), house.db.statements());
        let answer = house.accounts.sign_in(email, password, HERE).await;
        assert!(matches!(answer, Err(Error::Refused)), "{email}: {answer:?}");
        // Two of them are for the stand-in of an unknown address.
        assert_eq!(house.db.statements() - statements, 5, "{email}");
        house.hashed_once_since(hashes).await;
    }
}

#[tokio::test]
async fn a_second_sign_up_changes_nothing_and_tells_only_the_owner() {
    let house = House::open().await;
    house
        .accounts
        .sign_up(person("ada@example.org", GOOD), HERE)
        .await
        .unwrap();
    let again = house
        .accounts
        .sign_up(person("ADA@example.org", OTHER), HERE)
        .await;
    assert!(again.is_ok());
    assert!(
        house
            .accounts
            .sign_in("ada@example.org", OTHER, HERE)
            .await
            .is_err()
    );
    assert!(
        house
            .accounts
            .sign_in("ada@example.org", GOOD, HERE)
            .await
            .is_ok()
    );
    let letters = house.letters().await;
    assert_eq!(letters.len(), 2);
    assert!(
        letters
            .iter()
            .any(|letter| letter.contains("You have an account already"))
    );
    assert_eq!(
        house
            .accounts
            .list("", Position::Start, 10)
            .await
            .unwrap()
            .rows
            .len(),
        1
    );
}

#[tokio::test]
async fn closed_means_closed() {
    let house = House::with(|config| config.sign_up = SignUps::Closed).await;
    let answer = house
        .accounts
        .sign_up(person("ada@example.org", GOOD), HERE)
        .await;
    assert!(matches!(answer, Err(Error::Closed)), "{answer:?}");
}

#[tokio::test]
async fn an_account_is_throttled_from_every_address_and_a_reset_helps() {
    let house = House::open().await;
    house.join("ada@example.org").await;
    for n in 0..5 {
        let from = IpAddr::from([198, 51, 100, n]);
        assert!(matches!(
            house.accounts.sign_in("ada@example.org", OTHER, from).await,
            Err(Error::Refused)
        ));
    }
    for email in ["ada@example.org", "nobody@example.org"] {
        let mut last = None;
        for n in 0..6 {
            last = Some(
                house
                    .accounts
                    .sign_in(email, GOOD, IpAddr::from([203, 0, 113, n]))
                    .await,
            );
        }
        assert!(
            matches!(last, Some(Err(Error::Throttled(_)))),
            "{email}: {last:?}"
        );
    }
    house
        .accounts
        .request_reset("ada@example.org", HERE)
        .unwrap();
    let token = house.token("/reset").await;
    house.accounts.reset(&token, OTHER, HERE).await.unwrap();
    assert!(
        house
            .accounts
            .sign_in("ada@example.org", OTHER, HERE)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn an_address_is_throttled_over_all_accounts() {
    let house = House::with(|config| config.rate_limit = 3).await;
    for n in 0..3 {
        let answer = house
            .accounts
            .sign_in(&format!("p{n}@example.org"), GOOD, HERE)
            .await;
        assert!(matches!(answer, Err(Error::Refused)), "{answer:?}");
    }
    let answer = house.accounts.sign_in("p9@example.org", GOOD, HERE).await;
    assert!(matches!(answer, Err(Error::Throttled(_))), "{answer:?}");
    let elsewhere = IpAddr::from([198, 51, 100, 1]);
    assert!(matches!(
        house
            .accounts
            .sign_in("p9@example.org", GOOD, elsewhere)
            .await,
        Err(Error::Refused)
    ));
    house.clock.advance(Duration::from_secs(600));
    assert!(matches!(
        house.accounts.sign_in("p9@example.org", GOOD, HERE).await,
        Err(Error::Refused)
    ));
}

#[tokio::test]
async fn the_first_administrator_is_made_once() {
    let house = House::open().await;
    let first = house.accounts.setup_path().await.unwrap().unwrap();
    let path = house.accounts.setup_path().await.unwrap().unwrap();
    let (old, token) = (
        first.strip_prefix("/setup/").unwrap(),
        path.strip_prefix("/setup/").unwrap(),
    );
    assert!(matches!(
        house.accounts.look_at_setup(old).await,
        Err(Error::LinkSpent)
    ));
    let boss = house
        .accounts
        .set_up(token, person("boss@example.org", GOOD), HERE)
        .await
        .unwrap();
    assert!(
        house
            .accounts
            .find(boss)
            .await
            .unwrap()
            .unwrap()
            .has_role_named("administrator")
    );
    let again = house
        .accounts
        .set_up(token, person("eve@example.org", GOOD), HERE)
        .await;
    assert!(matches!(again, Err(Error::LinkSpent)), "{again:?}");
    assert_eq!(house.accounts.setup_path().await.unwrap(), None);
}

#[tokio::test]
async fn one_active_administrator_remains() {
    let house = House::open().await;
    let boss = house
        .accounts
        .add(person("boss@example.org", GOOD), &["administrator"])
        .await
        .unwrap();
    let member = house.join("ada@example.org").await;
    let demoted = house.accounts.set_roles(boss, boss, &["member"]).await;
    assert!(
        matches!(demoted, Err(Error::LastAdministrator)),
        "{demoted:?}"
    );
    let disabled = house.accounts.disable(Some(boss), boss).await;
    assert!(
        matches!(disabled, Err(Error::LastAdministrator)),
        "{disabled:?}"
    );
    assert!(
        house
            .accounts
            .find(boss)
            .await
            .unwrap()
            .unwrap()
            .is_active(),
        "the refusal left nothing behind"
    );
    house
        .accounts
        .set_roles(boss, member, &["administrator"])
        .await
        .unwrap();
    house.accounts.disable(Some(member), boss).await.unwrap();
    let unknown = house.accounts.set_roles(member, boss, &["emperor"]).await;
    assert!(matches!(unknown, Err(Error::UnknownRole(_))), "{unknown:?}");
}

#[tokio::test]
async fn disabling_ends_the_sessions_and_enabling_lets_in_again() {
    let house = House::open().await;
    let user = house.join("ada@example.org").await;
    house.begin_session("ada@example.org").await;
    house.accounts.disable(None, user).await.unwrap();
    assert_eq!(house.live_sessions().await, 0);
    assert!(
        house
            .accounts
            .sign_in("ada@example.org", GOOD, HERE)
            .await
            .is_err()
    );
    house.accounts.enable(None, user).await.unwrap();
    assert!(
        house
            .accounts
            .sign_in("ada@example.org", GOOD, HERE)
            .await
            .is_ok()
    );
    let nobody = house.accounts.disable(None, UserId::new(4711)).await;
    assert!(matches!(nobody, Err(Error::NoSuchUser)), "{nobody:?}");
}

#[tokio::test]
async fn the_model_reads_people_without_their_password() {
    use sea_orm::EntityTrait as _;
    let house = House::open().await;
    house.join("ada@example.org").await;
    let people = super::user::Entity::find()
        .find_with_related(super::user_role::Entity)
        .all(&house.db)
        .await
        .unwrap();
    assert_eq!(
        (people[0].0.email.as_str(), people[0].1[0].role.as_str()),
        ("ada@example.org", "member")
    );
    assert!(!format!("{people:?}").contains("argon2"));
}

/// The `Debug` output of the room names neither an address nor a password.
#[tokio::test]
async fn nothing_secret_is_printed() {
    let house = House::open().await;
    let person = person("ada@example.org", GOOD);
    assert_eq!(format!("{person:?}"), "NewUser([redacted])");
    let shown = format!("{:?} {:?}", house.accounts, house.accounts.0.pool);
    assert!(
        shown.contains("Accounts") && shown.contains("hashes_done"),
        "{shown}"
    );
    assert!(!shown.contains("argon2"), "{shown}");
}

#[tokio::test]
async fn when_the_threads_are_busy_the_attempt_is_not_counted() {
    let house = House::with(|config| {
        config.hash_threads = std::num::NonZeroUsize::MIN;
        config.hash_queue = 0;
    })
    .await;
    house.db.execute("SELECT 1", []).await.ok();
    let stored = Workspace::default()
        .hash(&NormalizedPassword::new(GOOD), Scheme::default())
        .unwrap();
    let busy = (0..12).map(|_| {
        house.accounts.0.pool.verify(
            NormalizedPassword::new(OTHER),
            ComparedHash {
                owner: Some(stored.clone()),
                stand_in: None,
            },
            PoolShare::Known,
        )
    });
    let keep_busy = futures_util::future::join_all(busy);
    let sign_in = house.accounts.sign_in("ada@example.org", GOOD, HERE);
    let (_, answer) = tokio::join!(keep_busy, sign_in);
    let rows = house
        .db
        .query("SELECT failures FROM dewar_throttles", [])
        .await
        .unwrap();
    let failures: i64 = rows[0].get(0).unwrap();
    match answer {
        Err(Error::Busy(wait)) => assert!(failures == 0 && !wait.is_zero()),
        Err(Error::Refused) => assert_eq!(failures, 1),
        other => panic!("{other:?}"),
    }
}
