//! The object that says to which database the files of a bucket belong.

use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions, PutPayload};

use super::{S3, attributes, failed};
use crate::uploads::error::Error;
use crate::uploads::storage::Marking;

/// The name of the object below the prefix.
const MARK: &str = "dewar-database";

/// The most bytes of it.
const LONGEST: u64 = 1_024;

impl S3 {
    fn mark_path(&self) -> Path {
        Path::from(self.name(MARK))
    }

    /// The id of the database that the bucket belongs to, if it has one. A mark that nobody can read is that of nobody.
    pub(in crate::uploads) async fn mark(&self) -> Result<Option<String>, Error> {
        let found = match self.0.store.get(&self.mark_path()).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if found.meta.size > LONGEST {
            return Ok(Some(String::new()));
        }
        let text = found.bytes().await.map_err(failed)?;
        let text = std::str::from_utf8(&text).unwrap_or_default();
        Ok(Some(text.trim().to_owned()))
    }

    #[cfg(test)]
    pub(in crate::uploads) async fn remove_mark(&self) {
        self.remove_at(&self.mark_path()).await.unwrap();
    }

    /// Writes the id of a database. If another node was first, its mark stays.
    pub(in crate::uploads) async fn write_mark(
        &self,
        id: &str,
        marking: Marking,
    ) -> Result<(), Error> {
        let options = PutOptions {
            attributes: attributes(),
            mode: match marking {
                Marking::First => PutMode::Create,
                Marking::Anew => PutMode::Overwrite,
            },
            ..PutOptions::default()
        };
        let text = PutPayload::from(format!("{id}\n").into_bytes());
        let path = self.mark_path();
        match self.0.store.put_opts(&path, text, options).await {
            Ok(_) | Err(object_store::Error::AlreadyExists { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}
