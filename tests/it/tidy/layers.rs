//! Which part may name which: the picture in `src/ARCHITECTURE.md`, checked.

use super::modules::{Module, RustFiles};
use super::source::Name;
use super::{TextFile, Violation, assert_found, assert_none, repository};

/// A module of `src/lib.rs` and the modules it may name besides itself.
struct Layer {
    name: &'static str,
    may_use: &'static [&'static str],
}

/// From the inside out. Nothing may name `cli` or `controller` but the binary and each other.
const LAYERS: [Layer; 9] = [
    Layer {
        name: "model",
        may_use: &[],
    },
    Layer {
        name: "cluster",
        may_use: &["model"],
    },
    Layer {
        name: "demand",
        may_use: &["model", "cluster"],
    },
    Layer {
        name: "planner",
        may_use: &["model", "cluster", "demand"],
    },
    Layer {
        name: "engine",
        may_use: &["model", "cluster", "demand", "planner"],
    },
    Layer {
        name: "api",
        may_use: &["model"],
    },
    Layer {
        name: "cloud",
        may_use: &["model"],
    },
    Layer {
        name: "controller",
        may_use: &[
            "model", "cluster", "demand", "planner", "engine", "api", "cloud",
        ],
    },
    Layer {
        name: "cli",
        may_use: &[
            "model",
            "cluster",
            "demand",
            "planner",
            "engine",
            "api",
            "cloud",
            "controller",
        ],
    },
];

/// The layers that compute and do nothing else. `manifests.rs` checks their lints.
pub const CORE: [&str; 5] = ["model", "cluster", "demand", "planner", "engine"];

/// What the core may not name outside its tests, as the beginning of a path. The list is of the
/// doors to the outside world that the crates we depend on and the standard library offer.
const OUTSIDE: [&str; 16] = [
    "k8s_openapi",
    "kube",
    "schemars",
    "tokio",
    "rand",
    "anyhow",
    "clap",
    "std::env",
    "std::fs",
    "std::io",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::sync::Mutex",
    "std::sync::RwLock",
];

/// What the core may not name anywhere in a path.
const OUTSIDE_NAMES: [&str; 5] = ["SystemTime", "Instant", "HashMap", "HashSet", "RandomState"];

/// Macros with which the core would speak on its own.
const OUTSIDE_MACROS: [&str; 5] = ["print", "println", "eprint", "eprintln", "include_dir"];

/// The simulator plays the world, so it may not be the product's shell.
const SIMULATOR_MAY_NOT: [&str; 2] = ["tidewright::controller", "tidewright::cli"];

/// The simulated scheduler checks the planner's promises, so it may share none of its reasoning.
const SCHEDULER: &str = "simulator/src/kube/scheduler";
const SCHEDULER_MAY_NOT: [&str; 3] = [
    "tidewright::planner",
    "tidewright::model::requirement",
    "tidewright::model::taint",
];

/// The full path of a name, with `crate`, `self` and `super` resolved; `None` if it is not written
/// from one of these or from a crate. Relative names need no check: the `use` line that brought
/// them in is a name too.
fn absolute(name: &Name, module: &[String], crate_name: &str) -> Vec<String> {
    let mut here = [module, &name.inline_modules].concat();
    let supers = name
        .segments
        .iter()
        .take_while(|segment| *segment == "super")
        .count();
    let (first, rest) = match name.segments[0].as_str() {
        "crate" => return [&[crate_name.to_owned()], &name.segments[1..]].concat(),
        "self" => (here, &name.segments[1..]),
        "super" => {
            here.truncate(here.len().saturating_sub(supers));
            (here, &name.segments[supers..])
        }
        _ => return name.segments.clone(),
    };
    [&[crate_name.to_owned()], first.as_slice(), rest].concat()
}

fn begins_with(path: &[String], beginning: &str) -> bool {
    let mut path = path.iter();
    beginning
        .split("::")
        .all(|segment| path.next().is_some_and(|own| own == segment))
}

fn core_and_edges(modules: &[Module<'_>]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for module in modules {
        let Some(layer) = LAYERS
            .iter()
            .find(|layer| module.path.first().is_some_and(|m| m == layer.name))
        else {
            violations.extend(unplaced(module));
            continue;
        };
        for name in &module.source.names {
            let path = absolute(name, &module.path, "tidewright");
            let file = module.file;
            violations.extend(upward(layer, &path, file, name.line));
            if CORE.contains(&layer.name) && !name.in_test && !module.in_test {
                violations.extend(outward(&path, file, name.line));
            }
        }
        if CORE.contains(&layer.name) {
            violations.extend(spoken(module));
        }
    }
    violations
}

fn unplaced(module: &Module<'_>) -> Option<Violation> {
    let is_top = module.path.len() == 1;
    is_top.then(|| {
        let what = format!("`{}` has no place among the layers", module.path[0]);
        module
            .file
            .violation(1, what, "add it to LAYERS here and to src/ARCHITECTURE.md")
    })
}

fn upward(layer: &Layer, path: &[String], file: &TextFile, line: usize) -> Option<Violation> {
    if path.first()? != "tidewright" {
        return None;
    }
    let fix = "move the shared part inwards, or hand the value in as an argument";
    match path.get(1).map(String::as_str) {
        None | Some("*") => {
            let what = format!("`{}` takes the whole crate", layer.name);
            Some(file.violation(line, what, "name the module that is meant"))
        }
        Some(other) if other == layer.name || layer.may_use.contains(&other) => None,
        Some(other) if LAYERS.iter().any(|layer| layer.name == other) => {
            let what = format!("`{}` may not use `{other}`", layer.name);
            Some(file.violation(line, what, fix))
        }
        // A macro of the crate's root, or a name the compiler will refuse.
        Some(_) => None,
    }
}

fn outward(path: &[String], file: &TextFile, line: usize) -> Option<Violation> {
    let beginning = OUTSIDE
        .iter()
        .find(|beginning| begins_with(path, beginning));
    let segment = OUTSIDE_NAMES
        .iter()
        .find(|name| path.iter().any(|segment| segment == *name));
    let what = beginning.or(segment)?;
    let fix = "the core takes time, randomness and facts as arguments and returns effects";
    Some(file.violation(line, format!("the core may not name `{what}`"), fix))
}

fn spoken<'a>(module: &'a Module<'a>) -> impl Iterator<Item = Violation> + 'a {
    let calls = module
        .source
        .macros
        .iter()
        .filter(|call| !call.in_test && !module.in_test);
    let banned = calls.filter(|call| OUTSIDE_MACROS.contains(&call.name.as_str()));
    banned.map(|call| {
        let what = format!("the core may not call `{}!`", call.name);
        module
            .file
            .violation(call.line, what, "return a reason, a notice or a report")
    })
}

fn simulator(modules: &[Module<'_>]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for module in modules {
        let is_scheduler = module.file.path.starts_with(SCHEDULER);
        for name in &module.source.names {
            let path = absolute(name, &module.path, "tidewright_simulator");
            let shell = SIMULATOR_MAY_NOT
                .iter()
                .find(|banned| begins_with(&path, banned));
            violations.extend(shell.map(|banned| {
                let what = format!("the simulator may not use `{banned}`");
                module
                    .file
                    .violation(name.line, what, "play the world; do not run the shell")
            }));
            let banned = SCHEDULER_MAY_NOT.iter().filter(|_| is_scheduler);
            let shared = banned.into_iter().find(|banned| begins_with(&path, banned));
            violations.extend(shared.map(|banned| {
                let what = format!("the simulated scheduler may not use `{banned}`");
                let fix = "write the rule again from the Kubernetes documentation: it is the check";
                module.file.violation(name.line, what, fix)
            }));
        }
    }
    violations
}

#[test]
fn layers_name_only_what_lies_inside_them() {
    let repository = repository();
    let rust = RustFiles::parse(&repository);
    assert_none(core_and_edges(&rust.modules("src/lib.rs")));
}

#[test]
fn the_simulator_is_a_world_of_its_own() {
    let repository = repository();
    let rust = RustFiles::parse(&repository);
    let mut modules = rust.modules("simulator/src/lib.rs");
    modules.extend(rust.modules("simulator/src/main.rs"));
    assert_none(simulator(&modules));
}

#[test]
fn a_use_line_against_the_layers_is_found() {
    let upward = |layer: &str| format!("`{layer}` may not use `engine`");
    let table: &[(&str, Vec<(usize, String)>)] = &[
        (
            "use crate::model::id;\nuse super::other;\nuse crate::cluster;",
            vec![],
        ),
        (
            "\nuse crate::{model, engine::step};",
            vec![(2, upward("planner"))],
        ),
        (
            "fn f() { crate::engine::step() }",
            vec![(1, upward("planner"))],
        ),
        ("use super::super::engine;", vec![(1, upward("planner"))]),
        (
            "mod m { use super::super::super::engine; }",
            vec![(1, upward("planner"))],
        ),
        (
            "fn f() { assert!(crate::engine::done()) }",
            vec![(1, upward("planner"))],
        ),
        (
            "#[cfg(test)] mod tests { use crate::engine; }",
            vec![(1, upward("planner"))],
        ),
        (
            "use crate::*;",
            vec![(1, "`planner` takes the whole crate".into())],
        ),
        (
            "use crate as all;",
            vec![(1, "`planner` takes the whole crate".into())],
        ),
        (
            "pub(crate) fn f() {}\npub(in crate::planner) fn g() {}",
            vec![],
        ),
    ];
    for (text, expected) in table {
        let repository = [
            TextFile::new("src/lib.rs", "mod planner;"),
            TextFile::new("src/planner/mod.rs", "mod pack;"),
            TextFile::new("src/planner/pack.rs", text),
        ];
        let rust = RustFiles::parse(&repository);
        let expected: Vec<_> = expected
            .iter()
            .map(|(line, what)| (*line, what.as_str()))
            .collect();
        assert_found(&core_and_edges(&rust.modules("src/lib.rs")), &expected);
    }
}

#[test]
fn a_door_to_the_outside_is_found() {
    let table: &[(&str, &[(usize, &str)])] = &[
        ("use std::collections::BTreeMap;\nuse std::sync::Arc;", &[]),
        (
            "use std::{fmt, fs};",
            &[(1, "the core may not name `std::fs`")],
        ),
        (
            "use ::std::thread;",
            &[(1, "the core may not name `std::thread`")],
        ),
        (
            "use std::time::*;\nfn f(at: Instant) {}",
            &[(2, "the core may not name `Instant`")],
        ),
        ("use kube::Api;", &[(1, "the core may not name `kube`")]),
        (
            "fn f() {\nprintln!(\"\") }",
            &[(2, "the core may not call `println!`")],
        ),
        ("#[cfg(test)]\nmod tests { use std::fs; }", &[]),
    ];
    for (text, expected) in table {
        let repository = [
            TextFile::new("src/lib.rs", "mod model;"),
            TextFile::new("src/model.rs", text),
        ];
        let rust = RustFiles::parse(&repository);
        assert_found(&core_and_edges(&rust.modules("src/lib.rs")), expected);
    }
}

#[test]
fn a_module_without_a_layer_is_found() {
    let repository = [
        TextFile::new("src/lib.rs", "mod misc;"),
        TextFile::new("src/misc.rs", ""),
    ];
    let rust = RustFiles::parse(&repository);
    let found = core_and_edges(&rust.modules("src/lib.rs"));
    assert_found(&found, &[(1, "`misc` has no place among the layers")]);
}

#[test]
fn a_scheduler_that_borrows_from_the_planner_is_found() {
    let text = "use tidewright::model::{pod::Pod, taint::tolerates};\nuse tidewright::cli;";
    let repository = [
        TextFile::new("simulator/src/lib.rs", "mod kube { mod scheduler; }"),
        TextFile::new("simulator/src/kube/scheduler.rs", text),
    ];
    let rust = RustFiles::parse(&repository);
    assert_found(
        &simulator(&rust.modules("simulator/src/lib.rs")),
        &[
            (
                1,
                "the simulated scheduler may not use `tidewright::model::taint`",
            ),
            (2, "the simulator may not use `tidewright::cli`"),
        ],
    );
}
