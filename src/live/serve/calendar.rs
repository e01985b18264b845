//! What is to happen at which time, and an alarm that rings when the next of it is due.
//!
//! It does nothing itself. The alarm is a `timerfd`, since the runtime's own timers have a grain of a millisecond, which is as long as
//! a greeting takes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd, RawFd};
use std::rc::Rc;
use std::task::Waker;

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::unix::AsyncFd;

use super::conns::Key;
use crate::time::Instant;

/// What happens at its time.
#[derive(Debug)]
pub(super) enum Event {
    /// The machine's timer for the connection in this slot.
    ConnTimer { slot: u32 },
    /// The machine's own timer.
    ServerTimer,
    /// A reply of this connection is due.
    Reply(Key),
    /// A fault's next control.
    Fault { fault: u16, step: u16 },
    /// A task has slept long enough.
    Wake(Waker),
    /// The listener may be opened again.
    Listen,
    /// Somebody may have asked to stop.
    Look,
}

/// The events, the earliest first; of two at one time, the one that was entered first.
#[derive(Debug)]
pub(super) struct Calendar {
    heap: BinaryHeap<Reverse<Entry>>,
    entered: u64,
    alarm: Alarm,
}

#[derive(Debug)]
struct Entry {
    at: Instant,
    number: u64,
    event: Event,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl Calendar {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { heap: BinaryHeap::new(), entered: 0, alarm: Alarm::new()? })
    }

    pub(super) fn enter(&mut self, at: Instant, event: Event) {
        self.entered += 1;
        self.heap.push(Reverse(Entry { at, number: self.entered, event }));
    }

    /// The next event that is due by `now`, with the time for which it was entered.
    pub(super) fn due(&mut self, now: Instant) -> Option<(Instant, Event)> {
        if self.heap.peek()?.0.at > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.event))
    }

    /// Sets the alarm for what comes next. To be called when something was entered or taken out.
    pub(super) fn set_alarm(&mut self, now: Instant) {
        if let Some(Reverse(next)) = self.heap.peek() {
            self.alarm.set(now, next.at);
        }
    }

    /// What to wait for.
    pub(super) fn bell(&self) -> Bell {
        self.alarm.bell.clone()
    }
}

/// The alarm's descriptor.
#[derive(Debug)]
pub(super) struct Fd(TimerFd);

impl AsRawFd for Fd {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

/// Rings when the next event is due, or earlier.
#[derive(Clone, Debug)]
pub(super) struct Bell(Rc<AsyncFd<Fd>>);

impl Bell {
    /// Waits until it rings.
    ///
    /// # Errors
    /// The runtime is going down.
    pub(super) async fn rings(&self) -> io::Result<()> {
        self.0.readable().await?.clear_ready();
        Ok(())
    }
}

#[derive(Debug)]
struct Alarm {
    bell: Bell,
    /// When it rings.
    set_for: Instant,
}

impl Alarm {
    #[expect(
        deprecated,
        reason = "what replaces it is unsafe; this descriptor lives as long as its owner, `Fd`, which never changes"
    )]
    fn new() -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let fd = Fd(TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?);
        Ok(Self { bell: Bell(Rc::new(AsyncFd::new(fd)?)), set_for: Instant::NEVER })
    }

    /// Rings at `at`, or at once if that is past. A later time than the one that it is set for is set when that has come.
    fn set(&mut self, now: Instant, at: Instant) {
        if self.set_for <= at && self.set_for > now {
            return;
        }
        self.set_for = at;
        let wait = at.since(now).as_nanos().clamp(1, 365 * 86_400 * 1_000_000_000);
        let wait = TimeSpec::new((wait / 1_000_000_000).cast_signed(), (wait % 1_000_000_000).cast_signed());
        // It fails for wrong arguments only, which these are not.
        let _ = self.bell.0.get_ref().0.set(Expiration::OneShot(wait), TimerSetTimeFlags::empty());
    }
}
