//! The rows of second factors.
use super::recovery_code::RecoveryCode;
use crate::database::{Db, Error, Sealed, SealedColumn, Tx};
use crate::sessions::UserId;

/// The secret of an authenticator app, sealed for its owner.
pub(crate) const SECRET: SealedColumn =
    SealedColumn::new("dewar_factors", "secret").bound_to("user_id");

/// An authenticator app of a user.
pub(super) struct TotpRow {
    pub(super) id: String,
    pub(super) secret: Sealed,
}

/// The authenticator app of a user.
pub(super) async fn totp_of(db: &Db, user: UserId) -> Result<Option<TotpRow>, Error> {
    let find = "SELECT id, secret FROM dewar_factors WHERE user_id = ?1 AND kind = 'totp'";
    let rows = db.query(find, [user.into()]).await?;
    let row = rows.first().map(|row| {
        Ok(TotpRow {
            id: row.get(0)?,
            secret: Sealed::of_column(row.get(1)?),
        })
    });
    row.transpose()
}

/// Uses up a step. False if this step or a later one was used before: of two requests with one code, on one node or on two, the
/// database lets one through (RFC 6238, 5.2; ASVS 6.5.1).
pub(super) async fn spend_step(db: &Db, id: &str, step: i64, now: i64) -> Result<bool, Error> {
    let spend =
        "UPDATE dewar_factors SET last_step = ?1, used_at = ?2 WHERE id = ?3 AND last_step < ?1";
    let spent = db
        .execute(spend, [step.into(), now.into(), id.into()])
        .await?;
    Ok(spent == 1)
}

/// Stores an authenticator app, whose first code is used up. False if the user has one already.
pub(super) async fn add_totp(
    tx: &Tx,
    (id, user): (&str, UserId),
    secret: &Sealed,
    (step, now): (i64, i64),
) -> Result<bool, Error> {
    let add =
        "INSERT INTO dewar_factors (id, user_id, kind, secret, last_step, created_at, used_at)
        VALUES (?1, ?2, 'totp', ?3, ?4, ?5, ?5) ON CONFLICT DO NOTHING";
    let values = [
        id.into(),
        user.into(),
        secret.clone().into(),
        step.into(),
        now.into(),
    ];
    Ok(tx.execute(add, values).await? == 1)
}

/// Notes beside the account whether it has a factor: each request reads this together with the session.
pub(super) async fn note(tx: &Tx, user: UserId, since: Option<i64>) -> Result<(), Error> {
    let set = "UPDATE dewar_users SET second_factor_at = ?1 WHERE id = ?2";
    tx.execute(set, [since.into(), user.into()]).await.map(drop)
}

/// Removes every factor and recovery code of a user. Returns how many factors there were.
pub(super) async fn remove_all(tx: &Tx, user: UserId) -> Result<u64, Error> {
    let codes = "DELETE FROM dewar_recovery_codes WHERE user_id = ?1";
    tx.execute(codes, [user.into()]).await?;
    let factors = "DELETE FROM dewar_factors WHERE user_id = ?1";
    tx.execute(factors, [user.into()]).await
}

/// Replaces a user's recovery codes.
pub(super) async fn replace_codes(
    tx: &Tx,
    user: UserId,
    codes: &[RecoveryCode],
) -> Result<(), Error> {
    let remove = "DELETE FROM dewar_recovery_codes WHERE user_id = ?1";
    tx.execute(remove, [user.into()]).await?;
    for code in codes {
        let add = "INSERT INTO dewar_recovery_codes (user_id, code_hash) VALUES (?1, ?2)";
        let hash = code.hash(user).to_vec();
        tx.execute(add, [user.into(), hash.into()]).await?;
    }
    Ok(())
}

/// Uses up a recovery code. False if there is none, or another request used it first.
pub(super) async fn spend_code(tx: &Tx, user: UserId, code: &RecoveryCode) -> Result<bool, Error> {
    let spend = "DELETE FROM dewar_recovery_codes WHERE user_id = ?1 AND code_hash = ?2";
    let hash = code.hash(user).to_vec();
    Ok(tx.execute(spend, [user.into(), hash.into()]).await? == 1)
}

/// How many recovery codes a user has left.
pub(super) async fn codes_left(db: &Db, user: UserId) -> Result<i64, Error> {
    let count = "SELECT count(*) FROM dewar_recovery_codes WHERE user_id = ?1";
    let rows = db.query(count, [user.into()]).await?;
    rows.first().map_or(Ok(0), |row| row.get(0))
}
