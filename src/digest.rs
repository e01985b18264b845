//! The digest of a run: a short number that two runs share if their machines did the same at the same times.
//!
//! It is no defence against forgery: it finds differences, not intent.

/// A 128-bit digest over a sequence of words.
///
/// Two words at a time, masked by the two lanes, are multiplied to 128 bits, as in Wang Yi's wyhash (2019). Other than there both
/// halves of the product are kept, and each goes into the other lane. A factor that happens to be zero or one, with a chance
/// of 2^-62 a pair, makes it forget something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digest {
    lanes: [u64; 2],
}

impl Default for Digest {
    fn default() -> Self {
        Self { lanes: [0x2d35_8dcc_aa6c_78a5, 0x8bb8_4b93_962e_acc9] }
    }
}

impl Digest {
    /// Takes in one word.
    pub fn word(&mut self, word: u64) {
        self.pair(word, 0xa076_1d64_78bd_642f);
    }

    /// Takes in two words, at the price of one.
    #[inline]
    pub fn pair(&mut self, one: u64, other: u64) {
        let [a, b] = self.lanes;
        let product = u128::from(one ^ a) * u128::from(other ^ b);
        self.lanes = [product as u64 ^ b, (product >> 64) as u64 ^ a];
    }

    /// Takes in bytes, and their number.
    pub fn bytes(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
        self.word(bytes.len() as u64);
    }

    /// The digest so far.
    pub fn value(self) -> u128 {
        u128::from(self.lanes[0]) << 64 | u128::from(self.lanes[1])
    }

    /// The digest so far in 32 hexadecimal digits.
    pub fn hex(self) -> String {
        format!("{:032x}", self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[u64]) -> u128 {
        let mut digest = Digest::default();
        for word in words {
            digest.word(*word);
        }
        digest.value()
    }

    #[test]
    fn order_and_number_matter() {
        assert_ne!(of(&[1, 2]), of(&[2, 1]));
        assert_ne!(of(&[0]), of(&[0, 0]));
        assert_ne!(of(&[]), of(&[0]));
        assert_eq!(of(&[7, 8, 9]), of(&[7, 8, 9]));
    }

    #[test]
    fn pairs_are_told_from_each_other() {
        let of_pairs = |pairs: &[(u64, u64)]| {
            let mut digest = Digest::default();
            for (one, other) in pairs {
                digest.pair(*one, *other);
            }
            digest.value()
        };
        assert_ne!(of_pairs(&[(1, 2)]), of_pairs(&[(2, 1)]));
        assert_ne!(of_pairs(&[(1, 2), (3, 4)]), of_pairs(&[(3, 4), (1, 2)]));
        assert_ne!(of_pairs(&[(0, 0)]), of_pairs(&[(0, 0), (0, 0)]));
        for bit in 0..64 {
            let base = of_pairs(&[(3, 9), (1, 2), (5, 7)]);
            let changes = [
                of_pairs(&[(3, 9), (1 ^ 1 << bit, 2), (5, 7)]),
                of_pairs(&[(3, 9), (1, 2 ^ 1 << bit), (5, 7)]),
            ];
            for changed in changes.map(|changed| (changed ^ base).count_ones()) {
                assert!((34..=94).contains(&changed), "bit {bit}: {changed}");
            }
        }
    }

    #[test]
    fn bytes_are_told_from_their_padding() {
        let of_bytes = |b: &[u8]| {
            let mut digest = Digest::default();
            digest.bytes(b);
            digest.value()
        };
        assert_ne!(of_bytes(b"ab"), of_bytes(b"ab\0"));
    }

    /// Every single-bit difference in one word of a sequence changes about half of the digest's bits.
    #[test]
    fn one_bit_changes_half_of_the_digest() {
        for bit in 0..64 {
            let changed = (of(&[3, 1 << bit, 5]) ^ of(&[3, 0, 5])).count_ones();
            assert!((34..=94).contains(&changed), "bit {bit}: {changed}");
        }
    }
}
