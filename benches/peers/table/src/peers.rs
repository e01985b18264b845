//! What each peer is, what it counts as an event, and what work it models.
//!
//! It runs nothing.

/// A program of the table.
pub struct Peer {
    /// As `run` calls it.
    pub key: &'static str,
    /// As the table calls it.
    pub name: &'static str,
    /// What one of its events is.
    pub event: &'static str,
    /// What it models.
    pub models: &'static str,
    /// Has it the common dice, and time in whole nanoseconds? Then all such must refuse the same clients.
    pub same_dice: bool,
    /// Also at a million clients, where some gaps between arrivals are none in whole nanoseconds?
    pub same_dice_at_a_million: bool,
    /// Why it has no part in the million-client variant.
    pub no_million: Option<&'static str>,
}

const QUEUEING: &str = "slots, ways, thinks";
const ENTRY: &str = "an entry taken from the queue";

const fn bare(key: &'static str, name: &'static str) -> Peer {
    Peer {
        key,
        name,
        event: ENTRY,
        models: QUEUEING,
        same_dice: true,
        same_dice_at_a_million: true,
        no_million: None,
    }
}

/// All, ours first.
pub const PEERS: &[Peer] = &[
    Peer {
        key: "ours",
        name: "ftp421",
        event: "an entry taken from the calendar: arrival, message, FIN, think or timer",
        models: "the whole: policy, parsed commands, replies, timers, metrics, refusals, digest",
        same_dice: false,
        same_dice_at_a_million: false,
        no_million: None,
    },
    Peer {
        key: "ours-heap",
        name: "ftp421 on std BinaryHeap",
        event: "the same",
        models: "the same",
        same_dice: false,
        same_dice_at_a_million: false,
        no_million: Some("two minutes a run"),
    },
    bare("bare-ours", "bare Rust loop, ftp421's calendar"),
    bare("days", "bare Rust loop, a lane and days"),
    bare("lanes", "bare Rust loop, a lane and std BinaryHeap"),
    bare("heap", "bare Rust loop, std BinaryHeap"),
    bare("cpp", "bare C++ loop, std::priority_queue"),
    Peer {
        key: "desim",
        name: "desim, a process a client",
        event: "a step: a process is resumed",
        models: QUEUEING,
        same_dice: false, // the same dice, but time is a float
        same_dice_at_a_million: false,
        no_million: None,
    },
    Peer {
        event: "a scheduled input of the model",
        same_dice_at_a_million: false, // it refuses to schedule an event for now: no gap is a nanosecond there
        ..bare("nexosim-one", "nexosim, one model")
    },
    Peer {
        event: "a scheduled input of a model; the message between models that most bring about is not counted",
        same_dice: false, // the same dice, but what two models do at the same nanosecond has no order
        same_dice_at_a_million: false,
        ..bare("nexosim-two", "nexosim, clients and server")
    },
    Peer {
        key: "simpy",
        name: "SimPy, a process a client",
        event: "an event taken from the queue; beginning and end of a process are events, too",
        models: QUEUEING,
        same_dice: false,
        same_dice_at_a_million: false,
        no_million: Some("three minutes a run"),
    },
];
