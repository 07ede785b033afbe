//! A mail server hands in what customers write to the desk's address, signed with the key `mail`.

use dewar::accounts::{Accounts, NewUser};
use dewar::csrf::VerifiedWebhook;
use dewar::forms::{Choice, Email, Name};
use dewar::pages::NoContent;
use dewar::roles::Role;
use dewar::secrets::Token;
use dewar::sessions::UserId;
use dewar::{Dewar, Form};

use crate::Staff;
use crate::tickets::ticket::{Body, Priority, Title};
use crate::tickets::{self, NewRecord, PER_CUSTOMER};

/// A mail, as the gateway sends it. The gateway has checked that it is from `from` (DMARC).
#[derive(Form)]
struct Mail {
    from: Email,
    name: Name<80>,
    subject: Title,
    text: Body,
}

/// `POST /hooks/mail`
pub async fn receive(
    delivery: VerifiedWebhook,
    accounts: Accounts,
    dewar: Dewar,
) -> dewar::Result<NoContent> {
    let mail: Mail = delivery.form()?;
    let record = NewRecord {
        owner: customer(&accounts, &mail.from, mail.name.as_str()).await?,
        title: mail.subject,
        priority: Choice::new(Priority::Normal),
        description: mail.text,
    };
    let tx = dewar.db().begin().await?;
    PER_CUSTOMER.check(&tx, record.owner.get()).await?;
    tickets::open(&tx, &dewar, record).await?;
    tx.commit().await?;
    Ok(NoContent)
}

/// The account of an address. A new one has a password that nobody knows: its owner asks for a link on `/forgot`.
async fn customer(accounts: &Accounts, email: &Email, name: &str) -> dewar::Result<UserId> {
    if let Some(user) = accounts.find_by_email(email.as_str()).await? {
        return Ok(user.id);
    }
    let password = Token::new().reveal();
    let new = NewUser {
        email: email.as_str(),
        name,
        password: &password,
    };
    Ok(accounts.add(new, &[Staff::Customer.name()]).await?)
}
