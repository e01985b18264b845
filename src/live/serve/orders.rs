//! What somebody tells a served model while it runs: signals, an administrator's orders, whoever drives it from a test.
//!
//! It decides nothing about FTP: an order becomes an input of the machine, or a change of what its driver does.

use std::io;

use tokio::sync::{mpsc, oneshot};

use super::station::{Shared, Station};
use super::tamper::WireOrder;
use crate::server::{Control, Input, Signal};

/// Orders that may wait; whoever gives more waits himself.
const WAITING: usize = 64;

/// An order.
#[derive(Clone, PartialEq, Debug)]
pub enum Order {
    /// A signal to the listening process: the profile says what it does.
    Signal(Signal),
    /// Something that the machine is told as it is.
    Control(Control),
    /// Something about the faults of the wire.
    Wire(WireOrder),
    /// The end: nothing is said to anybody, and results are written.
    End,
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

#[derive(Debug)]
struct Given {
    order: Order,
    answer: oneshot::Sender<Result<String, String>>,
}

/// A desk and the orders that are given there.
pub fn desk() -> (Desk, Orders) {
    let (to, from) = mpsc::channel(WAITING);
    (Desk { to }, Orders { from })
}

impl Desk {
    /// Gives `order`, and waits until it is carried out. What it led to, in a line.
    ///
    /// # Errors
    /// It makes no sense (`InvalidInput`), or the server has gone (`BrokenPipe`).
    pub fn give(&self, order: Order) -> io::Result<String> {
        let gone = || io::Error::new(io::ErrorKind::BrokenPipe, "the server has gone");
        let (answer, answered) = oneshot::channel();
        self.to.blocking_send(Given { order, answer }).map_err(|_| gone())?;
        let answer = answered.blocking_recv().map_err(|_| gone())?;
        answer.map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))
    }
}

/// Carries out orders as they come, as long as somebody may give some.
pub(super) async fn obey(station: Shared, mut orders: Orders) {
    while let Some(Given { order, answer }) = orders.from.recv().await {
        let done = station.borrow_mut().carry_out(order);
        let _ = answer.send(done); // nobody may wait for it
    }
}

impl Station {
    /// Does what was ordered. Says what came of it, or why it cannot be.
    fn carry_out(&mut self, order: Order) -> Result<String, String> {
        match order {
            Order::Signal(signal) => self.tell(Input::Control(Control::Signal(signal))),
            Order::Control(control) => self.tell(Input::Control(control)),
            Order::Wire(order) => return self.obey_wire(order),
            Order::End => self.end(),
        }
        Ok("done".to_owned())
    }
}
