//! What it costs to tell a refusal apart: a text of the named server, one of another server, somebody's own words, and none.
//!
//! It does not say how often that is right: `tests/it/classify` does.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ftp421::classify::{Classifier, Evidence};
use ftp421::observe::Phase;

fn judge(criterion: &mut Criterion) {
    let classifier = Classifier::new(Some("proftpd"));
    let long = "Sorry, the maximum number of ".repeat(40);
    let texts = [
        ("own text", 530, "Sorry, the maximum number of allowed clients (30) are already connected."),
        ("another server's", 421, "There are too many connections from your internet address."),
        ("own words", 421, "All 30 lines are in use. Try one of our mirrors!"),
        ("no words", 421, ""),
        ("hostile", 530, long.as_str()),
    ];
    for (name, code, text) in texts {
        let evidence = Evidence { code, text, phase: Phase::Greeting, ..Evidence::default() };
        criterion.bench_function(&format!("judge: {name}"), |bencher| {
            bencher.iter(|| classifier.judge(black_box(&evidence)));
        });
    }
}

criterion_group!(benches, judge);
criterion_main!(benches);
