//! Transcripts as lines with times, and how two of them are compared.

/// How much later or earlier a line may be in the other world, seconds. The machines' own times are exact; what is left is the real
/// world's: scheduling on a machine that is busy with other tests.
const TOLERANCE: f64 = 0.4;

/// A line and its time.
struct Line {
    at: f64,
    text: String,
}

/// Where two transcripts differ, if they do.
pub fn compare(ours: &str, theirs: &str) -> Option<String> {
    let (ours, theirs) = (lines(ours), lines(theirs));
    if ours.is_empty() {
        return Some("nothing was said".to_owned());
    }
    for (place, (a, b)) in ours.iter().zip(&theirs).enumerate() {
        if a.text != b.text {
            return Some(format!("line {}: {:?} and {:?}", place + 1, a.text, b.text));
        }
        if (a.at - b.at).abs() > TOLERANCE {
            return Some(format!("line {} {:?}: at {:.3} s and at {:.3} s", place + 1, a.text, a.at, b.at));
        }
    }
    (ours.len() != theirs.len()).then(|| format!("{} lines and {}", ours.len(), theirs.len()))
}

fn lines(transcript: &str) -> Vec<Line> {
    let lines = transcript.lines().map(|line| {
        let (at, text) = line.trim_start().split_once("  ").expect("a time and a text");
        Line { at: at.parse().expect("seconds"), text: normalised(text) }
    });
    lines.collect()
}

/// A line without what differs between any two runs: addresses and ports; and without what cannot be seen at a socket: whether an
/// orderly end would have become a reset.
fn normalised(text: &str) -> String {
    for passive in ["S: 227 ", "C: PORT", "C: EPRT", "S: 229 "] {
        if text.starts_with(passive) {
            return passive.trim_end().to_owned();
        }
    }
    let text = text.replace("(fin_then_rst)", "(fin)").replace("(rst_if_unread)", "(fin)");
    let words = text.split(' ').map(|word| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_digit());
        if bare.parse::<std::net::Ipv4Addr>().is_ok() {
            word.replace(bare, "ADDRESS")
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn transcripts_differ_by_what_is_said_and_by_long_waits_only() {
    let one = "    0.010000  -- connects from 10.0.0.1 (session 1)\n    0.020000  S: 227 Here (1,2,3)\n";
    let same = "    0.110000  -- connects from 127.0.0.1 (session 1)\n    0.320000  S: 227 Here (4,5,6)\n";
    assert_eq!(compare(one, same), None);
    for other in [
        "    0.010000  -- connects from 10.0.0.1 (session 2)\n    0.020000  S: 227 Here\n",
        "    0.010000  -- connects from 10.0.0.1 (session 1)\n    1.020000  S: 227 Here\n",
        "    0.010000  -- connects from 10.0.0.1 (session 1)\n",
    ] {
        assert!(compare(one, other).is_some(), "{other}");
    }
}
