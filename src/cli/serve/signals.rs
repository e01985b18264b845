//! Signals to `serve`: they play the modelled server's own, until somebody really wants the end.
//!
//! What a signal does to a server stands in its profile.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::cli::exit::INTERRUPTED;
use crate::cli::interrupt;
use crate::live::serve::orders::{Desk, Order};
use crate::server::profile::{Fate, ListenerFate, OnSignal};
use crate::server::{Policy, Signal};
use crate::watch::Watch;

/// Hands SIGHUP and the first SIGTERM to the server that takes orders at `desk`, and says what its `policy` makes of them with `say`.
/// Ctrl-C and a second SIGTERM end the run that looks at `watch`; one more ends the program, whatever it does.
pub(super) fn obey(
    watch: &Arc<Watch>,
    desk: Desk,
    policy: &Policy,
    say: impl Fn(&str) + Send + 'static,
) -> anyhow::Result<()> {
    let watch = Arc::clone(watch);
    let meant = |name: &str, signal| {
        let (profile, on) = (&policy.profile, policy.process.down.on(signal));
        format!("{name}: {profile} {}. Ctrl-C ends it at once", words(on))
    };
    let (on_term, on_hup) = (meant("SIGTERM", Signal::Term), meant("SIGHUP", Signal::Hup));
    let mut asked = false;
    interrupt::heard(&[SIGINT, SIGTERM, SIGHUP], move |signal| {
        let played = match signal {
            SIGHUP => Some((Signal::Hup, &on_hup)),
            SIGTERM if !std::mem::replace(&mut asked, true) => Some((Signal::Term, &on_term)),
            _ => None,
        };
        match played {
            Some((signal, words)) => {
                say(words);
                // It may have gone meanwhile.
                let _ = desk.give(Order::Signal(signal)).and_then(|_| desk.give(Order::Retire));
            }
            None if watch.stop.swap(true, Ordering::Relaxed) => {
                std::process::exit(i32::from(INTERRUPTED));
            }
            None => {}
        }
    })
}

/// What a signal does to a server.
fn words(on: OnSignal) -> String {
    let listener = match on.listener {
        ListenerFate::Stays => "goes on listening",
        ListenerFate::Closes => "does not listen any more",
        ListenerFate::HalfDead => "leaves a listener that is deaf",
    };
    let met = |fate| match fate {
        Fate::Lives => "lives on",
        Fate::Silent => "ends without a word",
        Fate::Told => "is told, and ends",
        Fate::Finishes => "is told at the end of it, and ends",
    };
    let (early, session, transfer) = (met(on.pre_login), met(on.session), met(on.transfer));
    if early == session && session == transfer {
        return format!("{listener}, and every connection {session}");
    }
    format!("{listener}; who is not logged in {early}, a session {session}, a transfer {transfer}")
}
