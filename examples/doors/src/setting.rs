//! A section of `dewar.toml`, typed and checked at start.

use dewar::pages::Text;
use dewar::{App, Settings, get};

#[derive(Settings)]
#[settings(section = "shop")]
struct Shop {
    /// The greeting on the front page.
    #[setting(default = 3, min = 1, max = 10)]
    offers: u32,
}

async fn index(settings: Settings<Shop>) -> Text {
    Text::new(format!("{} offers today", settings.offers))
}

pub fn app(app: App) -> App {
    app.settings::<Shop>().public([get("/", index)])
}

#[cfg(test)]
mod tests {
    use dewar::App;
    use dewar::testing::Site;

    #[tokio::test]
    async fn a_setting_has_a_default_and_bounds() {
        let site = Site::start(super::app).await;
        assert_eq!(site.visitor().get("/").await.text(), "3 offers today");
        let site = Site::start_with([("DEWAR_SHOP_OFFERS", "5")], super::app).await;
        assert_eq!(site.visitor().get("/").await.text(), "5 offers today");
        let directory = std::env::temp_dir();
        let app = App::in_directory_with(directory, [("DEWAR_SHOP_OFFERS", "11")]).unwrap();
        assert!(super::app(app).start().await.is_err());
    }
}
