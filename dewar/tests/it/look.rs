//! The look of the framework's pages of accounts: their paths, their layout, their colours, and fields of the application's own.

mod fields;
mod layout;
mod paths;

use dewar::accounts::{AccountFields, FieldsError};
use dewar::app::AccountPages;
use dewar::database::{Db, Migration, Tx};
use dewar::forms::{Line, Problems};
use dewar::pages::AccountPage;
use dewar::roles::Role;
use dewar::sessions::UserId;
use dewar::{App, Error, Form, get};

#[derive(Role, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Staff {
    Member,
    #[role(administrator)]
    Head,
}

#[derive(Form)]
pub(crate) struct Company {
    company: Line<40>,
    voucher: Option<Line<10>>,
}

impl AccountFields for Company {
    async fn load(db: &Db, user: UserId) -> Result<Option<Self>, Error> {
        let find = "SELECT name FROM companies WHERE user_id = ?1";
        let rows = db.query(find, [user.into()]).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let name: String = row.get(0)?;
        let company = Line::parse(&name).map_err(Error::internal)?;
        Ok(Some(Self {
            company,
            voucher: None,
        }))
    }

    async fn store(self, tx: &Tx, user: UserId) -> Result<(), FieldsError<Self>> {
        if self
            .voucher
            .is_some_and(|voucher| voucher.as_str() != "spring")
        {
            return Err(Problems::at(Self::VOUCHER, "This voucher does not exist.").into());
        }
        // A rule for addresses: what `store` sees does not depend on whether the address has an account.
        let find = "SELECT email FROM dewar_users WHERE id = ?1";
        let rows = tx.query(find, [user.into()]).await?;
        let email: String = rows.first().map_or(Ok(String::new()), |row| row.get(0))?;
        if !email.ends_with("@example.org") {
            return Err(Problems::at(Self::COMPANY, "This address is not of a company.").into());
        }
        let set = "INSERT INTO companies (user_id, name) VALUES (?1, ?2)
            ON CONFLICT (user_id) DO UPDATE SET name = excluded.name";
        tx.execute(set, [user.into(), self.company.as_str().into()])
            .await?;
        Ok(())
    }
}

const COMPANIES: Migration = Migration::new(
    "companies",
    "CREATE TABLE companies (
        user_id INTEGER NOT NULL PRIMARY KEY REFERENCES dewar_users (id) ON DELETE CASCADE,
        name TEXT NOT NULL
    ) STRICT, WITHOUT ROWID",
);

async fn hello() -> &'static str {
    "Hello"
}

/// Every page at another path than the usual one.
pub(crate) fn moved(app: App) -> App {
    let pages = AccountPages::new()
        .under("/auth")
        .at(AccountPage::SignIn, "/anmelden")
        .at(AccountPage::Reset, "/neu/{key}")
        .at(AccountPage::Sessions, "/sitzungen")
        .with_tokens()
        .sign_up_fields::<Company>()
        .account_fields::<Company>();
    app.account_pages(pages)
        .public([get("/", hello)])
        .signed_in([get("/desk", hello)])
        .roles::<Staff>()
        .sign_up_as(Staff::Member)
        .migrations([COMPANIES])
}
