//! The chart of an onset search: above, how many each ramp let in, attempt by attempt; below, the share of sessions refused against
//! the rate at which they come, and where it passes the level.
//!
//! It computes nothing but the curves that the numbers of `onset.json` stand for: the fit, and Erlang's formula beside it.

use plotters::backend::DrawingBackend;

use super::axis::Axis;
use super::canvas::{Canvas, Pen};
use super::panel::Panel;
use super::sheet::{Key, Sheet, Sign};
use crate::experiment::onset::result::{RampFound, RateFound, RatePoint};
use crate::experiment::onset::{Finding, story};
use crate::experiment::theory;
use crate::observe::Cause;
use crate::report::colours::{self, BLUE, GREEN, INK, PALE, PURPLE, RED, Rgb};
use crate::report::words::{percent, seconds};

/// One pen a kind of ramp: those drawn first are broad, so that they show on either side where curves are the same.
const RAMPS: [Pen; 4] = [
    Pen { colour: INK, width: 8 },
    Pen { colour: BLUE, width: 6 },
    Pen { colour: GREEN, width: 4 },
    Pen { colour: PURPLE, width: 2 },
];
const FIT: Pen = Pen { colour: INK, width: 2 };
const ERLANG: Pen = Pen { colour: BLUE, width: 2 };
const LEVEL: Pen = Pen { colour: PALE, width: 1 };
const ONSET: Pen = Pen { colour: RED, width: 2 };
const BAND: Rgb = Rgb(0xFA, 0xE4, 0xD4);
/// The points of a curve.
const POINTS: u32 = 120;
/// Half the width of the ends of an error bar, pixels.
const WHISKER: f64 = 6.0;

/// Draws it.
pub fn draw<B: DrawingBackend>(canvas: &mut Canvas<B>, found: &Finding) {
    let sheet = Sheet::titled(story::title(found), subtitle(found), keys(found));
    let most = found.ramps.iter().map(|ramp| ramp.held.len()).max().unwrap_or(1);
    let held = found.ramps.iter().map(|ramp| ramp.admitted).max().unwrap_or(1);
    let x = Axis::counts(most as f64 + 0.5, "number of the attempt");
    let y = Axis::counts(f64::from(held) * 1.05, "sessions that are there");
    let (rates, shares) = below(found.rate.as_ref());
    let (upper, lower) = sheet.panels_apart(&x, y, &rates, shares);
    sheet.draw(canvas, std::slice::from_ref(&upper), |canvas| {
        if found.ramps.is_empty() {
            upper.empty(canvas, "no ramp was run");
        }
        let limits = [
            (Cause::MaxClients, &found.limits.max_clients),
            (Cause::MaxPerIp, &found.limits.max_per_ip),
            (Cause::MaxPerUser, &found.limits.max_per_user),
        ];
        for (cause, limit) in limits {
            if let Some(value) = limit.value {
                upper.rule(canvas, f64::from(value), Pen { colour: colours::of(cause), width: 1 });
            }
        }
        for (ramp, pen) in found.ramps.iter().zip(RAMPS) {
            draw_ramp(canvas, &upper, ramp, pen);
        }
    });
    if let Some(rate) = &found.rate {
        draw_rate(canvas, &lower, rate);
    } else {
        lower.frame(canvas, true);
        lower.empty(
            canvas,
            if found.first_refusal.is_some() { "no rate was looked for" } else { "nobody was refused" },
        );
    }
    lower.title(canvas);
}

fn subtitle(found: &Finding) -> String {
    let mut parts = vec![found.server.clone(), found.world.clone(), format!("seed {}", found.seed)];
    parts.push(format!("an arrival every {} in a ramp", seconds(found.ramp.gap_s)));
    parts.extend(
        found.slot_release.as_ref().map(|r| format!("a slot is free {} after a QUIT", seconds(r.median_s))),
    );
    if found.partial {
        parts.push("interrupted".to_owned());
    }
    parts.join(" · ")
}

fn keys(found: &Finding) -> Vec<Key> {
    let mut keys: Vec<Key> = found.ramps.iter().zip(RAMPS).map(|(ramp, pen)| ramp_key(ramp, pen)).collect();
    let Some(rate) = &found.rate else { return keys };
    keys.push(Key::new("95 % interval of the rate", Sign::Area(BAND)));
    if rate.per_s.is_some() {
        keys.push(Key::new("fit", Sign::Line(FIT)));
    }
    let erlang = format!("Erlang B, {} places of {}", rate.places, seconds(rate.slot_s));
    keys.push(Key::new(erlang, Sign::Dashed(ERLANG)));
    keys
}

fn ramp_key(ramp: &RampFound, pen: Pen) -> Key {
    let many =
        |word: &str, one: &str, many: &str| if word == "one" { one.to_owned() } else { many.to_owned() };
    let who = format!(
        "{}, {}",
        many(&ramp.addresses, "one address", "many addresses"),
        many(&ramp.users, "one user", "many users")
    );
    let end = match &ramp.refusal {
        Some(refusal) => {
            format!("{}, then {}", ramp.admitted, refusal.split(',').next().unwrap_or_default())
        }
        None => format!("{}, nobody refused", ramp.admitted),
    };
    Key::new(format!("{who}: {end}"), Sign::Line(pen))
}

fn draw_ramp<B: DrawingBackend>(canvas: &mut Canvas<B>, panel: &Panel, ramp: &RampFound, pen: Pen) {
    // An attempt is as broad as from half before its number to half behind it.
    let at = |number: usize, held: u32| panel.at(number as f64 + 0.5, f64::from(held));
    let mut stairs = vec![panel.at(0.0, 0.0), at(0, 0)];
    for (number, held) in ramp.held.iter().enumerate() {
        stairs.push(at(number, *held));
        stairs.push(at(number + 1, *held));
    }
    canvas.path(&stairs, pen);
    let cause = ramp.refusal.as_deref().and_then(|words| Cause::from_name(words.split(',').next()?));
    for number in &ramp.refused {
        let place = (*number as usize).saturating_sub(1);
        if let Some(held) = ramp.held.get(place) {
            let (x, y) = panel.at(f64::from(*number), f64::from(*held));
            canvas.dot((x, y), 6, colours::PAPER);
            canvas.dot((x, y), 5, cause.map_or(INK, colours::of));
        }
    }
}

/// The axes of the lower panel.
fn below(rate: Option<&RateFound>) -> (Axis, Axis) {
    let level = rate.map_or(0.01, |rate| rate.level);
    let points = rate.map_or(&[][..], |rate| &rate.points[..]);
    let rates = points
        .iter()
        .map(|p| p.per_s)
        .chain(rate.iter().flat_map(|r| [r.low_per_s, r.high_per_s].into_iter().flatten()))
        .chain(rate.iter().map(|r| if points.is_empty() { r.erlang_b_per_s } else { points[0].per_s }));
    let (low, high) = rates
        .filter(|r| r.is_finite() && *r > 0.0)
        .fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), r| (low.min(r), high.max(r)));
    let margin = ((high - low) * 0.08).max(high * 0.01);
    let title = match rate {
        Some(rate) => format!("sessions of {} that come in a second", seconds(rate.session_s)),
        None => "sessions that come in a second".to_owned(),
    };
    let x = Axis::range(low - margin, high + margin, &title);
    let share = points.iter().map(|p| p.high).fold(level * 1.5, f64::max);
    (x, Axis::shares(share, "share of sessions refused"))
}

fn draw_rate<B: DrawingBackend>(canvas: &mut Canvas<B>, panel: &Panel, rate: &RateFound) {
    if let (Some(low), Some(high)) = (rate.low_per_s, rate.high_per_s) {
        canvas.fill((panel.across(low), panel.top), (panel.across(high), panel.bottom), BAND);
    }
    panel.frame(canvas, true);
    panel.rule(canvas, rate.level, LEVEL);
    if let Some(at) = rate.per_s {
        let x = panel.across(at);
        canvas.path(&[(x, panel.top), (x, panel.bottom)], ONSET);
    }
    let (from, to) = panel.x.ends();
    let curve = |share: &dyn Fn(f64) -> f64| -> Vec<(f64, f64)> {
        (0..=POINTS)
            .map(|i| from + (to - from) * f64::from(i) / f64::from(POINTS))
            .map(|per_s| (per_s, share(per_s)))
            .filter(|(per_s, share)| *per_s > 0.0 && *share <= panel.y.ends().1)
            .map(|(per_s, share)| panel.at(per_s, share))
            .collect()
    };
    let erlang = curve(&|per_s| theory::erlang_b(rate.places, per_s * rate.slot_s));
    for pair in erlang.chunks(4) {
        if let [first, .., last] = pair {
            canvas.path(&[*first, *last], ERLANG);
        }
    }
    if let (Some(at), Some(exponent)) = (rate.per_s, rate.exponent) {
        let loss = |per_s: f64| theory::erlang_b(rate.places, per_s * rate.slot_fitted_s);
        canvas.path(&curve(&|per_s| rate.level * libm::pow(loss(per_s) / loss(at), exponent)), FIT);
    }
    for point in &rate.points {
        draw_point(canvas, panel, point);
    }
    if let Some(at) = rate.per_s {
        let words = format!("{} at {}/s", percent(rate.level), story::short(at));
        super::panel::note(canvas, (panel.across(at), panel.top + 12.0), &words);
    }
}

/// A point with its interval.
fn draw_point<B: DrawingBackend>(canvas: &mut Canvas<B>, panel: &Panel, point: &RatePoint) {
    let pen = Pen { colour: INK, width: 1 };
    let (low, high) = (panel.at(point.per_s, point.low), panel.at(point.per_s, point.high));
    canvas.path(&[low, high], pen);
    for (x, y) in [low, high] {
        canvas.path(&[(x - WHISKER, y), (x + WHISKER, y)], pen);
    }
    canvas.dot(panel.at(point.per_s, point.share), 5, INK);
}
