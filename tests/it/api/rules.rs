//! Each rule, broken and kept.
//!
//! A file of cases has a block for each: a title, a JSON merge patch (RFC 7386) that turns the
//! least object of the kind into the one to check, a line of dashes, and the violations.

use serde_json::{Value, json};
use tidewright::api::rules::Violation;
use tidewright::api::schema::Kind;

use super::{assert_golden, check, minimal, read};

const DASHES: &str = "----";

/// Runs the cases of a file and compares the whole file with what it should be.
#[track_caller]
fn check_file(kind: Kind, file: &str) {
    let blocks = read(file);
    let blocks = blocks.split("\n\n").map(|block| answered(kind, block));
    let answered: Vec<_> = blocks.collect();
    assert_golden(file, &format!("{}\n", answered.join("\n\n")));
}

/// A block with the violations that its object has.
fn answered(kind: Kind, block: &str) -> String {
    let question = block.split(DASHES).next().expect("a split yields a part");
    let (title, patch) = question
        .split_once('\n')
        .unwrap_or_else(|| panic!("no patch below \"{question}\""));
    let patch = serde_json::from_str(patch).unwrap_or_else(|error| panic!("{title}: {error}"));
    let mut object = minimal(kind);
    merge(&mut object, &patch);
    let violations = check(kind, &object);
    let lines: Vec<_> = violations.iter().map(rendered).collect();
    let question = question.trim_end();
    format!("{question}\n{DASHES}\n{}", lines.join("\n"))
        .trim_end()
        .to_owned()
}

fn rendered(violation: &Violation) -> String {
    let Violation {
        path,
        value,
        rule,
        fix,
        depends_on: _,
    } = violation;
    format!("{path}: {value}\n    {rule}\n    {fix}")
}

fn merge(object: &mut Value, patch: &Value) {
    let Value::Object(members) = patch else {
        *object = patch.clone();
        return;
    };
    if !object.is_object() {
        *object = json!({});
    }
    for (name, value) in members {
        if value.is_null() {
            object.as_object_mut().expect("made so above").remove(name);
        } else {
            merge(&mut object[name], value);
        }
    }
}

#[test]
fn node_pools() {
    check_file(Kind::NodePool, "rules/NodePool.txt");
}

#[test]
fn node_claims() {
    check_file(Kind::NodeClaim, "rules/NodeClaim.txt");
}

#[test]
fn ec2_node_classes() {
    check_file(Kind::EC2NodeClass, "rules/EC2NodeClass.txt");
}

#[test]
fn kubelets() {
    check_file(Kind::EC2NodeClass, "rules/kubelet.txt");
}

/// A list or map at `pointer`, made of copies of a text with `#` replaced by the copy's number.
struct Bounded {
    kind: Kind,
    pointer: &'static str,
    entry: &'static str,
    max: usize,
}

impl Bounded {
    fn object(&self, count: usize) -> Value {
        let entries: Vec<_> = (0..count)
            .map(|number| self.entry.replace('#', &number.to_string()))
            .collect();
        let is_map = self.entry.starts_with('"');
        let (open, close) = if is_map { ("{", "}") } else { ("[", "]") };
        let text = format!("{open}{}{close}", entries.join(","));
        let mut value: Value = serde_json::from_str(&text).expect("the copies are JSON");
        for name in self.pointer.rsplit('/') {
            value = match name.parse::<usize>() {
                Ok(_) => json!([value]),
                Err(_) => json!({ name: value }),
            };
        }
        let mut object = minimal(self.kind);
        merge(&mut object, &value);
        object
    }
}

#[test]
fn lists_and_maps_have_bounds() {
    let bounded = |kind, pointer, entry, max| Bounded {
        kind,
        pointer,
        entry,
        max,
    };
    let class = Kind::EC2NodeClass;
    let requirement = r#"{"key": "a", "operator": "Exists"}"#;
    let tag = r##""#": "v""##;
    let cases = [
        bounded(Kind::NodePool, "spec/template/metadata/labels", tag, 100),
        bounded(
            Kind::NodePool,
            "spec/template/spec/requirements",
            requirement,
            100,
        ),
        bounded(Kind::NodePool, "spec/disruption/budgets", "{}", 50),
        bounded(Kind::NodeClaim, "spec/requirements", requirement, 100),
        bounded(
            class,
            "spec/subnetSelectorTerms",
            r#"{"id": "subnet-#"}"#,
            30,
        ),
        bounded(class, "spec/subnetSelectorTerms/0/tags", tag, 20),
        bounded(
            class,
            "spec/securityGroupSelectorTerms",
            r#"{"id": "sg-#"}"#,
            30,
        ),
        bounded(class, "spec/securityGroupSelectorTerms/0/tags", tag, 20),
        bounded(
            class,
            "spec/capacityReservationSelectorTerms",
            r#"{"id": "cr-#"}"#,
            30,
        ),
        bounded(
            class,
            "spec/capacityReservationSelectorTerms/0/tags",
            tag,
            20,
        ),
        bounded(class, "spec/blockDeviceMappings", "{}", 50),
        bounded(
            class,
            "spec/networkInterfaces",
            r#"{"networkCardIndex": 0, "deviceIndex": #, "interfaceType": "interface"}"#,
            150,
        ),
    ];
    for case in cases {
        let kept = check(case.kind, &case.object(case.max));
        assert!(kept.is_empty(), "{}: {kept:?}", case.pointer);
        let broken = check(case.kind, &case.object(case.max + 1));
        let [violation] = broken.as_slice() else {
            panic!("{}: {broken:?}", case.pointer);
        };
        let path = violation
            .path
            .to_string()
            .replace('[', ".")
            .replace(']', "");
        assert_eq!(path, case.pointer.replace('/', "."));
        let rule = format!("At most {} entries are allowed.", case.max);
        assert_eq!(violation.rule, rule);
    }
}

/// The image terms need the family when there is no alias, so their bounds stand apart.
#[test]
fn image_terms_have_bounds() {
    let object = |terms: usize, tags: usize| {
        let tags: serde_json::Map<_, _> = (0..tags)
            .map(|number| (number.to_string(), json!("v")))
            .collect();
        let mut object = minimal(Kind::EC2NodeClass);
        object["spec"]["amiFamily"] = json!("AL2023");
        object["spec"]["amiSelectorTerms"] = json!(vec![json!({ "tags": tags }); terms]);
        object
    };
    let cases = [
        (30, 20, vec![]),
        (31, 20, vec!["spec.amiSelectorTerms"]),
        (1, 21, vec!["spec.amiSelectorTerms[0].tags"]),
    ];
    for (terms, tags, expected) in cases {
        let found = check(Kind::EC2NodeClass, &object(terms, tags));
        let paths: Vec<_> = found.iter().map(|it| it.path.to_string()).collect();
        assert_eq!(paths, expected);
    }
}

#[test]
fn a_long_value_is_shortened() {
    let mut object = minimal(Kind::NodePool);
    object["spec"]["template"]["spec"]["expireAfter"] = json!("x".repeat(61));
    let found = check(Kind::NodePool, &object);
    assert_eq!(found[0].value, format!("{}…", "x".repeat(60)));
}
