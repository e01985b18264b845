//! Where a served model listens, and what it shows for TLS: the address, the rule of loopback, the certificate.
//!
//! It opens no socket.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use anyhow::Context as _;

use crate::cli::exit::Failure;
use crate::cli::{output, read, target};
use crate::live::tls::Acceptor;
use crate::scenario::Scenario;

/// The arguments.
#[derive(Debug, clap::Args)]
pub(super) struct DoorArgs {
    /// Where it listens; 0 picks a free port
    #[arg(long, env = "FTP421_PORT", default_value_t = 0)]
    port: u16,
    /// The address that it listens on: one of this machine's own, such as 127.0.0.2 or ::1
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_parser = address)]
    host: IpAddr,
    /// Listen on a --host that others can reach, too: whoever does may log in with what `curl` can guess
    #[arg(long)]
    anyone_may_connect: bool,
    /// TLS begins with the first byte (ftps://), as at port 990
    #[arg(long, help_heading = "TLS")]
    implicit_tls: bool,
    /// Its certificate, PEM, with those that vouch for it behind; without it, it makes one for localhost
    #[arg(long, value_name = "FILE", requires = "key", help_heading = "TLS")]
    cert: Option<PathBuf>,
    /// The private key of --cert, PEM
    #[arg(long, value_name = "FILE", requires = "cert", help_heading = "TLS")]
    key: Option<PathBuf>,
    /// Write the certificate that it shows to this file, so that a client can trust it: curl --cacert FILE
    #[arg(long, value_name = "FILE", help_heading = "TLS")]
    cert_out: Option<PathBuf>,
}

/// Reads an address, for clap.
fn address(text: &str) -> Result<IpAddr, String> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    match bare {
        "localhost" => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        bare => {
            bare.parse().map_err(|_| "write an address of this machine, such as 127.0.0.1 or ::1".to_owned())
        }
    }
}

impl DoorArgs {
    /// The place to listen at, if the safety rule allows it.
    pub(super) fn listen(&self) -> Result<SocketAddr, Failure> {
        if target::is_loopback(self.host) || self.anyone_may_connect {
            return Ok(SocketAddr::new(self.host, self.port));
        }
        Err(Failure::NotAllowed(format!(
            "others than this machine can reach {}, and a model is a server for whoever does: if that is what you want, say \
             --anyone-may-connect",
            self.host
        )))
    }

    /// Does TLS begin with the first byte?
    pub(super) fn implicit_tls(&self) -> bool {
        self.implicit_tls
    }

    /// `ftp://` and the address, or `ftps://`.
    pub(super) fn url(&self, address: SocketAddr) -> String {
        format!("{}://{address}", if self.implicit_tls { "ftps" } else { "ftp" })
    }

    /// What the server of `scenario` shows, if it speaks TLS. It is also written where that is asked for.
    pub(super) fn acceptor(&self, scenario: &Scenario) -> Result<Option<Acceptor>, Failure> {
        if !self.implicit_tls && scenario.policy().tls.offer.is_none() {
            let idle = [(&self.cert, "--cert"), (&self.cert_out, "--cert-out")];
            return match idle.iter().find(|(given, _)| given.is_some()) {
                None => Ok(None),
                Some((_, flag)) => Err(Failure::Usage(format!(
                    "{flag}: this server does not speak TLS; add --tls offered, --tls required or --implicit-tls"
                ))),
            };
        }
        let acceptor = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => {
                let texts = (read::bounded(cert).context("--cert")?, read::bounded(key).context("--key")?);
                Acceptor::of(&texts.0, &texts.1)
                    .map_err(|why| Failure::Usage(format!("--cert, --key: {why}")))?
            }
            _ => Acceptor::self_signed(&["localhost", "127.0.0.1", "::1", &self.host.to_string()])
                .map_err(|why| Failure::Other(anyhow::anyhow!("cannot make a certificate: {why}")))?,
        };
        if let Some(file) = &self.cert_out {
            output::write_whole(file, acceptor.certificate().as_bytes()).context("--cert-out")?;
        }
        Ok(Some(acceptor))
    }
}
