//! The stores on servers.

use super::super::{StorePlace, open};
use super::servers::{self, Server};
use super::{contract, people};
use crate::database::{Address, Host, ServerTls};
use crate::sessions::Error;

fn address(server: &Server, tls: ServerTls) -> Address {
    Address {
        host: Host::Named("localhost".to_owned()),
        port: server.port,
        user: None,
        database: None,
        tls,
        password_file: Some(server.password_file()),
        ca_file: None,
    }
}

#[cfg(feature = "redis")]
pub(super) fn own_redis() -> Option<(Server, StorePlace)> {
    let server = servers::redis(false)?;
    let place = StorePlace::Redis(address(&server, ServerTls::Local));
    Some((server, place))
}

/// The finding of a start that cannot open the store.
async fn refused(place: &StorePlace) -> String {
    let findings = open(place, &people().await).await.unwrap_err();
    assert_eq!(findings[0].id, "sessions-store-open");
    format!("{findings:?}")
}

/// The server fails while the application runs: that is an error, and not a missing session.
async fn is_missed(place: &StorePlace, mut server: Server) {
    let store = open(place, &people().await).await.unwrap();
    let new = contract::new(1, 100);
    store.begin(&new, 10).await.unwrap();
    server.end();
    let lost = store.find(&new.token_hash).await;
    assert!(matches!(lost, Err(Error::Unreachable(_))), "{lost:?}");
    assert!(!format!("{lost:?}").contains(servers::PASSWORD));
}

#[cfg(feature = "redis")]
mod redis {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn redis_keeps_the_contract() {
        let Some(server) = servers::redis(false) else {
            return;
        };
        let place = StorePlace::Redis(address(&server, ServerTls::Local));
        contract::all(&open(&place, &people().await).await.unwrap()).await;
        let wrong = server.folder.path().join("wrong");
        std::fs::write(&wrong, "another password").unwrap();
        let mut stranger = address(&server, ServerTls::Local);
        stranger.password_file = Some(wrong);
        let said = refused(&StorePlace::Redis(stranger)).await;
        assert!(!said.contains("another password"), "{said}");
        is_missed(&place, server).await;
    }

    /// Anybody could run a server in between, so only a verified certificate counts.
    #[tokio::test(flavor = "multi_thread")]
    async fn redis_is_spoken_to_only_with_a_certificate_that_counts() {
        let Some(server) = servers::redis(true) else {
            return;
        };
        let mut known = address(&server, ServerTls::Verified);
        refused(&StorePlace::Redis(known.clone())).await;
        known.ca_file = Some(server.folder.path().join("authority.pem"));
        open(&StorePlace::Redis(known.clone()), &people().await)
            .await
            .unwrap();
        known.host = Host::Named("127.0.0.1".to_owned());
        refused(&StorePlace::Redis(known)).await;
        refused(&StorePlace::Redis(address(&server, ServerTls::Local))).await;
    }
}
