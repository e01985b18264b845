//! Exit codes, and what is said before a bad one.

use std::process::ExitCode;

use crate::scenario::Problem;

/// Fine.
pub(super) const FINE: ExitCode = ExitCode::SUCCESS;
/// The run failed.
pub(super) const FAILED: u8 = 1;
/// The command line asks for what cannot be.
const USAGE: u8 = 2;
/// A threshold failed.
pub(super) const THRESHOLD: u8 = 99;
/// The scenario is invalid.
const INVALID: u8 = 104;
/// Interrupted; what was measured is kept.
pub(super) const INTERRUPTED: u8 = 105;
/// A rule that keeps others from harm forbids it.
const NOT_ALLOWED: u8 = 106;
/// The result is not valid: a determinism check failed, or the load generator was the limit.
pub(super) const NOT_VALID: u8 = 109;

/// Why a command ends with a bad exit code.
#[derive(Debug)]
pub(super) enum Failure {
    /// The scenario is invalid.
    Scenario(Box<Problem>),
    /// The command line asks for what cannot be.
    Usage(String),
    /// The safety rule forbids it.
    NotAllowed(String),
    /// The result is not what it says.
    NotValid(String),
    /// Something else went wrong.
    Other(anyhow::Error),
}

impl Failure {
    /// Says what went wrong, once, and gives the exit code.
    pub(super) fn report(self) -> ExitCode {
        match self {
            Self::Scenario(problem) => {
                eprintln!("error: {problem}");
                // What stands in no file was typed.
                if problem.line == 0 { USAGE.into() } else { INVALID.into() }
            }
            Self::Usage(why) => said(&why, USAGE),
            Self::NotAllowed(why) => said(&why, NOT_ALLOWED),
            Self::NotValid(why) => said(&why, NOT_VALID),
            // Whoever reads our output has had enough of it: that is his right, and no failure of ours.
            Self::Other(error) if is_closed_pipe(&error) => FINE,
            Self::Other(error) => {
                eprintln!("error: {error:#}");
                FAILED.into()
            }
        }
    }
}

fn said(why: &str, code: u8) -> ExitCode {
    eprintln!("error: {why}");
    code.into()
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Scenario(Box::new(problem))
    }
}
