//! The way between a population's clients and the servers, with all that makes it rough: jitter, loss, and the weather of faults.
//!
//! A smooth way is a constant delay and costs nothing more. Whatever the weather will be is known from the scenario, so when a
//! message arrives is known when it is sent.

use crate::chaos::{Effect, Weather};
use crate::dist::Dist;
use crate::id::PopulationId;
use crate::network::Link;
use crate::network::loss::{self, Stretch};
use crate::rng::{Purpose, Stream, Streams};
use crate::scenario::Scenario;
use crate::time::{Duration, Instant};

/// Both directions of a way.
pub(super) struct Path {
    /// The usual one-way delay.
    pub delay: Duration,
    /// What makes it rough, if anything does.
    pub rough: Option<Box<Rough>>,
}

/// What makes a way rough.
pub(super) struct Rough {
    delay: Duration,
    jitter: Option<Dist>,
    stretches: Vec<Stretch>,
    up: Direction,
    down: Direction,
}

/// The random streams of one direction.
struct Direction {
    jitter: Stream,
    loss: Stream,
}

/// A message as the random streams know it.
#[derive(Clone, Copy)]
pub(super) struct Message {
    /// Its client and wanted session.
    pub entity: u64,
    /// Its attempt and its number there.
    pub counter: u64,
    /// Does it go to the server?
    pub up: bool,
}

impl Path {
    /// The way of population `id`, through the weather of the scenario's faults.
    pub(super) fn new(link: &Link, id: PopulationId, scenario: &Scenario, streams: Streams) -> Self {
        let stretches = stretches(link.loss, id, scenario);
        let smooth = link.jitter.is_none() && stretches.is_empty();
        let stream = |purpose| streams.stream(purpose, u32::from(id.0));
        let rough = || Rough {
            delay: link.delay,
            jitter: link.jitter.clone(),
            stretches,
            up: Direction { jitter: stream(Purpose::JitterUp), loss: stream(Purpose::LossUp) },
            down: Direction { jitter: stream(Purpose::JitterDown), loss: stream(Purpose::LossDown) },
        };
        Self { delay: link.delay, rough: (!smooth).then(|| Box::new(rough())) }
    }
}

impl Path {
    /// What it is like at `at`, on top of its usual delay and jitter.
    pub(super) fn weather(&self, at: Instant) -> Stretch {
        self.rough.as_ref().map_or(Stretch::always(0.0), |rough| loss::at(&rough.stretches, at))
    }
}

impl Rough {
    /// When `message`, sent at `sent` and again after `rto` if it is lost, gets to the other end.
    pub(super) fn arrival(&self, message: Message, sent: Instant, rto: Duration) -> Instant {
        let through = if self.stretches.is_empty() {
            sent
        } else {
            let unit = self.direction(message).loss.unit(message.entity, message.counter);
            loss::until_through(&self.stretches, sent, rto, unit)
        };
        through + self.delay + self.jitter(message)
    }

    /// The same for one that is sent once, or `None` if it is lost.
    pub(super) fn arrival_of_one(&self, message: Message, sent: Instant) -> Option<Instant> {
        let more = if self.stretches.is_empty() {
            Duration::ZERO
        } else {
            let mut unit = self.direction(message).loss.unit(message.entity, message.counter);
            loss::once(&self.stretches, sent, &mut unit)?
        };
        Some(sent + more + self.delay)
    }

    fn jitter(&self, message: Message) -> Duration {
        self.jitter.as_ref().map_or(Duration::ZERO, |jitter| {
            let word = self.direction(message).jitter.word(message.entity, message.counter);
            Duration::from_nanos(jitter.sample(word))
        })
    }

    fn direction(&self, message: Message) -> &Direction {
        if message.up { &self.up } else { &self.down }
    }
}

/// What the way of population `id` is like in the course of time; empty if it is always as usual. Of two effects of one kind that
/// last at the same time, one for all and one for this population, the one that began later holds; where it ends, the other does.
fn stretches(loss: f64, id: PopulationId, scenario: &Scenario) -> Vec<Stretch> {
    let population = &scenario.populations[usize::from(id.0)];
    let mut changes: Vec<(Instant, bool, Weather)> = scenario
        .faults
        .iter()
        .flat_map(|fault| fault.effects.iter().map(|(after, effect)| (fault.at + *after, *effect)))
        .filter_map(|(at, effect)| match effect {
            Effect::Network(whose, weather) if population.shares_way(id, whose) => {
                Some((at, whose.is_some(), weather))
            }
            _ => None,
        })
        .collect();
    if changes.is_empty() && loss <= 0.0 {
        return Vec::new();
    }
    changes.sort_by_key(|(at, ..)| *at);
    let mut stretches = vec![Stretch::always(loss)];
    let (mut delays, mut losses) = (Layers::default(), Layers::default());
    for (at, own, weather) in changes {
        let mut next = Stretch { from: at, ..stretches[stretches.len() - 1] };
        match weather {
            Weather::Delay(delay) => {
                delays.set(own, (!delay.is_zero()).then_some(delay));
                next.delay = delays.now().unwrap_or(Duration::ZERO);
            }
            Weather::Loss(more) => {
                losses.set(own, (more > 0.0).then_some(more));
                next.loss = 1.0 - (1.0 - loss) * (1.0 - losses.now().unwrap_or(0.0));
            }
            Weather::Partition { until } => next.closed_until = next.closed_until.max(until),
        }
        stretches.push(next);
    }
    stretches
}

/// What a fault for all clients and one for this population have set, the one that was set first before the other.
struct Layers<T>(Vec<(bool, T)>);

impl<T> Default for Layers<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy> Layers<T> {
    fn set(&mut self, own: bool, value: Option<T>) {
        self.0.retain(|(whose, _)| *whose != own);
        self.0.extend(value.map(|value| (own, value)));
    }

    fn now(&self) -> Option<T> {
        self.0.last().map(|(_, value)| *value)
    }
}
