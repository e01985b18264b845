use super::*;
use crate::experiment::{replicate, summarise};
use crate::metrics::summary::Summary;
use crate::watch::Watch;

fn scenario(text: &str) -> Scenario {
    Scenario::read("t", text, &mut |_| Err("no files".to_owned())).unwrap()
}

fn run(text: &str) -> Summary {
    let scenario = scenario(text);
    summarise(&scenario, &replicate(&scenario, &mut (), &Watch::default())).summary
}

/// Fifteen of twenty places are in use. A minute without the server, and thirty more want one.
fn after_a_crash(retry: &str) -> String {
    format!(
        "schema = 1\nname = \"storm\"\nduration = \"20m\"\nseed = 1\nreplications = 2\nwarmup = \"1m\"\n[server]\n\
         profile = \"vsftpd\"\nmax_clients = 20\nmax_per_ip = 0\n[[faults]]\nat = \"6m\"\nkind = \"shutdown\"\n\
         form = \"crash\"\ndown = \"60s\"\n[[clients]]\nname = \"all\"\narrivals = {{ executor = \"poisson\", rate = \"30/m\" }}\n\
         script = [\"login\", {{ think = \"30s\" }}]\nreconnect = true\n[clients.retry]\n{retry}\n"
    )
}

#[test]
fn impatient_retries_after_a_crash_are_a_storm_that_outlives_it() {
    let summary = run(&after_a_crash("backoff = \"fixed\"\nwait = \"100ms\""));
    let [storm] = &summary.storms[..] else { panic!("{:?}", summary.storms) };
    assert_eq!((storm.occurred, storm.begin_s, storm.limit), (2, 420.0, Some(20)));
    assert!(storm.outlived_s >= 30.0, "{storm:?}");
    assert!(storm.amplification.unwrap() > 10.0 && storm.failing > 0.5, "{storm:?}");
    let line = summary.story.iter().find(|line| line.starts_with("A retry storm outlived")).unwrap();
    assert!(line.contains("shutdown (crash)"), "{line}");
    assert!(summary.story.len() <= 13, "{:#?}", summary.story);
}

#[test]
fn those_who_never_come_back_are_no_storm_and_the_server_recovers_at_once() {
    let summary = run(&after_a_crash("backoff = \"none\""));
    assert_eq!(summary.storms, []);
    let recovery = summary.faults[0].recovery.as_ref().unwrap();
    assert_eq!((recovery.judged, recovery.recovered), (2, 2));
    assert!(recovery.after_s.unwrap() <= 30.0, "{recovery:?}");
}

#[test]
fn a_lowered_limit_is_in_force_until_another_reload_sets_it_back() {
    let text = "schema = 1\nname = \"reloads\"\nduration = \"10m\"\n[server]\nprofile = \"rfc959\"\nmax_clients = 50\n\
                [[faults]]\nat = \"1m\"\nkind = \"reload\"\nmax_clients = 20\n[[faults]]\nat = \"2m\"\nkind = \"reload\"\n\
                max_clients = 30\n[[faults]]\nat = \"4m\"\nkind = \"reload\"\nmax_clients = 50\n[[faults]]\nat = \"5m\"\n\
                kind = \"reload\"\nmax_clients = 10\n[[clients]]\nname = \"a\"\narrivals = { executor = \"poisson\", rate = \"1/m\" }\n\
                script = [\"login\"]\n";
    let seconds: Vec<u64> =
        troubles(&scenario(text)).iter().map(|t| t.end.as_nanos() / 1_000_000_000).collect();
    assert_eq!(seconds, [240, 120, 240, 600], "raised to 30 it is no longer lowered for that reload");
}

#[test]
fn ghosts_hold_slots_until_the_idle_timer_finds_them() {
    let summary = run(
        "schema = 1\nname = \"ghosts\"\nduration = \"30m\"\nseed = 1\n[server]\nprofile = \"rfc959\"\nidle_timeout = \"5m\"\n\
         [[clients]]\nname = \"a\"\narrivals = { executor = \"constant-arrival-rate\", rate = \"1/m\" }\nscript = [\"login\"]\n\
         vanish = 1.0\n",
    );
    let ghosts = &summary.ghosts;
    assert_eq!(ghosts.freed_by.keys().collect::<Vec<_>>(), ["idle_timeout"]);
    assert_eq!(ghosts.freed_by["idle_timeout"] + ghosts.held_at_end, summary.counts.ghosts);
    assert!((5..=6).contains(&ghosts.max), "one a minute, five minutes each: {ghosts:?}");
    assert!(ghosts.slot_time_share.unwrap() > 0.99, "{ghosts:?}");
}

#[test]
fn coverage_names_what_the_server_could_have_said() {
    let summary = run(&after_a_crash("backoff = \"none\""));
    let coverage = &summary.coverage;
    let has = |list: &[crate::metrics::summary::Covered], cause: &str, code| {
        list.iter().any(|one| one.cause == cause && one.code == code)
    };
    assert!(has(&coverage.reached, "connection_refused", 0), "{coverage:?}");
    assert!(has(&coverage.not_reached, "idle_timeout", 421), "{coverage:?}");
    assert!(has(&coverage.not_reached, "login_attempts", 530), "{coverage:?}");
    assert!(!has(&coverage.not_reached, "max_per_ip", 421), "it is off: {coverage:?}");
}
