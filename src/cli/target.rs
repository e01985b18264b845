//! Where a load goes, and whether it may go there: the target's URL, the rule of loopback, and the clients' addresses.
//!
//! It resolves a name, once; it connects to nothing.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _};

use anyhow::Context as _;

use super::exit::Failure;
use crate::live::load::{DataForm, Sources, Target};
use crate::live::tls::{Terms, Trust};
use crate::scenario::Scenario;
use crate::server;
use crate::workload::Addresses;

/// The arguments of every command that talks to a server.
#[derive(Debug, clap::Args)]
#[expect(clippy::doc_markdown, reason = "the words are those of the help, where no mark-up is read")]
pub(super) struct TargetArgs {
    /// The server: ftp://HOST[:PORT], or ftps://HOST[:PORT] where TLS begins with the first byte
    #[arg(long, env = "FTP421_TARGET", value_name = "URL", hide_env_values = true)]
    pub target: Option<String>,
    /// I may load this host: its name as it stands in --target. Without it only loopback is talked to
    #[arg(long, value_name = "HOST")]
    i_own: Option<String>,
    /// Addresses of this machine that the clients come from, such as 127.0.0.0/24: the scenario's first address is its first,
    /// and so on, in turn. Without it all of 127.1.0.0/16 for an IPv4 loopback target, otherwise what the kernel chooses
    #[arg(long, value_name = "CIDR")]
    source: Option<String>,
    /// How clients ask for a data connection: classic (PASV, PORT) or extended (EPSV, EPRT). Without it, classic over IPv4
    #[arg(long, value_name = "FORM")]
    data: Option<Data>,
    /// Under TLS: the authorities whose word is taken for who the server is, PEM. Without it those that this machine knows
    #[arg(long, value_name = "FILE", conflicts_with = "tls_insecure")]
    tls_ca: Option<std::path::PathBuf>,
    /// Under TLS: do not check who the server is
    #[arg(long)]
    tls_insecure: bool,
    /// Under TLS: version 1.2 and not 1.3. A server that wants every data connection to go on with the session of the control
    /// connection may give few tickets for it (ProFTPD: two), and in 1.3 a ticket serves once
    #[arg(long)]
    tls12: bool,
    /// The server profile whose texts a refusal is compared with first; without it that of the scenario
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Data {
    Classic,
    Extended,
}

/// The addresses of loopback that clients have unless `--source` says otherwise.
const LOOPBACK: Cidr = Cidr { first: IpAddr::V4(Ipv4Addr::new(127, 1, 0, 1)), count: 65_534 };

impl TargetArgs {
    /// The target, if one is given: resolved, and allowed.
    pub(super) fn target(&self) -> Result<Option<Target>, Failure> {
        let Some(url) = &self.target else {
            let idle = [
                (self.i_own.is_some(), "--i-own says whose --target it is"),
                (self.tls_ca.is_some(), "--tls-ca says who vouches for a --target"),
                (self.tls_insecure, "--tls-insecure trusts any --target"),
            ];
            return match idle.iter().find(|(given, _)| *given) {
                None => Ok(None),
                Some((_, what)) => Err(Failure::Usage(format!("{what}; there is none"))),
            };
        };
        let Url { host, port, implicit_tls } = Url::parse(url).map_err(Failure::Usage)?;
        let addresses = resolve(&host, port)?;
        self.check_allowed(&host, &addresses)?;
        // A name of both families: more servers listen on IPv4, and only there loopback has more than one address.
        let address = addresses.iter().find(|a| a.is_ipv4()).or(addresses.first());
        let address = *address.with_context(|| format!("{host} has no address"))?;
        Ok(Some(Target {
            host,
            address,
            implicit_tls,
            tls: Terms { trust: self.trust()?, old: self.tls12 },
            data: self.data(),
        }))
    }

    /// Whose word is taken for who the server is.
    fn trust(&self) -> Result<Trust, Failure> {
        if self.tls_insecure {
            return Ok(Trust::Anybody);
        }
        let Some(file) = &self.tls_ca else { return Ok(Trust::System) };
        Ok(Trust::Authorities(super::read::bounded(file).context("--tls-ca")?))
    }

    /// How clients ask for a data connection.
    pub(super) fn data(&self) -> DataForm {
        match self.data {
            None => DataForm::ByFamily,
            Some(Data::Classic) => DataForm::Classic,
            Some(Data::Extended) => DataForm::Extended,
        }
    }

    /// The safety rule: loopback, or what its owner names.
    fn check_allowed(&self, host: &str, addresses: &[SocketAddr]) -> Result<(), Failure> {
        let own = self.i_own.as_deref().map(bare);
        if let Some(own) = own.filter(|own| !own.eq_ignore_ascii_case(host)) {
            return Err(Failure::NotAllowed(format!(
                "--i-own {own} is not the target's host: it must be written as in --target, {host}"
            )));
        }
        match addresses.iter().find(|address| !is_loopback(address.ip())) {
            Some(far) if own.is_none() => {
                let which = if far.ip().to_string() == host {
                    host.to_owned()
                } else {
                    format!("{host} ({})", far.ip())
                };
                Err(Failure::NotAllowed(format!(
                    "{which} is not this machine, and a load can do harm: nothing was sent; if the server is yours, or \
                     you may load it, say so with --i-own {host}"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Where the clients of `scenario` come from, and a sentence about it.
    pub(super) fn sources(&self, scenario: &Scenario, target: IpAddr) -> Result<(Sources, String), Failure> {
        let given = self.source.as_deref().map(Cidr::parse).transpose().map_err(Failure::Usage)?;
        if let Some(cidr) = given {
            if cidr.first.is_ipv4() != target.is_ipv4() {
                return Err(Failure::Usage(format!(
                    "--source {} and the target {target} are of two families",
                    self.source.as_deref().unwrap_or_default()
                )));
            }
            cidr.check_is_ours()?;
        }
        let default = (target.is_ipv4() && is_loopback(target)).then_some(LOOPBACK);
        if let Some(cidr) = given.or(default) {
            return Ok((Sources::Network { first: cidr.first, count: cidr.count }, cidr.describe(scenario)));
        }
        if is_loopback(target) && pool(scenario) > 1 {
            return Err(Failure::Usage(format!(
                "the scenario's clients come from {} addresses, and IPv6 has only one on loopback, ::1: load it over \
                 IPv4, or leave `addresses` out of the scenario",
                pool(scenario)
            )));
        }
        let all = "all clients come from one address, so limits for each address count them together";
        Ok((Sources::Kernel, format!("{all} (--source CIDR for others)")))
    }

    /// By whose texts refusals are told apart first.
    pub(super) fn profile(&self, scenario: Option<&Scenario>) -> Result<Option<String>, Failure> {
        let Some(name) = &self.profile else { return Ok(scenario.map(|s| s.policy().profile.clone())) };
        if server::Profile::named(name).is_none() {
            let why = format!("--profile {name}: there is none; `ftp421 profiles` lists the servers");
            return Err(Failure::Usage(why));
        }
        Ok(Some(name.clone()))
    }
}

/// Is `address` this machine's own, whoever asks?
pub(super) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// How many addresses the pools of `scenario` have.
fn pool(scenario: &Scenario) -> usize {
    let pools = scenario.populations.iter().map(|population| match &population.addresses {
        Addresses::Unique => 0,
        Addresses::Pool { peers, .. } => peers.len(),
    });
    pools.max().unwrap_or(0)
}

/// A host without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host)
}

fn resolve(host: &str, port: u16) -> anyhow::Result<Vec<SocketAddr>> {
    let found = (host, port).to_socket_addrs().with_context(|| format!("cannot find the host {host:?}"))?;
    let found: Vec<SocketAddr> = found.take(64).collect();
    anyhow::ensure!(!found.is_empty(), "the host {host:?} has no address");
    Ok(found)
}

/// A target as it is written.
#[derive(PartialEq, Eq, Debug)]
struct Url {
    host: String,
    port: u16,
    implicit_tls: bool,
}

impl Url {
    /// Reads `scheme://host[:port][/]`. What is wrong is said without the text itself: a password may stand in it.
    fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) =
            text.split_once("://").ok_or("--target is a URL: ftp://HOST:PORT or ftps://HOST:PORT")?;
        let implicit_tls = match scheme.to_ascii_lowercase().as_str() {
            "ftp" => false,
            "ftps" => true,
            other => {
                return Err(format!(
                    "--target begins with ftp:// or ftps://, not {:?}://",
                    other.chars().take(12).collect::<String>()
                ));
            }
        };
        if rest.contains('@') {
            return Err(
                "no user stands in --target: a command line can be read by all; see --user and --users"
                    .to_owned(),
            );
        }
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '?', '#']) {
            return Err("--target has no path: the scenario says what is fetched".to_owned());
        }
        let (host, port) = split_port(rest).ok_or("--target: the port is a number from 1 to 65535")?;
        if host.is_empty() {
            return Err("--target names no host: ftp://HOST:PORT".to_owned());
        }
        let port = port.unwrap_or(if implicit_tls { 990 } else { 21 });
        Ok(Self { host: bare(host).to_owned(), port, implicit_tls })
    }
}

/// `host` and its port, if there is one; `None` if it is no port.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let behind = text.rfind(']').map_or(0, |at| at + 1); // the colons of an IPv6 address are none of a port
    let Some(colon) = text[behind..].rfind(':').map(|at| at + behind) else { return Some((text, None)) };
    let port = text[colon + 1..].parse().ok().filter(|port| *port > 0)?;
    Some((&text[..colon], Some(port)))
}

/// Addresses in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cidr {
    first: IpAddr,
    count: u32,
}

impl Cidr {
    /// The hosts of a network: without its first and last address, which IPv4 keeps for itself, where there are more than two.
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("--source {text:?} is no network: 127.0.0.0/24, or one address");
        let (address, prefix) = match text.split_once('/') {
            None => (text, None),
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().map_err(|_| wrong())?)),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let free = width - prefix.unwrap_or(width).min(width);
        if prefix.is_some_and(|prefix| prefix > width) {
            return Err(wrong());
        }
        let size = 1_u128.checked_shl(free).unwrap_or(u128::MAX);
        let count = |spare: u128| u32::try_from(size - spare).unwrap_or(u32::MAX);
        Ok(match address {
            IpAddr::V4(address) => {
                let spare = u32::from(free > 1);
                let net = u128::from(address.to_bits()) & !(size - 1);
                Self { first: IpAddr::V4((net as u32 + spare).into()), count: count(2 * u128::from(spare)) }
            }
            IpAddr::V6(address) => {
                Self { first: IpAddr::V6((address.to_bits() & !(size - 1)).into()), count: count(0) }
            }
        })
    }

    fn last(self) -> IpAddr {
        match self.first {
            IpAddr::V4(first) => IpAddr::V4((first.to_bits() + (self.count - 1)).into()),
            IpAddr::V6(first) => {
                IpAddr::V6(first.to_bits().saturating_add(u128::from(self.count - 1)).into())
            }
        }
    }

    /// May this machine send from there? The first and the last tell.
    fn check_is_ours(self) -> Result<(), Failure> {
        for address in [self.first, self.last()] {
            if let Err(error) = std::net::UdpSocket::bind((address, 0)) {
                let why = format!("--source: {address} is not an address of this machine ({error})");
                return Err(Failure::Usage(why));
            }
        }
        Ok(())
    }

    /// The map of addresses, in a sentence.
    fn describe(self, scenario: &Scenario) -> String {
        let (first, last) = (self.first, self.last());
        let named = scenario.addresses.len();
        let own = scenario.populations.iter().filter(|p| matches!(p.addresses, Addresses::Unique)).count();
        let whose = match (named, own) {
            (0, _) => "each client has an address of its own".to_owned(),
            (1, 0) => "the scenario's one address".to_owned(),
            (_, 0) => format!("the scenario's {named} addresses"),
            (_, _) => format!("the scenario's {named} addresses, and one more for each client with its own"),
        };
        if first == last {
            return format!("{whose}: all are {first} here");
        }
        let again = if named > self.count { ", again from the first behind the last" } else { "" };
        format!("{whose}: here {first} and those after it, up to {last}{again}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_and_perhaps_a_port() {
        let url = |host: &str, port, implicit_tls| Ok(Url { host: host.to_owned(), port, implicit_tls });
        for (text, expected) in [
            ("ftp://localhost", url("localhost", 21, false)),
            ("ftp://127.0.0.1:2121/", url("127.0.0.1", 2121, false)),
            ("FTPS://ftp.example.org", url("ftp.example.org", 990, true)),
            ("ftp://[::1]:2121", url("::1", 2121, false)),
            ("ftp://[::1]", url("::1", 21, false)),
        ] {
            assert_eq!(Url::parse(text), expected, "{text}");
        }
        for wrong in
            ["localhost", "http://x", "ftp://", "ftp://x:0", "ftp://x:99999", "ftp://x/pub", "ftp://:21"]
        {
            assert!(Url::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_password_in_a_url_is_not_repeated() {
        let told = Url::parse("ftp://alice:secret@localhost").unwrap_err();
        assert!(!told.contains("secret") && told.contains("--user"), "{told}");
    }

    #[test]
    fn a_network_is_its_hosts() {
        for (text, first, last) in [
            ("127.0.0.0/24", "127.0.0.1", "127.0.0.254"),
            ("127.0.3.77/24", "127.0.3.1", "127.0.3.254"),
            ("127.0.0.0/8", "127.0.0.1", "127.255.255.254"),
            ("127.0.0.8/31", "127.0.0.8", "127.0.0.9"),
            ("127.0.0.8", "127.0.0.8", "127.0.0.8"),
            ("::1", "::1", "::1"),
            ("fd00::/126", "fd00::", "fd00::3"),
        ] {
            let cidr = Cidr::parse(text).unwrap();
            assert_eq!(
                (cidr.first.to_string(), cidr.last().to_string()),
                (first.into(), last.into()),
                "{text}"
            );
        }
        assert!(["", "127.0.0.0/33", "127.0.0/24", "x/8"].iter().all(|text| Cidr::parse(text).is_err()));
        assert_eq!(Cidr::parse("0.0.0.0/0").unwrap().count, u32::MAX - 1);
    }

    fn args(target: &str, own: Option<&str>) -> TargetArgs {
        let own = own.map(str::to_owned);
        TargetArgs {
            target: Some(target.to_owned()),
            i_own: own,
            source: None,
            data: None,
            profile: None,
            tls_ca: None,
            tls_insecure: false,
            tls12: false,
        }
    }

    #[test]
    fn only_loopback_is_talked_to_unless_the_owner_names_the_host() {
        for fine in ["ftp://127.0.0.1:2121", "ftp://127.9.9.9", "ftp://[::1]", "ftp://[::ffff:127.0.0.1]"] {
            assert!(args(fine, None).target().is_ok(), "{fine}");
        }
        for far in ["ftp://192.0.2.1", "ftp://[2001:db8::1]", "ftp://0.0.0.0", "ftp://[::ffff:192.0.2.1]"] {
            assert!(matches!(args(far, None).target(), Err(Failure::NotAllowed(_))), "{far}");
        }
        let wrong = args("ftp://192.0.2.1", Some("192.0.2.2")).target();
        assert!(matches!(wrong, Err(Failure::NotAllowed(_))));
        assert!(args("ftp://192.0.2.1", Some("192.0.2.1")).target().is_ok());
        assert!(args("ftp://[2001:db8::1]", Some("[2001:db8::1]")).target().is_ok());
    }
}
