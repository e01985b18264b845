//! The replies of an untroubled session in a profile.

use serde::Deserialize;

use super::Line;

/// The replies of an untroubled session. Texts may hold `{user}`, `{ip}`, `{path}` (the command's argument), `{verb}`,
/// `{bytes}` (of the transfer, or of the file of a SIZE), `{k}` (connections now), `{n}` (the first limit on connections) and `{idle_minutes}`.
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
    /// To TYPE I. Missing, as the next three: what RFC 959 and RFC 3659 have for it.
    #[serde(default = "type_image")]
    pub type_image: Line,
    /// To TYPE A.
    #[serde(default = "type_ascii")]
    pub type_ascii: Line,
    /// To SIZE.
    #[serde(default = "size")]
    pub size: Line,
    /// To REST.
    #[serde(default = "rest")]
    pub rest: Line,
    /// NLST is done; it begins as LIST. Missing, as the next two: as LIST.
    pub nlst_done: Option<Line>,
    /// MLSD begins, or with 400 and above: there is no such command.
    pub mlsd: Option<Line>,
    /// MLSD is done.
    pub mlsd_done: Option<Line>,
    /// Where the texts come from.
    pub from: String,
}

fn line(code: u16, text: &str) -> Line {
    Line { code, text: text.to_owned(), from: String::new() }
}

fn type_image() -> Line {
    line(200, "Type set to I.")
}

fn type_ascii() -> Line {
    line(200, "Type set to A.")
}

fn size() -> Line {
    line(213, "{bytes}")
}

fn rest() -> Line {
    line(350, "Restarting at {path}.")
}
