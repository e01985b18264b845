//! The gauntlet: small scenes that together reach everything that a profile says, at its own defaults or with a scenario's
//! overrides where a fact is off by default.
//!
//! What should happen in a scene is not said: two profiles are told apart by what does.

use ftp421::ftp::{ArgId, Verb};
use ftp421::id::{ConnId, UserId};
use ftp421::server::profile::{Offence, Per, Stage, TlsMode};
use ftp421::server::{BanOverride, Control, DENIED, Input, Overrides, Policy, Profile, Signal};
use ftp421::time::Duration;

use super::hosts;
use super::play::{ALICE, BOB, MALLORY, Play};

/// What a scenario changes, and what then happens.
pub struct Scene {
    overrides: Overrides,
    reloads: Vec<Control>,
    act: Box<dyn Fn(&mut Play)>,
}

impl Scene {
    pub fn new(overrides: Overrides, act: impl Fn(&mut Play) + 'static) -> Self {
        Self { overrides, reloads: Vec::new(), act: Box::new(act) }
    }

    pub fn plain(act: impl Fn(&mut Play) + 'static) -> Self {
        Self::new(Overrides::default(), act)
    }

    /// Everything that a server of `profile` does in this scene, and when.
    pub fn played(&self, profile: &Profile) -> String {
        match Policy::new(profile, &self.overrides) {
            Ok(policy) => {
                let mut play = Play::new(policy, &self.reloads);
                (self.act)(&mut play);
                play.record()
            }
            Err(misfit) => format!("{} does not fit", misfit.key),
        }
    }
}

const WRONG: ArgId = ArgId::OTHER;

/// The scenes for `profile`, the likely ones first.
pub fn scenes(profile: &Profile) -> Vec<Scene> {
    let mut scenes = vec![Scene::plain(untroubled), Scene::plain(wrong_passwords)];
    if profile.login.max_attempts == 0 {
        let two = Overrides { max_login_attempts: Some(2), ..Overrides::default() };
        scenes.push(Scene::new(two, wrong_passwords));
    }
    scenes.extend(under_tls());
    scenes.extend(timers(profile));
    scenes.extend(
        profile.limits.iter().enumerate().flat_map(|(place, limit)| limit_at_two(place, &limit.knob)),
    );
    scenes.extend(crowds(profile));
    scenes.extend(bans(profile));
    scenes.extend(going_down());
    scenes.extend(unwelcome());
    scenes.extend(hosts::exhausted());
    scenes.extend(hosts::small_hosts());
    scenes.extend(hosts::loads(profile));
    scenes
}

// ---- an untroubled session ---------------------------------------------------------------------------------------

fn untroubled(play: &mut Play) {
    let conn = play.connect(1);
    play.wait(1.0);
    play.does(conn, &[Verb::Noop, Verb::Other, Verb::Cwd]);
    play.says(conn, Verb::Pass, ArgId::RIGHT_PASSWORD);
    play.says(conn, Verb::User, ALICE);
    play.says(conn, Verb::Pass, ArgId::RIGHT_PASSWORD);
    play.does(conn, &[Verb::Cwd, Verb::Pwd, Verb::Noop, Verb::Other, Verb::Abor]);
    play.does(conn, &[Verb::Pasv, Verb::Abor]);
    for verb in [Verb::List, Verb::Nlst, Verb::Mlsd, Verb::Retr, Verb::Stor] {
        play.transfers(conn, verb);
    }
    play.says(conn, Verb::Type, ArgId::IMAGE);
    play.says(conn, Verb::Type, ArgId::ASCII);
    play.does(
        conn,
        &[Verb::Size, Verb::Rest, Verb::Told, Verb::Refused, Verb::Pasv, Verb::Refused, Verb::Retr],
    );
    play.give(Input::DataOpened { conn });
    play.give(Input::TransferDone { conn });
    for opened in [true, false] {
        play.says(conn, Verb::Port, ArgId::NONE);
        let how = if opened { Input::DataOpened { conn } } else { Input::DataFailed { conn } };
        play.give(how);
        play.says(conn, Verb::Retr, ArgId::OTHER);
        play.wait(0.5);
        play.give(how);
        play.wait(0.5);
        play.give(Input::TransferDone { conn });
    }
    play.begins(conn, Verb::Retr);
    play.wait(0.5);
    play.says(conn, Verb::Abor, ArgId::NONE);
    play.wait(0.5);
    play.give(Input::TransferDone { conn });
    play.says(conn, Verb::Pasv, ArgId::NONE);
    play.sends(conn, Verb::Retr, ArgId::OTHER);
    play.wait(1.0);
    play.give(Input::DataOpened { conn });
    play.wait(1.0);
    play.give(Input::TransferDone { conn });
    play.says(conn, Verb::SiteIdle, ArgId(100));
    play.says(conn, Verb::SiteIdle, ArgId(10_000));
    play.says(conn, Verb::Retr, ArgId::OTHER);
    play.says(conn, Verb::Quit, ArgId::NONE);
    play.wait(1.0);
    let conn = play.log_in(2, ArgId::ANONYMOUS);
    play.give(Input::LineTooLong { conn });
    play.wait(1.0);
    play.says(conn, Verb::Quit, ArgId::NONE);
    let conn = play.connect(2);
    play.give(Input::LineTooLong { conn });
    play.wait(5.0);
    let conn = play.log_in(3, ALICE);
    play.says(conn, Verb::Retr, ArgId::OTHER); // without PASV or PORT
    play.wait(1.0);
    let conn = play.connect(4);
    play.wait(1.0);
    play.does(conn, &[Verb::Pbsz, Verb::Prot, Verb::Auth]);
}

/// With TLS for those who ask for it, and for everybody.
fn under_tls() -> [Scene; 2] {
    [TlsMode::Offered, TlsMode::Required].map(|mode| {
        Scene::new(Overrides { tls: Some(mode), ..Overrides::default() }, |play| {
            let conn = play.connect(1);
            play.wait(1.0);
            play.does(conn, &[Verb::Pbsz, Verb::Prot]);
            play.says(conn, Verb::User, ALICE);
            let conn = play.connect(2);
            play.wait(1.0);
            play.says(conn, Verb::Auth, ArgId::NONE);
            play.give(Input::TlsHello { conn });
            play.wait(1.0);
            play.give(Input::TlsDone { conn });
            play.says(conn, Verb::Pbsz, ArgId::NONE);
            play.says(conn, Verb::Prot, ArgId::NONE);
            play.says(conn, Verb::User, ALICE);
            play.says(conn, Verb::Pass, ArgId::RIGHT_PASSWORD);
            play.transfers(conn, Verb::Retr);
        })
    })
}

fn wrong_passwords(play: &mut Play) {
    for host in 1..4 {
        let conn = play.connect(host);
        for _ in 0..14 {
            play.says(conn, Verb::User, ALICE);
            play.says(conn, Verb::Pass, WRONG);
            play.wait(0.5);
        }
        play.says(conn, Verb::User, ALICE);
        play.says(conn, Verb::Pass, ArgId::RIGHT_PASSWORD);
        play.wait(2.0);
    }
    let conn = play.connect(9);
    for _ in 0..11 {
        play.does(conn, &[Verb::Cwd]); // a 5yz each
    }
    play.wait(20.0);
}

// ---- timers ------------------------------------------------------------------------------------------------------

fn timers(profile: &Profile) -> Vec<Scene> {
    let secs = |after: Duration| after.as_secs_f64().max(10.0);
    let idle = profile.timer.idle.as_ref().map_or(300.0, |timer| secs(timer.after.0));
    let stalled = profile.timer.stalled.as_ref().filter(|t| t.times_idle == 0);
    let stalled = stalled.map_or(idle, |timer| secs(timer.after.0));
    let long = 3.2 * idle.max(stalled);
    let mut scenes = vec![
        // Nobody says anything, before login and after it.
        Scene::plain(move |play| {
            play.connect(1);
            play.log_in(2, ALICE);
            play.wait(long);
        }),
        // Commands, keep-alives and mere bytes, before login and after it.
        Scene::plain(move |play| {
            let early = [play.connect(1), play.connect(2)];
            let late = [3, 4, 5].map(|host| play.log_in(host, ALICE));
            for _ in 0..8 {
                play.wait(0.4 * idle);
                play.sends(early[0], Verb::Other, ArgId::OTHER);
                play.give(Input::Bytes { conn: early[1] });
                play.sends(late[0], Verb::Noop, ArgId::NONE);
                play.sends(late[1], Verb::Other, ArgId::OTHER);
                play.give(Input::Bytes { conn: late[2] });
            }
        }),
        // A line that is never ended.
        Scene::plain(move |play| {
            let conn = play.log_in(1, ALICE);
            for _ in 0..12 {
                play.give(Input::Bytes { conn });
                play.wait(0.25 * idle);
            }
        }),
        // SITE IDLE, then silence.
        Scene::plain(move |play| {
            let [a, b, c] = [1, 2, 3].map(|host| play.log_in(host, ALICE));
            play.says(a, Verb::SiteIdle, ArgId(60));
            play.says(b, Verb::SiteIdle, ArgId(4_000));
            play.says(c, Verb::SiteIdle, ArgId(8_000));
            play.wait(9_000.0);
        }),
        // Data connections that never come.
        Scene::plain(move |play| {
            let [a, b, c] = [1, 2, 3].map(|host| play.log_in(host, ALICE));
            play.says(a, Verb::Pasv, ArgId::NONE);
            play.says(b, Verb::Pasv, ArgId::NONE);
            play.sends(b, Verb::Retr, ArgId::OTHER);
            play.says(c, Verb::Port, ArgId::NONE);
            play.sends(c, Verb::Retr, ArgId::OTHER);
            play.wait(1.2 * idle);
        }),
    ];
    // Transfers that stand still, or crawl.
    for rate in [0, 150, 300, 600] {
        scenes.push(Scene::plain(move |play| {
            for (host, verb) in [(1, Verb::Retr), (2, Verb::Stor), (3, Verb::List)] {
                let conn = play.log_in(host, ALICE);
                play.begins(conn, verb);
                play.wait(0.3 * stalled);
                play.give(Input::Progress { conn, rate });
            }
            play.wait(long);
        }));
    }
    // Nobody says anything, and no other timer is in the way of the idle one.
    let alone = Overrides {
        no_transfer_timeout: profile.timer.no_transfer.is_some().then_some(Duration::ZERO),
        ..Overrides::default()
    };
    scenes.push(Scene::new(alone, move |play| {
        play.log_in(1, ALICE);
        play.wait(long);
    }));
    let off = |key: &str| {
        let mut overrides = Overrides::default();
        match key {
            "session" => overrides.session_timeout = Some(Duration::from_secs(50)),
            "no_transfer" => overrides.no_transfer_timeout = Some(Duration::from_secs(40)),
            _ => {}
        }
        overrides
    };
    let keeps_busy = |play: &mut Play| {
        let conn = play.log_in(1, ALICE);
        for _ in 0..9 {
            play.sends(conn, Verb::Noop, ArgId::NONE);
            play.wait(10.0);
        }
    };
    if profile.timer.session.is_some() {
        scenes.push(Scene::new(off("session"), keeps_busy));
    }
    if profile.timer.no_transfer.is_some() {
        scenes.push(Scene::new(off("no_transfer"), keeps_busy));
    }
    scenes
}

// ---- limits ------------------------------------------------------------------------------------------------------

fn limited(knobs: &[&str], limit: u32) -> Overrides {
    Overrides {
        limits: knobs.iter().map(|knob| ((*knob).to_owned(), limit)).collect(),
        passive_ports: None,
        ..Overrides::default()
    }
}

/// The limit at `place` is two: who comes then, and who comes when there is room again.
fn limit_at_two(place: usize, knob: &str) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for user in [ALICE, ArgId::ANONYMOUS] {
        for one_host in [true, false] {
            let reload = Control::SetLimit { check: place as u8, limit: 1 };
            scenes.push(Scene {
                overrides: limited(&[knob], 2),
                reloads: vec![reload],
                act: Box::new(move |play| full_house(play, user, one_host, reload)),
            });
        }
    }
    scenes.push(Scene::new(Overrides { passive_ports: Some(6), ..limited(&[knob], 50) }, |play| {
        (0..8).for_each(|host| _ = play.log_in(host, ALICE));
    }));
    // Addresses of no class.
    scenes.push(Scene::new(limited(&[knob], 2), |play| {
        for host in 1..5 {
            let conn = play.connect_as(host, 0);
            play.says(conn, Verb::User, ALICE);
            play.says(conn, Verb::Pass, ArgId::RIGHT_PASSWORD);
        }
    }));
    // Quick connects, one behind the other, that end at once: processes, recent ones, slots.
    scenes.push(Scene::new(limited(&[knob], 3), |play| {
        for _ in 0..12 {
            let conn = play.connect(1);
            play.says(conn, Verb::Quit, ArgId::NONE);
            play.wait(0.0003);
        }
        let kept = [play.connect(2), play.connect(2), play.connect(2)];
        for _ in 0..8 {
            play.wait(0.3);
            play.connect(3);
        }
        for conn in &kept {
            play.give(Input::Closed { conn: *conn });
        }
    }));
    scenes
}

fn full_house(play: &mut Play, user: ArgId, one_host: bool, reload: Control) {
    let host = |n: u32| if one_host { 1 } else { n };
    let guests: Vec<ConnId> = (1..4).map(|n| play.log_in(host(n), user)).collect();
    for conn in &guests {
        play.transfers(*conn, Verb::Retr);
    }
    let other = play.connect_as(host(7), 0);
    play.says(other, Verb::User, BOB);
    play.says(other, Verb::Pass, WRONG);
    play.says(other, Verb::User, user);
    play.says(other, Verb::Pass, ArgId::RIGHT_PASSWORD);
    play.wait(1.0);
    play.says(guests[0], Verb::Quit, ArgId::NONE);
    for n in 0..40 {
        let conn = play.connect(host(10 + n)); // when is there room again?
        play.wait(0.0003);
        play.give(Input::Closed { conn });
        play.wait(0.0002);
    }
    play.wait(1.0);
    play.log_in(host(5), user);
    play.control(reload);
    play.log_in(host(6), user);
    play.wait(1.0);
}

/// Two limits bind at once: which of them is told?
pub fn both(profile: &Profile, a: &str, b: &str) -> Vec<Scene> {
    let _ = profile;
    let all = |play: &mut Play, user| (0..3).for_each(|_| _ = play.log_in(1, user));
    vec![
        Scene::new(limited(&[a, b], 1), move |play| all(play, ALICE)),
        Scene::new(limited(&[a, b], 1), move |play| all(play, ArgId::ANONYMOUS)),
        Scene::new(limited(&[a, b], 1), |play| (0..3).for_each(|host| _ = play.log_in(host, ALICE))),
    ]
}

/// More clients than the limits out of the box have room for.
fn crowds(profile: &Profile) -> Vec<Scene> {
    let most = |per: &[Per]| {
        let limits =
            profile.limits.iter().filter(|limit| per.contains(&limit.per) && limit.stage == Stage::Accept);
        limits.map(|limit| limit.default).max().unwrap_or(0)
    };
    let strangers = most(&[Per::Server]) * 2 + 8;
    let neighbours = most(&[Per::Address]) * 2 + 8;
    vec![
        Scene::plain(|play| {
            let all: Vec<ConnId> = (0..12).map(|host| play.log_in(host, ALICE)).collect();
            for conn in &all {
                play.transfers(*conn, Verb::Retr);
            }
            play.wait(200.0);
            play.log_in(1, ALICE);
        }),
        Scene::plain(|play| (0..12).for_each(|_| _ = play.log_in(1, ALICE))),
        Scene::plain(|play| {
            let all: Vec<ConnId> = (0..12).map(|host| play.log_in(host, ArgId::ANONYMOUS)).collect();
            play.wait(200.0);
            for conn in &all {
                play.transfers(*conn, Verb::Retr);
            }
        }),
        Scene::plain(move |play| {
            for _ in 0..neighbours {
                play.connect(1);
                play.wait(0.001);
            }
            play.wait(1.0);
        }),
        Scene::plain(move |play| {
            for host in 0..strangers {
                play.connect(host);
                play.wait(0.001);
            }
            play.wait(5.0);
        }),
    ]
}

// ---- bans and unwelcome people -----------------------------------------------------------------------------------

fn bans(profile: &Profile) -> Vec<Scene> {
    let Some(ban) = &profile.ban else { return Vec::new() };
    let some = |own: u32, other: u32| (own == 0).then_some(other);
    let time = |own: Duration, other: u64| own.is_zero().then(|| Duration::from_secs(other));
    // As the profile has it, but for what it leaves to the scenario.
    let own = BanOverride {
        threshold: some(ban.threshold, 3),
        window: time(ban.window.0, 600),
        duration: time(ban.duration.0, 900),
        ..BanOverride::default()
    };
    let quick = BanOverride { threshold: Some(3), window: Some(Duration::from_secs(600)), ..own };
    let offences = [None, Some(Offence::BadPassword), Some(Offence::LoginTimeout), Some(Offence::Connect)];
    let mut scenes: Vec<Scene> = Vec::new();
    // The last offence comes when the first is forgotten, unless the window is longer.
    let (window, threshold) = (own.window.unwrap_or(ban.window.0), own.threshold.unwrap_or(ban.threshold));
    let pause = 1.3 * window.as_secs_f64() * 2.0 / (f64::from(threshold) - 1.0);
    let overrides = Overrides { ban: Some(own), ..Overrides::default() };
    scenes.push(Scene::new(overrides, move |play| offends(play, pause, false)));
    for ban in [own, quick] {
        for offence in offences {
            let ban = BanOverride { offence, ..ban };
            for (pause, right) in [(0.001, false), (40.0, false), (1.0, true), (200.0, false)] {
                let overrides = Overrides { ban: Some(ban), ..Overrides::default() };
                scenes.push(Scene::new(overrides, move |play| offends(play, pause, right)));
            }
        }
    }
    scenes
}

/// Wrong passwords from host 1, `pause` seconds apart, while others are logged in from there; then who is let in, and until when
/// not. `right`: now and then the password is right.
fn offends(play: &mut Play, pause: f64, right: bool) {
    let live = play.log_in(1, BOB);
    let loading = play.log_in(1, BOB);
    play.begins(loading, Verb::Retr);
    for n in 0..24 {
        let conn = play.connect(1);
        play.says(conn, Verb::User, ALICE);
        let pass = if right && n % 2 == 1 { ArgId::RIGHT_PASSWORD } else { WRONG };
        play.says(conn, Verb::Pass, pass);
        play.says(conn, Verb::User, ALICE);
        play.says(conn, Verb::Pass, pass);
        play.wait(pause);
    }
    play.says(live, Verb::Noop, ArgId::NONE);
    play.log_in(1, ALICE);
    play.log_in(2, ALICE);
    play.log_in(1, BOB);
    for _ in 0..24 {
        play.wait(170.0);
        let conn = play.log_in(1, ALICE);
        play.says(conn, Verb::Quit, ArgId::NONE);
    }
    for pause in [310.0, 620.0, 1300.0, 4000.0, 8000.0] {
        play.wait(pause);
        play.log_in(1, ALICE);
    }
    play.give(Input::TransferDone { conn: loading });
}

fn unwelcome() -> [Scene; 2] {
    let users = Overrides { denied_users: vec![UserId(MALLORY.0)], ..Overrides::default() };
    let addresses = Overrides { denied_addresses: true, ..Overrides::default() };
    let addresses = Scene::new(addresses, |play| {
        for _ in 0..60 {
            play.connect_as(6, DENIED);
            play.wait(0.0005);
        }
        play.connect_as(6, 1);
    });
    let users = Scene::new(users, |play| {
        let conn = play.connect(1);
        for _ in 0..7 {
            play.says(conn, Verb::User, MALLORY);
            play.says(conn, Verb::Pass, ArgId::RIGHT_PASSWORD);
        }
        play.wait(5.0);
    });
    [users, addresses]
}

// ---- going down --------------------------------------------------------------------------------------------------

/// Who is there when it happens: one who has said nothing, one who has named himself, a user, an anonymous one, and a transfer.
fn company(play: &mut Play) -> Vec<ConnId> {
    let silent = play.connect(1);
    let named = play.connect(2);
    play.says(named, Verb::User, ALICE);
    let (user, guest) = (play.log_in(3, ALICE), play.log_in(4, ArgId::ANONYMOUS));
    let loading = play.log_in(5, ALICE);
    play.begins(loading, Verb::Retr);
    play.wait(1.0);
    vec![silent, named, user, guest, loading]
}

/// What they and others meet afterwards.
fn aftermath(play: &mut Play, company: &[ConnId]) {
    play.connect(8);
    for _ in 0..3 {
        play.wait(0.001);
        company[..4].iter().for_each(|conn| play.sends(*conn, Verb::Noop, ArgId::NONE));
        play.wait(2.0);
        play.connect(9);
    }
    play.give(Input::TransferDone { conn: company[4] });
    play.wait(5.0);
    play.sends(company[4], Verb::Noop, ArgId::NONE);
    play.wait(5.0);
    play.control(Control::Listen);
    let conn = play.connect(7);
    play.sends(conn, Verb::Noop, ArgId::NONE);
    play.wait(1.0);
}

fn going_down() -> Vec<Scene> {
    let mut scenes: Vec<Scene> = [Signal::Term, Signal::Hup, Signal::Kill]
        .into_iter()
        .map(|signal| {
            Scene::plain(move |play| {
                let company = company(play);
                play.control(Control::Signal(signal));
                aftermath(play, &company);
            })
        })
        .collect();
    for warning in [0.0, 3.0, 6.0, 30.0] {
        scenes.push(Scene::plain(move |play| {
            let company = company(play);
            play.control(Control::Announce);
            for _ in 0..10 {
                play.wait(warning / 10.0);
                play.connect(6);
            }
            play.control(Control::CutAnnounced);
            aftermath(play, &company);
        }));
    }
    scenes.push(Scene::plain(|play| {
        play.control(Control::StopListening);
        play.control(Control::ListenNotReady { secs: 120 });
        for _ in 0..4 {
            play.log_in(1, ALICE);
            play.wait(50.0);
        }
    }));
    scenes
}
