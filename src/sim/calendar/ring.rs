//! Unsorted bags of entries, one for each of a fixed number of days: a ring that is gone round again and again.
//!
//! The entries of a bag lie in chunks of a common pool, so that filling and emptying one touches memory in order and allocates
//! nothing once the pool has grown. It knows no times.

use super::entry::Entry;

/// Bags in a ring. A power of two.
pub(super) const BAGS: u64 = 4_096;
/// Entries of a chunk: with 8 bytes of event a kilobyte and a half.
const CHUNK: usize = 62;
/// No chunk.
const NONE: u32 = u32::MAX;

/// Chunks that are not in use are kept: the pool is as large as it ever had to be.
#[derive(Clone, Debug)]
pub(super) struct Pool<E> {
    chunks: Vec<Chunk<E>>,
    free: u32,
}

#[derive(Clone, Debug)]
struct Chunk<E> {
    entries: Vec<Entry<E>>,
    /// The next one of the same bag, or the next free one.
    next: u32,
}

impl<E: Copy> Pool<E> {
    pub(super) const fn new() -> Self {
        Self { chunks: Vec::new(), free: NONE }
    }

    /// An empty chunk in front of `next`.
    fn take(&mut self, next: u32) -> u32 {
        if self.free == NONE {
            self.chunks.push(Chunk { entries: Vec::with_capacity(CHUNK), next });
            return self.chunks.len() as u32 - 1;
        }
        let place = self.free;
        let chunk = &mut self.chunks[place as usize];
        self.free = std::mem::replace(&mut chunk.next, next);
        place
    }

    /// Gives back a chunk whose entries are gone. The one behind it in its bag.
    fn give_back(&mut self, place: u32) -> u32 {
        let chunk = &mut self.chunks[place as usize];
        chunk.entries.clear();
        let next = std::mem::replace(&mut chunk.next, self.free);
        self.free = place;
        next
    }
}

/// The bags, and which of them hold something.
#[derive(Clone, Debug)]
pub(super) struct Ring {
    /// The first chunk of each bag.
    heads: Box<[u32]>,
    /// A bit for each bag that is not empty.
    full: [u64; (BAGS / 64) as usize],
    /// A bit for each word of those that is not zero.
    words: u64,
}

impl Ring {
    pub(super) fn new() -> Self {
        Self {
            heads: vec![NONE; BAGS as usize].into_boxed_slice(),
            full: [0; (BAGS / 64) as usize],
            words: 0,
        }
    }

    /// Puts `entry` into the bag of `day`.
    pub(super) fn put<E: Copy>(&mut self, pool: &mut Pool<E>, day: u64, entry: Entry<E>) {
        let bag = (day % BAGS) as usize;
        let mut place = self.heads[bag];
        if place == NONE {
            self.full[bag / 64] |= 1 << (bag % 64);
            self.words |= 1 << (bag / 64);
        }
        if place == NONE || pool.chunks[place as usize].entries.len() == CHUNK {
            place = pool.take(place);
            self.heads[bag] = place;
        }
        pool.chunks[place as usize].entries.push(entry);
    }

    /// Empties the bag of `day`, in no order.
    pub(super) fn empty<E: Copy>(&mut self, pool: &mut Pool<E>, day: u64, mut each: impl FnMut(&[Entry<E>])) {
        let bag = (day % BAGS) as usize;
        let mut place = std::mem::replace(&mut self.heads[bag], NONE);
        while place != NONE {
            each(&pool.chunks[place as usize].entries);
            place = pool.give_back(place);
        }
        self.no_longer_full(bag);
    }

    /// Takes the first chunk out of the bag of `day`, which is not empty, and puts its entries behind `into`.
    pub(super) fn take_chunk<E: Copy>(&mut self, pool: &mut Pool<E>, day: u64, into: &mut Vec<Entry<E>>) {
        let bag = (day % BAGS) as usize;
        let place = self.heads[bag];
        into.extend_from_slice(&pool.chunks[place as usize].entries);
        self.heads[bag] = pool.give_back(place);
        if self.heads[bag] == NONE {
            self.no_longer_full(bag);
        }
    }

    fn no_longer_full(&mut self, bag: usize) {
        self.full[bag / 64] &= !(1 << (bag % 64));
        if self.full[bag / 64] == 0 {
            self.words &= !(1 << (bag / 64));
        }
    }

    /// The first day from `from` on, at most a round behind it, whose bag is not empty.
    pub(super) fn next(&self, from: u64) -> Option<u64> {
        let start = from % BAGS;
        let (word, bit) = ((start / 64) as usize, start % 64);
        let here = self.full[word] >> bit;
        if here != 0 {
            return Some(from + u64::from(here.trailing_zeros()));
        }
        // The words behind this one, round to it again; of it only what lies before `from` is left.
        let turned = self.words.rotate_right(word as u32 + 1);
        let steps = turned.trailing_zeros();
        if turned == 0 {
            return None;
        }
        let found = (word + 1 + steps as usize) % self.full.len();
        let bag = found as u64 * 64 + u64::from(self.full[found].trailing_zeros());
        Some(from + (bag + BAGS - start) % BAGS)
    }
}
