//! Twins that nobody thought of: scenarios put together by dice, with several clients that get in each other's way.
//!
//! The same dice each time. What differs is told with its scenario, which can then be played alone.

use std::fmt::Write as _;

use ftp421::client::Profile as ClientProfile;
use ftp421::rng::{Purpose, Stream, Streams};
use ftp421::server::{Overrides, Policy, Profile};

use super::cases::{Play, play_all};

/// How many.
const SCENARIOS: u64 = 24;

/// Dice.
struct Dice {
    stream: Stream,
    thrown: u64,
}

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.thrown += 1;
        self.stream.word(0, self.thrown) % n
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len() as u64) as usize]
    }
}

fn step(dice: &mut Dice) -> String {
    // Odd times, so that no two things happen at once.
    let time = 90 + 37 * dice.below(20);
    match dice.below(12) {
        0 => "{ cwd = \"/pub\" }".to_owned(),
        1 => "\"pwd\"".to_owned(),
        2 => "\"list\"".to_owned(),
        3 => "\"noop\"".to_owned(),
        4 => "\"nlst\"".to_owned(),
        5 => "{ retr = \"20KiB\", path = \"/pub/file\" }".to_owned(),
        6 => "{ stor = \"10KiB\" }".to_owned(),
        7 => "{ site_idle = \"1s\" }".to_owned(),
        8 => format!("{{ idle = \"{time}ms\" }}"),
        _ => format!("{{ think = \"{time}ms\" }}"),
    }
}

fn population(dice: &mut Dice, name: &str, at: u64) -> String {
    let mut text = format!("[[clients]]\nname = \"{name}\"\nlink = {{ rtt = \"1ms\" }}\n");
    let steps: Vec<String> = (0..2 + dice.below(5)).map(|_| step(dice)).collect();
    let _ = writeln!(text, "script = [\"login\", {}]", steps.join(", "));
    let _ = writeln!(
        text,
        "arrivals = {{ executor = \"burst\", at = \"{at}ms\", count = {}, within = \"0s\" }}",
        if name == "heard" { 1 } else { 1 + dice.below(2) }
    );
    let _ = writeln!(text, "addresses = {{ cidr = \"10.0.0.{}/32\" }}", 1 + dice.below(2));
    if dice.below(2) == 0 {
        let _ = writeln!(text, "user = \"{}\"", dice.one(&["alice", "bob"]));
    }
    if dice.below(4) == 0 {
        let _ = writeln!(text, "wrong_password = 1.0\nlogin_tries = {}", 1 + dice.below(3));
    }
    if dice.below(4) == 0 {
        let _ = writeln!(text, "data = \"active\"");
    }
    match dice.below(3) {
        0 => {}
        1 => text
            .push_str("retry = { backoff = \"fixed\", wait = \"410ms\", attempts = 3 }\nreconnect = true\n"),
        _ => {
            // How often one is turned away that tries a hundred times a second, and how many of several that come at once a greeting
            // counts, are matters of milliseconds.
            let alone = |name: &&str| {
                ClientProfile::named(name).is_some_and(|client| client.connections.parallel <= 1)
            };
            let clients: Vec<&str> =
                ClientProfile::names().filter(|name| *name != "bruteforce").filter(alone).collect();
            let _ = writeln!(text, "client = \"{}\"", dice.one(&clients));
        }
    }
    text
}

fn fault(dice: &mut Dice) -> String {
    let at = 1_017 + 37 * dice.below(20);
    match dice.below(6) {
        0 => format!(
            "[[faults]]\nat = \"{at}ms\"\nkind = \"shutdown\"\nform = \"{}\ndown = \"503ms\"\n",
            dice.one(&["cut\"", "crash\"", "announce\"\nnotice = \"307ms\""])
        ),
        1 => format!(
            "[[faults]]\nat = \"{at}ms\"\nkind = \"signal\"\nsignal = \"{}\"\ndown = \"503ms\"\n",
            dice.one(&["TERM", "KILL", "HUP"])
        ),
        2 => {
            format!("[[faults]]\nat = \"{at}ms\"\nkind = \"shutdown\"\nform = \"hang\"\nlasts = \"603ms\"\n")
        }
        _ => String::new(),
    }
}

fn scenario(seed: u64) -> Play {
    let mut dice = Dice { stream: Streams::new(seed, 0).stream(Purpose::Arrival, 7), thrown: 0 };
    let profiles: Vec<&str> = Profile::names().collect();
    let profile = dice.one(&profiles);
    let policy =
        Policy::new(&Profile::named(profile).expect("a profile"), &Overrides::default()).expect("it fits");
    let mut text = format!(
        "schema = 1\nname = \"swarm\"\nduration = \"4s\"\nseed = {seed}\n[server]\nprofile = \"{profile}\"\n"
    );
    let knobs: Vec<&str> = policy
        .checks
        .iter()
        .map(|check| check.knob.as_str())
        .filter(|knob| knob.starts_with("max_"))
        .collect();
    if !knobs.is_empty() && dice.below(4) > 0 {
        let _ = writeln!(text, "{} = {}", dice.one(&knobs), 1 + dice.below(3));
    }
    text.push_str(&population(&mut dice, "heard", 613));
    text.push_str(&population(&mut dice, "others", 200));
    text.push_str(&population(&mut dice, "more", 409));
    text.push_str(&fault(&mut dice));
    Play { name: format!("swarm {seed} ({profile})\n{text}"), text, tolerance: 0.4 }
}

#[test]
fn what_dice_put_together_are_twins() {
    play_all((1..=SCENARIOS).map(scenario).collect());
}
