//! A fleet: more processes than one, since each has descriptors of its own.
//!
//! A worker runs its share of the shards and writes what they hear into a pipe; whoever leads reads it as if it came from threads of
//! its own. It starts no process: the caller does, and hands in both ends of the pipes.

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::collect::{EVERY, Frame};
use super::run::{Part, join, start};
use super::{Gauges, Plan, Trouble, health, limits};
use crate::live::clock;

/// No longer message is believed.
const LONGEST: usize = 256 << 20;

/// A process that runs [`work`] with the same plan.
pub struct Worker {
    /// What it writes.
    pub says: Box<dyn Read + Send>,
    /// What it reads: when this is dropped, it stops.
    pub hears: Box<dyn Write + Send>,
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
enum Message {
    Frame(Frame),
    /// The worker's gauges.
    Gauges([u64; 6]),
    /// It is done.
    Done(Spent),
}

/// What a process has used and had.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Spent {
    pub cpu_ns: u64,
    pub descriptors: u64,
}

/// Runs the share of process number `process` (from 1; 0 leads) of `plan`, and writes what it hears to `to`, until the scenario is
/// over or `from` comes to its end.
///
/// # Errors
/// What the machine refuses before the run, or nobody reads any more.
pub fn work(
    plan: &Plan,
    process: u32,
    mut from: impl Read + Send + 'static,
    to: &mut dyn Write,
) -> Result<(), Trouble> {
    let descriptors = limits::raise()?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    thread::spawn(move || {
        while from.read(&mut [0; 64]).is_ok_and(|count| count > 0) {}
        stopped.store(true, Ordering::Relaxed);
    });
    let (frames_to, frames) = mpsc::channel();
    let gauges = Arc::new(Gauges::default());
    let threads = start(plan, Part::of_process(plan, process), &gauges, &stop, &frames_to)?;
    drop(frames_to);
    let gone = |error: io::Error| Trouble(format!("nobody reads what a worker writes: {error}"));
    loop {
        match frames.recv_timeout(clock::span(EVERY)) {
            Ok(frame) => write(to, &Message::Frame(frame)).map_err(gone)?,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        write(to, &Message::Gauges(gauges.all().map(|gauge| gauge.load(Ordering::Relaxed)))).map_err(gone)?;
    }
    join(threads)?;
    write(to, &Message::Done(Spent { cpu_ns: health::cpu_ns(), descriptors })).map_err(gone)
}

/// Reads what a worker writes until it is done, and hands it on.
pub(super) fn follow(mut says: impl Read, gauges: &Gauges, to: &Sender<Frame>) -> Result<Spent, Trouble> {
    let mut before = [0; 6];
    loop {
        match read(&mut says) {
            Ok(Message::Frame(frame)) => drop(to.send(frame)),
            Ok(Message::Gauges(now)) => {
                for ((gauge, now), before) in gauges.all().into_iter().zip(now).zip(&mut before) {
                    gauge.fetch_add(now.wrapping_sub(std::mem::replace(before, now)), Ordering::Relaxed);
                }
            }
            Ok(Message::Done(spent)) => return Ok(spent),
            Err(error) => return Err(Trouble(format!("a worker process was lost: {error}"))),
        }
    }
}

impl Gauges {
    /// Sets all to zero: for the next run.
    pub fn reset(&self) {
        self.all().into_iter().for_each(|gauge| gauge.store(0, Ordering::Relaxed));
    }

    fn all(&self) -> [&std::sync::atomic::AtomicU64; 6] {
        let Self { connections, sessions, attempts, admitted, turned_away, cut } = self;
        [connections, sessions, attempts, admitted, turned_away, cut]
    }
}

fn write(to: &mut dyn Write, message: &impl Serialize) -> io::Result<()> {
    let bytes = postcard::to_stdvec(message).map_err(io::Error::other)?;
    to.write_all(&(bytes.len() as u64).to_le_bytes())?;
    to.write_all(&bytes)?;
    to.flush()
}

fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<T> {
    let mut length = [0; 8];
    from.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length) as usize;
    if length > LONGEST {
        return Err(io::Error::other("it says nothing that can be read"));
    }
    let mut bytes = vec![0; length];
    from.read_exact(&mut bytes)?;
    postcard::from_bytes(&bytes).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::load::Heard;
    use crate::observe::{Cause, Observation, Phase, Refusal};
    use crate::time::{Duration, Instant};

    #[test]
    fn what_a_worker_says_is_what_its_leader_hears() {
        let refusal = Refusal { cause: Cause::MaxClients, phase: Phase::Greeting, code: 421 };
        let heard = vec![
            Heard::Mark {
                at: Instant::from_nanos(7),
                observation: Observation::SessionOpened,
                late: Duration::ZERO,
            },
            Heard::Refusal {
                at: Instant::from_nanos(8),
                refusal,
                verdict: None,
                text: "too many".to_owned(),
            },
        ];
        let frame = Frame { shard: 3, heard: heard.clone(), upto: Instant::NEVER, ending: None };
        let mut pipe = Vec::new();
        let spent = Spent { cpu_ns: 5, descriptors: 9 };
        for message in [
            Message::Gauges([1, 2, 3, 4, 5, 6]),
            Message::Frame(frame),
            Message::Gauges([0, 2, 4, 4, 5, 7]),
            Message::Done(spent),
        ] {
            write(&mut pipe, &message).unwrap();
        }
        let (to, frames) = mpsc::channel();
        let gauges = Gauges::default();
        assert_eq!(follow(&pipe[..], &gauges, &to).unwrap(), spent);
        assert_eq!(frames.recv().unwrap().heard, heard);
        assert_eq!(gauges.all().map(|gauge| gauge.load(Ordering::Relaxed)), [0, 2, 4, 4, 5, 7]);
        assert!(follow(&pipe[..20], &gauges, &to).is_err(), "it was lost");
    }
}
