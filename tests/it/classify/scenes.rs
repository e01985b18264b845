//! Runs in which servers refuse: each profile with each limit, timer, ban, shutdown and shortage that it has.
//!
//! What a profile does not have, it is not asked for.

use ftp421::scenario::Scenario;
use ftp421::server::Profile;
use ftp421::server::profile::{Counts, Limit, Per};

/// A run with a name.
pub struct Scene {
    pub profile: &'static str,
    pub name: String,
    pub scenario: Scenario,
}

/// All of them.
pub fn all() -> Vec<Scene> {
    let mut scenes = Vec::new();
    for profile in Profile::names() {
        let known = Profile::named(profile).expect("it is built in");
        for limit in &known.limits {
            for (crowd, clients) in crowds(limit) {
                add(&mut scenes, profile, &format!("{} {crowd}", limit.knob), &limits(limit), &clients);
            }
        }
        for (name, server, clients) in OTHERS {
            add(&mut scenes, profile, name, server, clients);
        }
    }
    scenes
}

fn add(scenes: &mut Vec<Scene>, profile: &'static str, name: &str, server: &str, clients: &str) {
    let text = format!(
        "schema = 1\nname = \"scene\"\nduration = \"10m\"\nseed = 5\n[server]\nprofile = \"{profile}\"\n{server}\n{clients}"
    );
    let mut none = |file: &str| Err(format!("no file {file} here"));
    match Scenario::read("scene.toml", &text, &mut none) {
        Ok(scenario) => scenes.push(Scene { profile, name: name.to_owned(), scenario }),
        Err(problem) => {
            let why = problem.to_string();
            let lacks = ["no such", "follows its", "of its own", "has no", "is a limit of", "has no list"];
            assert!(lacks.iter().any(|lack| why.contains(lack)), "{profile}, {name}: {why}");
        }
    }
}

fn limits(limit: &Limit) -> String {
    let classes = if limit.per == Per::Class { "\n[server.classes]\noffice = \"10.0.0.0/8\"" } else { "" };
    format!("{} = {}{classes}", limit.knob, 4 + limit.reserved)
}

/// Who comes so that a limit of four is met: from many addresses, and from one.
fn crowds(limit: &Limit) -> Vec<(&'static str, String)> {
    let from = |name: &str, addresses: &str, more: &str, count: u32, at: u32| {
        format!(
            "[[clients]]\nname = \"{name}\"\narrivals = {{ executor = \"burst\", at = \"{at}s\", count = {count}, within = \"20s\" }}\n{addresses}\n{more}\nscript = [\"login\", {{ think = \"47s\" }}]\nlink = {{ rtt = \"20ms\" }}\n"
        )
    };
    let office = "addresses = { cidr = \"10.1.1.1/32\" }";
    match limit.per {
        Per::Server | Per::Class if limit.counts == Counts::Recent => {
            let storm = "[[clients]]\nname = \"storm\"\narrivals = { executor = \"burst\", at = \"1s\", count = 40, within = \"2s\" }\naddresses = { cidr = \"10.1.1.1/32\" }\nscript = [\"login\", { think = \"11s\" }]\n";
            vec![("in a rush", storm.to_owned())]
        }
        Per::Server | Per::Class => {
            let pool = "addresses = { cidr = \"10.1.0.0/24\" }";
            vec![
                ("many addresses", from("many", pool, "users = 20", 12, 1)),
                ("one address", from("one", office, "users = 20", 12, 1)),
            ]
        }
        Per::Address => vec![
            (
                "beside others",
                from("nat", office, "users = 20", 8, 1) + &from("others", "", "users = 20", 12, 5),
            ),
            ("alone", from("nat", office, "users = 20", 8, 1)),
        ],
        Per::User => vec![
            (
                "beside others",
                from("shared", "", "user = \"alice\"", 8, 1) + &from("others", "", "users = 20", 12, 5),
            ),
            ("anonymous", from("shared", "", "user = \"anonymous\"", 8, 1)),
            ("alone", from("shared", office, "user = \"alice\"", 8, 1)),
        ],
    }
}

macro_rules! clients {
    ($arrivals:literal, $rest:literal) => {
        concat!("[[clients]]\nname = \"clients\"\narrivals = ", $arrivals, "\nusers = 7\n", $rest, "\n")
    };
}

const STEADY: &str = clients!(
    "{ executor = \"poisson\", rate = \"6/m\" }",
    "script = [\"login\", \"list\", { think = { dist = \"exponential\", mean = \"40s\" } }, { retr = \"20MiB\" }]\nlink = { rtt = \"30ms\", bandwidth = \"1MiB/s\" }"
);

/// The name, what is set in `[server]`, and the rest of the file.
const OTHERS: &[(&str, &str, &str)] = &[
    (
        "slow before login",
        "login_timeout = \"4s\"",
        clients!("{ executor = \"poisson\", rate = \"6/m\" }", "link = { rtt = \"3s\" }"),
    ),
    (
        "slow before login, as the idle timer has it",
        "idle_timeout = \"4s\"",
        clients!("{ executor = \"poisson\", rate = \"6/m\" }", "link = { rtt = \"5s\" }"),
    ),
    (
        "idle one by one",
        "idle_timeout = \"20s\"",
        clients!("{ executor = \"poisson\", rate = \"6/m\" }", "script = [\"login\", { think = \"5m\" }]"),
    ),
    (
        "idle in step",
        "idle_timeout = \"30s\"",
        clients!(
            "{ executor = \"burst\", at = \"1s\", count = 10, within = \"1s\" }",
            "script = [\"login\", \"pwd\", { think = \"5m\" }]"
        ),
    ),
    (
        "kept alive",
        "idle_timeout = \"20s\"",
        clients!(
            "{ executor = \"poisson\", rate = \"6/m\" }",
            "script = [\"login\", { think = \"5m\" }]\nkeepalive = \"7s\""
        ),
    ),
    (
        "kept alive, no transfer",
        "no_transfer_timeout = \"45s\"",
        clients!(
            "{ executor = \"poisson\", rate = \"6/m\" }",
            "script = [\"login\", \"list\", { think = \"5m\" }]\nkeepalive = \"7s\""
        ),
    ),
    (
        "busy for too long",
        "session_timeout = \"60s\"",
        clients!(
            "{ executor = \"poisson\", rate = \"6/m\" }",
            "script = [\"login\", { loop = 50, steps = [\"list\", { think = \"13s\" }] }]"
        ),
    ),
    (
        "downloads stand still",
        "stalled_timeout = \"20s\"",
        clients!(
            "{ executor = \"poisson\", rate = \"6/m\" }",
            "script = [\"login\", { retr = \"1MiB\" }]\nstall = 1.0\nlink = { bandwidth = \"4MiB/s\" }"
        ),
    ),
    (
        "uploads stand still, as long as idle",
        "idle_timeout = \"20s\"",
        clients!(
            "{ executor = \"poisson\", rate = \"6/m\" }",
            "script = [\"login\", { stor = \"1MiB\" }]\nstall = 1.0\nlink = { bandwidth = \"4MiB/s\" }"
        ),
    ),
    (
        "uploads stand still",
        "stalled_timeout = \"20s\"",
        clients!(
            "{ executor = \"poisson\", rate = \"6/m\" }",
            "script = [\"login\", { stor = \"1MiB\" }]\nstall = 1.0\nlink = { bandwidth = \"4MiB/s\" }"
        ),
    ),
    (
        "data connections never come",
        "",
        clients!(
            "{ executor = \"poisson\", rate = \"6/m\" }",
            "script = [\"login\", { retr = \"1MiB\" }, { think = \"3s\" }]\nno_data = 1.0"
        ),
    ),
    (
        "clients do not listen",
        "",
        clients!(
            "{ executor = \"poisson\", rate = \"6/m\" }",
            "script = [\"login\", { retr = \"1MiB\" }, { think = \"3s\" }]\nno_data = 1.0\ndata = \"active\""
        ),
    ),
    (
        "no ports left",
        "passive_ports = 2",
        clients!(
            "{ executor = \"burst\", at = \"1s\", count = 8, within = \"9s\" }",
            "script = [\"login\", { retr = \"20MiB\" }]\nlink = { bandwidth = \"1MiB/s\" }"
        ),
    ),
    (
        "passwords are guessed",
        "",
        clients!(
            "{ executor = \"poisson\", rate = \"2/m\" }",
            "script = [\"login\"]\nwrong_password = 1.0\nlogin_tries = 12"
        ),
    ),
    (
        "passwords are mistyped",
        "",
        clients!(
            "{ executor = \"poisson\", rate = \"6/m\" }",
            "script = [\"login\", \"list\"]\nwrong_password = 0.3\nlogin_tries = 2"
        ),
    ),
    (
        "a guesser is banned",
        "[server.ban]\nthreshold = 3\nwindow = \"5m\"\nduration = \"2m\"",
        concat!(
            "[[clients]]\nname = \"guesser\"\narrivals = { executor = \"constant-clients\", clients = 1, pause = \"2s\" }\naddresses = { cidr = \"10.1.1.1/32\" }\nuser = \"admin\"\nscript = [\"login\"]\nwrong_password = 1.0\nlogin_tries = 12\n",
            "[[clients]]\nname = \"neighbours\"\narrivals = { executor = \"poisson\", rate = \"6/m\" }\naddresses = { cidr = \"10.1.1.1/32\" }\nusers = 5\nscript = [\"login\", { loop = 20, steps = [\"pwd\", { think = \"7s\" }] }]\n",
            "[[clients]]\nname = \"others\"\narrivals = { executor = \"poisson\", rate = \"6/m\" }\nusers = 5\nscript = [\"login\", \"list\"]\n",
        ),
    ),
    (
        "an address is unwelcome",
        "denied_addresses = [\"10.1.1.1/32\"]",
        concat!(
            "[[clients]]\nname = \"unwelcome\"\narrivals = { executor = \"poisson\", rate = \"3/m\" }\naddresses = { cidr = \"10.1.1.1/32\" }\n",
            "[[clients]]\nname = \"others\"\narrivals = { executor = \"poisson\", rate = \"20/m\" }\nscript = [\"login\", { think = \"10s\" }]\n",
        ),
    ),
    (
        "a user is unwelcome",
        "denied_users = [\"user1\"]",
        clients!("{ executor = \"poisson\", rate = \"6/m\" }", "script = [\"login\", \"list\"]"),
    ),
    (
        "an announced shutdown",
        "[[faults]]\nat = \"4m\"\nkind = \"shutdown\"\nform = \"announce\"\nnotice = \"1m\"",
        STEADY,
    ),
    ("a cut", "[[faults]]\nat = \"4m\"\nkind = \"shutdown\"\nform = \"cut\"\ndown = \"1m\"", STEADY),
    ("a crash", "[[faults]]\nat = \"4m\"\nkind = \"shutdown\"\nform = \"crash\"\ndown = \"1m\"", STEADY),
    ("a SIGTERM", "[[faults]]\nat = \"4m\"\nkind = \"signal\"\nsignal = \"TERM\"\ndown = \"1m\"", STEADY),
    (
        "a full disk",
        "[[faults]]\nat = \"1m\"\nkind = \"disk_full\"\nlasts = \"5m\"",
        clients!("{ executor = \"poisson\", rate = \"6/m\" }", "script = [\"login\", { stor = \"1MiB\" }]"),
    ),
    (
        "no descriptors",
        "[server.host]\ndescriptors = 30\n[[faults]]\nat = \"1m\"\nkind = \"descriptor_leak\"\ncount = 26",
        STEADY,
    ),
    (
        "no memory",
        "[server.host]\nmemory = \"4MiB\"",
        clients!(
            "{ executor = \"burst\", at = \"1s\", count = 60, within = \"20s\" }",
            "script = [\"login\", { think = \"47s\" }]"
        ),
    ),
    ("nothing in particular", "", STEADY),
];
