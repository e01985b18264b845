//! Clients that open several connections at once, against a limit on the connections of one address.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use ftp421::live::content::Content;
use ftp421::live::serve::Emulator;

use super::relay::Relay;
use super::run::{Ran, shell};
use crate::support;

const PATIENCE: u32 = 40;
/// Six files of this size in /crowd, and one of twenty times that.
const SIZE: usize = 100_000;

fn model(keys: &str) -> Emulator {
    let file = |number: u32| format!(", {{ retr = \"{SIZE}B\", path = \"/crowd/f{number}\" }}");
    let files = (1..=6).map(file).collect::<Vec<_>>().concat();
    let text = format!(
        "schema = 1\nname = \"crowd\"\nduration = \"10m\"\n[server]\n{keys}\n[[clients]]\nname = \"a\"\nuser = \"alice\"\n\
         arrivals = {{ executor = \"constant-clients\", clients = 1 }}\n\
         script = [\"login\"{files}, {{ retr = \"{}B\", path = \"/crowd/big\" }}]\n",
        20 * SIZE
    );
    Emulator::start(Arc::new(support::scenario(&text))).expect("it listens")
}

/// What came of a line of shell.
struct Run {
    ran: Ran,
    dir: tempfile::TempDir,
    calls: usize,
    refused: usize,
}

/// `line`, in which `{url}` is the server.
fn runs(server: &Emulator, line: &str) -> Run {
    let (relay, dir) = (Relay::to(server.address()), tempfile::tempdir().unwrap());
    let line = line.replace("{url}", &format!("ftp://alice:ftp421@{}", relay.address));
    let ran = shell(dir.path(), PATIENCE, &format!("set -e\n{line}"));
    let calls = relay.calls();
    let refused =
        calls.iter().filter(|call| call.said.first().is_some_and(|line| line.starts_with("421"))).count();
    Run { ran, dir, calls: calls.len(), refused }
}

impl Run {
    /// Is the file at `name` that at `path` of the server, `size` bytes long?
    fn holds(&self, name: &str, path: &str, size: usize) {
        let found = fs::read(self.dir.path().join(Path::new(name))).unwrap_or_default();
        let wrong = Content::of(42, path).wrong(0, &found);
        assert!(
            found.len() == size && wrong == 0,
            "{name}: {} bytes, {wrong} wrong: {:?}",
            found.len(),
            self.ran
        );
    }

    fn holds_all(&self, folder: &str) {
        for number in 1..=6 {
            self.holds(&format!("{folder}/f{number}"), &format!("/crowd/f{number}"), SIZE);
        }
        self.holds(&format!("{folder}/big"), "/crowd/big", 20 * SIZE);
    }
}

/// The server is as full as the limit allows: lftp hears "too many connections", opens one less, and gets all it wants.
#[test]
fn lftp_in_parallel_adapts_to_a_limit() {
    let server = model("profile = \"vsftpd\"\nmax_per_ip = 2\nbandwidth = \"4MB/s\"");
    let settings = "set ftp:ssl-allow no; set net:reconnect-interval-base 1; set pget:min-chunk-size 100k";
    let mirrored = runs(&server, &format!("lftp -c '{settings}; mirror --parallel=4 {{url}}/crowd got'"));
    mirrored.holds_all("got");
    assert!(
        mirrored.ran.code == Some(0) && mirrored.refused >= 1,
        "{} refused: {:?}",
        mirrored.refused,
        mirrored.ran
    );
    let parts = runs(&server, &format!("lftp -c '{settings}; pget -n 4 {{url}}/crowd/big -o big'"));
    parts.holds("big", "/crowd/big", 20 * SIZE);
    assert!(parts.ran.code == Some(0) && parts.calls >= 2, "{} connections: {:?}", parts.calls, parts.ran);
}

#[test]
fn lftp_in_parallel_uses_what_it_is_given() {
    let server = model("profile = \"pure-ftpd\"\nbandwidth = \"4MB/s\"");
    let mirrored = runs(&server, "lftp -c 'set ftp:ssl-allow no; mirror --parallel=4 {url}/crowd got'");
    mirrored.holds_all("got");
    assert!(mirrored.refused == 0 && mirrored.calls == 4, "{} connections", mirrored.calls);
}

#[test]
fn aria2_fetches_in_pieces_with_and_without_a_limit() {
    for (keys, refused) in
        [("profile = \"pure-ftpd\"", false), ("profile = \"pure-ftpd\"\nmax_per_ip = 2", true)]
    {
        let server = model(&format!("{keys}\nbandwidth = \"2MB/s\""));
        let line = "aria2c -q -m 0 --retry-wait=1 -t 20 --file-allocation=none -x 4 -s 4 -k 1M --min-split-size=1M -o big {url}/crowd/big";
        let run = runs(&server, line);
        run.holds("big", "/crowd/big", 20 * SIZE);
        assert!(run.ran.code == Some(0) && (refused || run.refused == 0), "{:?}", run.ran);
        assert!(run.calls >= 1, "{}", run.calls);
    }
}

#[test]
fn curl_in_parallel_comes_again_for_what_was_refused() {
    let server = model("profile = \"vsftpd\"\nmax_per_ip = 2\nbandwidth = \"4MB/s\"");
    let line = "curl -sS --parallel --parallel-immediate --retry 5 --retry-delay 1 --remote-name-all '{url}/crowd/f[1-6]'";
    let run = runs(&server, line);
    assert!(run.ran.code == Some(0) && run.refused >= 1, "{} refused: {:?}", run.refused, run.ran);
    for number in 1..=6 {
        run.holds(&format!("f{number}"), &format!("/crowd/f{number}"), SIZE);
    }
}

#[test]
fn wget_fetches_a_whole_folder() {
    for profile in ["vsftpd", "proftpd", "pure-ftpd", "pyftpdlib", "rfc959"] {
        let server = model(&format!("profile = \"{profile}\""));
        let run = runs(&server, "wget -nv -r -nH --tries=1 {url}/crowd/");
        run.holds_all("crowd");
        assert_eq!(run.ran.code, Some(0), "{profile}: {:?}", run.ran);
    }
}
