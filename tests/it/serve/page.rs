//! What `docs/serve.md` says of refusals is what the tool does: each line of its table is typed, and the reply compared.
//!
//! The page is read as text; how each refusal is met stands here.

use std::path::Path;

use super::command::Served;
use crate::real::talk::Talk;
use crate::support::project;

/// How somebody comes to be refused.
#[derive(Clone, Copy)]
enum Met {
    /// Another one is logged in.
    BySecond,
    /// The same with an account.
    BySecondOfAccount,
    /// By waiting before the login.
    Early,
    /// By waiting behind it.
    Logged,
    /// By not opening a data connection.
    WithoutData,
    /// By a wrong password.
    ByPassword,
    /// By coming back after one.
    Back,
    /// By an account in the clear.
    InClear,
    /// By SIGTERM.
    BySignal,
}

const REFUSALS: [(&str, &str, Met); 19] = [
    (
        "--profile vsftpd --max-clients 1",
        "421 There are too many connected users, please try later.",
        Met::BySecond,
    ),
    (
        "--profile pure-ftpd --max-clients 1",
        "421 1 users (the maximum) are already logged in, sorry",
        Met::BySecond,
    ),
    (
        "--profile proftpd --max-clients 1",
        "530 Sorry, the maximum number of allowed clients (1) are already connected.",
        Met::BySecond,
    ),
    ("--profile proftpd --max-instances 1", "Ok(0)", Met::BySecond),
    (
        "--profile pyftpdlib --max-clients 2",
        "421 Too many connections. Service temporarily unavailable.",
        Met::BySecond,
    ),
    (
        "--profile vsftpd --max-per-ip 1",
        "421 There are too many connections from your internet address.",
        Met::BySecond,
    ),
    (
        "--profile proftpd --max-clients-per-host 1",
        "530 Sorry, the maximum number of clients (1) from your host are already connected.",
        Met::BySecond,
    ),
    (
        "--profile pure-ftpd --max-per-user 1",
        "421 I can't accept more than 1 connections as the same user",
        Met::BySecondOfAccount,
    ),
    (
        "--profile proftpd --max-per-user 1",
        "530 Sorry, the maximum number of clients (1) for this user are already connected.",
        Met::BySecondOfAccount,
    ),
    (
        "--profile proftpd --login-timeout 1s",
        "421 Login timeout (1 seconds): closing control connection",
        Met::Early,
    ),
    ("--profile vsftpd --idle-timeout 1s", "421 Timeout.", Met::Logged),
    (
        "--profile pure-ftpd --idle-timeout 1s",
        "421 Timeout - try typing a little faster next time",
        Met::Logged,
    ),
    (
        "--profile proftpd --no-transfer-timeout 1s",
        "421 No transfer timeout (1 seconds): closing control connection",
        Met::Logged,
    ),
    (
        "--profile proftpd --session-timeout 1s",
        "421 Session Timeout (1 seconds): closing control connection",
        Met::Logged,
    ),
    ("--profile vsftpd --data-connect-timeout 1s", "425 Failed to establish connection.", Met::WithoutData),
    ("--profile vsftpd --max-login-attempts 1", "530 Login incorrect.", Met::ByPassword),
    (
        "--profile proftpd --max-login-attempts 1 --set ban.on=login_attempts --set ban.threshold=1 --set ban.window=1m \
         --set ban.duration=5s",
        "530 Host 127.0.0.1 has been banned",
        Met::Back,
    ),
    ("--profile vsftpd --tls required", "530 Non-anonymous sessions must use encryption.", Met::InClear),
    (
        "--profile rfc959",
        "421 Service not available, shutting down (maintenance), closing control connection.",
        Met::BySignal,
    ),
];

/// The account of a server that nobody gave any.
const ACCOUNT: (&str, &str) = ("ftp421", "ftp421");

fn page() -> String {
    std::fs::read_to_string(project().join("docs/serve.md")).unwrap()
}

/// The first reply on the way to a login that is no step of it.
fn refused(served: &Served, (user, password): (&str, &str)) -> String {
    let (mut talk, mut reply) = served.greets();
    for (step, line) in [("220", format!("USER {user}")), ("331", format!("PASS {password}"))] {
        if !reply.starts_with(step) {
            break;
        }
        reply = talk.says(&line);
    }
    reply
}

fn guesses(served: &Served) -> (Talk, String) {
    let (mut talk, _) = served.greets();
    talk.says("USER nobody");
    let reply = talk.says("PASS wrong");
    (talk, reply)
}

fn meets(served: &Served, met: Met) -> String {
    let anonymous = ("anonymous", "me@");
    match met {
        Met::BySecond => {
            let _first = served.logged_in(anonymous.0, anonymous.1);
            refused(served, anonymous)
        }
        Met::BySecondOfAccount => {
            let _first = served.logged_in(ACCOUNT.0, ACCOUNT.1);
            refused(served, ACCOUNT)
        }
        Met::Early => served.greets().0.hears(),
        Met::Logged => served.logged_in(anonymous.0, anonymous.1).hears(),
        Met::WithoutData => {
            let mut talk = served.logged_in(anonymous.0, anonymous.1);
            talk.says("PASV");
            talk.says("LIST")
        }
        Met::ByPassword => guesses(served).1,
        Met::Back => {
            guesses(served).0.hears_the_end();
            served.greets().1
        }
        Met::InClear => refused(served, ACCOUNT),
        Met::BySignal => {
            let mut talk = served.logged_in(anonymous.0, anonymous.1);
            served.gets(nix::sys::signal::Signal::SIGTERM);
            talk.hears()
        }
    }
}

#[test]
fn each_refusal_of_the_page_is_met_as_it_says() {
    let page = page();
    for (typed, reply, met) in REFUSALS {
        let args: Vec<&str> = typed.split_whitespace().collect();
        let heard = meets(&Served::start(&args), met);
        assert_eq!(heard, reply, "{typed}");
        let told = if reply == "Ok(0)" { "nothing: the connection closes" } else { reply };
        let row = page.lines().find(|line| line.contains(&format!("`{typed}`")) && line.contains(told));
        assert!(row.is_some() || typed == "--profile rfc959", "{typed} and {told} are not on the page");
    }
    let section = page.split("## Meet each refusal").nth(1).unwrap().split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with('|')).count() - 2;
    assert_eq!(rows, REFUSALS.len(), "a row of the page that nobody tries");
}

#[test]
fn every_flag_of_the_page_is_one() {
    let help = crate::support::ftp421(Path::new("."), &["serve", "--help"]);
    let help = crate::support::stdout(&help);
    let known = |flag: &str| {
        let behind = |rest: &str| rest.starts_with([' ', '\n', ',']);
        help.match_indices(flag).any(|(at, _)| behind(&help[at + flag.len()..]))
    };
    let page = page();
    let ours = |line: &&str| line.contains("ftp421 serve") || line.starts_with("| `--");
    for line in page.lines().filter(ours) {
        for word in line.split(|c: char| c.is_whitespace() || "`|,(\"".contains(c)) {
            let flag = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            // What stands behind a pipe or an ampersand is another program's.
            assert!(!flag.starts_with("--") || known(flag), "{flag} in: {line}");
        }
    }
}
