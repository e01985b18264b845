//! What is worth a number: from the machines' observations, and what a driver alone knows, to marks; and what is left at the end.
//!
//! It adds nothing up but the gauges and the generator's own health.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::collect::Ending;
use super::shard::{Moment, Shard};
use super::{Heard, health};
use crate::classify::Whose;
use crate::observe::{Cause, Class, Latency, Observation, Refusal};
use crate::time::{Duration, Instant};

impl Shard {
    pub(super) fn mark(&mut self, at: Instant, observation: Observation, late: Duration) {
        self.outbox.put(Heard::Mark { at, observation, late });
    }

    /// The bytes of the last transfer of `client`.
    fn moved(&self, client: u32) -> u64 {
        self.slots[client as usize].line.as_ref().map_or(0, |line| line.moved)
    }

    pub(super) fn observe(&mut self, moment: Moment, client: u32, observation: &Observation) {
        let slot = &self.slots[client as usize];
        let (late, starved) = (slot.late, slot.starved);
        let late = match observation {
            Observation::Took(Latency::Greeting, _) => Duration::ZERO, // it counts from the connection that is there
            Observation::Took(Latency::Login, _) => late.login,
            Observation::Took(Latency::TimeToService, _) => late.session,
            Observation::Took(..) => late.sent,
            _ => Duration::ZERO,
        };
        let observation = match *observation {
            // What was really moved, not what the script thought.
            Observation::Moved { .. } => Observation::Moved { bytes: self.moved(client) },
            other => other,
        };
        self.mark(moment.at, observation, late);
        match observation {
            Observation::AttemptStarted { .. } => {
                self.gauges.attempts.fetch_add(1, Ordering::Relaxed);
            }
            Observation::AttemptEnded { class, refusal, .. } => {
                let whose = self.whose(client);
                match (class, refusal) {
                    (Class::Admitted, _) => self.logged_in(moment, client),
                    (Class::TurnedAway, Some(refusal)) => {
                        self.gauges.turned_away.fetch_add(1, Ordering::Relaxed);
                        self.around.refused(moment.at, whose, refusal.phase);
                    }
                    _ => {}
                }
                if starved {
                    self.part.dropped += 1; // it never had a socket: nobody refused it
                } else {
                    self.timed_out(moment.at, client, refusal);
                }
            }
            Observation::SessionEnded { refusal: Some(refusal), .. } => {
                self.gauges.cut.fetch_add(1, Ordering::Relaxed);
                if !self.slots[client as usize].line.as_ref().is_some_and(|line| line.cut) {
                    self.around.cut(moment.at, self.whose(client));
                }
                self.timed_out(moment.at, client, Some(refusal));
            }
            _ => {}
        }
    }

    /// A refusal that the client itself knew of: a handshake or a reply that never came.
    fn timed_out(&mut self, at: Instant, client: u32, refusal: Option<Refusal>) {
        if let Some(refusal) = refusal.filter(|r| r.code == 0 && r.cause == Cause::ConnectTimeout) {
            let line = self.slots[client as usize].line.as_ref();
            let said = line.map(|line| line.unheard()).unwrap_or_default();
            self.refusal(at, refusal, None, &said);
        }
    }

    fn logged_in(&mut self, moment: Moment, client: u32) {
        let whose = self.whose(client);
        if let Some(line) = &mut self.slots[client as usize].line {
            line.session = Some(moment.at);
            line.moved_at = moment.at;
            self.around.logged_in(moment.at, whose);
            self.gauges.admitted.fetch_add(1, Ordering::Relaxed);
            self.gauges.sessions.fetch_add(1, Ordering::Relaxed);
            self.mark(moment.at, Observation::SessionOpened, Duration::ZERO);
        }
    }

    // ---- the end -----------------------------------------------------------------------------------------------

    /// The run ends at `at`. Clients that are logged in say QUIT, all others just close; no machine is told anything any more.
    pub(super) fn end(&mut self, at: Instant) -> Ending {
        self.over = true;
        let plan = Arc::clone(&self.plan);
        while self.schedule.next_at() < at && self.schedule.take(&plan.scenario).is_some() {
            self.part.dropped += 1;
        }
        let mut ending = Ending { at, ..Ending::default() };
        for (opened, session) in self.ghosts.values() {
            ending.connections.push(*opened);
            ending.sessions.extend(*session);
        }
        for slot in self.slots.iter().filter(|slot| slot.taken) {
            ending.wanting.extend(slot.client.still_wants().map(|since| (slot.population, since)));
            let line = slot.line.as_ref().filter(|line| !line.opened.is_never());
            ending.connections.extend(line.map(|line| line.opened));
            ending.sessions.extend(line.and_then(|line| line.session));
        }
        for slot in &mut self.slots {
            if let Some(line) = &mut slot.line {
                line.takes_leave();
            }
        }
        self.part.late = health::counts(&self.late);
        ending.part = self.part.clone();
        ending
    }

    /// Closes the connections of all who have nothing to wait for any more: of everybody, if `all`. Returns whether somebody
    /// still waits for the answer to his QUIT.
    pub(super) fn close_up(&mut self, all: bool) -> bool {
        let now = self.now();
        let mut waits = false;
        for client in 0..self.slots.len() as u32 {
            let slot = &self.slots[client as usize];
            let Some(line) = &slot.line else { continue };
            if line.leaves && line.wire.is_some() && !all {
                waits = true;
            } else {
                let serial = slot.serial;
                self.hang_up(now, client, serial);
                self.slots[client as usize].line = None;
            }
        }
        for (_, (opened, session)) in std::mem::take(&mut self.ghosts) {
            self.gone(now, Whose { address: 0, user: 0 }, opened, session);
        }
        waits
    }
}
