//! The requirement algebra against an oracle that tries every value.
//!
//! The oracle never merges sets. It keeps the lines of a requirement as they were written, in any
//! number, and a value satisfies them when it satisfies each. That is possible because the values
//! are few; the universe holds, beside all that a line can name, one text that none names and one
//! spelling with leading zeros for each integer, so that an open set is never exhausted by
//! exclusions, as the infinite one is not.
//!
//! The absence of a label is no value, and what accepts it does not follow value by value: it
//! depends on the operator that the merged lines amount to. That part is written down a second
//! time here, in the words of Karpenter's scheduling package.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use tidewright::model::labels::{LabelKey, LabelValue, is_well_known, keys};
use tidewright::model::requirement::{
    Entry, Incompatible, Operator, Requirement, RequirementError, Requirements, ValueSet,
};

/// What lines can name.
const NAMED: [&str; 9] = ["a", "b", "1", "2", "3", "4", "5", "07", "x1"];

/// What no line names: a text, and another spelling of every integer within reach of a bound.
const UNNAMED: [&str; 12] = [
    "", "other", "-1", "000", "001", "002", "003", "004", "005", "006", "007", "008",
];

/// One well-known key, one by its retired name, two of a user.
const KEYS: [&str; 4] = [
    keys::INSTANCE_CPU,
    "failure-domain.beta.kubernetes.io/zone",
    "team",
    "tier",
];

#[derive(Clone, Debug)]
struct Line {
    operator: Operator,
    values: Vec<&'static str>,
    min_values: Option<u32>,
}

fn universe() -> impl Iterator<Item = &'static str> {
    NAMED.into_iter().chain(UNNAMED)
}

impl Line {
    fn bound(&self) -> i64 {
        self.values[0].parse().expect("bounds are integers")
    }

    fn accepts(&self, value: &str) -> bool {
        let integer = value.parse::<i64>().ok();
        match self.operator {
            Operator::In => self.values.contains(&value),
            Operator::NotIn => !self.values.contains(&value),
            Operator::Exists => true,
            Operator::DoesNotExist => false,
            Operator::Gt => integer.is_some_and(|integer| integer > self.bound()),
            Operator::Gte => integer.is_some_and(|integer| integer >= self.bound()),
            Operator::Lt => integer.is_some_and(|integer| integer < self.bound()),
            Operator::Lte => integer.is_some_and(|integer| integer <= self.bound()),
        }
    }

    fn is_closed(&self) -> bool {
        matches!(self.operator, Operator::In | Operator::DoesNotExist)
    }

    fn requirement(&self, key: &str) -> Requirement {
        let values = self.values.iter().copied();
        let mut requirement =
            Requirement::new(key, self.operator, values).expect("lines are well formed");
        requirement.min_values = self.min_values;
        requirement
    }
}

fn accepted(lines: &[Line]) -> Vec<&'static str> {
    universe()
        .filter(|value| lines.iter().all(|line| line.accepts(value)))
        .collect()
}

/// Whether the merged lines amount to `NotIn` or `DoesNotExist`. Lines of which one is closed, and
/// bounds that cross, amount to `In`, or to `DoesNotExist` when nothing is left. Open lines amount
/// to `NotIn` when an exclusion is left that the bounds do not make anyway.
fn accepts_absence(lines: &[Line]) -> bool {
    let is_exclusion = |line: &&Line| line.operator == Operator::NotIn;
    let others: Vec<Line> = lines
        .iter()
        .filter(|line| !is_exclusion(line))
        .cloned()
        .collect();
    if others.iter().any(Line::is_closed) || accepted(&others).is_empty() {
        return accepted(lines).is_empty();
    }
    let mut excluded = lines
        .iter()
        .filter(is_exclusion)
        .flat_map(|line| &line.values);
    excluded.any(|value| others.iter().all(|line| line.accepts(value)))
}

/// Karpenter's rule for a key that both sides have.
fn agree(ours: &[Line], theirs: &[Line]) -> bool {
    let theirs_accepted = accepted(theirs);
    accepted(ours)
        .iter()
        .any(|value| theirs_accepted.contains(value))
        || (accepts_absence(ours) && accepts_absence(theirs))
}

fn line() -> impl Strategy<Value = Line> {
    let line = |operator, values: Vec<&'static str>| Line {
        operator,
        values,
        min_values: None,
    };
    let listed = (
        select(vec![Operator::In, Operator::NotIn]),
        subsequence(NAMED.to_vec(), 1..=4),
    );
    let compared = (
        select(vec![
            Operator::Gt,
            Operator::Gte,
            Operator::Lt,
            Operator::Lte,
        ]),
        select(vec!["0", "1", "2", "3", "4", "5", "6", "07"]),
    );
    let plain = select(vec![Operator::Exists, Operator::DoesNotExist]);
    let any = prop_oneof![
        3 => listed.prop_map(move |(operator, values)| line(operator, values)),
        2 => compared.prop_map(move |(operator, bound)| line(operator, vec![bound])),
        1 => plain.prop_map(move |operator| line(operator, vec![])),
    ];
    (any, prop::option::weighted(0.3, 1_u32..5))
        .prop_map(|(line, min_values)| Line { min_values, ..line })
}

/// The lines on one key; at least one.
fn lines() -> impl Strategy<Value = Vec<Line>> {
    vec(line(), 1..4)
}

/// Lines by the key as written.
fn lines_by_key() -> impl Strategy<Value = BTreeMap<&'static str, Vec<Line>>> {
    prop::collection::btree_map(select(KEYS.to_vec()), lines(), 0..4)
}

fn merged(lines: &[Line]) -> Requirement {
    let all: Requirements = lines.iter().map(|line| line.requirement("team")).collect();
    all.get("team").expect("there is a line").clone()
}

fn all(by_key: &BTreeMap<&'static str, Vec<Line>>) -> Requirements {
    let of_key = |(key, lines): (&&'static str, &Vec<Line>)| -> Vec<Requirement> {
        lines.iter().map(|line| line.requirement(key)).collect()
    };
    by_key.iter().flat_map(of_key).collect()
}

fn values(set: &ValueSet) -> Vec<&'static str> {
    universe().filter(|value| set.has(value)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn merged_lines_hold_what_each_of_them_holds(lines in lines()) {
        let requirement = merged(&lines);
        prop_assert_eq!(values(&requirement.values), accepted(&lines));
        prop_assert_eq!(requirement.values.accepts_absence(), accepts_absence(&lines));
        prop_assert_eq!(
            requirement.min_values,
            lines.iter().filter_map(|line| line.min_values).max()
        );
    }

    #[test]
    fn the_order_of_lines_does_not_matter(a in lines(), b in lines(), c in lines()) {
        let (a, b, c) = (merged(&a), merged(&b), merged(&c));
        prop_assert_eq!(a.intersect(&b), b.intersect(&a));
        prop_assert_eq!(a.intersect(&b).intersect(&c), a.intersect(&b.intersect(&c)));
        prop_assert_eq!(&a.intersect(&a), &a);
        let any = Requirement::of("team", ValueSet::ANY);
        prop_assert_eq!(&a.intersect(&any), &a);
    }

    #[test]
    fn two_sets_overlap_when_they_share_a_value(a in lines(), b in lines()) {
        let (ours, theirs) = (merged(&a), merged(&b));
        let both: Vec<Line> = a.iter().chain(&b).cloned().collect();
        let shared = accepted(&both);
        prop_assert_eq!(ours.values.overlaps(&theirs.values), !shared.is_empty());
        prop_assert_eq!(values(&ours.values.intersect(&theirs.values)), shared);
        prop_assert_eq!(ours.agrees_with(&theirs), agree(&a, &b));
        prop_assert_eq!(theirs.agrees_with(&ours), agree(&a, &b));
    }

    #[test]
    fn what_is_written_out_reads_back_the_same(lines in lines()) {
        let requirement = merged(&lines);
        let entries = requirement.entries();
        prop_assert!(!entries.is_empty());
        let read = entries.iter().map(|Entry { operator, values }| {
            let values = values.iter().map(LabelValue::as_str);
            Requirement::new("team", *operator, values)
        });
        let read: Result<Requirements, RequirementError> = read.collect();
        let read = read.expect("what we write is well formed");
        prop_assert_eq!(
            read.get("team").map(|read| &read.values),
            Some(&requirement.values)
        );
    }

    #[test]
    fn lists_agree_key_by_key(ours in lines_by_key(), asked in lines_by_key()) {
        let disagreeing: Vec<&str> = asked
            .iter()
            .filter(|(key, asked)| ours.get(*key).is_some_and(|ours| !agree(ours, asked)))
            .map(|(key, _)| *key)
            .collect();
        let result = all(&ours).intersects(&all(&asked));
        prop_assert_eq!(result.is_ok(), disagreeing.is_empty());
        if let Err(incompatible) = result {
            let is_disjoint = matches!(incompatible, Incompatible::Disjoint { .. });
            prop_assert!(is_disjoint);
            let named = |key: &&str| normalized(key) == *incompatible.key();
            prop_assert!(disagreeing.iter().any(named));
        }
    }

    #[test]
    fn what_is_asked_for_must_be_defined(ours in lines_by_key(), asked in lines_by_key()) {
        let undefined = |may_be_undefined: fn(&str) -> bool| {
            asked.iter().any(|(key, asked)| {
                !ours.contains_key(key)
                    && !accepts_absence(asked)
                    && !may_be_undefined(normalized(key).as_str())
            })
        };
        let disagree = asked
            .iter()
            .any(|(key, asked)| ours.get(key).is_some_and(|ours| !agree(ours, asked)));
        let rules: [fn(&str) -> bool; 2] = [|_| false, is_well_known];
        for rule in rules {
            let result = all(&ours).compatible(&all(&asked), rule);
            prop_assert_eq!(result.is_ok(), !undefined(rule) && !disagree);
            let is_undefined = matches!(result, Err(Incompatible::Undefined { .. }));
            prop_assert_eq!(is_undefined, undefined(rule));
        }
    }

    #[test]
    fn both_lists_at_once_are_the_lines_of_both(ours in lines_by_key(), theirs in lines_by_key()) {
        let both = all(&ours).intersect(&all(&theirs));
        let mut lines = ours.clone();
        for (key, theirs) in &theirs {
            lines.entry(key).or_default().extend(theirs.iter().cloned());
        }
        prop_assert_eq!(&both, &all(&lines));
        for key in KEYS {
            let none = Vec::new();
            let lines = lines.get(key).unwrap_or(&none);
            for value in universe() {
                let accepted = lines.iter().all(|line| line.accepts(value));
                prop_assert_eq!(both.allows(normalized(key).as_str(), value), accepted);
            }
        }
    }

    #[test]
    fn a_label_is_settled_when_one_named_value_is_left(by_key in lines_by_key()) {
        let labels = all(&by_key).labels();
        for (key, lines) in &by_key {
            let left = accepted(lines);
            let settled = lines.iter().any(Line::is_closed) && left.len() == 1;
            let expected = settled.then(|| LabelValue::from(left[0]));
            prop_assert_eq!(labels.get(&normalized(key)), expected.as_ref());
        }
        prop_assert!(labels.len() <= by_key.len());
    }
}

fn normalized(key: &str) -> LabelKey {
    match key {
        "failure-domain.beta.kubernetes.io/zone" => keys::ZONE.into(),
        other => other.into(),
    }
}

/// Reads `Op` or `Op a b`.
fn read(text: &str) -> Result<Requirement, RequirementError> {
    let mut words = text.split(' ');
    let operator = words.next().and_then(Operator::parse);
    Requirement::new("k", operator.expect("an operator"), words)
}

/// Merges lines separated by `;` and writes the result out.
fn check(lines: &str, expected: &str, accepts_absence: bool) {
    let all: Result<Requirements, _> = lines.split("; ").map(read).collect();
    let all = all.expect("the case is well formed");
    assert_eq!(all.to_string(), expected, "{lines}");
    let requirement = all.get("k").expect("there is a line");
    assert_eq!(
        requirement.values.accepts_absence(),
        accepts_absence,
        "{lines}"
    );
}

#[test]
fn the_corners_of_the_algebra() {
    check("Gt 5", "k Gte [6]", false);
    check("Gt 5; Lt 7", "k Gte [6] and k Lte [6]", false);
    check("Gt 5; Lt 6", "k DoesNotExist", true);
    check("Gt 9223372036854775807", "k DoesNotExist", true);
    check("Lt -9223372036854775808", "k DoesNotExist", true);
    check("In a b; NotIn b", "k In [a]", false);
    check("In a; In b", "k DoesNotExist", true);
    check("In 4 07 x1; Gte 5", "k In [07]", false);
    check("NotIn a; Gte 5", "k Gte [5]", false);
    check("NotIn a 7; Gte 5", "k NotIn [7] and k Gte [5]", true);
    check("NotIn a; Exists", "k NotIn [a]", true);
    check("Exists; DoesNotExist", "k DoesNotExist", true);
}

#[test]
fn what_is_no_requirement_is_refused() {
    let key = || LabelKey::from("k");
    let unexpected = |operator| RequirementError::UnexpectedValues {
        key: key(),
        operator,
    };
    let not_one = |operator| RequirementError::NotOneInteger {
        key: key(),
        operator,
    };
    let cases = [
        ("In", RequirementError::NoValues { key: key() }),
        ("Exists a", unexpected(Operator::Exists)),
        ("DoesNotExist a", unexpected(Operator::DoesNotExist)),
        ("Gt", not_one(Operator::Gt)),
        ("Gte 1 2", not_one(Operator::Gte)),
        ("Lt a", not_one(Operator::Lt)),
        ("Lte 9223372036854775808", not_one(Operator::Lte)),
    ];
    for (text, error) in cases {
        assert_eq!(read(text), Err(error), "{text}");
    }
    assert_eq!(read("NotIn").map(|open| open.values), Ok(ValueSet::ANY));
}
