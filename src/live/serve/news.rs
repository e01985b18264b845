//! What a served model is told by word of mouth: each refusal and each fault as it happens, for a person who watches.
//!
//! It counts nothing: numbers are the ledger's. Whoever listens too slowly misses some, and holds nobody up.

use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::station::Station;
use crate::id::ConnId;
use crate::observe::{Observation, Refusal};
use crate::server::Action;
use crate::time::Instant;

/// So many that nobody has heard yet may wait.
const WAITING: usize = 1_024;

/// Something that happened.
#[derive(Clone, PartialEq, Debug)]
pub struct Happened {
    /// When.
    pub at: Instant,
    /// What.
    pub what: What,
}

/// What may happen.
#[derive(Clone, PartialEq, Debug)]
pub enum What {
    /// Somebody was refused or cut.
    Refused {
        /// Who, if he is still known.
        peer: Option<SocketAddr>,
        /// Why, where and by which code.
        refusal: Refusal,
    },
    /// A fault of the scenario begins.
    Fault(String),
}

/// Where it is told.
#[derive(Clone, Debug)]
pub struct News(SyncSender<Happened>);

/// News, and who hears them. That ends with the server.
pub fn news() -> (News, Receiver<Happened>) {
    let (to, from) = sync_channel(WAITING);
    (News(to), from)
}

impl News {
    pub(super) fn tell(&self, at: Instant, what: What) {
        let _ = self.0.try_send(Happened { at, what }); // it is missed
    }
}

impl Station {
    /// Tells of the refusals among `actions`, before they are carried out: then their victims may be gone.
    pub(super) fn spread(&mut self, now: Instant, actions: &[Action]) {
        let Some(news) = self.news.clone() else { return };
        for (place, action) in actions.iter().enumerate() {
            let Action::Observe(Observation::Refused { refusal, .. }) = *action else { continue };
            let victim = actions[place..].iter().find_map(conn_of);
            let peer = victim.and_then(|conn| self.conns.of(conn)).map(|conn| conn.peer);
            news.tell(now, What::Refused { peer, refusal });
        }
    }
}

/// Whom an action of a refusal is about.
fn conn_of(action: &Action) -> Option<ConnId> {
    match *action {
        Action::Reply { conn, .. }
        | Action::Close { conn, .. }
        | Action::Arm { conn, .. }
        | Action::AbortData { conn }
        | Action::Free { conn } => Some(conn),
        _ => None,
    }
}
