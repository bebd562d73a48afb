//! Seeds changed as libFuzzer changes them, from one number and without looking at what is reached.

use std::ops::Range;

/// Draws inputs from seeds and from words.
pub(super) struct Mutator {
    random: Random,
    seeds: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

impl Mutator {
    /// The same number draws the same inputs.
    pub(super) fn new(number: u64, seeds: Vec<Vec<u8>>, words: Vec<Vec<u8>>) -> Self {
        assert!(!seeds.is_empty() && !words.is_empty());
        Self {
            random: Random(number),
            seeds,
            words,
        }
    }

    /// A seed with a few changes.
    pub(super) fn input(&mut self) -> Vec<u8> {
        let mut input = self.seed().to_vec();
        for _ in 0..=self.random.below(CHANGES_MAX) {
            self.change(&mut input);
            input.truncate(BYTES_MAX);
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>) {
        let at = self.random.below(input.len() + 1);
        let part = self.part(input.len());
        match self.random.below(10) {
            0 if at < input.len() => input[at] ^= 1 << self.random.below(8),
            1 if at < input.len() => input[at] = self.byte(),
            2 => drop(input.drain(part)),
            3 => input.truncate(at),
            4 => self.repeat(input, part),
            5 => {
                let other = self.seed();
                let piece = other[self.part(other.len())].to_vec();
                input.splice(at..at, piece);
            }
            6 => {
                let other = self.seed();
                let from = self.random.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            7 => drop(input.splice(part, self.word())),
            8 => input.insert(at, self.byte()),
            _ => drop(input.splice(at..at, self.word())),
        }
    }

    fn seed(&mut self) -> Vec<u8> {
        self.seeds[self.random.below(self.seeds.len())].clone()
    }

    fn word(&mut self) -> Vec<u8> {
        self.words[self.random.below(self.words.len())].clone()
    }

    /// Often one at the edge of something.
    fn byte(&mut self) -> u8 {
        if self.random.below(2) == 0 {
            EDGES[self.random.below(EDGES.len())]
        } else {
            self.random.next().to_le_bytes()[0]
        }
    }

    /// A part of so many bytes, more often a short one.
    fn part(&mut self, length: usize) -> Range<usize> {
        let begin = self.random.below(length + 1);
        let magnitude = self.random.below(10);
        let longest = (length - begin).min(1 << magnitude);
        begin..begin + self.random.below(longest + 1)
    }

    fn repeat(&mut self, input: &mut Vec<u8>, part: Range<usize>) {
        let magnitude = self.random.below(8);
        let times = 1 + self.random.below(1 << magnitude);
        let times = times.min(BYTES_MAX / part.len().max(1));
        let end = part.end;
        let piece = input[part].repeat(times);
        input.splice(end..end, piece);
    }
}

/// The words of a dictionary of libFuzzer: a line each, in quotes, with escapes; `#` begins a comment.
pub(super) fn words(dictionary: &str) -> Vec<Vec<u8>> {
    let lines = dictionary.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (_, quoted) = line.split_once('"').expect("a word is in quotes");
            unescape(quoted.strip_suffix('"').expect("a word is in quotes"))
        })
        .collect()
}

fn unescape(text: &str) -> Vec<u8> {
    let mut rest = text.as_bytes();
    let mut word = Vec::new();
    while let [byte, others @ ..] = rest {
        (word, rest) = match (byte, others) {
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digits = [*high, *low];
                let digits = str::from_utf8(&digits).expect("hexadecimal digits");
                let value = u8::from_str_radix(digits, 16).expect("hexadecimal digits");
                (with(word, value), after)
            }
            (b'\\', [escaped, after @ ..]) => (with(word, *escaped), after),
            _ => (with(word, *byte), others),
        };
    }
    word
}

fn with(mut word: Vec<u8>, byte: u8) -> Vec<u8> {
    word.push(byte);
    word
}

/// Numbers from a number, by splitmix64: enough to choose by.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is above 0.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("it is below a usize")
    }
}

/// No input is longer.
const BYTES_MAX: usize = 4096;
/// One input has at most this many changes.
const CHANGES_MAX: usize = 6;
/// Bytes that readers treat in a way of their own.
const EDGES: [u8; 16] = [
    0, 1, b'\t', b'\n', b'\r', b' ', b'"', b'0', b':', b'\\', b'{', 0x7F, 0x80, 0xC2, 0xED, 0xFF,
];

#[test]
fn a_dictionary_is_read() {
    let read = words("# a comment\n\n\"a\\\"\\\\\\x00\\xfF\"\nname=\"=b\"\n");
    assert_eq!(read, [&b"a\"\\\0\xff"[..], b"=b"]);
}

#[test]
fn the_same_number_draws_the_same_inputs() {
    let draw = |number| -> Vec<Vec<u8>> {
        let seeds = vec![b"{\"a\": 1}".to_vec(), Vec::new()];
        let mut mutator = Mutator::new(number, seeds, vec![b"word".to_vec()]);
        (0..100).map(|_| mutator.input()).collect()
    };
    assert_eq!(draw(1), draw(1));
    assert_ne!(draw(1), draw(2));
    assert!(draw(1).iter().all(|input| input.len() <= BYTES_MAX));
}
