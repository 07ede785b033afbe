//! The pages of accounts at other paths, in another layout, in other colours, with a field of the application's own.

use dewar::accounts::{AccountFields, FieldsError};
use dewar::app::AccountPages;
use dewar::database::{Db, Migration, Tx};
use dewar::forms::Line;
use dewar::pages::AccountPage;
use dewar::rust_embed::RustEmbed;
use dewar::sessions::UserId;
use dewar::{App, Error, Form, Page, get};

#[derive(Form)]
struct Boat {
    #[field(label = "Name of your boat")]
    boat: Line<40>,
}

impl AccountFields for Boat {
    async fn load(db: &Db, user: UserId) -> Result<Option<Self>, Error> {
        let find = "SELECT name FROM boats WHERE user_id = ?";
        let rows = db.query(find, [user.into()]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let boat = Line::parse(&row.get::<String>(0)?).map_err(Error::internal)?;
        Ok(Some(Self { boat }))
    }

    async fn store(self, tx: &Tx, user: UserId) -> Result<(), FieldsError<Self>> {
        let set = "INSERT INTO boats (user_id, name) VALUES (?1, ?2)
            ON CONFLICT (user_id) DO UPDATE SET name = excluded.name";
        let values = [user.into(), self.boat.as_str().into()];
        tx.execute(set, values).await?;
        Ok(())
    }
}

async fn index() -> Page {
    Page::new("harbour.html")
}

const BOATS: Migration = Migration::new(
    "boats",
    "CREATE TABLE boats (
        user_id INTEGER NOT NULL PRIMARY KEY REFERENCES dewar_users (id) ON DELETE CASCADE,
        name TEXT NOT NULL
    ) STRICT, WITHOUT ROWID",
);

#[derive(RustEmbed)]
#[crate_path = "dewar::rust_embed"]
#[folder = "templates/look"]
struct Templates;

#[derive(RustEmbed)]
#[crate_path = "dewar::rust_embed"]
#[folder = "static"]
struct Static;

pub fn app(app: App) -> App {
    let pages = AccountPages::new()
        .under("/crew")
        .at(AccountPage::SignIn, "/come-aboard")
        .at(AccountPage::SignUp, "/sign-on")
        .sign_up_fields::<Boat>()
        .account_fields::<Boat>();
    app.account_pages(pages)
        .public([get("/", index)])
        .migrations([BOATS])
        .templates::<Templates>()
        .static_files::<Static>()
}

#[cfg(test)]
mod tests {
    use dewar::testing::Site;

    #[tokio::test]
    async fn the_pages_of_accounts_look_like_the_harbour() {
        let site = Site::start(super::app).await;
        let page = site.visitor().get("/sign-on").await;
        assert_eq!(page.texts(".harbour"), ["Harbour"]);
        let labels = page.texts("label");
        assert!(
            labels.contains(&"Name of your boat".to_owned()),
            "{labels:?}"
        );
        site.add_user("ada@example.org", &[]).await;
        let ada = site.sign_in("ada@example.org").await;
        let form = ada.get("/crew/account").await.form("/crew/account");
        assert_eq!(ada.submit(form.fill("boat", "Ariel")).await.status(), 303);
        let form = ada.get("/crew/account").await.form("/crew/account");
        assert_eq!(form.value("boat").as_deref(), Some("Ariel"));
        assert_eq!(site.visitor().get("/sign-in").await.status(), 404);
    }
}
