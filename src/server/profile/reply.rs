//! The replies of an untroubled session in a profile.

use serde::Deserialize;

use super::Line;

/// The replies of an untroubled session. Texts may hold `{user}`, `{ip}`, `{path}` (the command's argument), `{verb}`,
/// `{bytes}` (of the transfer), `{k}` (connections now), `{n}` (the first limit on connections) and `{idle_minutes}`.
#[derive(Clone, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replies {
    /// The greeting.
    pub greeting: Line,
    /// To USER.
    pub user: Line,
    /// To the right PASS.
    pub pass: Line,
    /// To PASS without USER.
    pub pass_first: Line,
    /// To a command that needs a login.
    pub login_first: Line,
    /// To CWD.
    pub cwd: Line,
    /// To PWD.
    pub pwd: Line,
    /// To PASV.
    pub pasv: Line,
    /// LIST begins.
    pub list: Line,
    /// RETR begins.
    pub retr: Line,
    /// STOR begins.
    pub stor: Line,
    /// LIST is done.
    pub listed: Line,
    /// RETR or STOR is done.
    pub transferred: Line,
    /// A transfer without a data connection.
    pub no_data: Line,
    /// To PORT.
    pub port: Line,
    /// To ABOR with nothing to abort.
    pub abor: Line,
    /// To a transfer that ABOR ends; then `abor_done`.
    pub aborted: Line,
    /// To the ABOR that has ended a transfer.
    pub abor_done: Line,
    /// To SITE IDLE: that the idle timer is set, or that it cannot be.
    pub site_idle: Line,
    /// To NOOP.
    pub noop: Line,
    /// To QUIT.
    pub quit: Line,
    /// To a verb that it does not know.
    pub unknown: Line,
    /// Where the texts come from.
    pub from: String,
}
