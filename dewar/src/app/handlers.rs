use crate::pages::HandlerOutput;

/// A handler whose answer is an [`HandlerOutput`]: what `get` and `post` ask beside axum's own `Handler`.
///
/// It is there for every async function of up to twelve arguments. Nobody can implement it by hand: a handler of another
/// kind need not take the arguments that it names, and so not check the token that one of them would.
///
/// ```
/// async fn hello() -> &'static str { "Hello" }
/// let route: dewar::app::Route = dewar::get("/", hello);
/// # drop(route);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler whose answer is known",
    note = "a handler is an `async fn` that returns `Page`, `Redirect`, `Json<T>`, `Text`, `Download`, `&'static str` \
            or a `dewar::Result` of one of these"
)]
pub trait HandlerFn<Arguments> {
    #[doc(hidden)]
    fn is_a_function(_: sealed::Known);
}

mod sealed {
    /// It cannot be named from outside, so the method that takes it cannot be written there.
    #[derive(Debug)]
    #[expect(unnameable_types, reason = "a trait that nobody else can implement")]
    pub enum Known {}
}

macro_rules! answers {
    ($(($($argument:ident),*);)*) => {$(
        impl<F, Fut, Res, M, $($argument),*> HandlerFn<(M, $($argument,)*)> for F
        where
            F: FnOnce($($argument),*) -> Fut,
            Fut: Future<Output = Res>,
            Res: HandlerOutput,
        {
            fn is_a_function(_: sealed::Known) {}
        }
    )*};
}

// No argument is a case of its own: axum writes its tuple as `((),)`.
impl<F, Fut, Res> HandlerFn<((),)> for F
where
    F: FnOnce() -> Fut,
    Fut: Future<Output = Res>,
    Res: HandlerOutput,
{
    fn is_a_function(_: sealed::Known) {}
}

answers! {
    (A);
    (A, B);
    (A, B, C);
    (A, B, C, D);
    (A, B, C, D, E);
    (A, B, C, D, E, G);
    (A, B, C, D, E, G, H);
    (A, B, C, D, E, G, H, I);
    (A, B, C, D, E, G, H, I, J);
    (A, B, C, D, E, G, H, I, J, K);
    (A, B, C, D, E, G, H, I, J, K, L);
    (A, B, C, D, E, G, H, I, J, K, L, N);
}
