//! A battery for the keyed streams: are the words that the simulator draws as good as independent and uniform?
//!
//! The grids are those of a run: consecutive clients x consecutive positions, under small seeds. Seeds are fixed, so a test
//! passes always or never. Every statistic is judged by its p-value against [`LEAST`]: of the about 1 700 judged here, a
//! perfect generator would fail any with a probability of 2 in 1 000. It does not replace PractRand or `BigCrush`,
//! which Philox2x64-10 has passed (Salmon et al. 2011, section 5); it watches over the way in which words are named here.

use ftp421::rng::{Purpose, Stream, Streams, counter, unit};

/// The least p-value that passes.
const LEAST: f64 = 1e-6;

/// Seeds as people choose them.
const SEEDS: [u64; 4] = [0, 1, 2, 42];

fn stream(seed: u64) -> Stream {
    Streams::new(seed, 0).stream(Purpose::Think, 0)
}

/// The words of `entities` x `positions`, client by client.
fn by_client(s: Stream, entities: u64, positions: u32) -> Vec<u64> {
    (0..entities).flat_map(|e| (0..positions).map(move |p| s.word(e, counter(0, p)))).collect()
}

/// The same words, position by position: all clients' first draws, then all second ones.
fn by_position(s: Stream, entities: u64, positions: u32) -> Vec<u64> {
    (0..positions).flat_map(|p| (0..entities).map(move |e| s.word(e, counter(0, p)))).collect()
}

/// One client that comes again and again: the session is the upper half of the counter.
fn by_session(s: Stream, sessions: u32, positions: u32) -> Vec<u64> {
    (0..sessions).flat_map(|n| (0..positions).map(move |p| s.word(7, counter(n, p)))).collect()
}

/// 2^16 words of each order under each seed, with a name for messages.
fn grids() -> Vec<(String, Vec<u64>)> {
    SEEDS
        .iter()
        .flat_map(|&seed| {
            let s = stream(seed);
            [
                (format!("seed {seed}, by client"), by_client(s, 4_096, 16)),
                (format!("seed {seed}, by position"), by_position(s, 4_096, 16)),
                (format!("seed {seed}, by session"), by_session(s, 2_048, 32)),
            ]
        })
        .collect()
}

#[test]
fn bytes_are_uniform() {
    for (name, words) in grids() {
        for place in 0..8 {
            let mut counts = [0_u64; 256];
            words.iter().for_each(|w| counts[usize::from(w.to_le_bytes()[place])] += 1);
            judge(&format!("{name}, byte {place}"), chi_square_p(&counts, words.len() as f64 / 256.0));
        }
    }
}

#[test]
fn every_bit_is_fair() {
    for (name, words) in grids() {
        let ones: Vec<u64> = (0..64).map(|bit| words.iter().map(|w| w >> bit & 1).sum()).collect();
        let sum: f64 = ones.iter().map(|n| binomial_z(*n, words.len() as u64).powi(2)).sum();
        judge(&format!("{name}, 64 bits"), chi_square_tail(sum, 64.0));
    }
}

/// A word tells nothing of the words behind it: neither high bits, nor low bits, nor as numbers.
#[test]
fn words_do_not_tell_of_later_words() {
    for (name, words) in grids() {
        for lag in [1, 2, 3, 16, 4_096] {
            let pairs = || words.iter().zip(&words[lag..]).map(|(a, b)| (*a, *b));
            judge_pairs(&format!("{name}, lag {lag}"), pairs);
        }
    }
}

/// Streams whose names differ in one place have nothing to do with each other.
#[test]
fn neighbouring_streams_are_independent() {
    let base = stream(1);
    for (name, other) in [
        ("next seed", stream(2)),
        ("next replication", Streams::new(1, 1).stream(Purpose::Think, 0)),
        ("next purpose", Streams::new(1, 0).stream(Purpose::Size, 0)),
        ("next population", Streams::new(1, 0).stream(Purpose::Think, 1)),
    ] {
        let (a, b) = (by_client(base, 4_096, 16), by_client(other, 4_096, 16));
        judge_pairs(name, || a.iter().zip(&b).map(|(a, b)| (*a, *b)));
        // How many bits differ is binomial: its variance tells of streams that are shifted copies.
        let differ: u64 = a.iter().zip(&b).map(|(a, b)| u64::from((a ^ b).count_ones())).sum();
        judge(&format!("{name}, differing bits"), normal_p(binomial_z(differ, 64 * a.len() as u64)));
    }
}

/// 4 096 birthdays in a year of 2^34 days hold about one pair of equal spacings. A lattice has far more or far fewer.
#[test]
fn birthday_spacings_are_poisson() {
    for (name, words) in grids() {
        judge(&format!("{name}, high bits"), birthday_spacings_p(&words, 64 - YEAR_BITS));
        judge(&format!("{name}, low bits"), birthday_spacings_p(&words, 0));
    }
}

/// Generators that are linear over GF(2) fail.
#[test]
fn matrices_of_words_have_the_ranks_of_chance() {
    for (name, words) in grids() {
        judge(&name, matrix_ranks_p(&words));
    }
}

/// One bit of an entity or a counter changes half of a word, and no bit of the word more or less often than another.
#[test]
fn one_bit_of_a_name_changes_half_of_the_word() {
    let grid: Vec<(u64, u64)> = (0..32).flat_map(|e| (0..32).map(move |p| (e, counter(0, p)))).collect();
    for seed in SEEDS {
        let s = stream(seed);
        for bit in 0..64 {
            let flip = 1_u64 << bit;
            // Where the bit is clear: else each pair would be counted twice.
            let entities = grid.iter().filter(|(e, _)| e & flip == 0);
            let counters = grid.iter().filter(|(_, c)| c & flip == 0);
            judge_avalanche(
                &format!("seed {seed}, entity bit {bit}"),
                entities.map(|&(e, c)| s.word(e, c) ^ s.word(e | flip, c)),
            );
            judge_avalanche(
                &format!("seed {seed}, counter bit {bit}"),
                counters.map(|&(e, c)| s.word(e, c) ^ s.word(e, c | flip)),
            );
        }
    }
}

/// One bit of a seed, a replication or a population's number does so too.
#[test]
fn one_bit_of_a_streams_name_changes_half_of_its_words() {
    let first =
        |seed, replication, scope| Streams::new(seed, replication).stream(Purpose::Think, scope).word(3, 5);
    let clear = |flip: u64| (0..2_048).filter(move |seed| seed & flip == 0).take(1_024);
    for bit in 0..64 {
        let flip = 1_u64 << bit;
        judge_avalanche(
            &format!("seed bit {bit}"),
            clear(flip).map(|s| first(s, 0, 0) ^ first(s | flip, 0, 0)),
        );
    }
    for bit in 0..32 {
        let flip = 1_u32 << bit;
        let replications = (0..1_024).map(|s| first(s, 9, 0) ^ first(s, 9 ^ flip, 0));
        judge_avalanche(&format!("replication bit {bit}"), replications);
        let populations = (0..1_024).map(|s| first(s, 0, 9) ^ first(s, 0, 9 ^ flip));
        judge_avalanche(&format!("population bit {bit}"), populations);
    }
}

/// No two of half a million draws are equal: a chance of 7 in 10^9.
#[test]
fn no_two_draws_are_equal() {
    let s = stream(0);
    let mut words = by_client(s, 4_096, 64);
    words.extend((1..4_097).flat_map(|e| (1..65).map(move |n| s.word(e, counter(n, 0)))));
    let drawn = words.len();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), drawn);
}

/// Kolmogorov and Smirnov: `unit` is uniform on (0, 1), not only its bytes.
#[test]
fn units_follow_the_uniform_law() {
    for (name, words) in grids() {
        let mut units: Vec<f64> = words.iter().map(|w| unit(*w)).collect();
        units.sort_unstable_by(f64::total_cmp);
        let n = units.len() as f64;
        let distance = units
            .iter()
            .enumerate()
            .map(|(i, u)| (u - i as f64 / n).max((i + 1) as f64 / n - u))
            .fold(0.0, f64::max);
        judge(&name, 2.0 * libm::exp(-2.0 * n * distance * distance)); // Kolmogorov's series, whose first term is enough
    }
}

/// What a user does over a whole visit: the sums of 16 exponential thinks of each client vary as they must. Draws of one
/// client that hang together would change the variance, and a simulated capacity with it.
#[test]
fn sums_of_one_clients_draws_vary_as_they_must() {
    const THINKS: u32 = 16;
    for seed in SEEDS {
        let s = stream(seed);
        let sums: Vec<f64> = (0..4_096)
            .map(|client| (0..THINKS).map(|p| -libm::log(s.unit(client, counter(0, p)))).sum())
            .collect();
        let (n, k) = (sums.len() as f64, f64::from(THINKS));
        let mean = sums.iter().sum::<f64>() / n;
        judge(&format!("seed {seed}, mean"), normal_p((mean - k) / (k / n).sqrt()));
        let variance = sums.iter().map(|x| (x - k).powi(2)).sum::<f64>() / n;
        // The fourth central moment of an Erlang-k variable is 3k^2 + 6k, so that of a square about the mean is 2k^2 + 6k.
        let error = ((2.0 * k * k + 6.0 * k) / n).sqrt();
        judge(&format!("seed {seed}, variance"), normal_p((variance - k) / error));
    }
}

/// The battery can tell: generators that are known to be poor fail it.
#[test]
fn poor_generators_are_found_out() {
    let lattice: Vec<u64> = (0..65_536_u64).map(|i| i.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
    assert!(birthday_spacings_p(&lattice, 64 - YEAR_BITS) < LEAST);
    let xorshift = |x: &u64| {
        let x = x ^ (x << 13);
        let x = x ^ (x >> 7);
        Some(x ^ (x << 17))
    };
    let linear: Vec<u64> = std::iter::successors(Some(1), xorshift).take(65_536).collect();
    assert!(matrix_ranks_p(&linear) < LEAST);
    assert!(chi_square_tail(400.0, 255.0) < LEAST && chi_square_tail(255.0, 255.0) > 0.5);
    assert!(poisson_p(60, 16.0) < LEAST && poisson_p(16, 16.0) > 0.5);
}

// ---- judging -----------------------------------------------------------------------------------------------------

fn judge(name: &str, p: f64) {
    assert!(p > LEAST, "{name}: p = {p:e}");
}

/// 16 x 16 cells of the highest bits, the same of the lowest, and the correlation as numbers.
fn judge_pairs<I: Iterator<Item = (u64, u64)>>(name: &str, pairs: impl Fn() -> I) {
    for (bits, shift) in [("high", 60), ("low", 0)] {
        let mut counts = [0_u64; 256];
        pairs().for_each(|(a, b)| counts[((a >> shift & 15) << 4 | (b >> shift & 15)) as usize] += 1);
        judge(&format!("{name}, {bits} bits"), chi_square_p(&counts, pairs().count() as f64 / 256.0));
    }
    let products: f64 = pairs().map(|(a, b)| 12.0 * (unit(a) - 0.5) * (unit(b) - 0.5)).sum();
    judge(&format!("{name}, correlation"), normal_p(products / (pairs().count() as f64).sqrt()));
}

/// `changes`: the differences that one flipped bit made. All 64 bits of them together, and each.
fn judge_avalanche(name: &str, changes: impl Iterator<Item = u64>) {
    let (mut ones, mut n) = ([0_u64; 64], 0);
    for change in changes {
        n += 1;
        ones.iter_mut().enumerate().for_each(|(bit, count)| *count += change >> bit & 1);
    }
    judge(&format!("{name}, in all"), normal_p(binomial_z(ones.iter().sum(), 64 * n)));
    let sum: f64 = ones.iter().map(|count| binomial_z(*count, n).powi(2)).sum();
    judge(&format!("{name}, bit by bit"), chi_square_tail(sum, 64.0));
}

/// The days of a year, as bits.
const YEAR_BITS: u32 = 34;

/// Marsaglia's birthday spacings, with the constants that L'Ecuyer and Simard advise (Mathematics and Computers in
/// Simulation 55, 2001): pairs of equal spacings are Poisson with mean n^3 / 4m.
fn birthday_spacings_p(words: &[u64], shift: u32) -> f64 {
    const BIRTHDAYS: usize = 4_096;
    let (mut equal, mut years) = (0, 0);
    for block in words.chunks_exact(BIRTHDAYS) {
        let mut days: Vec<u64> = block.iter().map(|w| w >> shift & ((1 << YEAR_BITS) - 1)).collect();
        days.sort_unstable();
        let mut gaps: Vec<u64> = days.windows(2).map(|d| d[1] - d[0]).collect();
        gaps.sort_unstable();
        equal += gaps.windows(2).filter(|g| g[0] == g[1]).count() as u64;
        years += 1;
    }
    poisson_p(equal, f64::from(years) * (BIRTHDAYS as f64).powi(3) / 4.0 / (1_u64 << YEAR_BITS) as f64)
}

/// Ranks of 64 x 64 matrices over GF(2), against their law.
fn matrix_ranks_p(words: &[u64]) -> f64 {
    /// P(rank 64), P(rank 63), P(less).
    const SHARES: [f64; 3] = [0.288_788_095_086_6, 0.577_576_190_173_2, 0.133_635_714_740_2];
    let mut counts = [0_u64; 3];
    for matrix in words.chunks_exact(64) {
        counts[(64 - rank(matrix)).min(2)] += 1;
    }
    let matrices = (words.len() / 64) as f64;
    let cells = counts.iter().zip(SHARES.map(|share| share * matrices));
    let statistic: f64 = cells.map(|(n, expected)| (*n as f64 - expected).powi(2) / expected).sum();
    libm::exp(-statistic / 2.0) // exact for two degrees of freedom
}

/// How far `ones` of `n` fair bits are from n/2, in standard deviations.
fn binomial_z(ones: u64, n: u64) -> f64 {
    (ones as f64 - n as f64 / 2.0) / (n as f64 / 4.0).sqrt()
}

/// The probability that a standard normal number is at least so far from 0.
fn normal_p(z: f64) -> f64 {
    libm::erfc(z.abs() / std::f64::consts::SQRT_2)
}

fn chi_square_p(counts: &[u64], expected: f64) -> f64 {
    let statistic: f64 = counts.iter().map(|n| (*n as f64 - expected).powi(2) / expected).sum();
    chi_square_tail(statistic, (counts.len() - 1) as f64)
}

/// Twice the smaller tail of a chi-square statistic: too even is as suspicious as too uneven. After Wilson and Hilferty (PNAS
/// 17, 1931), whose error is far below what matters here for 60 degrees of freedom and more.
fn chi_square_tail(statistic: f64, freedom: f64) -> f64 {
    let spread = 2.0 / (9.0 * freedom);
    normal_p((libm::cbrt(statistic / freedom) - (1.0 - spread)) / spread.sqrt())
}

/// Twice the smaller tail of a Poisson count, exactly.
fn poisson_p(count: u64, mean: f64) -> f64 {
    let probability = |k: u64| libm::exp(k as f64 * libm::log(mean) - mean - libm::lgamma(k as f64 + 1.0));
    let up_to: f64 = (0..=count).map(probability).sum();
    let from = 1.0 - up_to + probability(count);
    2.0 * up_to.min(from)
}

/// The rank of 64 rows of 64 bits over GF(2), by elimination.
fn rank(rows: &[u64]) -> usize {
    let mut rows = rows.to_vec();
    let mut rank = 0;
    for bit in 0..64 {
        let Some(pivot) = (rank..rows.len()).find(|i| rows[*i] >> bit & 1 == 1) else { continue };
        rows.swap(rank, pivot);
        let row = rows[rank];
        rows[rank + 1..].iter_mut().filter(|r| **r >> bit & 1 == 1).for_each(|r| *r ^= row);
        rank += 1;
    }
    rank
}
