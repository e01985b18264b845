//! What to say where nobody was let in: whether there was a server at all, and what stood in the way.
//!
//! It finds nothing out: every number and word in it stands in the [`Summary`].

use super::{count, most, number, seconds};
use crate::metrics::summary::{RefusalCount, RefusalText, Summary};

/// Why nobody at all was let in, if that makes it a run about no server, the wrong one, or with the wrong means; `None` if somebody
/// was let in, or if the server had its reasons.
pub(crate) fn nobody_let_in(summary: &Summary) -> Option<String> {
    let counts = &summary.counts;
    if counts.attempts == 0 {
        return Some(format!("Nobody came in {}: nothing was measured.", seconds(summary.duration_s)));
    }
    if counts.admitted > 0 {
        return None;
    }
    let (target, attempts) = (super::measured::url(summary), number(counts.attempts, "attempt", "attempts"));
    let greeted = summary.latency.get("greeting").map_or(0, |times| times.count);
    let coded = summary.refusals.iter().any(|refusal| refusal.code > 0);
    let network = most(&summary.refused_by_cause.network);
    let why = network.or(most(&summary.refused_by_cause.turned_away));
    let why = why.map(|(cause, _)| format!(" ({cause})")).unwrap_or_default();
    if let Some(told) = texts(summary).find(|one| one.code == 0 && one.text.contains("peer certificate")) {
        return Some(format!(
            "The certificate of {target} is not trusted: {}. --tls-ca FILE names who is, and --tls-insecure asks nobody.",
            told.text
        ));
    }
    if let Some(told) = no_tls(summary) {
        return Some(told);
    }
    if no_login(summary) {
        let said = texts(summary).find(|one| of_login(&one.phase)).map(said).unwrap_or_default();
        return Some(format!(
            "{} of {attempts} failed for wrong passwords{said}: are the accounts those of {target}? (--user, --users)",
            count(counts.login_failed + counts.turned_away)
        ));
    }
    if coded {
        return None;
    }
    let said = texts(summary).find(|one| !one.text.is_empty()).map(said).unwrap_or_default();
    Some(if greeted == 0 {
        format!("No FTP server answered at {target}: none of {attempts} was greeted{why}{said}.")
    } else {
        format!(
            "{target} greets, and that is all: none of {attempts} got as far as an answer to the login{why}{said}."
        )
    })
}

/// Were names and passwords answered with no, and nothing else? A 530 in words of its own counts, too: where nobody is ever let in,
/// a wrong account is a better guess than a full server.
fn no_login(summary: &Summary) -> bool {
    let counts = &summary.counts;
    let guessed = |cause: &String| {
        let told = summary.told_apart.iter().flatten();
        told.filter(|one| one.cause == *cause).all(|one| one.basis == "position")
    };
    let away = |one: &&RefusalCount| one.ended == "turned_away";
    counts.login_failed + counts.turned_away > 0
        && summary
            .refusals
            .iter()
            .filter(away)
            .all(|one| one.code == 530 && of_login(&one.phase) && guessed(&one.cause))
}

fn of_login(phase: &str) -> bool {
    phase == "user" || phase == "pass"
}

/// TLS was asked for and not had.
pub(super) fn no_tls(summary: &Summary) -> Option<String> {
    let of_tls = |phase: &str, code: u16| phase == "pre_login" && (500..600).contains(&code);
    let refused: u64 =
        summary.refusals.iter().filter(|one| of_tls(&one.phase, one.code)).map(|one| one.count).sum();
    if refused * 2 <= summary.counts.turned_away {
        return None;
    }
    let said = texts(summary).find(|one| of_tls(&one.phase, one.code)).map(said).unwrap_or_default();
    Some(format!(
        "{} does not offer TLS: it sent away {} of {} that asked for it{said}.",
        super::measured::url(summary),
        count(refused),
        number(summary.counts.attempts, "attempt", "attempts")
    ))
}

fn texts(summary: &Summary) -> impl Iterator<Item = &RefusalText> {
    summary.refusal_texts.iter().flatten()
}

/// Its words, behind whatever stands before them.
fn said(one: &RefusalText) -> String {
    /// No more characters of them.
    const WIDTH: usize = 60;
    let code = if one.code == 0 { String::new() } else { format!("{} ", one.code) };
    let cut = if one.text.chars().nth(WIDTH).is_some() { ".." } else { "" };
    let text: String = one.text.chars().take(WIDTH).collect();
    format!("; it said \"{code}{text}{cut}\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::summary::Quantiles;

    fn summary(greeted: u64) -> Summary {
        let mut summary = Summary::default();
        summary.counts.attempts = 5;
        summary.latency.insert("greeting".to_owned(), Quantiles { count: greeted, ..Quantiles::default() });
        summary
    }

    fn text(cause: &str, phase: &str, code: u16, text: &str) -> RefusalText {
        let word = str::to_owned;
        RefusalText {
            code,
            text: word(text),
            phase: word(phase),
            cause: word(cause),
            ..RefusalText::default()
        }
    }

    #[track_caller]
    fn says(summary: &Summary, words: &[&str]) {
        let told = nobody_let_in(summary).unwrap_or_default();
        assert!(words.iter().all(|word| told.contains(word)), "{told}");
    }

    #[test]
    fn each_way_to_let_nobody_in_has_its_words() {
        says(&Summary { duration_s: 3.0, ..Summary::default() }, &["Nobody came in 3 s"]);
        says(&summary(0), &["No FTP server answered", "none of 5 attempts"]);
        says(&summary(5), &["greets, and that is all"]);
        let mut web = summary(0);
        web.refusal_texts = Some(vec![text("critical_error", "accept", 0, "HTTP/1.1 400 Bad Request")]);
        says(&web, &["No FTP server answered", "HTTP/1.1 400"]);
        let mut strange = summary(5);
        let why = "invalid peer certificate: UnknownIssuer";
        strange.refusal_texts = Some(vec![text("critical_error", "pre_login", 0, why)]);
        says(&strange, &["is not trusted", "UnknownIssuer", "--tls-ca", "--tls-insecure"]);
        let mut wrong = summary(5);
        wrong.counts.login_failed = 5;
        wrong.refusal_texts = Some(vec![text("login_attempts", "pass", 530, "Login incorrect.")]);
        says(&wrong, &["5 of 5 attempts failed for wrong passwords", "530 Login incorrect.", "--users"]);
    }

    #[test]
    fn a_server_without_tls_is_no_full_one() {
        let mut plain = summary(5);
        plain.counts.turned_away = 5;
        let word = str::to_owned;
        let (ended, cause, phase) = (word("turned_away"), word("critical_error"), word("pre_login"));
        plain.refusals = vec![RefusalCount { ended, cause, phase, code: 500, count: 5 }];
        plain.refusal_texts = Some(vec![text("critical_error", "pre_login", 500, "AUTH not understood")]);
        says(&plain, &["does not offer TLS", "5 of 5", "500 AUTH not understood"]);
    }

    #[test]
    fn a_server_that_says_why_has_its_reasons() {
        let mut full = summary(0);
        full.counts.turned_away = 5;
        let word = str::to_owned;
        let (ended, cause, phase) = (word("turned_away"), word("max_clients"), word("greeting"));
        full.refusals = vec![RefusalCount { ended, cause, phase, code: 421, count: 5 }];
        assert_eq!(nobody_let_in(&full), None);
        full.counts.admitted = 1;
        assert_eq!(nobody_let_in(&full), None);
    }
}
