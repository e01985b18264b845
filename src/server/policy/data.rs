//! Data connections, as a policy has them.
//!
//! It opens none: `data` does.

use super::Compiler;
use super::text::{Ending, ReplyId};
use crate::observe::Cause;
use crate::server::profile;
use crate::time::Duration;

/// Data connections.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Data {
    /// How many passive ports there are; `u32::MAX`: they never run out.
    pub ports: u32,
    /// How long a port cannot be used again after its connection has ended.
    pub port_rests: Duration,
    /// The answer to PASV when every port is in use; `None`: it takes one that is not of the range.
    pub no_port: Option<Ending>,
    /// The answer to PASV and PORT when a limit that counts sockets is reached.
    pub no_socket: Option<Ending>,
    /// A transfer whose data connection was refused by the client's host.
    pub refused: Ending,
    /// What a transfer command is told at once if its data connection is still to come.
    pub early: Option<ReplyId>,
    /// Is the data connection opened when PORT comes?
    pub connects_at_port: bool,
    /// Is it looked at before the file?
    pub looked_at_first: bool,
    /// Does it stay when a transfer cannot begin for want of a file?
    pub outlives_refusal: bool,
}

impl Compiler<'_> {
    pub(super) fn data(&mut self, data: &profile::Data, ports: Option<u32>) -> Data {
        Data {
            ports: ports.filter(|_| data.no_port.is_some()).unwrap_or(u32::MAX),
            port_rests: data.port_rests.0,
            no_port: data.no_port.as_ref().map(|f| self.ending(Cause::ResourceExhausted, f, 0)),
            no_socket: data.no_socket.as_ref().map(|f| self.ending(Cause::MaxClients, f, 0)),
            refused: self.ending(Cause::DataConnectTimeout, &data.refused, 0),
            early: data.early.as_ref().map(|line| self.line(line)),
            connects_at_port: data.connects_at_port,
            looked_at_first: data.looked_at_first,
            outlives_refusal: data.outlives_refusal,
        }
    }
}
