//! How a control connection ends: the last replies, and then TCP as the machine says.
//!
//! It does not decide when.

use std::os::fd::AsRawFd as _;

use nix::sys::socket::{Shutdown, shutdown};
use tokio::time::timeout;

use super::conns::Link;
use super::control::nap;
use super::station::Shared;
use crate::live::clock::span;
use crate::observe::CloseHow;
use crate::time::Duration;

/// How long a client that does not read has until its connection is reset.
const PATIENCE: Duration = Duration::from_secs(5);
/// What is read and thrown away at an orderly end, bytes: a client that sends without end is reset.
const DRAINED: usize = 64 << 10;

/// Ends `link`, if nothing is left to say.
///
/// # Errors
/// Something is.
pub(super) fn at_once(link: Link, how: CloseHow) -> Result<(), Link> {
    let all_said = link.outbox.is_empty() && !link.wire.unsent();
    if all_said || (how == CloseHow::Rst && link.outbox.is_empty()) {
        end(link, how);
        Ok(())
    } else {
        Err(link)
    }
}

/// Says what is left, each reply at its time, and ends `link`.
pub(super) async fn when_all_is_said(station: Shared, mut link: Link, how: CloseHow) {
    while let Some((at, _)) = link.outbox.front() {
        nap(&station, *at).await;
        let now = station.borrow().clock.now();
        link.send_due(now);
    }
    let how = link.cut.unwrap_or(how);
    let socket = link.wire.socket();
    let sent = async {
        while link.wire.unsent() && socket.writable().await.is_ok() {
            if link.wire.flush().is_err() {
                break;
            }
        }
    };
    let in_time = timeout(span(PATIENCE), sent).await.is_ok();
    drop(socket);
    end(link, if in_time { how } else { CloseHow::Rst });
    station.borrow_mut().leaving -= 1;
}

fn end(mut link: Link, how: CloseHow) {
    let socket = link.wire.socket();
    if how != CloseHow::Rst {
        link.wire.close_notify();
    }
    // Each of these may fail on a connection that is broken already, which is an end, too.
    match how {
        CloseHow::Fin | CloseHow::None => {
            drain(&mut link);
            let _ = shutdown(socket.as_raw_fd(), Shutdown::Write);
        }
        CloseHow::FinThenRst => {
            let _ = shutdown(socket.as_raw_fd(), Shutdown::Write);
            if link.unread {
                let _ = socket.set_zero_linger();
            }
        }
        // The kernel itself resets a connection in whose buffer something is unread.
        CloseHow::RstIfUnread if !link.unread => {}
        CloseHow::RstIfUnread | CloseHow::Rst => {
            let _ = socket.set_zero_linger();
        }
    }
}

/// Reads what is there, so that the kernel does not reset the connection for it.
fn drain(link: &mut Link) {
    let mut scratch = [0; 1_024];
    let mut read = 0;
    while let Ok(came @ 1..) = link.wire.read(&mut scratch) {
        read += came;
        if read > DRAINED {
            break;
        }
    }
}
