//! TLS, as a policy has it.
//!
//! It remembers of no connection whether it is under TLS: the machine's `tls` does.

use super::text::{Ending, ReplyId};
use super::{Compiler, Misfit, Overrides, lacks};
use crate::observe::Cause;
use crate::server::profile::{Profile, TlsMode};
use crate::time::Duration;

/// TLS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tls {
    /// The replies, if the server speaks it.
    pub offer: Option<Offer>,
    /// To AUTH, and to PBSZ and PROT, if it does not; `None`: as to any unknown verb.
    pub refused: Option<(ReplyId, ReplyId)>,
    /// What a handshake of a control connection takes.
    pub cost: Duration,
    /// What one of a data connection takes.
    pub resumed_cost: Duration,
}

/// What a server that speaks TLS says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offer {
    /// To AUTH TLS.
    pub auth: ReplyId,
    /// To PBSZ.
    pub pbsz: ReplyId,
    /// To PROT P.
    pub prot: ReplyId,
    /// To PBSZ and PROT without TLS.
    pub auth_first: ReplyId,
    /// To USER without TLS, if nobody logs in without it.
    pub required: Option<Ending>,
}

impl Compiler<'_> {
    /// A demand for TLS has no cause of its own in the vocabulary: it is a [`Cause::CriticalError`], like all that keeps a client away
    /// for no limit, timer or password.
    pub(super) fn tls(&mut self, profile: &Profile, overrides: &Overrides) -> Result<Tls, Misfit> {
        let known = profile.tls.as_ref();
        let mode = overrides.tls.or(known.map(|tls| tls.default)).unwrap_or_default();
        let mut tls = Tls {
            offer: None,
            refused: known.and_then(|tls| {
                let refused = self.apart(tls.refused.as_ref()?);
                Some((refused, self.apart(&tls.auth_first)))
            }),
            cost: overrides.tls_cost.unwrap_or(profile.cost.tls.0),
            resumed_cost: overrides.tls_cost.unwrap_or(profile.cost.tls_resumed.0),
        };
        if mode == TlsMode::None {
            return Ok(tls);
        }
        let Some(known) = known else {
            return Err(lacks("tls", &format!("what {} says under TLS is not known", profile.name)));
        };
        let farewell = &known.required;
        let required = (mode == TlsMode::Required).then(|| Ending {
            cause: Cause::CriticalError,
            reply: (farewell.code != 0)
                .then(|| self.table.add_apart(farewell.code, &farewell.text, Some(Cause::CriticalError))),
            then: None,
            close: farewell.close,
            delay: farewell.delay.0,
            forks: farewell.forks,
        });
        tls.offer = Some(Offer {
            auth: self.apart(&known.auth),
            pbsz: self.apart(&known.pbsz),
            prot: self.apart(&known.prot),
            auth_first: self.apart(&known.auth_first),
            required,
        });
        Ok(tls)
    }
}
