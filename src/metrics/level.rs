//! A number of things that are there at once: its integral over time and its maximum.
//!
//! It does not know what the things are, and it never looks at a clock.

use crate::time::Instant;

/// A level over [0, end], with both sides of Little's law in whole nanoseconds.
///
/// The left side integrates N(t) from one change to the next; the right side adds up how long each thing was there, from
/// when it came as the thing itself tells it. No number of one side enters the other.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Level {
    value: u64,
    max: u64,
    since: Instant,
    warm: Instant,
    integral: u128,
    warm_integral: u128,
    overlap: u128,
}

/// A stretch of time over which a level stayed at one value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// Its beginning.
    pub from: Instant,
    /// Its end.
    pub to: Instant,
    /// The level.
    pub value: u64,
}

impl Span {
    /// Level x time, in nanoseconds.
    pub fn area(self) -> u128 {
        u128::from(self.value) * u128::from(self.to.since(self.from).as_nanos())
    }
}

impl Level {
    /// Nothing is there yet. What happens before `warm` stays out of [`Self::warm_integral_ns`].
    pub fn new(warm: Instant) -> Self {
        Self { value: 0, max: 0, since: Instant::ZERO, warm, integral: 0, warm_integral: 0, overlap: 0 }
    }

    /// One more from `now` on. Gives the span that ends.
    pub fn rise(&mut self, now: Instant) -> Span {
        let span = self.advance(now);
        self.value += 1;
        self.max = self.max.max(self.value);
        span
    }

    /// One less from `now` on. Gives the span that ends.
    pub fn fall(&mut self, now: Instant) -> Span {
        let span = self.advance(now);
        self.value = self.value.saturating_sub(1);
        span
    }

    /// The other side of the law: a thing was there from `came` to `left`.
    pub fn stayed(&mut self, came: Instant, left: Instant) {
        self.overlap += u128::from(left.since(came).as_nanos());
    }

    /// Integrates up to `now`. Gives the span that ends.
    pub fn advance(&mut self, now: Instant) -> Span {
        let span = Span { from: self.since, to: now.max(self.since), value: self.value };
        let area = span.area();
        self.integral += area;
        let warm = span.from >= self.warm;
        self.warm_integral += if warm { area } else { Span { from: self.warm, ..span }.area() };
        self.since = span.to;
        span
    }

    /// Adds another run's level.
    pub fn merge(&mut self, other: &Self) {
        self.max = self.max.max(other.max);
        self.integral += other.integral;
        self.warm_integral += other.warm_integral;
        self.overlap += other.overlap;
    }

    /// How many there are.
    pub fn value(&self) -> u64 {
        self.value
    }

    /// The greatest that there ever were.
    pub fn max(&self) -> u64 {
        self.max
    }

    /// Integral of the level over the run, in nanoseconds.
    pub fn integral_ns(&self) -> u128 {
        self.integral
    }

    /// Integral of the level from the end of the warm-up on, in nanoseconds.
    pub fn warm_integral_ns(&self) -> u128 {
        self.warm_integral
    }

    /// Sum over all things of how long they were there within the run, in nanoseconds.
    pub fn overlap_ns(&self) -> u128 {
        self.overlap
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ns: u64) -> Instant {
        Instant::from_nanos(ns)
    }

    #[test]
    fn both_sides_of_littles_law_agree() {
        let mut level = Level::new(at(25));
        level.rise(at(10));
        level.rise(at(20));
        level.fall(at(30));
        level.stayed(at(10), at(30));
        level.advance(at(100));
        level.stayed(at(20), at(100));
        assert_eq!(level.integral_ns(), 10 + 2 * 10 + 70);
        assert_eq!(level.overlap_ns(), level.integral_ns());
        assert_eq!(level.warm_integral_ns(), 2 * 5 + 70);
        assert_eq!((level.value(), level.max()), (1, 2));
    }

    #[test]
    fn a_fall_from_nothing_is_no_panic() {
        let mut level = Level::new(Instant::ZERO);
        level.fall(at(5));
        assert_eq!(level.value(), 0);
    }
}
