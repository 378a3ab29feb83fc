//! Rules for the manifests and for the lints that guard the core.

use toml::{Table, Value};

use super::layers::CORE;
use super::modules::RustFiles;
use super::source::Source;
use super::{TextFile, Violation, assert_found, assert_none, repository};

/// The lints that stand for rules of STYLE.md in the whole workspace, with their least levels.
const WORKSPACE_LINTS: [(&str, &str, &str); 7] = [
    ("rust", "unsafe_code", "forbid"),
    ("rust", "missing_docs", "warn"),
    ("clippy", "too_many_lines", "deny"),
    ("clippy", "disallowed_methods", "deny"),
    ("clippy", "disallowed_types", "deny"),
    ("clippy", "unwrap_used", "deny"),
    ("clippy", "fn_params_excessive_bools", "deny"),
];

/// The lints that each core layer denies at its `mod` line in `src/lib.rs`.
const CORE_LINTS: [&str; 4] = [
    "clippy::as_conversions",
    "clippy::float_arithmetic",
    "clippy::iter_over_hash_type",
    "clippy::wildcard_enum_match_arm",
];

/// Cargo features: what people install is whole, and the provider needs the runtime.
const FEATURES: [(&str, &[&str]); 2] = [("default", &["aws"]), ("aws", &["controller"])];

fn at<'a>(table: &'a Table, keys: &[&str]) -> Option<&'a Value> {
    let (first, rest) = keys.split_first()?;
    rest.iter()
        .try_fold(table.get(*first)?, |value, key| value.get(*key))
}

fn parse(manifest: &TextFile) -> Table {
    manifest
        .text
        .parse()
        .expect("cargo has read this manifest already")
}

fn workspace_lints(manifest: &TextFile) -> Vec<Violation> {
    let table = parse(manifest);
    let missing = WORKSPACE_LINTS.iter().filter(|(tool, lint, level)| {
        let entry = at(&table, &["workspace", "lints", tool, lint]);
        let found = entry.and_then(|entry| entry.get("level").unwrap_or(entry).as_str());
        found != Some(level)
    });
    let what = missing.map(|(tool, lint, level)| format!("{tool} lint `{lint}` is not `{level}`"));
    what.map(|what| manifest.violation(1, what, "restore it, or change src/STYLE.md too"))
        .collect()
}

fn inherits_lints(manifest: &TextFile) -> Option<Violation> {
    let table = parse(manifest);
    let is_package = table.contains_key("package");
    let inherits = at(&table, &["lints", "workspace"]).and_then(Value::as_bool) == Some(true);
    let what = "the package does not use the workspace's lints";
    (is_package && !inherits)
        .then(|| manifest.violation(1, what, "add `[lints]` with `workspace = true`"))
}

fn features(manifest: &TextFile) -> Vec<Violation> {
    let table = parse(manifest);
    let wrong = FEATURES.iter().filter(|(feature, implied)| {
        let found = at(&table, &["features", feature]).and_then(Value::as_array);
        let found = found.map(|names| names.iter().filter_map(Value::as_str).collect::<Vec<_>>());
        // A feature may also switch on dependencies, but no other feature of ours.
        let ours = found.map(|names| {
            names
                .into_iter()
                .filter(|name| !name.contains([':', '/']))
                .collect::<Vec<_>>()
        });
        ours.as_deref() != Some(*implied)
    });
    let what = wrong.map(|(feature, implied)| format!("feature `{feature}` is not {implied:?}"));
    what.map(|what| manifest.violation(1, what, "restore it, or change the picture too"))
        .collect()
}

fn simulator_dependency(manifest: &TextFile) -> Option<Violation> {
    let table = parse(manifest);
    let setting = at(&table, &["dependencies", "tidewright", "default-features"]);
    let what = "the simulator takes the root package with its default features";
    (setting.and_then(Value::as_bool) != Some(false))
        .then(|| manifest.violation(1, what, "say `default-features = false`"))
}

fn core_lints(library: &TextFile, source: &Source) -> Vec<Violation> {
    let mut violations = Vec::new();
    for layer in CORE {
        let Some(line) = source.modules.iter().find(|line| line.name == layer) else {
            let what = format!("the layer `{layer}` is not declared");
            violations.push(library.violation(1, what, "declare it, or correct CORE here"));
            continue;
        };
        let denied = |lint: &&&str| {
            line.attributes.iter().any(|attribute| {
                let list = attribute
                    .strip_prefix("deny(")
                    .or(attribute.strip_prefix("forbid("));
                list.is_some_and(|list| list.trim_end_matches(')').split(',').any(|l| l == **lint))
            })
        };
        violations.extend(CORE_LINTS.iter().filter(|lint| !denied(lint)).map(|lint| {
            let what = format!("the layer `{layer}` does not deny `{lint}`");
            library.violation(line.line, what, "add it to the attribute of the `mod` line")
        }));
    }
    violations
}

#[test]
fn the_manifests_keep_features_and_lints() {
    let repository = repository();
    let manifests = repository
        .iter()
        .filter(|file| file.path.ends_with("Cargo.toml"));
    let mut violations = Vec::new();
    for manifest in manifests {
        violations.extend(inherits_lints(manifest));
        if manifest.path == "Cargo.toml" {
            violations.extend(workspace_lints(manifest));
            violations.extend(features(manifest));
        }
        if manifest.path == "simulator/Cargo.toml" {
            violations.extend(simulator_dependency(manifest));
        }
    }
    assert_none(violations);
}

#[test]
fn the_core_denies_what_the_core_may_not_do() {
    let repository = repository();
    let rust = RustFiles::parse(&repository);
    let library = rust.iter().find(|(file, _)| file.path == "src/lib.rs");
    let (library, source) = library.expect("the library has a root");
    assert_none(core_lints(library, source));
}

#[test]
fn a_missing_lint_is_found() {
    let lints = WORKSPACE_LINTS.iter().skip(1).map(|(tool, lint, level)| {
        format!("workspace.lints.{tool}.{lint} = {{ level = \"{level}\", priority = 1 }}\n")
    });
    let text: String = lints.collect();
    let found = workspace_lints(&TextFile::new("Cargo.toml", &text));
    assert_found(&found, &[(1, "rust lint `unsafe_code` is not `forbid`")]);

    let text = "package.name = \"a\"";
    let found: Vec<_> = inherits_lints(&TextFile::new("Cargo.toml", text))
        .into_iter()
        .collect();
    assert_found(
        &found,
        &[(1, "the package does not use the workspace's lints")],
    );
}

#[test]
fn a_wrong_feature_is_found() {
    let table: &[(&str, &[(usize, &str)])] = &[
        (
            "features.default = [\"aws\"]\nfeatures.aws = [\"controller\", \"dep:a\", \"b/c\"]",
            &[],
        ),
        (
            "features.default = []\nfeatures.aws = [\"controller\"]",
            &[(1, "feature `default` is not [\"aws\"]")],
        ),
        (
            "features.default = [\"aws\"]",
            &[(1, "feature `aws` is not [\"controller\"]")],
        ),
    ];
    for (text, expected) in table {
        assert_found(&features(&TextFile::new("Cargo.toml", text)), expected);
    }
    let text = "dependencies.tidewright.path = \"..\"";
    assert!(simulator_dependency(&TextFile::new("simulator/Cargo.toml", text)).is_some());
}

#[test]
fn a_core_layer_without_its_lints_is_found() {
    let deny = format!("#[deny({})]", CORE_LINTS.join(", "));
    let text = format!(
        "{deny} mod model;\n{deny} mod cluster;\n{deny} mod demand;\n\
         #[deny(clippy::as_conversions)] mod planner;"
    );
    let found = core_lints(&TextFile::new("src/lib.rs", &text), &Source::parse(&text));
    assert_found(
        &found,
        &[
            (
                4,
                "the layer `planner` does not deny `clippy::float_arithmetic`",
            ),
            (
                4,
                "the layer `planner` does not deny `clippy::iter_over_hash_type`",
            ),
            (
                4,
                "the layer `planner` does not deny `clippy::wildcard_enum_match_arm`",
            ),
            (1, "the layer `engine` is not declared"),
        ],
    );
}
