//! Idle timers of five seconds (two, where the client sets it), with and without a keep-alive: at real servers, and in the model.

use std::collections::BTreeMap;
use std::thread;

use ftp421::live::load::Heard;
use ftp421::observe::{Cause, Latency, Observation, Phase, Refusal, SessionEnd};

use super::books::Kind;
use super::crowd::{plan, until};
use crate::load::rig;
use crate::real::daemon::Daemon;
use crate::support;

/// A server whose idle timer is short.
struct Short {
    profile: &'static str,
    /// What its model is told about it.
    model: &'static str,
    user: &'static str,
    /// What its clients do first.
    first: &'static str,
    /// Its idle timer, s.
    idle: f64,
    /// Is a client cut although it sends a NOOP every second and a half?
    sees_through: bool,
}

impl Short {
    fn clients(&self) -> String {
        let Self { user, first, .. } = self;
        let client = |name: &str, keepalive: &str| {
            format!(
                "[[clients]]\nname = \"{name}\"\nuser = \"{user}\"\n{keepalive}link = {{ rtt = \"100us\" }}\n\
                 arrivals = {{ executor = \"burst\", at = \"0s\", count = 1 }}\n\
                 script = [\"login\", {first}{{ think = \"1h\" }}, \"quit\"]\n"
            )
        };
        client("silent", "") + &client("lively", "keepalive = \"1500ms\"\n")
    }

    /// Cut sessions by cause, as the model has it.
    fn simulated(&self) -> BTreeMap<String, u64> {
        let Self { profile, model, .. } = self;
        let text = format!(
            "schema = 1\nname = \"idle\"\nduration = \"9s\"\n[server]\nprofile = \"{profile}\"\n{model}\n{}",
            self.clients()
        );
        support::outcome(&text).summary.refused_by_cause.cut
    }

    /// Lets one client sit still and one send NOOPs, four of them.
    fn watch(&self, daemon: &Daemon) {
        let plan = plan(rig::scenario("14s", &self.clients()), daemon.address(), self.profile, 0);
        let (mut cut, mut noops) = (0, 0);
        let first = u32::from(!self.first.is_empty()) * 2;
        let books = until(&plan, |heard| {
            let Heard::Mark { observation, .. } = heard else { return false };
            match observation {
                Observation::SessionEnded { .. } => cut += 1,
                Observation::Took(Latency::Command, _) => noops += 1,
                _ => {}
            }
            if self.sees_through { cut >= 2 } else { cut >= 1 && noops >= first + 4 }
        });
        let what = self.profile;
        let idle = Refusal { cause: Cause::IdleTimeout, phase: Phase::Session, code: 421 };
        let [(at, SessionEnd::Cut, Some(refusal))] = books.ends[0][..] else { panic!("{what}: {books}") };
        assert_eq!(refusal, idle, "{what}: {books}");
        let after = at - books.attempts[0][0].at;
        // What it takes for longer: a tick of its clock, and ProFTPD wakes up 0.4 s late.
        assert!((self.idle - 0.1..self.idle + 1.5).contains(&after), "{what}: after {after} s: {books}");
        let lively = books.ends.get(1).map_or(&[][..], Vec::as_slice);
        if self.sees_through {
            let [(at, SessionEnd::Cut, Some(refusal))] = *lively else { panic!("{what}: {books}") };
            assert_eq!(refusal, Refusal { cause: Cause::NoopIdleTimeout, ..idle }, "{what}: {books}");
            assert!(at - books.attempts[1][0].at > 2.0 * self.idle - 0.1, "{what}: {books}");
        } else {
            assert!(lively.is_empty(), "{what}: {books}");
        }
        assert_eq!(books.by_cause(|kind| matches!(kind, Kind::Session(_))), self.simulated(), "{what}");
    }
}

#[test]
fn a_noop_keeps_a_session_at_all_servers_but_pure_ftpd() {
    let plain = |profile, user| Short {
        profile,
        model: "idle_timeout = \"5s\"",
        user,
        first: "",
        idle: 5.0,
        sees_through: false,
    };
    thread::scope(|scope| {
        scope.spawn(|| plain("vsftpd", "anonymous").watch(&Daemon::vsftpd("idle_session_timeout=5\n")));
        scope.spawn(|| plain("proftpd", "alice").watch(&Daemon::proftpd("TimeoutIdle 5")));
        scope.spawn(|| plain("pyftpdlib", "alice").watch(&Daemon::pyftpdlib("FTPHandler.timeout = 5")));
        scope.spawn(|| {
            let first = "{ site_idle = \"2s\" }, ";
            let pure =
                Short { first, idle: 2.0, sees_through: true, model: "", ..plain("pure-ftpd", "alice") };
            pure.watch(&Daemon::pure_ftpd([43_250, 43_299], &["-c", "20"]));
        });
    });
}
