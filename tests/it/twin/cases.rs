//! The cases: what is played in both worlds. Each is a scenario with a population that is listened to, and perhaps others.

use std::fmt::Write as _;

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

/// Plays each case with each of its profiles, all at once: they mostly wait.
fn play(cases: &[Case]) {
    let threads: Vec<_> = cases
        .iter()
        .flat_map(|case| case.servers.iter().map(move |server| (*case, *server)))
        .map(|(case, (profile, keys))| {
            let name = format!("{} at {profile}", case.name);
            let text = case.text(profile, keys);
            (
                name.clone(),
                std::thread::spawn(move || differences(&name, &text, (PopulationId(0), 0), case.tolerance)),
            )
        })
        .collect();
    let mut found = Vec::new();
    for (name, thread) in threads {
        match thread.join() {
            Ok(difference) => found.extend(difference),
            Err(_) => found.push(format!("== {name}: it broke down")),
        }
    }
    assert!(found.is_empty(), "{} of the cases differ\n{}", found.len(), found.join("\n"));
}

#[test]
fn sessions_are_twins() {
    play(&[
        Case {
            name: "a plain session",
            clients: r#"script = ["login", { cwd = "/pub" }, "pwd", "noop", { think = "100ms" }, { site_idle = "60s" }, "quit"]"#,
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
            clients: "script = [\"login\"]\narrivals = { executor = \"constant-clients\", clients = 1, pause = \"400ms\" }",
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
                      retry = { backoff = \"fixed\", wait = \"300ms\", attempts = 3, signs = [\"4yz\", \"5yz\", \"silent\", \"reset\"] }",
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
