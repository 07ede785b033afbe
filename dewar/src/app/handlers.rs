use axum::extract::{FromRequest, FromRequestParts};
use axum::handler::Handler;
use axum::response::IntoResponse;

use crate::pages::{Danger, HandlerOutput, Outputs, Sealed};

/// A handler whose output is a [`HandlerOutput`]: `get` and `post` require it beside axum's own `Handler`.
///
/// Every async function of up to twelve arguments implements it. Nobody can implement it by hand: another kind of handler
/// could leave out the arguments that it names, and with them the check of the token.
///
/// ```
/// async fn hello() -> &'static str { "Hello" }
/// let route: dewar::app::Route = dewar::get("/", hello);
/// # drop(route);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler with a known return type",
    note = "a handler is an `async fn` that returns `Page`, `Redirect`, `Json<T>`, `Text`, `Download`, `&'static str` \
            or a `dewar::Result` of one of these"
)]
pub trait HandlerFn<Arguments> {
    /// The weakenings that its output brings.
    #[doc(hidden)]
    fn dangers(_: Sealed) -> Vec<Danger>;

    /// The origins of other sites that its output may redirect to.
    #[doc(hidden)]
    fn redirects_to(_: Sealed) -> &'static [&'static str];

    /// The answers of its output.
    #[doc(hidden)]
    fn outputs(_: Sealed) -> Outputs;
}

/// A function that axum can call: an `async fn` whose inputs are read from the request in order.
///
/// The trait exists for its compiler message. Only functions that axum calls are mountable.
///
/// ```
/// fn is_mountable<T, H: dewar::app::Mountable<T, ()>>(_: H) {}
/// async fn hello() -> &'static str { "Hello" }
/// is_mountable(hello);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be mounted as a handler",
    label = "not an `async fn` that takes its arguments from a request",
    note = "a form reads the body, so it must be the last argument: `async fn save(db: Db, form: Form<Note>) -> …`",
    note = "a form is taken as `Form<T>`, never as `Option<Form<T>>` or `Result<Form<T>, _>`: nothing goes on after a failed check",
    note = "every other argument is read from the head: `Db`, `CurrentUser`, `Query<T>`, `Path<i64>`, `Scoped<Mine>`, …; a handler has at most twelve",
    note = "it returns `Page`, `Redirect`, `Json<T>`, `Text`, `Download`, `&'static str` or a `dewar::Result` of one of these",
    note = "the future must be `Send`: hold no `Rc`, `RefCell` or lock guard across an `.await`",
    note = "to see the exact reason, put `#[axum::debug_handler]` on the function for a moment"
)]
pub trait Mountable<T, S>: Handler<T, S> {}

// The bounds are those of axum's own implementation for functions, so that no other implementation of `Handler` is mountable.
macro_rules! answers {
    ($(($($argument:ident),*; $last:ident);)*) => {$(
        impl<F, Fut, Res, M, $($argument,)* $last> HandlerFn<(M, $($argument,)* $last,)> for F
        where
            F: FnOnce($($argument,)* $last) -> Fut,
            Fut: Future<Output = Res>,
            Res: HandlerOutput,
        {
            fn dangers(sealed: Sealed) -> Vec<Danger> {
                Res::dangers(sealed)
            }

            fn redirects_to(sealed: Sealed) -> &'static [&'static str] {
                Res::redirects_to(sealed)
            }

            fn outputs(sealed: Sealed) -> Outputs {
                let mut outputs = Outputs::default();
                Res::describe(&mut outputs, sealed);
                outputs
            }
        }

        #[diagnostic::do_not_recommend]
        impl<F, Fut, Res, S, M, $($argument,)* $last> Mountable<(M, $($argument,)* $last,), S> for F
        where
            F: FnOnce($($argument,)* $last) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = Res> + Send,
            Res: IntoResponse,
            S: Send + Sync + 'static,
            $($argument: FromRequestParts<S> + Send,)*
            $last: FromRequest<S, M> + Send,
        {
        }
    )*};
}

#[diagnostic::do_not_recommend]
impl<F, Fut, Res, S> Mountable<((),), S> for F
where
    F: FnOnce() -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Res> + Send,
    Res: IntoResponse,
{
}

// Handlers without arguments are a case of their own: axum writes their tuple as `((),)`.
impl<F, Fut, Res> HandlerFn<((),)> for F
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = Res>,
    Res: HandlerOutput,
{
    fn dangers(sealed: Sealed) -> Vec<Danger> {
        Res::dangers(sealed)
    }

    fn redirects_to(sealed: Sealed) -> &'static [&'static str] {
        Res::redirects_to(sealed)
    }

    fn outputs(sealed: Sealed) -> Outputs {
        let mut outputs = Outputs::default();
        Res::describe(&mut outputs, sealed);
        outputs
    }
}

answers! {
    (; A);
    (A; B);
    (A, B; C);
    (A, B, C; D);
    (A, B, C, D; E);
    (A, B, C, D, E; G);
    (A, B, C, D, E, G; H);
    (A, B, C, D, E, G, H; I);
    (A, B, C, D, E, G, H, I; J);
    (A, B, C, D, E, G, H, I, J; K);
    (A, B, C, D, E, G, H, I, J, K; L);
    (A, B, C, D, E, G, H, I, J, K, L; N);
}
