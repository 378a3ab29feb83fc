//! Tidewright: a node capacity manager for Kubernetes.
//!
//! The modules below are listed from the inside out; each may use only those above it
//! (`api` and `cloud` use `model` alone). `ARCHITECTURE.md` beside this file is the map.

#[deny(
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::iter_over_hash_type,
    clippy::wildcard_enum_match_arm
)]
pub mod model;

#[deny(
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::iter_over_hash_type,
    clippy::wildcard_enum_match_arm
)]
pub mod cluster;

#[deny(
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::iter_over_hash_type,
    clippy::wildcard_enum_match_arm
)]
pub mod demand;

#[deny(
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::iter_over_hash_type,
    clippy::wildcard_enum_match_arm
)]
pub mod planner;

#[deny(
    clippy::as_conversions,
    clippy::float_arithmetic,
    clippy::iter_over_hash_type,
    clippy::wildcard_enum_match_arm
)]
pub mod engine;

pub mod api;
pub mod cli;
pub mod cloud;
