//! Source addresses: where on this machine the scenario's clients come from.
//!
//! It opens sockets that are bound and not yet connected; it does not say who uses them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use nix::sys::socket::{setsockopt, sockopt};
use tokio::net::TcpSocket;

use super::Sources;
use crate::id::PeerId;

impl Sources {
    /// The place of `peer` among the addresses of this machine: clients of one place look alike to the server.
    pub fn place(&self, peer: PeerId) -> u32 {
        match self {
            Self::Kernel => 0,
            Self::Network { count, .. } => peer.0 % (*count).max(1),
        }
    }

    /// The address that `peer` comes from; `None`: wherever the kernel says.
    pub fn address(&self, peer: PeerId) -> Option<IpAddr> {
        match self {
            Self::Kernel => None,
            Self::Network { first: IpAddr::V4(first), .. } => {
                Some(Ipv4Addr::from_bits(first.to_bits().wrapping_add(self.place(peer))).into())
            }
            Self::Network { first: IpAddr::V6(first), .. } => {
                Some(Ipv6Addr::from_bits(first.to_bits().wrapping_add(u128::from(self.place(peer)))).into())
            }
        }
    }

    /// How many addresses there are.
    pub fn count(&self) -> u32 {
        match self {
            Self::Kernel => 1,
            Self::Network { count, .. } => (*count).max(1),
        }
    }
}

/// A socket that will connect to `target` from `source`. The port is chosen when it does: one port of an address serves
/// connections to several targets then.
///
/// # Errors
/// No descriptor is left, or the address is none of this machine's.
pub(super) fn socket(source: Option<IpAddr>, target: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if target.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(source) = source {
        setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
        socket.bind(SocketAddr::new(source, 0))?;
    }
    Ok(socket)
}

/// Has this machine no descriptor, port or memory left for a connection? That is never the server's doing.
pub(super) fn is_exhaustion(error: &io::Error) -> bool {
    use nix::errno::Errno;
    let Some(number) = error.raw_os_error() else { return false };
    matches!(
        Errno::from_raw(number),
        Errno::EADDRNOTAVAIL
            | Errno::EADDRINUSE
            | Errno::EMFILE
            | Errno::ENFILE
            | Errno::ENOBUFS
            | Errno::ENOMEM
            | Errno::EAGAIN
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_used_in_turn() {
        let sources = Sources::Network { first: "127.0.1.1".parse().unwrap(), count: 300 };
        let at = |peer| sources.address(PeerId(peer)).unwrap().to_string();
        assert_eq!(
            [at(0), at(254), at(299), at(300)],
            ["127.0.1.1", "127.0.1.255", "127.0.2.44", "127.0.1.1"]
        );
        assert_eq!(Sources::Kernel.address(PeerId(7)), None);
    }
}
