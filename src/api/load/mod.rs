//! From files to checked objects.
//!
//! ```text
//!   source   paths, folders, standard input → texts                       (all input happens here)
//!   tree     text → documents whose every node knows its place            scalar: what a value means
//!   objects  documents → objects: `List`s, kinds, identity                metadata, unknown kinds
//!   shape    document against the schema of its kind → value              schema, suggest
//!   policies, manifests, document   → typed objects, after their rules    lint: what surprises
//!   diagnostic, render              everything that is wrong, with place, rule and fix
//! ```
//!
//! Loading is all or nothing: either everything is good and comes back with warnings and notices at
//! most, or nothing comes back but what is wrong, all of it at once.

mod diagnostic;
mod document;
mod lint;
mod manifests;
mod metadata;
mod objects;
mod policies;
mod render;
mod scalar;
mod schema;
mod shape;
mod source;
mod suggest;
mod tree;

pub use diagnostic::{Diagnostic, DocumentName, Position, Severity, sort};
pub use document::load as load_document;
pub use lint::empty_nodes_kept_per_week;
pub use manifests::{Manifest, load as load_manifests};
pub use policies::{PolicySet, load as load_policies};
pub use render::{Look, render};
pub use source::{STANDARD_INPUT, Source, read};
pub use tree::Span;

/// What was loaded, and what there is to say about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Accepted<T> {
    /// What was loaded.
    pub value: T,
    /// Warnings and notices, in the order in which they are shown.
    pub remarks: Vec<Diagnostic>,
}

/// All or nothing: the value if no diagnostic is an error, otherwise what is wrong. Notices are
/// about input that is used, so they go with it.
fn settle<T>(value: T, mut diagnostics: Vec<Diagnostic>) -> Result<Accepted<T>, Vec<Diagnostic>> {
    sort(&mut diagnostics);
    if diagnostics.iter().any(|it| it.severity == Severity::Error) {
        diagnostics.retain(|it| it.severity != Severity::Notice);
        return Err(diagnostics);
    }
    Ok(Accepted {
        value,
        remarks: diagnostics,
    })
}
