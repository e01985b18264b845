//! Data connections and the transfers over them.
//!
//! It moves no byte: the driver does, and says how it goes.

use super::ending::LastWords;
use super::host::Work;
use super::policy::{Ending, ReplyId};
use super::profile::{Counts, Stage as CheckStage};
use super::session::Stage;
use super::side::{DataState, Side};
use super::{Action, Server};
use crate::ftp::Verb;
use crate::id::ConnId;
use crate::observe::Phase;
use crate::outbox::Outbox;
use crate::time::Instant;

impl Server {
    /// PASV.
    pub(super) fn listen_for_data(
        &mut self,
        now: Instant,
        at: Instant,
        conn: ConnId,
        out: &mut impl Outbox<Action>,
    ) {
        self.drop_data(now, conn, out);
        if let Some(last) = self.no_socket(conn) {
            self.end(now, at, conn, last, out);
            return;
        }
        if !self.ports.take(now, &self.policy.data)
            && let Some(no_port) = self.policy.data.no_port
        {
            self.end(now, at, conn, no_port.into(), out);
            return;
        }
        let side = self.side_mut(conn);
        side.passive = true;
        side.since = at;
        self.set_data(conn, DataState::Listening);
        self.answer(conn, self.policy.replies.pasv, at, out);
    }

    /// PORT.
    pub(super) fn note_port(
        &mut self,
        now: Instant,
        at: Instant,
        conn: ConnId,
        out: &mut impl Outbox<Action>,
    ) {
        self.drop_data(now, conn, out);
        if let Some(last) = self.no_socket(conn) {
            self.end(now, at, conn, last, out);
            return;
        }
        let at_once = self.policy.data.connects_at_port;
        let side = self.side_mut(conn);
        side.passive = false;
        side.data = DataState::Given;
        if at_once {
            self.begin_waiting(conn, Verb::Port, at);
            self.connect_data(conn, at, out);
            self.arm(conn, out);
        } else {
            self.answer(conn, self.policy.replies.port, at, out);
        }
    }

    /// LIST, NLST, MLSD, RETR or STOR.
    pub(super) fn transfer(
        &mut self,
        now: Instant,
        at: Instant,
        conn: ConnId,
        verb: Verb,
        out: &mut impl Outbox<Action>,
    ) {
        self.host.sample(now); // a limit on downloads may count the load
        if verb == Verb::Retr
            && let Some((ending, check)) =
                self.exceeded(CheckStage::Download, self.sessions[conn.slot()].who())
        {
            self.end(now, at, conn, LastWords { check, ..ending.into() }, out);
            return;
        }
        let opening = self.opening(verb);
        if self.policy.table.get(opening).code >= 400 {
            self.answer(conn, opening, at, out); // a listing that this server does not know
            return;
        }
        match self.side(conn).map_or(DataState::None, |side| side.data) {
            DataState::None => {
                let reply = self.policy.replies.no_data;
                if self.policy.table.get(reply).code < 200 {
                    self.begin_waiting(conn, verb, at); // for what nobody will open
                }
                self.answer(conn, reply, at, out);
            }
            DataState::Open => {
                self.begin_waiting(conn, verb, at);
                self.begin_transfer(now, conn, at, out);
            }
            state => {
                self.begin_waiting(conn, verb, at);
                if state == DataState::Given {
                    self.connect_data(conn, at, out);
                }
                if let Some(early) = self.policy.data.early {
                    self.side_mut(conn).told = true;
                    self.answer(conn, early, at, out);
                } else {
                    self.arm(conn, out);
                }
            }
        }
    }

    /// A transfer of a file that is not there, or that nobody may touch.
    pub(super) fn refuse_transfer(
        &mut self,
        now: Instant,
        at: Instant,
        conn: ConnId,
        out: &mut impl Outbox<Action>,
    ) {
        let data = &self.policy.data;
        let nobody = self.side(conn).is_none_or(|side| side.data == DataState::None);
        if data.looked_at_first && nobody {
            self.answer(conn, self.policy.replies.no_data, at, out);
            return;
        }
        if !data.outlives_refusal {
            self.drop_data(now, conn, out);
        }
        self.answer(conn, self.policy.replies.told, at, out);
    }

    pub(super) fn data_opened(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        let Some(stage) = self.live(conn).map(|s| s.stage) else { return };
        let awaited =
            self.side(conn).is_some_and(|s| matches!(s.data, DataState::Listening | DataState::Connecting));
        if !awaited {
            return;
        }
        self.side_mut(conn).data = DataState::Open;
        if stage != Stage::Transfer {
            return;
        }
        let at = self.turn(now, conn);
        if self.side_mut(conn).verb == Verb::Port {
            self.leave_transfer(now, conn);
            self.answer(conn, self.policy.replies.port, at, out);
        } else {
            self.begin_transfer(now, conn, at, out);
        }
    }

    /// The client's host has refused the data connection, or it broke.
    pub(super) fn data_failed(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        let Some(stage) = self.live(conn).map(|s| s.stage) else { return };
        let Some(data) = self.side(conn).map(|s| s.data) else { return };
        let at = self.turn(now, conn);
        match (data, stage) {
            (DataState::Connecting, Stage::Transfer) => {
                self.release_data(now, conn);
                self.end(now, at, conn, self.policy.data.refused.into(), out);
            }
            (DataState::Open, Stage::Transfer) => {
                self.release_data(now, conn);
                self.leave_transfer(now, conn);
                self.answer(conn, self.policy.replies.aborted, at, out);
            }
            (DataState::Open | DataState::Connecting, _) => {
                self.release_data(now, conn);
            }
            _ => {} // nobody was listened to
        }
    }

    /// The upload has come to what the files have room for.
    pub(super) fn store_full(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        if self.live(conn).is_none() || self.side(conn).is_none_or(|side| side.began.is_never()) {
            return;
        }
        let at = self.turn(now, conn);
        self.release_data(now, conn);
        self.end(now, at, conn, self.policy.process.disk_full.into(), out);
    }

    pub(super) fn progress(&mut self, now: Instant, conn: ConnId, rate: u32, out: &mut impl Outbox<Action>) {
        let Some(timer) = self.policy.stalled_timer.filter(|timer| !timer.after.is_forever()) else { return };
        if self.live(conn).is_none() {
            return;
        }
        let Some(side) = self.side_of(conn).filter(|side| !side.began.is_never()) else { return };
        if rate > 0 && rate >= timer.least_rate {
            side.slow_since = Instant::NEVER;
        } else if side.slow_since.is_never() {
            side.slow_since = now;
            self.arm(conn, out);
        }
    }

    pub(super) fn transfer_done(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        if self.live(conn).is_none() {
            return;
        }
        let Some(verb) = self.side(conn).filter(|s| !s.began.is_never()).map(|s| s.verb) else { return };
        let replies = &self.policy.replies;
        let reply = match verb {
            Verb::List => replies.listed,
            Verb::Nlst => replies.nlst_done,
            Verb::Mlsd => replies.mlsd_done,
            _ => replies.transferred,
        };
        let at = self.turn(now, conn);
        self.release_data(now, conn);
        self.leave_transfer(now, conn);
        self.answer(conn, reply, at, out);
        if self.down.ends_after_transfer(self.sessions[conn.slot()].opened) {
            self.end(now, at, conn, self.policy.process.down.live.into(), out);
        }
    }

    /// ABOR while a command has the data connection or waits for it.
    pub(super) fn abort(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        let at = self.work(now, self.turn(now, conn), self.policy.command_cost, conn, Work::Answer);
        let replies = self.policy.replies;
        self.drop_data(now, conn, out);
        self.leave_transfer(now, conn);
        out.push(Action::Reply { conn, reply: replies.aborted, at });
        self.answer(conn, replies.abor_done, at, out);
    }

    /// The command that had the data connection has come to its end.
    pub(super) fn leave_transfer(&mut self, now: Instant, conn: ConnId) {
        let session = &mut self.sessions[conn.slot()];
        session.stage = Stage::Session;
        session.last_command = now;
        session.idling_since = Instant::NEVER;
        let Some(side) = self.side_of(conn) else { return };
        side.slow_since = Instant::NEVER;
        let moved = !std::mem::replace(&mut side.began, Instant::NEVER).is_never();
        if moved {
            self.sessions[conn.slot()].last_transfer = now;
        }
    }

    /// Closes the data connection, or what listens for it.
    pub(super) fn drop_data(&mut self, now: Instant, conn: ConnId, out: &mut impl Outbox<Action>) {
        if self.release_data(now, conn) {
            out.push(Action::AbortData { conn });
        }
    }

    /// Counts the data connection out; true if there was a socket.
    pub(super) fn release_data(&mut self, now: Instant, conn: ConnId) -> bool {
        let Some(side) = self.side_of(conn) else { return false };
        let held = side.holds_socket();
        let state = std::mem::replace(&mut side.data, DataState::None);
        let passive = side.passive;
        if held {
            self.count_socket(conn, false);
            if passive {
                self.ports.give_back(now, state == DataState::Open, &self.policy.data);
            }
        }
        held
    }

    fn begin_waiting(&mut self, conn: ConnId, verb: Verb, at: Instant) {
        let from_pasv = self.policy.data_connect_timer.is_some_and(|timer| timer.from_pasv);
        self.sessions[conn.slot()].stage = Stage::Transfer;
        self.sessions[conn.slot()].ends = at;
        let side = self.side_mut(conn);
        side.verb = verb;
        side.told = false;
        if !(from_pasv && side.data == DataState::Listening) {
            side.since = at;
        }
    }

    fn begin_transfer(&mut self, now: Instant, conn: ConnId, at: Instant, out: &mut impl Outbox<Action>) {
        let side = self.side_mut(conn);
        side.began = at;
        side.slow_since = Instant::NEVER;
        let (told, verb) = (side.told, side.verb);
        let (reply, upload) = (self.opening(verb), verb == Verb::Stor);
        if upload && self.host.disk_full {
            if !told {
                out.push(Action::Reply { conn, reply, at });
            }
            self.end(now, at, conn, self.policy.process.disk_full.into(), out);
            return;
        }
        let moves = self.protect_data(now, at, conn);
        out.push(Action::StartTransfer { conn, at: moves });
        if told {
            self.arm(conn, out);
        } else {
            self.answer(conn, reply, at, out);
        }
    }

    /// What says that the transfer of `verb` begins.
    fn opening(&self, verb: Verb) -> ReplyId {
        let replies = &self.policy.replies;
        match verb {
            Verb::List | Verb::Nlst => replies.list,
            Verb::Mlsd => replies.mlsd,
            Verb::Retr => replies.retr,
            _ => replies.stor,
        }
    }

    fn connect_data(&mut self, conn: ConnId, at: Instant, out: &mut impl Outbox<Action>) {
        self.set_data(conn, DataState::Connecting);
        out.push(Action::ConnectData { conn, at });
    }

    fn set_data(&mut self, conn: ConnId, state: DataState) {
        let had = self.side(conn).is_some_and(Side::holds_socket);
        self.side_mut(conn).data = state;
        if !had {
            self.count_socket(conn, true);
        }
    }

    fn count_socket(&mut self, conn: ConnId, more: bool) {
        let who = self.sessions[conn.slot()].who();
        let change = |count: &mut u32| if more { *count += 1 } else { *count -= 1 };
        change(&mut self.data_sockets);
        self.peers.change(who.peer, |peer| change(&mut peer.sockets));
        if let Some(class) = self.classes.get_mut(who.class) {
            change(&mut class.sockets);
        }
    }

    /// What PASV and PORT meet if a limit on sockets has no room.
    fn no_socket(&self, conn: ConnId) -> Option<LastWords> {
        if !self.has_descriptor_for_data() {
            return Some(self.policy.process.no_descriptor.into());
        }
        let ending = self.policy.data.no_socket?;
        let who = self.sessions[conn.slot()].who();
        let (place, check) = self.policy.checks.iter().enumerate().find(|(_, check)| {
            check.counts == Counts::Sockets
                && check.limit != u32::MAX
                && check.is_met_by(self.present(check, who))
        })?;
        let ending = Ending { cause: check.ending.cause, ..ending };
        let check = u8::try_from(place).ok();
        Some(LastWords { phase: Some(Phase::Session), check, ..ending.into() })
    }
}
