//! Collecting: what the shards hear, brought into one order of time for whoever counts.
//!
//! A shard serves timers at their intended times, so that a mark may be older than one before it; but none is older than the
//! shard's oldest unserved timer. Up to that time its marks are complete. It counts nothing.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};

use serde::{Deserialize, Serialize};

use super::Heard;
use super::health::Part;
use crate::id::PopulationId;
use crate::live::clock;
use crate::time::{Duration, Instant};

/// So often somebody may look around while no frame comes.
pub(super) const EVERY: Duration = Duration::from_millis(50);

/// What a shard hands over at once: everything that it heard before `upto` and has not handed over yet.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Frame {
    pub shard: u32,
    pub heard: Vec<Heard>,
    pub upto: Instant,
    /// The shard is done.
    pub ending: Option<Ending>,
}

/// What was still there at the end of a shard's run.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ending {
    pub at: Instant,
    pub connections: Vec<Instant>,
    pub sessions: Vec<Instant>,
    pub wanting: Vec<(PopulationId, Instant)>,
    pub dialogue: Option<String>,
    pub part: Part,
}

/// What a shard has heard and not handed over.
pub(super) struct Outbox {
    shard: u32,
    heard: Vec<Heard>,
    to: Sender<Frame>,
}

impl Outbox {
    pub(super) fn new(shard: u32, to: Sender<Frame>) -> Self {
        Self { shard, heard: Vec::new(), to }
    }

    pub(super) fn put(&mut self, heard: Heard) {
        self.heard.push(heard);
    }

    /// Hands over what was heard before `upto`: nothing older will be heard any more.
    pub(super) fn flush(&mut self, upto: Instant) {
        self.heard.sort_by_key(Heard::at); // stable
        let ready = self.heard.partition_point(|heard| heard.at() < upto);
        let later = self.heard.split_off(ready);
        let heard = std::mem::replace(&mut self.heard, later);
        self.send(Frame { shard: self.shard, heard, upto, ending: None });
    }

    /// Hands over the rest. What was heard behind the end is dropped.
    pub(super) fn finish(&mut self, ending: Ending) {
        let mut heard = std::mem::take(&mut self.heard);
        heard.retain(|heard| heard.at() <= ending.at);
        heard.sort_by_key(Heard::at);
        self.send(Frame { shard: self.shard, heard, upto: Instant::NEVER, ending: Some(ending) });
    }

    fn send(&mut self, frame: Frame) {
        let _ = self.to.send(frame); // nobody listens any more: the run is being broken off
    }
}

/// Takes frames until all of `shards` have ended, and hands on what they heard in order of time. `meanwhile` is called now and
/// then. Returns the endings; fewer if a shard was lost.
pub(super) fn merge(
    shards: u32,
    frames: &Receiver<Frame>,
    hear: &mut dyn FnMut(Heard),
    meanwhile: &mut dyn FnMut(),
) -> Vec<Ending> {
    let mut queues: Vec<(VecDeque<Heard>, Instant)> =
        (0..shards).map(|_| (VecDeque::new(), Instant::ZERO)).collect();
    let mut endings = Vec::new();
    while endings.len() < shards as usize {
        meanwhile();
        let frame = match frames.recv_timeout(clock::span(EVERY)) {
            Ok(frame) => frame,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => break,
        };
        let Some((queue, upto)) = queues.get_mut(frame.shard as usize) else { continue };
        queue.extend(frame.heard);
        *upto = frame.upto;
        endings.extend(frame.ending);
        hand_on(&mut queues, hear);
    }
    for (_, upto) in &mut queues {
        *upto = Instant::NEVER;
    }
    hand_on(&mut queues, hear);
    endings
}

/// Hands on everything that nothing older can precede any more.
fn hand_on(queues: &mut [(VecDeque<Heard>, Instant)], hear: &mut dyn FnMut(Heard)) {
    let Some(upto) = queues.iter().map(|(_, upto)| *upto).min() else { return };
    loop {
        let heads = queues.iter().enumerate().filter_map(|(k, (queue, _))| Some((queue.front()?.at(), k)));
        match heads.min() {
            Some((at, place)) if at < upto => queues[place].0.pop_front().into_iter().for_each(&mut *hear),
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Observation;

    fn mark(at: u64) -> Heard {
        let at = Instant::from_nanos(at);
        Heard::Mark { at, observation: Observation::SessionOpened, late: Duration::ZERO }
    }

    #[test]
    fn marks_of_several_shards_come_in_order_of_time() {
        let (to, frames) = std::sync::mpsc::channel();
        let mut boxes = [0, 1].map(|shard| Outbox::new(shard, to.clone()));
        for at in [5, 3, 9] {
            boxes[0].put(mark(at));
        }
        boxes[0].flush(Instant::from_nanos(8));
        boxes[0].put(mark(8));
        boxes[0].put(mark(40));
        for at in [4, 6, 1] {
            boxes[1].put(mark(at));
        }
        for outbox in &mut boxes {
            outbox.finish(Ending { at: Instant::from_nanos(30), ..Ending::default() });
        }
        let mut got = Vec::new();
        let endings = merge(2, &frames, &mut |heard| got.push(heard.at().as_nanos()), &mut || ());
        assert_eq!((endings.len(), got), (2, vec![1, 3, 4, 5, 6, 8, 9]));
    }
}
