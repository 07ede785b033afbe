use std::fmt;
use std::io;
use std::net::IpAddr;
#[cfg(test)]
use std::sync::Arc;

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
    pub(super) async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        match self {
            Self::System => {
                let found = tokio::net::lookup_host((host, 0)).await?;
                Ok(found.map(|address| address.ip()).collect())
            }
            #[cfg(test)]
            Self::Test(answers) => Ok(answers(host)),
        }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}
