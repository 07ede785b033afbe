// A letter to a text that nobody parsed as an address.
use dewar::database::Tx;
use dewar::mail::{Letter, Mailer};

#[derive(Letter)]
#[letter(template = "letters/approved")]
struct Approved<'a> {
    title: &'a str,
}

async fn tell(mailer: &Mailer, tx: &Tx, typed: &str) -> dewar::Result<()> {
    mailer.send(tx, typed, &Approved { title: "Tea" }).await?;
    Ok(())
}

fn main() {}
