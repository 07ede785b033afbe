use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};
use redis::{RedisError, TlsCertificates};

use self::scripts::Scripts;
use super::{Charge, Charged, SessionStore, StoredValue, ValueWrite, WriteOutcome};
use crate::audit::peer_text;
use crate::database::{Address, Host, ServerTls};
use crate::sessions::record::{Hash, Live, New, Renewal, SessionId, SessionInfo, SessionLookup};
use crate::sessions::{Error, UserId};

mod scripts;

/// How long Dewar waits for a connection, and for a response.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 600 } else { 2 });
/// If no sweep runs, remaining keys expire after this time: no session may last longer than a day.
const LEFT_FOR: i64 = 25 * 3600;
/// At most this many sessions are ended at once, because the server does nothing else meanwhile.
const AT_ONCE: i64 = 500;
/// The most sessions of one read.
const FOUND_AT_ONCE: usize = 500;

/// Sessions in Redis or Valkey. Each change is one script, which the server runs alone.
///
/// Its keys begin with `{dewar}:`. `t:<hash>` is the id of a token, `s:<id>` a session, `v:<id>` its values, `u:<user>`
/// the ids of a user, `seen` and `created` all ids by time, `r:<hash>` the count of a rate limit.
pub(super) struct InRedis {
    connection: ConnectionManager,
    scripts: Scripts,
}

impl InRedis {
    pub(super) async fn open(address: &Address) -> Result<Self, Error> {
        let client = client(address)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE))
            .set_number_of_retries(1);
        let connection = ConnectionManager::new_with_config(client, config)
            .await
            .map_err(unreachable)?;
        Ok(Self {
            connection,
            scripts: Scripts::new(),
        })
    }

    async fn end_some(&self, seen_before: &str, created_before: &str) -> Result<u64, Error> {
        let mut all = 0;
        loop {
            let ended: u64 = self
                .scripts
                .sweep
                .arg(seen_before)
                .arg(created_before)
                .arg(AT_ONCE)
                .invoke_async(&mut self.connection.clone())
                .await
                .map_err(unreachable)?;
            all += ended;
            if ended == 0 {
                return Ok(all);
            }
        }
    }
}

impl std::fmt::Debug for InRedis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InRedis")
    }
}

fn client(address: &Address) -> Result<Client, Error> {
    let place = match (&address.host, address.tls) {
        (Host::Socket(path), _) => ConnectionAddr::Unix(path.clone()),
        (Host::Named(host), ServerTls::Local) => ConnectionAddr::Tcp(host.clone(), address.port),
        (Host::Named(host), ServerTls::Verified) => ConnectionAddr::TcpTls {
            host: host.clone(),
            port: address.port,
            insecure: false,
            tls_params: None,
        },
    };
    let mut who = RedisConnectionInfo::default();
    if let Some(number) = &address.database {
        let strange = |_| Error::Unreachable(format!("the database {number} does not exist"));
        who = who.set_db(number.parse().map_err(strange)?);
    }
    if let Some(user) = &address.user {
        who = who.set_username(user);
    }
    let password = address.password();
    if let Some(password) = password.map_err(|why| Error::Unreachable(why.to_string()))? {
        who = who.set_password(password.expose());
    }
    let info: ConnectionInfo = place.into_connection_info().map_err(unreachable)?;
    let info = info.set_redis_settings(who);
    match (&address.ca_file, address.tls) {
        (Some(file), ServerTls::Verified) => {
            let pem = std::fs::read(file)
                .map_err(|why| Error::Unreachable(format!("{}: {why}", file.display())))?;
            let trusted = TlsCertificates {
                client_tls: None,
                root_cert: Some(pem),
            };
            Client::build_with_tls(info, trusted).map_err(unreachable)
        }
        _ => Client::open(info).map_err(unreachable),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "`map_err` passes it by value"
)]
fn unreachable(error: RedisError) -> Error {
    Error::Unreachable(peer_text(&error))
}

fn hex(bytes: &[u8; 32]) -> String {
    HEXLOWER.encode(bytes)
}

fn bytes_of(text: &str) -> Result<[u8; 32], Error> {
    let bytes = HEXLOWER.decode(text.as_bytes()).ok();
    let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.ok_or_else(|| Error::Strange("an id".to_owned()))
}

fn id_of(text: &str) -> Result<SessionId, Error> {
    bytes_of(text).map(SessionId::of)
}

/// A session as its script returns it: id, user, generation, three times and the roles.
type Found = (String, i64, i64, i64, i64, i64, String);

fn looked_up(found: Found) -> Result<SessionLookup, Error> {
    let (id, user, generation, created_at, seen_at, proved_at, roles) = found;
    let live = Live {
        id: id_of(&id)?,
        user: UserId::new(user),
        generation,
        created_at,
        seen_at,
        proved_at,
        roles,
    };
    Ok(SessionLookup { live, person: None })
}

#[async_trait]
impl SessionStore for InRedis {
    async fn begin(&self, new: &New, most: u32) -> Result<u64, Error> {
        let live = &new.live;
        let ended: i64 = self
            .scripts
            .begin
            .arg(hex(&new.token_hash))
            .arg(hex(live.id.bytes()))
            .arg(live.user.get())
            .arg(live.generation)
            .arg(live.created_at)
            .arg(live.seen_at)
            .arg(live.proved_at)
            .arg(&live.roles)
            .arg(&new.device)
            .arg(&new.address)
            .arg(most)
            .arg(LEFT_FOR)
            .invoke_async(&mut self.connection.clone())
            .await
            .map_err(unreachable)?;
        u64::try_from(ended).map_err(|_| Error::Collision)
    }

    async fn find(&self, token: &Hash) -> Result<Option<SessionLookup>, Error> {
        let found: Option<Found> = self
            .scripts
            .find
            .arg(hex(token))
            .invoke_async(&mut self.connection.clone())
            .await
            .map_err(unreachable)?;
        found.map(looked_up).transpose()
    }

    async fn find_all(&self, tokens: &[Hash]) -> Result<HashMap<Hash, SessionLookup>, Error> {
        type Row = (String, String, i64, i64, i64, i64, i64, String);
        let mut all = HashMap::new();
        for tokens in tokens.chunks(FOUND_AT_ONCE) {
            let mut call = self.scripts.find_all.prepare_invoke();
            for token in tokens {
                call.arg(hex(token));
            }
            let rows: Vec<Row> = call
                .invoke_async(&mut self.connection.clone())
                .await
                .map_err(unreachable)?;
            for (token, id, user, generation, created_at, seen_at, proved_at, roles) in rows {
                let row = (id, user, generation, created_at, seen_at, proved_at, roles);
                all.insert(bytes_of(&token)?, looked_up(row)?);
            }
        }
        Ok(all)
    }

    async fn touch(&self, token: &Hash, now: i64) -> Result<(), Error> {
        self.scripts
            .touch
            .arg(hex(token))
            .arg(now)
            .invoke_async(&mut self.connection.clone())
            .await
            .map_err(unreachable)
    }

    async fn renew(&self, token: &Hash, renewal: &Renewal) -> Result<bool, Error> {
        let done: i64 = self
            .scripts
            .renew
            .arg(hex(token))
            .arg(hex(&renewal.token_hash))
            .arg(renewal.generation)
            .arg(renewal.seen_at)
            .arg(renewal.proved_at)
            .arg(&renewal.roles)
            .arg(LEFT_FOR)
            .invoke_async(&mut self.connection.clone())
            .await
            .map_err(unreachable)?;
        if done < 0 {
            return Err(Error::Collision);
        }
        Ok(done == 1)
    }

    async fn end(&self, user: UserId, id: &SessionId) -> Result<bool, Error> {
        self.scripts
            .end
            .arg(user.get())
            .arg(hex(id.bytes()))
            .invoke_async(&mut self.connection.clone())
            .await
            .map_err(unreachable)
    }

    async fn end_all_of(&self, user: UserId, but: Option<&SessionId>) -> Result<u64, Error> {
        self.scripts
            .end_all_of
            .arg(user.get())
            .arg(but.map_or_else(String::new, |id| hex(id.bytes())))
            .invoke_async(&mut self.connection.clone())
            .await
            .map_err(unreachable)
    }

    async fn end_everyone(&self) -> Result<u64, Error> {
        self.end_some("+inf", "+inf").await
    }

    async fn list_of(&self, user: UserId) -> Result<Vec<SessionInfo>, Error> {
        type Row = (String, String, String, i64, i64);
        let rows: Vec<Row> = self
            .scripts
            .list_of
            .arg(user.get())
            .invoke_async(&mut self.connection.clone())
            .await
            .map_err(unreachable)?;
        let mut all = Vec::new();
        for (id, device, address, created_at, seen_at) in rows {
            all.push(SessionInfo {
                id: id_of(&id)?,
                device,
                address,
                created_at,
                seen_at,
            });
        }
        all.sort_by_key(|one| std::cmp::Reverse((one.seen_at, one.created_at)));
        Ok(all)
    }

    async fn value(&self, id: &SessionId, name: &str) -> Result<Option<StoredValue>, Error> {
        let kept: Option<String> = redis::cmd("HGET")
            .arg(format!("{{dewar}}:v:{}", hex(id.bytes())))
            .arg(name)
            .query_async(&mut self.connection.clone())
            .await
            .map_err(unreachable)?;
        let Some(kept) = kept else { return Ok(None) };
        let (version, json) = kept
            .split_once(' ')
            .and_then(|(version, json)| Some((version.parse().ok()?, json.to_owned())))
            .ok_or_else(|| Error::Strange("a value".to_owned()))?;
        Ok(Some(StoredValue { version, json }))
    }

    async fn keep(
        &self,
        id: &SessionId,
        name: &str,
        change: &ValueWrite,
    ) -> Result<WriteOutcome, Error> {
        let version = |version: i64| version.to_string();
        let after = change.after.as_ref();
        let done: i64 = self
            .scripts
            .keep
            .arg(hex(id.bytes()))
            .arg(name)
            .arg(change.before.map_or_else(String::new, version))
            .arg(after.map_or_else(String::new, |kept| {
                format!("{} {}", kept.version, kept.json)
            }))
            .arg(change.most)
            .arg(LEFT_FOR)
            .invoke_async(&mut self.connection.clone())
            .await
            .map_err(unreachable)?;
        match done {
            0 => Ok(WriteOutcome::Written),
            1 => Ok(WriteOutcome::Changed),
            2 => Ok(WriteOutcome::Ended),
            3 => Ok(WriteOutcome::Full),
            other => Err(Error::Strange(other.to_string())),
        }
    }

    async fn sweep(&self, seen_before: i64, created_before: i64) -> Result<u64, Error> {
        self.end_some(&format!("({seen_before}"), &format!("({created_before}"))
            .await
    }
    async fn charge(&self, charge: &Charge) -> Result<Charged, Error> {
        let (admitted, empty_at): (i64, i64) = self
            .scripts
            .charge
            .arg(hex(&charge.key))
            .arg(charge.now)
            .arg(charge.interval)
            .arg(charge.owed_cost())
            .arg(charge.room)
            .arg(charge.furthest)
            .invoke_async(&mut self.connection.clone())
            .await
            .map_err(unreachable)?;
        Ok(match admitted {
            1 => Charged::Admitted { empty_at },
            _ => Charged::Refused { empty_at },
        })
    }

    /// The server forgets them by itself.
    async fn sweep_counts(&self, _now: i64) -> Result<u64, Error> {
        Ok(0)
    }
}
