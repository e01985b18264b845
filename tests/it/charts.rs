//! Reports: what is written reads back, a chart plots the file beside it, and no data breaks one.

mod synthetic;

use ftp421::metrics::summary::{Covered, Episode, Summary, TimelineRow};
use ftp421::observe::{Cause, Latency};
use ftp421::report::charts::{charts, series};
use ftp421::report::{csv, hlog, json, text};
use hdrhistogram::Histogram;
use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
use proptest::prelude::*;

#[test]
fn a_summary_reads_back_as_it_was_written() {
    for (name, (summary, _)) in synthetic::all() {
        let bytes = json::summary(&summary);
        assert!(bytes.ends_with(b"}\n"), "{name}");
        assert_eq!(json::read_summary(&bytes).as_ref(), Ok(&summary), "{name}");
    }
}

#[test]
fn a_summary_of_another_schema_is_refused_with_its_number() {
    let problem = json::read_summary(b"{\"schema\": 7}").unwrap_err();
    assert!(problem.contains("schema 7") && problem.contains("schema 1"), "{problem}");
    assert!(json::read_summary(b"{}").unwrap_err().contains("no schema"));
    assert!(json::read_summary(b"\xff").unwrap_err().contains("no JSON"));
}

#[test]
fn a_summary_that_no_run_can_have_is_refused_with_its_field() {
    let (summary, _) = synthetic::busy_evening();
    let whole: serde_json::Value = serde_json::from_slice(&json::summary(&summary)).unwrap();
    let found = |path: &str, value: serde_json::Value| {
        let mut edited = whole.clone();
        *edited.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = value;
        json::read_summary(&serde_json::to_vec(&edited).unwrap())
    };
    let number = |n: f64| serde_json::Value::from(n);
    for (path, value, said) in [
        ("/duration_s", number(-1.0), "`duration_s` is -1"),
        ("/duration_s", number(1e300), "`duration_s` is 1"),
        ("/warmup_s", number(-0.5), "`warmup_s` is -0.5"),
        ("/warmup_s", number(366.0 * 86_400.0 + 1.0), "366 days"),
        ("/replications", 0.into(), "`replications` is 0"),
        (
            "/latency/time_to_service/quantiles/0/q",
            number(1.5),
            "`latency.time_to_service.quantiles[0].q` is 1.5",
        ),
        ("/latency/time_to_service/quantiles/0/q", number(-0.1), "a number from 0 to 1"),
        ("/latency/time_to_service/quantiles/0/s", number(-2.0), "quantiles[0].s` is -2: seconds from 0 on"),
        ("/latency/time_to_service/max_s", number(-2.0), "`latency.time_to_service.max_s`"),
        ("/faults/0/begin_s", number(-2.0), "`faults[0].begin_s`"),
        ("/scenario", "\u{1b}[2J".into(), "`scenario` has control characters"),
        ("/question", "a\rb".into(), "`question` has"),
        ("/story/0", "a\u{9b}b".into(), "`story[0]` has"),
        ("/thresholds/0/threshold", "a\u{7}".into(), "`thresholds[0].threshold` has"),
        ("/server/profile", "a\0".into(), "`server.profile` has"),
        ("/server/limits", serde_json::json!({"max\u{1b}": 3}), "a key in `server.limits` has"),
        ("/refused_by_cause/cut", serde_json::json!({"\n": 3}), "a key in `refused_by_cause.cut` has"),
    ] {
        let problem = found(path, value).expect_err(path);
        assert!(problem.contains(said), "{path}: {problem}");
        assert!(!problem.chars().any(char::is_control), "{path}: {problem:?}");
    }
    assert!(found("/duration_s", number(366.0 * 86_400.0)).is_ok());
}

#[test]
fn a_timeline_reads_back_as_it_was_written() {
    for (name, (_, rows)) in synthetic::all() {
        assert_eq!(csv::read_timeline(&csv::timeline(&rows)).as_ref(), Ok(&rows), "{name}");
    }
}

#[test]
fn a_damaged_timeline_is_refused_with_its_place() {
    let whole = String::from_utf8(csv::timeline(&synthetic::busy_evening().1)).unwrap();
    let problem = |text: &str| csv::read_timeline(text.as_bytes()).unwrap_err();
    assert!(problem(&whole.replacen("refused_banned", "refused_bored", 1)).contains("`refused_banned`"));
    assert!(problem(&whole.replacen("\n0,", "\nnoon,", 1)).contains("line 2, `begin_s`: `noon`"));
    assert!(problem(&whole.replacen("\n0,", "\n,", 1)).contains("line 2: a number is missing"));
    assert!(problem("").contains("begin_s"));
    for wrong in ["-1", "inf", "NaN", "1e999"] {
        let said = problem(&whole.replacen("\n60,", &format!("\n{wrong},"), 1));
        assert!(said.contains(&format!("line 3, `begin_s`: `{wrong}` is no number of at least 0")), "{said}");
    }
    let said = problem(&whole.replacen("\n0,", &format!("\n\u{1b}{},", "x".repeat(100_000)), 1));
    assert!(said.len() < 120 && !said.contains('\u{1b}'), "{} bytes", said.len());
}

#[test]
fn refusals_are_listed_one_a_line() {
    let (summary, _) = synthetic::busy_evening();
    let text = String::from_utf8(csv::refusals(&summary)).unwrap();
    assert_eq!(text.lines().next(), Some("ended,cause,phase,code,count"));
    assert_eq!(text.lines().count(), 1 + summary.refusals.len());
}

#[test]
fn a_latency_log_reads_back_with_its_tags_and_no_date() {
    let mut histogram = Histogram::new(3).unwrap();
    (1..1_000_u64).for_each(|n| histogram.record(n * 1_000_000).unwrap());
    let empty = Histogram::new(3).unwrap();
    let bytes = hlog::hlog(&[(Latency::Login, histogram.clone()), (Latency::TimeToService, empty)], 60.0);
    let entries: Vec<LogEntry<'_>> = IntervalLogIterator::new(&bytes).map(Result::unwrap).collect();
    let intervals: Vec<_> = entries
        .iter()
        .map(|entry| match entry {
            LogEntry::Interval(interval) => interval,
            LogEntry::StartTime(_) | LogEntry::BaseTime(_) => panic!("a date: {entry:?}"),
        })
        .collect();
    assert_eq!(
        intervals.iter().map(|i| i.tag().unwrap().as_str()).collect::<Vec<_>>(),
        ["login", "time_to_service"]
    );
    assert_eq!(intervals[0].duration().as_secs(), 60);
    assert!((intervals[0].max() - histogram.max() as f64 / 1e9).abs() < 1e-3);
    assert!(hlog::hlog(&[], f64::NAN).starts_with(b"#"));
}

#[test]
fn the_terminal_shows_seed_story_refusals_and_verdicts_in_that_order() {
    let (summary, _) = synthetic::busy_evening();
    let plain = text::text(&summary, false);
    let place = |words: &str| plain.find(words).unwrap_or_else(|| panic!("{words} is not in\n{plain}"));
    assert!(plain.starts_with("seed 421 · busy-evening"), "{plain}");
    assert!(place(&summary.story[0]) < place("wanted"));
    assert!(place("turned away") < place("max_clients  ") && place("max_clients  ") < place("FAILED"));
    assert!(!plain.contains('\x1b') && plain.lines().count() < 30, "{plain}");
    assert!(text::text(&summary, true).contains('\x1b'));
}

#[test]
fn a_chart_plots_the_numbers_of_the_file_beside_it() {
    let (summary, rows) = synthetic::seven_causes();
    let bytes = csv::timeline(&rows);
    let column = |name: &str| column(&bytes, name);
    let shown = series::concurrency(&rows);
    assert_eq!(values(&shown.connections), column("connections_mean"));
    assert_eq!(values(&shown.peak), column("connections_max"));
    assert_eq!(values(&shown.sessions), column("sessions_mean"));
    assert_eq!(values(&shown.limit), column("limit"));
    assert_eq!(shown.refused.len(), 7);
    for (cause, series) in &shown.refused {
        assert_eq!(values(series), column(&format!("refused_{cause}")));
    }
    let shown = series::retries(&rows, summary.replications);
    assert_eq!(values(&shown.wanted), column("wanted"));
    assert_eq!(values(&shown.retries), column("retries"));
    let (attempts, wanted) = (column("attempts"), column("wanted"));
    for (i, within) in values(&shown.within).iter().enumerate() {
        let enough = |wanted: &f64| *wanted * f64::from(summary.replications) >= 5.0;
        let expected = attempts[i].zip(wanted[i].filter(enough)).map(|(a, w)| a / w);
        assert_eq!(*within, expected, "row {i}");
    }
    let shown = series::refusals(&rows, summary.replications);
    let turned_away = column("turned_away");
    for (i, share) in values(&shown.share).iter().enumerate().filter(|(_, share)| share.is_some()) {
        let ended: f64 = ["admitted", "turned_away", "login_failed", "network_failed", "abandoned"]
            .iter()
            .filter_map(|name| column(name)[i])
            .sum();
        assert!((share.unwrap() - turned_away[i].unwrap() / ended).abs() < 1e-12, "row {i}");
    }
}

/// 480 retries of clients who came before, in a minute in which one came: no amplification of that minute.
#[test]
fn a_minute_in_which_hardly_anyone_came_has_no_amplification_of_its_own() {
    let row = |wanted, attempts| TimelineRow { wanted, attempts, width_s: 60.0, ..TimelineRow::default() };
    let rows = [row(100.0, 120.0), row(1.0, 480.0), row(0.0, 30.0)];
    let within = |replications| values(&series::retries(&rows, replications).within);
    assert_eq!(within(1), [Some(1.2), None, None]);
    assert_eq!(within(4), [Some(1.2), None, None]);
    assert_eq!(within(5), [Some(1.2), Some(480.0), None]);
    let so_far = values(&series::retries(&rows, 1).so_far);
    assert_eq!(so_far, [Some(1.2), Some(600.0 / 101.0), Some(630.0 / 101.0)]);
}

#[test]
fn every_chart_says_from_when_on_its_estimates_are() {
    let (mut summary, rows) = synthetic::busy_evening();
    let says =
        |summary: &Summary| charts(summary, &rows).iter().all(|c| c.svg.contains("estimates from 8m on"));
    summary.warmup_s = 0.0;
    assert!(!charts(&summary, &rows).iter().any(|c| c.svg.contains("estimates from")));
    summary.warmup_s = 480.0;
    assert!(says(&summary));
    let refusals = charts(&summary, &rows).swap_remove(1).svg;
    assert!(refusals.contains("estimate: ") && !refusals.contains("whole run"));
}

#[test]
fn a_chart_drawn_from_the_files_is_the_chart_drawn_from_the_run() {
    let (summary, rows) = synthetic::herd();
    let read = json::read_summary(&json::summary(&summary)).unwrap();
    let read_rows = csv::read_timeline(&csv::timeline(&rows)).unwrap();
    assert!(charts(&summary, &rows) == charts(&read, &read_rows));
}

#[test]
fn every_chart_is_a_small_whole_svg_and_png() {
    for (name, (summary, rows)) in synthetic::all() {
        let drawn = charts(&summary, &rows);
        assert_eq!(
            drawn.iter().map(|c| c.name).collect::<Vec<_>>(),
            ["concurrency", "refusals", "time-to-service", "retries"]
        );
        for chart in drawn {
            assert!(
                chart.svg.starts_with("<svg ") && chart.svg.ends_with("</svg>\n"),
                "{name}/{}",
                chart.name
            );
            assert!(chart.svg.len() < 60_000, "{name}/{}: {} bytes", chart.name, chart.svg.len());
            assert!(!chart.svg.contains("NaN") && !chart.svg.contains("inf\""), "{name}/{}", chart.name);
            assert!(chart.png.starts_with(b"\x89PNG\r\n"), "{name}/{}", chart.name);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_data_breaks_a_chart(rows in prop::collection::vec(any_row(), 0..12), edit in any_edit()) {
        let (mut summary, _) = synthetic::busy_evening();
        edit.apply(&mut summary);
        prop_assert_eq!(charts(&summary, &rows).len(), 4);
        text::text(&summary, true);
    }

    #[test]
    fn any_timeline_reads_back_or_is_refused(rows in prop::collection::vec(any_row(), 0..3)) {
        let bytes = csv::timeline(&rows);
        let is_sane = rows.iter().all(|row| cells(row).iter().all(|n| n.is_finite() && *n >= 0.0));
        let again = csv::read_timeline(&bytes).map(|rows| csv::timeline(&rows));
        prop_assert_eq!(again.ok(), is_sane.then_some(bytes));
    }

    #[test]
    fn any_sane_timeline_reads_back(rows in prop::collection::vec(any_row(), 0..12)) {
        let bytes = csv::timeline(&rows.iter().map(sane).collect::<Vec<_>>());
        let again = csv::read_timeline(&bytes).map(|rows| csv::timeline(&rows));
        prop_assert_eq!(again, Ok(bytes));
    }
}

fn values(series: &series::Series) -> Vec<Option<f64>> {
    series.points.iter().map(|p| p.value).collect()
}

/// The column `name` of a CSV, read without the code under test.
fn column(bytes: &[u8], name: &str) -> Vec<Option<f64>> {
    let mut lines = std::str::from_utf8(bytes).unwrap().lines();
    let place = lines.next().unwrap().split(',').position(|column| column == name).unwrap();
    lines.map(|line| line.split(',').nth(place).unwrap().parse().ok()).collect()
}

/// A number that a chart may meet, or must survive.
fn any_number() -> impl Strategy<Value = f64> {
    prop_oneof![4 => 0.0..1e4, 1 => any::<f64>(), 1 => Just(0.0), 1 => Just(f64::NAN), 1 => Just(f64::INFINITY)]
}

fn any_row() -> impl Strategy<Value = TimelineRow> {
    let plain = prop::collection::vec(any_number(), 14);
    (plain, prop::collection::vec(any_number(), Cause::COUNT), prop::option::of(any_number())).prop_map(
        |(n, refused, wait)| TimelineRow {
            begin_s: n[0],
            width_s: n[1],
            wanted: n[2],
            attempts: n[3],
            retries: n[4],
            admitted: n[5],
            turned_away: n[6],
            login_failed: n[7],
            network_failed: n[8],
            abandoned: n[9],
            cut: n[10],
            connections_mean: n[11],
            connections_max: n[12],
            sessions_mean: n[13],
            limit: wait.map(f64::abs),
            time_to_service_s: wait,
            time_to_service_max_s: wait,
            refused,
        },
    )
}

/// Every number of a row.
fn cells(row: &TimelineRow) -> Vec<f64> {
    let mut row = row.clone();
    let mut cells = Vec::new();
    each_cell(&mut row, |n| cells.push(*n));
    cells
}

/// The row with 1 in the place of what no file may hold.
fn sane(row: &TimelineRow) -> TimelineRow {
    let mut row = row.clone();
    each_cell(&mut row, |n| *n = if n.is_finite() { n.abs() } else { 1.0 });
    row
}

fn each_cell(row: &mut TimelineRow, mut see: impl FnMut(&mut f64)) {
    let TimelineRow {
        begin_s,
        width_s,
        wanted,
        attempts,
        retries,
        admitted,
        turned_away,
        login_failed,
        network_failed,
        abandoned,
        cut,
        connections_mean,
        connections_max,
        sessions_mean,
        limit,
        time_to_service_s,
        time_to_service_max_s,
        refused,
    } = row;
    let counts =
        [wanted, attempts, retries, admitted, turned_away, login_failed, network_failed, abandoned, cut];
    let levels = [begin_s, width_s, connections_mean, connections_max, sessions_mean];
    counts.into_iter().chain(levels).for_each(&mut see);
    limit.iter_mut().chain(time_to_service_s).chain(time_to_service_max_s).chain(refused).for_each(see);
}

/// What is put in place of a summary's sane values.
#[derive(Debug)]
struct Edit {
    numbers: Vec<f64>,
    count: u64,
    name: String,
}

fn any_edit() -> impl Strategy<Value = Edit> {
    (prop::collection::vec(any_number(), 12), any::<u64>(), any::<String>())
        .prop_map(|(numbers, count, name)| Edit { numbers, count, name })
}

impl Edit {
    fn apply(&self, summary: &mut Summary) {
        let n = |i: usize| self.numbers[i];
        summary.scenario.clone_from(&self.name);
        summary.duration_s = n(0);
        summary.counts.turned_away = self.count;
        summary.counts.retries = self.count;
        summary.estimates.refused_first.mean = Some(n(1));
        summary.estimates.refused_attempt.mean = Some(n(2));
        summary.estimates.amplification.mean = Some(n(3));
        summary.refused_by_cause.turned_away.insert(self.name.clone(), self.count);
        summary.refused_by_cause.turned_away.insert("max_clients".to_owned(), self.count);
        summary.thresholds[0].value = Some(n(4));
        if let Some(onset) = &mut summary.onset.first {
            onset.time_s = n(5);
        }
        for fault in &mut summary.faults {
            (fault.begin_s, fault.end_s, fault.label) = (n(6), n(7), self.name.clone());
        }
        for waits in summary.latency.values_mut() {
            (waits.count, waits.censored, waits.max_s) = (self.count, self.count, Some(n(8)));
            for (i, quantile) in waits.quantiles.iter_mut().enumerate() {
                (quantile.q, quantile.s) = (n(i % 12) / 2.0, n((i + 5) % 12));
            }
        }
    }
}

#[test]
fn a_recovery_is_marked_where_time_runs_and_faults_show_the_waits_over_time() {
    let (summary, rows) = synthetic::herd();
    for chart in charts(&summary, &rows) {
        assert!(chart.svg.contains("median run: recovered at 34m"), "{}", chart.name);
        assert!(chart.svg.contains("shutdown (drain) for 10m"), "{}", chart.name);
    }
    let over_time = |summary: &Summary, rows: &[TimelineRow]| {
        let all = charts(summary, rows);
        let chart = all.iter().find(|chart| chart.name == "time-to-service").unwrap();
        chart.svg.contains("served at the time")
    };
    let (calm, calm_rows) = synthetic::single();
    assert!(over_time(&summary, &rows) && !over_time(&calm, &calm_rows));
}

#[test]
fn the_waits_over_time_are_those_of_the_timeline() {
    let (_, rows) = synthetic::herd();
    let read = csv::read_timeline(&csv::timeline(&rows)).unwrap();
    let waits = series::waits(&read);
    for (row, (mean, longest)) in rows.iter().zip(waits.mean.points.iter().zip(&waits.longest.points)) {
        assert_eq!((mean.value, longest.value), (row.time_to_service_s, row.time_to_service_max_s));
    }
}

#[test]
fn the_terminal_shows_the_longest_episodes_and_what_was_not_reached() {
    let (mut summary, _) = synthetic::herd();
    summary.episodes = (0..20_u32)
        .map(|i| Episode {
            cause: "max_clients".to_owned(),
            begin_s: f64::from(i) * 60.0,
            end_s: f64::from(i) * 60.0 + f64::from(i % 12),
            refusals: 3,
        })
        .collect();
    summary.coverage.reached =
        vec![Covered { cause: "max_clients".to_owned(), phase: "greeting".to_owned(), code: 421 }];
    summary.coverage.not_reached =
        vec![Covered { cause: "banned".to_owned(), phase: "accept".to_owned(), code: 0 }];
    let said = text::text(&summary, false);
    assert_eq!(said.lines().filter(|line| line.contains("3 refusals")).count(), 10, "{said}");
    assert!(said.contains("the longest; 10 more"), "{said}");
    assert!(said.contains("coverage: 1 way to be refused; not reached: banned\n"), "{said}");
}
