//! The summary that belongs to made-up rows.

use std::collections::BTreeMap;

use ftp421::metrics::summary::{
    Concurrency, Counts, Coverage, Estimate, Estimates, Ghosts, Little, Onset, Onsets, Quantile, Quantiles,
    RefusalCount, Refusals, SCHEMA, ServerFacts, Summary, TimelineRow, Transfers, Verdict,
};
use ftp421::observe::Cause;

/// The sums of `rows` as a summary.
pub fn summary(name: &str, duration_s: f64, replications: u32, rows: &[TimelineRow]) -> Summary {
    let counts = counts(rows, replications);
    let first = rows.iter().find(|r| r.turned_away > 0.0).map(|r| onset(r.begin_s));
    Summary {
        schema: SCHEMA,
        tool: "ftp421 0.1.0".into(),
        world: "simulated".into(),
        scenario: name.into(),
        question: "Does it look right?".into(),
        scenario_hash: "0".into(),
        seed: 421,
        replications,
        duration_s,
        warmup_s: 0.0,
        partial: false,
        digest: "0".into(),
        story: vec![
            "max_clients = 100 binds; 110 would meet the thresholds.".into(),
            "It began at 1h 12m.".into(),
        ],
        server: ServerFacts {
            servers: Vec::new(),
            profile: "vsftpd".into(),
            limits: BTreeMap::from([("max_clients".into(), 100)]),
        },
        counts,
        populations: BTreeMap::new(),
        refused_by_cause: refused_by_cause(rows, replications),
        refused_by_phase: Refusals::default(),
        refusals: vec![RefusalCount {
            ended: "turned_away".into(),
            cause: "max_clients".into(),
            phase: "greeting".into(),
            code: 421,
            count: counts.turned_away,
        }],
        estimates: estimates(&counts),
        onset: Onsets {
            sustained: first.clone().map(|o| Onset { time_s: o.time_s + duration_s / 40.0, ..o }),
            first,
            window: 100,
            level: 0.01,
        },
        latency: latency(counts),
        transfers: Transfers::default(),
        ghosts: Ghosts::default(),
        concurrency: BTreeMap::from([("connections".into(), Concurrency { mean: 1.0 / 3.0, max: 100 })]),
        episodes: Vec::new(),
        episodes_dropped: 0,
        faults: Vec::new(),
        storms: Vec::new(),
        little: Little { holds: true, ..Little::default() },
        coverage: Coverage::default(),
        thresholds: vec![Verdict {
            threshold: "refused_first < 0.01".into(),
            value: Some(0.123),
            above: false,
            ok: true,
        }],
        advice: None,
        ..Summary::default()
    }
}

fn counts(rows: &[TimelineRow], replications: u32) -> Counts {
    let total =
        |f: fn(&TimelineRow) -> f64| (rows.iter().map(f).sum::<f64>() * f64::from(replications)) as u64;
    Counts {
        wanted: total(|r| r.wanted),
        attempts: total(|r| r.attempts),
        admitted: total(|r| r.admitted),
        turned_away: total(|r| r.turned_away),
        network_failed: total(|r| r.network_failed),
        cut: total(|r| r.cut),
        retries: total(|r| r.retries),
        unserved: total(|r| r.turned_away) / 9,
        ..Counts::default()
    }
}

fn estimates(counts: &Counts) -> Estimates {
    let share = |n: u64, of: u64| (of > 0).then(|| n as f64 / of as f64);
    let around =
        |mean: Option<f64>| Estimate { mean, low: mean.map(|m| m * 0.95), high: mean.map(|m| m * 1.05) };
    Estimates {
        method: "t over replications".into(),
        refused_first: around(share(
            counts.turned_away - counts.turned_away.min(counts.retries),
            counts.wanted,
        )),
        refused_attempt: around(share(counts.turned_away, counts.attempts)),
        unserved: around(share(counts.unserved, counts.wanted)),
        amplification: around(share(counts.attempts, counts.wanted)),
        ..Estimates::default()
    }
}

fn refused_by_cause(rows: &[TimelineRow], replications: u32) -> Refusals {
    let total =
        |cause: &Cause| rows.iter().map(|r| r.refused[cause.index()]).sum::<f64>() * f64::from(replications);
    let of = |causes: &[Cause]| -> BTreeMap<String, u64> {
        causes.iter().map(|c| (c.name().to_owned(), total(c) as u64)).filter(|(_, n)| *n > 0).collect()
    };
    Refusals {
        turned_away: of(&[Cause::MaxClients, Cause::MaxPerIp, Cause::Banned, Cause::ShuttingDown]),
        cut: of(&[Cause::IdleTimeout]),
        login_failed: of(&[Cause::LoginAttempts]),
        network: of(&[Cause::ConnectionRefused, Cause::Reset]),
        transfer: BTreeMap::new(),
    }
}

fn onset(time_s: f64) -> Onset {
    Onset {
        time_s,
        earliest_s: time_s,
        latest_s: time_s,
        occurred: 1,
        connections: 100,
        offered_erlangs: Some(101.0),
        cause: "max_clients".into(),
        phase: "greeting".into(),
        code: 421,
    }
}

fn latency(counts: Counts) -> BTreeMap<String, Quantiles> {
    if counts.admitted < 10 {
        return BTreeMap::new();
    }
    let n = counts.admitted;
    BTreeMap::from([
        ("connect".into(), quantiles(n, 0, |x| 0.02 + 0.004 * libm::log10(x))),
        ("login".into(), quantiles(n, 0, |x| 0.08 + 0.05 * libm::log10(x))),
        ("command".into(), quantiles(4 * n, 0, |x| 0.04 + 0.01 * libm::log10(x))),
        ("time_to_service".into(), quantiles(n, counts.unserved, |x| 0.12 * libm::pow(x, 1.4))),
    ])
}

/// The quantiles of a distribution whose quantile `q` is `value(1 / (1 - q))`.
pub fn quantiles(count: u64, censored: u64, value: impl Fn(f64) -> f64) -> Quantiles {
    let edge = 1.0 - censored as f64 / (count + censored) as f64;
    let max = value((1.0 / (1.0 - edge)).min(1e6));
    let at = |q: f64| Quantile { q, s: if q > edge { max } else { value(1.0 / (1.0 - q)) }, above: q > edge };
    Quantiles {
        count,
        censored,
        mean_s: Some(value(2.0)),
        min_s: Some(value(1.0)),
        max_s: Some(max),
        quantiles: [0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9999].map(at).into(),
    }
}
