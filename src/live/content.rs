//! What is in the synthetic files: a pure function of the seed, the path and the place, so that any stretch of a file of any size
//! can be made, and checked, by whoever knows its name.
//!
//! It knows no sizes, and holds no byte.

/// The content of one file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Content {
    key: u64,
}

/// The odd constant of Steele, Lea and Flood ("Fast splittable pseudorandom number generators", OOPSLA 2014).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
const WORD: usize = 8;
/// So many bytes say which file they begin, and others begin so by chance once in 2^64 times.
pub const RECOGNISED: usize = 2 * WORD;

impl Content {
    /// The file called `path`, as an absolute path, where the scenario's seed is `seed`.
    pub fn of(seed: u64, path: &str) -> Self {
        // FNV-1a: it need not be strong, only different for different names.
        let hash = path.bytes().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
        });
        Self { key: mix(seed ^ mix(hash)) }
    }

    /// Its bytes from `offset` on.
    pub fn fill(self, offset: u64, into: &mut [u8]) {
        let (head, aligned) = split(offset, into.len());
        let (first, rest) = into.split_at_mut(head);
        for (at, byte) in (offset..).zip(first) {
            *byte = self.byte(at);
        }
        let mut word = aligned;
        let mut chunks = rest.chunks_exact_mut(WORD);
        for chunk in &mut chunks {
            chunk.copy_from_slice(&self.word(word));
            word += 1;
        }
        let last = self.word(word);
        let rest = chunks.into_remainder();
        rest.copy_from_slice(&last[..rest.len()]);
    }

    /// How many of `bytes`, which should be those from `offset` on, are others.
    pub fn wrong(self, offset: u64, bytes: &[u8]) -> u64 {
        let (head, aligned) = split(offset, bytes.len());
        let (first, rest) = bytes.split_at(head);
        let mut wrong = (offset..).zip(first).filter(|(at, byte)| self.byte(*at) != **byte).count();
        for (word, chunk) in (aligned..).zip(rest.chunks(WORD)) {
            let right = self.word(word);
            if right[..chunk.len()] != *chunk {
                wrong += right.iter().zip(chunk).filter(|(right, byte)| right != byte).count();
            }
        }
        wrong as u64
    }

    /// How many of the first of `bytes`, which should be those from `offset` on, are right.
    pub fn right(self, offset: u64, bytes: &[u8]) -> usize {
        if self.wrong(offset, bytes) == 0 {
            return bytes.len();
        }
        (offset..).zip(bytes).take_while(|(at, byte)| self.byte(*at) == **byte).count()
    }

    /// The file, whatever it is called, that begins with `bytes`, if there is one: the first [`RECOGNISED`] of them say so.
    pub fn recognised(bytes: &[u8]) -> Option<Self> {
        let first = bytes.first_chunk::<WORD>()?;
        let content = Self { key: unmix(u64::from_le_bytes(*first)) };
        let known = bytes.get(..RECOGNISED)?;
        (content.wrong(0, known) == 0).then_some(content)
    }

    fn word(self, place: u64) -> [u8; WORD] {
        mix(self.key.wrapping_add(place.wrapping_mul(GOLDEN))).to_le_bytes()
    }

    fn byte(self, at: u64) -> u8 {
        self.word(at / WORD as u64)[(at % WORD as u64) as usize]
    }
}

/// How many of `length` bytes from `offset` on belong to a word that began before, and which word comes next.
fn split(offset: u64, length: usize) -> (usize, u64) {
    let head = (offset.wrapping_neg() % WORD as u64) as usize;
    (head.min(length), offset.div_ceil(WORD as u64))
}

/// The finaliser of `SplitMix64` (the same paper; Stafford's variant 13).
const fn mix(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// What [`mix`] made `word` of: each of its steps can be taken back.
const fn unmix(word: u64) -> u64 {
    let word = word ^ (word >> 31) ^ (word >> 62);
    let word = word.wrapping_mul(0x3196_42B2_D24D_8EC3);
    let word = word ^ (word >> 27) ^ (word >> 54);
    let word = word.wrapping_mul(0x96DE_1B17_3F11_9089);
    word ^ (word >> 30) ^ (word >> 60)
}

/// The absolute path that `path` means in the directory `at`: no dots, no doubled slashes, and never above the root.
pub fn absolute(at: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let from = if path.starts_with('/') { "" } else { at };
    for part in from.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_stretch_of_a_file_is_the_same_however_it_is_cut() {
        let content = Content::of(42, "/pub/file");
        let mut whole = [0; 100];
        content.fill(0, &mut whole);
        for (from, to) in [(0, 0), (0, 3), (3, 5), (5, 8), (7, 64), (8, 16), (13, 100)] {
            let mut part = vec![0; to - from];
            content.fill(from as u64, &mut part);
            assert_eq!(part, whole[from..to], "{from}..{to}");
            assert_eq!(content.wrong(from as u64, &part), 0, "{from}..{to}");
        }
        let mut far = [0; 9];
        content.fill(u64::MAX - 20, &mut far);
        assert_ne!(far, [0; 9]);
    }

    #[test]
    fn a_byte_that_is_another_is_found() {
        let content = Content::of(42, "/pub/file");
        let mut bytes = [0; 40];
        content.fill(5, &mut bytes);
        bytes[0] ^= 1;
        bytes[20] ^= 1;
        bytes[39] ^= 1;
        assert_eq!(content.wrong(5, &bytes), 3);
        for other in [Content::of(43, "/pub/file"), Content::of(42, "/pub/fil")] {
            assert!(other.wrong(5, &bytes) > 30);
        }
    }

    #[test]
    fn a_file_is_recognised_by_its_beginning() {
        for word in [0, 1, u64::MAX, GOLDEN] {
            assert_eq!(unmix(mix(word)), word);
        }
        let content = Content::of(42, "/pub/file");
        let mut bytes = [0; 40];
        content.fill(0, &mut bytes);
        assert_eq!(Content::recognised(&bytes), Some(content));
        assert_eq!(Content::recognised(&bytes[..15]), None);
        assert_eq!((content.right(0, &bytes), content.right(1, &bytes)), (40, 0));
        bytes[20] ^= 1;
        assert_eq!((Content::recognised(&bytes), content.right(0, &bytes)), (Some(content), 20));
        bytes[15] ^= 1;
        assert_eq!(Content::recognised(&bytes), None);
        assert_eq!(Content::recognised(&[0; 40]), None, "a file of zeros is none of ours");
    }

    #[test]
    fn no_path_leaves_the_root() {
        for (at, path, meant) in [
            ("/", "", "/"),
            ("/pub", "", "/pub"),
            ("/pub", "file", "/pub/file"),
            ("/pub", "/file", "/file"),
            ("/pub/a", "../../../b//./c", "/b/c"),
            ("/", "..", "/"),
        ] {
            assert_eq!(absolute(at, path), meant, "{at} {path}");
        }
    }
}
