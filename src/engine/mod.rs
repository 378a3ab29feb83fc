//! Time. State machines without input or output of their own.
