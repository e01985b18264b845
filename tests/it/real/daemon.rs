//! Real FTP servers as guards: started on a free port of loopback, ended when dropped.

use std::fs::{self, File, Permissions};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread::sleep;
use std::time::Duration;

use tempfile::TempDir;

/// A real server in the foreground. Nothing else can answer in its place: the process is the binary that was unpacked,
/// says the version that is expected, and holds the listening socket itself.
pub struct Daemon {
    /// Where it listens, on 127.0.0.1 or `::1`.
    pub port: u16,
    ip: IpAddr,
    name: &'static str,
    /// The files that clients see.
    pub root: PathBuf,
    /// Its transfer log, in the format of wu-ftpd. It is there from the first transfer on.
    pub xferlog: PathBuf,
    child: Child,
    program: PathBuf,
    /// Processes of sessions that may outlive a daemon that was sent a signal.
    orphans: Mutex<Vec<u32>>,
    _dir: TempDir,
}

impl Daemon {
    /// `ProFTPD` with the accounts `alice`, `bob`, `carol` and `dave`, password `secret`, who all come to `root` and may write there.
    /// `extra` is appended to its configuration.
    pub fn proftpd(extra: &str) -> Self {
        let program = unpacked("proftpd-core/usr/sbin/proftpd");
        assert_version(Command::new(&program).arg("-v"), "ProFTPD Version 1.3.");
        let with_config = |port, dir: &Path, root: &Path| {
            let account = |name| format!("{name}:{SECRET}:65534:65534::{}:/bin/sh\n", root.display());
            let users = dir.join("users");
            let all = ["alice", "bob", "carol", "dave"].map(account).concat();
            fs::write(&users, all).unwrap();
            fs::set_permissions(&users, Permissions::from_mode(0o600)).unwrap(); // it refuses a file that others may read
            let dir = dir.display();
            format!(
                "ServerType standalone\nDefaultAddress 127.0.0.1\nSocketBindTight on\nPort {port}\nUseIPv6 off\nUseReverseDNS off\n\
                 User nobody\nGroup nogroup\nRequireValidShell off\nAllowOverwrite on\nWtmpLog off\n\
                 AuthOrder mod_auth_file.c\nAuthUserFile {dir}/users\nTransferLog {dir}/xferlog\n\
                 ScoreboardFile {dir}/scoreboard\nPidFile {dir}/pid\nDelayTable {dir}/delay\nSystemLog {dir}/log\n{extra}\n"
            )
        };
        Self::start("proftpd", &program, V4, 0o777, |port, dir, root| {
            let args = ["-n", "-q", "-c"].map(String::from);
            args.into_iter().chain([written(dir, &with_config(port, dir, root))]).collect()
        })
    }

    /// vsftpd for anonymous clients, who may write in the folder `in` of `root`. The log names them by their password.
    /// `extra` is appended to its configuration.
    pub fn vsftpd(extra: &str) -> Self {
        Self::vsftpd_on(V4, extra)
    }

    /// The same, on this address of loopback.
    pub fn vsftpd_on(ip: IpAddr, extra: &str) -> Self {
        let program = unpacked("vsftpd/usr/sbin/vsftpd");
        // It writes its version to its standard input.
        assert_version(
            Command::new("sh").args(["-c", "exec \"$0\" -v 0>&1"]).arg(&program),
            "vsftpd: version 3.",
        );
        let with_config = |port, dir: &Path, root: &Path| {
            let (empty, incoming) = (dir.join("empty"), root.join("in"));
            fs::create_dir(&empty).unwrap();
            fs::create_dir(&incoming).unwrap();
            fs::set_permissions(&incoming, Permissions::from_mode(0o777)).unwrap();
            let (dir, root) = (dir.display(), root.display());
            let listen = if ip.is_ipv4() {
                format!("listen=YES\nlisten_ipv6=NO\nlisten_address={ip}")
            } else {
                format!("listen=NO\nlisten_ipv6=YES\nlisten_address6={ip}")
            };
            // It goes to the user's home before it goes to the root: that of `nobody` does not exist.
            format!(
                "{listen}\nlisten_port={port}\nbackground=NO\n\
                 seccomp_sandbox=NO\nisolate=NO\nisolate_network=NO\nsecure_chroot_dir={dir}/empty\nftp_username=daemon\n\
                 anonymous_enable=YES\nlocal_enable=NO\nanon_root={root}\nwrite_enable=YES\nanon_upload_enable=YES\n\
                 xferlog_enable=YES\nxferlog_std_format=YES\nxferlog_file={dir}/xferlog\n{extra}\n"
            )
        };
        Self::start("vsftpd", &program, ip, 0o755, |port, dir, root| {
            vec![written(dir, &with_config(port, dir, root))]
        })
    }

    /// Pure-FTPd with the accounts `alice`, `bob` and `carol`, password `secret`, and the passive ports `low` to `high`. `args` are
    /// appended to its command line.
    pub fn pure_ftpd([low, high]: [u16; 2], args: &[&str]) -> Self {
        let program = unpacked("pure-ftpd/usr/sbin/pure-ftpd");
        assert_version(Command::new(&program).arg("--help"), "pure-ftpd v1.0.");
        Self::start("pure-ftpd", &program, V4, 0o777, |port, dir, root| {
            // Its own tool would hash the password with Argon2, which alone takes a second of a login.
            let (users, database) = (dir.join("users"), dir.join("users.pdb"));
            let account = |name| format!("{name}:{SECRET}:65534:65534::{}/./::::::::::::\n", root.display());
            fs::write(&users, ["alice", "bob", "carol"].map(account).concat()).unwrap();
            let mut tool = Command::new(unpacked("pure-ftpd/usr/bin/pure-pw"));
            tool.arg("mkdb").arg(&database).arg("-f").arg(&users);
            assert!(tool.status().unwrap().success(), "{tool:?}");
            let (listen, ports) = (format!("127.0.0.1,{port}"), format!("{low}:{high}"));
            let (pid, database) =
                (dir.join("pid").display().to_string(), format!("puredb:{}", database.display()));
            ["-4", "-H", "-u", "1", "-S", &listen, "-p", &ports, "-g", &pid, "-l", &database]
                .iter()
                .chain(args)
                .map(|arg| (*arg).to_owned())
                .collect()
        })
    }

    /// pyftpdlib with the account `alice`, password `secret`. `extra` is Python, run before the server is made.
    pub fn pyftpdlib(extra: &str) -> Self {
        Self::pyftpdlib_with("FTPHandler", extra)
    }

    /// The same under TLS, with the certificate and the key in this file.
    pub fn pyftpdlib_tls(pem: &Path, extra: &str) -> Self {
        Self::pyftpdlib_with(
            "TLS_FTPHandler as FTPHandler",
            &format!("FTPHandler.certfile = '{}'\n{extra}", pem.display()),
        )
    }

    fn pyftpdlib_with(handler: &str, extra: &str) -> Self {
        let program = cached("venv/bin/python");
        let version = "import pyftpdlib; print('pyftpdlib', pyftpdlib.__ver__)";
        assert_version(Command::new(&program).args(["-c", version]), "pyftpdlib 2.");
        Self::start("pyftpdlib", &program, V4, 0o777, |port, dir, root| {
            let root = root.display();
            let script = format!(
                "import logging\n\
                 from pyftpdlib.authorizers import DummyAuthorizer\n\
                 from pyftpdlib.handlers import {handler}\n\
                 from pyftpdlib.servers import FTPServer\n\
                 logging.basicConfig(level=logging.ERROR)\n\
                 FTPHandler.authorizer = DummyAuthorizer()\n\
                 FTPHandler.authorizer.add_user('alice', 'secret', {:?}, perm='elradfmwMT')\n\
                 {extra}\n\
                 FTPServer(('127.0.0.1', {port}), FTPHandler).serve_forever()\n",
                root.to_string()
            );
            vec![written(dir, &script)]
        })
    }

    /// The address of a file under [`root`](Self::root).
    pub fn url(&self, path: &str) -> String {
        format!("ftp://127.0.0.1:{}/{path}", self.port)
    }

    /// The name of its profile.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (self.ip, self.port).into()
    }

    /// Sends the signal `name` to the daemon, and to no process of a session.
    pub fn signal(&self, name: &str) {
        self.orphans.lock().unwrap().extend(descendants(self.child.id()));
        signal(name, self.child.id());
    }

    /// Runs `program` with the arguments that belong to a port, a scratch folder and `root`, and waits until it listens on `ip`.
    /// `root_mode` is that of `root`.
    fn start(
        name: &'static str,
        program: &Path,
        ip: IpAddr,
        root_mode: u32,
        args: impl FnOnce(u16, &Path, &Path) -> Vec<String>,
    ) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let (dir, port) = (scratch.path(), free_port(ip));
        let root = dir.join("root");
        fs::create_dir(&root).unwrap();
        fs::set_permissions(dir, Permissions::from_mode(0o755)).unwrap(); // sessions do not run as root
        fs::set_permissions(&root, Permissions::from_mode(root_mode)).unwrap();
        let output = dir.join("output");
        let child = Command::new(program)
            .args(args(port, dir, &root))
            .stdin(Stdio::null())
            .stdout(File::create(&output).unwrap())
            .stderr(File::options().append(true).open(&output).unwrap())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}: run .ci/install", program.display()));
        let mut daemon = Self {
            port,
            ip,
            name,
            root,
            xferlog: dir.join("xferlog"),
            child,
            program: program.canonicalize().unwrap(),
            orphans: Mutex::default(),
            _dir: scratch,
        };
        for _ in 0..200 {
            if let Some(status) = daemon.child.try_wait().unwrap() {
                panic!("{} ended, {status}: {}", program.display(), fs::read_to_string(&output).unwrap());
            }
            if listens(daemon.child.id(), daemon.address()) {
                let running = fs::read_link(format!("/proc/{}/exe", daemon.child.id())).unwrap();
                assert_eq!(running, daemon.program, "another program runs as the daemon");
                return daemon;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("{} does not listen: {}", program.display(), fs::read_to_string(&output).unwrap());
    }
}

impl Drop for Daemon {
    /// Asks it to end, and kills it if it has not ended after two seconds. The processes of sessions that outlive it (those of vsftpd
    /// and Pure-FTPd do) are killed.
    fn drop(&mut self) {
        let mut sessions = descendants(self.child.id());
        sessions.append(&mut self.orphans.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        signal("TERM", self.child.id());
        for _ in 0..40 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                break;
            }
            sleep(Duration::from_millis(50));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        for pid in sessions {
            if executable(pid).is_some_and(|runs| runs == self.program) {
                signal("KILL", pid);
            }
        }
    }
}

fn signal(name: &str, pid: u32) {
    let _ = Command::new("kill").args(["-s", name, &pid.to_string()]).stderr(Stdio::null()).status();
}

/// The program that the process runs; none if it has ended.
fn executable(pid: u32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/exe")).ok()
}

/// The processes that descend from `ancestor`.
fn descendants(ancestor: u32) -> Vec<u32> {
    let parent = |pid: u32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse::<u32>().ok()
    };
    let pids =
        fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parents: Vec<(u32, u32)> = pids.filter_map(|pid| Some((pid, parent(pid)?))).collect();
    let mut family = vec![ancestor];
    for place in 0.. {
        let Some(&pid) = family.get(place) else { break };
        family.extend(parents.iter().filter(|(_, parent)| *parent == pid).map(|(child, _)| *child));
    }
    family.split_off(1)
}

/// The word `secret` as crypt(3) keeps it.
const SECRET: &str =
    "$6$ftp421$PKdo2tfv5RcZgq9db80WE/3.ht.XJXmSPZmdd59VZIX86Tp8rf9D/0JU2kH.IZ5.CJYmSLZSejqIRtGK90CpW.";

/// Writes a configuration to the folder and gives back the name of its file.
fn written(dir: &Path, config: &str) -> String {
    let file = dir.join("config");
    fs::write(&file, config).unwrap();
    file.display().to_string()
}

/// A program of the daemons that `.ci/install` unpacks.
fn unpacked(path: &str) -> PathBuf {
    cached(&format!("daemons/{path}"))
}

/// The folder of a module that `.ci/install` unpacks for `ProFTPD`.
pub fn module(package: &str, module: &str) -> PathBuf {
    let folder = unpacked(&format!("{package}/usr/lib/proftpd"));
    assert!(folder.join(module).exists(), "{module} is missing: run .ci/install");
    folder
}

/// A program that `.ci/install` has put in place.
fn cached(path: &str) -> PathBuf {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache").join(path);
    assert!(program.exists(), "{} is missing: run .ci/install", program.display());
    program
}

fn assert_version(command: &mut Command, expected: &str) {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}: run .ci/install"));
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(
        said.starts_with(expected),
        "{expected}.. expected, but {command:?} said: {said}: run .ci/install"
    );
}

/// Where all of them listen that are not asked to listen elsewhere.
const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
/// The other loopback.
pub const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

fn free_port(ip: IpAddr) -> u16 {
    std::net::TcpListener::bind((ip, 0)).unwrap().local_addr().unwrap().port()
}

/// Does the process `pid` itself hold the socket that listens at `at`, an address of loopback?
fn listens(pid: u32, at: SocketAddr) -> bool {
    let port = at.port();
    let (table, address) = if at.is_ipv4() {
        ("/proc/net/tcp", format!("0100007F:{port:04X}"))
    } else {
        ("/proc/net/tcp6", format!("00000000000000000000000001000000:{port:04X}"))
    };
    let sockets = fs::read_to_string(table).unwrap();
    let fields = sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let Some(inode) =
        fields.filter(|f| f[1] == address && f[3] == "0A").map(|f| format!("socket:[{}]", f[9])).next()
    else {
        return false;
    };
    let Ok(open) = fs::read_dir(format!("/proc/{pid}/fd")) else { return false };
    open.flatten().any(|fd| fs::read_link(fd.path()).is_ok_and(|to| to.as_os_str() == inode.as_str()))
}
