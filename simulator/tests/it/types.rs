//! `tidewright-sim types`: the table, the JSON, and what it refuses.
//!
//! `TIDEWRIGHT_BLESS=1` writes the tables in `tests/expected` anew.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tidewright::model::quantity::Quantity;
use tidewright::model::resources::ResourceName;

/// What Karpenter computes, row by row: type, variant of the node class, then amounts.
const SIZES: &str = include_str!("../../../tests/fixtures/instance-types/sizes.tsv");

/// Runs the command where the fixtures are.
fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tidewright-sim"))
        .arg("types")
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests"))
        .output()
        .expect("the binary runs")
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("it prints UTF-8")
}

/// What it prints when all is well.
#[track_caller]
fn printed(arguments: &[&str]) -> String {
    let output = run(arguments);
    let complaint = text(output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {complaint}");
    assert_eq!(complaint, "", "{arguments:?}");
    text(output.stdout)
}

fn json(arguments: &[&str]) -> Value {
    let text = printed(&[arguments, &["--json"]].concat());
    serde_json::from_str(&text).expect("it is one JSON object")
}

/// The types of a listing by name.
fn types(listing: &Value) -> BTreeMap<&str, &Value> {
    let types = listing["types"].as_array().expect("a list of types");
    let named = types.iter().map(|it| (it["name"].as_str(), it));
    named
        .map(|(name, it)| (name.expect("a name"), it))
        .collect()
}

fn names(listing: &Value) -> Vec<&str> {
    let types = listing["types"].as_array().expect("a list of types");
    types
        .iter()
        .map(|it| it["name"].as_str().expect("a name"))
        .collect()
}

/// A quantity of the JSON in the units of the table: millicores, bytes, counts.
fn amount(found: &Value, column: &str) -> i64 {
    let (part, resource) = column.split_once(' ').expect("a part and a resource");
    let key = match part {
        "kube" => "kubeReserved",
        "system" => "systemReserved",
        "eviction" => "evictionThreshold",
        same => same,
    };
    let parts = found[key].as_object().expect(key);
    let Some(written) = parts.get(resource) else {
        return 0;
    };
    let written = written.as_str().expect("quantities are text");
    let quantity = Quantity::parse(written).expect(written);
    let amount = ResourceName::from(resource).requested(quantity);
    amount.expect("an amount fits")
}

#[test]
fn tables_are_as_written() {
    let cases: [(&str, &[&str]); 3] = [
        ("types-narrow", &["--policies", "own/narrow.yaml"]),
        (
            "types-narrow-bottlerocket",
            &[
                "--policies",
                "own/narrow.yaml",
                "--nodeclass-file",
                "own/bottlerocket.yaml",
            ],
        ),
        (
            "types-gpu",
            &["--policies", "../../policies", "--nodepool", "gpu"],
        ),
    ];
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expected");
    for (name, arguments) in cases {
        let table = printed(arguments);
        let golden = folder.join(format!("{name}.txt"));
        if std::env::var_os("TIDEWRIGHT_BLESS").is_some() {
            fs::write(&golden, &table).expect("goldens can be written");
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(table, expected, "{name} (TIDEWRIGHT_BLESS=1 accepts)");
    }
}

/// Compares every listed type with the rows of a variant; gives how many there were.
fn compare(variant: &str, listing: &Value) -> usize {
    let mut lines = SIZES.lines().map(|line| line.split('\t'));
    let columns: Vec<&str> = lines.next().expect("a line of names").skip(2).collect();
    let found = types(listing);
    let rows: Vec<Vec<&str>> = lines.map(Iterator::collect).collect();
    let rows = rows.iter().filter(|row| row[1] == variant);
    let listed: Vec<_> = rows.filter(|row| found.contains_key(row[0])).collect();
    for row in &listed {
        for (column, expected) in columns.iter().zip(&row[2..]) {
            let amount = amount(found[row[0]], column).to_string();
            assert_eq!(amount, *expected, "{} {variant}: {column}", row[0]);
        }
    }
    listed.len()
}

#[test]
fn every_size_is_that_of_karpenter() {
    let listing = json(&["--nodeclass-file", "own/classes/default.yaml", "--all"]);
    assert_eq!(compare("default", &listing), 1_220);
}

/// The class is read from YAML, as a user writes it; each file is named after a variant. Those of
/// the types that such a class cannot buy are not listed for a pool.
#[test]
fn sizes_follow_the_class() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/own/classes");
    for file in fs::read_dir(folder).expect("the folder is in the repository") {
        let path = file.expect("a file").path();
        let variant = path.file_stem().expect("a name").display().to_string();
        let file = path.display().to_string();
        let pool = ["--policies", "own/measured.yaml"];
        let listing = json(&[&pool[..], &["--nodeclass-file", &file]].concat());
        let compared = compare(&variant, &listing);
        assert!(compared >= 30, "{variant}: {compared} types compared");
    }
}

#[test]
fn types_have_the_keys_of_a_plan_and_what_follows() {
    let listing = json(&["--policies", "own/narrow.yaml"]);
    assert!(listing["about"]["read"].is_string(), "provenance");
    let mut listed = names(&listing);
    listed.sort_unstable();
    assert_eq!(listed, ["m6a.large", "m6a.xlarge"]);
    let it = types(&listing)["m6a.xlarge"];
    assert_eq!(it["capacity"]["cpu"], "4");
    assert_eq!(it["overhead"]["cpu"], it["kubeReserved"]["cpu"]);
    assert_eq!(it["allocatable"]["cpu"], "3920m");
    let requirements = it["requirements"].as_array().expect("a list");
    let arch = requirements
        .iter()
        .find(|it| it["key"] == "kubernetes.io/arch");
    let expected = serde_json::json!(
        {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64"]}
    );
    assert_eq!(arch, Some(&expected));
    let offerings = it["offerings"].as_array().expect("a list");
    assert_eq!(offerings.len(), 6);
    for offering in offerings {
        assert_eq!(offering["available"], true);
        assert_eq!(offering["priceOrigin"], "read");
        let price = offering["price"].as_str().expect("a decimal text");
        assert_eq!(
            price.split('.').next_back().map(str::len),
            Some(6),
            "{price}"
        );
    }
}

#[test]
fn what_is_not_for_sale_is_listed_with_its_reason() {
    let class = ["--nodeclass-file", "own/classes/default.yaml"];
    let (sold, all) = (json(&class), json(&[&class[..], &["--all"]].concat()));
    let (sold, all) = (types(&sold), types(&all));
    assert!(sold.len() < all.len());
    for (name, it) in &all {
        // What is not for sale to a class says why.
        assert_eq!(
            sold.contains_key(name),
            it.get("unavailable").is_none(),
            "{name}"
        );
    }
    assert_eq!(
        all["a1.large"]["unavailable"],
        "the images of the node class do not start on it"
    );
}

#[test]
fn the_cheapest_comes_first() {
    let listing = json(&["--policies", "../../policies", "--nodepool", "general"]);
    let cheapest = |it: &Value| {
        let offerings = it["offerings"].as_array().expect("a list").iter();
        let prices = offerings.map(|it| it["price"].as_str().expect("a text").to_owned());
        let micros = prices.map(|it| it.replace('.', "").parse::<u64>().expect("a price"));
        micros.min().expect("each has an offering")
    };
    let types = listing["types"].as_array().expect("a list");
    let prices: Vec<u64> = types.iter().map(cheapest).collect();
    assert!(prices.len() > 100, "{}", prices.len());
    assert!(prices.is_sorted());
}

#[test]
fn what_is_asked_for_and_not_there_is_named() {
    let cases: [(&[&str], &str); 6] = [
        (
            &["--policies", "../../policies"],
            "there are batch-spot, critical, general, gpu, serverless-workloads",
        ),
        (
            &["--policies", "../../policies", "--nodepool", "genral"],
            "Did you mean `general`?",
        ),
        (
            &["--nodepool", "general"],
            "There is no NodePool `general`; there are serverless-workloads",
        ),
        (&["--policies", "nowhere"], "nowhere"),
        (
            &["--nodeclass-file", "own/web.yaml"],
            "The file holds no EC2NodeClass",
        ),
        (
            &["--nodeclass-file", "../../policies"],
            "The file holds several EC2NodeClasses: batch-class, critical-class",
        ),
    ];
    for (arguments, words) in cases {
        let output = run(arguments);
        let complaint = text(output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {complaint}");
        assert!(complaint.contains(words), "{arguments:?}: {complaint}");
        assert_eq!(text(output.stdout), "", "{arguments:?}");
    }
}
