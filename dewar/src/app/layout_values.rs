//! The values that the application gives to every page.

use serde::Serialize;

use super::{App, Dewar};
use crate::audit::{Finding, Practice};
use crate::pages::{JsonSchema, LayoutType};

impl<S> App<S> {
    /// Gives the templates of every page values of the application, as `layout`: the framework's own pages and error pages have them too
    /// (the context processor of Flask). Dewar makes them once, at the start, so no page reads the database for them.
    ///
    /// The start compares every use of `layout` in a template with the struct. A secret is no value of it, because it has no
    /// `Serialize`.
    ///
    /// ```
    /// use dewar::App;
    /// use dewar::pages::JsonSchema;
    /// #[derive(serde::Serialize, JsonSchema)]
    /// struct Layout { desk: String }                  // {{ layout.desk }}
    /// fn app(app: App) -> App {
    ///     app.layout_values(|_dewar| Layout { desk: "Help desk".to_owned() })
    /// }
    /// # let app = app(App::in_directory(std::env::temp_dir())?);
    /// # Ok::<(), dewar::Error>(())
    /// ```
    /// ```compile_fail
    /// #[derive(serde::Serialize, dewar::pages::JsonSchema)]
    /// struct Layout { key: dewar::secrets::Secret<String> }
    /// ```
    pub fn layout_values<T: Serialize + JsonSchema + Send + 'static>(
        mut self,
        make: impl FnOnce(&Dewar) -> T + Send + 'static,
    ) -> Self {
        if self.parts.layout.replace(LayoutType::of::<T>()).is_some() {
            let title = "`layout_values` is called twice";
            self.parts.findings.push(
                Finding::refuse(Practice::Pages, "pages-layout-twice", title)
                    .why("a template could get either value as `layout`")
                    .fix("give all values in one struct"),
            );
            return self;
        }
        self.shared.add_layout(make);
        self
    }
}
