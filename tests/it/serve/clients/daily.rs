//! Real FTP clients against the served model.

use std::fs;
use std::process::{Command, Output};

use ftp421::live::content::Content;
use ftp421::live::serve::Emulator;

use super::super::server;
use crate::support::{project, stdout};

const SCRIPT: &str = r#"{ cwd = "/pub" }, "list", { retr = "3000001B", path = "/pub/big" }, { retr = "0B", path = "/pub/empty" }"#;
const PROFILES: [&str; 5] = ["rfc959", "vsftpd", "proftpd", "pure-ftpd", "pyftpdlib"];

fn curl(server: &Emulator, args: &[&str], path: &str) -> Output {
    let url = format!("ftp://{}{path}", server.address());
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--max-time", "20", "--user", "alice:ftp421"]).args(args).arg(url);
    curl.output().expect("curl is there")
}

fn python(server: &Emulator, code: &str) -> Output {
    let code = format!(
        "import ftplib, io\nftp = ftplib.FTP(timeout=20)\nftp.connect({:?}, {})\n{code}",
        server.address().ip().to_string(),
        server.address().port()
    );
    Command::new(project().join(".cache/venv/bin/python"))
        .args(["-c", &code])
        .output()
        .expect(".ci/install ran")
}

#[test]
fn curl_lists_fetches_and_stores() {
    for profile in PROFILES {
        let server = server(&format!("profile = \"{profile}\""), SCRIPT);
        for way in [
            &["--ftp-pasv"][..],
            &["--disable-epsv"],
            &["--ftp-port", "-"],
            &["--disable-eprt", "--ftp-port", "-"],
        ] {
            let listed = curl(&server, way, "/pub/");
            assert!(
                stdout(&listed).contains("     3000001 Jan 01  2026 big\n"),
                "{profile} {way:?}: {listed:?}"
            );
            let fetched = curl(&server, way, "/pub/big");
            let right = Content::of(42, "/pub/big").wrong(0, &fetched.stdout) == 0;
            assert!(right && fetched.stdout.len() == 3_000_001, "{profile} {way:?}: {:?}", fetched.stderr);
        }
        let empty = curl(&server, &[], "/pub/empty");
        assert!(empty.status.success() && empty.stdout.is_empty(), "{profile}: {empty:?}");
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("up");
        fs::write(&file, vec![7; 1_000_000]).unwrap();
        let stored = curl(&server, &["--upload-file", file.to_str().unwrap()], "/pub/up");
        assert!(stored.status.success(), "{profile}: {stored:?}");
    }
}

#[test]
fn curl_goes_on_where_a_download_was_broken_off() {
    let server = server("", SCRIPT);
    let rest = curl(&server, &["--continue-at", "2999990"], "/pub/big");
    assert_eq!(rest.stdout.len(), 11, "{rest:?}");
    assert_eq!(Content::of(42, "/pub/big").wrong(2_999_990, &rest.stdout), 0);
}

#[test]
fn curl_is_told_that_the_server_is_full_and_that_its_password_is_wrong() {
    let full_server = || server("profile = \"vsftpd\"\nmax_clients = 1\nlogin_fail_delay = \"10ms\"", SCRIPT);
    let server = full_server();
    let wrong = curl(&server, &["--user", "alice:wrong"], "/");
    assert_eq!(wrong.status.code(), Some(67), "{wrong:?}");
    let server = full_server();
    let holder = std::net::TcpStream::connect(server.address()).unwrap();
    let mut greeting = [0; 3];
    std::io::Read::read_exact(&mut &holder, &mut greeting).unwrap();
    assert_eq!(&greeting, b"220");
    let full = curl(&server, &["--verbose"], "/");
    assert!(
        !full.status.success() && String::from_utf8_lossy(&full.stderr).contains("421 There are too many"),
        "{full:?}"
    );
}

#[test]
fn ftplib_does_its_daily_work() {
    for profile in PROFILES {
        let server = server(&format!("profile = \"{profile}\""), SCRIPT);
        for passive in ["True", "False"] {
            let code = format!(
                "ftp.set_pasv({passive})
ftp.login()
ftp.cwd('/pub')
names = ftp.nlst()
assert 'big' in names and 'empty' in names, names
lines = []
ftp.retrlines('LIST', lines.append)
assert sum(len(line) + 2 for line in lines) == 4096, lines
got = []
ftp.retrbinary('RETR big', got.append)
assert sum(map(len, got)) == 3000001
assert ftp.size('big') == 3000001
assert ftp.storbinary('STOR new', io.BytesIO(b'x' * 100000)).startswith('226')
print(ftp.quit())"
            );
            let done = python(&server, &code);
            assert!(
                done.status.success() && stdout(&done).starts_with("221"),
                "{profile} {passive}: {done:?}"
            );
        }
    }
}

#[test]
fn ftplib_breaks_off_a_download_and_goes_on() {
    let server = server("profile = \"proftpd\"\nbandwidth = \"1MB/s\"", SCRIPT);
    let done = python(
        &server,
        "ftp.login('alice', 'ftp421')
data = ftp.transfercmd('RETR /pub/big')
assert len(data.recv(1000)) > 0
try:
    ftp.abort()
except ftplib.all_errors as e:
    print(e)
data.close()
print(ftp.voidcmd('NOOP'))
print(ftp.quit())",
    );
    assert!(done.status.success() && stdout(&done).contains("226"), "{done:?}");
}
