use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::error::Error;

#[cfg(test)]
type Answers = Arc<dyn Fn(&str) -> Vec<IpAddr> + Send + Sync>;

/// Who says which addresses a name has.
#[derive(Clone, Default)]
pub(super) enum Resolver {
    /// The operating system.
    #[default]
    System,
    /// A test.
    #[cfg(test)]
    Test(Answers),
}

impl Resolver {
    /// All addresses of a name, asked for once.
    ///
    /// The system's look-up blocks a thread to its end, also where nobody waits for it any more. Its permit is held as long, so
    /// names that never resolve take no more threads than there are permits.
    pub(super) async fn addresses(
        &self,
        host: &str,
        lookups: &Arc<Semaphore>,
    ) -> Result<Vec<IpAddr>, Error> {
        let permit = Arc::clone(lookups).acquire_owned().await;
        let permit = permit.map_err(|_| Error::Busy)?;
        let (resolver, host) = (self.clone(), host.to_owned());
        let looked_up = tokio::spawn(async move {
            let _permit = permit;
            resolver.look_up(host).await
        });
        let found = looked_up.await.map_err(io::Error::other);
        found.flatten().map_err(Error::Resolve)
    }

    async fn look_up(self, host: String) -> io::Result<Vec<IpAddr>> {
        match self {
            Self::System => {
                let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            }
            #[cfg(test)]
            Self::Test(answers) => tokio::task::spawn_blocking(move || answers(&host))
                .await
                .map_err(io::Error::other),
        }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}
