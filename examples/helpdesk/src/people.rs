//! People: their names, the agents, and the page on which an administrator gives roles.

use dewar::accounts::{Accounts, RecentlyAuthenticated, User};
use dewar::forms::{Choice, Cursor, Email, Offered};
use dewar::pages::{Message, Position};
use dewar::roles::Role;
use dewar::secrets::KeyRing;
use dewar::{CurrentUser, Db, Form, Page, Query, Redirect};

use crate::Staff;

/// The most people on a page, and the most agents in a choice.
const SIZE: usize = 100;

/// The query of the list's links.
#[derive(Form)]
pub struct Which {
    page: Option<Cursor>,
}

/// The roles that somebody has from now on.
#[derive(Form)]
pub struct NewRoles {
    email: Email,
    roles: Vec<Choice<Staff>>,
}

/// `GET /people`
pub async fn list(
    accounts: Accounts,
    keys: KeyRing,
    Query(which): Query<Which>,
) -> dewar::Result<Page> {
    let page = page(&accounts, &keys, which.page.as_ref()).await?;
    Ok(page.form("form", NewRoles::view()))
}

/// `POST /people`
pub async fn set_roles(
    me: CurrentUser,
    _recently: RecentlyAuthenticated,
    accounts: Accounts,
    keys: KeyRing,
    form: Form<NewRoles>,
) -> dewar::Result<Redirect> {
    let (new, bound) = form.bind(page(&accounts, &keys, None).await?)?;
    let found = accounts.find_by_email(new.email.as_str()).await?;
    let Some(user) = found else {
        return Err(bound.refuse(NewRoles::EMAIL, Message::new("people-nobody")));
    };
    let roles: Vec<&str> = new.roles.iter().map(|role| role.get().name()).collect();
    let changed = accounts.set_roles(me.id(), user.id, &roles).await;
    bound.or_refuse(changed, NewRoles::ROLES)?;
    Ok(Redirect::to("/people").flash(Message::new("saved")))
}

async fn page(accounts: &Accounts, keys: &KeyRing, at: Option<&Cursor>) -> dewar::Result<Page> {
    let place = Accounts::BY_NAME.open(keys, at)?;
    let page = accounts.list("", place, SIZE).await?;
    let links = Accounts::BY_NAME.links(keys, &page, User::key)?;
    let address = |cursor: String| format!("/people?page={cursor}");
    Ok(Page::new("people/list.html")
        .with("previous", links.previous.map(address))
        .with("next", links.next.map(address))
        .with("people", page.rows))
}

/// The agents, for a choice.
pub(crate) async fn agents(accounts: &Accounts) -> dewar::Result<Offered<User>> {
    let agents = Staff::Agent.name();
    let page = accounts
        .list_with_role(agents, Position::Start, SIZE)
        .await?;
    Ok(Offered::new(page.rows, |agent| {
        (agent.id.get(), agent.name.clone())
    }))
}

/// The name of somebody.
pub(crate) async fn name_of(db: &Db, id: i64) -> dewar::Result<Option<String>> {
    let find = "SELECT name FROM dewar_users WHERE id = ?";
    let rows = db.query(find, [id.into()]).await?;
    Ok(rows.first().map(|row| row.get(0)).transpose()?)
}
