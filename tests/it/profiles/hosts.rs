//! The scenes of the gauntlet that are about the host: what can run out, what waits, and how much there is to do.
//!
//! What a server says to it is not said here.

use ftp421::ftp::{ArgId, Verb};
use ftp421::id::ConnId;
use ftp421::server::profile::Counts;
use ftp421::server::{Control, HostSpec, Input, Overrides, Profile};

use super::gauntlet::Scene;
use super::play::ALICE;

pub fn exhausted() -> Vec<Scene> {
    let ports = |count| Overrides { passive_ports: Some(count), ..Overrides::default() };
    let mut scenes = vec![
        Scene::plain(|play| {
            let conn = play.log_in(1, ALICE);
            play.control(Control::FillDisk(true));
            for verb in [Verb::Stor, Verb::Stor, Verb::Retr] {
                play.begins(conn, verb);
                play.wait(1.0);
                play.give(Input::TransferDone { conn });
            }
        }),
        // Everybody at the same moment: what the loop does for each, and how many may wait.
        Scene::plain(|play| {
            let all: Vec<ConnId> = (0..300).map(|host| play.connect(host)).collect();
            play.wait(0.1);
            for conn in all {
                play.give(Input::Closed { conn });
                play.wait(0.001);
                play.connect(400);
            }
            play.wait(2.0);
        }),
    ];
    for count in [1, 4] {
        scenes.push(Scene::new(ports(count), |play| {
            let all: Vec<ConnId> = (0..6).map(|host| play.log_in(host, ALICE)).collect();
            for conn in &all {
                play.says(*conn, Verb::Pasv, ArgId::NONE);
            }
            for conn in &all {
                play.give(Input::Closed { conn: *conn });
            }
            for _ in 0..5 {
                let conn = play.log_in(9, ALICE);
                play.transfers(conn, Verb::Retr);
                play.says(conn, Verb::Quit, ArgId::NONE);
                play.wait(20.0);
            }
        }));
    }
    scenes
}

/// A host of which little is there.
fn host(host: HostSpec) -> Overrides {
    Overrides { host, ..Overrides::default() }
}

pub fn small_hosts() -> Vec<Scene> {
    let full = HostSpec::UNBOUNDED;
    let mut scenes = Vec::new();
    for spec in [
        HostSpec { cores: 1, ..full },
        HostSpec { cores: 4, ..full },
        HostSpec { descriptors: 6, ..full },
        HostSpec { processes: 6, ..full },
        HostSpec { memory_kib: 4_000, ..full },
        HostSpec { memory_kib: 100, ..full },
    ] {
        scenes.push(Scene::new(host(spec), |play| {
            let all: Vec<ConnId> = (0..30).map(|host| play.connect(host)).collect();
            play.wait(1.0);
            for conn in &all {
                play.sends(*conn, Verb::User, ALICE);
            }
            for conn in &all {
                play.sends(*conn, Verb::Pass, ArgId::RIGHT_PASSWORD);
            }
            play.wait(1.0);
            for conn in &all {
                play.begins(*conn, Verb::Retr);
            }
            play.wait(1.0);
            for conn in &all {
                play.give(Input::Closed { conn: *conn });
            }
            play.wait(1.0);
            play.connect(50);
        }));
    }
    // A shutdown that is told by processes, of which there are few.
    scenes.push(Scene::new(host(HostSpec { processes: 3, ..full }), |play| {
        play.control(Control::Announce);
        play.wait(10.0);
        for _ in 0..30 {
            play.connect(1);
            play.wait(0.0011);
        }
        play.control(Control::Listen);
        for _ in 0..4 {
            play.connect(1); // is there a process left?
            play.wait(0.0011);
        }
        play.wait(1.0);
    }));
    // A queue in front of a server that hangs.
    scenes.push(Scene::plain(|play| {
        play.control(Control::Hang);
        (0..300).for_each(|host| _ = play.connect(host));
        play.wait(1.0);
        play.control(Control::Resume);
        play.wait(5.0);
    }));
    scenes.push(Scene::new(host(HostSpec { descriptors: 100, ..full }), |play| {
        let conn = play.log_in(1, ALICE);
        play.control(Control::LeakDescriptors(1_000));
        play.begins(conn, Verb::Retr);
        play.connect(2);
        play.wait(5.0);
    }));
    scenes
}

pub fn loads(profile: &Profile) -> Vec<Scene> {
    let full = HostSpec::UNBOUNDED;
    let mut scenes = Vec::new();
    // A load that is long in coming and in going.
    for limit in [None, Some(2)] {
        let load = profile.limits.iter().filter(|limit| limit.counts == Counts::Load);
        let limits = load.filter_map(|own| Some((own.knob.clone(), limit?))).collect();
        let overrides = Overrides { limits, ..host(HostSpec { cores: 1, ..full }) };
        scenes.push(Scene::new(overrides, |play| {
            let (guest, user) = (play.log_in(1, ArgId::ANONYMOUS), play.log_in(2, ALICE));
            play.control(Control::SetSlowness(1_000_000));
            (10..40).for_each(|host| _ = play.connect(host));
            play.wait(100.0);
            play.control(Control::SetSlowness(100));
            for _ in 0..12 {
                play.wait(20.0);
                play.connect(4);
                play.wait(0.01);
                let conn = play.connect(3);
                play.transfers(guest, Verb::Retr);
                play.transfers(user, Verb::Retr);
                play.says(conn, Verb::User, ALICE);
                play.says(conn, Verb::Pass, ArgId::RIGHT_PASSWORD);
                play.says(conn, Verb::Quit, ArgId::NONE);
            }
        }));
    }
    scenes
}
