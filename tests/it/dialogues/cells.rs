//! What was measured on real clients, cell by cell: each against a server that refuses it in one way, again and again, for 100 s.
//!
//! A cell is the gaps between its attempts in seconds. A `.` at the end: it has given up. Without one it was still trying.

use ftp421::client::{Action, Behaviour, Client, ClientStreams, Env, Input, Script, Step, profile};
use ftp421::dist::Dist;
use ftp421::ftp::{ArgId, Command, Verb};
use ftp421::id::PopulationId;
use ftp421::observe::Cause;
use ftp421::rng::Streams;
use ftp421::time::{Duration, Instant};

/// How the server refuses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Refusal {
    Greeting421,
    Pass421,
    Session421,
    Pass530,
    Greeting530,
    SilentClose,
    ConnRefused,
}
use Refusal::{ConnRefused, Greeting421, Greeting530, Pass421, Pass530, Session421, SilentClose};

const TOO_MANY_USERS: &str = "There are too many connected users, please try later.";
const LIMIT: &str = "Sorry, the maximum number of allowed clients (3) are already connected.";

/// A test of each cell, called after it: `cells::wget::a_421_after_pass`.
macro_rules! cells {
    ($($client:ident $name:literal $greeting_421:literal $pass_421:literal $session_421:literal $pass_530:literal $greeting_530:literal
       $silent:literal $refused:literal;)*) => {$(
        mod $client {
            use super::*;

            #[test]
            fn a_421_instead_of_the_greeting() { assert_eq!(cell($name, Greeting421), $greeting_421); }
            #[test]
            fn a_421_after_pass() { assert_eq!(cell($name, Pass421), $pass_421); }
            #[test]
            fn a_421_in_a_session() { assert_eq!(cell($name, Session421), $session_421); }
            #[test]
            fn a_530_after_pass() { assert_eq!(cell($name, Pass530), $pass_530); }
            #[test]
            fn a_530_instead_of_the_greeting() { assert_eq!(cell($name, Greeting530), $greeting_530); }
            #[test]
            fn a_silent_close() { assert_eq!(cell($name, SilentClose), $silent); }
            #[test]
            fn a_refused_connect() { assert_eq!(cell($name, ConnRefused), $refused); }
        }
    )*};
}

// Measured. wget stops after 20 tries, of which 15 fit into 100 s. Of lftp and a refused connect only "keeps trying" was noted.
#[rustfmt::skip]
cells! {
//                       421 greeting   421 after PASS   421 in session   530 after PASS   530 greeting   silent close   ECONNREFUSED
curl       "curl"        "."            "."              "."              "."              "."            "."            ".";
curl_retry "curl-retry"  "1 2 4 ."      "1 2 4 ."        "1 2 4 ."        "."              "."            "."            ".";
wget       "wget"        "1 2 3 4 5 6 7 8 9 10 10 10 10 10"
                                        "."              "1 2 3 4 5 6 7 8 9 10 10 10 10 10"
                                                                          "."              "1 2 3 4 5 6 7 8 9 10 10 10 10 10"
                                                                                           "1 2 3 4 5 6 7 8 9 10 10 10 10 10"
                                                                                                                         ".";
lftp       "lftp"        "15 22 33"     "15 22 33"       "15 22 33"       "15 22 33"       "15 22 33"     "15 22 33"     "15 22 33";
ncftp      "ncftp"       "20 20 ."      "20 20 ."        "."              "."              "20 20 ."      "20 20 ."      "20 20 .";
tnftp      "tnftp"       "."            "."              "."              "."              "."            "."            ".";
ftplib     "ftplib"      "."            "."              "."              "."              "."            "."            ".";
}

// From their source code: what it says of greetings, and what follows from it elsewhere.
#[rustfmt::skip]
cells! {
//                       421 greeting   421 after PASS   421 in session   530 after PASS   530 greeting   silent close   ECONNREFUSED
filezilla   "filezilla"   "5 5 ."       "5 5 ."          "5 5 ."          "."              "."            "5 5 ."        "5 5 .";
cyberduck   "cyberduck"   "0 ."         "0 ."            "0 ."            "."              "0 ."          "0 ."          "0 .";
commons_net "commons-net" "."           "."              "."              "."              "."            "."            ".";
winscp      "winscp"      "5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5"
                                        "5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5"
                                                         "5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5"
                                                                          "."              "5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5"
                                                                                                          "5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5"
                                                                                                                         "5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5 5";
}

/// Runs `client` against such a server for 100 s without any distance between them.
fn cell(client: &str, refusal: Refusal) -> String {
    cell_with(client, refusal, LIMIT)
}

fn cell_with(client: &str, refusal: Refusal, text_530: &str) -> String {
    let profile = profile::Profile::named(client).expect("a profile");
    let behaviour = Behaviour { script: download(), ..profile.behaviour().expect("it can be read") };
    let mut run = Run::new(&behaviour, refusal, text_530);
    run.go(Instant::ZERO + Duration::from_secs(100));
    let gaps = run.connects.windows(2).map(|pair| pair[1].since(pair[0]).as_secs_f64().to_string());
    let end = run.gave_up.then(|| ".".to_owned());
    gaps.chain(end).collect::<Vec<_>>().join(" ")
}

/// What all of them were asked to do: fetch a file.
fn download() -> Script {
    let retr = Command { verb: Verb::Retr, arg: ArgId(4) };
    let steps = vec![
        Step::Login,
        Step::Transfer { command: retr, size: Dist::Constant(1_024), abort: None },
        Step::Quit,
    ];
    Script { steps }
}

/// A client machine and what it has done.
struct Run<'a> {
    client: Client,
    behaviour: &'a Behaviour,
    streams: ClientStreams,
    refusal: Refusal,
    text_530: &'a str,
    connects: Vec<Instant>,
    armed: Instant,
    gave_up: bool,
}

impl<'a> Run<'a> {
    fn new(behaviour: &'a Behaviour, refusal: Refusal, text_530: &'a str) -> Self {
        Self {
            client: Client::new(0),
            behaviour,
            streams: ClientStreams::new(Streams::new(1, 0), PopulationId(0)),
            refusal,
            text_530,
            connects: Vec::new(),
            armed: Instant::NEVER,
            gave_up: false,
        }
    }

    fn go(&mut self, end: Instant) {
        self.tell(Instant::ZERO, Input::Start { session: 0, entry: 0 });
        while self.armed <= end && !self.gave_up {
            let now = std::mem::replace(&mut self.armed, Instant::NEVER);
            self.tell(now, Input::TimerFired);
        }
    }

    /// Hands an input in, and whatever the server makes of what follows.
    fn tell(&mut self, now: Instant, input: Input) {
        let mut inputs = vec![input];
        while !inputs.is_empty() {
            let env = Env {
                population: PopulationId(0),
                behaviour: self.behaviour,
                streams: &self.streams,
                users: &[ArgId(3)],
                connect_timeout: Duration::from_secs(1_000),
                reply_timeout: Duration::from_secs(1_000),
            };
            let mut out = Vec::new();
            self.client.handle(now, inputs.remove(0), &env, &mut out);
            for action in out {
                match action {
                    Action::Ask => inputs.push(Input::Turn),
                    Action::Connect => {
                        self.connects.push(now);
                        inputs.extend(self.connect());
                    }
                    Action::Send(command) => inputs.extend(self.answer(command.verb)),
                    Action::Arm { at } => self.armed = at,
                    Action::Disconnect => inputs.clear(),
                    Action::Finish => self.gave_up = true,
                    _ => {}
                }
            }
        }
    }

    fn connect(&self) -> Vec<Input> {
        let closed = Input::Closed { cause: Some(Cause::MaxClients) };
        match self.refusal {
            ConnRefused => vec![Input::ConnectFailed { cause: Cause::ConnectionRefused }],
            SilentClose => vec![Input::Connected, closed],
            Greeting421 => vec![Input::Connected, self.refuse(421, TOO_MANY_USERS), closed],
            Greeting530 => vec![Input::Connected, self.refuse(530, LIMIT), closed],
            _ => vec![Input::Connected, self.say(220)],
        }
    }

    fn answer(&self, verb: Verb) -> Vec<Input> {
        let closed = Input::Closed { cause: Some(Cause::MaxClients) };
        match (verb, self.refusal) {
            (Verb::User, _) => vec![self.say(331)],
            (Verb::Pass, Pass421) => vec![self.refuse(421, TOO_MANY_USERS), closed],
            (Verb::Pass, Pass530) => vec![self.refuse(530, self.text_530), closed],
            (Verb::Pass, _) => vec![self.say(230)],
            (_, Session421) => vec![self.refuse(421, "Timeout."), closed],
            _ => vec![self.say(200)],
        }
    }

    fn say(&self, code: u16) -> Input {
        Input::Reply { code, cause: None, words: self.behaviour.reading.words(code, "Okay.") }
    }

    /// A refusal with its true cause, which the client must not look at.
    fn refuse(&self, code: u16, text: &str) -> Input {
        Input::Reply { code, cause: Some(Cause::MaxClients), words: self.behaviour.reading.words(code, text) }
    }
}

/// Of all clients only lftp reads what stands behind a 530.
#[test]
fn lftp_tells_a_limit_from_a_wrong_password_by_its_text() {
    for (text, gaps) in [
        (LIMIT, "15 22 33"),
        ("Sorry, the maximum number of clients (2) for this user are already connected.", "15 22 33"),
        ("Too many users logged in, TRY AGAIN LATER", "15 22 33"),
        ("Login incorrect.", "."),
        ("Host 127.0.0.2 has been banned", "."),
    ] {
        assert_eq!(cell_with("lftp", Pass530, text), gaps, "{text}");
        assert_eq!(cell_with("filezilla", Pass530, text), ".", "{text}");
    }
}

/// polite: 30 to 60 s. impatient: as fast as it can.
#[test]
fn tempers_differ() {
    let polite = cell("polite", Greeting421);
    let gaps: Vec<f64> = polite.split(' ').map(|gap| gap.parse().expect("it never gives up")).collect();
    assert!((1..=3).contains(&gaps.len()) && gaps.iter().all(|gap| (30.0..=60.0).contains(gap)), "{polite}");
    assert_eq!(cell("polite", Greeting530), ".");
    for refusal in [Greeting421, Pass421, Session421, Pass530, Greeting530, SilentClose, ConnRefused] {
        assert_eq!(cell("impatient", refusal).split(' ').count(), 10_000, "{refusal:?}");
    }
}

/// The first pattern of lftp is the one by which it lowers its own limit: which servers' texts make it do so.
#[test]
fn lftp_hears_too_many_connections_in_some_texts() {
    let lftp = profile::Profile::named("lftp").unwrap().behaviour().unwrap();
    for (text, lowers) in [
        ("There are too many connections from your internet address.", true),
        ("Too many connections (8) from this IP", true),
        (TOO_MANY_USERS, false),
        ("50 users (the maximum) are already logged in, sorry", false),
    ] {
        assert_eq!(lftp.reading.words(421, text) & lftp.lowering != 0, lowers, "{text}");
    }
}
