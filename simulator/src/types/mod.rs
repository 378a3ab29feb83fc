//! What a NodePool may buy, or a node class be used for, listed with sizes and prices.
//!
//! ```text
//!   asked    arguments, files → a pool, a class, or what is wrong with them
//!   listing  region, pool, class → types, the cheapest first
//!   text     the table for people
//!   json     the same for programs, in the words of the planner's own input
//! ```

mod asked;
mod json;
mod listing;
mod text;

pub use asked::{Asked, Found, find};
pub use json::to_json;
pub use listing::{Because, Listed, Listing, Scope, list};
pub use text::to_text;
