// A visitor's text in the middle of a statement.
use dewar::Db;

async fn find(db: Db, title: &str) -> dewar::Result {
    db.query(format!("SELECT id FROM notes WHERE title = '{title}'"), []).await?;
    Ok(())
}

fn main() {}
