//! A tour of the whole portal in a real browser, with real files that real programs made.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use dewar::audit::Clock;
use dewar::testing::{Authenticator, Browser};
use dewar::{App, app::Running};
use tempfile::TempDir;

use crate::chromium::{self, Extent, Page, Person, Scheme, Screen};
use crate::files;

const PASSWORD: &str = "a quiet lake before the rain";
const NEW_PASSWORD: &str = "nine lanterns over a wet harbour";
const HOSTILE: &str = "<script>document.title='taken'</script><img src=x onerror=alert(1)>";

/// A user at a browser.
struct Someone {
    page: Page,
    site: String,
    shots: PathBuf,
    /// Addresses that were refused on purpose; the browser complains about them.
    refused: Mutex<Vec<String>>,
    /// Kept so that the cookie jar lives as long as its owner.
    _person: Person,
}

impl Someone {
    async fn arrives(chromium: &chromium::Chromium, site: &str, shots: &Path) -> Self {
        let person = chromium.person().await;
        let page = person.page().await;
        let (site, shots) = (site.to_owned(), shots.to_owned());
        Self {
            page,
            site,
            shots,
            refused: Mutex::default(),
            _person: person,
        }
    }

    async fn goes_to(&self, path: &str) {
        self.page.goto(&format!("{}{path}", self.site)).await;
    }

    async fn is_refused(&self, path: &str, status: u64) {
        self.goes_to(path).await;
        self.was_refused(path, status);
    }

    fn was_refused(&self, path: &str, status: u64) {
        assert_eq!(self.page.status(), status, "{path}");
        self.refused
            .lock()
            .unwrap()
            .push(format!("{}{path}", self.site));
    }

    /// Takes a screenshot of the page, and checks that neither the browser nor a screen reader would complain.
    async fn looks(&self, name: &str) {
        let shot = self.shots.join(format!("{name}.png"));
        self.page.screenshot(&shot, Extent::Full).await;
        let mut troubles = self.page.troubles().await;
        let refused = self.refused.lock().unwrap().clone();
        troubles.retain(|trouble| !refused.iter().any(|url| trouble.text.contains(url)));
        assert!(troubles.is_empty(), "{name}: {troubles:#?}");
        let barriers = self.page.barriers().await;
        assert!(barriers.is_empty(), "{name}: {barriers:#?}");
    }

    async fn reads(&self, text: &str) {
        let shown = self.page.text("body").await;
        assert!(
            shown.contains(text),
            "{text:?} is not on {}:\n{shown}",
            self.page.url().await
        );
    }

    async fn signs_up(&self, name: &str, email: &str) {
        self.goes_to("/sign-up").await;
        self.page.fill("[name=name]", name).await;
        self.page.fill("[name=email]", email).await;
        self.page.fill("[name=password]", PASSWORD).await;
        self.looks(&format!("sign-up-{name}")).await;
        self.page.submit("form[action='/sign-up']").await;
        self.page.fill("[name=email]", email).await;
        self.page.fill("[name=password]", PASSWORD).await;
        self.page.submit("main form").await;
    }

    async fn hands_in(&self, title: &str, file: &Path) {
        self.goes_to("/documents/new").await;
        self.page.fill("[name=title]", title).await;
        self.page
            .fill(
                "[name=description]",
                &format!("<p>About <strong>{title}</strong></p>{HOSTILE}"),
            )
            .await;
        self.page.fill("[name=tags]", "report, spring").await;
        self.page.set_files("[name=file]", &[file]).await;
        self.page.submit("form[action='/documents']").await;
        self.reads(title).await;
    }

    async fn downloads(&self, original: &Path) {
        let got = self.page.download("text=Download").await;
        assert_eq!(
            fs::read(&got.path).unwrap(),
            fs::read(original).unwrap(),
            "the file came back changed"
        );
        assert_eq!(
            Some(got.name.as_ref()),
            original.file_name().and_then(|name| name.to_str())
        );
    }
}

struct Portal {
    running: Running,
    browser: Browser,
    _data: TempDir,
}

async fn portal() -> Portal {
    let data = tempfile::tempdir().unwrap();
    let running = portal::app(App::in_directory(&data).unwrap())
        .start()
        .await
        .unwrap();
    let authority = fs::read(running.authority_file().unwrap()).unwrap();
    let browser = Browser::new(running.url(), &authority);
    Portal {
        running,
        browser,
        _data: data,
    }
}

/// The screenshots stay as artefacts of the run.
fn shots() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("journey");
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_goes_its_way_through_the_portal() {
    let portal = portal().await;
    let Some(files) = files::or_skip() else {
        return;
    };
    let Some(chromium) = chromium::or_skip(&[&portal.browser]).await else {
        return;
    };
    let (site, shots) = (portal.running.url().to_owned(), shots());
    let [pdf, docx, jpeg] = [
        files.pdf("minutes.pdf", "Minutes of the meeting"),
        files.docx("plan.docx", "# Plan\n\nTo do *everything*."),
        files.jpeg("lake.jpg", 640, 480, "where it was taken"),
    ];

    let admin = set_up(&portal, &chromium, &site, &shots).await;
    let ada = Someone::arrives(&chromium, &site, &shots).await;
    ada.goes_to("/").await;
    ada.looks("front").await;
    ada.signs_up("Ada", "ada@example.org").await;
    ada.goes_to("/documents").await;
    ada.looks("documents-empty").await;
    for (title, file) in [("Minutes", &pdf), ("Plan", &docx), ("Lake", &jpeg)] {
        ada.hands_in(title, file).await;
        ada.downloads(file).await;
    }
    ada.looks("document-pending").await;

    let rob = Someone::arrives(&chromium, &site, &shots).await;
    rob.signs_up("Rob", "rob@example.org").await;
    rob.is_refused("/reviews", 403).await;
    give_role(&admin, "Rob", true).await;
    review(&rob, "Minutes", "approve", None).await;
    review(
        &rob,
        "Plan",
        "reject",
        Some("The figures are of last year."),
    )
    .await;

    mend(&ada).await;

    let eve = share_and_comment(&ada, &rob, &chromium, &site, &shots).await;
    demoted_while_deciding(&admin, &rob, &ada).await;
    notices(&admin, &eve).await;
    disabled(&admin, &eve).await;
    admin.goes_to("/admin/audit").await;
    admin.reads("authz").await;
    admin.reads("Grace (").await;
    admin.looks("audit-log").await;

    own_account(&ada, &jpeg).await;
    sign_out_leaves_nothing(&ada).await;
    portal.running.stop().await.unwrap();
    // Written past the test harness, which keeps the output of a passing test.
    writeln!(std::io::stderr(), "\nScreenshots: {}\n", shots.display()).unwrap();
}

/// The first administrator comes by the link that the program prints.
async fn set_up(
    portal: &Portal,
    chromium: &chromium::Chromium,
    site: &str,
    shots: &Path,
) -> Someone {
    let path = portal
        .running
        .dewar()
        .accounts()
        .setup_path()
        .await
        .unwrap()
        .unwrap();
    let admin = Someone::arrives(chromium, site, shots).await;
    admin.goes_to(&path).await;
    admin.page.fill("[name=name]", "Grace").await;
    admin.page.fill("[name=email]", "grace@example.org").await;
    admin.page.fill("[name=password]", PASSWORD).await;
    admin.looks("set-up").await;
    admin.page.submit("main form").await;
    admin.page.fill("[name=email]", "grace@example.org").await;
    admin.page.fill("[name=password]", PASSWORD).await;
    admin.page.submit("main form").await;
    // Her role needs a second factor before anything else.
    admin.goes_to("/admin/users").await;
    admin.looks("second-factor-new").await;
    let app = Authenticator::of_key(&admin.page.text("code.token").await);
    let code = app.unused_code(Clock::system().now());
    admin.page.fill("[name=code]", &code).await;
    admin
        .page
        .submit("form[action='/account/second-factor']")
        .await;
    admin.reads("You see these codes only now.").await;
    admin.looks("recovery-codes").await;
    admin.goes_to("/admin/users").await;
    admin.reads("Grace").await;
    admin.looks("people").await;
    admin
}

/// The administrator gives a user the reviewer's role, or takes it away.
async fn give_role(admin: &Someone, name: &str, held: bool) {
    admin.goes_to(&format!("/admin/users?q={name}")).await;
    let ticked = admin
        .page
        .evaluate("document.querySelector('[name=roles][value=reviewer]').checked")
        .await;
    assert_eq!(ticked, !held);
    admin.page.click("[name=roles][value=reviewer]").await;
    admin.page.submit("form[action$='/roles']").await;
}

async fn review(reviewer: &Someone, title: &str, decision: &str, reason: Option<&str>) {
    reviewer.goes_to("/reviews").await;
    reviewer.page.follow(&format!("text={title}")).await;
    reviewer
        .page
        .click(&format!("[name=decision][value={decision}]"))
        .await;
    if let Some(reason) = reason {
        reviewer.page.fill("[name=reason]", reason).await;
    }
    reviewer.looks(&format!("review-{title}")).await;
    reviewer.page.submit("form[action^='/reviews/']").await;
}

/// The owner corrects a rejected document, and it waits again.
async fn mend(ada: &Someone) {
    ada.goes_to("/documents?sort=title").await;
    ada.page.follow("text=Plan").await;
    ada.reads("The figures are of last year.").await;
    ada.looks("document-rejected").await;
    ada.page
        .follow("text=Change what is wrong, and a reviewer looks at it again")
        .await;
    assert_eq!(ada.page.value("[name=title]").await, "Plan");
    ada.page.scheme(Scheme::Dark).await;
    ada.page.screen(Screen::Mobile).await;
    // Reloaded, because the picture would show a colour transition.
    ada.page.reload().await;
    ada.looks("document-edit-mobile-dark").await;
    ada.page.screen(Screen::Desktop).await;
    ada.page.scheme(Scheme::Light).await;
    ada.page.reload().await;
    ada.page.fill("[name=title]", "Plan of this year").await;
    ada.looks("document-edit").await;
    ada.page.submit("form[action$='/edit']").await;
    ada.reads("Plan of this year").await;
    ada.reads("Pending").await;
}

/// The form of a decision is open when the reviewer loses the role: sending it decides nothing.
async fn demoted_while_deciding(admin: &Someone, rob: &Someone, ada: &Someone) {
    rob.goes_to("/reviews").await;
    rob.page.follow("text=Lake").await;
    let path = rob.page.path().await;
    rob.page.click("[name=decision][value=approve]").await;
    give_role(admin, "Rob", false).await;
    rob.page.submit("form[action^='/reviews/']").await;
    rob.was_refused(&path, 403);
    rob.looks("decision-refused").await;
    ada.goes_to(&path.replace("/reviews/", "/documents/")).await;
    ada.reads("Pending").await;
    rob.is_refused("/reviews", 403).await;
}

/// A notice of an administrator is on the front page until it is withdrawn.
async fn notices(admin: &Someone, reader: &Someone) {
    admin.goes_to("/notices/new").await;
    admin.page.fill("[name=title]", "Summer hours").await;
    let body = format!("<p>Closed on <strong>Friday</strong>.</p>{HOSTILE}");
    admin.page.fill("[name=body]", &body).await;
    admin.looks("notice-new").await;
    admin.page.submit("form[action='/notices']").await;
    reader.goes_to("/").await;
    reader.reads("Closed on Friday.").await;
    reader.looks("front-with-notice").await;
    admin.goes_to("/").await;
    admin.looks("front-of-administrator").await;
    admin.page.submit("form[action$='/withdraw']").await;
    reader.goes_to("/").await;
    reader.reads("There are no notices at the moment.").await;
}

/// A disabled user is out at the next click, and cannot sign in again.
async fn disabled(admin: &Someone, eve: &Someone) {
    eve.goes_to("/documents").await;
    assert_eq!(eve.page.status(), 200);
    admin.goes_to("/admin/users?q=EVE").await;
    admin.page.submit("form[action$='/disable']").await;
    admin.goes_to("/admin/users?q=eve").await;
    admin.reads("Disabled").await;
    admin.looks("people-disabled").await;
    eve.goes_to("/documents").await;
    assert!(eve.page.path().await.starts_with("/sign-in"));
    eve.page.fill("[name=email]", "eve@example.org").await;
    eve.page.fill("[name=password]", PASSWORD).await;
    eve.page.submit("main form").await;
    eve.was_refused("/sign-in", 422);
}

/// The profile: a new name, a picture, a new password.
async fn own_account(ada: &Someone, picture: &Path) {
    ada.goes_to("/account").await;
    ada.looks("account").await;
    ada.page.fill("[name=name]", "Ada Lovelace").await;
    ada.page.submit("form[action='/account/name']").await;
    ada.reads("Ada Lovelace").await;
    ada.page.set_files("[name=picture]", &[picture]).await;
    ada.page.submit("form[action='/account/picture']").await;
    ada.reads("Your picture was changed.").await;
    let shown =
        "const shown = document.querySelector('img.picture'); shown.complete && shown.naturalWidth";
    assert_eq!(ada.page.evaluate(shown).await, 640);
    ada.page.screen(Screen::Mobile).await;
    ada.page.scheme(Scheme::Dark).await;
    ada.looks("account-mobile-dark").await;
    ada.page.screen(Screen::Desktop).await;
    ada.page.scheme(Scheme::Light).await;
    ada.page.follow("text=Change your password").await;
    ada.page.fill("[name=current_password]", PASSWORD).await;
    ada.page.fill("[name=new_password]", NEW_PASSWORD).await;
    ada.looks("password").await;
    ada.page.submit("form[action='/account/password']").await;
    ada.goes_to("/account").await;
    assert_eq!(ada.page.status(), 200, "this browser stays signed in");
}

async fn share_and_comment(
    ada: &Someone,
    rob: &Someone,
    chromium: &chromium::Chromium,
    site: &str,
    shots: &Path,
) -> Someone {
    ada.goes_to("/documents").await;
    ada.looks("documents").await;
    ada.page.follow("text=Lake").await;
    let path = ada.page.path().await;

    let eve = Someone::arrives(chromium, site, shots).await;
    eve.signs_up("Eve", "eve@example.org").await;
    // A document that is not shared is not found.
    eve.is_refused(&path, 404).await;
    ada.page.fill("[name=email]", "eve@example.org").await;
    ada.page.submit("form[action$='/shares']").await;
    ada.reads("Eve").await;
    eve.goes_to(&path).await;
    assert_eq!(eve.page.status(), 200);

    eve.page.fill("[name=comment]", HOSTILE).await;
    eve.page.submit("form[action$='/comments']").await;
    eve.reads(HOSTILE).await;
    eve.looks("document-commented").await;
    ada.goes_to(&path).await;
    ada.reads(HOSTILE).await;
    assert_ne!(ada.page.evaluate("document.title").await, "taken");
    assert_eq!(
        ada.page
            .evaluate("document.querySelectorAll('main script, main img[onerror]').length")
            .await,
        0
    );
    ada.page.screen(Screen::Mobile).await;
    ada.page.scheme(Scheme::Dark).await;
    ada.looks("document-mobile-dark").await;
    ada.page.screen(Screen::Desktop).await;
    rob.goes_to("/documents").await;
    rob.looks("documents-of-rob").await;
    eve
}

/// After the sign-out, the back button shows nothing of the session.
async fn sign_out_leaves_nothing(ada: &Someone) {
    ada.goes_to("/documents").await;
    ada.reads("Lake").await;
    ada.page.submit("form[action='/sign-out']").await;
    ada.page.back().await;
    let shown = ada.page.text("body").await;
    assert!(
        !shown.contains("Lake"),
        "the back button shows what was there:\n{shown}"
    );
    ada.goes_to("/documents").await;
    assert!(ada.page.path().await.starts_with("/sign-in"));
}
