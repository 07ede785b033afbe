//! All tickets as a table, for a spreadsheet.

use dewar::Db;
use dewar::pages::{Cell, Csv, Language, Message};

/// `GET /tickets.csv`: the newest 10,000.
pub async fn export(db: Db, language: Language) -> dewar::Result<Csv> {
    let heads = ["id", "title", "status", "priority", "owner", "assignee"]
        .map(|column| Message::new("export-head").with("column", column))
        .map(|head| language.translate(&head.into()).into_owned());
    let mut csv = Csv::new("tickets.csv").row(heads.map(Cell::from));
    let find =
        "SELECT tickets.id, title, status, priority, owner.email, assignee.email FROM tickets
        JOIN dewar_users owner ON owner.id = owner_id
        LEFT JOIN dewar_users assignee ON assignee.id = assignee_id
        ORDER BY tickets.id DESC LIMIT 10000";
    for row in db.query(find, []).await? {
        let mut cells = vec![Cell::from(row.get::<i64>(0)?)];
        for column in 1..6 {
            let text: Option<String> = row.get(column)?;
            cells.push(text.unwrap_or_default().into());
        }
        csv = csv.row(cells);
    }
    Ok(csv)
}
