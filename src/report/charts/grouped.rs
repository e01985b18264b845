//! Rows put together, where each alone is too short to say much: a run in real time is minutes long and its rows are not.
//!
//! Only what the charts of shares and rates plot is added up.

use std::borrow::Cow;

use crate::metrics::summary::{Summary, TimelineRow};

/// So many rows may become one.
const SIZES: [usize; 4] = [1, 2, 5, 10];
/// So many attempts a group should have on average: a share of fewer is noise.
const ATTEMPTS: f64 = 10.0;

/// The rows of a measured run in groups of enough attempts; those of a simulated one as they are.
pub(super) fn grouped<'a>(summary: &Summary, rows: &'a [TimelineRow]) -> Cow<'a, [TimelineRow]> {
    let busy = rows.iter().filter(|row| row.attempts > 0.0).count().max(1) as f64;
    let each = rows.iter().map(|row| row.attempts).sum::<f64>() / busy;
    let size = SIZES.into_iter().find(|size| each * *size as f64 >= ATTEMPTS).unwrap_or(SIZES[3]);
    if summary.target.is_none() || size == 1 {
        return Cow::Borrowed(rows);
    }
    rows.chunks(size).map(sum).collect::<Vec<_>>().into()
}

fn sum(rows: &[TimelineRow]) -> TimelineRow {
    let of = |field: fn(&TimelineRow) -> f64| rows.iter().map(field).sum::<f64>();
    TimelineRow {
        begin_s: rows.first().map_or(0.0, |row| row.begin_s),
        width_s: of(|row| row.width_s),
        wanted: of(|row| row.wanted),
        attempts: of(|row| row.attempts),
        retries: of(|row| row.retries),
        admitted: of(|row| row.admitted),
        turned_away: of(|row| row.turned_away),
        login_failed: of(|row| row.login_failed),
        network_failed: of(|row| row.network_failed),
        abandoned: of(|row| row.abandoned),
        cut: of(|row| row.cut),
        ..TimelineRow::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::summary::TargetFacts;

    #[test]
    fn rows_of_a_measured_run_are_put_together_until_they_say_something() {
        let row = |i: u32| TimelineRow {
            begin_s: f64::from(i) * 0.2,
            width_s: 0.2,
            attempts: 3.0,
            turned_away: 1.0,
            ..TimelineRow::default()
        };
        let rows: Vec<TimelineRow> = (0..12).map(row).collect();
        let mut summary = Summary::default();
        assert_eq!(grouped(&summary, &rows).len(), 12, "a simulated run's rows stay");
        summary.target = Some(TargetFacts::default());
        let groups = grouped(&summary, &rows);
        let told: Vec<(f64, f64)> = groups.iter().map(|row| (row.attempts, row.turned_away)).collect();
        assert_eq!(told, [(15.0, 5.0), (15.0, 5.0), (6.0, 2.0)]);
        assert!((groups[1].begin_s - 1.0).abs() < 1e-9 && (groups[1].width_s - 1.0).abs() < 1e-9);
        assert!(grouped(&summary, &[]).is_empty());
    }
}
