//! `roles`: who may enter.

mod scoped;

use dewar::accounts;
use dewar::app::AccountPages;
use dewar::roles::Role;
use dewar::testing::Authenticator;
use dewar::{App, get, post};

use super::site::{PASSWORD, Site, Staff};

async fn hello() -> &'static str {
    "Hello"
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_who_have_the_role_enter() {
    let site = Site::open().await;
    assert_eq!(site.visitor.get("/reviews").await.status(), 303);
    assert_eq!(
        site.member("ada", &[]).await.get("/reviews").await.status(),
        403
    );
    assert_eq!(
        site.member("rob", &["reviewer"])
            .await
            .get("/reviews")
            .await
            .status(),
        200
    );
}

/// Each kind of user on a route of two roles, and one who loses the last of them.
///
/// ASVS: V8.2.1, V8.3.1
#[tokio::test(flavor = "multi_thread")]
async fn a_heading_of_several_roles_admits_who_has_one_of_them_and_nobody_else() {
    let site = Site::of(|app| {
        app.account_pages(AccountPages::new())
            .any_role([Trade::Boss, Trade::Agent], [get("/queue", hello)])
            .any_role([Trade::Agent, Trade::Boss], [post("/queue", hello)])
            .role(Trade::Boss, [get("/boss", hello)])
    })
    .await;
    let (customer, agent) = (["customer"], ["agent"]);
    for (who, roles, status) in [
        ("nora", &[][..], 403),
        ("carl", &customer, 403),
        ("anna", &agent, 200),
        ("bob", &["boss"], 200),
        ("cora", &["customer", "agent"], 200),
    ] {
        let browser = site.member(who, roles).await;
        if who == "bob" {
            Authenticator::add(&browser, accounts::FACTORS, &site.clock).await;
        }
        assert_eq!(browser.get("/queue").await.status(), status, "{who}");
    }
    assert_eq!(site.visitor.get("/queue").await.status(), 303);
    // The heading gives no more than its own routes, and holds for a change too.
    let anna = site.member("anne", &agent).await;
    assert_eq!(anna.get("/boss").await.status(), 403);
    let carl = site.member("cara", &customer).await;
    assert_eq!(
        carl.raw("POST", "/queue").send().await.unwrap().status(),
        403
    );
    let accounts = site.running.dewar().accounts();
    let find = |who| accounts.find_by_email(who);
    let boss = find("bob@example.org").await.unwrap().unwrap();
    let user = find("anne@example.org").await.unwrap().unwrap();
    accounts
        .set_roles(boss.id, user.id, &["customer"])
        .await
        .unwrap();
    assert_eq!(anna.get("/queue").await.status(), 403);
}

#[test]
fn the_table_and_the_document_show_a_heading_of_several_roles() {
    let directory = tempfile::tempdir().unwrap();
    let app = App::in_directory(&directory).unwrap();
    let table = app
        .any_role([Trade::Boss, Trade::Agent], [get("/queue", hello)])
        .route_table();
    let line = table.to_string();
    assert!(line.contains("any_role:agent,boss"), "{line}");
    let json = serde_json::to_value(&table).unwrap();
    assert_eq!(json[0]["access"], "any_role:agent,boss");
}

#[derive(Role, Clone, Copy, Debug, PartialEq, Eq)]
enum Trade {
    Customer,
    Agent,
    #[role(administrator)]
    Boss,
}

#[test]
fn roles_have_names_and_labels() {
    assert_eq!(Staff::administrator(), Staff::HeadOfOffice);
    assert_eq!(
        (Staff::HeadOfOffice.name(), Staff::Reviewer.label()),
        ("head_of_office", "Reads along")
    );
    assert_eq!(Staff::ALL.len(), 2);
}

/// The framework's own pages link only to routes in the table.
#[tokio::test(flavor = "multi_thread")]
async fn pages_of_the_framework_link_only_to_what_is_mounted() {
    let small = |app: App| {
        app.public([
            get(accounts::SIGN_IN, accounts::sign_in_page),
            post(accounts::SIGN_IN, accounts::sign_in),
        ])
        .signed_in([
            get(accounts::CHANGE_PASSWORD, accounts::change_password_page),
            post(accounts::CHANGE_PASSWORD, accounts::change_password),
        ])
    };
    let whole = |app: App| {
        small(app)
            .public([
                get("/", hello),
                get(accounts::SIGN_UP, accounts::sign_up_page),
                post(accounts::SIGN_UP, accounts::sign_up),
                get(accounts::FORGOT, accounts::forgot_page),
                post(accounts::FORGOT, accounts::forgot),
                get("/reset/{token}", accounts::reset_page),
                post("/reset/{token}", accounts::reset),
            ])
            .signed_in([
                get("/account", hello),
                post(accounts::SIGN_OUT, accounts::sign_out),
            ])
    };
    let optional = ["/", "/forgot", "/sign-up", "/account", "/sign-out"];
    for (site, has) in [
        (Site::of(small).await, false),
        (Site::of(whole).await, true),
    ] {
        let member = site.member("ada", &[]).await;
        let pages = [
            site.visitor.get("/sign-in").await,
            site.visitor.get("/nothing").await,
            member.get("/account/password").await,
        ];
        let pages: String = pages.iter().map(|page| page.text()).collect();
        for address in optional {
            let link = [
                format!("href=\"{address}\""),
                format!("action=\"{address}\""),
            ];
            let linked = link.iter().any(|link| pages.contains(link));
            assert_eq!(linked, has, "{address}");
        }
        // The page after a password change exists, too.
        let page = member.get("/account/password").await;
        let form = page
            .form("/account/password")
            .fill("current_password", PASSWORD)
            .fill("new_password", "another quiet lake in the snow");
        let answer = member.submit(form).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        let next = answer.location().unwrap().to_owned();
        assert_eq!(member.get(&next).await.status(), 200, "{next}");
    }
}

/// The start reports a page that others lead to and that nobody mounted.
#[test]
fn a_page_that_is_led_to_and_not_mounted_is_reported() {
    let directory = tempfile::tempdir().unwrap();
    let app = || App::in_directory(&directory).unwrap();
    let told = |app: App| -> Vec<String> {
        let findings = app.route_table().findings();
        let led = findings
            .iter()
            .filter(|found| found.id == "roles-led-nowhere");
        led.map(|found| found.title.clone()).collect()
    };
    let sign_in = || {
        [
            get(accounts::SIGN_IN, accounts::sign_in_page),
            post(accounts::SIGN_IN, accounts::sign_in),
        ]
    };
    assert_eq!(
        told(app().signed_in([get("/mine", hello)])),
        ["GET /mine leads to /sign-in, and no page is mounted there"]
    );
    assert_eq!(
        told(app().public(sign_in())),
        ["POST /sign-in leads to /, and no page is mounted there"]
    );
    let forgot = [post(accounts::FORGOT, accounts::forgot)];
    assert_eq!(
        told(
            app()
                .public(sign_in())
                .public([get("/", hello)])
                .public(forgot)
        ),
        ["POST /forgot leads to /reset/{token}, and no page is mounted there"]
    );
    let reset = [get("/reset/{key}", accounts::reset_page)];
    let forgot = [post(accounts::FORGOT, accounts::forgot)];
    let whole = app()
        .public(sign_in())
        .public([get("/", hello)])
        .public(forgot)
        .public(reset)
        .signed_in([get("/mine", hello)]);
    assert_eq!(told(whole), Vec::<String>::new());
}
