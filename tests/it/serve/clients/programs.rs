//! The programs that the model has profiles of: how each fetches one file, with its waits cut short where it lets one.
//!
//! It knows no server.

use ftp421::client::profile::Profile;
use ftp421::dist::Dist;
use ftp421::scenario::Scenario;
use ftp421::time::Duration;

/// A real client program.
pub struct Program {
    /// Its profile.
    pub name: &'static str,
    /// The line of shell that fetches `{path}` to the file `out`.
    pub fetch: &'static str,
    /// The settings that `fetch` has for its waits: the first one in seconds, and how many attempts; `None`: its own.
    pub waits: Option<(u64, u32)>,
}

/// All of them.
pub const PROGRAMS: [Program; 7] = [
    Program { name: "curl", fetch: "curl -sS -o out {url}", waits: None },
    Program { name: "curl-retry", fetch: "curl -sS --retry 2 -o out {url}", waits: Some((1, 3)) },
    Program { name: "wget", fetch: "wget -nv --tries=3 -O out {url}", waits: Some((1, 3)) },
    Program {
        name: "lftp",
        fetch: "lftp -c 'set ftp:ssl-allow no; set net:reconnect-interval-base 1; set net:max-retries 3; get {url} -o out'",
        waits: Some((1, 3)),
    },
    // It waits for 20 s and cannot be told otherwise; so it comes twice only.
    Program {
        name: "ncftp",
        fetch: "ncftpget -V -r 2 -u {user} -p {password} -P {port} -c {host} {path} > out",
        waits: Some((20, 2)),
    },
    Program { name: "tnftp", fetch: "tnftp -V -o out {url}", waits: None },
    Program {
        name: "ftplib",
        fetch: r#"$PYTHON -c '
import ftplib
try:
    with ftplib.FTP(timeout=20) as ftp, open("out", "wb") as out:
        ftp.connect("{host}", {port})
        ftp.login("{user}", "{password}")
        ftp.retrbinary("RETR {path}", out.write)
except Exception as e:
    print(type(e).__name__)
'"#,
        waits: None,
    },
];

impl Program {
    /// Makes all clients of `scenario` what the profile says of this program, with the waits of `fetch`.
    pub fn plays(&self, scenario: &mut Scenario, population: usize) {
        let behaviour = &mut scenario.populations[population].behaviour;
        let profile = Profile::named(self.name).expect("a profile").behaviour().expect("it can be read");
        let own = std::mem::replace(behaviour, profile);
        behaviour.script = own.script;
        behaviour.wrong_password = own.wrong_password;
        let Some((wait, attempts)) = self.waits else { return };
        for backoff in behaviour.retry.rules.iter_mut().filter_map(|rule| rule.backoff.as_mut()) {
            backoff.base = Dist::Constant(Duration::from_secs(wait).as_nanos());
            backoff.attempts = attempts;
        }
    }
}
