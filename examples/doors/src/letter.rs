//! A letter, sent in the transaction that it is about: without the commit nobody gets it.

use dewar::database::Migration;
use dewar::forms::Email;
use dewar::mail::{Letter, Mailer};
use dewar::rust_embed::RustEmbed;
use dewar::{App, Db, Form, Page, Redirect, get, post};

#[derive(Letter)]
#[letter(template = "letters/invited")]
struct Invited {
    path: String,
}

#[derive(Form)]
struct Invitation {
    email: Email,
}

async fn index() -> Page {
    Page::new("invite.html").form("form", Invitation::view())
}

async fn invite(db: Db, mailer: Mailer, form: Form<Invitation>) -> dewar::Result<Redirect> {
    let invitation = form.or_rerender("invite.html")?;
    let tx = db.begin().await?;
    let add = "INSERT INTO invitations (email) VALUES (?)";
    tx.execute(add, [invitation.email.as_str().into()]).await?;
    let path = "/".to_owned();
    mailer
        .send(&tx, invitation.email, &Invited { path })
        .await?;
    tx.commit().await?;
    Ok(Redirect::to("/").flash("The invitation is on its way."))
}

#[derive(RustEmbed)]
#[crate_path = "dewar::rust_embed"]
#[folder = "templates/plain"]
struct Templates;

const INVITATIONS: Migration = Migration::new(
    "invitations",
    "CREATE TABLE invitations (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL) STRICT",
);

pub fn app(app: App) -> App {
    app.public([get("/", index), post("/", invite)])
        .letter::<Invited>()
        .templates::<Templates>()
        .migrations([INVITATIONS])
}

#[cfg(test)]
mod tests {
    use dewar::testing::Site;

    #[tokio::test]
    async fn somebody_who_is_invited_gets_a_letter() {
        let site = Site::start(super::app).await;
        let visitor = site.visitor();
        let form = visitor.get("/").await.form("/");
        let answer = visitor.submit(form.fill("email", "ada@example.org")).await;
        assert_eq!(answer.status(), 303, "{}", answer.text());
        let letters = site.letters().await;
        assert!(letters[0].is_to("ada@example.org"));
        assert!(letters[0].text().contains(site.url()));
    }
}
