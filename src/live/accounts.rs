//! Which password is an account's: the one rule that the load generator and the modelled server share.
//!
//! It knows no lists of real accounts: those come with a plan.

/// The password of every account of a scenario.
pub const PASSWORD: &str = "ftp421";
/// What a client of ours types that mistypes its password. It is wrong for everybody: `anonymous` may say anything else.
pub const MISTYPED: &str = "not-my-password";

/// Is `password` that of `user`?
pub fn is_right(user: &str, password: &str) -> bool {
    match user {
        "anonymous" | "ftp" => password != MISTYPED,
        _ => password == PASSWORD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anonymous_says_what_it_likes_and_everybody_else_has_one_password() {
        assert!(is_right("anonymous", "me@example.org") && is_right("alice", PASSWORD));
        assert!(!is_right("alice", "me@example.org") && !is_right("alice", MISTYPED));
        assert!(!is_right("anonymous", MISTYPED));
    }
}
