//! The files of a served model over the wire: what is uploaded is there, goes on where it broke off, and finds only so much room; a folder of
//! a disk is served and nothing outside of it; data connections come from the ports that were given.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use ftp421::live::content::Content;
use ftp421::live::serve::{Emulator, Plan};

use super::scenario;

const PATIENCE: Duration = Duration::from_secs(20);

fn serve(change: impl FnOnce(&mut Plan)) -> Emulator {
    let mut plan = Plan::of(Arc::new(scenario("", "\"quit\"", "")));
    change(&mut plan);
    Emulator::serve(plan, ftp421::time::Duration::ZERO).expect("it listens")
}

/// A client that is logged in.
struct Talk {
    control: BufReader<TcpStream>,
    port: u16,
}

impl Talk {
    fn to(server: &Emulator) -> Self {
        let mut talk = Self { control: BufReader::new(connect(server.address().port())), port: 0 };
        assert!(talk.hears().starts_with("220"));
        assert!(talk.says("USER alice").starts_with("331"));
        assert!(talk.says("PASS ftp421").starts_with("230"));
        assert!(talk.says("TYPE I").starts_with("200"));
        talk
    }

    fn hears(&mut self) -> String {
        let mut line = String::new();
        self.control.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn says(&mut self, line: &str) -> String {
        self.control.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.hears()
    }

    /// Opens a data connection.
    fn data(&mut self) -> TcpStream {
        let told = self.says("EPSV");
        self.port = told.split('|').nth(3).expect(&told).parse().unwrap();
        connect(self.port)
    }

    /// Fetches what `command` gives; what is said instead, or in the end, is the second.
    fn fetches(&mut self, command: &str) -> (Vec<u8>, String) {
        let mut data = self.data();
        let told = self.says(command);
        let mut bytes = Vec::new();
        if !told.starts_with("150") {
            return (bytes, told);
        }
        let _ = data.read_to_end(&mut bytes); // if it broke, the reply says so
        (bytes, self.hears())
    }

    fn stores(&mut self, command: &str, bytes: &[u8]) -> String {
        let mut data = self.data();
        let told = self.says(command);
        if !told.starts_with("150") {
            return told;
        }
        let _ = data.write_all(bytes); // the server may have had enough
        drop(data);
        self.hears()
    }
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

fn noise(size: usize) -> Vec<u8> {
    (0..size as u64).map(|at| (at * at % 251) as u8).collect()
}

#[test]
fn what_is_uploaded_is_there_for_everybody() {
    let server = serve(|_| {});
    let (mut one, mut other) = (Talk::to(&server), Talk::to(&server));
    let bytes = noise(1_000_000);
    assert!(one.stores("STOR /incoming/up", &bytes).starts_with("226"));
    assert_eq!(other.fetches("RETR /incoming/up").0, bytes);
    assert_eq!(other.says("SIZE /incoming/up"), "213 1000000");
    assert!(String::from_utf8(other.fetches("LIST /incoming").0).unwrap().ends_with(" up\r\n"));
    for missing in ["RETR /incoming/nothing", "RETR /pub", "STOR /nowhere/up", "LIST /nowhere"] {
        let told = one.fetches(missing).1;
        assert!(told.starts_with("550") || told.starts_with("553"), "{missing}: {told}");
    }
    assert!(one.says("SIZE /incoming/nothing").starts_with("550"));
}

#[test]
fn an_upload_that_broke_off_leaves_what_came_and_goes_on_from_there() {
    let server = serve(|_| {});
    let mut talk = Talk::to(&server);
    let bytes = noise(3_000_000);
    let mut data = talk.data();
    assert!(talk.says("STOR /up").starts_with("150"));
    data.write_all(&bytes[..1_234_567]).unwrap();
    let mut watcher = Talk::to(&server);
    while watcher.says("SIZE /up") != "213 1234567" {} // it grows as it comes
    reset(&data);
    drop(data);
    let told = talk.hears();
    assert!(told.starts_with("426") || told.starts_with("451"), "{told}");
    assert_eq!(talk.says("SIZE /up"), "213 1234567");
    assert!(talk.says("REST 1234567").starts_with("350"));
    assert!(talk.stores("STOR /up", &bytes[1_234_567..]).starts_with("226"));
    assert_eq!(talk.fetches("RETR /up").0, bytes);
    assert!(talk.says("REST 3000001").starts_with("350"));
    let told = talk.stores("STOR /up", b"");
    assert!(told.starts_with('5'), "{told}");
    assert_eq!(talk.says("SIZE /up"), "213 3000000");
}

/// Its end will be a reset.
fn reset(stream: &TcpStream) {
    let at_once = nix::libc::linger { l_onoff: 1, l_linger: 0 };
    nix::sys::socket::setsockopt(stream, nix::sys::socket::sockopt::Linger, &at_once).unwrap();
}

#[test]
fn uploads_find_only_so_much_room() {
    let server = serve(|plan| plan.max_stored = 1_000_000);
    let mut talk = Talk::to(&server);
    assert!(talk.stores("STOR /a", &noise(600_000)).starts_with("226"));
    let told = talk.stores("STOR /b", &noise(600_000));
    assert!(told.starts_with("452") || told.starts_with("552"), "{told}");
    let (there, _) = talk.fetches("RETR /b");
    assert!(there.len() <= 400_000 && there[..] == noise(600_000)[..there.len()], "{}", there.len());
    assert!(talk.says("NOOP").starts_with("200"), "the session goes on");
    // What was made up here costs no room when it comes back.
    let (made, _) = talk.fetches("RETR /pub/1MiB.bin");
    assert_eq!(made.len(), 1 << 20);
    assert!(talk.stores("STOR /c", &made).starts_with("226"));
    assert_eq!(talk.fetches("RETR /c").0, made);
}

#[test]
fn ten_gigabytes_can_be_resumed_anywhere() {
    let server = serve(|plan| plan.files.push(("/deep/tera".to_owned(), 1 << 40)));
    let mut talk = Talk::to(&server);
    for (path, size) in [("/pub/10GiB.bin", 10_u64 << 30), ("/deep/tera", 1 << 40)] {
        assert_eq!(talk.says(&format!("SIZE {path}")), format!("213 {size}"));
        assert!(talk.says(&format!("REST {}", size - 100_001)).starts_with("350"));
        let (bytes, told) = talk.fetches(&format!("RETR {path}"));
        assert_eq!((bytes.len(), &told[..3]), (100_001, "226"));
        assert_eq!(Content::of(42, path).wrong(size - 100_001, &bytes), 0);
    }
}

#[test]
fn data_connections_come_from_the_ports_that_were_given_in_their_order() {
    // Somebody may take one of them meanwhile: then they are sought again.
    let found = (0..20).any(|_| {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let Some(last) = free.checked_add(2) else { return false };
        let seen = || {
            let server = serve(|plan| plan.passive_ports = Some((free, last)));
            let mut talk = Talk::to(&server);
            let mut ports = Vec::new();
            for _ in 0..5 {
                if !talk.fetches("NLST /").1.starts_with("226") {
                    return Vec::new();
                }
                ports.push(talk.port - free);
            }
            ports
        };
        let (first, again) = (seen(), seen());
        first == [0, 1, 2, 0, 1] && again == first
    });
    assert!(found);
}

#[test]
fn a_second_data_connection_is_closed() {
    let server = serve(|_| {});
    let mut talk = Talk::to(&server);
    let mut first = talk.data();
    assert!(talk.says("RETR /readme.txt").starts_with("150"));
    let second = TcpStream::connect(("127.0.0.1", talk.port));
    if let Ok(mut second) = second {
        second.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut stolen = Vec::new();
        let _ = second.read_to_end(&mut stolen);
        assert!(stolen.is_empty());
    }
    let mut bytes = Vec::new();
    first.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len(), 4_096);
    assert!(talk.hears().starts_with("226"));
}

#[test]
fn a_folder_of_the_disk_is_served_and_nothing_outside_of_it() {
    let parent = tempfile::tempdir().unwrap();
    let root = parent.path().join("root");
    fs::create_dir_all(root.join("sub")).unwrap();
    fs::write(parent.path().join("canary"), "secret").unwrap();
    fs::write(root.join("sub/file"), noise(700_000)).unwrap();
    std::os::unix::fs::symlink("../canary", root.join("link")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(root.join("pipe")).status().unwrap();
    assert!(pipe.success());
    for writable in [false, true] {
        let server = serve(|plan| (plan.root, plan.writable) = (Some(root.clone()), writable));
        let mut talk = Talk::to(&server);
        assert_eq!(talk.fetches("RETR /sub/file").0, noise(700_000));
        assert!(talk.says("REST 699990").starts_with("350"));
        assert_eq!(talk.fetches("RETR /sub/file").0, noise(700_000)[699_990..]);
        assert_eq!(talk.fetches("NLST").0, b"sub\r\n", "a pipe and a link to the outside are not there");
        for path in
            ["../canary", "/link", "/pipe", "sub/../../canary", "/..%2fcanary", "/sub/file/../../../canary"]
        {
            let (bytes, told) = talk.fetches(&format!("RETR {path}"));
            assert!(told.starts_with("550") || writable && bytes == b"gone", "{path}: {told}");
            let told = talk.stores(&format!("STOR {path}"), b"gone");
            assert!(told.starts_with("55") || writable && told.starts_with("226"), "{path}: {told}");
        }
        let told = talk.stores("STOR /sub/new", &noise(900_000));
        assert_eq!(told.starts_with("226"), writable, "{told}");
        assert_eq!(fs::read(root.join("sub/new")).is_ok_and(|bytes| bytes == noise(900_000)), writable);
        assert_eq!(fs::read(parent.path().join("canary")).unwrap(), b"secret");
    }
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 2);
    let plan = Plan { root: Some(root.join("nowhere")), ..Plan::of(Arc::new(scenario("", "\"quit\"", ""))) };
    assert!(Emulator::serve(plan, ftp421::time::Duration::ZERO).is_err());
}
