//! A deterministic world in virtual time.
