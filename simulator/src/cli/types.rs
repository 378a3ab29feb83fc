//! `tidewright-sim types`.

use std::io::{self, Write};
use std::process::ExitCode;

use super::{BAD_INPUT, TypesArgs, print_diagnostics, warnings};
use crate::scenario;
use crate::types::{Asked, Found, find, list, to_json, to_text};

pub(super) fn types(args: &TypesArgs) -> ExitCode {
    let asked = Asked {
        policies: args.policies.clone(),
        node_pool: args.nodepool.clone(),
        node_class_file: args.nodeclass_file.clone(),
        all: args.all,
    };
    let found = match find(&asked) {
        Ok(found) => found,
        Err(refused) => {
            print_diagnostics(&refused.diagnostics, &refused.sources);
            return ExitCode::from(BAD_INPUT);
        }
    };
    let Found {
        scope,
        class,
        remarks,
        sources,
    } = found;
    print_diagnostics(&warnings(remarks), &sources);
    let region = scenario::region();
    let listing = list(&region, &class, &scope);
    let text = if args.json {
        to_json(&region, &listing)
    } else {
        to_text(&region, &class, &scope, &listing)
    };
    // A reader that has seen enough of a long list goes away.
    let _written = io::stdout().write_all(text.as_bytes());
    ExitCode::SUCCESS
}
