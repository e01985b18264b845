//! Loss and what TCP makes of it: a lost message comes later, and a lossy path is slower.
//!
//! It draws nothing: a driver hands in the uniform number that decides.

use crate::time::{Duration, Instant};

/// How long the kernel waits before it sends a lost segment again, the first time: Linux's minimum (`TCP_RTO_MIN`).
pub const RTO: Duration = Duration::from_millis(200);
/// No such wait is longer (`TCP_RTO_MAX`).
const RTO_MAX: Duration = Duration::from_secs(120);
/// The same for a SYN and its answer (RFC 6298, section 2.1).
pub const SYN_RTO: Duration = Duration::from_secs(1);
/// How often a SYN is sent again (Linux, `tcp_syn_retries`).
pub const SYN_RETRIES: u8 = 6;
/// The bytes of a full segment over Ethernet.
const MSS: f64 = 1_460.0;

/// How long after the first SYN number `tries` (from 0) is sent: 0, 1, 3, 7, 15, 31 and 63 s. The kernel gives up when number 7
/// would be due.
pub const fn syn_after(tries: u8) -> Duration {
    Duration::from_nanos(((1 << tries) - 1) * SYN_RTO.as_nanos())
}

/// What a way is like from a point in time on, on top of its usual delay.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stretch {
    /// From when.
    pub from: Instant,
    /// The additional delay.
    pub delay: Duration,
    /// The share of messages that are lost.
    pub loss: f64,
    /// Nothing gets through before this.
    pub closed_until: Instant,
}

impl Stretch {
    /// A way that always loses `loss` of the messages.
    pub const fn always(loss: f64) -> Self {
        Self { from: Instant::ZERO, delay: Duration::ZERO, loss, closed_until: Instant::ZERO }
    }
}

/// What a way is like at `at`, of `stretches` in order of time, the first of which begins at zero.
pub fn at(stretches: &[Stretch], at: Instant) -> Stretch {
    let begun = stretches.partition_point(|stretch| stretch.from <= at);
    begun.checked_sub(1).map_or(Stretch::always(0.0), |last| stretches[last])
}

/// Sends one segment at `sent`, once: the additional delay of its way, or `None` if it is lost. `unit` is uniform in (0, 1), and what
/// is left of it after a loss is uniform again: one number decides about all tries, whose number is then geometric.
pub fn once(stretches: &[Stretch], sent: Instant, unit: &mut f64) -> Option<Duration> {
    let way = at(stretches, sent);
    if sent < way.closed_until {
        return None;
    }
    if *unit < way.loss {
        *unit /= way.loss;
        return None;
    }
    Some(way.delay)
}

/// Sends a segment at `sent` until it gets through, with waits of `rto`, doubled each time: when it was sent for the last time, plus
/// the additional delay of that way. The kernel is taken to be patient: real ones give a connection up after about 15 minutes.
pub fn until_through(stretches: &[Stretch], sent: Instant, rto: Duration, mut unit: f64) -> Instant {
    let (mut sent, mut wait) = (sent, rto);
    loop {
        let way = at(stretches, sent);
        if let Some(delay) = once(stretches, sent, &mut unit) {
            return sent + delay;
        }
        let missing = way.closed_until.since(sent).as_nanos();
        if wait >= RTO_MAX && missing > 0 {
            sent += RTO_MAX * missing.div_ceil(RTO_MAX.as_nanos());
        } else {
            sent += wait;
            wait = (wait * 2).min(RTO_MAX);
        }
    }
}

/// The most that a TCP connection moves over a path with round-trip time `rtt` that loses the share `loss` of its segments, in
/// bytes per second; `u64::MAX` if nothing bounds it. Mathis, Semke, Mahdavi and Ott, "The macroscopic behavior of the TCP
/// congestion avoidance algorithm", ACM CCR 27(3), 1997, equation 3: MSS / RTT x C / sqrt(p), with C = sqrt(3/2) for periodic
/// losses and an acknowledgement for each segment.
pub fn mathis_rate(rtt: Duration, loss: f64) -> u64 {
    if rtt.is_zero() || loss <= 0.0 {
        return u64::MAX;
    }
    (MSS / rtt.as_secs_f64() * (1.5 / loss).sqrt()) as u64 // `as` saturates
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    #[test]
    fn one_number_gives_a_geometric_number_of_losses() {
        let way = [Stretch::always(0.5)];
        let through = |unit| until_through(&way, ms(0), RTO, unit);
        // Below 1/2 it is lost once, below 1/4 twice, below 1/8 three times.
        assert_eq!(through(0.6), ms(0));
        assert_eq!(through(0.3), ms(200));
        assert_eq!(through(0.2), ms(600));
        assert_eq!(through(0.1), ms(1_400));
    }

    #[test]
    fn what_is_sent_into_a_partition_arrives_with_the_first_retransmission_after_it() {
        let closed = |secs| {
            let until = Instant::ZERO + Duration::from_secs(secs);
            [Stretch { closed_until: until, ..Stretch::always(0.0) }]
        };
        assert_eq!(until_through(&closed(1), ms(0), RTO, 0.5), ms(1_400));
        assert_eq!(until_through(&closed(1), ms(900), RTO, 0.5), ms(1_100));
        // 0.2, 0.4, .. 102.4 s make 204.6 s, and then one each two minutes.
        let day = closed(86_400);
        let through = until_through(&day, ms(0), RTO, 0.5);
        assert_eq!(through, ms(204_600 + 719 * 120_000));
    }

    #[test]
    fn the_kernel_knocks_seven_times() {
        let times: Vec<u64> =
            (0..=SYN_RETRIES + 1).map(|n| syn_after(n).as_nanos() / 1_000_000_000).collect();
        assert_eq!(times, [0, 1, 3, 7, 15, 31, 63, 127]);
    }

    /// 1460 bytes / 100 ms x sqrt(1.5) / sqrt(0.01) = 178.8 kB/s.
    #[test]
    fn a_lossy_path_is_as_slow_as_mathis_says() {
        assert_eq!(mathis_rate(Duration::from_millis(100), 0.01), 178_812);
        assert_eq!(mathis_rate(Duration::from_millis(100), 0.0), u64::MAX);
        assert_eq!(mathis_rate(Duration::ZERO, 0.01), u64::MAX);
    }
}
