//! Transcripts as lines with times, and how two of them are compared.

/// A line and its time.
struct Line {
    at: f64,
    text: String,
}

/// Where two transcripts differ up to `end`, if they do: a real run says QUIT behind it. A line may be `tolerance` later or earlier
/// behind the one before it in the other world. The machines' own times are exact; what is left is the real world's: scheduling on a busy machine.
pub fn compare(ours: &str, theirs: &str, end: f64, tolerance: f64) -> Option<String> {
    let (ours, theirs) = (lines(ours, end), lines(theirs, end));
    if ours.is_empty() {
        return Some("nothing was said".to_owned());
    }
    let (mut before, mut beside) = (0.0, 0.0);
    for (place, (a, b)) in ours.iter().zip(&theirs).enumerate() {
        if a.text != b.text {
            return Some(format!("line {}: {:?} and {:?}", place + 1, a.text, b.text));
        }
        let (ours, theirs) = (a.at - before, b.at - beside);
        if (ours - theirs).abs() > tolerance {
            return Some(format!(
                "line {} {:?}: {ours:.3} s and {theirs:.3} s behind the one before",
                place + 1,
                a.text
            ));
        }
        (before, beside) = (a.at, b.at);
    }
    (ours.len() != theirs.len()).then(|| format!("{} lines and {}", ours.len(), theirs.len()))
}

fn lines(transcript: &str, end: f64) -> Vec<Line> {
    let lines = transcript.lines().map(|line| {
        let (at, text) = line.trim_start().split_once("  ").expect("a time and a text");
        Line { at: at.parse().expect("seconds"), text: normalised(text) }
    });
    lines.filter(|line| line.at < end).collect()
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
    assert_eq!(compare(one, same, 9.0, 0.4), None);
    for other in [
        "    0.010000  -- connects from 10.0.0.1 (session 2)\n    0.020000  S: 227 Here\n",
        "    0.010000  -- connects from 10.0.0.1 (session 1)\n    1.020000  S: 227 Here\n",
        "    0.010000  -- connects from 10.0.0.1 (session 1)\n",
    ] {
        assert!(compare(one, other, 9.0, 0.4).is_some(), "{other}");
    }
}
