//! A man in the middle: passes a control connection on, end for end, and writes down who said what and when.
//!
//! Data connections do not come through it: PASV and PORT name the real ends, which have the same address.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Instant;

use nix::sys::socket::{setsockopt, sockopt};

/// One connection.
#[derive(Clone, Default, Debug)]
pub struct Call {
    /// Seconds since the relay began.
    pub at: f64,
    /// What the client said, line for line.
    pub heard: Vec<String>,
    /// What the server said.
    pub said: Vec<String>,
}

/// It takes connections until it is dropped.
pub struct Relay {
    pub address: SocketAddr,
    calls: Arc<Mutex<Vec<Call>>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Passes everything on to `server`.
    pub fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind((server.ip(), 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let (calls, over) = <(Arc<Mutex<Vec<Call>>>, Arc<AtomicBool>)>::default();
        let (written, ended, began) = (Arc::clone(&calls), Arc::clone(&over), Instant::now());
        let thread = std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let number = {
                    let mut calls = written.lock().unwrap();
                    calls.push(Call { at: began.elapsed().as_secs_f64(), ..Call::default() });
                    calls.len() - 1
                };
                // Nobody listens: the client is cut off, which is as near as can be.
                let Ok(server) = TcpStream::connect(server) else { continue };
                pass(&client, &server, Arc::clone(&written), move |calls| &mut calls[number].heard);
                pass(&server, &client, Arc::clone(&written), move |calls| &mut calls[number].said);
            }
        });
        Self { address, calls, over, thread: Some(thread) }
    }

    /// What came through so far.
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address); // wakes it
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// Passes on what `from` says until one of them has gone: a FIN as a FIN, and a reset as a reset.
fn pass(
    from: &TcpStream,
    to: &TcpStream,
    calls: Arc<Mutex<Vec<Call>>>,
    lines: impl Fn(&mut Vec<Call>) -> &mut Vec<String> + Send + 'static,
) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    std::thread::spawn(move || {
        let (mut part, mut unfinished) = ([0; 4_096], Vec::new());
        loop {
            match from.read(&mut part) {
                Ok(0) => break drop(to.shutdown(Shutdown::Write)),
                Ok(read) => {
                    unfinished.extend_from_slice(&part[..read]);
                    while let Some(end) = unfinished.iter().position(|byte| *byte == b'\n') {
                        let line: Vec<u8> = unfinished.drain(..=end).collect();
                        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                        lines(&mut calls.lock().unwrap()).push(line);
                    }
                    if to.write_all(&part[..read]).is_err() {
                        break drop(from.shutdown(Shutdown::Both));
                    }
                }
                Err(error) => {
                    if error.kind() == ErrorKind::ConnectionReset {
                        let linger = nix::libc::linger { l_onoff: 1, l_linger: 0 };
                        let _ = setsockopt(&to, sockopt::Linger, &linger);
                    }
                    break drop(to.shutdown(Shutdown::Both));
                }
            }
        }
    });
}
