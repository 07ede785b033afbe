//! The application's own tower layers, in the stack's two slots.

use std::convert::Infallible;
use std::fmt;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::Either;
use tower::util::BoxCloneSyncService;
use tower::{Layer, Service, ServiceExt};

/// A service of the stack: around or inside a layer.
pub type BoxService = BoxCloneSyncService<Request, Response, Infallible>;

/// Every tower layer that an application can put into one of the stack's two slots: its service takes a request, never fails,
/// and can be cloned. It is implemented for all of them.
///
/// ```
/// use dewar::App;
/// use dewar::app::TowerLayer;
/// fn measured(app: App, layer: impl TowerLayer + Send + 'static) -> App { app.layer_outside(layer) }
/// # let _ = |app: App| measured(app, tower::layer::util::Identity::new());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer for an application's requests",
    label = "a tower layer of a `Service<Request>` that never fails",
    note = "for a function, use `axum::middleware::from_fn`; for a service that can fail, put `axum::error_handling::HandleErrorLayer` around it"
)]
pub trait TowerLayer {
    /// The layer around a service of the stack.
    #[doc(hidden)]
    fn wrap(self, inner: BoxService) -> BoxService;
}

impl<L> TowerLayer for L
where
    L: Layer<BoxService>,
    L::Service: Service<Request> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request>>::Response: IntoResponse + 'static,
    <L::Service as Service<Request>>::Error: Into<Infallible> + 'static,
    <L::Service as Service<Request>>::Future: Send + 'static,
{
    fn wrap(self, inner: BoxService) -> BoxService {
        let service = self.layer(inner);
        let service = service.map_response(IntoResponse::into_response);
        BoxCloneSyncService::new(service.map_err(Into::into))
    }
}

type Wrap = Box<dyn FnOnce(BoxService) -> BoxService + Send>;

/// The layers of one slot; the first is the outermost.
#[derive(Default)]
pub(super) struct Layers(Vec<Wrap>);

impl Layers {
    /// Adds a layer inside the existing ones.
    pub(super) fn add(&mut self, layer: impl TowerLayer + Send + 'static) {
        self.0.push(Box::new(move |inner| layer.wrap(inner)));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts all layers around a service.
    pub(super) fn around<S>(self, service: S) -> BoxService
    where
        S: Service<Request, Response = Response, Error = Infallible>
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        let layers = self.0.into_iter().rev();
        layers.fold(BoxCloneSyncService::new(service), |service, wrap| {
            wrap(service)
        })
    }
}

/// The router behind the inner layers.
#[derive(Clone, Debug)]
pub(super) enum Routes {
    Plain(Router),
    Layered(BoxService),
}

impl Routes {
    pub(super) fn new(router: Router, inside: Layers) -> Self {
        if inside.is_empty() {
            Self::Plain(router)
        } else {
            Self::Layered(inside.around(router))
        }
    }

    pub(super) fn answer(&self, request: Request) -> impl Future<Output = Response> + use<> {
        let answered = match self {
            Self::Plain(router) => Either::Left(router.clone().oneshot(request)),
            Self::Layered(service) => Either::Right(service.clone().oneshot(request)),
        };
        answered.map(|answered| {
            let Ok(response) = answered;
            response
        })
    }
}

impl fmt::Debug for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Layers({})", self.0.len())
    }
}
