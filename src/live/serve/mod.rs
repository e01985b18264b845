//! The modelled server for real clients: the machine of `server` behind real sockets.
//!
//! Its files are in memory, unless it is given a folder to serve.
//!
//! One thread drives it all. The `station` holds the machine and is called by tasks that wait: one reads each control connection,
//! one each data connection, one lets clients in, and one sleeps until the calendar has something due. Passwords: see
//! [`accounts`](super::accounts). What is in the files: see [`content`](super::content).

mod calendar;
mod closing;
mod conns;
mod control;
mod data;
mod deeds;
mod emulator;
mod ledger;
mod lines;
mod listener;
mod minutes;
pub mod news;
pub mod orders;
mod peers;
mod ports;
mod station;
mod status;
mod store;
pub mod tamper;
mod tape;
mod texts;
mod verbs;

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::LocalSet;

use self::listener::Door;
use self::news::News;
use self::orders::{Orders, Timed};
use self::station::Station;
use super::accounts::Guests;
use super::alarm::Alarm;
use super::clock::Epoch;
use super::scrape::Meter;
use super::tls::Acceptor;
use crate::chaos::Effect;
use crate::scenario::Scenario;
use crate::time::{Duration, Instant};
use crate::watch::Watch;

pub use emulator::{Emulator, Setup};
pub use ledger::Served;
pub use status::{BanInForce, Refused, Status};

/// What a served model must know.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The server (the first of the scenario), its faults, and the sizes of its files.
    pub scenario: Arc<Scenario>,
    /// Which replication's draws it makes.
    pub replication: u32,
    /// Where it listens; port 0 picks one.
    pub listen: SocketAddr,
    /// How long it runs from the beginning of its faults' time on; [`Duration::FOREVER`]: until it is stopped.
    pub length: Duration,
    /// Addresses that stand for those of the scenario, from the first one on: a client that comes from the k-th of them is in the
    /// class of the scenario's k-th address.
    pub network: Option<(IpAddr, u32)>,
    /// Does TLS begin with the first byte, as at port 990?
    pub implicit_tls: bool,
    /// Its certificate, if it speaks TLS; `None`: it makes one of its own for `localhost`.
    pub acceptor: Option<Acceptor>,
    /// Who may log in.
    pub guests: Guests,
    /// Orders that are carried out at their times.
    pub timed: Vec<Timed>,
    /// Is the dialogue kept, so that it can be asked for?
    pub minutes: bool,
    /// More synthetic files: the absolute path and the size in bytes of each. They stand over those that the scenario names.
    pub files: Vec<(String, u64)>,
    /// The folder that is served; `None`: the files are in memory.
    pub root: Option<PathBuf>,
    /// May that folder be changed? What is in memory always may.
    pub writable: bool,
    /// How many bytes of uploads are kept in memory.
    pub max_stored: u64,
    /// The ports that PASV may give, the first and the last; `None`: the kernel's choice.
    pub passive_ports: Option<(u16, u16)>,
    /// Who is told of each refusal and fault as it happens.
    pub news: Option<News>,
    /// What counts along, for whoever looks at it meanwhile.
    pub meter: Option<Arc<Meter>>,
}

/// How many bytes of uploads are kept in memory, unless something else is wanted.
pub const MAX_STORED: u64 = 256 << 20;

/// So many reads and writes of the disk wait for it at once; the others wait for them.
const DISK_THREADS: usize = 8;

impl Plan {
    /// The server of `scenario` on a free port of 127.0.0.1, until it is stopped.
    pub fn of(scenario: Arc<Scenario>) -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            scenario,
            replication: 0,
            listen,
            length: Duration::FOREVER,
            network: None,
            implicit_tls: false,
            acceptor: None,
            guests: Guests::default(),
            timed: Vec::new(),
            minutes: false,
            files: Vec::new(),
            root: None,
            writable: false,
            max_stored: MAX_STORED,
            passive_ports: None,
            news: None,
            meter: None,
        }
    }

    /// Does it speak TLS?
    pub fn speaks_tls(&self) -> bool {
        self.implicit_tls || self.scenario.policy().tls.offer.is_some()
    }

    /// What of the scenario cannot be served, a sentence each.
    pub fn notes(&self) -> Vec<String> {
        let effects =
            || self.scenario.faults.iter().flat_map(|fault| &fault.effects).map(|(_, effect)| effect);
        let mut notes = Vec::new();
        if effects().any(|effect| matches!(effect, Effect::Network(..))) {
            notes.push(
                "faults of the network are not played: the way to a served model is the real one".to_owned(),
            );
        }
        if self.scenario.servers.len() > 1 {
            let name = &self.scenario.servers[0].name;
            notes.push(format!("only the first server, {name}, is served, and its name does not move"));
        }
        notes
    }
}

/// Serves `plan` until it is over, `watch` says stop, or the end is ordered. `ready` is told where it listens, once, and says when the
/// time of its faults begins; until then time stands still for the server.
///
/// # Errors
/// It cannot listen.
pub fn run(
    plan: &Plan,
    watch: &Watch,
    orders: Orders,
    ready: &mut dyn FnMut(SocketAddr) -> Epoch,
) -> io::Result<Served> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(DISK_THREADS)
        .build()?;
    LocalSet::new().block_on(&runtime, async {
        store::look_at(plan)?; // before anybody is told that it serves
        let backlog = plan.scenario.policy().process.backlog;
        let door = Door::at(plan.listen, backlog)?;
        let epoch = ready(door.address());
        let station = Station::new(plan, door, epoch)?;
        let mut alarm = Alarm::new(station.borrow().clock)?;
        tokio::task::spawn_local(listener::receive(station.clone()));
        tokio::task::spawn_local(orders::obey(station.clone(), orders));
        let end = Instant::ZERO + plan.length;
        while !watch.is_stopped() && !station.borrow().is_over(end) {
            poll_fn(|cx| {
                let next = station.borrow_mut().calendar.sleep(cx.waker());
                alarm.poll(next, cx)
            })
            .await;
            station.borrow_mut().ring();
        }
        Ok(station.borrow_mut().close_books())
    })
}
