//! What pages may load from other sites, said once for the application or for one route.

use super::{App, Route};
use crate::audit::{Finding, Practice};
use crate::https::{Directive, Weakening};
use crate::pages::Danger;

macro_rules! sources {
    ($($(#[$doc:meta])* $name:ident, $directive:ident;)*) => {
        impl<S: Clone + Send + Sync + 'static> App<S> {$(
            $(#[$doc])*
            ///
            /// It holds for every page. [`Route`] has a method of the same name, for the pages of one route.
            pub fn $name(mut self, origins: impl IntoIterator<Item = &'static str>) -> Self {
                let place = concat!("`App::", stringify!($name), "`");
                self.parts.content.add(Directive::$directive, place, origins);
                self
            }
        )*}

        impl<S> Route<S> {$(
            $(#[$doc])*
            ///
            /// It holds for the pages of this route alone, beside what [`App`] allows.
            pub fn $name(mut self, origins: impl IntoIterator<Item = &'static str>) -> Self {
                let place = format!("`{}` of {self:?}", stringify!($name));
                self.described.content.add(Directive::$directive, &place, origins);
                self
            }
        )*}
    };
}

sources! {
    /// Lets pages call these origins from scripts, by `fetch` and by WebSocket (`wss://`).
    ///
    /// ```
    /// # fn mounted(app: dewar::App) -> dewar::App {
    /// app.connect_to(["https://api.example.com", "wss://live.example.com"])
    /// # }
    /// ```
    connect_to, Connections;
    /// Lets pages load fonts from these origins.
    ///
    /// ```
    /// # fn mounted(app: dewar::App) -> dewar::App {
    /// app.fonts_from(["https://fonts.example.com"])
    /// # }
    /// ```
    fonts_from, Fonts;
    /// Lets pages show these origins in frames. A frame of another site runs with that site's rights, in a window of its own
    /// within the page. The page loses `Cross-Origin-Embedder-Policy`, which few framed sites obey.
    ///
    /// ```
    /// # async fn pay() -> dewar::Page { dewar::Page::new("pay.html") }
    /// # fn mounted(app: dewar::App) -> dewar::App {
    /// app.signed_in([dewar::get("/pay", pay).frames_from(["https://pay.example.com"])])
    /// # }
    /// ```
    frames_from, Frames;
    /// Lets pages load pictures from these origins.
    ///
    /// ```
    /// # fn mounted(app: dewar::App) -> dewar::App {
    /// app.images_from(["https://tiles.example.com"])
    /// # }
    /// ```
    images_from, Images;
    /// Lets these origins show the page in a frame. They can then hide it and lead clicks onto it (clickjacking, CWE-1021), so the
    /// page should change nothing. In a frame of another site its visitors are signed out, because browsers do not send the session's
    /// cookie there; in one of the same site (another host of your domain) they are signed in. The start warns about a route that is
    /// no `GET` under `public`.
    ///
    /// ```
    /// # async fn badge() -> dewar::Page { dewar::Page::new("badge.html") }
    /// # fn mounted(app: dewar::App) -> dewar::App {
    /// app.public([dewar::get("/badge", badge).may_be_framed_by(["https://partner.example"])])
    /// # }
    /// ```
    may_be_framed_by, FramedBy;
    /// Lets pages load scripts from these origins, each with the page's nonce: `<script src="…" nonce="{{ nonce }}"
    /// integrity="…">`. Such a script can do everything that its reader can do. `integrity` binds it to the bytes that you have
    /// read.
    ///
    /// ```
    /// # fn mounted(app: dewar::App) -> dewar::App {
    /// app.scripts_from(["https://cdn.example.com"])
    /// # }
    /// ```
    scripts_from, Scripts;
    /// Lets pages load style sheets from these origins. A style sheet can read what is on a page, by its selectors.
    ///
    /// ```
    /// # fn mounted(app: dewar::App) -> dewar::App {
    /// app.styles_from(["https://cdn.example.com"])
    /// # }
    /// ```
    styles_from, Styles;
}

macro_rules! weakenings {
    ($($(#[$doc:meta])* $name:ident, $weakening:ident;)*) => {
        impl<S: Clone + Send + Sync + 'static> App<S> {$(
            $(#[$doc])*
            ///
            /// It holds for every page; take the method of [`Route`] for a single one. The audit reports the reason.
            pub fn $name(mut self, reason: &'static str) -> Self {
                self.parts.content.weaken(Weakening::$weakening);
                self.parts.findings.push(weakened(stringify!($name), reason));
                self
            }
        )*}

        impl<S> Route<S> {$(
            $(#[$doc])*
            ///
            /// It holds for the pages of this route alone. The audit reports the reason.
            pub fn $name(mut self, reason: &'static str) -> Self {
                self.described.content.weaken(Weakening::$weakening);
                self.described.dangers.push(Danger::by(stringify!($name), reason));
                self
            }
        )*}
    };
}

weakenings! {
    /// Lets pages run scripts that stand in their HTML, also those that somebody injects (cross-site scripting, CWE-79). The nonce
    /// and `strict-dynamic` go. You then owe that no visitor's text is markup in a page.
    ///
    /// ```
    /// # async fn old() -> dewar::Page { dewar::Page::new("old.html") }
    /// let route: dewar::app::Route = dewar::get("/old", old)
    ///     .dangerous_inline_scripts("the old editor writes its own handlers; no visitor's text is on its page");
    /// # drop(route);
    /// ```
    dangerous_inline_scripts, InlineScripts;
    /// Lets pages use `style` attributes and `<style>` elements, also those that somebody injects: they can hide and move parts of
    /// the page, and read its values by selectors.
    ///
    /// ```
    /// # async fn chart() -> dewar::Page { dewar::Page::new("chart.html") }
    /// let route: dewar::app::Route = dewar::get("/chart", chart)
    ///     .dangerous_inline_styles("the chart library sets the places of its bars");
    /// # drop(route);
    /// ```
    dangerous_inline_styles, InlineStyles;
    /// Lets scripts write text into the page as markup (`innerHTML`). You then owe that no script does so with a visitor's text
    /// (DOM-based cross-site scripting, CWE-79).
    ///
    /// ```
    /// # async fn map() -> dewar::Page { dewar::Page::new("map.html") }
    /// let route: dewar::app::Route = dewar::get("/map", map)
    ///     .dangerous_without_trusted_types("the map library writes its own controls as markup");
    /// # drop(route);
    /// ```
    dangerous_without_trusted_types, NoTrustedTypes;
}

/// The finding about a weakening of the whole application.
fn weakened(name: &str, reason: &str) -> Finding {
    let title = format!("every page is weakened by `{name}`: {reason}");
    Finding::warn(Practice::Audit, "audit-dangerous", title)
        .why("Dewar does not check it; the application gives this reason")
        .fix("check whether the reason is still true, or weaken the one route that needs it")
}
