//! The comparison measures both servers in turns, so that other load on the machine hits both alike.

use std::io::{self, Write};
use std::time::Duration;

use crate::Result;
use crate::client::{Session, Site};
use crate::command::{Compare, Load, Who, Workers};
use crate::load::{Measured, WARM_UP, measure};
use crate::pages::{Asked, Has, PAGES, Page, same};
use crate::report::{Report, Round, Row};
use crate::server::Server;
use crate::world::World;

/// A server and its client.
struct Side {
    server: Server,
    site: Site,
}

/// Both servers over the same data, and a session of the portal's.
struct Both {
    bare: Side,
    portal: Side,
    session: Session,
    _world: World,
}

impl Both {
    async fn start(workers: Workers, postgres: Option<&str>) -> Result<Self> {
        let world = World::make()?;
        if let Some(url) = postgres {
            world.copy_to(url)?;
        }
        let portal = Server::portal_on(world.data(), workers, postgres)?;
        let portal = Side::new(portal, &world)?;
        let bare = Side::new(Server::bare_on(world.data(), workers, postgres)?, &world)?;
        let session = portal.site.session().await?;
        Ok(Self {
            bare,
            portal,
            session,
            _world: world,
        })
    }

    /// The page on each server that has it; if both have it, the pages are the same.
    async fn ask(&self, page: &Page) -> Result<(Option<Asked>, Option<Asked>)> {
        let bare = match page.has {
            Has::Portal => None,
            Has::Bare | Has::Both => Some(page.ask(&self.bare.site, &self.session).await?),
        };
        let portal = match page.has {
            Has::Bare => None,
            Has::Both | Has::Portal => Some(page.ask(&self.portal.site, &self.session).await?),
        };
        if let (Some((_, bare)), Some((_, portal))) = (&bare, &portal) {
            same(page, bare, portal)?;
        }
        Ok((bare.map(|(asked, _)| asked), portal.map(|(asked, _)| asked)))
    }
}

impl Side {
    fn new(server: Server, world: &World) -> Result<Self> {
        let site = Site::new(server.port(), &world.authority())?;
        Ok(Self { server, site })
    }

    async fn turn(
        &self,
        asked: Option<&Asked>,
        connections: u16,
        time: Duration,
    ) -> Result<Option<Measured>> {
        let Some(asked) = asked else {
            return Ok(None);
        };
        let measured = measure(&self.server, &self.site, asked, connections, time).await?;
        Ok(Some(measured))
    }
}

pub(crate) async fn run(compare: &Compare) -> Result {
    let both = Both::start(compare.workers, compare.postgres.as_deref()).await?;
    let mut report = Report::new(compare);
    let only_list = compare.list_only || compare.postgres.is_some();
    let many = if only_list { 1 } else { PAGES.len() };
    for page in PAGES.iter().take(many) {
        for connections in &compare.connections {
            let row = measure_page(&both, page, *connections, compare).await?;
            report.add(row);
        }
    }
    if compare.json {
        report.write_json(io::stdout())
    } else {
        report.write_text(io::stdout())
    }
}

async fn measure_page(
    both: &Both,
    page: &Page,
    connections: u16,
    compare: &Compare,
) -> Result<Row> {
    let (bare, portal) = both.ask(page).await?;
    let length = bare
        .as_ref()
        .or(portal.as_ref())
        .map_or(0, |asked| asked.length);
    let bare = async |time| both.bare.turn(bare.as_ref(), connections, time).await;
    let portal = async |time| both.portal.turn(portal.as_ref(), connections, time).await;
    bare(WARM_UP).await?;
    portal(WARM_UP).await?;
    let time = Duration::from_secs(compare.seconds);
    let mut rounds = Vec::new();
    for number in 0..compare.rounds {
        // The second server finds a warm processor, so they take turns in going second.
        let (bare, portal) = if number % 2 == 0 {
            let bare = bare(time).await?;
            (bare, portal(time).await?)
        } else {
            let portal = portal(time).await?;
            (bare(time).await?, portal)
        };
        let round = Round { bare, portal };
        writeln!(io::stderr(), "{} x{connections}: {round}", page.name)?;
        rounds.push(round);
    }
    Ok(Row::new(page, connections, length, rounds))
}

/// Loads one page of one server, and prints the process to observe.
pub(crate) async fn load(load: &Load) -> Result {
    let page = Page::named(&load.page)?;
    let both = Both::start(load.workers, load.postgres.as_deref()).await?;
    let (bare, portal) = both.ask(&page).await?;
    let (side, asked) = match load.who {
        Who::Bare => (&both.bare, bare),
        Who::Portal => (&both.portal, portal),
    };
    let asked = asked.ok_or("this server has no such page")?;
    writeln!(io::stdout(), "process {}", side.server.id())?;
    let time = Duration::from_secs(load.seconds);
    let measured = measure(&side.server, &side.site, &asked, load.connections, time).await?;
    writeln!(io::stdout(), "{}", serde_json::to_string(&measured)?)?;
    Ok(())
}
