//! The marks of a class in order: a binary heap that knows where each flow stands, so that any of them can be taken out.
//!
//! It does not know what a mark is the end of.

use super::Flow;

/// The point at which a flow is through.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Mark {
    pub at: u128,
    pub age: u64,
    pub flow: u32,
}

/// A heap with the least mark on top. Each flow's `place` is kept up to date.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks(Vec<Mark>);

impl Marks {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn first(&self) -> Option<&Mark> {
        self.0.first()
    }

    pub(super) fn insert(&mut self, mark: Mark, flows: &mut [Flow]) {
        self.0.push(mark);
        self.rise(self.0.len() - 1, mark, flows);
    }

    /// Takes out the mark at `place` and says where it was set.
    pub(super) fn remove(&mut self, place: u32, flows: &mut [Flow]) -> u128 {
        let place = place as usize;
        let removed = self.0[place].at;
        if let Some(last) = self.0.pop()
            && place < self.0.len()
        {
            if place > 0 && last < self.0[(place - 1) / 2] {
                self.rise(place, last, flows);
            } else {
                self.sink(place, last, flows);
            }
        }
        removed
    }

    /// Puts `mark` at `place` or nearer to the top.
    fn rise(&mut self, mut place: usize, mark: Mark, flows: &mut [Flow]) {
        while place > 0 && mark < self.0[(place - 1) / 2] {
            self.put(place, self.0[(place - 1) / 2], flows);
            place = (place - 1) / 2;
        }
        self.put(place, mark, flows);
    }

    /// Puts `mark` at `place` or nearer to the bottom.
    fn sink(&mut self, mut place: usize, mark: Mark, flows: &mut [Flow]) {
        loop {
            let left = 2 * place + 1;
            let least =
                if left + 1 < self.0.len() && self.0[left + 1] < self.0[left] { left + 1 } else { left };
            if least >= self.0.len() || mark < self.0[least] {
                break;
            }
            self.put(place, self.0[least], flows);
            place = least;
        }
        self.put(place, mark, flows);
    }

    fn put(&mut self, place: usize, mark: Mark, flows: &mut [Flow]) {
        self.0[place] = mark;
        flows[mark.flow as usize].place = place as u32;
    }
}
