//! Reading `addresses`: one each, a network, or a NAT.
//!
//! It does not deal them out: `workload::addresses` does.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::draft::Places;
use super::reader::{Read, Reader};
use super::value::Value;
use crate::id::PeerId;
use crate::workload::{Addresses, Network, Pick};

#[derive(Clone, Copy)]
enum How {
    InTurn,
    Uniform,
    Zipf,
}

const PICKS: [(&str, How); 3] = [("in-turn", How::InTurn), ("uniform", How::Uniform), ("zipf", How::Zipf)];

/// The addresses of a population.
pub(super) fn read(value: Value<'_>, places: &mut Places) -> Read<Addresses> {
    if !value.is_table() {
        return value.one_of(&[("unique", ())]).map(|()| Addresses::Unique).map_err(|mut problem| {
            "write \"unique\", { cidr = \"10.0.0.0/28\" } or { nat = 3 }".clone_into(&mut problem.hint);
            problem
        });
    }
    let mut table = value.table("addresses")?;
    let nat = table.get("nat", |v| {
        let count = v.count(1..=254)?;
        places.nat(count).ok_or_else(|| {
            v.wrong(
                "is too many",
                "all `nat` pools together have at most 254 addresses: use cidr = \"10.0.0.0/22\"",
            )
        })
    })?;
    let cidr = table.get("cidr", |v| match nat {
        Some(_) => Err(v.wrong("stands beside `nat`", "keep one of the two")),
        None => pool(v, places),
    })?;
    let Some(peers) = nat.or(cidr) else {
        return Err(table.missing("cidr", "{ cidr = \"10.0.0.0/28\" } or { nat = 3 }"));
    };
    let pick = pick(&mut table, peers.len())?;
    table.finish()?;
    Ok(Addresses::Pool { peers, pick })
}

fn pick(table: &mut Reader<'_>, size: usize) -> Read<Pick> {
    Ok(match table.get_or("pick", How::InTurn, |v| v.one_of(&PICKS))? {
        How::InTurn => Pick::InTurn,
        How::Uniform => Pick::Uniform,
        How::Zipf => Pick::zipf(size, table.get_or("exponent", 1.0, |v| v.number(0.0, 10.0))?),
    })
}

fn pool(value: Value<'_>, places: &mut Places) -> Read<Vec<PeerId>> {
    let addresses = network(value.text()?).map_err(|hint| value.wrong("is not a network", hint))?;
    places.pool(&addresses).map_err(|hint| value.wrong("cannot be had", hint))
}

/// The networks of one text or a list of them.
pub(super) fn networks(value: Value<'_>) -> Read<Vec<Network>> {
    let one = |v: &Value<'_>| {
        let (address, prefix) = parts(v.text()?).map_err(|hint| v.wrong("is not a network", hint))?;
        Ok(Network::new(address, prefix))
    };
    match value.list(1_000) {
        Ok(list) => list.iter().map(one).collect(),
        Err(problem) => value.text().map_err(|_| problem).and_then(|_| Ok(vec![one(&value)?])),
    }
}

/// All addresses of `address/prefix`, the first and the last included; without a prefix, the one address.
fn network(text: &str) -> Result<Vec<IpAddr>, String> {
    let (address, prefix) = parts(text)?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let host_bits = width - prefix;
    if host_bits > Places::POOL.ilog2() {
        return Err(format!(
            "a pool has at most {} addresses: write a prefix length from {} up",
            Places::POOL,
            width - 16
        ));
    }
    let first = bits(address);
    let count = 1_u128 << host_bits;
    if !first.is_multiple_of(count) {
        let network = from_bits(first - first % count, address.is_ipv4());
        return Err(format!("{address} is an address inside {network}/{prefix}: write that"));
    }
    Ok((0..count).map(|i| from_bits(first + i, address.is_ipv4())).collect())
}

/// The address and the prefix length of a text.
fn parts(text: &str) -> Result<(IpAddr, u32), String> {
    let shape = || "write an address and a prefix length, such as \"10.0.0.0/28\"".to_owned();
    let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
    let address: IpAddr = address.parse().map_err(|_| shape())?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let prefix = match prefix {
        None => width,
        Some(digits) => digits.parse::<u32>().ok().filter(|p| *p <= width).ok_or_else(shape)?,
    };
    Ok((address, prefix))
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn from_bits(bits: u128, is_ipv4: bool) -> IpAddr {
    if is_ipv4 { Ipv4Addr::from_bits(bits as u32).into() } else { Ipv6Addr::from_bits(bits).into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_all_its_addresses() {
        let all = network("10.0.0.4/30").unwrap();
        assert_eq!(
            all.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7"]
        );
        assert_eq!(network("10.0.0.7").unwrap().len(), 1);
        assert_eq!(network("255.255.0.0/16").unwrap().len(), 65_536);
        assert_eq!(network("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/124").unwrap().len(), 16);
        for text in
            ["", "10.0.0.0/15", "10.0.0.1/24", "10.0.0.0/33", "10.0.0/24", "::/0", "10.0.0.0/", "10.0.0.0/-1"]
        {
            assert!(network(text).is_err(), "{text}");
        }
    }
}
