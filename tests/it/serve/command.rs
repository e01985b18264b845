//! `ftp421 serve`, the command: its flags, its accounts, its certificate, and how others learn that it is ready.
//!
//! What signals do to it is tested beside this.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::real::talk::Talk;
use crate::support::{ftp421, stderr, stdout};

/// Every wait is over by then.
const PATIENCE: Duration = Duration::from_secs(10);

/// The running program.
pub struct Served {
    child: Child,
    told: Option<JoinHandle<String>>,
    /// `ftp://127.0.0.1:2121`.
    pub url: String,
}

/// How it ended.
pub struct Ended {
    pub code: Option<i32>,
    /// What it said on standard error.
    pub told: String,
}

impl Served {
    /// Starts it and waits for the ready line.
    pub fn start(args: &[&str]) -> Self {
        Self::start_with(args, &[])
    }

    /// The same with these variables in its environment.
    pub fn start_with(args: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ftp421"));
        command.arg("serve").args(args).envs(variables.iter().copied());
        if !args.iter().any(|arg| ["--out", "--json", "--child"].contains(arg)) {
            command.arg("--no-results"); // the folder is that of whoever is served in it last
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary was built");
        let mut errors = child.stderr.take().unwrap();
        let told = std::thread::spawn(move || {
            let mut told = String::new();
            errors.read_to_string(&mut told).unwrap();
            told
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("ready ").unwrap_or_default().to_owned();
        let mut served = Self { child, told: Some(told), url };
        let told = if served.url.is_empty() { served.ended().told } else { String::new() };
        assert!(!served.url.is_empty(), "no ready line: {line:?}, {told}");
        served
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `127.0.0.1:2121`.
    pub fn address(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    /// A new connection, and the first reply on it.
    pub fn greets(&self) -> (Talk, String) {
        let port = self.address().rsplit_once(':').unwrap().1.parse().unwrap();
        let mut talk = Talk::connect(port, PATIENCE);
        let greeting = talk.hears();
        (talk, greeting)
    }

    /// A new session.
    pub fn logged_in(&self, user: &str, password: &str) -> Talk {
        let (mut talk, greeting) = self.greets();
        assert!(greeting.starts_with("220"), "{greeting}");
        let mut reply = talk.says(&format!("USER {user}"));
        if reply.starts_with("331") {
            reply = talk.says(&format!("PASS {password}")); // Pure-FTPd asks no password of anonymous
        }
        assert!(reply.starts_with("230"), "{reply}");
        talk
    }

    /// The answer to a password.
    pub fn answers(&self, user: &str, password: &str) -> String {
        let (mut talk, _) = self.greets();
        talk.says(&format!("USER {user}"));
        talk.says(&format!("PASS {password}"))
    }

    pub fn gets(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().cast_signed()), signal).unwrap();
    }

    /// Does it still run?
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// How it ends, if it does so in time.
    pub fn ended(&mut self) -> Ended {
        let began = Instant::now();
        while self.runs() && began.elapsed() < PATIENCE {
            std::thread::yield_now();
        }
        let code = self.child.try_wait().unwrap().and_then(|status| status.code());
        let _ = self.child.kill(); // it has ended, or has had its time
        Ended { code, told: self.told.take().map_or_else(String::new, |told| told.join().unwrap()) }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn curl(args: &[&str], url: &str) -> Output {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "20"]).args(args).arg(url);
    curl.output().expect("curl is there")
}

// ---- limits and timers -------------------------------------------------------------------------------------------

#[test]
fn limits_and_timers_are_flags_over_what_the_profile_or_the_file_says() {
    let served = Served::start(&["--profile", "vsftpd", "--max-clients", "1", "--idle-timeout", "1s"]);
    let mut first = served.logged_in("anonymous", "me@");
    let (_, second) = served.greets();
    assert_eq!(second, "421 There are too many connected users, please try later.");
    assert_eq!(first.hears(), "421 Timeout.");
    drop(served);

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("s.toml");
    let text = "schema = 1\nname = \"s\"\nduration = \"1m\"\n[server]\nprofile = \"vsftpd\"\nmax_clients = 1\nmax_per_ip = 1\n";
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let served = Served::start(&[file, "--max-clients", "2", "--set", "max_per_ip=0"]);
    let (_first, greeting) = served.greets();
    let (_second, again) = served.greets();
    assert!(greeting.starts_with("220") && again.starts_with("220"), "{greeting} {again}");
    let (_, third) = served.greets();
    assert!(third.starts_with("421"), "{third}");
}

#[test]
fn a_table_of_the_file_can_be_set_key_by_key() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("s.toml");
    let text = "schema = 1\nname = \"s\"\nduration = \"1m\"\n[server]\nlogin_fail_delay = \"0s\"\n\
                [server.ban]\non = \"bad_password\"\nthreshold = 5\nwindow = \"1m\"\nduration = \"1m\"\n";
    std::fs::write(&file, text).unwrap();
    let served = Served::start(&[file.to_str().unwrap(), "--set", "ban.threshold=1"]);
    assert!(served.answers("anonymous", "x-mistyped").starts_with("530"));
    let (_, banned) = served.greets();
    assert!(!banned.starts_with("220"), "{banned}");
    let refused = ftp421(dir.path(), &["serve", "s.toml", "--set", "ban.treshold=2"]);
    assert!(stderr(&refused).contains("did you mean \"threshold\"?"), "{}", stderr(&refused));
}

#[test]
fn what_is_wrong_with_a_flag_is_said_once_with_its_name_and_a_hint() {
    for (args, code, what, hint) in [
        (&["--profile", "vsftp"][..], 2, "--profile:", "did you mean \"vsftpd\"?"),
        (
            &["--profile", "vsftpd", "--max-per-user", "3"],
            2,
            "--max-per-user:",
            "the limits of vsftpd are: max_clients, max_per_ip",
        ),
        (&["--max-clients", "many"], 2, "--max-clients:", "write a whole number"),
        (&["--max-clients", "-1"], 2, "--max-clients:", "write a whole number"),
        (&["--idle-timeout", "5"], 2, "--idle-timeout:", "a number with a unit"),
        (&["--tls", "yes"], 2, "--tls:", "none, offered, required"),
        (&["--set", "max_clients"], 2, "--set", "KEY=VALUE"),
        (&["--set", "a b=1"], 2, "--set a b:", "a key of [server]"),
        (&["--set", "max_client=1"], 2, "--set max_client:", "did you mean \"max_clients\"?"),
        (&["--set", "max_clients=1\nmax_per_ip=2"], 2, "--set max_clients:", "write a whole number"),
        (&["--max-clients", "1", "--set", "max_clients=2"], 2, "--set max_clients:", "say it once"),
        (&["--profile", "vsftpd", "--cert-out", "x"], 2, "--cert-out:", "--tls offered"),
        (&["--cert", "x"], 2, "--key", "--help"),
        (&["--host", "example"], 2, "--host", "an address of this machine"),
        (&["--user", "bob"], 2, "--user number 1", "FTP421_PASSWORD"),
        (&["missing.toml"], 1, "missing.toml", "No such file"),
    ] {
        let refused = ftp421(Path::new("."), &[&["serve"], args].concat());
        let told = stderr(&refused);
        assert_eq!(refused.status.code(), Some(code), "{args:?}: {told}");
        assert!(told.contains(what) && told.contains(hint), "{args:?}: {told}");
        assert!(told.starts_with("error: ") && told.matches("error:").count() == 1, "{args:?}: {told}");
        assert_eq!(stdout(&refused), "", "{args:?}");
    }
}

#[test]
fn what_is_wrong_in_the_file_is_told_at_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let text = "schema = 1\nname = \"s\"\nduration = \"1m\"\n[server]\nmax_per_user = 3\n";
    std::fs::write(dir.path().join("s.toml"), text).unwrap();
    let refused = ftp421(dir.path(), &["serve", "s.toml", "--profile", "vsftpd"]);
    assert_eq!(refused.status.code(), Some(104));
    assert!(
        stderr(&refused).starts_with("error: s.toml:5:1: unknown key \"max_per_user\""),
        "{}",
        stderr(&refused)
    );
}

// ---- accounts ----------------------------------------------------------------------------------------------------

#[test]
fn those_who_are_listed_get_in_with_their_own_password_and_are_counted_one_by_one() {
    let args = [
        "--profile",
        "rfc959",
        "--max-per-user",
        "1",
        "--user",
        "alice:x:y",
        "--user",
        "bob:z",
        "--no-anonymous",
    ];
    let mut served = Served::start(&args);
    let _alice = served.logged_in("alice", "x:y");
    let refused = served.answers("alice", "x:y");
    assert!(refused.starts_with("421") || refused.starts_with("530"), "{refused}");
    let _bob = served.logged_in("bob", "z");
    for (user, password) in
        [("alice", "z"), ("carol", "x:y"), ("anonymous", "me@"), ("ftp", "me@"), ("alice", "ftp421")]
    {
        assert!(served.answers(user, password).starts_with("530"), "{user}");
    }
    served.gets(Signal::SIGINT);
    let told = served.ended().told;
    assert!(told.contains("users       alice, bob\n") && !told.contains("x:y"), "{told}");
}

#[test]
fn accounts_come_from_a_file_and_passwords_from_the_environment() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("accounts.csv");
    std::fs::write(&file, "name,password\nalice,x\nbob,y\n").unwrap();
    let served = Served::start(&["--users", file.to_str().unwrap()]);
    assert!(served.answers("alice", "x").starts_with("230") && served.answers("bob", "y").starts_with("230"));
    assert!(served.answers("anonymous", "me@").starts_with("230"), "nobody has said otherwise");
    drop(served);
    let mut served = Served::start_with(&["--user", "carol"], &[("FTP421_PASSWORD", "secret")]);
    assert!(served.answers("carol", "secret").starts_with("230"));
    served.gets(Signal::SIGINT);
    assert!(!served.ended().told.contains("secret"));
    let mut served = Served::start_with(&[], &[("FTP421_PASSWORD", "secret")]);
    assert!(served.answers("ftp421", "secret").starts_with("230"));
    assert!(served.answers("ftp421", "ftp421").starts_with("530"));
    served.gets(Signal::SIGINT);
    assert!(!served.ended().told.contains("secret"));
}

#[test]
fn without_any_there_is_one_account_and_the_users_of_a_scenario_have_its_password() {
    let served = Served::start(&[]);
    assert!(served.answers("ftp421", "ftp421").starts_with("230"));
    assert!(served.answers("anonymous", "").starts_with("230"));
    assert!(served.answers("alice", "ftp421").starts_with("530"));
    drop(served);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("s.toml");
    let text = "schema = 1\nname = \"s\"\nduration = \"1m\"\n[[clients]]\nname = \"a\"\nuser = \"alice\"\n\
                arrivals = { executor = \"constant-clients\", clients = 1 }\n";
    std::fs::write(&file, text).unwrap();
    let served = Served::start(&[file.to_str().unwrap()]);
    assert!(served.answers("alice", "ftp421").starts_with("230"));
    assert!(served.answers("ftp421", "ftp421").starts_with("530"));
}

// ---- TLS ---------------------------------------------------------------------------------------------------------

#[test]
fn a_client_can_trust_the_certificate_that_it_makes() {
    let dir = tempfile::tempdir().unwrap();
    let cert = dir.path().join("cert.pem");
    let cert = cert.to_str().unwrap();
    for (args, curled) in [
        (&["--tls", "required"][..], &["--ssl-reqd"][..]),
        (&["--implicit-tls"], &[]),
        (&["--implicit-tls", "--profile", "vsftpd", "--host", "localhost"], &[]),
    ] {
        let served = Served::start(&[args, &["--cert-out", cert]].concat());
        assert_eq!(served.url.starts_with("ftps://"), args.contains(&"--implicit-tls"), "{}", served.url);
        let listed = curl(&[&["--cacert", cert], curled].concat(), &format!("{}/", served.url));
        assert!(listed.status.success(), "{args:?}: {listed:?}");
        let wary = curl(curled, &format!("{}/", served.url));
        assert_eq!(wary.status.code(), Some(60), "{args:?}: {wary:?}"); // CURLE_PEER_FAILED_VERIFICATION
    }
}

#[test]
fn a_certificate_can_be_given() {
    let dir = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["ftp.example.org".to_owned()]).unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (cert, key) =
        (file("cert.pem", &made.cert.pem()), file("key.pem", &made.signing_key.serialize_pem()));
    let served = Served::start(&["--tls", "offered", "--cert", &cert, "--key", &key]);
    let port = served.address().rsplit_once(':').unwrap().1;
    let to = format!("ftp.example.org:{port}:{}", served.address());
    let listed = curl(
        &["--ssl-reqd", "--cacert", &cert, "--connect-to", &to, "--ftp-skip-pasv-ip"],
        &format!("ftp://ftp.example.org:{port}/"),
    );
    assert!(listed.status.success(), "{listed:?}");
    let other = rcgen::generate_simple_self_signed(vec!["x".to_owned()]).unwrap();
    let strange = file("strange.pem", &other.signing_key.serialize_pem());
    for (cert, key) in [(&cert, &strange), (&key, &key), (&cert, &cert)] {
        let refused = ftp421(dir.path(), &["serve", "--tls", "offered", "--cert", cert, "--key", key]);
        assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
        assert!(stderr(&refused).starts_with("error: --cert, --key: "), "{}", stderr(&refused));
    }
}

// ---- its life ----------------------------------------------------------------------------------------------------

#[test]
fn a_file_says_that_it_is_ready_as_long_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ready");
    std::fs::write(&file, "ftp://127.0.0.1:1\n").unwrap();
    let mut served = Served::start(&["--ready-file", file.to_str().unwrap()]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{}\n", served.url));
    served.gets(Signal::SIGINT);
    assert_eq!(served.ended().code, Some(0));
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    let refused = ftp421(dir.path(), &["serve", "--ready-file", "no/such/folder"]);
    assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
}

#[test]
fn it_ends_by_itself_where_a_time_is_set() {
    let mut served = Served::start(&["--duration", "300ms"]);
    let _there = served.logged_in("anonymous", "me@");
    assert_eq!(served.ended().code, Some(0));
}

#[test]
fn a_port_that_is_taken_is_one_clear_error() {
    let served = Served::start(&[]);
    let port = served.address().rsplit_once(':').unwrap().1;
    let refused = ftp421(Path::new("."), &["serve", "--port", port]);
    assert_eq!(refused.status.code(), Some(1));
    let told = stderr(&refused);
    assert!(told.contains(&format!("127.0.0.1:{port}")) && told.contains("in use"), "{told}");
}

#[test]
fn it_says_what_it_serves_unless_it_is_to_be_quiet() {
    let mut served = Served::start(&["--profile", "vsftpd", "--max-clients", "3", "--idle-timeout", "5s"]);
    served.gets(Signal::SIGINT);
    let told = served.ended().told;
    for word in
        [&served.url, "vsftpd", "max_clients", " 3 ", "idle 5s", "anonymous, ftp421 (password ftp421)"]
    {
        assert!(told.contains(word), "{word}: {told}");
    }
    assert!(!told.contains("note:") && !told.contains('\u{1b}'), "{told}");
    let mut served = Served::start(&["--quiet"]);
    served.gets(Signal::SIGINT);
    assert_eq!(served.ended().told, "");
}

#[test]
fn it_tells_of_each_refusal_and_fault_where_that_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("s.toml");
    let text = "schema = 1\nname = \"s\"\nduration = \"1m\"\n[server]\nprofile = \"vsftpd\"\n\
                [[faults]]\nat = \"1ms\"\nkind = \"slow_cpu\"\nfactor = 2\nlasts = \"1s\"\n";
    std::fs::write(&file, text).unwrap();
    let mut served = Served::start(&[file.to_str().unwrap(), "--verbose", "--max-clients", "1"]);
    let _first = served.logged_in("anonymous", "me@");
    assert!(served.greets().1.starts_with("421"));
    served.gets(Signal::SIGINT);
    let told = served.ended().told;
    assert!(told.contains(" refused with 421: max_clients at greeting\n"), "{told}");
    assert!(told.contains("s fault: "), "{told}");
}

#[test]
fn it_serves_the_sixth_version_of_ip_too() {
    let served = Served::start(&["--host", "::1"]);
    assert!(served.url.starts_with("ftp://[::1]:"), "{}", served.url);
    let listed = curl(&["--globoff"], &format!("{}/", served.url));
    assert!(listed.status.success(), "{listed:?}");
}

#[test]
fn it_serves_nobody_but_this_machine_unless_it_is_told_to() {
    let dir = tempfile::tempdir().unwrap();
    for host in ["0.0.0.0", "::", "192.0.2.1"] {
        let refused = ftp421(dir.path(), &["serve", "--host", host]);
        assert_eq!(refused.status.code(), Some(106), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("--anyone-may-connect"), "{}", stderr(&refused));
    }
    // 192.0.2.1 (RFC 5737) is nobody's: what was refused for safety is now refused by the kernel.
    let unheard = ftp421(dir.path(), &["serve", "--host", "192.0.2.1", "--anyone-may-connect"]);
    assert_eq!(unheard.status.code(), Some(1), "{}", stderr(&unheard));
}

#[test]
fn a_child_begins_when_it_is_told_and_ends_with_its_standard_input() {
    let mut served = Served::start(&["--child"]);
    let address = served.address().to_owned();
    let mut told = served.child.stdin.take().unwrap();
    told.write_all(b"begin 1\n").unwrap();
    let mut line = String::new();
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    BufReader::new(stream).read_line(&mut line).unwrap();
    assert!(line.starts_with("220"), "{line}");
    drop(told);
    assert_eq!(served.ended().code, Some(0));
    let mut unwanted = Served::start(&["--child"]);
    drop(unwanted.child.stdin.take());
    assert_eq!(unwanted.ended().code, Some(0));
}
