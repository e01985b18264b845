//! The form of TLS in a profile.

use serde::Deserialize;

use super::{Farewell, Line};

/// TLS on the control and the data connections (RFC 4217).
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Out of the box.
    pub default: TlsMode,
    /// To AUTH where it is not offered; PBSZ and PROT are told `auth_first`. Missing: all three are verbs that the server does not
    /// know.
    pub refused: Option<Line>,
    /// To AUTH TLS; the handshake follows.
    pub auth: Line,
    /// To PBSZ under TLS.
    pub pbsz: Line,
    /// To PROT P.
    pub prot: Line,
    /// To PBSZ and PROT without TLS.
    pub auth_first: Line,
    /// To USER without TLS where it is required.
    pub required: Farewell,
    /// Where the facts come from.
    pub from: String,
}

/// Does a server speak TLS?
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsMode {
    /// No.
    #[default]
    None,
    /// With those who ask for it.
    Offered,
    /// With everybody: nobody logs in without it.
    Required,
}

impl TlsMode {
    /// The word for it in profiles and scenarios.
    pub const ALL: [(&'static str, Self); 3] =
        [("none", Self::None), ("offered", Self::Offered), ("required", Self::Required)];
}
