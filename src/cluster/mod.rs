//! The single state store.
