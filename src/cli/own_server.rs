//! A modelled server of our own: a child process, so that its descriptors and its processor time are not the generator's.
//!
//! It lives no longer than the run: it ends when our end of its standard input closes, whatever becomes of us.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::live::Epoch;
use crate::watch::Watch;

/// So long it may take to come up, and to go.
const PATIENCE: Duration = Duration::from_secs(10);

/// So often it is looked at while it goes.
const LOOKS: u32 = 1_000;

/// A running server.
#[derive(Debug)]
pub(super) struct OwnServer {
    child: Child,
    input: Option<ChildStdin>,
    /// Where it listens.
    pub address: SocketAddr,
    /// What stops the run against it: whoever watches the whole, and its own death.
    pub watch: Arc<Watch>,
}

impl OwnServer {
    /// Starts the (first) server of the scenario in `file`, or of the built-in one, and waits until it listens. The
    /// run against it is a part of what `whole` watches.
    pub(super) fn start(file: Option<&Path>, seed: u64, whole: &Arc<Watch>) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find this program to start a server")?;
        let mut child = Command::new(program)
            .args(["serve", "--child", "--seed", &seed.to_string()])
            .args(file)
            .env_remove("FTP421_PORT")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0) // the Ctrl-C on our terminal is for us: the server must be there for the last QUIT
            .spawn()
            .context("cannot start a server")?;
        let input = child.stdin.take();
        let said = child.stdout.take().context("the server has no output")?;
        let watch = Arc::new(Watch::under(whole));
        let mut server =
            Self { child, input, address: SocketAddr::from(([127, 0, 0, 1], 0)), watch: Arc::clone(&watch) };
        let (to, line) = mpsc::channel();
        std::thread::spawn(move || listen(said, &to, &watch));
        let line = line.recv_timeout(PATIENCE).context("the server does not come up")?;
        let Some(address) = line.trim().strip_prefix("ready ftp://") else {
            bail!("the server did not come up: {:?}", line.trim());
        };
        server.address = address.parse().with_context(|| format!("the server listens at {address:?}"))?;
        Ok(server)
    }

    /// Its faults' time begins at `epoch`.
    pub(super) fn begin(&mut self, epoch: Epoch) -> anyhow::Result<()> {
        let input = self.input.as_mut().context("the server has gone")?;
        writeln!(input, "begin {}", epoch.0).and_then(|()| input.flush()).context("the server has gone")
    }

    /// How it ended, if it has although nobody asked it to.
    pub(super) fn death(&mut self) -> Option<String> {
        if !self.watch.is_stopped_itself() {
            return None;
        }
        // Its output ends a moment before it does.
        let status = if self.gone() { self.child.try_wait().ok().flatten() } else { None };
        Some(status.map_or_else(|| "how is not known".to_owned(), |status| status.to_string()))
    }

    /// Waits for its end; says whether it came.
    fn gone(&mut self) -> bool {
        for _ in 0..LOOKS {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return true;
            }
            std::thread::sleep(PATIENCE / LOOKS);
        }
        false
    }
}

/// Hands on the first line of a server, and stops the run against it when its output ends: then it is no more.
fn listen(said: ChildStdout, first: &Sender<String>, watch: &Watch) {
    let mut said = BufReader::new(said);
    let mut text = String::new();
    let _ = said.read_line(&mut text); // an end without a line is told as one
    let _ = first.send(text);
    while said.read(&mut [0; 64]).is_ok_and(|count| count > 0) {}
    watch.ask_to_stop();
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        self.input = None;
        if self.gone() {
            return;
        }
        let _ = self.child.kill(); // it may have gone meanwhile
        let _ = self.child.wait();
    }
}
