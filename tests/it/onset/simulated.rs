//! The search in virtual time: what it finds is what the profile says.
