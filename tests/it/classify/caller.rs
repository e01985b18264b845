//! Clients of a real server, driven by hand, whose refusals are judged as a load generator would judge them.
//!
//! They open no data connection.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration as Real;

use ftp421::classify::{Around, Classifier, Evidence, Verdict, Whose};
use ftp421::ftp::Verb;
use ftp421::observe::{Cause, CloseHow, Phase};
use ftp421::time::{Duration, Instant};

/// No server of these tests lets one wait for longer.
const PATIENCE: Real = Real::from_secs(15);

/// The end that belongs to a reply comes within this time.
const AT_ONCE: Real = Real::from_millis(150);

/// All clients of one server.
pub struct Crowd {
    port: u16,
    around: Around,
    named: Classifier,
    any: Classifier,
    began: std::time::Instant,
}

/// One of them.
pub struct Caller {
    stream: BufReader<TcpStream>,
    whose: Whose,
    connected: Instant,
    greeted: bool,
    logged_in: Option<Instant>,
    sent: Instant,
    busy: Instant,
    tries: u8,
    mistyped: bool,
}

/// What one of them hears, and what it is taken for.
#[derive(Debug)]
pub struct Heard {
    pub code: u16,
    pub text: String,
    pub close: Option<CloseHow>,
    /// By a classifier that was told the profile, and by one that was not.
    pub named: Option<Verdict>,
    pub any: Option<Verdict>,
}

impl Heard {
    /// Both classifiers take it for `cause`.
    pub fn is(&self, cause: Cause) {
        let causes = [self.named, self.any].map(|verdict| verdict.map(|verdict| verdict.cause));
        assert_eq!(causes, [Some(cause); 2], "{self:?}");
    }

    /// It refuses nothing.
    pub fn is_harmless(&self) {
        assert!(self.named.is_none() && self.any.is_none(), "{self:?}");
    }
}

impl Crowd {
    /// The clients of the server of `profile` at this port of 127.0.0.1.
    pub fn new(profile: &str, port: u16) -> Self {
        Self {
            port,
            around: Around::default(),
            named: Classifier::new(Some(profile)),
            any: Classifier::new(None),
            began: std::time::Instant::now(),
        }
    }

    fn now(&self) -> Instant {
        Instant::from_nanos(u64::try_from(self.began.elapsed().as_nanos()).expect("a test is short"))
    }

    /// Somebody connects from 127.0.0.`address` who will be user number `user`, and reads the greeting or what comes in its place.
    pub fn call(&mut self, address: u8, user: u16) -> (Caller, Heard) {
        let whose = Whose { address: u32::from(address), user };
        self.around.attempt(self.now(), whose);
        let stream = connect(address, self.port);
        stream.set_nodelay(true).unwrap();
        self.around.opened(whose);
        let now = self.now();
        let mut caller = Caller {
            stream: BufReader::new(stream),
            whose,
            connected: now,
            greeted: false,
            logged_in: None,
            sent: now,
            busy: now,
            tries: 0,
            mistyped: false,
        };
        let heard = self.hears(&mut caller, None);
        (caller, heard)
    }

    /// Somebody calls and is greeted.
    pub fn enters(&mut self, address: u8, user: u16) -> Caller {
        let (caller, heard) = self.call(address, user);
        assert_eq!(heard.code, 220, "{heard:?}");
        heard.is_harmless();
        caller
    }

    /// The caller gives a name and a password, and hears what comes of it.
    pub fn logs_in(&mut self, caller: &mut Caller, name: &str, password: &str) -> Heard {
        let asked = self.says(caller, &format!("USER {name}"));
        if asked.code != 331 {
            return asked;
        }
        caller.mistyped = false;
        self.says(caller, &format!("PASS {password}"))
    }

    /// The caller guesses a password.
    pub fn guesses(&mut self, caller: &mut Caller, name: &str) -> Heard {
        self.says(caller, &format!("USER {name}"));
        caller.mistyped = true;
        self.around.mistyped(caller.whose);
        self.says(caller, "PASS guess@example.org")
    }

    /// The caller sends a command and hears the answer.
    pub fn says(&mut self, caller: &mut Caller, line: &str) -> Heard {
        let verb = match line.split(' ').next() {
            Some("USER") => Verb::User,
            Some("PASS") => Verb::Pass,
            Some("NOOP") => Verb::Noop,
            Some("PASV") => Verb::Pasv,
            Some("SITE") => Verb::SiteIdle,
            Some("RETR") => Verb::Retr,
            _ => Verb::Other,
        };
        caller.sent = self.now();
        if !verb.is_keep_alive() {
            caller.busy = caller.sent;
        }
        caller.tries += u8::from(verb == Verb::Pass);
        // It may be closed already; then that is what is heard.
        let _ = caller.stream.get_mut().write_all(format!("{line}\r\n").as_bytes());
        self.hears(caller, Some(verb))
    }

    /// The caller says nothing until something comes.
    pub fn waits(&mut self, caller: &mut Caller) -> Heard {
        self.hears(caller, None)
    }

    fn hears(&mut self, caller: &mut Caller, answers: Option<Verb>) -> Heard {
        let (code, text, mut close) = caller.reads();
        let now = self.now();
        if code >= 400 {
            close = caller.ends();
        }
        let phase = match caller {
            Caller { logged_in: Some(_), .. } => Phase::Session,
            Caller { greeted: false, .. } if code == 0 => Phase::Accept,
            Caller { greeted: false, .. } => Phase::Greeting,
            Caller { tries: 1.., .. } => Phase::Pass,
            _ if code == 0 => Phase::PreLogin,
            _ => Phase::User,
        };
        let mut evidence = Evidence {
            code,
            text: &text,
            phase,
            answers,
            close,
            connected: now.since(caller.connected),
            logged_in: caller.logged_in.map_or(Duration::ZERO, |at| now.since(at)),
            quiet: now.since(caller.sent),
            idle: now.since(caller.busy),
            no_transfer: caller.logged_in.map_or(Duration::ZERO, |at| now.since(at)),
            mistyped: caller.mistyped,
            tries: caller.tries,
            ..Evidence::default()
        };
        self.around.complete(now, caller.whose, (true, caller.logged_in.is_some()), &mut evidence);
        let (named, any) = (self.named.judge(&evidence), self.any.judge(&evidence));
        match code {
            220 => {
                caller.greeted = true;
                self.around.greeted(now, caller.whose);
            }
            230 => {
                caller.logged_in = Some(now);
                self.around.logged_in(now, caller.whose);
            }
            _ if named.is_some() && caller.logged_in.is_none() => {
                self.around.refused(now, caller.whose, phase);
            }
            _ => {}
        }
        if code == 0 || close.is_some() {
            self.around.closed(caller.whose);
        }
        Heard { code, text, close, named, any }
    }
}

impl Caller {
    /// The next reply, or how the connection ended.
    fn reads(&mut self) -> (u16, String, Option<CloseHow>) {
        self.stream.get_mut().set_read_timeout(Some(PATIENCE)).unwrap();
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            match self.stream.read_line(&mut line) {
                Ok(0) => return (0, String::new(), Some(CloseHow::Fin)),
                Ok(_) => {}
                Err(e) if e.kind() == ErrorKind::ConnectionReset => {
                    return (0, String::new(), Some(CloseHow::Rst));
                }
                Err(e) => panic!("{e}: nothing came in {PATIENCE:?}; until then: {lines:?}"),
            }
            let line = line.trim_end();
            let (code, text) = (line.get(..3).unwrap_or(""), line.get(4..).unwrap_or(""));
            lines.push(text.to_owned());
            if line.as_bytes().get(3) == Some(&b' ')
                && let Ok(code) = code.parse()
            {
                return (code, lines.join("\n"), None);
            }
        }
    }

    /// Says nothing for so long; nothing comes meanwhile.
    pub fn pauses(&mut self, time: Real) {
        self.stream.get_mut().set_read_timeout(Some(time)).unwrap();
        assert!(self.stream.fill_buf().is_err(), "something came");
    }

    /// How the connection has ended, if it ends at once.
    fn ends(&mut self) -> Option<CloseHow> {
        self.stream.get_mut().set_read_timeout(Some(AT_ONCE)).unwrap();
        match self.stream.fill_buf() {
            Ok([]) => Some(CloseHow::Fin),
            Err(e) if e.kind() == ErrorKind::ConnectionReset => Some(CloseHow::Rst),
            _ => None,
        }
    }
}

fn connect(address: u8, port: u16) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(SocketAddr::from((Ipv4Addr::new(127, 0, 0, address), 0))).unwrap();
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        socket.connect(server).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream
}
