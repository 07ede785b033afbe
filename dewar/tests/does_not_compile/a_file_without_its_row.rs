// A file that is kept without the transaction that writes the row.
use dewar::{CurrentUser, uploads::{Document, FileId, MIB, Upload, Uploads}};

async fn keep(me: CurrentUser, uploads: Uploads, paper: Upload<Document, { 2 * MIB }>) -> dewar::Result<FileId> {
    Ok(uploads.keep(me.id(), paper).await?)
}

fn main() {}
