//! A connection that leaves HTTP/1.1 with the response 101 (RFC 9110, 7.8).
//!
//! The task of the connection does the work that comes after it, so the connection keeps its place among those of the listener
//! and of its address, and the stop waits for it. Once a head asks for WebSocket, nothing behind it is read as HTTP before the
//! response is known: the same bytes could be a frame or a request (CWE-444).

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use axum::http::{Request, Response, StatusCode};
use hyper::upgrade::OnUpgrade;
use tokio::io::{AsyncRead, AsyncWrite};

/// The bytes of a connection after HTTP.
pub(crate) trait UpgradedBytes: AsyncRead + AsyncWrite + Send + Unpin {}

impl<I: AsyncRead + AsyncWrite + Send + Unpin> UpgradedBytes for I {}

/// A connection after HTTP.
pub(crate) type UpgradedStream = Box<dyn UpgradedBytes>;

type Work = Box<dyn FnOnce(UpgradedStream) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send>;

/// In the extensions of a request whose connection can leave HTTP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UpgradeOffer;

/// The work after the response 101, in its extensions.
#[derive(Clone)]
pub(crate) struct UpgradeWork(Arc<Mutex<Option<Work>>>);

impl UpgradeWork {
    pub(crate) fn new<F: Future<Output = ()> + Send + 'static>(
        work: impl FnOnce(UpgradedStream) -> F + Send + 'static,
    ) -> Self {
        let work: Work = Box::new(move |stream| Box::pin(work(stream)));
        Self(Arc::new(Mutex::new(Some(work))))
    }

    fn take(&self) -> Option<Work> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The upgrade of one connection: the reader of heads, the requests and the task of the connection share it.
#[derive(Clone, Default)]
pub(crate) struct Upgrade(Arc<Mutex<UpgradeState>>);

#[derive(Default)]
enum UpgradeState {
    /// The next bytes are HTTP.
    #[default]
    Http,
    /// This request of the connection, counted from zero, asks for an upgrade, and its response is not known.
    Asked {
        request: usize,
        reader: Option<Waker>,
    },
    /// The response is 101.
    Granted(Option<(OnUpgrade, Work)>),
}

impl Upgrade {
    /// A head asks for an upgrade.
    pub(super) fn ask(&self, request: usize) {
        *self.state() = UpgradeState::Asked {
            request,
            reader: None,
        };
    }

    /// Waits until the next bytes are HTTP again; for ever after an upgrade.
    pub(super) fn poll_http(&self, context: &Context<'_>) -> Poll<()> {
        match &mut *self.state() {
            UpgradeState::Http => Poll::Ready(()),
            UpgradeState::Asked { reader, .. } => {
                *reader = Some(context.waker().clone());
                Poll::Pending
            }
            UpgradeState::Granted(_) => Poll::Pending,
        }
    }

    /// What the connection does after HTTP, if a response has granted it.
    pub(super) fn granted(&self) -> Option<(OnUpgrade, Work)> {
        match &mut *self.state() {
            UpgradeState::Granted(granted) => granted.take(),
            UpgradeState::Asked { .. } | UpgradeState::Http => None,
        }
    }

    /// Offers the upgrade to the handler of the request that asks for it. hyper's own handle goes to nobody: a connection that is
    /// taken out of its task would no longer count.
    pub(super) fn offer<B>(&self, request: &mut Request<B>, number: usize) -> Option<Offered> {
        let on_upgrade = request.extensions_mut().remove::<OnUpgrade>();
        match &*self.state() {
            UpgradeState::Asked { request: asks, .. } if *asks == number => {}
            UpgradeState::Asked { .. } | UpgradeState::Granted(_) | UpgradeState::Http => {
                return None;
            }
        }
        if on_upgrade.is_some() {
            request.extensions_mut().insert(UpgradeOffer);
        }
        Some(Offered {
            upgrade: self.clone(),
            on_upgrade,
        })
    }

    fn state(&self) -> MutexGuard<'_, UpgradeState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Upgrade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Upgrade")
    }
}

/// An upgrade whose response is awaited.
pub(super) struct Offered {
    upgrade: Upgrade,
    on_upgrade: Option<OnUpgrade>,
}

impl Offered {
    /// Takes the decision from the response.
    pub(super) fn decide<B>(self, response: &mut Response<B>) {
        let work = response.extensions_mut().remove::<UpgradeWork>();
        let work = work.and_then(|work| work.take());
        let is_granted = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let granted = self.on_upgrade.zip(work).filter(|_| is_granted);
        let next = match granted {
            Some(granted) => UpgradeState::Granted(Some(granted)),
            None => UpgradeState::Http,
        };
        let before = std::mem::replace(&mut *self.upgrade.state(), next);
        if let UpgradeState::Asked {
            reader: Some(reader),
            ..
        } = before
        {
            reader.wake();
        }
    }
}
