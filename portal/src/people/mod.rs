//! Users: the administrators' actions on accounts.

use std::collections::BTreeMap;

use dewar::accounts::{Accounts, Error, RecentlyAuthenticated, User};
use dewar::audit::Log;
use dewar::forms::{Choice, Cursor, FormView, Line, PageLinks, Path, RecordVersion};
use dewar::pages::{Cell, Csv, JsonSchema, Language, Message, PageData, Position, TypedPage};
use dewar::roles::Role as _;
use dewar::secrets::KeyRing;
use dewar::sessions::UserId;
use dewar::{CurrentUser, Db, Form, Query, Redirect};
use serde::Serialize;

use crate::Role;
use crate::profile::telephone;

/// The number of users on a page.
const SHOWN: usize = 50;

/// The users to show.
#[derive(Form, Debug)]
pub(crate) struct PeopleFilter {
    q: Option<Line<80>>,
    page: Option<Cursor>,
}

/// The new roles of a user; without a checked box the user has none.
#[derive(Form, Debug)]
pub(crate) struct NewRoles {
    /// The user that the page showed, with the roles at that time.
    version: RecordVersion,
    roles: Vec<Choice<Role>>,
}

/// The user that the page showed beside its button.
#[derive(Form, Debug)]
pub(crate) struct ListedPerson {
    version: RecordVersion,
}

/// A user for the page.
#[derive(Debug, Serialize, JsonSchema)]
struct Person {
    id: i64,
    name: String,
    email: String,
    telephone: Option<String>,
    created_at: i64,
    disabled: bool,
    /// Strangers have failed so often that an unknown browser has to wait.
    locked: bool,
    me: bool,
    roles: Vec<RoleView>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct RoleView {
    name: &'static str,
    held: bool,
}

/// The list.
#[derive(PageData)]
#[page(template = "people/list.html")]
pub(crate) struct PeopleList {
    people: Vec<Person>,
    role_forms: BTreeMap<i64, FormView<NewRoles>>,
    buttons: BTreeMap<i64, FormView<ListedPerson>>,
    holding: String,
    #[page(untyped)]
    links: PageLinks,
}

/// `GET /admin/users`
pub(crate) async fn list(
    caller: CurrentUser,
    accounts: Accounts,
    db: Db,
    keys: KeyRing,
    log: Log,
    Query(filter): Query<PeopleFilter>,
) -> dewar::Result<TypedPage<PeopleList>> {
    let holding = filter.q.as_ref().map_or("", Line::as_str);
    let place = Accounts::BY_NAME.open(&keys, filter.page.as_ref())?;
    let found = accounts.list(holding, place, SHOWN).await?;
    let links = Accounts::BY_NAME.links(&keys, &found, User::key)?;
    let ids: Vec<i64> = found.rows.iter().map(|user| user.id.get()).collect();
    let versions = || {
        let users = found.rows.iter();
        users.map(|user| (user.id.get(), RecordVersion::of(user)))
    };
    let role_forms = versions()
        .map(|(id, version)| (id, NewRoles::view().fill(NewRoles::VERSION, version)))
        .collect();
    let buttons = versions()
        .map(|(id, version)| {
            (
                id,
                ListedPerson::view().fill(ListedPerson::VERSION, version),
            )
        })
        .collect();
    let users: Vec<UserId> = found.rows.iter().map(|user| user.id).collect();
    let locked = accounts.locked(&users).await?;
    let mut telephones = telephone::of(&ids, &db, &keys, &log).await?;
    let people: Vec<Person> = found
        .rows
        .into_iter()
        .map(|user| {
            let number = telephones.remove(&user.id.get());
            let is_locked = locked.contains(&user.id);
            Person {
                locked: is_locked,
                ..person(user, caller.id(), number)
            }
        })
        .collect();
    Ok(TypedPage(PeopleList {
        people,
        role_forms,
        buttons,
        holding: holding.to_owned(),
        links,
    }))
}

/// `GET /admin/users.csv`
pub(crate) async fn export(language: Language, accounts: Accounts) -> dewar::Result<Csv> {
    let say = |message: Message| language.translate(&message.into()).into_owned();
    let heads = [
        Message::new("people-name"),
        Message::new("people-email"),
        Message::new("people-roles"),
        Message::new("people-account"),
    ];
    let mut table = Csv::new("people.csv").row(heads.map(say).map(Cell::from));
    let mut place = Position::Start;
    loop {
        let found = accounts.list("", place, SHOWN).await?;
        let next = found.next(User::key);
        table = table.rows(found.rows.into_iter().map(|user| {
            let held = Role::ALL
                .iter()
                .filter(|role| user.has_role_named(role.name()));
            let roles = held.map(|role| say(Message::new("portal-role").with("role", role.name())));
            let both = |before: String, last: String| {
                let message = Message::new("portal-and").with("before", before);
                say(message.with("last", last))
            };
            let roles = roles.reduce(both).unwrap_or_default();
            let state = if user.is_active() {
                Message::new("people-account.in-use")
            } else {
                Message::new("people-account.disabled")
            };
            [
                user.name.into(),
                user.email.into(),
                roles.into(),
                say(state).into(),
            ]
        }));
        match next {
            Some(key) => place = Position::After(key),
            None => return Ok(table),
        }
    }
}

fn person(user: User, me: UserId, telephone: Option<String>) -> Person {
    let role = |role: &Role| RoleView {
        name: role.name(),
        held: user.has_role_named(role.name()),
    };
    Person {
        id: user.id.get(),
        telephone,
        created_at: user.created_at,
        disabled: !user.is_active(),
        locked: false,
        me: user.id == me,
        roles: Role::ALL.iter().map(role).collect(),
        name: user.name,
        email: user.email,
    }
}

/// `POST /admin/users/{id}/roles`
pub(crate) async fn change_roles(
    caller: CurrentUser,
    accounts: Accounts,
    _recently: RecentlyAuthenticated,
    Path(id): Path<i64>,
    form: Form<NewRoles>,
) -> dewar::Result<Redirect> {
    let new = form.or_rerender("people/roles.html")?;
    let names: Vec<&str> = new.roles.iter().map(|role| role.get().name()).collect();
    back(
        accounts
            .as_shown(&new.version)
            .set_roles(caller.id(), UserId::new(id), &names)
            .await,
        Message::new("done-roles"),
    )
}

/// `POST /admin/users/{id}/disable`
pub(crate) async fn disable(
    caller: CurrentUser,
    accounts: Accounts,
    _recently: RecentlyAuthenticated,
    Path(id): Path<i64>,
    form: Form<ListedPerson>,
) -> dewar::Result<Redirect> {
    let shown = form.or_reject()?.version;
    let accounts = accounts.as_shown(&shown);
    let done = accounts.disable(caller.id(), UserId::new(id)).await;
    back(done, Message::new("done-disabled"))
}

/// `POST /admin/users/{id}/enable`
pub(crate) async fn enable(
    caller: CurrentUser,
    accounts: Accounts,
    _recently: RecentlyAuthenticated,
    Path(id): Path<i64>,
    form: Form<ListedPerson>,
) -> dewar::Result<Redirect> {
    let shown = form.or_reject()?.version;
    let accounts = accounts.as_shown(&shown);
    let done = accounts.enable(caller.id(), UserId::new(id)).await;
    back(done, Message::new("done-enabled"))
}

/// `POST /admin/users/{id}/sign-out`
pub(crate) async fn sign_out(
    caller: CurrentUser,
    accounts: Accounts,
    _recently: RecentlyAuthenticated,
    Path(id): Path<i64>,
    form: Form<ListedPerson>,
) -> dewar::Result<Redirect> {
    as_shown(&accounts, id, &form.or_reject()?.version).await?;
    let done = accounts
        .sign_out_everywhere(Some(caller.id()), UserId::new(id))
        .await;
    back(done.map(drop), Message::new("done-signed-out"))
}

/// `POST /admin/users/{id}/unlock`
pub(crate) async fn unlock(
    caller: CurrentUser,
    accounts: Accounts,
    _recently: RecentlyAuthenticated,
    Path(id): Path<i64>,
    form: Form<ListedPerson>,
) -> dewar::Result<Redirect> {
    as_shown(&accounts, id, &form.or_reject()?.version).await?;
    let done = accounts.unlock(Some(caller.id()), UserId::new(id)).await;
    back(done, Message::new("done-unlocked"))
}

/// Refuses if the account is not the one that the page showed, or was changed since.
async fn as_shown(accounts: &Accounts, id: i64, version: &RecordVersion) -> dewar::Result {
    let found = accounts.find(UserId::new(id)).await?;
    version.check(&found.ok_or_else(dewar::Error::not_found)?)?;
    Ok(())
}

fn back(done: Result<(), Error>, text: Message) -> dewar::Result<Redirect> {
    match done {
        Ok(()) => Ok(Redirect::to("/admin/users").flash(text)),
        Err(Error::LastAdministrator) => {
            Ok(Redirect::to("/admin/users").flash(Message::new("undone-last")))
        }
        Err(Error::NoSuchUser) => Err(dewar::Error::not_found()),
        Err(error) => Err(error.into()),
    }
}
