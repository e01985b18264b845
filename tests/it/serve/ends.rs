//! How TCP ends: with a FIN, with a reset, with a FIN and then a reset; and what becomes of the listener.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::{server, server_with};

const PATIENCE: Duration = Duration::from_secs(10);

fn connect(to: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// What comes up to the end, and whether that is a reset.
fn to_the_end(stream: &mut TcpStream) -> (String, bool) {
    let (mut all, mut part) = (Vec::new(), [0; 1_024]);
    loop {
        match stream.read(&mut part) {
            Ok(0) => return (String::from_utf8_lossy(&all).into_owned(), false),
            Ok(read) => all.extend_from_slice(&part[..read]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                return (String::from_utf8_lossy(&all).into_owned(), true);
            }
            Err(error) => panic!("{error} behind {:?}", String::from_utf8_lossy(&all)),
        }
    }
}

#[test]
fn a_quit_ends_with_a_fin_behind_the_goodbye() {
    let server = server("profile = \"proftpd\"", "\"quit\"");
    let mut client = connect(server.address());
    client.write_all(b"USER alice\r\nPASS ftp421\r\nQUIT\r\nNOOP\r\n").unwrap();
    let (heard, reset) = to_the_end(&mut client);
    assert!(heard.lines().last().unwrap().starts_with("221") && !reset, "{heard} {reset}");
}

#[test]
fn a_crash_resets_every_connection() {
    let fault = "[[faults]]\nat = \"300ms\"\nkind = \"shutdown\"\nform = \"crash\"\n";
    let server = server_with("", "\"quit\"", fault);
    let (heard, reset) = to_the_end(&mut connect(server.address()));
    assert!(heard.starts_with("220") && reset, "{heard} {reset}");
    let refused = TcpStream::connect(server.address()).map(drop).map_err(|error| error.kind());
    assert_eq!(refused, Err(ErrorKind::ConnectionRefused));
}

#[test]
fn a_server_that_is_full_says_so_and_closes() {
    for (profile, keys, reset_if_spoken) in [
        ("rfc959", "max_clients = 1", false),
        ("vsftpd", "max_clients = 1", true),
        ("pyftpdlib", "max_clients = 1", true),
    ] {
        let server = server(&format!("profile = \"{profile}\"\n{keys}"), "\"quit\"");
        let mut holder = connect(server.address());
        assert_eq!(holder.read(&mut [0; 3]).unwrap(), 3);
        let (heard, reset) = to_the_end(&mut connect(server.address()));
        assert!(heard.starts_with("421") && !reset, "{profile}: {heard} {reset}");
        // The kernel resets a connection with something unread.
        let mut eager = connect(server.address());
        eager.write_all(b"USER alice\r\n").unwrap();
        let (_, reset) = to_the_end(&mut eager);
        assert!(!reset || reset_if_spoken, "{profile}: {reset}");
    }
}

#[test]
fn the_listener_comes_back_on_the_same_port() {
    let fault = "[[faults]]\nat = \"300ms\"\nkind = \"shutdown\"\nform = \"cut\"\ndown = \"500ms\"\n";
    let server = server_with("", "\"quit\"", fault);
    let (heard, _) = to_the_end(&mut connect(server.address()));
    assert!(heard.starts_with("220"));
    assert!(TcpStream::connect(server.address()).is_err());
    let began = Instant::now();
    let mut again = loop {
        match TcpStream::connect(server.address()) {
            Ok(stream) => break stream,
            Err(error) => assert!(began.elapsed() < PATIENCE, "{error}"),
        }
    };
    let mut greeting = [0; 3];
    again.read_exact(&mut greeting).unwrap();
    assert_eq!(&greeting, b"220");
}

#[test]
fn a_server_that_hangs_lets_the_kernel_queue_fill_up() {
    let fault = "[[faults]]\nat = \"0s\"\nkind = \"shutdown\"\nform = \"hang\"\n[[faults]]\nat = \"0s\"\nkind = \"backlog\"\nto = 3\n";
    let server = server_with("", "\"quit\"", fault);
    std::thread::sleep(Duration::from_millis(100)); // the fault's time is now, and has no event that could be seen
    // A SYN that was dropped comes again after a second.
    let soon = Duration::from_millis(2_500);
    let held: Vec<_> =
        (0..12).map_while(|_| TcpStream::connect_timeout(&server.address(), soon).ok()).collect();
    assert_eq!(held.len(), 4, "one more than the backlog");
    held[0].set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!((&held[0]).read(&mut [0; 3]).is_err(), "nobody is greeted");
}
