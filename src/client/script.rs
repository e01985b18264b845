//! What a client does in a session: a flat list of steps, shared by a population.
//!
//! Loops are unrolled when the scenario is read. It holds no state: a client's place in the script is the client's.

use crate::dist::Dist;
use crate::ftp::Command;
use crate::time::Duration;

/// One step of a session.
#[derive(Clone, PartialEq, Debug)]
pub enum Step {
    /// USER and, if asked, PASS.
    Login,
    /// A command that one reply completes: CWD, PWD, NOOP, TYPE, SIZE, SITE IDLE.
    Command(Command),
    /// REST: if the server agrees, the transfer that is the next step moves so many bytes less.
    Rest {
        /// REST and the number as it is written.
        command: Command,
        /// The number.
        bytes: u64,
    },
    /// PASV or PORT, then a transfer: LIST, NLST, MLSD, RETR or STOR of a size in bytes drawn from the distribution.
    Transfer {
        /// What to do and to which path.
        command: Command,
        /// The number of bytes.
        size: Dist,
        /// The user loses patience so long after the command, and sends ABOR.
        abort: Option<Duration>,
    },
    /// The user reads, types or waits; the client keeps an eye on the control connection.
    Think(Dist),
    /// The user is away and nobody reads the control connection: what the server says meanwhile is only seen behind the
    /// next command.
    Idle(Dist),
    /// QUIT, and the end of the session.
    Quit,
    /// The end of the session without a QUIT: the connection is just closed.
    Close,
}

/// A script: the sessions of a population, each a range of steps that ends with [`Step::Quit`].
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Script {
    /// All steps.
    pub steps: Vec<Step>,
}

impl Script {
    /// The most steps that a script may have once its loops are unrolled.
    pub const MAX_STEPS: usize = 100_000;

    /// The step at `at`. Past the end there is only QUIT.
    pub fn step(&self, at: u32) -> &Step {
        self.steps.get(at as usize).unwrap_or(&Step::Quit)
    }

    /// The steps of the session that begins at `at`, without its QUIT.
    pub fn session(&self, at: u32) -> impl Iterator<Item = &Step> {
        self.steps[(at as usize).min(self.steps.len())..].iter().take_while(|s| !matches!(s, Step::Quit))
    }
}
