//! What somebody tells a served model while it runs: signals, an administrator's orders, whoever drives it from a test.
//!
//! It decides nothing about FTP: an order becomes an input of the machine, or a change of what its driver does. How one is written, see
//! `grammar`.

mod grammar;
mod obey;
mod wait;

use std::io;
use std::net::IpAddr;
use std::sync::mpsc::{SyncSender, sync_channel};

use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use super::station::Shared;
use super::tamper::WireOrder;
use crate::server::{Control, Policy, Signal};
use crate::time::{Duration, Instant};

pub use self::grammar::GRAMMAR;
pub(super) use self::obey::{Pending, Step};
pub use self::wait::Until;
pub(super) use self::wait::Waiters;

/// Orders that may wait to be taken.
const WAITING: usize = 64;

/// An order.
#[derive(Clone, PartialEq, Debug)]
pub enum Order {
    /// A signal to the listening process: the profile says what it does. If that closes the listener, this is the end when the last
    /// connection is over. (Ordered in words it is not: the server may come up again.)
    Signal(Signal),
    /// Something that the machine is told as it is.
    Control(Control),
    /// The end: nothing is said to anybody, and results are written.
    End,
    /// The end as soon as it does not listen and nobody is connected.
    Retire,
    /// The server goes down.
    Shutdown(Manner),
    /// It listens (again), and greets with 120 for so long first.
    Up {
        /// How long, whole seconds.
        ready_in: Duration,
    },
    /// What hangs or stalls goes on.
    Resume,
    /// Nobody from this address is let in for so long.
    Ban {
        /// The address.
        address: IpAddr,
        /// How long; [`Duration::FOREVER`]: until it is lifted.
        lasts: Duration,
    },
    /// Bans of this address are lifted.
    Unban(IpAddr),
    /// Live connections end.
    Part {
        /// Those from here; `None`: all.
        address: Option<IpAddr>,
        /// By a reset, or by a FIN?
        reset: bool,
    },
    /// Transfers stand still, for so long or ([`Duration::FOREVER`]) until they are resumed. The control connections go on.
    Stall(Duration),
    /// All transfers of a way share this, bytes per second; `None`: what the scenario says.
    Bandwidth(Option<u64>),
    /// Something about the faults of the wire.
    Wire(WireOrder),
    /// What the server looks like: a line of JSON, see [`Status`](super::Status).
    Status,
    /// What was said so far, where that is kept: a JSON list of lines.
    Dialogue,
    /// The answer comes when this is so, or with an error after so long.
    Wait(Until, Duration),
    /// What orders there are.
    Help,
}

/// How a server goes down.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Manner {
    /// At once: nobody is let in, and live sessions are told what the profile tells them.
    Now,
    /// Nobody is let in; live sessions go on.
    Drain,
    /// The same as `Now`, announced so long before; from the announcement on newcomers are refused.
    Announce(Duration),
    /// Everybody's connection ends with a FIN, and nothing is said.
    Cut,
    /// The same with a reset.
    Crash,
    /// It answers nobody any more, for so long or ([`Duration::FOREVER`]) until it is resumed.
    Hang(Duration),
}

/// An order for a later time.
#[derive(Clone, PartialEq, Debug)]
pub struct Timed {
    /// When, from the beginning of the faults' time on.
    pub at: Instant,
    /// What.
    pub order: Order,
}

impl Order {
    /// Parses an order for a server of `policy`.
    ///
    /// # Errors
    /// What is wrong, with what is allowed instead, in a line.
    pub fn parse(text: &str, policy: &Policy) -> Result<Self, String> {
        grammar::parse(text, policy)
    }

    /// Does it ask, and change nothing?
    pub const fn asks(&self) -> bool {
        matches!(
            self,
            Self::Status | Self::Dialogue | Self::Wait(..) | Self::Help | Self::Wire(WireOrder::Tell)
        )
    }
}

impl Timed {
    /// Parses `TIME ORDER`, such as `10s shutdown now`.
    ///
    /// # Errors
    /// What is wrong, in a line.
    pub fn parse(text: &str, policy: &Policy) -> Result<Self, String> {
        let text = text.trim();
        let (time, order) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let at = Duration::parse(time).map_err(|why| format!("{time:?} is no time for an order: {why}"))?;
        let order = Order::parse(order, policy)?;
        if order.asks() {
            return Err(format!("{text:?} asks something, and nobody would hear the answer"));
        }
        Ok(Self { at: Instant::ZERO + at, order })
    }
}

/// Where orders are given. It can be cloned and sent to other threads.
#[derive(Clone, Debug)]
pub struct Desk {
    to: mpsc::Sender<Given>,
}

/// Where a served model takes its orders from.
#[derive(Debug)]
pub struct Orders {
    from: mpsc::Receiver<Given>,
}

/// Somebody waits for what an order led to.
type Answer = SyncSender<Result<String, String>>;

#[derive(Debug)]
struct Given {
    what: What,
    answer: Answer,
}

#[derive(Debug)]
enum What {
    Order(Order),
    /// It is still to be parsed.
    Text(String),
}

/// A desk and the orders that are given there.
pub fn desk() -> (Desk, Orders) {
    let (to, from) = mpsc::channel(WAITING);
    (Desk { to }, Orders { from })
}

impl Desk {
    /// Gives `order`, and waits until it is carried out. What it led to, in a line. It may be called on the thread of an asynchronous
    /// runtime, and holds that up.
    ///
    /// # Errors
    /// It makes no sense (`InvalidInput`), the server has gone (`BrokenPipe`), or too many others give orders (`WouldBlock`).
    pub fn give(&self, order: Order) -> io::Result<String> {
        self.hand_in(What::Order(order))
    }

    /// The same with an order in words: see [`GRAMMAR`].
    ///
    /// # Errors
    /// What is wrong with it (`InvalidInput`), and as for [`give`](Self::give).
    pub fn say(&self, text: &str) -> io::Result<String> {
        self.hand_in(What::Text(text.to_owned()))
    }

    fn hand_in(&self, what: What) -> io::Result<String> {
        let gone = || io::Error::new(io::ErrorKind::BrokenPipe, "the server has gone");
        let (answer, answered) = sync_channel(1);
        self.to.try_send(Given { what, answer }).map_err(|why| match why {
            TrySendError::Closed(_) => gone(),
            TrySendError::Full(_) => {
                io::Error::new(io::ErrorKind::WouldBlock, format!("{WAITING} orders wait already"))
            }
        })?;
        let answer = answered.recv().map_err(|_| gone())?;
        answer.map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))
    }
}

/// Carries out orders as they come, as long as somebody may give some.
pub(super) async fn obey(station: Shared, mut orders: Orders) {
    while let Some(Given { what, answer }) = orders.from.recv().await {
        let mut station = station.borrow_mut();
        let order = match what {
            What::Order(order) => Ok(order),
            What::Text(text) => Order::parse(&text, station.server.policy()).inspect(|order| {
                if !order.asks() {
                    station.tape.ordered(&text);
                }
            }),
        };
        match order {
            Ok(Order::Wait(until, limit)) => station.wait(until, limit, answer),
            // Nobody may wait for the answer.
            Ok(order) => drop(answer.send(station.carry_out(&order))),
            Err(why) => drop(answer.send(Err(why))),
        }
    }
}
