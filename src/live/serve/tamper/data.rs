//! What wire faults do to a transfer under way.
//!
//! It moves no byte itself.

use std::io;

use crate::chaos::wire::Break;
use crate::live::Wire;
use crate::live::serve::control::nap;
use crate::live::serve::data::Transfer;
use crate::time::Duration;

/// What goes wrong in a transfer.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::live::serve) struct DataIlls {
    /// No faster than this, bytes per second.
    pub(in crate::live::serve) slow: Option<u64>,
    /// Behind so many bytes, this.
    pub(in crate::live::serve) after: Option<(u64, Break)>,
    /// The byte there is wrong.
    pub(in crate::live::serve) corrupt: Option<u64>,
    /// Its last reply comes so much before its data.
    pub(in crate::live::serve) early: Option<Duration>,
    /// Its data connection is never opened or served.
    pub(in crate::live::serve) none: bool,
}

impl Transfer {
    /// What goes wrong before its first byte.
    pub(in crate::live::serve) async fn suffer_beforehand(&mut self) {
        if self.ills.none {
            self.stands_still();
            std::future::pending::<()>().await;
        }
        if let Some(by) = self.ills.early {
            self.station.borrow_mut().say_early(self.key);
            let until = self.station.borrow().clock.now() + by;
            nap(&self.station, until).await;
        }
    }

    /// What goes wrong behind `at` bytes. True if the transfer is over, and all is said to be well.
    pub(in crate::live::serve) async fn suffer(&mut self, wire: &Wire, at: u64) -> io::Result<bool> {
        let Some((_, what)) = self.ills.after.filter(|(place, _)| *place == at) else { return Ok(false) };
        self.ills.after = None;
        match what {
            Break::Truncate => return Ok(true),
            Break::Close => return Err(io::ErrorKind::ConnectionAborted.into()),
            Break::Reset => {
                wire.socket().set_zero_linger()?;
                return Err(io::ErrorKind::ConnectionReset.into());
            }
            Break::Stall(lasts) => {
                self.stands_still();
                let Some(lasts) = lasts else { return std::future::pending().await };
                let until = self.station.borrow().clock.now() + lasts;
                nap(&self.station, until).await;
            }
        }
        Ok(false)
    }

    /// How many of `length` bytes from `at` on may move at once.
    pub(in crate::live::serve) fn up_to_next_ill(&self, at: u64, length: u64) -> u64 {
        let after = self.ills.after.map(|(place, _)| place);
        let corrupt = self.ills.corrupt.map(|place| if place == at { at + 1 } else { place });
        after
            .into_iter()
            .chain(corrupt)
            .filter(|place| *place > at)
            .map(|place| place - at)
            .fold(length, u64::min)
    }
}
