//! Law 2: the machines are total. Any inputs in any order, at any times that do not go back, and the books still balance.

use ftp421::client::{self, Client, ClientStreams, Env, State};
use ftp421::ftp::{ArgId, Command, Verb};
use ftp421::id::{ConnId, PeerId, PopulationId, ServerId, UserId};
use ftp421::metrics::{Recorder, Shape};
use ftp421::observe::Cause;
use ftp421::rng::Streams;
use ftp421::server::{
    Action, BanOverride, Control, Input, Knob, Overrides, Policy, Profile, Server, ServerStreams, Signal,
};
use ftp421::time::{Duration, Instant};
use proptest::prelude::*;

use super::desk::{part, span};

const VERBS: [Verb; 22] = [
    Verb::Port,
    Verb::Abor,
    Verb::SiteIdle,
    Verb::User,
    Verb::Pass,
    Verb::Cwd,
    Verb::Pwd,
    Verb::Pasv,
    Verb::List,
    Verb::Retr,
    Verb::Stor,
    Verb::Noop,
    Verb::Quit,
    Verb::Other,
    Verb::Type,
    Verb::Size,
    Verb::Rest,
    Verb::Nlst,
    Verb::Mlsd,
    Verb::Auth,
    Verb::Pbsz,
    Verb::Prot,
];

/// How long until the next input: mostly next to nothing, sometimes past every timer.
fn gap() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), 0..10_000_000_u64, 0..5_000_000_000_u64, 0..2_000_000_000_000_u64]
}

fn control() -> impl Strategy<Value = Control> {
    prop_oneof![
        Just(Control::StopListening),
        Just(Control::Listen),
        Just(Control::Announce),
        Just(Control::CutAnnounced),
        Just(Control::Cut),
        Just(Control::Crash),
        Just(Control::Hang),
        Just(Control::Resume),
        Just(Control::FillDisk(true)),
        (0..200_u32).prop_map(|secs| Control::ListenNotReady { secs }),
        (0..3_u32).prop_map(Control::SetBacklog),
        (0..300_u32).prop_map(Control::SetSlowness),
        (0..8_u32).prop_map(Control::LeakDescriptors),
        Just(Control::Signal(Signal::Term)),
        Just(Control::Signal(Signal::Hup)),
        Just(Control::Signal(Signal::Kill)),
        (0..8_u8, 0..5_u32).prop_map(|(check, limit)| Control::SetLimit { check, limit }),
        (0..Knob::ALL.len(), prop_oneof![Just(0), 1..10_000_u32, Just(u32::MAX)])
            .prop_map(|(knob, value)| Control::SetKnob { knob: Knob::ALL[knob].1, value }),
        (0..3_u32, prop_oneof![Just(0), 1..100_u32, Just(u32::MAX)])
            .prop_map(|(peer, secs)| Control::Ban { peer: PeerId(peer), secs }),
        (0..3_u32).prop_map(|peer| Control::Unban { peer: PeerId(peer) }),
        (0..3_u32, any::<bool>()).prop_map(|(peer, reset)| Control::Part { peer: PeerId(peer), reset }),
    ]
}

fn server_input() -> impl Strategy<Value = Input> {
    let conn = || (0..12_u32).prop_map(ConnId);
    let arg = prop_oneof![Just(0_u16), Just(1), Just(2), Just(3), Just(4), Just(u16::MAX)];
    let command = (conn(), 0..VERBS.len(), arg).prop_map(|(conn, verb, arg)| Input::Command {
        conn,
        command: Command { verb: VERBS[verb], arg: ArgId(arg) },
    });
    let login = (conn(), any::<bool>()).prop_map(|(conn, user)| {
        let command = if user {
            Command { verb: Verb::User, arg: ArgId(3) }
        } else {
            Command { verb: Verb::Pass, arg: ArgId::RIGHT_PASSWORD }
        };
        Input::Command { conn, command }
    });
    prop_oneof![
        6 => (conn(), 0..3_u32, 0..3_u8).prop_map(|(conn, peer, class)| Input::Accepted { conn, peer: PeerId(peer), class }),
        8 => command,
        8 => login,
        1 => (conn(), 0..3_u32).prop_map(|(conn, peer)| Input::AcceptedTls { conn, peer: PeerId(peer), class: 0 }),
        1 => conn().prop_map(|conn| Input::TlsHello { conn }),
        1 => conn().prop_map(|conn| Input::TlsDone { conn }),
        1 => conn().prop_map(|conn| Input::TlsFailed { conn }),
        2 => conn().prop_map(|conn| Input::DataOpened { conn }),
        2 => conn().prop_map(|conn| Input::DataFailed { conn }),
        2 => conn().prop_map(|conn| Input::Bytes { conn }),
        2 => conn().prop_map(|conn| Input::LineTooLong { conn }),
        2 => (conn(), 0..3_u32).prop_map(|(conn, rate)| Input::Progress { conn, rate }),
        2 => Just(Input::ServerTimerFired),
        2 => conn().prop_map(|conn| Input::TransferDone { conn }),
        2 => conn().prop_map(|conn| Input::Closed { conn }),
        3 => conn().prop_map(|conn| Input::TimerFired { conn }),
        1 => control().prop_map(Input::Control),
    ]
}

/// The profiles of the wild, and two that have everything which they may lack.
const SERVERS: usize = 8;

fn a_server(profile: usize) -> Server {
    if profile >= 6 {
        return everything(profile == 7);
    }
    let (name, keys) = [
        ("vsftpd", "max_clients = 6\nmax_per_ip = 3\nidle_timeout = \"3s\""),
        (
            "proftpd",
            "max_instances = 8\nmax_clients = 5\nmax_per_user = 3\nsession_timeout = \"20s\"\n[server.ban]\nthreshold = 2\nwindow = \"60s\"\nduration = \"10s\"",
        ),
        (
            "proftpd",
            "login_timeout = \"2s\"\n[server.ban]\non = \"login_timeout\"\nthreshold = 1\nwindow = \"60s\"\nduration = \"10s\"",
        ),
        ("pure-ftpd", "max_clients = 7\nmax_per_ip = 3\nmax_per_user = 2\nidle_timeout = \"5s\""),
        ("pyftpdlib", "max_clients = 6\nmax_per_ip = 3"),
        (
            "pyftpdlib",
            "max_per_ip = 3\ngreeting_time = \"1ms\"\n[server.host]\ncores = 1\nservice = \"exponential\"\ndescriptors = 7",
        ),
        (
            "rfc959",
            "max_clients = 5\nmax_per_user = 3\nno_transfer_timeout = \"4s\"\n[server.ban]\non = \"connect\"\nthreshold = 9\nwindow = \"2s\"\nduration = \"10s\"",
        ),
    ][profile];
    let scenario =
        super::hour(&[format!("[server]\nprofile = \"{name}\"\ncommand_time = \"1ms\"\n{keys}\n")]);
    Server::new(
        ServerId(0),
        scenario.servers[0].policy.clone(),
        ServerStreams::new(Streams::new(1, 0), ServerId(0)),
        &[],
    )
}

/// A server with every limit, timer and trick; `gentle` if its refusals leave the connection open where they can.
fn everything(gentle: bool) -> Server {
    let close = if gentle { "none" } else { "fin" };
    let refusal = format!(
        "refusal = {{ code = 421, text = \"No.\", close = \"{close}\", delay = \"10ms\", then = {{ code = 421, text = \"No!\" }} }}"
    );
    let mut profile = Profile::named("rfc959").unwrap();
    let limit = |stage: &str, counts: &str, per: &str, most: u32| {
        part(&format!(
            "knob = \"{stage}-{counts}-{per}\"\nsetting = \"\"\ncause = \"max_per_ip\"\nfrom = \"\"\nstage = \"{stage}\"\ncounts = \"{counts}\"\n\
             per = \"{per}\"\ndefault = {most}\nclassless_too = true\n{}",
            if stage == "accept" { refusal.replace("none", "fin") } else { refusal.clone() }
        ))
    };
    profile.limits = vec![
        limit("accept", "sockets", "server", 9),
        limit("accept", "connections", "class", 6),
        limit("user", "sessions", "address", 4),
        limit("password", "sessions", "class", 5),
        limit("login", "hosts", "user", 2),
        limit("login", "sessions", "user", 4),
    ];
    let timer = |more: &str| part(&format!("from = \"\"\n{more}\n{refusal}"));
    profile.timer.login = Some(timer("after = \"20s\"\nrearmed_by_bytes = true"));
    profile.timer.idle =
        Some(timer("after = \"10s\"\nignores_noop = true\nrearmed_by_bytes = true\nsite_idle_max = \"1h\""));
    profile.timer.noop_idle = Some(timer("times_idle = 2"));
    profile.timer.line = Some(timer("times_idle = 2"));
    profile.timer.no_transfer = Some(timer("after = \"30s\""));
    profile.timer.session = Some(timer("after = \"200s\""));
    profile.timer.data_connect = Some(timer(&format!("after = \"4s\"\nfrom_pasv = {gentle}")));
    profile.timer.stalled = Some(part(&format!(
        "from = \"\"\nafter = \"3s\"\nticks = {gentle}\ndownload_lingers = 1\nleast_rate = 2\n{}\n{}",
        refusal.replace("refusal", "upload"),
        refusal.replace("refusal", "download")
    )));
    profile.login.errors_count = gentle;
    profile.login.max_attempts = 4;
    profile.login.fail_delay = span("1s");
    profile.login.check_delay_growth = span("1s");
    profile.login.user_delay_growth = span("1s");
    profile.login.hammer =
        Some(part("add = 400.0\ndecay = 1.0\nabove = 300.0\nbase = 1.3\ndivisor = 400.0\noffset = 0.0"));
    profile.login.denied_user =
        Some(part(&format!("at_user = {gentle}\nreply = {{ code = 530, text = \"No.\" }}")));
    profile.ban = Some(part(&format!(
        "from = \"\"\noffence = \"bad_password\"\nthreshold = 2\nwindow = \"60s\"\nduration = \"20s\"\nby = \"{}\"\nrefuses_at_password = {gentle}\n\
         from_last_attempt = true\nsuccess_resets = true\ncuts_live = \"at_once\"\n{refusal}",
        if gentle { "both" } else { "address" }
    )));
    profile.data.port_rests = span("2s");
    profile.data.connects_at_port = gentle;
    profile.data.early = gentle.then(|| part("code = 150\ntext = \"Soon.\""));
    profile.data.no_socket = Some(part("code = 425\ntext = \"No.\"\nclose = \"none\""));
    profile.line_too_long = Some(part(&format!("code = 500\ntext = \"Long.\"\nclose = \"{close}\"")));
    if gentle {
        profile.reply.no_data = part("code = 150\ntext = \"Soon.\"");
    }
    let overrides = Overrides {
        passive_ports: Some(2),
        command_cost: Some(Duration::from_nanos(1_000_000)),
        denied_users: vec![UserId(4)],
        ban: Some(BanOverride::default()),
        ..Overrides::default()
    };
    let policy = Policy::new(&profile, &overrides).unwrap();
    Server::new(ServerId(0), policy, ServerStreams::new(Streams::new(1, 0), ServerId(0)), &[])
}

/// What a driver knows of a server, and checks.
#[derive(Default)]
struct Driver {
    owned: [bool; 12],
    commands: [u32; 12],
    replies: [u32; 12],
    spoke: [Instant; 12],
    armed: [Option<Instant>; 12],
    server: Option<Instant>,
}

impl Driver {
    fn take(&mut self, now: Instant, actions: &[Action]) {
        for action in actions {
            let conn = match *action {
                Action::ArmServer { at } => {
                    self.server = Some(at);
                    continue;
                }
                Action::Reply { conn, at, .. } | Action::StartTransfer { conn, at } => {
                    assert!(at >= now, "nothing is said in the past: {action:?}");
                    conn
                }
                Action::Arm { conn, .. }
                | Action::Close { conn, .. }
                | Action::ConnectData { conn, .. }
                | Action::AbortData { conn }
                | Action::StartTls { conn, .. }
                | Action::AnswerHello { conn, .. }
                | Action::Free { conn } => conn,
                Action::Listen { .. } | Action::Observe(_) => continue,
            };
            let place = conn.0 as usize;
            assert!(self.owned[place], "{action:?} names a connection that was given back");
            match *action {
                Action::Free { .. } => (self.owned[place], self.armed[place]) = (false, None),
                Action::Arm { at, .. } => self.armed[place] = Some(at),
                Action::Reply { at, .. } => {
                    assert!(at >= self.spoke[place], "no reply overtakes another");
                    self.spoke[place] = at;
                    self.replies[place] += 1;
                    let unasked = 4; // 120 and the greeting, a timer's 421, and ProFTPD's word about a ban behind it
                    assert!(
                        self.replies[place] <= self.commands[place] + unasked,
                        "it says more than it is asked"
                    );
                }
                _ => {}
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// The caller's law is kept (no id is accepted twice before it is given back, every timer fires in the end) and nothing
    /// else is promised.
    #[test]
    fn a_server_survives_any_inputs_and_gives_every_slot_back(
        profile in 0..SERVERS,
        inputs in prop::collection::vec((gap(), server_input()), 1..150),
    ) {
        let mut server = a_server(profile);
        let mut driver = Driver::default();
        let mut recorder = Recorder::new(Shape { populations: 1, horizon: Instant::NEVER, warmup: Duration::ZERO });
        let mut now = Instant::ZERO;
        let mut out = Vec::new();
        let mut give = |now: Instant, input: Input, server: &mut Server, driver: &mut Driver| {
            match input {
                Input::Accepted { conn, .. } | Input::AcceptedTls { conn, .. } => {
                    let place = conn.0 as usize;
                    if driver.owned[place] {
                        return;
                    }
                    (driver.owned[place], driver.commands[place], driver.replies[place]) = (true, 0, 0);
                    driver.spoke[place] = now;
                }
                // A transfer is answered twice, and so may a PASV be; each refusal may have two lines, and none ends a session.
                Input::Command { conn, .. } => driver.commands[conn.0 as usize] += 4,
                Input::TransferDone { conn } | Input::DataFailed { conn } | Input::LineTooLong { conn } => {
                    driver.commands[conn.0 as usize] += 2;
                }
                Input::TimerFired { conn } => {
                    driver.armed[conn.0 as usize] = None;
                    driver.commands[conn.0 as usize] += 2;
                }
                Input::ServerTimerFired => driver.server = None,
                _ => {}
            }
            server.handle(now, input, &mut out);
            driver.take(now, &out);
            for action in out.drain(..) {
                if let Action::Observe(observation) = action {
                    recorder.record(now, &observation);
                }
            }
        };
        let hangs = inputs.iter().filter(|(_, input)| *input == Input::Control(Control::Hang)).count();
        for (gap, input) in inputs {
            now += Duration::from_nanos(gap);
            give(now, input, &mut server, &mut driver);
        }
        for _ in 0..hangs {
            give(now, Input::Control(Control::Resume), &mut server, &mut driver);
        }
        for conn in (0..12).map(ConnId) {
            give(now, Input::Closed { conn }, &mut server, &mut driver);
        }
        give(now, Input::Control(Control::Listen), &mut server, &mut driver); // who waits for a dead listener is reset
        loop {
            let firings = driver.armed.iter().enumerate().filter_map(|(place, at)| at.map(|at| (at, Some(place))));
            let Some((at, place)) = firings.chain(driver.server.map(|at| (at, None))).min() else { break };
            now = now.max(at);
            let firing = place.map_or(Input::ServerTimerFired, |place| Input::TimerFired { conn: ConnId(place as u32) });
            give(now, firing, &mut server, &mut driver);
        }
        prop_assert_eq!(server.queue_length(), 0);
        prop_assert_eq!(server.slots(), 0);
        prop_assert_eq!(driver.owned, [false; 12], "every id is given back");
        prop_assert_eq!((server.open_connections().count(), server.open_sessions().count()), (0, 0));
        prop_assert_eq!((recorder.connections().value(), recorder.sessions().value()), (0, 0));
        prop_assert_eq!(recorder.connections().integral_ns(), recorder.connections().overlap_ns());
        prop_assert_eq!(recorder.sessions().integral_ns(), recorder.sessions().overlap_ns());
    }
}

fn client_input() -> impl Strategy<Value = client::Input> {
    let cause = || prop::option::of((0..Cause::COUNT).prop_map(|c| Cause::ALL[c]));
    let code = prop_oneof![
        Just(220_u16),
        Just(331),
        Just(230),
        Just(200),
        Just(227),
        Just(150),
        Just(226),
        Just(425),
        Just(530),
        Just(421),
        Just(221),
        any::<u16>()
    ];
    prop_oneof![
        2 => (any::<u32>(), 0..40_u32).prop_map(|(session, entry)| client::Input::Start { session: session % 1_000, entry }),
        3 => Just(client::Input::Connected),
        1 => Just(client::Input::ConnectFailed { cause: Cause::ConnectionRefused }),
        12 => (code, Just(None)).prop_map(|(code, cause)| client::Input::Reply { code, cause, words: 0 }),
        1 => cause().prop_map(|cause| client::Input::Reply { code: 421, cause, words: 0 }),
        2 => Just(client::Input::DataOpened),
        1 => Just(client::Input::DataDone),
        1 => Just(client::Input::DataFailed),
        2 => Just(client::Input::TlsDone),
        1 => Just(client::Input::TlsFailed { cause: Cause::Reset }),
        1 => Just(client::Input::Turn),
        1 => cause().prop_map(|cause| client::Input::Closed { cause }),
        6 => Just(client::Input::TimerFired),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Whatever it is told, a client keeps its books: the recorder panics if an attempt ends that never began, and
    /// `finish` if attempts and classes do not add up.
    #[test]
    fn a_client_survives_any_inputs_and_keeps_its_books(
        inputs in prop::collection::vec((gap(), client_input()), 1..200),
        keepalive in any::<bool>(),
        reconnect in any::<bool>(),
        patience in any::<bool>(),
        parallel in 1..3_u32,
        active in any::<bool>(),
        tls in 0..3_usize,
    ) {
        let scenario = super::hour(&[super::client(
            "alice",
            "0s",
            &format!(
                "script = [\"login\", {{ loop = 4, steps = [\"noop\", {{ type = \"I\" }}, {{ rest = \"1KiB\" }}, {{ retr = \"1KiB\" }}, {{ stor = \"1MiB\", abort = \"3s\" }}, {{ think = \"2s\" }}, {{ idle = \"5s\" }}] }}]\n\
                 parallel = {parallel}\ntls = \"{}\"\nno_data = 0.2\nreconnect = {reconnect}\nwrong_password = 0.3\nlogin_tries = 3\nvanish = 0.05\n\
                 retry = {{ backoff = \"exponential\", wait = \"1s\", jitter = \"decorrelated\", attempts = 5 }}\n{}{}{}",
                ["none", "explicit", "implicit"][tls],
                if active { "data = \"active\"\n" } else { "heeds_120 = true\n" },
                if keepalive { "keepalive = \"700ms\"\n" } else { "" },
                if patience { "patience = \"60s\"\n" } else { "" },
            ),
        )]);
        let streams = ClientStreams::new(Streams::new(1, 0), PopulationId(0));
        let link = &scenario.populations[0].link;
        let env = Env {
            population: PopulationId(0),
            behaviour: &scenario.populations[0].behaviour,
            streams: &streams,
            users: &[ArgId(3)],
            connect_timeout: link.connect_timeout,
            reply_timeout: link.reply_timeout,
        };
        let mut recorder = Recorder::new(Shape { populations: 1, horizon: Instant::NEVER, warmup: Duration::ZERO });
        let mut client = Client::new(0);
        let mut now = Instant::ZERO;
        let mut connected = false;
        let mut out = Vec::new();
        for (gap, input) in inputs {
            now += Duration::from_nanos(gap);
            client.handle(now, input, &env, &mut out);
            for action in out.drain(..) {
                match action {
                    client::Action::Observe(observation) => recorder.record(now, &observation),
                    client::Action::Connect => {
                        prop_assert!(!connected, "one control connection at a time");
                        connected = true;
                    }
                    client::Action::Disconnect | client::Action::Vanish => connected = false,
                    client::Action::Send(_) => prop_assert!(connected, "nothing is sent into the void"),
                    client::Action::Finish => prop_assert_eq!(client.state(), State::Done),
                    client::Action::StartTls => prop_assert!(connected, "there is nothing to secure"),
                    client::Action::Arm { .. }
                    | client::Action::OpenData { .. }
                    | client::Action::Ask
                    | client::Action::Lower => {}
                }
            }
        }
        let waiting = client.still_wants().map(|since| (PopulationId(0), since));
        recorder.finish(now, std::iter::empty(), std::iter::empty(), waiting.into_iter());
    }
}
