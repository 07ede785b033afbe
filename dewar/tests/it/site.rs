//! A small application for the tests of the rooms, served over HTTPS, with a browser.

use std::fs;
use std::path::Path;

use dewar::accounts::{self, NewUser};
use dewar::app::Running;
use dewar::audit::Clock;
use dewar::forms::{Hidden, Int, Line, List, Offered, Pick};
use dewar::roles::Role;
use dewar::testing::{Browser, TestResponse};
use dewar::uploads::{Document, FileId, MIB, Upload};
use dewar::{App, CurrentUser, Db, Form, Page, Redirect, Uploads, get, post};
use rust_embed::RustEmbed;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "a quiet lake before the rain";

#[derive(Role, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Staff {
    #[role(label = "Reads along")]
    Reviewer,
    #[role(administrator)]
    HeadOfOffice,
}

#[derive(Form)]
pub(crate) struct NewNote {
    title: Line<20>,
    paper: Option<Upload<Document, { MIB }>>,
}

#[derive(Form)]
pub(crate) struct Order {
    version: Hidden<Int<0, 1_000>>,
    shop: Pick<&'static str>,
    items: List<Item, 1, 3>,
}

#[derive(Form)]
pub(crate) struct Item {
    title: Line<20>,
    count: Int<1, 9>,
}

fn shops() -> Offered<&'static str> {
    Offered::new(vec!["North", "South"], |shop| (shop.to_lowercase(), *shop))
}

#[derive(RustEmbed)]
#[folder = "tests/it/templates"]
struct Templates;

async fn hello() -> &'static str {
    "Hello, world!"
}

async fn new() -> Page {
    Page::new("note.html")
        .with("title", "<i>New</i>")
        .form("form", NewNote::view())
}

async fn keep(
    user: CurrentUser,
    db: Db,
    uploads: Uploads,
    form: Form<NewNote>,
) -> dewar::Result<Redirect> {
    let note = form.or_rerender(Page::new("note.html").with("title", "Again"))?;
    match note.paper {
        Some(paper) => {
            let paper = uploads.keep(user.id(), paper).await?;
            let tx = db.begin().await?;
            let id = paper.commit_in(&tx).await?;
            tx.commit().await?;
            Redirect::to_path(format!("/papers/{id}"))
        }
        None => Ok(Redirect::to("/notes").flash(format!("Kept {}.", note.title))),
    }
}

async fn paper(
    uploads: Uploads,
    id: dewar::forms::Path<Line<64>>,
) -> dewar::Result<dewar::uploads::Download> {
    let id =
        id.0.as_str()
            .parse::<FileId>()
            .map_err(|_| dewar::Error::not_found())?;
    Ok(uploads.serve(&id).await?)
}

async fn new_order() -> Page {
    let form = Order::view()
        .fill(Order::VERSION, 777)
        .offer(Order::SHOP, &shops());
    Page::new("order.html").form("form", form)
}

async fn order(form: Form<Order>) -> dewar::Result<Redirect> {
    let shops = shops();
    let order = form.offer(Order::SHOP, &shops).or_rerender("order.html")?;
    let shop = shops.chosen(&order.shop)?;
    let items = order.items.iter();
    let items: Vec<_> = items
        .map(|item| format!("{} {}", item.count, item.title))
        .collect();
    let items = items.join(", ");
    let text = format!("{items} of version {} from {shop}", *order.version);
    Ok(Redirect::to("/notes").flash(text))
}

async fn empty_the_bin() -> Redirect {
    Redirect::to("/notes").flash("The bin is empty.")
}

async fn reviews() -> &'static str {
    "reviews"
}

pub(crate) fn app(app: App) -> App {
    app.public([
        get("/", hello),
        get("/sign-in", accounts::sign_in_page),
        post("/sign-in", accounts::sign_in),
        get("/sign-up", accounts::sign_up_page),
        post("/sign-up", accounts::sign_up),
    ])
    .signed_in([
        get("/notes", new),
        post("/notes", keep),
        post("/bin", empty_the_bin),
        get("/orders", new_order),
        post("/orders", order),
        get("/papers/{id}", paper),
        post("/sign-out", accounts::sign_out),
    ])
    .role(Staff::Reviewer, [get("/reviews", reviews)])
    .templates::<Templates>()
}

/// The running application.
pub(crate) struct Site {
    pub(crate) running: Running,
    pub(crate) visitor: Browser,
    pub(crate) clock: Clock,
    pub(crate) data: TempDir,
}

impl Site {
    pub(crate) async fn open() -> Self {
        Self::of(app).await
    }

    /// Starts another application in the same way.
    pub(crate) async fn of(app: impl FnOnce(App) -> App) -> Self {
        Self::with(app, &[]).await
    }

    /// Starts it with settings, named as in the environment.
    pub(crate) async fn with(app: impl FnOnce(App) -> App, settings: &[(&str, &str)]) -> Self {
        let data = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Clock::system().now());
        Self::begin(data, clock, app, settings).await
    }

    /// Starts one with a prepared data directory.
    pub(crate) async fn prepared(
        prepare: impl FnOnce(&Path),
        app: impl FnOnce(App) -> App,
    ) -> Self {
        let data = tempfile::tempdir().unwrap();
        prepare(data.path());
        Self::begin(data, Clock::manual(Clock::system().now()), app, &[]).await
    }

    /// Stops it, and starts it again with the same data.
    pub(crate) async fn again(self, app: impl FnOnce(App) -> App) -> Self {
        self.running.stop().await.unwrap();
        Self::begin(self.data, self.clock, app, &[]).await
    }

    async fn begin(
        data: TempDir,
        clock: Clock,
        app: impl FnOnce(App) -> App,
        settings: &[(&str, &str)],
    ) -> Self {
        let served = App::in_directory_with(&data, settings.iter().copied()).unwrap();
        let app = app(served).clock(clock.clone());
        let running = app.start().await.unwrap();
        let authority = fs::read(running.authority_file().unwrap()).unwrap();
        let visitor = Browser::new(running.url(), &authority);
        Self {
            running,
            visitor,
            clock,
            data,
        }
    }

    /// The audit log as text, up to its end.
    pub(crate) async fn log(&self) -> String {
        self.running.dewar().log().flush().await;
        fs::read_to_string(self.data.path().join("audit.jsonl")).unwrap()
    }

    /// A person with an account, signed in through the form.
    pub(crate) async fn member(&self, name: &str, roles: &[&str]) -> Browser {
        let email = format!("{name}@example.org");
        let person = NewUser {
            email: &email,
            name,
            password: PASSWORD,
        };
        self.running
            .dewar()
            .accounts()
            .add(person, roles)
            .await
            .unwrap();
        let browser = self.visitor.another();
        let answer = sign_in(&browser, &email, PASSWORD).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        browser
    }
}

pub(crate) async fn sign_in(browser: &Browser, email: &str, password: &str) -> TestResponse {
    let page = browser.get("/sign-in").await;
    let form = page
        .form("/sign-in")
        .fill("email", email)
        .fill("password", password);
    browser.submit(form).await
}
