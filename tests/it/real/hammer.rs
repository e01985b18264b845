//! Clients that hammer a server without mercy, and what they see of it: real ones on sockets and simulated ones alike.
//!
//! It does not say what they must see.

use std::thread;
use std::time::{Duration, Instant};

use ftp421::dist::Dist;
use ftp421::rng::{Purpose, Streams};
use ftp421::scenario::Scenario;

use super::ears::Ears;
use super::talk::Talk;

/// Who hammers.
#[derive(Clone, Copy)]
pub struct Hammer<'a> {
    pub clients: usize,
    pub lasts: Duration,
    /// From the login to QUIT.
    pub holds: Duration,
    /// What a client takes on average between the end of a connection and the next connect; exponential.
    pub reacts: Duration,
    /// For the real ones.
    pub account: (&'a str, &'a str),
}

/// A real client that has waited so long for a reply gives up and connects again.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the clients saw, in seconds since the beginning.
#[derive(Default)]
pub struct Seen {
    /// When it was over.
    end: f64,
    /// Each session: from the connect, from the 220, to the end of the connection.
    sessions: Vec<[f64; 3]>,
    /// When each 421 was read.
    refusals: Vec<f64>,
}

/// A server that was empty for longer than this before it refused was refusing without need: longer than any client needs to be told
/// that it was let in.
const EMPTY: f64 = 0.030;

impl Seen {
    /// The share of the time in which a session existed.
    pub fn occupancy(&self) -> f64 {
        self.sessions.iter().map(|[_, greeted, end]| end - greeted).sum::<f64>() / self.end
    }

    /// The share of the refusals that fell when no session had existed for 30 ms; 0 if nobody was refused.
    pub fn refused_while_empty(&self) -> f64 {
        let mut sessions = self.sessions.clone();
        sessions.sort_by(|a, b| a[0].total_cmp(&b[0]));
        let is_empty = |at: f64| {
            let begun = sessions.partition_point(|session| session[0] <= at);
            // The limit is one: whoever was let in later also left later, give or take what is on the wires.
            let ended =
                sessions[..begun].iter().rev().take(3).map(|session| session[2]).fold(f64::NAN, f64::max);
            ended + EMPTY < at
        };
        let empty = self.refusals.iter().filter(|at| is_empty(**at)).count();
        empty as f64 / self.refusals.len().max(1) as f64
    }

    /// For a person who reads a failure.
    pub fn words(&self) -> String {
        format!(
            "{:.1} % occupied, {:.1} % of {:.0} refusals/s while empty, {:.1} sessions/s",
            self.occupancy() * 100.0,
            self.refused_while_empty() * 100.0,
            self.refusals.len() as f64 / self.end,
            self.sessions.len() as f64 / self.end
        )
    }
}

impl Hammer<'_> {
    /// Real clients, a thread each, against the server that listens on this port of 127.0.0.1.
    pub fn on_sockets(&self, port: u16) -> Seen {
        let begin = Instant::now();
        let seen = thread::scope(|scope| {
            let clients: Vec<_> = (0..self.clients)
                .map(|index| scope.spawn(move || self.one_client(port, begin, index)))
                .collect();
            clients.into_iter().map(|client| client.join().unwrap()).collect::<Vec<_>>()
        });
        let mut all = Seen { end: self.lasts.as_secs_f64(), ..Seen::default() };
        for one in seen {
            all.sessions.extend(one.sessions);
            all.refusals.extend(one.refusals);
        }
        all
    }

    fn one_client(&self, port: u16, begin: Instant, index: usize) -> Seen {
        let pauses = Streams::new(1, 0).stream(Purpose::Backoff, 0);
        let reaction = Dist::Exponential { mean: self.reacts.as_nanos() as f64 };
        let now = || begin.elapsed().as_secs_f64();
        let mut seen = Seen::default();
        for attempt in 0.. {
            if begin.elapsed() >= self.lasts {
                break;
            }
            let connects = now();
            let mut control = Talk::connect(port, PATIENCE);
            match control.hears().get(..3).unwrap_or_default() {
                "220" => {
                    let greeted = now();
                    control.logs_in(self.account);
                    thread::sleep(self.holds);
                    control.says("QUIT");
                    control.hears_the_end();
                    seen.sessions.push([connects, greeted, now()]);
                }
                "421" => {
                    seen.refusals.push(now());
                    control.hears_the_end();
                }
                // The kernel's queue was full when the handshake ended: the server knows nothing of this connection.
                "" => {}
                other => panic!("a greeting that nobody expected: {other:?}"),
            }
            drop(control);
            thread::sleep(Duration::from_nanos(reaction.sample(pauses.word(index as u64, attempt))));
        }
        seen
    }

    /// Simulated clients: `scenario` has them.
    pub fn simulated(scenario: &Scenario) -> Seen {
        let heard = Ears::hear(scenario);
        Seen {
            end: scenario.duration.as_secs_f64(),
            sessions: heard.sessions.iter().filter_map(|s| Some([s.connects, s.greeted, s.ended?])).collect(),
            refusals: heard.refusals.into_iter().map(|(at, _)| at).collect(),
        }
    }
}
