//! Reading `[dns]`: the record of the name that the servers share.
//!
//! It does not look anything up: the driver does.

use super::reader::{Read, Reader};
use crate::time::Duration;

/// How long a resolver keeps the record; `None` if the scenario has no name.
pub(super) fn read(root: &mut Reader<'_>) -> Read<Option<Duration>> {
    let Some(mut table) = root.get("dns", |v| v.table("[dns]"))? else { return Ok(None) };
    let ttl = table.require("ttl", "ttl = \"5m\"", |v| v.duration())?;
    table.finish()?;
    Ok(Some(ttl))
}
