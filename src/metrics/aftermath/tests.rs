use super::*;
use crate::observe::{Cause, Class};

fn secs(s: u64) -> Instant {
    Instant::ZERO + Duration::from_secs(s)
}

fn trouble(begin: u64, end: u64) -> Trouble {
    Trouble { begin: secs(begin), end: secs(end) }
}

/// 240 windows of a second: `fill` says what happens in each.
fn series(fill: impl Fn(u64, &mut Bucket)) -> Series {
    let mut series = Series::new(secs(240));
    for s in 0..240 {
        fill(s, series.at(secs(s)));
    }
    series.finish(secs(240));
    series
}

/// Two come each second and are served at once.
fn calm(bucket: &mut Bucket) {
    (bucket.wanted, bucket.attempts, bucket.served) = (2, 2, 2);
    bucket.classes[Class::Admitted.index()] = 2;
}

/// Two come each second, and one of them is served after nine attempts by those who wait.
fn storming(bucket: &mut Bucket) {
    (bucket.wanted, bucket.attempts, bucket.served) = (2, 20, 1);
    bucket.classes[Class::Admitted.index()] = 1;
    bucket.classes[Class::TurnedAway.index()] = 19;
}

/// Nobody is served.
fn down(bucket: &mut Bucket) {
    (bucket.wanted, bucket.attempts) = (2, 4);
    bucket.classes[Class::NetworkFailed.index()] = 4;
}

fn after(series: &Series, troubles: &[Trouble]) -> Vec<Option<Aftermath>> {
    aftermaths(series, Instant::ZERO, secs(240), troubles)
}

fn recovered(aftermath: Option<Aftermath>) -> Option<u64> {
    aftermath?.recovered_after.map(|d| d.as_nanos() / 1_000_000_000)
}

#[test]
fn a_system_that_serves_again_at_once_has_recovered_at_once() {
    let series = series(|s, bucket| match s {
        100..110 => {
            down(bucket);
            bucket.given_up = 2;
        }
        _ => calm(bucket),
    });
    let got = after(&series, &[trouble(100, 110)]);
    assert_eq!(recovered(got[0]), Some(0));
    let baseline = got[0].unwrap().baseline;
    assert_eq!((baseline.length, baseline.trials, baseline.failed), (Duration::from_secs(60), 120, 0));
    assert_eq!(got[0].unwrap().storm, None);
}

#[test]
fn those_who_still_wait_keep_it_from_having_recovered() {
    // 20 wait when it is over; four are served each second, while two come: two are left after nine seconds.
    let series = series(|s, bucket| match s {
        100..110 => down(bucket),
        110..120 => {
            calm(bucket);
            bucket.served = 4;
        }
        _ => calm(bucket),
    });
    assert_eq!(recovered(after(&series, &[trouble(100, 110)])[0]), Some(8), "2 = 2 x 0 + 2 may wait");
}

#[test]
fn a_storm_that_outlives_its_cause_is_one_until_its_last_failing_window() {
    let series = series(|s, bucket| match s {
        100..110 => down(bucket),
        110..150 => storming(bucket),
        150..190 => {
            calm(bucket);
            bucket.served = 4;
        }
        _ => calm(bucket),
    });
    let got = after(&series, &[trouble(100, 110)])[0].unwrap();
    let storm = got.storm.unwrap();
    assert_eq!((storm.sums.length, storm.to_the_end), (Duration::from_secs(40), false));
    assert_eq!((storm.sums.attempts, storm.sums.wanted, storm.sums.failed), (800, 80, 760));
    // 60 wait at 150 s; two fewer each second.
    assert_eq!(got.recovered_after, Some(Duration::from_secs(150 + 28 - 110)));
}

#[test]
fn a_metastable_storm_lasts_to_the_end_and_nothing_recovers() {
    let series = series(|s, bucket| match s {
        0..100 => calm(bucket),
        100..110 => down(bucket),
        _ => storming(bucket),
    });
    let got = after(&series, &[trouble(100, 110)])[0].unwrap();
    assert_eq!(got.recovered_after, None);
    let storm = got.storm.unwrap();
    assert_eq!((storm.sums.length, storm.to_the_end), (Duration::from_secs(130), true));
}

#[test]
fn a_ban_that_is_still_in_force_is_no_storm() {
    let series = series(|s, bucket| match s {
        0..100 => calm(bucket),
        100..110 => down(bucket),
        _ => {
            storming(bucket);
            bucket.refused[Cause::Banned.index()] = 19;
        }
    });
    let got = after(&series, &[trouble(100, 110)])[0].unwrap();
    assert_eq!((got.recovered_after, got.storm), (None, None));
}

#[test]
fn more_who_come_is_a_crowd_and_no_storm() {
    let series = series(|s, bucket| match s {
        0..100 => calm(bucket),
        100..110 => down(bucket),
        _ => {
            storming(bucket);
            bucket.wanted = 4;
        }
    });
    let got = after(&series, &[trouble(100, 110)])[0].unwrap();
    assert_eq!((got.recovered_after, got.storm), (None, None));
}

#[test]
fn failures_without_more_attempts_are_no_storm() {
    let series = series(|s, bucket| {
        if s < 100 {
            calm(bucket);
        } else {
            (bucket.wanted, bucket.attempts, bucket.given_up) = (2, 2, 2);
            bucket.classes[Class::TurnedAway.index()] = 2;
        }
    });
    let got = after(&series, &[trouble(100, 110)])[0].unwrap();
    assert_eq!((got.recovered_after, got.storm), (None, None));
}

#[test]
fn a_fault_that_meets_the_next_is_judged_after_both() {
    let series = series(|s, bucket| match s {
        100..120 => {
            down(bucket);
            bucket.given_up = 2;
        }
        _ => calm(bucket),
    });
    let got = after(&series, &[trouble(100, 110), trouble(105, 120), trouble(180, 180)]);
    assert_eq!([0, 1, 2].map(|i| recovered(got[i])), [Some(10), Some(0), Some(0)]);
}

#[test]
fn one_that_recovers_only_after_the_next_says_so() {
    let series = series(|s, bucket| match s {
        100..150 => {
            down(bucket);
            bucket.given_up = 2;
        }
        _ => calm(bucket),
    });
    let got = after(&series, &[trouble(100, 110), trouble(130, 150)]);
    assert_eq!([0, 1].map(|i| recovered(got[i])), [Some(40), Some(0)]);
}

#[test]
fn the_baseline_begins_after_the_warm_up_and_nothing_is_judged_without_one() {
    let series = series(|_, bucket| calm(bucket));
    let got = aftermaths(&series, secs(90), secs(240), &[trouble(100, 110)]);
    assert_eq!(got[0].unwrap().baseline.trials, 20);
    assert_eq!(after(&series, &[trouble(2, 10)]), [None], "four attempts are no baseline");
    assert_eq!(after(&series, &[trouble(100, 240)]), [None], "nothing is left");
}

#[test]
fn a_wide_last_window_ends_with_the_run() {
    let mut series = Series::new(secs(600));
    (0..125).for_each(|s| calm(series.at(secs(s))));
    let got = aftermaths(&series, Instant::ZERO, secs(123), &[trouble(60, 61)]);
    assert_eq!(got[0].unwrap().recovered_after, Some(Duration::ZERO));
}
