//! Requirements: what a label may be. The algebra behind node selectors, NodePools and offerings.
//!
//! A [`Requirement`] is a set of label values, written with the operators of Kubernetes' node
//! affinity and Karpenter's `Gte` and `Lte`. A [`Requirements`] holds one set for each key; a key
//! that it lacks may be anything. The rules are those of Karpenter's scheduling package, so that
//! a policy means the same here:
//!
//! | Operator | The set |
//! |---|---|
//! | `In` V | V |
//! | `NotIn` V | everything but V, the absence of the label included |
//! | `Exists` | everything |
//! | `DoesNotExist` | nothing: only the absence of the label satisfies it |
//! | `Gt` n, `Gte` n, `Lt` n, `Lte` n | the integers of that range |

mod set;

use std::collections::BTreeMap;
use std::fmt;

use super::labels::{LabelKey, LabelValue, normalize_key};

pub use set::ValueSet;

/// How a requirement is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// One of the values.
    In,
    /// None of the values.
    NotIn,
    /// Any value.
    Exists,
    /// No such label.
    DoesNotExist,
    /// An integer above the value.
    Gt,
    /// An integer below the value.
    Lt,
    /// The value or an integer above it.
    Gte,
    /// The value or an integer below it.
    Lte,
}

impl Operator {
    /// All operators, in the order of the API's documentation.
    pub const ALL: [Self; 8] = [
        Self::In,
        Self::NotIn,
        Self::Exists,
        Self::DoesNotExist,
        Self::Gt,
        Self::Lt,
        Self::Gte,
        Self::Lte,
    ];

    /// The operator of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|operator| operator.as_str() == text)
    }

    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In => "In",
            Self::NotIn => "NotIn",
            Self::Exists => "Exists",
            Self::DoesNotExist => "DoesNotExist",
            Self::Gt => "Gt",
            Self::Lt => "Lt",
            Self::Gte => "Gte",
            Self::Lte => "Lte",
        }
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why an operator and its values are no requirement.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequirementError {
    /// `In` without values: nothing could satisfy it.
    #[error("{key}: In needs at least one value; for \"no such label\" write DoesNotExist")]
    NoValues {
        /// The key.
        key: LabelKey,
    },
    /// `Exists` or `DoesNotExist` with values.
    #[error("{key}: {operator} takes no values")]
    UnexpectedValues {
        /// The key.
        key: LabelKey,
        /// The operator.
        operator: Operator,
    },
    /// A comparison without exactly one integer.
    #[error("{key}: {operator} needs exactly one integer, such as \"5\"")]
    NotOneInteger {
        /// The key.
        key: LabelKey,
        /// The operator.
        operator: Operator,
    },
}

/// What one label may be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement {
    /// The label, by the name it has today.
    pub key: LabelKey,
    /// The values allowed.
    pub values: ValueSet,
    /// How many different values the instance types of a NodeClaim must offer for this key.
    pub min_values: Option<u32>,
}

/// One line of a requirement as the API writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The operator.
    pub operator: Operator,
    /// Its values, sorted.
    pub values: Vec<LabelValue>,
}

impl Requirement {
    /// Reads a requirement; a retired name of the key is replaced by today's.
    pub fn new<'a>(
        key: &str,
        operator: Operator,
        values: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, RequirementError> {
        let key = LabelKey::from(normalize_key(key));
        let values: Vec<&str> = values.into_iter().collect();
        let set = match operator {
            Operator::In if values.is_empty() => return Err(RequirementError::NoValues { key }),
            Operator::Exists | Operator::DoesNotExist if !values.is_empty() => {
                return Err(RequirementError::UnexpectedValues { key, operator });
            }
            Operator::In => ValueSet::only(values),
            Operator::NotIn => ValueSet::all_but(values),
            Operator::Exists => ValueSet::ANY,
            Operator::DoesNotExist => ValueSet::NONE,
            Operator::Gt | Operator::Gte | Operator::Lt | Operator::Lte => {
                let [bound] = values.as_slice() else {
                    return Err(RequirementError::NotOneInteger { key, operator });
                };
                match bound.parse() {
                    Ok(bound) => ValueSet::compared(operator, bound),
                    Err(_) => return Err(RequirementError::NotOneInteger { key, operator }),
                }
            }
        };
        Ok(Self::of(key, set))
    }

    /// A requirement with this set.
    pub fn of(key: impl Into<LabelKey>, values: ValueSet) -> Self {
        Self {
            key: key.into(),
            values,
            min_values: None,
        }
    }

    /// One of these values; none at all means the label must be absent.
    pub fn one_of<'a>(key: &str, values: impl IntoIterator<Item = &'a str>) -> Self {
        Self::of(normalize_key(key), ValueSet::only(values))
    }

    /// Both requirements at once, on the key of this one. The stronger `minValues` stays.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        Self {
            key: self.key.clone(),
            values: self.values.intersect(&other.values),
            min_values: self.min_values.max(other.min_values),
        }
    }

    /// Whether some label, or its absence, satisfies both. Two requirements that each accept the
    /// absence of the label agree on that even when no value does.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self.values.overlaps(&other.values)
            || (self.values.accepts_absence() && other.values.accepts_absence())
    }

    /// The lines that say this in the API: one for a plain set, more where a bound or two and
    /// exclusions meet. Read back and intersected, they give the same set.
    pub fn entries(&self) -> Vec<Entry> {
        self.values.entries()
    }
}

/// `key In [a, b]`.
impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, Entry { operator, values }) in self.entries().iter().enumerate() {
            let and = if position == 0 { "" } else { " and " };
            write!(f, "{and}{} {operator}", self.key)?;
            if !values.is_empty() {
                let values: Vec<&str> = values.iter().map(LabelValue::as_str).collect();
                write!(f, " [{}]", values.join(", "))?;
            }
        }
        Ok(())
    }
}

/// What labels must be: one set for each key.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirements(BTreeMap<LabelKey, Requirement>);

/// Why two lists of requirements exclude each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Incompatible {
    /// The label is asked for and nothing says that it will be there.
    Undefined {
        /// What was asked.
        asked: Requirement,
    },
    /// No value satisfies both.
    Disjoint {
        /// What there is.
        offered: Box<Requirement>,
        /// What was asked.
        asked: Box<Requirement>,
    },
}

impl Incompatible {
    /// The key that they disagree on.
    pub fn key(&self) -> &LabelKey {
        match self {
            Self::Undefined { asked } => &asked.key,
            Self::Disjoint { asked, .. } => &asked.key,
        }
    }
}

impl fmt::Display for Incompatible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undefined { asked } => {
                write!(f, "{asked} is asked for, and the label is not defined")
            }
            Self::Disjoint { offered, asked } => {
                write!(f, "{asked} is asked for, and there is {offered}")
            }
        }
    }
}

impl Requirements {
    /// No requirement: anything goes.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The labels of an object, each as a set of one value.
    pub fn from_labels(labels: &BTreeMap<LabelKey, LabelValue>) -> Self {
        labels
            .iter()
            .map(|(key, value)| Requirement::one_of(key.as_str(), [value.as_str()]))
            .collect()
    }

    /// Adds a requirement; one on the same key that is there already holds as well.
    pub fn add(&mut self, requirement: Requirement) {
        let merged = match self.0.get(&requirement.key) {
            Some(known) => known.intersect(&requirement),
            None => requirement,
        };
        self.0.insert(merged.key.clone(), merged);
    }

    /// These requirements and one more.
    #[must_use]
    pub fn with(mut self, requirement: Requirement) -> Self {
        self.add(requirement);
        self
    }

    /// Puts a requirement in the place of the one on its key.
    pub fn replace(&mut self, requirement: Requirement) {
        self.0.insert(requirement.key.clone(), requirement);
    }

    /// Drops the requirement on a key.
    pub fn remove(&mut self, key: &str) {
        self.0.remove(key);
    }

    /// Both lists at once.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.extend(other.iter().cloned());
        both
    }

    /// The requirement on a key.
    pub fn get(&self, key: &str) -> Option<&Requirement> {
        self.0.get(key)
    }

    /// Whether a label with this value may be there; a key without requirement allows all.
    pub fn allows(&self, key: &str, value: &str) -> bool {
        self.get(key).is_none_or(|known| known.values.has(value))
    }

    /// The requirements by key.
    pub fn iter(&self) -> impl Iterator<Item = &Requirement> {
        self.0.values()
    }

    /// Whether there is no requirement.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the lists agree on every key that both have. Keys that one lacks do not matter.
    pub fn intersects(&self, other: &Self) -> Result<(), Incompatible> {
        for asked in other.iter() {
            if let Some(offered) = self.get(asked.key.as_str())
                && !offered.agrees_with(asked)
            {
                return Err(Incompatible::Disjoint {
                    offered: Box::new(offered.clone()),
                    asked: Box::new(asked.clone()),
                });
            }
        }
        Ok(())
    }

    /// Whether a node described by `self` can satisfy what `asked` says.
    ///
    /// A label that is asked for has to be defined here, unless `may_be_undefined` says that it
    /// will be known later (the well-known labels of a node not chosen yet), or the absence of
    /// the label is just as good.
    pub fn compatible(
        &self,
        asked: &Self,
        may_be_undefined: impl Fn(&str) -> bool,
    ) -> Result<(), Incompatible> {
        let undefined = asked.iter().find(|asked| {
            let key = asked.key.as_str();
            self.get(key).is_none() && !asked.values.accepts_absence() && !may_be_undefined(key)
        });
        match undefined {
            Some(asked) => Err(Incompatible::Undefined {
                asked: asked.clone(),
            }),
            None => self.intersects(asked),
        }
    }

    /// The labels whose value is settled.
    pub fn labels(&self) -> BTreeMap<LabelKey, LabelValue> {
        self.iter()
            .filter_map(|known| Some((known.key.clone(), known.values.single()?.clone())))
            .collect()
    }
}

impl FromIterator<Requirement> for Requirements {
    fn from_iter<I: IntoIterator<Item = Requirement>>(requirements: I) -> Self {
        let mut all = Self::new();
        all.extend(requirements);
        all
    }
}

impl Extend<Requirement> for Requirements {
    fn extend<I: IntoIterator<Item = Requirement>>(&mut self, requirements: I) {
        for requirement in requirements {
            self.add(requirement);
        }
    }
}

/// The requirements, separated by commas, or `anything`.
impl fmt::Display for Requirements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("anything");
        }
        for (position, requirement) in self.iter().enumerate() {
            let comma = if position == 0 { "" } else { ", " };
            write!(f, "{comma}{requirement}")?;
        }
        Ok(())
    }
}
