//! An alarm that is right to the microsecond: tokio's timers round up to the next millisecond, and what a run intends at a time
//! would always begin late.
//!
//! It knows one time, and nobody's reason for it.

use std::io;
use std::os::fd::{AsFd as _, AsRawFd, RawFd};
use std::task::{Context, Poll, ready};

use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::Clock;
use crate::time::Instant;

/// One alarm of a runtime.
pub struct Alarm {
    timer: AsyncFd<Timer>,
    clock: Clock,
    set: Instant,
}

/// Tokio wants the number.
struct Timer(TimerFd);

impl AsRawFd for Timer {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_fd().as_raw_fd()
    }
}

impl Alarm {
    /// One that is not set.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn new(clock: Clock) -> io::Result<Self> {
        let flags = TimerFlags::TFD_NONBLOCK | TimerFlags::TFD_CLOEXEC;
        let timer = TimerFd::new(ClockId::CLOCK_MONOTONIC, flags)?;
        #[expect(
            deprecated,
            reason = "the new constructor is unsafe, and this descriptor is owned and never changes"
        )]
        let timer = AsyncFd::with_interest(Timer(timer), Interest::READABLE)?;
        Ok(Self { timer, clock, set: Instant::NEVER })
    }

    /// Ready when it is `at` or later; whoever `cx` belongs to is woken then.
    pub fn poll(&mut self, at: Instant, cx: &mut Context<'_>) -> Poll<()> {
        if self.clock.now() >= at {
            return Poll::Ready(());
        }
        if self.set != at {
            self.set = at;
            let time = Expiration::OneShot(TimeSpec::from_duration(self.clock.monotonic(at)));
            // It is our own, and the time is no nonsense: nothing is left to fail.
            let _ = self.timer.get_ref().0.set(time, TimerSetTimeFlags::TFD_TIMER_ABSTIME);
        }
        loop {
            let Ok(mut rings) = ready!(self.timer.poll_read_ready(cx)) else { return Poll::Ready(()) };
            let _ = self.timer.get_ref().0.wait(); // an earlier setting may have rung
            rings.clear_ready();
            if self.clock.now() >= at {
                self.set = Instant::NEVER;
                return Poll::Ready(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::Epoch;
    use crate::time::Duration;

    #[test]
    fn it_rings_at_its_time_and_not_before() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(async {
            let clock = Clock::of(Epoch::after(Duration::ZERO));
            let mut alarm = Alarm::new(clock).unwrap();
            for us in [3_000, 200, 50, 700] {
                let at = clock.now() + Duration::from_micros(us);
                std::future::poll_fn(|cx| {
                    let _ = alarm.poll(at + Duration::from_secs(9), cx); // set anew before it rang
                    alarm.poll(at, cx)
                })
                .await;
                let late = clock.now().since(at);
                assert!(clock.now() >= at && late < Duration::from_secs(1), "{} s late", late.as_secs_f64());
            }
        });
    }
}
