//! What a client saw of something that may be a refusal.
//!
//! It holds nothing that only a server knows.

use crate::ftp::Verb;
use crate::observe::{CloseHow, Phase};
use crate::time::Duration;

/// What a client saw of something that may be a refusal; [`Around`](super::Around) knows all that is not this client's own.
/// [`Evidence::default`] is that of a client that is alone, has just
/// connected and has heard nothing.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Evidence<'a> {
    /// The reply's code, 0 for none: the connection ended without a word.
    pub code: u16,
    /// The reply's text, its lines joined by `\n`, without the codes.
    pub text: &'a str,
    /// Where the dialogue stood.
    pub phase: Phase,
    /// The command that it answers; `None`: nobody had asked.
    pub answers: Option<Verb>,
    /// How the connection ended, if it did: for a reply, if its end had come by the time at which the reply was read.
    pub close: Option<CloseHow>,
    /// From the established connection to now.
    pub connected: Duration,
    /// From the login to now; zero before it.
    pub logged_in: Duration,
    /// From the last command that was sent, or the established connection, to now.
    pub quiet: Duration,
    /// The same, commands that only keep a session alive left out.
    pub idle: Duration,
    /// From the end of the last transfer, or the login, to now.
    pub no_transfer: Duration,
    /// How the data connection stands.
    pub data: Data,
    /// Did the client itself send a wrong password last?
    pub mistyped: bool,
    /// How many passwords it has tried over this connection.
    pub tries: u8,
    /// Connections that this generator has open, without this one.
    pub open: u32,
    /// From this address.
    pub open_here: u32,
    /// From that one other address that has the most of them.
    pub open_there: u32,
    /// Sessions as this user.
    pub open_user: u32,
    /// Attempts that began within the last second from this address, this one included.
    pub recent_here: u32,
    /// Wrong passwords that were sent from this address before.
    pub mistyped_here: u32,
    /// Sessions of others that ended within the last second without having asked for it.
    pub cut_beside: u32,
    /// Attempts from other addresses that were let in within the last ten seconds: greeted, or logged in if this one was greeted too.
    pub admitted_beside: u32,
    /// Attempts from other addresses that were turned away within the last ten seconds, at the same stage.
    pub refused_beside: u32,
    /// The same as other users: let in.
    pub admitted_others: u32,
    /// As other users: turned away.
    pub refused_others: u32,
    /// Has nobody of this run ever come further than this one: been greeted, or logged in if this one was greeted?
    pub nobody_in: bool,
}

/// How the data connection of a session stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Data {
    /// Nobody has asked for one.
    #[default]
    None,
    /// It was asked for, and has not come.
    Awaited {
        /// From the answer to PASV or PORT to now.
        since: Duration,
    },
    /// It is open, or all bytes are through and the last reply is awaited.
    Open {
        /// From its last byte, or its beginning, to now.
        still: Duration,
    },
}

impl Default for Evidence<'_> {
    fn default() -> Self {
        Self {
            code: 0,
            text: "",
            phase: Phase::Accept,
            answers: None,
            close: None,
            connected: Duration::ZERO,
            logged_in: Duration::ZERO,
            quiet: Duration::ZERO,
            idle: Duration::ZERO,
            no_transfer: Duration::ZERO,
            data: Data::None,
            mistyped: false,
            tries: 0,
            open: 0,
            open_here: 0,
            open_there: 0,
            open_user: 0,
            recent_here: 0,
            mistyped_here: 0,
            cut_beside: 0,
            admitted_beside: 0,
            refused_beside: 0,
            admitted_others: 0,
            refused_others: 0,
            nobody_in: false,
        }
    }
}
