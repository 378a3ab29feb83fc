//! Capacity wanted before the pods exist. Pure functions.
