//! The listening socket: opened, closed and opened again on one port, with the kernel's own queue behind it.
//!
//! It does not decide who is let in. As long as the machine has somebody waiting whom it has not accepted, nothing is taken from the
//! kernel: its queue fills, and then it drops SYNs, as a real server's does.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};

use nix::sys::socket::{Backlog, listen, setsockopt, sockopt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::control::nap;
use super::station::Shared;
use crate::live::Wire;
use crate::time::Duration;

/// How long nothing is accepted when the process has no descriptor left.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(50);
/// No kernel keeps more.
const LONGEST: u32 = 4_096;

/// The way in.
pub(super) struct Door {
    address: SocketAddr,
    socket: Option<TcpListener>,
    backlog: u32,
    /// Does the machine want it open?
    pub(super) wanted: bool,
    /// Is nobody waiting at the machine, so that it can take one more?
    can_take: bool,
    waker: Option<Waker>,
}

impl Door {
    /// Opens the door at `address`; port 0 picks one.
    pub(super) fn at(address: SocketAddr, backlog: u32) -> io::Result<Self> {
        let socket = bind(address, backlog)?;
        let address = socket.local_addr()?;
        Ok(Self { address, socket: Some(socket), backlog, wanted: true, can_take: true, waker: None })
    }

    /// Where it is.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Opens it again, if it is closed. False if it cannot be opened now.
    pub(super) fn open(&mut self, backlog: u32) -> bool {
        if self.socket.is_none() {
            self.socket = bind(self.address, backlog).ok();
            self.backlog = backlog;
            self.wake();
        }
        self.socket.is_some()
    }

    /// Closes it: the kernel resets whoever waits there.
    pub(super) fn close(&mut self) {
        self.socket = None;
    }

    /// From now on so many may wait.
    pub(super) fn set_backlog(&mut self, backlog: u32) {
        if self.backlog != backlog
            && let Some(socket) = &self.socket
        {
            self.backlog = backlog;
            // On a socket that listens it only changes the number, and cannot fail.
            let _ = listen(socket, in_kernel(backlog));
        }
    }

    /// The machine can take one more, or not.
    pub(super) fn nudge(&mut self, can_take: bool) {
        if can_take && !std::mem::replace(&mut self.can_take, can_take) {
            self.wake();
        }
        self.can_take = can_take;
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn poll_accept(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        match &self.socket {
            Some(socket) if self.can_take => {
                let accepted = socket.poll_accept(cx);
                if accepted.is_pending() {
                    self.waker = Some(cx.waker().clone()); // the socket may be closed and another one opened
                }
                accepted
            }
            _ => {
                self.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

fn bind(address: SocketAddr, backlog: u32) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(before_machine(backlog))
}

/// The backlog of the kernel where the model says `backlog`. Both mean: one more than this may wait; and one waits at the machine.
fn before_machine(backlog: u32) -> u32 {
    backlog.saturating_sub(1).min(LONGEST)
}

fn in_kernel(backlog: u32) -> Backlog {
    Backlog::new(before_machine(backlog).cast_signed()).unwrap_or(Backlog::MAXCONN)
}

/// Lets in whoever comes, as long as the station is there.
pub(super) async fn receive(station: Shared) {
    loop {
        let came = poll_fn(|cx| station.borrow_mut().door.poll_accept(cx)).await;
        match came {
            Ok((socket, peer)) => {
                // Both only matter for speed and for Telnet's urgent byte, and a broken connection has neither.
                let _ = socket.set_nodelay(true);
                let _ = setsockopt(&socket, sockopt::OobInline, &true);
                if let Ok(local) = socket.local_addr() {
                    station.borrow_mut().accepted(Wire::new(socket), peer, local.ip());
                }
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(_) => {
                let until = station.borrow().clock.now() + OUT_OF_DESCRIPTORS;
                nap(&station, until).await;
            }
        }
    }
}
