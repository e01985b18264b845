//! Reading `[server.host]`: the machine that a server runs on.
//!
//! What is left out has no bound. It does not say what a session takes of it: the profile does.

use super::reader::Read;
use super::value::Value;
use crate::server::HostSpec;

/// The laws of service times: their word, and whether they are exponential.
const LAWS: [(&str, bool); 2] = [("constant", false), ("exponential", true)];

/// The host that `value` describes.
pub(super) fn read(value: Value<'_>) -> Read<HostSpec> {
    let mut table = value.table("[server.host]")?;
    let unbounded = HostSpec::UNBOUNDED;
    let host = HostSpec {
        cores: table.get_or("cores", unbounded.cores, |v| v.count(1..=1_024))?,
        exponential: table.get_or("service", unbounded.exponential, |v| v.one_of(&LAWS))?,
        memory_kib: table.get_or("memory", unbounded.memory_kib, |v| Ok(v.size()? / 1_024))?,
        descriptors: table.get_or("descriptors", unbounded.descriptors, |v| v.count(1..=100_000_000))?,
        processes: table.get_or("processes", unbounded.processes, |v| v.count(1..=100_000_000))?,
    };
    table.finish()?;
    Ok(host)
}
