//! People: their names, the agents, and the page on which an administrator gives roles.

use dewar::accounts::{Accounts, RecentlyAuthenticated, User};
use dewar::forms::{Choice, Cursor, Email, Offered};
use dewar::pages::Message;
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

/// Somebody to whom a ticket can be assigned.
pub struct Agent {
    pub id: i64,
    name: String,
}

/// The agents, for a choice.
pub(crate) async fn agents(db: &Db) -> dewar::Result<Offered<Agent>> {
    let find = "SELECT id, name FROM dewar_users JOIN dewar_user_roles ON user_id = id
        WHERE role = ? AND disabled_at IS NULL ORDER BY name LIMIT ?";
    let values = [Staff::Agent.name().into(), (SIZE as i64).into()];
    let mut agents = Vec::new();
    for row in db.query(find, values).await? {
        let (id, name) = (row.get(0)?, row.get(1)?);
        agents.push(Agent { id, name });
    }
    Ok(Offered::new(agents, |agent| (agent.id, agent.name.clone())))
}

/// The name of somebody.
pub(crate) async fn name_of(db: &Db, id: i64) -> dewar::Result<Option<String>> {
    let find = "SELECT name FROM dewar_users WHERE id = ?";
    let rows = db.query(find, [id.into()]).await?;
    Ok(rows.first().map(|row| row.get(0)).transpose()?)
}
