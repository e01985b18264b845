//! A client machine at the end of a wire, and somebody who answers it: what it does with replies that do not fit.
//!
//! No server is here, so that the replies can come in any order.

use ftp421::client::{Action, Client, ClientStreams, Env, Input, State};
use ftp421::id::PopulationId;
use ftp421::observe::Cause;
use ftp421::rng::Streams;
use ftp421::scenario::Scenario;
use ftp421::time::{Duration, Instant};

use super::{client, hour};

struct Wire {
    scenario: Scenario,
    streams: ClientStreams,
    client: Client,
    now: Instant,
    armed: Instant,
}

impl Wire {
    /// A client who has begun at 0 s. `keys` say what it does.
    fn new(keys: &str) -> Self {
        let mut wire = Self {
            scenario: hour(&[client("alice", "0s", keys)]),
            streams: ClientStreams::new(Streams::new(1, 0), PopulationId(0)),
            client: Client::new(0),
            now: Instant::ZERO,
            armed: Instant::NEVER,
        };
        wire.tell(Input::Start { session: 0, entry: 0 });
        wire
    }

    /// One that is logged in.
    fn logged_in(keys: &str) -> Self {
        let mut wire = Self::new(keys);
        wire.tell(Input::Connected);
        for code in [220, 331] {
            wire.hear(code);
        }
        wire
    }

    /// What it does about `input`, a word each.
    fn tell(&mut self, input: Input) -> Vec<String> {
        let population = &self.scenario.populations[0];
        let env = Env {
            population: PopulationId(0),
            behaviour: &population.behaviour,
            streams: &self.streams,
            users: &population.users,
            connect_timeout: population.link.connect_timeout,
            reply_timeout: population.link.reply_timeout,
        };
        let mut out = Vec::new();
        self.client.handle(self.now, input, &env, &mut out);
        let mut said = Vec::new();
        for action in out {
            match action {
                Action::Arm { at } => self.armed = at,
                Action::Observe(_) => {}
                Action::Send(command) => said.push(command.verb.name().to_owned()),
                Action::OpenData { active: true, .. } => said.push("listen".to_owned()),
                Action::OpenData { stalls: true, .. } => {
                    said.push("open a data connection that stalls".to_owned());
                }
                Action::OpenData { .. } => said.push("open a data connection".to_owned()),
                other => said.push(format!("{other:?}").to_lowercase()),
            }
        }
        said
    }

    fn hear(&mut self, code: u16) -> Vec<String> {
        self.tell(Input::Reply { code, cause: None, words: 0 })
    }

    /// A 120 that says so many minutes.
    fn hear_120(&mut self, minutes: u8) -> Vec<String> {
        self.tell(Input::Reply { code: 120, cause: None, words: minutes })
    }

    fn at(&mut self, seconds: u64) -> &mut Self {
        self.now = Instant::ZERO + Duration::from_secs(seconds);
        self
    }

    /// When its timer fires next, and what it does then.
    fn fire(&mut self) -> (f64, Vec<String>) {
        self.now = self.now.max(self.armed);
        (self.now.as_secs_f64(), self.tell(Input::TimerFired))
    }
}

/// RFC 959: "120 Service ready in nnn minutes".
#[test]
fn a_120_is_waited_for_by_those_who_heed_it() {
    let patient = "heeds_120 = true\nlink = { rtt = \"0s\", reply_timeout = \"30s\" }";
    let plain = "link = { rtt = \"0s\", reply_timeout = \"30s\" }";
    for (keys, until) in [(patient, 10.0 + 300.0 + 30.0), (plain, 10.0 + 30.0)] {
        let mut wire = Wire::new(keys);
        wire.tell(Input::Connected);
        assert!(wire.at(10).hear_120(5).is_empty());
        while wire.client.state() == State::AwaitGreeting {
            wire.fire();
        }
        assert!((wire.now.as_secs_f64() - until).abs() < 1e-9, "{keys}: {}", wire.now);
        let mut wire = Wire::new(keys);
        wire.tell(Input::Connected);
        wire.at(10).hear_120(5);
        assert_eq!(wire.at(39).hear(220), ["USER"]);
    }
}

/// inetutils: the last wrong password is told as 530 and then 421. A client that tries again reads the 421 as the answer to USER.
#[test]
fn a_421_behind_a_530_is_read_as_the_answer_to_the_next_user() {
    let wrong = |tries: u32| {
        let mut wire = Wire::new(&format!("login_tries = {tries}"));
        wire.tell(Input::Connected);
        wire.hear(220);
        assert_eq!(wire.hear(331), ["PASS"]);
        (wire.hear(530), wire)
    };
    let (said, mut wire) = wrong(1);
    assert_eq!(said, ["disconnect", "finish"], "it has gone, and never reads the 421");
    assert!(wire.hear(421).is_empty());
    let (said, mut wire) = wrong(2);
    assert_eq!(said, ["USER"]);
    assert_eq!(wire.hear(421), ["disconnect", "finish"]);
}

/// A USER that is denied counts as a try, or it would be denied for ever.
#[test]
fn a_denied_user_is_not_asked_for_ever() {
    let mut wire = Wire::new("login_tries = 3");
    wire.tell(Input::Connected);
    wire.hear(220);
    assert_eq!(wire.hear(530), ["USER"]);
    assert_eq!(wire.hear(530), ["USER"]);
    assert_eq!(wire.hear(530), ["disconnect", "finish"]);
}

/// One reply a command (RFC 959, section 5.4): a line that came unasked shifts all that follow by one.
#[test]
fn a_reply_that_came_unasked_answers_the_next_command() {
    let mut wire = Wire::logged_in("script = [\"login\", { think = \"10s\" }, \"pwd\", { retr = \"1KiB\" }]");
    wire.hear(230);
    assert!(wire.at(5).hear(226).is_empty());
    assert_eq!(wire.fire().1, ["PWD", "PASV"], "the 226 is taken for the answer to PWD");
    assert_eq!(wire.hear(257), ["QUIT"], "PWD's answer holds no address for PASV");
    assert_eq!(wire.hear(227), ["disconnect", "finish"]);
}

/// unftp says 221 to an idle session, and closes.
#[test]
fn a_goodbye_that_is_followed_by_the_end_is_the_reason() {
    let keys = "script = [\"login\", { think = \"10s\" }]\nreconnect = true\nretry = ";
    for (rule, comes_back) in [("2yz", true), ("silent", false), ("421", false)] {
        let mut wire =
            Wire::logged_in(&format!("{keys}{{ signs = [\"{rule}\"], backoff = \"fixed\", wait = \"7s\" }}"));
        wire.hear(230);
        let cause = Some(Cause::IdleTimeout);
        assert!(wire.at(5).tell(Input::Reply { code: 221, cause, words: 0 }).is_empty());
        wire.tell(Input::Closed { cause });
        assert_eq!(wire.client.state() == State::BackingOff, comes_back, "{rule}");
    }
}

/// pyftpdlib's "421 Passive data channel timed out." leaves the session open: no client cares.
#[test]
fn a_421_is_the_end_even_where_the_session_stays_open() {
    let mut wire = Wire::logged_in("script = [\"login\", { retr = \"1KiB\" }, \"pwd\"]");
    assert_eq!(wire.hear(230), ["PASV"]);
    assert_eq!(wire.hear(227), ["open a data connection"]);
    let said = wire.tell(Input::Reply { code: 421, cause: Some(Cause::DataConnectTimeout), words: 0 });
    assert_eq!(said, ["disconnect", "finish"]);
}

/// vsftpd's 425 and Pure-FTPd's 451 leave it open too, and are but the answer to a command.
#[test]
fn another_negative_reply_ends_a_step_and_not_the_session() {
    let mut wire = Wire::logged_in("script = [\"login\", { retr = \"1KiB\" }, \"pwd\"]");
    wire.hear(230);
    wire.hear(227);
    assert_eq!(wire.tell(Input::DataOpened), ["RETR"]);
    assert_eq!(
        wire.tell(Input::Reply { code: 425, cause: Some(Cause::DataConnectTimeout), words: 0 }),
        ["PWD"]
    );
    assert_eq!(wire.hear(257), ["QUIT"]);
}

/// Pure-FTPd ends a stalled RETR with a 150: for a client the end has not come. Once its bytes are through it waits for as long as
/// for any reply; while they are not, it waits for ever.
#[test]
fn a_last_reply_that_never_comes_is_waited_for_from_the_last_byte_on() {
    let keys = "script = [\"login\", { retr = \"1KiB\" }]\nlink = { rtt = \"0s\", reply_timeout = \"30s\" }";
    let mut wire = Wire::logged_in(keys);
    wire.hear(230);
    wire.hear(227);
    wire.tell(Input::DataOpened);
    wire.hear(150);
    for _ in 0..5 {
        assert!(wire.fire().1.is_empty(), "it waits on");
    }
    wire.at(1_000);
    assert!(wire.hear(150).is_empty());
    assert!(wire.tell(Input::DataDone).is_empty());
    assert_eq!(wire.fire(), (1_030.0, vec!["disconnect".to_owned(), "finish".to_owned()]));
}

/// RFC 959, section 4.1.3: one reply for the transfer, one for ABOR.
#[test]
fn an_abort_has_two_replies() {
    for transfer in [426, 226] {
        let mut wire = Wire::logged_in("script = [\"login\", { retr = \"1GiB\", abort = \"5s\" }, \"pwd\"]");
        wire.hear(230);
        wire.hear(227);
        wire.tell(Input::DataOpened);
        wire.hear(150);
        while wire.client.state() == State::AwaitTransfer {
            let (at, said) = wire.fire();
            assert!(said.is_empty() || (at, said.as_slice()) == (5.0, &["ABOR".to_owned()]), "{at} {said:?}");
        }
        assert!(wire.hear(transfer).is_empty());
        assert_eq!(wire.hear(226), ["PWD"]);
    }
}

#[test]
fn an_active_client_listens_and_names_its_port() {
    let mut wire = Wire::logged_in("script = [\"login\", { retr = \"1KiB\" }]\ndata = \"active\"");
    assert_eq!(wire.hear(230), ["listen", "PORT"]);
    assert_eq!(wire.hear(200), ["RETR"]);
    assert!(wire.tell(Input::DataOpened).is_empty());
    assert_eq!(wire.hear(226), ["QUIT"]);
}

#[test]
fn a_client_whose_data_connection_never_comes_sends_its_command_all_the_same() {
    let mut wire = Wire::logged_in("script = [\"login\", { retr = \"1KiB\" }]\nno_data = 1.0");
    wire.hear(230);
    assert_eq!(wire.hear(227), ["RETR"]);
    let mut wire =
        Wire::logged_in("script = [\"login\", { retr = \"1KiB\" }]\nno_data = 1.0\ndata = \"active\"");
    assert_eq!(wire.hear(230), ["PORT"]);
}

#[test]
fn a_stall_is_told_with_the_data_connection() {
    let mut wire = Wire::logged_in("script = [\"login\", { retr = \"1KiB\" }]\nstall = 1.0");
    wire.hear(230);
    assert_eq!(wire.hear(227), ["open a data connection that stalls"]);
}

/// A data connection that is refused costs the transfer, not the session.
#[test]
fn a_data_connection_that_fails_ends_the_step() {
    let mut wire = Wire::logged_in("script = [\"login\", { retr = \"1KiB\" }, \"pwd\"]");
    wire.hear(230);
    wire.hear(227);
    assert_eq!(wire.tell(Input::DataFailed), ["PWD"]);
}

#[test]
fn a_client_of_a_user_with_several_connections_waits_for_its_turn() {
    let mut wire = Wire::new("parallel = 2\npatience = \"10s\"");
    assert_eq!(wire.client.state(), State::Queued);
    assert_eq!(wire.at(3).tell(Input::Turn), ["connect"]);
    let mut wire = Wire::new("parallel = 2\npatience = \"10s\"");
    assert_eq!(wire.fire(), (10.0, vec!["finish".to_owned()]), "no connection, nothing to close");
}

/// The connections of one user come from one address and under one name, and no more of them are open than his cap says.
#[test]
fn a_user_with_three_connections_shares_address_and_account() {
    use super::{only, server, told_by};
    let scenario = hour(&[
        server("rfc959", "max_per_ip = 2"),
        client("alice", "0s", "parallel = 3\nscript = [\"login\", { think = \"60s\" }, \"noop\"]"),
    ]);
    let served: Vec<usize> =
        (0..4).map(|connection| only(&told_by(&scenario, "alice", connection), &["S: 230"]).len()).collect();
    assert_eq!(served, [1, 1, 0, 0], "the third is one too many from its address, and there is no fourth");
}

/// lftp: "There are too many connections from your internet address." lowers what it allows itself; it comes back when there is
/// room, five minutes later or when another of its connections has ended.
#[test]
fn a_text_that_says_so_lowers_the_cap() {
    use super::{only, server, told_by};
    let keys =
        |script: &str| format!("client = \"lftp\"\nparallel = 3\nscript = [\"login\", {script}, \"noop\"]");
    let third = |script: &str| {
        let scenario = hour(&[
            server("vsftpd", "max_per_ip = 2\nidle_timeout = \"0s\""),
            client("alice", "0s", &keys(script)),
        ]);
        only(&told_by(&scenario, "alice", 2), &["connects", "S: 230"])
            .iter()
            .map(|line| {
                let (time, what) = line.split_once(' ').expect("a time");
                format!("{:.2} {what}", time.parse::<f64>().expect("seconds"))
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(
        third("{ think = \"100s\" }"),
        ["0.00 -- connects", "100.00 -- connects", "122.00 -- connects", "122.00 S: 230 Login successful."],
        "her first turn comes before the children of the two that ended are reaped"
    );
    let waits = third("{ think = \"20m\" }");
    assert_eq!(waits[..2], ["0.00 -- connects", "300.00 -- connects"], "{waits:?}");
}
