//! The modelled server inside another program, such as a test: started on a free port, stopped when it is dropped.
//!
//! It is driven from outside by clients only; its scenario says the rest.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread::JoinHandle;

use super::orders::{self, Desk};
use super::{Plan, Served, run};
use crate::live::Epoch;
use crate::scenario::Scenario;
use crate::time::Duration;
use crate::watch::Watch;

/// A served model in a thread of its own.
///
/// ```
/// use std::io::{BufRead, BufReader};
/// use std::net::TcpStream;
/// use std::sync::Arc;
///
/// let text = "schema = 1\nname = \"full\"\nduration = \"1m\"\n[server]\nmax_clients = 1\n";
/// # let text = &format!("{text}[[clients]]\nname = \"a\"\narrivals = {{ executor = \"constant-clients\", clients = 1 }}\n");
/// let scenario = ftp421::scenario::Scenario::read("full.toml", text, &mut |_| Err(String::new()))?;
/// let server = ftp421::live::serve::Emulator::start(Arc::new(scenario)).unwrap();
/// let greeted = |stream: &TcpStream| BufReader::new(stream).lines().next().unwrap().unwrap();
/// let first = TcpStream::connect(server.address()).unwrap();
/// assert!(greeted(&first).starts_with("220"));
/// let second = TcpStream::connect(server.address()).unwrap();
/// assert!(greeted(&second).starts_with("421"));
/// # Ok::<(), ftp421::scenario::Problem>(())
/// ```
#[derive(Debug)]
pub struct Emulator {
    address: SocketAddr,
    epoch: Epoch,
    watch: Arc<Watch>,
    desk: Desk,
    thread: Option<JoinHandle<io::Result<Served>>>,
}

impl Emulator {
    /// Serves the first server of `scenario` on a free port of 127.0.0.1. The time of its faults begins now.
    ///
    /// # Errors
    /// It cannot listen.
    pub fn start(scenario: Arc<Scenario>) -> io::Result<Self> {
        Self::serve(Plan::of(scenario), Duration::ZERO)
    }

    /// Serves `plan`. The time of its faults begins after `wait`.
    ///
    /// # Errors
    /// It cannot listen.
    pub fn serve(plan: Plan, wait: Duration) -> io::Result<Self> {
        let watch = Arc::new(Watch::default());
        let watched = Arc::clone(&watch);
        let (tell, told) = mpsc::sync_channel(1);
        let (desk, orders) = orders::desk();
        let thread = std::thread::Builder::new().name("ftp421-serve".to_owned()).spawn(move || {
            run(&plan, &watched, orders, &mut |address| {
                let epoch = Epoch::after(wait);
                let _ = tell.send((address, epoch)); // nobody hears it only if `serve` is gone
                epoch
            })
        })?;
        match told.recv() {
            Ok((address, epoch)) => Ok(Self { address, epoch, watch, desk, thread: Some(thread) }),
            Err(_) => Err(match thread.join() {
                Ok(Err(error)) => error,
                _ => io::Error::other("the server ended before it listened"),
            }),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it takes orders.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// When the time of its faults begins.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.watch.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic there has been told
        }
    }
}
