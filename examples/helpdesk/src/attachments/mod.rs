//! Files of a ticket: who may read the ticket may have them.

pub(crate) mod attachment;

use dewar::database::Tx;
use dewar::roles::Scoped;
use dewar::sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, Set};
use dewar::sessions::UserId;
use dewar::uploads::{self, Document, Download, FileId, MIB, PendingFile, Upload};
use dewar::{Db, Uploads};

use attachment::{ActiveModel, Column, Entity, Model, OfReachable};

/// The field of a form.
pub type Attached = Upload<Document, { 5 * MIB }>;

/// `GET /attachments/{id}`
pub async fn download(
    uploads: Uploads,
    attachment: Scoped<OfReachable>,
) -> dewar::Result<Download> {
    let file: FileId = attachment.file.parse().map_err(dewar::Error::internal)?;
    Ok(uploads.serve(&file).await?)
}

/// Examines and stores a file, if there is one.
pub(crate) async fn keep(
    uploads: &Uploads,
    owner: UserId,
    file: Option<Attached>,
) -> Result<Option<PendingFile>, uploads::Error> {
    match file {
        Some(file) => uploads.keep(owner, file).await.map(Some),
        None => Ok(None),
    }
}

/// Adds a file to a ticket, in the transaction that writes the text beside it.
pub(crate) async fn add(tx: &Tx, ticket: i64, file: Option<PendingFile>) -> dewar::Result {
    if let Some(file) = file {
        let name = file.name().to_owned();
        let record = ActiveModel {
            ticket_id: Set(ticket),
            file: Set(file.commit_in(tx).await?.into()),
            name: Set(name),
            ..Default::default()
        };
        record.insert(tx).await?;
    }
    Ok(())
}

/// The files of a ticket.
pub(crate) async fn of(db: &Db, ticket: i64) -> dewar::Result<Vec<Model>> {
    let found = Entity::find()
        .filter(Column::TicketId.eq(ticket))
        .order_by_asc(Column::Id);
    Ok(found.all(db).await?)
}
