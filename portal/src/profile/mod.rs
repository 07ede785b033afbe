//! One's own account: who I am here, and my picture. The password page is the framework's.

pub(crate) mod record;
pub(crate) mod telephone;

use dewar::accounts::Accounts;
use dewar::audit::Log;
use dewar::secrets::KeyRing;
use dewar::uploads::{MIB, Picture, Shown, Upload};
use dewar::{CurrentUser, Db, Form, Page, Redirect, Uploads};

/// The form of a new picture.
#[derive(Form, Debug)]
pub(crate) struct NewPicture {
    #[field(
        label = "New picture",
        hint = "PNG, JPEG or WebP, up to 2 MiB. Where it was taken and by what is removed."
    )]
    picture: Upload<Picture, { 2 * MIB }>,
}

/// `GET /account`
pub(crate) async fn show(
    caller: CurrentUser,
    db: Db,
    keys: KeyRing,
    log: Log,
) -> dewar::Result<Page> {
    let page = page(&caller, &db, &keys, &log).await?;
    Ok(page.form("form", NewPicture::view()))
}

async fn page(caller: &CurrentUser, db: &Db, keys: &KeyRing, log: &Log) -> dewar::Result<Page> {
    let me = caller.id().get();
    let number = telephone::of(&[me], db, keys, log).await?.remove(&me);
    Ok(Page::new("profile/show.html").with("telephone", number))
}

/// `GET /account/picture`
pub(crate) async fn picture(caller: CurrentUser, uploads: Uploads) -> dewar::Result<Shown> {
    let file = caller.picture().ok_or_else(dewar::Error::not_found)?;
    Ok(uploads
        .show(&file.parse().map_err(dewar::Error::internal)?)
        .await?)
}

/// `POST /account/picture`
pub(crate) async fn change_picture(
    caller: CurrentUser,
    accounts: Accounts,
    uploads: Uploads,
    db: Db,
    keys: KeyRing,
    log: Log,
    form: Form<NewPicture>,
) -> dewar::Result<Redirect> {
    let (new, sheet) = form.sheet(page(&caller, &db, &keys, &log).await?)?;
    let file = match uploads.keep(caller.id(), new.picture).await {
        Ok(file) => file,
        Err(error) => {
            return Err(error
                .problem()
                .map(|problem| sheet.refuse("picture", problem))
                .unwrap_or(error.into()));
        }
    };
    if let Some(before) = accounts
        .set_picture(caller.id(), Some(file.as_str()))
        .await?
    {
        uploads
            .delete(&before.parse().map_err(dewar::Error::internal)?)
            .await?;
    }
    Ok(Redirect::to("/account").flash("Your picture was changed."))
}
