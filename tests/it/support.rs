//! What the tests share: scenarios from text, studies, and the binary.

use std::path::Path;
use std::process::{Command, Output};

use ftp421::experiment::{Outcome, Study, replicate, summarise};
use ftp421::scenario::Scenario;
use ftp421::watch::Watch;

/// Bundled scenarios that take the tests' profile too long. Of their results the first day is simulated in `determinism`, and `.ci/run`
/// verifies all of it with an optimised program.
pub const LONG: &[&str] = &["mirror-week"];

/// The scenario that `text` describes; a test's own mistake is told with its place.
pub fn scenario(text: &str) -> Scenario {
    let mut none = |name: &str| Err(format!("no file {name} in this test"));
    Scenario::read("test.toml", text, &mut none).unwrap_or_else(|problem| panic!("{problem}"))
}

/// All replications of `scenario`.
pub fn study(scenario: &Scenario) -> Study {
    replicate(scenario, &mut (), &Watch::default())
}

/// All replications of the scenario in `text`, and what they say.
pub fn outcome(text: &str) -> Outcome {
    let scenario = scenario(text);
    let study = study(&scenario);
    summarise(&scenario, &study)
}

/// The binary with `args`, run in `dir`.
pub fn ftp421(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ftp421"))
        .args(args)
        .current_dir(dir)
        .env_remove("NO_COLOR")
        .output()
        .expect("the binary was built")
}

/// Standard output as text.
pub fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Standard error as text.
pub fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The project's own folder.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
