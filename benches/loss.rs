//! The FTP loss workload, which the benches share.

use ftp421::scenario::Scenario;

/// The workload for about so many clients at once and so many virtual seconds, of which the first `warmup_s` fill the server: Poisson
/// arrivals at a tenth of the clients each second, who each stay for 10.2 s: a round trip of 50 ms before each of USER, PASS, three
/// commands and QUIT, and three thinks of Exp(3.3 s). That makes 1.02 erlangs for each place. An idle timer runs for every session.
pub fn loss(clients: u64, seconds: u64, warmup_s: u64) -> Scenario {
    let rate = clients as f64 / 10.0;
    let text = format!(
        r#"
        schema = 1
        name = "loss"
        duration = "{seconds}s"
        warmup = "{warmup_s}s"
        seed = 1
        [server]
        profile = "rfc959"
        max_clients = {clients}
        idle_timeout = "300s"
        [[clients]]
        name = "clients"
        arrivals = {{ executor = "poisson", rate = "{rate}/s" }}
        link = {{ rtt = "50ms" }}
        script = [
            "login",
            {{ loop = 3, steps = [{{ think = {{ dist = "exponential", mean = "3.3s" }} }}, "noop"] }},
        ]
        "#
    );
    Scenario::read("loss.toml", &text, &mut |name| Err(format!("no file {name}"))).expect("it is valid")
}
