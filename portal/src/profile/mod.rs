//! The user's own account: name and picture. The framework provides the password page.

pub(crate) mod record;
pub(crate) mod telephone;

use dewar::accounts::Accounts;
use dewar::audit::Log;
use dewar::forms::{FormView, Name, Record, RecordChanged, RecordVersion};
use dewar::pages::Message;
use dewar::secrets::KeyRing;
use dewar::uploads::{FileId, InlineImage, MIB, Picture, Upload};
use dewar::{CurrentUser, Db, Form, Page, Redirect, Uploads};

/// The form of a new picture.
#[derive(Form, Debug)]
pub(crate) struct NewPicture {
    /// The picture that the page showed.
    version: RecordVersion,
    #[field(
        label = "New picture",
        hint = "Where it was taken and by what is removed."
    )]
    picture: Upload<Picture, { 2 * MIB }>,
}

/// The form of a new name.
#[derive(Form, Debug)]
pub(crate) struct NewName {
    /// The name that the page showed.
    version: RecordVersion,
    #[field(hint = "Others see it beside your documents and comments.")]
    name: Name<80>,
}

/// One of the user's own values that a page shows. A form must not overwrite a change from another window.
#[derive(Debug)]
pub(crate) struct Own<'a> {
    what: &'static str,
    whose: i64,
    value: Option<&'a str>,
}

impl Own<'_> {
    fn name(caller: &CurrentUser) -> Own<'_> {
        Own {
            what: "name",
            whose: caller.id().get(),
            value: Some(caller.name()),
        }
    }

    fn picture(caller: &CurrentUser) -> Own<'_> {
        Own {
            what: "picture",
            whose: caller.id().get(),
            value: caller.picture(),
        }
    }
}

impl Record for Own<'_> {
    fn facts(&self) -> Vec<String> {
        let Self { what, whose, value } = self;
        vec![
            format!("own {what}"),
            whose.to_string(),
            format!("{value:?}"),
        ]
    }
}

fn name_form(caller: &CurrentUser) -> FormView<NewName> {
    let version = RecordVersion::of(&Own::name(caller));
    NewName::view()
        .fill(NewName::VERSION, version)
        .fill(NewName::NAME, caller.name())
}

fn picture_form(caller: &CurrentUser) -> FormView<NewPicture> {
    NewPicture::view().fill(
        NewPicture::VERSION,
        RecordVersion::of(&Own::picture(caller)),
    )
}

/// `GET /account`
pub(crate) async fn show(
    caller: CurrentUser,
    db: Db,
    keys: KeyRing,
    log: Log,
) -> dewar::Result<Page> {
    let page = page(&caller, &db, &keys, &log).await?;
    Ok(page
        .form("picture_form", picture_form(&caller))
        .form("name_form", name_form(&caller)))
}

async fn page(caller: &CurrentUser, db: &Db, keys: &KeyRing, log: &Log) -> dewar::Result<Page> {
    let me = caller.id().get();
    let number = telephone::of(&[me], db, keys, log).await?.remove(&me);
    Ok(Page::new("profile/show.html").with("telephone", number))
}

/// `POST /account/name`
pub(crate) async fn change_name(
    caller: CurrentUser,
    accounts: Accounts,
    db: Db,
    keys: KeyRing,
    log: Log,
    form: Form<NewName>,
) -> dewar::Result<Redirect> {
    let page = page(&caller, &db, &keys, &log).await?;
    let (new, bound) = form
        .shown_as("name_form")
        .bind(page.form("picture_form", picture_form(&caller)))?;
    bound.or_changed(&new.version, NewName::VERSION, &Own::name(&caller))?;
    // Another window may send at the same moment (CWE-367), so the statement also requires the name that the page showed.
    let changed = accounts.replace_name(caller.id(), caller.name(), new.name.as_str());
    let changed = changed.await;
    bound.or_refuse(changed, NewName::NAME)?;
    Ok(Redirect::to("/account").flash(Message::new("done-name")))
}

/// `GET /account/picture`
pub(crate) async fn picture(caller: CurrentUser, uploads: Uploads) -> dewar::Result<InlineImage> {
    let file = caller.picture().ok_or_else(dewar::Error::not_found)?;
    Ok(uploads
        .show(&file.parse().map_err(dewar::Error::internal)?)
        .await?)
}

/// `POST /account/picture`
pub(crate) async fn change_picture(
    caller: CurrentUser,
    accounts: Accounts,
    db: Db,
    uploads: Uploads,
    keys: KeyRing,
    log: Log,
    form: Form<NewPicture>,
) -> dewar::Result<Redirect> {
    let page = page(&caller, &db, &keys, &log).await?;
    let (new, bound) = form
        .shown_as("picture_form")
        .bind(page.form("name_form", name_form(&caller)))?;
    bound.or_changed(&new.version, NewPicture::VERSION, &Own::picture(&caller))?;
    let kept = uploads.keep(caller.id(), new.picture).await;
    let file = bound.or_refuse(kept, NewPicture::PICTURE)?;
    let tx = db.begin().await?;
    let picture = file.commit_in(&tx).await?;
    let before = accounts
        .set_picture(&tx, caller.id(), Some(&picture))
        .await?;
    if before.as_ref().map(FileId::as_str) != caller.picture() {
        return Err(RecordChanged.into());
    }
    if let Some(before) = before {
        uploads.release(&tx, &before).await?;
    }
    tx.commit().await?;
    Ok(Redirect::to("/account").flash(Message::new("done-picture")))
}
