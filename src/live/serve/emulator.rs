//! The modelled server inside another program, such as a test: started on a free port, driven by orders, stopped when it is dropped.
//!
//! It is a handle. The server runs in a thread of its own, and all of its clients are real.

use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use super::orders::{self, Desk, Order, Timed, Until};
use super::{Plan, Served, Status, run};
use crate::live::Epoch;
use crate::live::accounts::Guests;
use crate::live::tls::Acceptor;
use crate::scenario::{Scenario, Setting};
use crate::time::Duration;
use crate::watch::Watch;

/// A served model in a thread of its own.
///
/// Here is a client that is to try again when it meets a full server. Nobody sleeps: the test waits until the server has refused, and
/// then lets somebody leave.
///
/// ```
/// use std::time::Duration;
/// use ftp421::live::Emulator;
/// use ftp421::live::serve::orders::Until;
/// use suppaftp::{FtpError, FtpStream, Status};
///
/// /// The client under test: it comes again as long as it hears 421.
/// fn stubborn(address: String) -> Result<(u32, String), FtpError> {
///     for refusals in 0..1_000 {
///         match FtpStream::connect(&address) {
///             Ok(mut ftp) => {
///                 ftp.login("alice", "secret")?;
///                 let there = ftp.pwd()?;
///                 ftp.quit()?;
///                 return Ok((refusals, there));
///             }
///             Err(FtpError::UnexpectedResponse(told)) if told.status == Status::NotAvailable => {
///                 std::thread::sleep(Duration::from_millis(20));
///             }
///             Err(other) => return Err(other),
///         }
///     }
///     panic!("it was never let in");
/// }
///
/// let server = Emulator::profile("vsftpd").set("max_clients", 1).user("alice", "secret").start()?;
/// let mut holder = FtpStream::connect(server.address()).unwrap();
/// holder.login("alice", "secret").unwrap();
///
/// let address = server.address().to_string();
/// let client = std::thread::spawn(move || stubborn(address));
/// server.wait(Until::Refusals(1), Duration::from_secs(10))?; // 421 There are too many connected users, please try later.
/// holder.quit().unwrap();
///
/// let (refusals, there) = client.join().unwrap().unwrap();
/// assert!(refusals >= 1 && there == "/");
/// assert_eq!(server.status()?.logins, 2);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// Whatever happens to a server can be ordered: [`orders::GRAMMAR`] lists it.
///
/// ```
/// use std::io::{BufRead, BufReader};
/// use std::net::TcpStream;
/// use ftp421::live::Emulator;
///
/// let server = Emulator::profile("pyftpdlib").start()?;
/// let greeting = || BufReader::new(TcpStream::connect(server.address())?).lines().next().transpose();
/// assert!(greeting()?.unwrap().starts_with("220 "));
/// server.order("set max_clients 1")?;
/// server.order("ban 127.0.0.1 10m")?;
/// assert!(greeting().is_ok_and(|told| told.is_none()) || greeting().is_err(), "it has no words for the banned");
/// server.order("unban 127.0.0.1")?;
/// server.order("shutdown now")?;
/// assert!(TcpStream::connect(server.address()).is_err());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Emulator {
    address: SocketAddr,
    epoch: Epoch,
    certificate: Option<Arc<str>>,
    scheme: &'static str,
    watch: Arc<Watch>,
    desk: Desk,
    thread: Option<JoinHandle<io::Result<Served>>>,
}

/// An emulator before it starts: a server of a profile, with what is changed about it.
#[derive(Clone, Debug)]
#[must_use = "it does nothing until it is started"]
pub struct Setup {
    settings: Vec<Setting>,
    tables: String,
    accounts: Vec<(String, String)>,
    files: Vec<(String, u64)>,
    anonymous: bool,
    implicit_tls: bool,
    seed: u64,
    at: Vec<String>,
}

impl Setup {
    /// Sets a key of `[server]`, with dots where it is in a table of that: `set("max_clients", 3)`, `set("idle_timeout", "5s")`,
    /// `set("ban.threshold", 3)`, `set("tls", "required")`. `ftp421 profiles NAME` shows what a profile has.
    pub fn set(mut self, key: &str, value: impl Display) -> Self {
        self.settings.push(Setting::new(key, key, &value.to_string()));
        self
    }

    /// Lets `name` log in with `password`, and nobody else but those who are given so, and anonymous.
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.accounts.push((name.to_owned(), password.to_owned()));
        self
    }

    /// Adds a synthetic file: its absolute path, and its size in bytes. What is in it is a function of the seed.
    pub fn file(mut self, path: &str, size: u64) -> Self {
        self.files.push((path.to_owned(), size));
        self
    }

    /// Does not let anonymous log in.
    pub fn no_anonymous(mut self) -> Self {
        self.anonymous = false;
        self
    }

    /// TLS begins with the first byte, as at port 990.
    pub fn implicit_tls(mut self) -> Self {
        self.implicit_tls = true;
        self
    }

    /// The seed of all that it draws at random; 42 unless it is set.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Carries out an order so long after the start: `at("2s shutdown announce 5s")`.
    pub fn at(mut self, order: &str) -> Self {
        self.at.push(order.to_owned());
        self
    }

    /// Adds tables of a scenario file, such as `[[faults]]`.
    pub fn tables(mut self, toml: &str) -> Self {
        self.tables.extend([toml, "\n"]);
        self
    }

    /// Starts it on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// What is wrong with the settings (`InvalidInput`), or it cannot listen.
    pub fn start(self) -> io::Result<Emulator> {
        Emulator::serve(
            self.plan().map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?,
            Duration::ZERO,
        )
    }

    fn plan(self) -> Result<Plan, String> {
        let text = format!(
            "schema = 1\nname = \"emulator\"\nduration = \"366d\"\nseed = {}\n{}",
            self.seed, self.tables
        );
        let mut none = |name: &str| Err(format!("an emulator has no file {name}"));
        let scenario = Scenario::read_under(&self.settings, "(emulator)", &text, &mut none)
            .map_err(|problem| problem.to_string())?;
        let timed = self.at.iter().map(|order| Timed::parse(order, scenario.policy()));
        let timed = timed.collect::<Result<_, _>>()?;
        let listed = (!self.accounts.is_empty()).then_some(self.accounts);
        let guests = Guests { anonymous: self.anonymous, listed };
        let (implicit_tls, files) = (self.implicit_tls, self.files);
        Ok(Plan { guests, timed, implicit_tls, files, minutes: true, ..Plan::of(Arc::new(scenario)) })
    }
}

impl Emulator {
    /// A server of this profile (`vsftpd`, `proftpd`, `pure-ftpd`, `pyftpdlib`; `ftp421 profiles` lists all), to be started.
    pub fn profile(name: &str) -> Setup {
        Setup {
            settings: vec![Setting::text("profile", "profile", name)],
            tables: String::new(),
            accounts: Vec::new(),
            files: Vec::new(),
            anonymous: true,
            implicit_tls: false,
            seed: 42,
            at: Vec::new(),
        }
    }

    /// Serves the first server of `scenario` on a free port of 127.0.0.1. The time of its faults begins now.
    ///
    /// # Errors
    /// It cannot listen.
    pub fn start(scenario: Arc<Scenario>) -> io::Result<Self> {
        Self::serve(Plan { minutes: true, ..Plan::of(scenario) }, Duration::ZERO)
    }

    /// Serves `plan`. The time of its faults begins after `wait`.
    ///
    /// # Errors
    /// It cannot listen.
    pub fn serve(mut plan: Plan, wait: Duration) -> io::Result<Self> {
        let watch = Arc::new(Watch::default());
        let watched = Arc::clone(&watch);
        let (tell, told) = mpsc::sync_channel(1);
        let (desk, orders) = orders::desk();
        if plan.acceptor.is_none() && plan.speaks_tls() {
            plan.acceptor = Some(Acceptor::own().map_err(io::Error::other)?);
        }
        let certificate = plan
            .acceptor
            .as_ref()
            .filter(|_| plan.speaks_tls())
            .map(|acceptor| acceptor.certificate().into());
        let scheme = if plan.implicit_tls { "ftps" } else { "ftp" };
        let thread = std::thread::Builder::new().name("ftp421-serve".to_owned()).spawn(move || {
            run(&plan, &watched, orders, &mut |address| {
                let epoch = Epoch::after(wait);
                let _ = tell.send((address, epoch)); // nobody hears it only if `serve` is gone
                epoch
            })
        })?;
        match told.recv() {
            Ok((address, epoch)) => {
                Ok(Self { address, epoch, certificate, scheme, watch, desk, thread: Some(thread) })
            }
            Err(_) => {
                Err(joined(thread).err().unwrap_or_else(|| io::Error::other("it ended before it listened")))
            }
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same for clients that want a URL: `ftp://127.0.0.1:40123`.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Its certificate, PEM, for clients to trust; `None`: it speaks no TLS.
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// Where it takes orders: another thread may have a clone of that.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// When the time of its faults begins.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Gives an order, such as `shutdown now` or `set max_clients 10`, and waits until it is carried out. What came of it.
    ///
    /// # Errors
    /// What is wrong with it (`InvalidInput`), or the server has ended (`BrokenPipe`).
    pub fn order(&self, text: &str) -> io::Result<String> {
        self.desk.say(text)
    }

    /// Waits until `until` is so, at most for `limit`. What there is then.
    ///
    /// # Errors
    /// It did not come to that in time (`InvalidInput`), or the server has ended (`BrokenPipe`).
    pub fn wait(&self, until: Until, limit: impl Into<Duration>) -> io::Result<String> {
        self.desk.give(Order::Wait(until, limit.into()))
    }

    /// Who is connected, what is banned, what was refused.
    ///
    /// # Errors
    /// The server has ended (`BrokenPipe`).
    pub fn status(&self) -> io::Result<Status> {
        serde_json::from_str(&self.desk.give(Order::Status)?).map_err(io::Error::other)
    }

    /// What was said so far, the last few thousand lines: `1 > USER alice` and `1 < 331 Please specify the password.`, with the number of
    /// the connection, in the order in which they came. Passwords are left out.
    ///
    /// # Errors
    /// The server has ended (`BrokenPipe`), or was started by a plan that keeps nothing (`InvalidInput`).
    pub fn dialogue(&self) -> io::Result<Vec<String>> {
        serde_json::from_str(&self.desk.give(Order::Dialogue)?).map_err(io::Error::other)
    }

    /// Stops it, and says what was measured.
    ///
    /// # Errors
    /// It had failed.
    pub fn stop(mut self) -> io::Result<Served> {
        self.watch.ask_to_stop();
        self.thread.take().map_or_else(|| Err(io::ErrorKind::BrokenPipe.into()), joined)
    }
}

/// What came of the server.
fn joined(thread: JoinHandle<io::Result<Served>>) -> io::Result<Served> {
    thread.join().unwrap_or_else(|_| Err(io::Error::other("the server panicked")))
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.watch.ask_to_stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // a panic there has been told
        }
    }
}
