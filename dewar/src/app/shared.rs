use std::any::TypeId;
use std::fmt;

use axum::extract::FromRequestParts;
use http::Extensions;
use http::request::Parts;
use serde::Serialize;

use super::Dewar;
use crate::forms::{Described, FromParts, HandlerInput};
use crate::pages::{Error, LayoutValues, RequestContext, Sealed};

/// A value that [`App::share`](crate::App::share) gives to every handler that asks for it: a client, a cache, a setting.
///
/// It depends neither on the application's state type nor on the order of the calls: routes can be mounted before and after
/// `share`, and before and after `with_state`. A route that asks for a type that nobody shares refuses the start.
///
/// ```
/// use dewar::app::Shared;
/// use dewar::pages::Text;
/// use dewar::{App, get};
/// #[derive(Clone)]
/// struct Shop { currency: &'static str }
/// async fn currency(Shared(shop): Shared<Shop>) -> Text { Text::new(shop.currency) }
/// fn app(app: App) -> App {
///     app.public([get("/currency", currency)]).share(|_dewar| Shop { currency: "EUR" })
/// }
/// ```
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "a handler destructures it")]
pub struct Shared<T>(pub T);

impl<T: 'static> HandlerInput for Shared<T> {
    fn describe(route: &mut Described, _: Sealed) {
        route.need_shared(TypeId::of::<T>(), std::any::type_name::<T>());
    }
}

impl<T: 'static> FromParts for Shared<T> {}

impl<S: Sync, T: Clone + Send + Sync + 'static> FromRequestParts<S> for Shared<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        RequestContext::of(parts)?.service().cloned()
    }
}

type Make = Box<dyn FnOnce(&Dewar, &mut Extensions) + Send>;

/// The values of an application that its handlers share, before they are made.
#[derive(Default)]
pub(super) struct SharedValues(Vec<(TypeId, Make)>);

impl SharedValues {
    /// Adds a value. False if there is one of this type already.
    pub(super) fn add<T: Clone + Send + Sync + 'static>(
        &mut self,
        make: impl FnOnce(&Dewar) -> T + Send + 'static,
    ) -> bool {
        let of = TypeId::of::<T>();
        if self.types().any(|known| known == of) {
            return false;
        }
        let make: Make = Box::new(move |dewar, values| {
            values.insert(Shared(make(dewar)));
        });
        self.0.push((of, make));
        true
    }

    /// Adds the values of every page.
    pub(super) fn add_layout<T: Serialize + Send + 'static>(
        &mut self,
        make: impl FnOnce(&Dewar) -> T + Send + 'static,
    ) {
        let make: Make = Box::new(move |dewar, values| {
            values.insert(LayoutValues::of(make(dewar)));
        });
        self.0.push((TypeId::of::<LayoutValues>(), make));
    }

    pub(super) fn types(&self) -> impl Iterator<Item = TypeId> {
        self.0.iter().map(|(of, _)| *of)
    }

    pub(super) fn make(self, dewar: &Dewar) -> Extensions {
        let mut values = Extensions::new();
        for (_, make) in self.0 {
            make(dewar, &mut values);
        }
        values
    }
}

impl fmt::Debug for SharedValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedValues({})", self.0.len())
    }
}
