//! Transfers against queueing theory: a bandwidth that is shared is a processor-sharing queue.
//!
//! M/G/1 processor sharing has one of the few results that ask nothing of the law of the service: the mean sojourn is
//! E[S] / (1 - rho), and that of a job of size x is x / (1 - rho) (Kleinrock, *Journal of the ACM* 14(2), 1967; Sakata, Noguchi and
//! Oizumi, *Operations Research* 19(2), 1971). As for the other oracles, a hundred repeats with seeds fixed beforehand must cover
//! the value with at least 88 of their 95 % intervals.
//!
//! The statistics are of the sharing alone, fed with Poisson arrivals: they take millions of transfers. That the whole simulator
//! shares so is shown without statistics: each of its transfers ends at the nanosecond at which the pipe ends it.
//!
//! **How long a run must be** was reckoned before any was made. In heavy traffic the number of jobs, in units of its mean, is a
//! Brownian motion with drift -1 and variance 2 that is reflected at 0, where a unit of time is (1 + cv^2) / 2 / (1 - rho)^2
//! services; its relaxation time is four of them. Its integral has the cumulants t, 4t and 120t (from the expansion of the
//! greatest eigenvalue of f'' - f' + s x f in s), so that the mean over k relaxation times has the skewness 7.5 / sqrt(k). By
//! Hall's expansion (*Annals of Probability* 16(3), 1988) Student's interval of n such means covers about 0.95 - 14 / (k n).
//! Ten replications of 140 relaxation times make that 0.94, at which fewer than 88 of 100 cover in 1 case of 150. An empty
//! beginning would shift a mean by 1 / (4 k) of itself, a fifteenth of its interval's half width; five relaxation times pass before
//! anybody is counted.

use ftp421::dist::Dist;
use ftp421::experiment::{Range, estimate};
use ftp421::ftp::Verb;
use ftp421::metrics::summary::Estimate;
use ftp421::network::{Pipe, UNCAPPED};
use ftp421::rng::{Purpose, Streams};
use ftp421::sim::{self, Happening, Tap, Who};
use ftp421::time::{Duration, Instant};
use ftp421::watch::Watch;

use crate::support;

const SEEDS: std::ops::RangeInclusive<u64> = 1_001..=1_100;
const ENOUGH: usize = 88;
const REPLICATIONS: u32 = 10;
/// Relaxation times of a replication, and before it.
const LENGTH: f64 = 140.0;
const WARM_UP: f64 = 5.0;

/// Bytes per second: 1 MB takes a millisecond.
const BANDWIDTH: u64 = 1_000_000_000;
const SERVICE_NS: f64 = 1e6;

/// The law of sizes: of mean 1 MB, and so much for each of a few of them.
struct Law {
    size: Box<dyn Fn(u64) -> u64>,
    cv: f64,
}

impl Law {
    fn of(dist: Dist, cv: f64) -> Self {
        Self { size: Box::new(move |word| dist.sample(word)), cv }
    }

    fn exponential() -> Self {
        Self::of(Dist::Exponential { mean: 1e6 }, 1.0)
    }

    fn lognormal() -> Self {
        Self::of(Dist::lognormal(1e6, 1.5), 1.5)
    }

    /// Three sizes with weights 0.6, 0.2 and 0.2.
    fn three() -> Self {
        let size = |word: u64| match word % 5 {
            0..=2 => SIZES[0],
            3 => SIZES[1],
            _ => SIZES[2],
        };
        Self { size: Box::new(size), cv: 1.35_f64.sqrt() }
    }

    /// How many services a relaxation time has.
    fn relaxation(&self, load: f64) -> f64 {
        2.0 * (1.0 + self.cv * self.cv) / ((1.0 - load) * (1.0 - load))
    }
}

const SIZES: [u64; 3] = [250_000, 1_000_000, 3_250_000];

/// The mean sojourns in milliseconds of one replication: of all transfers that begin after the warm-up, or of those of each of
/// `sizes`.
fn sojourns(law: &Law, load: f64, sizes: &[u64], seed: u64, replication: u32) -> Vec<Option<f64>> {
    let streams = Streams::new(seed, replication);
    let (arrivals, words) = (streams.stream(Purpose::Arrival, 0), streams.stream(Purpose::Size, 0));
    let gap = Dist::Exponential { mean: SERVICE_NS / load };
    let after =
        |relaxations: f64| Instant::from_nanos((relaxations * law.relaxation(load) * SERVICE_NS) as u64);
    let (from, until) = (after(WARM_UP), after(WARM_UP + LENGTH));
    let mut pipe = Pipe::new(BANDWIDTH);
    let mut begun: Vec<(Instant, usize)> = Vec::new();
    let mut sums = vec![(0_u64, 0_u64); sizes.len().max(1)];
    let (mut pending, mut now) = (0_u64, Instant::ZERO);
    // Others come until the last one that counts is through.
    while now <= until || pending > 0 {
        let number = begun.len() as u64;
        now += Duration::from_nanos(gap.sample(arrivals.word(0, number)));
        while pipe.next() <= now {
            let at = pipe.next();
            let (since, class) = begun[pipe.finish(at).expect("one is through") as usize];
            if since >= from && since <= until {
                sums[class].0 += at.since(since).as_nanos();
                sums[class].1 += 1;
                pending -= 1;
            }
        }
        let bytes = (law.size)(words.word(0, number));
        pipe.begin(now, bytes, UNCAPPED, number as u32);
        begun.push((now, sizes.iter().position(|size| *size == bytes).unwrap_or(0)));
        pending += u64::from(now >= from && now <= until);
    }
    sums.iter().map(|(sum, count)| Some(*sum as f64 / *count as f64 / 1e6)).collect()
}

fn assert_covered(name: &str, law: &Law, load: f64, sizes: &[u64], exact: &[f64]) {
    let mut hits = vec![0; exact.len()];
    let mut means = vec![0.0; exact.len()];
    for seed in SEEDS {
        let values: Vec<_> = (0..REPLICATIONS).map(|r| sojourns(law, load, sizes, seed, r)).collect();
        for (place, exact) in exact.iter().enumerate() {
            let e: Estimate = estimate(values.iter().map(|v| v[place]), Range::Positive);
            hits[place] += usize::from(e.low <= Some(*exact) && e.high >= Some(*exact));
            means[place] += e.mean.expect("several replications") / SEEDS.count() as f64;
        }
    }
    assert!(
        hits.iter().all(|hits| *hits >= ENOUGH),
        "{name}: {hits:?} of {} intervals cover {exact:?}; the means of all are {means:?}",
        SEEDS.count()
    );
}

#[test]
fn the_mean_sojourn_at_load_0_8_is_five_services_whatever_their_law() {
    assert_covered("exponential", &Law::exponential(), 0.8, &[], &[5.0]);
    assert_covered("lognormal", &Law::lognormal(), 0.8, &[], &[5.0]);
}

#[test]
fn the_mean_sojourn_at_load_0_9_is_ten_services_whatever_their_law() {
    assert_covered("exponential", &Law::exponential(), 0.9, &[], &[10.0]);
    assert_covered("lognormal", &Law::lognormal(), 0.9, &[], &[10.0]);
}

#[test]
fn the_mean_sojourn_of_a_size_is_proportional_to_it() {
    assert_covered("three sizes", &Law::three(), 0.8, &SIZES, &[1.25, 5.0, 16.25]);
}

/// What the whole simulator makes of transfers: for each client when its transfer began, how large it was, and when it ended.
#[derive(Default)]
struct Transfers(Vec<(Instant, u64, Instant)>);

impl Tap for Transfers {
    fn happens(&mut self, now: Instant, who: Who, what: Happening<'_>) {
        let client = who.index as usize;
        match what {
            Happening::Command(command) if command.verb == Verb::Retr => {
                self.0.resize(self.0.len().max(client + 1), (Instant::NEVER, 0, Instant::NEVER));
                self.0[client].0 = now;
            }
            Happening::Reply { reply, bytes, .. } if reply.code == 150 => self.0[client].1 = bytes,
            Happening::Reply { reply, .. } if reply.code == 226 => self.0[client].2 = now,
            _ => {}
        }
    }
}

/// The wiring: with nothing else that costs time, transfers of the whole simulator share as the pipe alone does, to the nanosecond.
/// And their mean sojourn is the theory's, within four standard deviations (by the reckoning above a relative
/// 1 / sqrt(relaxation times), here 123: 36 %).
#[test]
fn the_whole_simulator_shares_as_the_pipe_alone_does() {
    let scenario = support::scenario(
        r#"
        schema = 1
        name = "sharing"
        seed = 1001
        duration = "20s"
        [server]
        bandwidth = "1GB/s"
        login_timeout = "0s"
        idle_timeout = "0s"
        [[clients]]
        name = "callers"
        link = { rtt = "0s" }
        arrivals = { executor = "poisson", rate = "800/s" }
        script = ["login", { retr = { dist = "lognormal", mean = "1MB", cv = 1.5 } }]
        "#,
    );
    let mut tap = Transfers::default();
    sim::run(&scenario, 0, &mut tap, &Watch::default());
    let mut transfers = tap.0;
    transfers.sort_by_key(|(began, ..)| *began);
    let last = Instant::ZERO + scenario.duration;
    let mut pipe = Pipe::new(BANDWIDTH);
    let (mut ended, mut sum) = (0, 0.0);
    let mut ends = |pipe: &mut Pipe, until: Instant, transfers: &[(Instant, u64, Instant)]| {
        while pipe.next() <= until {
            let at = pipe.next();
            let (began, _, end) = transfers[pipe.finish(at).expect("one is through") as usize];
            assert_eq!(end, at, "of the transfer that began at {began}");
            sum += at.since(began).as_secs_f64() * 1e3;
            ended += 1;
        }
    };
    for (number, (began, bytes, _)) in transfers.iter().enumerate() {
        ends(&mut pipe, *began, &transfers);
        pipe.begin(*began, *bytes, UNCAPPED, number as u32);
    }
    ends(&mut pipe, last, &transfers);
    assert!(ended > 15_000, "{ended} transfers");
    let mean = sum / f64::from(ended);
    assert!((mean / 5.0 - 1.0).abs() < 0.36, "{mean} ms instead of 5");
}
