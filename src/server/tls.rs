//! The protection of connections: AUTH, PBSZ, PROT, and handshakes (RFC 2228, RFC 4217).
//!
//! It ciphers nothing: the driver does.

use super::ending::LastWords;
use super::host::Work;
use super::policy::Ending;
use super::session::Stage;
use super::{Action, Server};
use crate::ftp::{ArgId, Command, Verb};
use crate::id::ConnId;
use crate::observe::{Cause, CloseHow, Phase};
use crate::outbox::Outbox;
use crate::time::Instant;

/// How far the protection of a connection has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) enum Guard {
    /// There is none.
    #[default]
    None,
    /// The handshake is under way.
    Begun,
    /// The control connection is under TLS.
    Control,
    /// The data connections are, too.
    Data,
}

/// The guards of all connections, by slot. Where nobody speaks TLS there are none.
#[derive(Clone, Debug, Default)]
pub(super) struct Guards(Vec<Guard>);

impl Guards {
    pub(super) fn get(&self, conn: ConnId) -> Guard {
        self.0.get(conn.slot()).copied().unwrap_or_default()
    }

    pub(super) fn set(&mut self, conn: ConnId, guard: Guard) {
        if let Some(place) = self.0.get_mut(conn.slot()) {
            *place = guard;
        } else if guard != Guard::None {
            self.0.resize(conn.slot() + 1, Guard::None);
            self.0[conn.slot()] = guard;
        }
    }
}

impl Server {
    /// AUTH, PBSZ or PROT. A server without TLS does not know them.
    pub(super) fn protect(
        &mut self,
        now: Instant,
        at: Instant,
        conn: ConnId,
        command: Command,
        out: &mut impl Outbox<Action>,
    ) {
        let (tls, replies, guard) = (self.policy.tls, self.policy.replies, self.guards.get(conn));
        let logged_in = self.sessions[conn.slot()].stage == Stage::Session;
        let locked = self.policy.login.locked && !logged_in;
        let unknown = if locked { replies.login_first } else { replies.unknown };
        let Some(offer) = tls.offer else {
            return match tls.refused {
                Some((reply, _)) if command.verb == Verb::Auth => self.answer(conn, reply, at, out),
                Some((_, reply)) => self.answer(conn, reply, at, out),
                None if logged_in => self.answer(conn, unknown, at, out),
                None => self.object(now, at, conn, unknown, out),
            };
        };
        match command.verb {
            Verb::Auth if guard == Guard::None && !logged_in => {
                self.guards.set(conn, Guard::Begun);
                self.answer(conn, offer.auth, at, out);
                out.push(Action::StartTls { conn, at });
            }
            Verb::Auth => self.answer(conn, unknown, at, out), // a second time, or too late
            _ if guard < Guard::Control => self.answer(conn, offer.auth_first, at, out),
            Verb::Prot => {
                let guard = if command.arg == ArgId::NONE { Guard::Data } else { Guard::Control };
                self.guards.set(conn, guard);
                self.answer(conn, offer.prot, at, out);
            }
            _ => self.answer(conn, offer.pbsz, at, out),
        }
    }

    /// A connection was accepted where TLS begins with the first byte. Its login timer runs on in the handshake.
    pub(super) fn await_handshake(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        self.sessions[conn.slot()].stage = Stage::Securing;
        self.guards.set(conn, Guard::Begun);
        out.push(Action::StartTls { conn, at: now });
        self.arm(conn, out);
    }

    /// The client's half of the handshake has come.
    pub(super) fn tls_hello(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        if self.live(conn).is_none() {
            self.hello_in_queue(conn);
        } else if self.guards.get(conn) == Guard::Begun {
            let at = self.work(now, self.turn(now, conn), self.policy.tls.cost, conn, Work::Answer);
            out.push(Action::AnswerHello { conn, at });
        }
    }

    /// The handshake is complete.
    pub(super) fn tls_done(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        let Some(stage) = self.live(conn).map(|session| session.stage) else { return };
        if self.guards.get(conn) != Guard::Begun {
            return;
        }
        self.guards.set(conn, Guard::Control);
        if stage == Stage::Securing {
            self.greet(now, conn, out);
        }
    }

    /// The handshake has failed: the connection ends without a word, since nobody could read it.
    pub(super) fn tls_failed(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        if self.live(conn).is_some() && self.guards.get(conn) == Guard::Begun {
            let at = self.turn(now, conn);
            self.end(now, at, conn, Ending::silent(Cause::CriticalError, CloseHow::Fin).into(), out);
        }
    }

    /// Turns away who names himself in the clear where TLS is required; true if it did.
    pub(super) fn demands_tls(
        &mut self,
        now: Instant,
        at: Instant,
        conn: ConnId,
        out: &mut impl Outbox<Action>,
    ) -> bool {
        let required = self.policy.tls.offer.and_then(|offer| offer.required);
        let Some(ending) = required.filter(|_| self.guards.get(conn) < Guard::Control) else { return false };
        self.end(now, at, conn, LastWords { phase: Some(Phase::User), ..ending.into() }, out);
        true
    }

    /// When the bytes of a transfer that could begin at `at` really do, as far as the server's own work goes: a protected data
    /// connection begins with a handshake.
    pub(super) fn protect_data(&mut self, now: Instant, at: Instant, conn: ConnId) -> Instant {
        if self.guards.get(conn) < Guard::Data {
            return at;
        }
        self.work(now, at, self.policy.tls.resumed_cost, conn, Work::Answer)
    }
}
