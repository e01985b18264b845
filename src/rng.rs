//! Named random streams: a draw is a function of (seed, replication, purpose, entity, counter).
//!
//! It keeps no state between draws, so that no draw can shift another: two policies compared at one seed see the same
//! clients (common random numbers), and any thread can compute any client. `rand_chacha` turns (seed, replication,
//! purpose) into a key; Philox2x64-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3",
//! SC 2011) turns that key and a 128-bit counter into a word.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

/// What a draw is for. Each purpose is a stream of its own; the number is part of the key, so it never changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Purpose {
    /// The gap before an arrival.
    Arrival = 1,
    /// Which address a client comes from.
    Address = 2,
    /// A think or idle time of the script.
    Think = 3,
    /// The size of a transfer.
    Size = 4,
    /// Whether a password is mistyped.
    Password = 5,
    /// The wait before a retry.
    Backoff = 6,
    /// Whether a refused user comes back at all.
    Persistence = 7,
    /// How long a user waits to be served.
    Patience = 8,
    /// Whether a client vanishes without a word.
    Vanish = 9,
    /// The pause between two sessions of a closed population.
    Pause = 10,
    /// Jitter of the network towards the server.
    JitterUp = 11,
    /// Jitter of the network towards the client.
    JitterDown = 12,
    /// The server's delay of a failed login.
    LoginDelay = 13,
    /// How long the server's own work takes: accepting, serving, reaping.
    ServerWork = 14,
    /// When a client's resolver asks for the server's name again.
    Resolver = 15,
    /// How often a message is lost on its way to the server.
    LossUp = 16,
    /// How often a message is lost on its way to the client.
    LossDown = 17,
    /// Whether a transfer stalls.
    Stall = 18,
    /// Whether a data connection never comes.
    NoData = 19,
    /// The size of a file that the modelled server sends over a real socket.
    ServedSize = 30,
    /// Whether a wire fault hits.
    WireFault = 31,
    /// The nonsense that a wire fault sends.
    WireGarbage = 32,
}

/// The master key of one replication.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    seed: u64,
    replication: u32,
}

impl Streams {
    /// The streams of replication `replication` (from 0) of a run with `seed`.
    pub const fn new(seed: u64, replication: u32) -> Self {
        Self { seed, replication }
    }

    /// The stream for `purpose` within `scope` (a population's number, or 0 for the server).
    pub fn stream(self, purpose: Purpose, scope: u32) -> Stream {
        let mut key = [0_u8; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..12].copy_from_slice(&self.replication.to_le_bytes());
        key[12..16].copy_from_slice(&(purpose as u32).to_le_bytes());
        key[16..20].copy_from_slice(&scope.to_le_bytes());
        Stream { key: ChaCha8Rng::from_seed(key).next_u64() }
    }
}

/// One named stream. A draw is 64 uniform bits for an entity and a counter.
#[derive(Clone, Copy, Debug)]
pub struct Stream {
    key: u64,
}

impl Stream {
    /// 64 uniform bits for `entity` at `counter`.
    pub fn word(self, entity: u64, counter: u64) -> u64 {
        philox2x64_10([counter, entity], self.key)[0]
    }

    /// A uniform number strictly inside (0, 1), with 52 random bits.
    pub fn unit(self, entity: u64, counter: u64) -> f64 {
        unit(self.word(entity, counter))
    }

    /// True with probability `p`: never for 0 or less, always for 1 or more.
    pub fn chance(self, p: f64, entity: u64, counter: u64) -> bool {
        p > 0.0 && (p >= 1.0 || self.unit(entity, counter) < p)
    }
}

/// Maps a word to the middle of one of 2^52 equal cells of (0, 1): never 0, never 1, symmetric about one half.
pub fn unit(word: u64) -> f64 {
    ((word >> 12) as f64 + 0.5) * (1.0 / (1_u64 << 52) as f64)
}

/// Packs a wanted session's number and a position in it (an attempt, a script step) into a draw's counter.
pub const fn counter(session: u32, position: u32) -> u64 {
    ((session as u64) << 32) | position as u64
}

/// The block function of Salmon et al. (2011), section 3.3: ten rounds over two 64-bit words, with their multiplier and
/// their Weyl constant.
fn philox2x64_10(mut block: [u64; 2], mut key: u64) -> [u64; 2] {
    const MULTIPLIER: u64 = 0xD2B7_4407_B1CE_6E93;
    const WEYL: u64 = 0x9E37_79B9_7F4A_7C15;
    for _ in 0..10 {
        let product = u128::from(block[0]) * u128::from(MULTIPLIER);
        block = [(product >> 64) as u64 ^ key ^ block[1], product as u64];
        key = key.wrapping_add(WEYL);
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The known-answer vectors that the authors publish with their library (Random123, `kat_vectors`).
    #[test]
    fn philox_gives_the_published_answers() {
        for (block, key, expected) in [
            ([0, 0], 0, [0xca00_a045_9843_d731, 0x66c2_4222_c9a8_45b5]),
            ([u64::MAX; 2], u64::MAX, [0x65b0_21d6_0cd8_310f, 0x4d02_f322_2f86_df20]),
            (
                [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344],
                0xa409_3822_299f_31d0,
                [0x0a5e_742c_2997_341c, 0xb0f8_83d3_8000_de5d],
            ),
        ] {
            assert_eq!(philox2x64_10(block, key), expected);
        }
    }

    #[test]
    fn streams_differ_by_every_part_of_their_name() {
        let base = Streams::new(1, 0).stream(Purpose::Think, 0).word(0, 0);
        for other in [
            Streams::new(2, 0).stream(Purpose::Think, 0).word(0, 0),
            Streams::new(1, 1).stream(Purpose::Think, 0).word(0, 0),
            Streams::new(1, 0).stream(Purpose::Size, 0).word(0, 0),
            Streams::new(1, 0).stream(Purpose::Think, 1).word(0, 0),
            Streams::new(1, 0).stream(Purpose::Think, 0).word(1, 0),
            Streams::new(1, 0).stream(Purpose::Think, 0).word(0, 1),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn unit_never_reaches_its_ends() {
        assert!(unit(0) > 0.0);
        assert!(unit(u64::MAX) < 1.0);
        assert!((unit(0) - (1.0 - unit(u64::MAX))).abs() < 1e-16);
    }
}
