//! The colours of reports: one for each cause, the same in every chart.
//!
//! It draws nothing. The palette begins with that of Okabe and Ito (2008) and goes on with Paul Tol's "muted" and "medium
//! contrast" schemes (2021): all of them stay apart for the colour-blind, the most frequent causes the most.

use crate::observe::Cause;

/// Red, green, blue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// Text and the line that matters most.
pub const INK: Rgb = Rgb(0x22, 0x26, 0x2B);
/// Text that explains.
pub const FAINT: Rgb = Rgb(0x5C, 0x64, 0x6E);
/// A line that serves as background to another.
pub const PALE: Rgb = Rgb(0x8C, 0x95, 0xA0);
/// The grid.
pub const GRID: Rgb = Rgb(0xE4, 0xE7, 0xEB);
/// The paper.
pub const PAPER: Rgb = Rgb(0xFF, 0xFF, 0xFF);
/// A fault's shade.
pub const SHADE: Rgb = Rgb(0xF6, 0xF2, 0xE6);
/// A fault's beginning and end.
pub const SHADE_EDGE: Rgb = Rgb(0xC9, 0xB9, 0x86);
/// The words of a fault.
pub const SHADE_TEXT: Rgb = Rgb(0x7A, 0x66, 0x2E);
/// The first of the plain series. No cause has it.
pub const BLUE: Rgb = Rgb(0x00, 0x72, 0xB2);
/// A broad line that lies below another.
pub const PALE_BLUE: Rgb = Rgb(0xA9, 0xD3, 0xEE);
/// Another plain series.
pub const ORANGE: Rgb = Rgb(0xE6, 0x9F, 0x00);
/// Another plain series.
pub const GREEN: Rgb = Rgb(0x00, 0x9E, 0x73);
/// Another plain series.
pub const PURPLE: Rgb = Rgb(0x88, 0x22, 0x55);
/// Another plain series, and the mark of an onset.
pub const RED: Rgb = Rgb(0xD5, 0x5E, 0x00);

/// The colour of `cause`.
pub const fn of(cause: Cause) -> Rgb {
    match cause {
        Cause::MaxClients => RED,
        Cause::MaxPerIp => ORANGE,
        Cause::MaxPerUser => Rgb(0xF0, 0xE4, 0x42),
        Cause::RateLimit => Rgb(0xCC, 0x79, 0xA7),
        Cause::Banned => Rgb(0x88, 0x22, 0x55),
        Cause::LoginTimeout => Rgb(0x33, 0x22, 0x88),
        Cause::IdleTimeout => Rgb(0x56, 0xB4, 0xE9),
        Cause::NoopIdleTimeout => Rgb(0x44, 0xAA, 0x99),
        Cause::NoTransferTimeout => Rgb(0x11, 0x77, 0x33),
        Cause::SessionTimeout => Rgb(0x99, 0x99, 0x33),
        Cause::StalledTransfer => Rgb(0xDD, 0xCC, 0x77),
        Cause::DataConnectTimeout => Rgb(0x99, 0x44, 0x55),
        Cause::LoginAttempts => Rgb(0xAA, 0x44, 0x99),
        Cause::ShuttingDown => GREEN,
        Cause::Overload => Rgb(0xCC, 0x66, 0x77),
        Cause::ResourceExhausted => Rgb(0x66, 0x99, 0xCC),
        Cause::CriticalError => Rgb(0x22, 0x22, 0x22),
        Cause::ConnectionRefused => Rgb(0x77, 0x77, 0x77),
        Cause::ConnectTimeout => Rgb(0x9A, 0x9A, 0x9A),
        Cause::Reset => Rgb(0xBD, 0xBD, 0xBD),
        Cause::SilentClose => Rgb(0x55, 0x55, 0x55),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_causes_share_a_colour() {
        for (i, a) in Cause::ALL.iter().enumerate() {
            for b in &Cause::ALL[i + 1..] {
                assert_ne!(of(*a), of(*b), "{a} and {b}");
            }
            assert_ne!(of(*a), BLUE, "{a} has the colour of plain series");
        }
    }
}
