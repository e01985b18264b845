//! Which password is an account's: the one rule that the load generator and the modelled server share.
//!
//! It knows no lists of real accounts: those come with a plan.

/// The password of every account of a scenario that nobody listed.
pub const PASSWORD: &str = "ftp421";
/// What stands behind a password that a client of ours mistypes. It makes it wrong for everybody: `anonymous` may say anything
/// else.
pub const MISTYPED: &str = "-mistyped";

/// Is `password` that of `user` at the modelled server?
pub fn is_right(user: &str, password: &str) -> bool {
    match user {
        "anonymous" | "ftp" => !password.ends_with(MISTYPED),
        _ => password == PASSWORD,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anonymous_says_what_it_likes_and_everybody_else_has_one_password() {
        assert!(is_right("anonymous", "me@example.org") && is_right("alice", PASSWORD));
        assert!(!is_right("alice", "me@example.org") && !is_right("alice", "ftp421-mistyped"));
        assert!(!is_right("anonymous", "me@example.org-mistyped"));
    }
}
