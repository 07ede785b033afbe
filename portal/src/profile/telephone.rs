//! A telephone number, for the user and the administrators. It is stored sealed: somebody who has only the database cannot read
//! it.

use std::collections::HashMap;

use dewar::audit::{Entry, Event, Log};
use dewar::database::SealedColumn;
use dewar::forms::{RecordVersion, Telephone};
use dewar::pages::Message;
use dewar::secrets::KeyRing;
use dewar::{CurrentUser, Db, Form, Page, Redirect};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::{Own, record};

/// The column of the numbers. Each sealed value is bound to its user.
pub(crate) const TELEPHONE: SealedColumn =
    SealedColumn::new("profiles", "telephone").bound_to("user_id");

/// The form of the user's number.
#[derive(Form, Debug)]
pub(crate) struct NewTelephone {
    /// The number that the page showed.
    version: RecordVersion,
    #[field(
        label = "Telephone",
        hint = "With the country, as in +41 44 668 18 00. You and the administrators see it. Leave it empty to remove it."
    )]
    telephone: Option<Telephone>,
}

/// The numbers of these users, by their ids. If a number cannot be opened, the audit log gets an entry and the user has no
/// number.
pub(crate) async fn of(
    people: &[i64],
    db: &Db,
    keys: &KeyRing,
    log: &Log,
) -> dewar::Result<HashMap<i64, String>> {
    let theirs = record::Column::UserId.is_in(people.iter().copied());
    let found = record::Entity::find().filter(theirs).all(db).await?;
    let mut numbers = HashMap::new();
    for record in found {
        let Some(sealed) = record.telephone else {
            continue;
        };
        match TELEPHONE.open(keys, record.user_id, &sealed) {
            Ok(number) => drop(numbers.insert(record.user_id, number.expose().clone())),
            Err(error) => {
                let whose = format!("telephone of user {}", record.user_id);
                log.record(
                    Entry::new(Event::CryptDecryptFail)
                        .subject(whose)
                        .detail(error),
                );
            }
        }
    }
    Ok(numbers)
}

const fn shown(whose: i64, value: Option<&str>) -> Own<'_> {
    Own {
        what: "telephone",
        whose,
        value,
    }
}

/// `GET /account/telephone`
pub(crate) async fn edit(
    caller: CurrentUser,
    db: Db,
    keys: KeyRing,
    log: Log,
) -> dewar::Result<Page> {
    let me = caller.id().get();
    let number = of(&[me], &db, &keys, &log).await?.remove(&me);
    let version = RecordVersion::of(&shown(me, number.as_deref()));
    let form = NewTelephone::view()
        .fill(NewTelephone::VERSION, version)
        .fill(NewTelephone::TELEPHONE, number.unwrap_or_default());
    Ok(Page::new("profile/telephone.html").form("form", form))
}

/// `POST /account/telephone`
pub(crate) async fn change(
    caller: CurrentUser,
    db: Db,
    keys: KeyRing,
    log: Log,
    form: Form<NewTelephone>,
) -> dewar::Result<Redirect> {
    let (new, bound) = form.bind("profile/telephone.html")?;
    let me = caller.id().get();
    let number = of(&[me], &db, &keys, &log).await?.remove(&me);
    bound.or_changed(
        &new.version,
        NewTelephone::VERSION,
        &shown(me, number.as_deref()),
    )?;
    let sealed = new
        .telephone
        .map(|number| TELEPHONE.seal(&keys, me, number.as_str()))
        .transpose()
        .map_err(dewar::Error::internal)?;
    let tx = db.begin().await?;
    tx.execute(
        "INSERT INTO profiles (user_id, telephone) VALUES (?, ?) \
         ON CONFLICT (user_id) DO UPDATE SET telephone = excluded.telephone",
        [me.into(), sealed.into()],
    )
    .await?;
    let entry = Entry::new(Event::SensitiveUpdate).actor(me);
    tx.record(&log, entry.subject(format!("telephone of user {me}")))
        .await?;
    tx.commit().await?;
    Ok(Redirect::to("/account").flash(Message::new("done-telephone")))
}
