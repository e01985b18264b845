//! The ports that PASV gives: the kernel's choice, or one of a range after the other.
//!
//! It waits for nobody.

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::{TcpListener, TcpSocket};

/// Where data connections are listened for.
#[derive(Debug)]
pub(super) struct Ports {
    range: Option<(u16, u16)>,
    /// How far behind the first of the range the next one is.
    next: u32,
}

impl Ports {
    /// Those of `range`, the first and the last.
    pub(super) fn new(range: Option<(u16, u16)>) -> Self {
        Self { range, next: 0 }
    }

    /// Listens at `local` on the next port that is free. A range is gone through in order, again and again, so that the same script sees the
    /// same ports, and a port rests before it is given again.
    pub(super) fn listen(&mut self, local: IpAddr) -> io::Result<(TcpListener, SocketAddr)> {
        let Some((first, last)) = self.range else { return listen_at(SocketAddr::new(local, 0)) };
        let count = u32::from(last.saturating_sub(first)) + 1;
        let mut found = Err(io::ErrorKind::AddrInUse.into());
        for _ in 0..count {
            let port = first + self.next as u16;
            self.next = (self.next + 1) % count;
            found = listen_at(SocketAddr::new(local, port));
            if !matches!(&found, Err(error) if error.kind() == io::ErrorKind::AddrInUse) {
                break;
            }
        }
        found
    }
}

fn listen_at(at: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = if at.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(at.port() != 0)?; // what is left of the last connection at a port is in nobody's way
    socket.bind(at)?;
    let listener = socket.listen(1)?;
    let at = listener.local_addr()?;
    Ok((listener, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_gone_through_in_order_and_what_is_taken_is_passed_over() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        let _entered = runtime.enter();
        let local = IpAddr::from([127, 0, 0, 1]);
        // Three ports in a row that are free.
        let (held, first) = (0..100)
            .find_map(|_| {
                let (listener, at) = listen_at(SocketAddr::new(local, 0)).ok()?;
                let others = [1, 2].map(|more| at.port().checked_add(more));
                let free =
                    |port: &Option<u16>| port.is_some_and(|p| listen_at(SocketAddr::new(local, p)).is_ok());
                others.iter().all(free).then_some((listener, at.port()))
            })
            .unwrap();
        let mut ports = Ports::new(Some((first, first + 2)));
        let (a, at) = ports.listen(local).unwrap();
        assert_eq!(at.port(), first + 1, "the first is taken");
        let (_b, at) = ports.listen(local).unwrap();
        assert_eq!(at.port(), first + 2);
        assert!(ports.listen(local).is_err());
        drop(a);
        drop(held);
        let order: Vec<u16> = (0..4).map(|_| ports.listen(local).unwrap().1.port() - first).collect();
        assert_eq!(order, [0, 1, 0, 1]);
    }
}
