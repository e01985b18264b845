//! A scenario in words: who comes, how long they stay, which limits they will meet, what goes wrong, what must hold.
//!
//! It runs nothing: what it expects are means by formula, and it says so.

mod cost;
mod demand;
mod limits;
mod words;

use std::fmt::Write as _;

pub use self::cost::Cost;
pub(super) use self::demand::{Hold, concurrent};
use self::demand::{busiest_address, peak};
use self::limits::Demand;
use crate::scenario::Scenario;
use crate::server::policy::Check;
use crate::server::profile::Per;
use crate::time::Instant;
use crate::workload::{Arrivals, Population};

/// What `scenario` will do, in about 25 lines.
pub fn explain(scenario: &Scenario) -> String {
    let holds: Vec<Hold> =
        scenario.populations.iter().map(|p| Hold::of(p, scenario.policy(), scenario.duration)).collect();
    let mut text = Text::default();
    head(scenario, &mut text);
    server(scenario, &mut text);
    for (population, hold) in scenario.populations.iter().zip(&holds) {
        clients(scenario, population, hold, &mut text);
    }
    expectation(scenario, &holds, &mut text);
    rest(scenario, &mut text);
    format!("{}\n", text.0.trim_end())
}

/// What the (first) server of `scenario` is and what goes wrong with it, for those who bring clients of their own.
pub fn explain_server(scenario: &Scenario) -> String {
    let mut text = Text::default();
    server(scenario, &mut text);
    text.0.truncate(text.0.trim_end().len());
    text.gap();
    faults(scenario, Instant::NEVER, &mut text);
    text.0
}

/// Lines with a label in front.
#[derive(Default)]
struct Text(String);

impl Text {
    fn line(&mut self, label: &str, what: impl std::fmt::Display) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "{label:<12}{what}");
    }

    fn gap(&mut self) {
        self.0.push('\n');
    }
}

fn head(scenario: &Scenario, text: &mut Text) {
    if !scenario.question.is_empty() {
        text.line("question", &scenario.question);
    }
    let warmup = if scenario.warmup.is_zero() {
        String::new()
    } else {
        format!(", estimates from {} on", scenario.warmup)
    };
    let runs = if scenario.replications == 1 { "run" } else { "runs" };
    text.line(
        "plan",
        format_args!(
            "{} {runs} of {}, seed {}{warmup}",
            scenario.replications, scenario.duration, scenario.seed
        ),
    );
    text.gap();
}

fn server(scenario: &Scenario, text: &mut Text) {
    let policy = scenario.policy();
    text.line("server", &policy.profile);
    let on: Vec<&Check> = policy.checks.iter().filter(|check| check.limit != u32::MAX).collect();
    if on.is_empty() {
        text.line("limits", "none");
    }
    for (i, check) in on.into_iter().enumerate() {
        let label = if i == 0 { "limits" } else { "" };
        text.line(
            label,
            format_args!("{:<24} {:>6}  {}", check.knob, check.limit, words::check(check, policy)),
        );
    }
    text.line("timers", words::timers(policy));
    for (label, words) in [("listener", words::listener(policy)), ("host", words::host(policy))] {
        if let Some(words) = words {
            text.line(label, words);
        }
    }
    if scenario.servers[0].bandwidth() > 0 {
        let mib = scenario.servers[0].bandwidth() as f64 / 1_048_576.0;
        text.line("bandwidth", format_args!("{}MiB/s, shared by all transfers", words::number_of(mib)));
    }
    if let Some(ban) = words::ban(policy) {
        text.line("ban", ban);
    }
    text.gap();
}

fn clients(scenario: &Scenario, population: &Population, hold: &Hold, text: &mut Text) {
    let end = Instant::ZERO + scenario.duration;
    let mut expected = String::new();
    let each = f64::from(population.behaviour.parallel);
    if let Some(users) = population.arrivals.expected_until(end) {
        expected = format!(": about {}", words::count_of(users * each, "session"));
    }
    if let Arrivals::Open(open) = &population.arrivals {
        let most = open.rate.most() * each;
        let _ = write!(expected, ", up to {}", words::count_of(most * hold.mean(), "erlang"));
    }
    let when = words::arrivals(&population.arrivals, end);
    text.line("clients", format_args!("{}: {when}{expected}", population.name));
    let logged = matches!(population.arrivals, Arrivals::Trace(_));
    let from = if logged { "from where the log says, else " } else { "" };
    let user = match population.users.as_slice() {
        [one] => scenario.strings.get(usize::from(one.0)).cloned().unwrap_or_default(),
        many => format!("{} users in turn", many.len()),
    };
    text.line(
        "",
        format_args!("{from}{}, as {user}", words::addresses(&population.addresses, &scenario.addresses)),
    );
    text.line("", session(hold));
    if let Some(temper) = temper(population) {
        text.line("", temper);
    }
    text.line("", format_args!("refused: {}", words::retry(&population.behaviour.retry)));
    text.gap();
}

fn session(hold: &Hold) -> String {
    let trip = words::seconds(hold.travel / hold.trips.max(1.0));
    let mut parts = vec![format!("{} round trips of {trip}", words::number_of(hold.trips))];
    for (seconds, what) in [(hold.pauses, "pauses"), (hold.transfers, "transfers"), (hold.server, "server")] {
        if seconds > 0.0 {
            parts.push(format!("{} {what}", words::seconds(seconds)));
        }
    }
    let stuck = match hold.stuck {
        s if s <= 0.0 => String::new(),
        s => format!("; stuck transfers add {} on average", words::seconds(s)),
    };
    let ghosts = match hold.ghosts {
        (share, _) if share <= 0.0 => String::new(),
        (_, each) => {
            format!("; with the ghosts, {} each, {}", words::seconds(each), words::seconds(hold.mean()))
        }
    };
    format!(
        "a session holds a slot for about {} = {}{stuck}{ghosts}",
        words::seconds(hold.untroubled()),
        parts.join(" + ")
    )
}

/// What is peculiar about the clients of `population`.
fn temper(population: &Population) -> Option<String> {
    let behaviour = &population.behaviour;
    let mut traits = Vec::new();
    traits.extend(behaviour.keepalive.map(|every| format!("NOOP after {every}")));
    traits
        .extend(behaviour.patience.as_ref().map(|p| format!("patience {}", words::seconds(p.mean() / 1e9))));
    if behaviour.wrong_password > 0.0 {
        traits.push(format!("{} wrong passwords", words::percent(behaviour.wrong_password)));
    }
    if behaviour.vanish > 0.0 {
        traits.push(format!("{} vanish", words::percent(behaviour.vanish)));
    }
    for (share, what) in [
        (behaviour.stall, "of transfers stop half way"),
        (behaviour.no_data, "of data connections never come"),
    ] {
        if share > 0.0 {
            traits.push(format!("{} {what}", words::percent(share)));
        }
    }
    if behaviour.reconnect {
        traits.push("come back when cut".to_owned());
    }
    (!traits.is_empty()).then(|| traits.join(", "))
}

/// The peak that formulas expect, and what the limits make of it.
fn expectation(scenario: &Scenario, holds: &[Hold], text: &mut Text) {
    let each: Vec<(&Population, f64)> =
        scenario.populations.iter().zip(holds).map(|(population, hold)| (population, hold.mean())).collect();
    if each.is_empty() {
        return;
    }
    let (at, most) = peak(&each, scenario.duration);
    let sessions = words::count_of(most, "session");
    text.line(
        "expected",
        format_args!("about {sessions} at a time on average at the peak, at {at}, if nobody is refused"),
    );
    if let Some(check) = tightest(scenario, Per::Server) {
        let mut demand = Demand::NONE;
        for (population, hold) in &each {
            demand.add(population, concurrent(population, *hold, at), 1.0);
        }
        text.line("", demand.against(&check.knob, check.limit));
    }
    let peaks: Vec<f64> =
        each.iter().map(|one| peak(std::slice::from_ref(one), scenario.duration).1).collect();
    if let (Some(check), Some((peer, demand))) =
        (tightest(scenario, Per::Address), busiest_address(scenario, &peaks))
    {
        let (address, behind) = (scenario.addresses.address(peer), words::number_of(demand.mean()));
        let against = demand.against(&check.knob, check.limit);
        text.line("", format_args!("up to about {behind} of them behind {address} on average: {against}"));
    }
    let cost = Cost::of(scenario).words(scenario.replications, 1);
    text.line("to simulate", format_args!("{cost}, in orders of magnitude"));
    text.gap();
}

/// The lowest limit of its kind that is on.
fn tightest(scenario: &Scenario, per: Per) -> Option<&Check> {
    scenario.policy().checks.iter().filter(|c| c.per == per && c.limit != u32::MAX).min_by_key(|c| c.limit)
}

/// The faults of a run that ends at `end`.
fn faults(scenario: &Scenario, end: Instant, text: &mut Text) {
    for fault in &scenario.faults {
        let until = fault.at + fault.lasts;
        let end = if fault.lasts.is_zero() {
            String::new()
        } else if until >= end {
            ", until the end".to_owned()
        } else {
            format!(", until {until}")
        };
        text.line("fault", format_args!("at {}: {}{end}", fault.at, fault.label));
    }
}

fn rest(scenario: &Scenario, text: &mut Text) {
    faults(scenario, Instant::ZERO + scenario.duration, text);
    for threshold in &scenario.thresholds {
        text.line("must hold", threshold.text());
    }
    for note in &scenario.notes {
        text.line("note", note);
    }
}
