//! The binary: calls the command line and exits with its code.

fn main() -> std::process::ExitCode {
    ftp421::cli::run()
}
