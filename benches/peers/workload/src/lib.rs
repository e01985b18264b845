//! The FTP loss workload that every peer models: its numbers, its dice, its books, and the line that a program prints.
//!
//! It runs nothing: how events wait for their time is each program's own affair.

mod dice;
mod tally;

pub use dice::Dice;
pub use tally::{Answer, Slice, Tally};

/// One way between client and server, ns.
pub const WAY_NS: u64 = 25_000_000;

/// The mean of the exponential think time, s.
pub const THINK_S: f64 = 3.3;

/// Thinks of a session. A command follows each: NOOP, NOOP, QUIT.
pub const THINKS: u32 = 3;

/// Messages that are under way while a session holds its slot, from its SYN's arrival to its QUIT's: greeting and USER, 331 and
/// PASS, 230 and NOOP, 200 and NOOP, 200 and QUIT.
pub const WAYS: u32 = 10;

/// Events of a session that is served: see [`Step`].
pub const EVENTS: u64 = 16;

/// The mean time that a session holds its slot, s: 3 x 3.3 + 10 x 0.025 = 10.15.
pub fn mean_hold_s() -> f64 {
    f64::from(THINKS) * THINK_S + f64::from(WAYS) * WAY_NS as f64 / 1e9
}

/// What a run is asked for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Load {
    /// Of the dice.
    pub seed: u64,
    /// Arrivals, 1/s.
    pub rate: f64,
    /// Slots.
    pub limit: u32,
    /// Virtual time, whole seconds: what is due later never happens.
    pub seconds: u32,
    /// Into how many equal slices the books divide it.
    pub slices: u32,
}

impl Load {
    /// `SEED RATE LIMIT SECONDS SLICES`, after the name of a variant if the program has several: the same for every program,
    /// in any language.
    ///
    /// # Errors
    /// If there are more or fewer, or one is no number.
    pub fn from_args(args: &[String]) -> Result<Self, String> {
        let [seed, rate, limit, seconds, slices] = args else {
            return Err(format!("wanted SEED RATE LIMIT SECONDS SLICES, got {args:?}"));
        };
        Ok(Self {
            seed: number(seed)?,
            rate: number(rate)?,
            limit: number(limit)?,
            seconds: number(seconds)?,
            slices: number(slices)?,
        })
    }

    /// The same, as arguments.
    pub fn to_args(self) -> [String; 5] {
        let Self { seed, rate, limit, seconds, slices } = self;
        [seed.to_string(), rate.to_string(), limit.to_string(), seconds.to_string(), slices.to_string()]
    }

    /// The offered load, erlangs.
    pub fn offered(self) -> f64 {
        self.rate * mean_hold_s()
    }

    /// The end of the run, ns.
    pub fn end_ns(self) -> u64 {
        u64::from(self.seconds) * 1_000_000_000
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{text:?} is no number of this kind"))
}

/// The variant, if the program has several, and the load, from the command line. Ends the program with a message if they are wrong.
pub fn arguments(variants: &[&str]) -> (String, Load) {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let mut variant = String::new();
    if !variants.is_empty() && !args.is_empty() {
        variant = args.remove(0);
    }
    let wrong = !variants.is_empty() && !variants.contains(&variant.as_str());
    let load = if wrong { Err(format!("wanted one of {variants:?} first")) } else { Load::from_args(&args) };
    match load {
        Ok(load) => (variant, load),
        Err(why) => {
            eprintln!("error: {why}");
            std::process::exit(2)
        }
    }
}

/// What happens next to a session. Each is one event of a bare loop.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Its SYN arrives at the server, which lets it in or says 421. (Before it, as the first event, the client comes.)
    Knock,
    /// A message arrives, and is answered at once: greeting, USER, 331, PASS, a command, or a reply that is followed by QUIT.
    Pass,
    /// A reply arrives, and the client begins to think.
    Read,
    /// It has thought, and sends a command.
    Act,
    /// Its QUIT arrives: the slot is free.
    Leave,
    /// The last reply arrives, 221 or 421.
    End,
}

/// The steps of a session that is served, in order; the client's coming is the sixteenth event.
pub const STEPS: [Step; 15] = {
    use Step::{Act, End, Knock, Leave, Pass, Read};
    [Knock, Pass, Pass, Pass, Pass, Read, Act, Pass, Read, Act, Pass, Read, Act, Leave, End]
};

/// The step of a session that was not let in.
pub const REFUSED: u8 = STEPS.len() as u8 - 1;

/// CPU time of this process so far, user and system, s; and the most memory that it ever had, KiB.
///
/// # Panics
/// Never: the kernel has no reason to refuse.
pub fn usage() -> (f64, u64) {
    use nix::sys::resource::{UsageWho, getrusage};
    let usage = getrusage(UsageWho::RUSAGE_SELF).expect("the kernel has no reason to refuse");
    let seconds = |t: nix::sys::time::TimeVal| t.tv_sec() as f64 + t.tv_usec() as f64 / 1e6;
    (seconds(usage.user_time()) + seconds(usage.system_time()), usage.max_rss() as u64)
}
