//! The module tree: which file belongs to which module of which crate, and which to none.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Source;
use super::{TextFile, Violation, assert_none, repository};

/// A Rust file that belongs to a crate.
pub struct Module<'a> {
    pub file: &'a TextFile,
    pub source: &'a Source,
    /// The path from the crate's root; empty for the root itself.
    pub path: Vec<String>,
    pub in_test: bool,
}

/// Every Rust file, read once.
pub struct RustFiles<'a> {
    files: BTreeMap<&'a str, (&'a TextFile, Source)>,
}

impl<'a> RustFiles<'a> {
    pub fn parse(repository: &'a [TextFile]) -> Self {
        let rust = repository.iter().filter(|file| file.is_rust());
        let files = rust.map(|file| (file.path.as_str(), (file, Source::parse(&file.text))));
        Self {
            files: files.collect(),
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = (&'a TextFile, &Source)> {
        self.files.values().map(|(file, source)| (*file, source))
    }

    /// The modules of the crate whose root is this file, parents first.
    pub fn modules(&self, crate_root: &str) -> Vec<Module<'_>> {
        let mut modules = Vec::new();
        self.descend(crate_root, &[], false, &mut modules);
        modules
    }

    fn descend<'b>(
        &'b self,
        path: &str,
        module: &[String],
        in_test: bool,
        into: &mut Vec<Module<'b>>,
    ) {
        let Some((file, source)) = self.files.get(path) else {
            // The compiler has told already that a module has no file.
            return;
        };
        let folder = folder_of_children(path, module.is_empty());
        into.push(Module {
            file,
            source,
            path: module.to_vec(),
            in_test,
        });
        for line in &source.modules {
            let below = [
                line.inline_modules.as_slice(),
                std::slice::from_ref(&line.name),
            ]
            .concat();
            let child = format!("{folder}{}", below.join("/"));
            let child_path = [module, &below].concat();
            for place in [format!("{child}.rs"), format!("{child}/mod.rs")] {
                self.descend(&place, &child_path, in_test || line.in_test, into);
            }
        }
    }
}

fn folder_of_children(path: &str, is_root: bool) -> String {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file.strip_suffix(".rs").expect("a Rust file");
    let own = if is_root || stem == "mod" {
        String::new()
    } else {
        format!("{stem}/")
    };
    format!("{folder}/{own}").trim_start_matches('/').to_owned()
}

/// Where cargo looks for crates by itself; our packages name no other places.
fn is_crate_root(path: &str, packages: &BTreeSet<&str>) -> bool {
    let package = packages
        .iter()
        .filter(|package| path.starts_with(**package));
    let Some(package) = package.max_by_key(|package| package.len()) else {
        return false;
    };
    let parts: Vec<_> = path[package.len()..].split('/').collect();
    matches!(
        parts.as_slice(),
        ["build.rs"]
            | ["src", "lib.rs" | "main.rs"]
            | ["src", "bin", _]
            | ["src", "bin", _, "main.rs"]
            | ["tests" | "examples" | "benches", _]
            | ["tests" | "examples" | "benches", _, "main.rs"]
    )
}

fn orphans(repository: &[TextFile]) -> Vec<Violation> {
    let manifests = repository
        .iter()
        .filter_map(|file| file.path.strip_suffix("Cargo.toml"));
    let packages = manifests.collect();
    let rust = RustFiles::parse(repository);
    let roots = rust
        .iter()
        .filter(|(file, _)| is_crate_root(&file.path, &packages));
    let reached: BTreeSet<_> = roots
        .flat_map(|(file, _)| rust.modules(&file.path))
        .map(|module| module.file.path.as_str())
        .collect();
    let orphans = rust
        .iter()
        .filter(|(file, _)| !reached.contains(file.path.as_str()));
    orphans
        .map(|(file, _)| {
            file.violation(
                1,
                "no `mod` line leads here",
                "declare the module or delete the file",
            )
        })
        .collect()
}

#[test]
fn every_rust_file_belongs_to_a_crate() {
    assert_none(orphans(&repository()));
}

#[test]
fn an_orphan_is_found() {
    let repository = [
        TextFile::new("Cargo.toml", ""),
        TextFile::new("src/lib.rs", "mod a; mod c { mod d; }"),
        TextFile::new("src/a.rs", "mod b;"),
        TextFile::new("src/a/b.rs", ""),
        TextFile::new("src/b.rs", ""),
        TextFile::new("src/c/d/mod.rs", "mod e;"),
        TextFile::new("src/c/d/e.rs", ""),
        TextFile::new("tests/it/main.rs", "mod f;"),
        TextFile::new("tests/it/f.rs", ""),
        TextFile::new("tests/it/g.rs", ""),
    ];
    let found: Vec<_> = orphans(&repository).into_iter().map(|v| v.file).collect();
    assert_eq!(found, ["src/b.rs", "tests/it/g.rs"]);
}

#[test]
fn a_file_of_tests_is_known_as_one() {
    let repository = [
        TextFile::new("src/lib.rs", "#[cfg(test)] mod a;"),
        TextFile::new("src/a.rs", ""),
    ];
    let rust = RustFiles::parse(&repository);
    let modules = rust.modules("src/lib.rs");
    assert_eq!(modules[1].path, ["a"]);
    assert!(modules[1].in_test);
}
