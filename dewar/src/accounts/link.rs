//! Links that work once: for a new password, and for the first administrator.
//!
//! The link carries 256 random bits. The table has only their SHA-256, so that a copy of the table opens nothing.
//!
//! Several links for a new password are valid at the same time, because anybody can request one, and must not end the one that
//! the owner has just opened. All of them end with the first that is used, with a new password, and when the account is disabled.
//! The operator requests a setup link, which ends the one before.
use std::time::Duration;

use crate::database::{Db, Error, Tx};
use crate::secrets::Token;
use crate::sessions::UserId;

/// The purpose of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkPurpose {
    /// A new password for an account.
    Reset,
    /// The first administrator.
    Setup,
}

impl LinkPurpose {
    const fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Setup => "setup",
        }
    }

    const fn lifetime(self) -> Duration {
        match self {
            Self::Reset => Duration::from_secs(3600),
            Self::Setup => Duration::from_secs(24 * 3600),
        }
    }
}

/// The most links for a new password that are valid at the same time. The limit of letters allows fewer; this limit outlives a
/// restart.
const MOST_LIVE: i64 = 8;

/// A link that is valid now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OneTimeLink {
    /// Its user; a setup link has none.
    pub(crate) user: Option<i64>,
}

/// Makes a link for a new password; none if the user has too many valid ones.
pub(crate) async fn make_reset(tx: &Tx, user: UserId, now: i64) -> Result<Option<Token>, Error> {
    let count = "SELECT count(*) FROM dewar_links
        WHERE purpose = 'reset' AND user_id = ?1 AND used_at IS NULL AND expires_at > ?2";
    let rows = tx.query(count, [user.into(), now.into()]).await?;
    let live: i64 = rows.first().map_or(Ok(0), |row| row.get(0))?;
    if live >= MOST_LIVE {
        return Ok(None);
    }
    add(tx, LinkPurpose::Reset, Some(user.get()), now)
        .await
        .map(Some)
}

/// Makes a link for the first administrator, and ends the one before.
pub(crate) async fn make_setup(tx: &Tx, now: i64) -> Result<Token, Error> {
    let end = "DELETE FROM dewar_links WHERE purpose = 'setup'";
    tx.execute(end, []).await?;
    add(tx, LinkPurpose::Setup, None, now).await
}

async fn add(tx: &Tx, purpose: LinkPurpose, user: Option<i64>, now: i64) -> Result<Token, Error> {
    let token = Token::new();
    let lifetime = i64::try_from(purpose.lifetime().as_secs()).unwrap_or(i64::MAX);
    let add = "INSERT INTO dewar_links (token_hash, purpose, user_id, expires_at) VALUES (?1, ?2, ?3, ?4)";
    let hash = token.hash().to_vec();
    tx.execute(
        add,
        [
            hash.into(),
            purpose.name().into(),
            user.into(),
            (now + lifetime).into(),
        ],
    )
    .await?;
    Ok(token)
}

/// Ends every unused link of a user: with a new password, or with the account.
pub(crate) async fn end_all_of(tx: &Tx, user: UserId) -> Result<(), Error> {
    let end = "DELETE FROM dewar_links WHERE user_id = ?1 AND used_at IS NULL";
    tx.execute(end, [user.into()]).await.map(drop)
}

/// Reads a link without using it up, to show the page that it leads to.
pub(crate) async fn look(
    db: &Db,
    purpose: LinkPurpose,
    token: &Token,
    now: i64,
) -> Result<Option<OneTimeLink>, Error> {
    let find = "SELECT l.user_id FROM dewar_links l LEFT JOIN dewar_users u ON u.id = l.user_id
        WHERE l.token_hash = ?1 AND l.purpose = ?2 AND l.used_at IS NULL AND l.expires_at > ?3
            AND u.disabled_at IS NULL";
    let rows = db
        .query(
            find,
            [
                token.hash().to_vec().into(),
                purpose.name().into(),
                now.into(),
            ],
        )
        .await?;
    rows.first()
        .map(|row| Ok(OneTimeLink { user: row.get(0)? }))
        .transpose()
}

/// Uses a link up, in the transaction of its purpose. Of two requests at the same moment one succeeds; a link of a disabled
/// account never does.
pub(crate) async fn spend(
    tx: &Tx,
    purpose: LinkPurpose,
    token: &Token,
    now: i64,
) -> Result<Option<OneTimeLink>, Error> {
    let spend = "UPDATE dewar_links SET used_at = ?3
        WHERE token_hash = ?1 AND purpose = ?2 AND used_at IS NULL AND expires_at > ?3
            AND NOT EXISTS (SELECT 1 FROM dewar_users u
                WHERE u.id = dewar_links.user_id AND u.disabled_at IS NOT NULL)
        RETURNING user_id";
    let rows = tx
        .query(
            spend,
            [
                token.hash().to_vec().into(),
                purpose.name().into(),
                now.into(),
            ],
        )
        .await?;
    rows.first()
        .map(|row| Ok(OneTimeLink { user: row.get(0)? }))
        .transpose()
}

/// Whether this link was used before. A second use is worth a line in the audit log.
pub(crate) async fn was_spent(db: &Db, token: &Token) -> Result<bool, Error> {
    let find = "SELECT 1 FROM dewar_links WHERE token_hash = ?1 AND used_at IS NOT NULL";
    Ok(!db
        .query(find, [token.hash().to_vec().into()])
        .await?
        .is_empty())
}

/// Removes links that ended a day ago.
pub(crate) async fn sweep(db: &Db, now: i64) -> Result<u64, Error> {
    let sweep = "DELETE FROM dewar_links WHERE expires_at < ?1";
    db.execute(sweep, [(now - 24 * 3600).into()]).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::MIGRATIONS;

    async fn make_setup(db: &Db, now: i64) -> Result<Token, Error> {
        let tx = db.begin().await?;
        let token = super::make_setup(&tx, now).await?;
        tx.commit().await?;
        Ok(token)
    }

    async fn database() -> Db {
        let db = Db::temporary().unwrap();
        db.migrate(MIGRATIONS).await.unwrap();
        db
    }

    /// A link is valid to the second, and stays known as used for a day after its end.
    #[tokio::test]
    async fn a_link_ends_with_its_time_and_is_forgotten_a_day_later() {
        const DAY: i64 = 24 * 3600;
        let db = database().await;
        let token = make_setup(&db, 1_000).await.unwrap();
        let good = async |now| {
            let found = look(&db, LinkPurpose::Setup, &token, now).await;
            found.unwrap().is_some()
        };
        assert!(good(1_000 + DAY - 1).await && !good(1_000 + DAY).await);
        assert_eq!(sweep(&db, 1_000 + 2 * DAY).await.unwrap(), 0);
        assert_eq!(sweep(&db, 1_000 + 2 * DAY + 1).await.unwrap(), 1);
        assert_eq!(sweep(&db, 1_000 + 2 * DAY + 1).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_link_works_once_and_for_its_purpose() {
        let db = database().await;
        let token = make_setup(&db, 1_000).await.unwrap();
        assert!(
            look(&db, LinkPurpose::Reset, &token, 1_001)
                .await
                .unwrap()
                .is_none()
        );
        assert!(
            look(&db, LinkPurpose::Setup, &token, 1_001)
                .await
                .unwrap()
                .is_some()
        );
        let tx = db.begin().await.unwrap();
        assert!(
            spend(&tx, LinkPurpose::Reset, &token, 1_001)
                .await
                .unwrap()
                .is_none()
        );
        assert!(
            spend(&tx, LinkPurpose::Setup, &token, 1_001)
                .await
                .unwrap()
                .is_some()
        );
        assert!(
            spend(&tx, LinkPurpose::Setup, &token, 1_001)
                .await
                .unwrap()
                .is_none()
        );
        tx.commit().await.unwrap();
        assert!(
            look(&db, LinkPurpose::Setup, &token, 1_001)
                .await
                .unwrap()
                .is_none()
        );
        assert!(was_spent(&db, &token).await.unwrap());
        assert!(!was_spent(&db, &Token::new()).await.unwrap());
    }

    #[tokio::test]
    async fn a_link_ends_with_its_hour_and_with_the_next_link() {
        let db = database().await;
        let first = make_setup(&db, 1_000).await.unwrap();
        let second = make_setup(&db, 1_000).await.unwrap();
        assert!(
            look(&db, LinkPurpose::Setup, &first, 1_001)
                .await
                .unwrap()
                .is_none()
        );
        let last = 1_000 + 24 * 3600;
        assert!(
            look(&db, LinkPurpose::Setup, &second, last - 1)
                .await
                .unwrap()
                .is_some()
        );
        assert!(
            look(&db, LinkPurpose::Setup, &second, last)
                .await
                .unwrap()
                .is_none()
        );
    }

    #[tokio::test]
    async fn the_table_does_not_hold_what_the_link_carries() {
        let db = database().await;
        let token = make_setup(&db, 1_000).await.unwrap();
        let rows = db
            .query("SELECT token_hash FROM dewar_links", [])
            .await
            .unwrap();
        let stored: Vec<u8> = rows[0].get(0).unwrap();
        assert_eq!(stored, token.hash());
        assert!(
            !token
                .reveal()
                .contains(&data_encoding::BASE64URL_NOPAD.encode(&stored))
        );
    }
}
