//! The cases: what is played in both worlds. Each is a scenario with a population that is listened to, and perhaps others.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use ftp421::id::PopulationId;

use super::differences;

/// What is played, for each of some profiles.
#[derive(Clone, Copy)]
struct Case {
    name: &'static str,
    /// The profiles, each with its own keys of `[server]`.
    servers: &'static [(&'static str, &'static str)],
    /// More keys of `[server]`.
    server: &'static str,
    /// Keys of the population that is listened to, and tables behind it.
    clients: &'static str,
    /// Is somebody there from the beginning to the end?
    holder: bool,
    /// Seconds.
    lasts: u32,
    /// How far apart a line may be in the two worlds, seconds.
    tolerance: f64,
}

const ALL: &[(&str, &str)] =
    &[("rfc959", ""), ("vsftpd", ""), ("proftpd", ""), ("pure-ftpd", ""), ("pyftpdlib", "")];
const PLAIN: Case =
    Case { name: "", servers: ALL, server: "", clients: "", holder: false, lasts: 2, tolerance: 0.4 };

/// One client comes at the beginning and stays for the run.
const HOLDER: &str = r#"
[[clients]]
name = "holder"
user = "alice"
addresses = { cidr = "10.0.0.1/32" }
arrivals = { executor = "burst", at = "0s", count = 1, within = "0s" }
script = ["login", { think = "1h" }]
link = { rtt = "1ms" }
"#;

impl Case {
    fn text(&self, profile: &str, keys: &str) -> String {
        let Self { server, clients, lasts, .. } = self;
        let arrivals = "arrivals = { executor = \"burst\", at = \"200ms\", count = 1, within = \"0s\" }\n";
        let arrivals = if clients.contains("arrivals") { "" } else { arrivals };
        let mut text = format!(
            "schema = 1\nname = \"twin\"\nduration = \"{lasts}s\"\n[server]\nprofile = \"{profile}\"\n{keys}\n{server}\n"
        );
        let _ = write!(
            text,
            "[[clients]]\nname = \"heard\"\nlink = {{ rtt = \"1ms\" }}\naddresses = {{ cidr = \"10.0.0.1/32\" }}\n{arrivals}{clients}\n"
        );
        text + if self.holder { HOLDER } else { "" }
    }
}

/// A case with one of its profiles.
#[derive(Clone)]
pub struct Play {
    pub name: String,
    pub text: String,
    pub tolerance: f64,
}

/// Plays each case with each of its profiles.
fn play(cases: &[Case]) {
    let plays = cases
        .iter()
        .flat_map(|case| case.servers.iter().map(move |server| (case, *server)))
        .map(|(case, (profile, keys))| Play {
            name: format!("{} at {profile}", case.name),
            text: case.text(profile, keys),
            tolerance: case.tolerance,
        })
        .collect();
    play_all(plays);
}

/// Plays several at once, since they mostly wait. A machine that is busy with other tests is late now and then: what differs is played
/// again, and a difference that is the drivers' doing stays.
pub fn play_all(mut left: Vec<Play>) {
    let mut found = Vec::new();
    for at_once in [12, 4, 1] {
        (left, found) = played(&left, at_once).into_iter().unzip();
        if found.is_empty() {
            return;
        }
    }
    panic!("{} of the cases differ\n{}", found.len(), found.join("\n"));
}

/// What differs of `plays`, and where.
fn played(plays: &[Play], at_once: usize) -> Vec<(Play, String)> {
    let next = AtomicUsize::new(0);
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            let (tell, next) = (tell.clone(), &next);
            scope.spawn(move || {
                while let Some(play) = plays.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Some(difference) = differences(&play.text, (PopulationId(0), 0), play.tolerance) {
                        tell.send((play.clone(), format!("== {}: {difference}", play.name)))
                            .expect("it is heard");
                    }
                }
            });
        }
    });
    drop(tell);
    told.iter().collect()
}

#[test]
fn sessions_are_twins() {
    play(&[
        Case {
            name: "a plain session",
            clients: r#"script = ["login", "pwd", { cwd = "/pub" }, "noop", { think = "100ms" }, { site_idle = "60s" }, "quit"]"#,
            ..PLAIN
        },
        Case { name: "a named user", clients: "user = \"alice\"\nscript = [\"login\", \"pwd\"]", ..PLAIN },
        Case {
            name: "keep-alives",
            clients: "script = [\"login\", { think = \"1s\" }]\nkeepalive = \"300ms\"",
            ..PLAIN
        },
        Case {
            name: "a client that comes again",
            clients: "script = [\"login\"]\narrivals = { executor = \"per-client-sessions\", clients = 1, sessions = 3, pause = \"200ms\" }",
            ..PLAIN
        },
    ]);
}

#[test]
fn wrong_passwords_are_twins() {
    const DELAYED: &[(&str, &str)] = &[
        ("rfc959", ""),
        ("vsftpd", "login_fail_delay = \"100ms\""),
        ("proftpd", ""),
        ("pyftpdlib", "login_fail_delay = \"100ms\""),
    ];
    // How late it answers is drawn for the nanosecond at which the connection was accepted.
    const DRAWN: &[(&str, &str)] = &[("pure-ftpd", "")];
    play(&[
        Case {
            name: "a wrong password, and another try",
            servers: DELAYED,
            clients: "user = \"alice\"\nwrong_password = 1.0\nlogin_tries = 2",
            lasts: 6,
            ..PLAIN
        },
        Case {
            name: "too many wrong passwords",
            servers: DELAYED,
            server: "max_login_attempts = 2",
            clients: "user = \"alice\"\nwrong_password = 1.0\nlogin_tries = 5",
            lasts: 8,
            ..PLAIN
        },
        Case {
            name: "too many wrong passwords, drawn delays",
            servers: DRAWN,
            server: "max_login_attempts = 2",
            clients: "user = \"alice\"\nwrong_password = 1.0\nlogin_tries = 5",
            lasts: 15,
            tolerance: 12.0,
            ..PLAIN
        },
        Case {
            name: "anonymous mistypes",
            servers: &[("vsftpd", "login_fail_delay = \"100ms\""), ("proftpd", ""), ("rfc959", "")],
            clients: "wrong_password = 1.0",
            ..PLAIN
        },
        Case {
            name: "a ban",
            servers: &[("rfc959", ""), ("proftpd", ""), ("serv-u", ""), ("filezilla-1", "")],
            server: "max_login_attempts = 2\n[server.ban]\nthreshold = 1\nwindow = \"1m\"\nduration = \"1m\"",
            clients: "user = \"alice\"\nwrong_password = 1.0\nlogin_tries = 5\n\
                      retry = { backoff = \"fixed\", wait = \"300ms\", attempts = 3, signs = [\"421\", \"530\", \"4yz\", \"5yz\", \"silent\", \"reset\"] }",
            lasts: 8,
            ..PLAIN
        },
    ]);
}

#[test]
fn limits_are_twins() {
    const AGAIN: &str = "retry = { backoff = \"fixed\", wait = \"300ms\", attempts = 3 }";
    play(&[
        Case {
            name: "the server is full",
            servers: &[
                ("rfc959", "max_clients = 1"),
                ("vsftpd", "max_clients = 1"),
                ("proftpd", "max_clients = 1"),
                ("proftpd", "max_instances = 1"),
                ("pure-ftpd", "max_clients = 1"),
                ("pyftpdlib", "max_clients = 1"),
                ("wu-ftpd", "max_clients = 1"),
                ("iis", "max_clients = 1"),
                ("bftpd", "max_clients = 1"),
            ],
            clients: AGAIN,
            holder: true,
            ..PLAIN
        },
        Case {
            name: "the address has too many",
            servers: &[
                ("rfc959", "max_per_ip = 1"),
                ("vsftpd", "max_per_ip = 1"),
                ("proftpd", "max_clients_per_host = 1"),
                ("proftpd", "max_connections_per_host = 1"),
                ("pure-ftpd", "max_per_ip = 1"),
                ("pyftpdlib", "max_per_ip = 1"),
            ],
            holder: true,
            ..PLAIN
        },
        Case {
            name: "the user has too many",
            servers: &[
                ("rfc959", "max_per_user = 1"),
                ("proftpd", "max_per_user = 1"),
                ("bftpd", "max_per_user = 1"),
                ("filezilla-0.9", "max_per_user = 1"),
            ],
            clients: "user = \"alice\"",
            holder: true,
            ..PLAIN
        },
    ]);
}

#[test]
fn timers_are_twins() {
    const SHORT: &str = "idle_timeout = \"1s\"";
    const IDLE: &[(&str, &str)] = &[
        ("rfc959", SHORT),
        ("vsftpd", SHORT),
        ("proftpd", SHORT),
        ("pure-ftpd", SHORT),
        ("pyftpdlib", SHORT),
    ];
    play(&[
        Case {
            name: "an idle cut, seen at once",
            servers: IDLE,
            clients: r#"script = ["login", { think = "4s" }, "pwd"]"#,
            lasts: 6,
            ..PLAIN
        },
        Case {
            name: "an idle cut, seen behind the next command",
            servers: IDLE,
            clients: r#"script = ["login", { idle = "4s" }, "pwd"]"#,
            lasts: 6,
            ..PLAIN
        },
        Case {
            name: "the idle timer that the client set",
            clients: r#"script = ["login", { site_idle = "1s" }, { think = "3s" }]"#,
            lasts: 4,
            ..PLAIN
        },
        Case {
            name: "no login in time",
            servers: &[("rfc959", "login_fail_delay = \"2s\""), ("proftpd", "login_fail_delay = \"2s\"")],
            server: "login_timeout = \"1s\"",
            clients: "user = \"alice\"\nwrong_password = 1.0\nlogin_tries = 2",
            lasts: 4,
            ..PLAIN
        },
        Case {
            name: "the session is over",
            servers: &[("rfc959", ""), ("proftpd", "")],
            server: "session_timeout = \"1s\"",
            clients: r#"script = ["login", { think = "3s" }]"#,
            lasts: 4,
            ..PLAIN
        },
        Case {
            name: "no transfer in time",
            servers: &[("rfc959", ""), ("proftpd", "")],
            server: "no_transfer_timeout = \"1s\"",
            clients: "script = [\"login\", { think = \"3s\" }]\nkeepalive = \"400ms\"",
            lasts: 4,
            ..PLAIN
        },
    ]);
}

#[test]
fn shutdowns_are_twins() {
    let shutdown = |name, clients| Case { name, clients, lasts: 4, ..PLAIN };
    play(&[
        shutdown(
            "announced",
            "script = [\"login\", { loop = 20, steps = [{ think = \"300ms\" }, \"noop\"] }]\n\
             retry = { backoff = \"fixed\", wait = \"400ms\" }\nreconnect = true\n\
             [[faults]]\nat = \"1s\"\nkind = \"shutdown\"\nform = \"announce\"\nnotice = \"1s\"\ndown = \"500ms\"",
        ),
        shutdown(
            "a cut",
            "script = [\"login\", { loop = 20, steps = [{ think = \"300ms\" }, \"noop\"] }]\n\
             retry = { backoff = \"fixed\", wait = \"400ms\" }\nreconnect = true\n\
             [[faults]]\nat = \"1s\"\nkind = \"shutdown\"\nform = \"cut\"\ndown = \"900ms\"",
        ),
        shutdown(
            "a crash",
            "script = [\"login\", { loop = 20, steps = [{ think = \"300ms\" }, \"noop\"] }]\n\
             retry = { backoff = \"fixed\", wait = \"400ms\" }\nreconnect = true\n\
             [[faults]]\nat = \"1s\"\nkind = \"shutdown\"\nform = \"crash\"\ndown = \"900ms\"",
        ),
        shutdown(
            "a hang",
            "script = [\"login\", { loop = 20, steps = [{ think = \"300ms\" }, \"noop\"] }]\n\
             [[faults]]\nat = \"1s\"\nkind = \"shutdown\"\nform = \"hang\"\nlasts = \"1500ms\"",
        ),
        shutdown(
            "SIGTERM",
            "script = [\"login\", { loop = 20, steps = [{ think = \"300ms\" }, \"noop\"] }]\n\
             retry = { backoff = \"fixed\", wait = \"400ms\" }\nreconnect = true\n\
             [[faults]]\nat = \"1s\"\nkind = \"signal\"\nsignal = \"TERM\"\ndown = \"900ms\"",
        ),
        shutdown(
            "SIGKILL, and not ready",
            "script = [\"login\", { loop = 20, steps = [{ think = \"300ms\" }, \"noop\"] }]\n\
             retry = { backoff = \"fixed\", wait = \"400ms\" }\nreconnect = true\n\
             [[faults]]\nat = \"1s\"\nkind = \"signal\"\nsignal = \"KILL\"\ndown = \"500ms\"\nready_in = \"1s\"",
        ),
    ]);
}

#[test]
fn transfers_are_twins() {
    const SLOW: &str = "bandwidth = \"100KiB/s\"";
    play(&[
        Case {
            name: "a transfer each way, and listings",
            clients: r#"script = ["login", { cwd = "/pub" }, "list", { retr = "100KiB", path = "/pub/file" }, { stor = "50KiB" },
                { list = "10KiB", path = "/pub" }, "nlst", "quit"]"#,
            ..PLAIN
        },
        Case {
            name: "active data connections",
            clients: "script = [\"login\", { retr = \"100KiB\" }, { stor = \"50KiB\" }, \"list\"]\ndata = \"active\"",
            ..PLAIN
        },
        Case {
            name: "types, sizes, and the rest of a file",
            clients: r#"script = ["login", { type = "I" }, { size = "/pub/file" }, { retr = "100KiB", path = "/pub/file" },
                { rest = "40KiB" }, { retr = "100KiB", path = "/pub/file" }, "mlsd", "quit"]"#,
            ..PLAIN
        },
        Case {
            name: "an ABOR in a download",
            server: SLOW,
            clients: r#"script = ["login", { retr = "1MiB", abort = "700ms" }, "noop", { retr = "10KiB", path = "/small" }]"#,
            lasts: 3,
            ..PLAIN
        },
        Case {
            name: "an ABOR in an upload",
            server: SLOW,
            clients: r#"script = ["login", { stor = "40MiB", abort = "700ms" }, "noop"]"#, // more than a kernel keeps
            lasts: 3,
            ..PLAIN
        },
        Case {
            name: "a slow download",
            server: SLOW,
            clients: r#"script = ["login", { retr = "100KiB" }, "quit"]"#,
            lasts: 3,
            ..PLAIN
        },
        Case {
            name: "a data connection that never comes",
            servers: &[("vsftpd", ""), ("pyftpdlib", "")],
            server: "data_connect_timeout = \"1s\"",
            clients: "script = [\"login\", { retr = \"10KiB\" }, \"noop\"]\nno_data = 1.0",
            lasts: 4,
            ..PLAIN
        },
        Case {
            name: "a transfer that stalls",
            servers: &[("vsftpd", ""), ("proftpd", ""), ("pyftpdlib", "")],
            server: "stalled_timeout = \"1s\"\nbandwidth = \"100KiB/s\"",
            clients: "script = [\"login\", { stor = \"100KiB\" }, \"noop\"]\nstall = 1.0",
            lasts: 6,
            tolerance: 0.8,
            ..PLAIN
        },
        Case {
            name: "a shutdown in a transfer",
            server: SLOW,
            clients: "script = [\"login\", { retr = \"200KiB\" }, \"noop\"]\n\
                      [[faults]]\nat = \"1s\"\nkind = \"shutdown\"\nform = \"announce\"\nnotice = \"0s\"",
            lasts: 4,
            ..PLAIN
        },
        Case {
            name: "a reset in a transfer",
            server: SLOW,
            clients: "script = [\"login\", { retr = \"200KiB\" }, \"noop\"]\n\
                      [[faults]]\nat = \"1s\"\nkind = \"shutdown\"\nform = \"crash\"",
            lasts: 3,
            ..PLAIN
        },
        Case {
            name: "a full disk",
            clients: "script = [\"login\", { stor = \"20KiB\" }, \"noop\"]\n\
                      [[faults]]\nat = \"0s\"\nkind = \"disk_full\"",
            lasts: 3,
            ..PLAIN
        },
    ]);
}

#[test]
fn sessions_under_tls_are_twins() {
    play(&[
        Case {
            name: "AUTH TLS, and transfers under it",
            server: "tls = \"offered\"",
            clients: "tls = \"explicit\"\nscript = [\"login\", \"list\", { retr = \"300KiB\" }, { stor = \"100KiB\" }, \"noop\"]",
            lasts: 3,
            ..PLAIN
        },
        Case {
            name: "TLS is required",
            server: "tls = \"required\"",
            clients: "user = \"alice\"\nscript = [\"login\", \"noop\"]",
            ..PLAIN
        },
        Case {
            name: "TLS is not offered",
            clients: "tls = \"explicit\"\nscript = [\"login\", \"noop\"]",
            ..PLAIN
        },
    ]);
}
