//! The words of wire faults: commands, kinds of fault, and what a reply says that was given no text.
//!
//! It reads no rule.

/// Every command that somebody may send: RFC 959 and what came after it. A rule for a command that is misspelt would never hit.
pub(super) const VERBS: &[&str] = &[
    "ABOR", "ACCT", "ADAT", "ALLO", "APPE", "AUTH", "CCC", "CDUP", "CLNT", "CONF", "CWD", "DELE", "ENC",
    "EPRT", "EPSV", "FEAT", "HELP", "HOST", "LANG", "LIST", "LPRT", "LPSV", "MDTM", "MFCT", "MFF", "MFMT",
    "MIC", "MKD", "MLSD", "MLST", "MODE", "NLST", "NOOP", "OPTS", "PASS", "PASV", "PBSZ", "PORT", "PROT",
    "PWD", "QUIT", "REIN", "REST", "RETR", "RMD", "RNFR", "RNTO", "SITE", "SIZE", "SMNT", "STAT", "STOR",
    "STOU", "STRU", "SYST", "TYPE", "USER", "XCRC", "XCUP", "XCWD", "XMD5", "XMKD", "XPWD", "XRMD",
];

/// What is like a command.
pub(super) const PLACES: &[&str] = &["greeting", "any", "passive", "active", "transfer"];

pub(super) const PASSIVE: [&str; 2] = ["PASV", "EPSV"];
pub(super) const ACTIVE: [&str; 2] = ["PORT", "EPRT"];
const TRANSFERS: [&str; 7] = ["LIST", "NLST", "MLSD", "RETR", "STOR", "APPE", "STOU"];

pub(super) fn is_transfer(verb: &str) -> bool {
    TRANSFERS.contains(&verb)
}

pub(super) fn opens_data(verb: &str) -> bool {
    PASSIVE.contains(&verb) || ACTIVE.contains(&verb)
}

/// How each fault is written, by its first word.
pub(super) const FAULTS: &[(&str, &str)] = &[
    ("delay", "delay 2s"),
    ("drip", "drip 10B/s"),
    ("split", "split 3B"),
    ("reply", "reply 451 \"local error\", or the code alone: 451"),
    ("partial", "partial 3B"),
    ("lf", "lf"),
    ("endless", "endless, or endless 10ms"),
    ("twice", "twice"),
    ("no", "no reply, no newline, no accept, no data, no 226"),
    ("garbage", "garbage, or garbage 64B"),
    ("close", "close, close after reply, close after 64KiB"),
    ("reset", "reset, reset after reply, reset after 64KiB"),
    ("refuse", "refuse data"),
    ("wrong", "wrong address, wrong address 192.0.2.1, wrong address 192.0.2.1:2000, wrong port 2000"),
    ("slow", "slow 10KiB/s"),
    ("truncate", "truncate after 64KiB"),
    ("stall", "stall, stall after 64KiB, stall after 64KiB for 5s"),
    ("corrupt", "corrupt after 64KiB"),
    ("early", "early 226, or early 226 by 500ms"),
];

/// What a reply says if nobody has written a text for it (RFC 959 section 4.2.2).
pub(super) const fn text_of(code: u16) -> &'static str {
    match code {
        200 => "Command okay.",
        202 => "Command not implemented, superfluous at this site.",
        220 => "Service ready.",
        221 => "Goodbye.",
        226 => "Transfer complete.",
        230 => "User logged in, proceed.",
        331 => "User name okay, need password.",
        332 => "Need account for login.",
        421 => "Service not available, closing control connection.",
        425 => "Can't open data connection.",
        426 => "Connection closed; transfer aborted.",
        430 => "Invalid username or password.",
        451 => "Requested action aborted: local error in processing.",
        452 => "Insufficient storage space in system.",
        500 => "Syntax error, command unrecognized.",
        501 => "Syntax error in parameters or arguments.",
        502 => "Command not implemented.",
        503 => "Bad sequence of commands.",
        504 => "Command not implemented for that parameter.",
        530 => "Not logged in.",
        532 => "Need account for storing files.",
        450 | 550 => "File unavailable.",
        551 => "Page type unknown.",
        552 => "Exceeded storage allocation.",
        553 => "File name not allowed.",
        _ => "Reply.",
    }
}
