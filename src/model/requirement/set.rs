//! Sets of label values.

use std::collections::BTreeSet;

use super::super::labels::LabelValue;
use super::{Entry, Operator};

/// A set of label values: a few, or all but a few within bounds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueSet {
    /// These values and no other; when there is none, the label must be absent.
    Only(BTreeSet<LabelValue>),
    /// Every value but these, within the bounds.
    AllBut {
        /// The values left out.
        except: BTreeSet<LabelValue>,
        /// The bounds, which only integers keep.
        bounds: Bounds,
    },
}

/// A range of integers, both ends included; an end that is absent is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bounds {
    /// The least.
    least: Option<i64>,
    /// The greatest.
    greatest: Option<i64>,
}

impl Bounds {
    const NONE: Self = Self {
        least: None,
        greatest: None,
    };

    const fn at_least(least: i64) -> Self {
        Self {
            least: Some(least),
            greatest: None,
        }
    }

    const fn at_most(greatest: i64) -> Self {
        Self {
            least: None,
            greatest: Some(greatest),
        }
    }

    /// A value that is no integer keeps no bound.
    fn keeps(self, value: &str) -> bool {
        if self == Self::NONE {
            return true;
        }
        let integer: Result<i64, _> = value.parse();
        integer.is_ok_and(|integer| {
            self.least.is_none_or(|least| least <= integer)
                && self.greatest.is_none_or(|greatest| integer <= greatest)
        })
    }

    fn intersect(self, other: Self) -> Self {
        let both = |ours: Option<i64>, theirs: Option<i64>, pick: fn(i64, i64) -> i64| match theirs
        {
            Some(theirs) => Some(ours.map_or(theirs, |ours| pick(ours, theirs))),
            None => ours,
        };
        Self {
            least: both(self.least, other.least, i64::max),
            greatest: both(self.greatest, other.greatest, i64::min),
        }
    }

    fn is_empty(self) -> bool {
        match (self.least, self.greatest) {
            (Some(least), Some(greatest)) => least > greatest,
            (Some(_), None) | (None, Some(_) | None) => false,
        }
    }
}

impl ValueSet {
    /// Every value.
    pub const ANY: Self = Self::AllBut {
        except: BTreeSet::new(),
        bounds: Bounds::NONE,
    };
    /// No value: the label must be absent.
    pub const NONE: Self = Self::Only(BTreeSet::new());

    /// These values.
    pub fn only<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        Self::Only(values.into_iter().map(LabelValue::from).collect())
    }

    /// Every value but these.
    pub fn all_but<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        Self::AllBut {
            except: values.into_iter().map(LabelValue::from).collect(),
            bounds: Bounds::NONE,
        }
    }

    /// The integers that compare so with `bound`. Beyond the last integer there is none. The
    /// operators that compare nothing give every value.
    pub(super) fn compared(operator: Operator, bound: i64) -> Self {
        let bounds = match operator {
            Operator::Gt => bound.checked_add(1).map(Bounds::at_least),
            Operator::Lt => bound.checked_sub(1).map(Bounds::at_most),
            Operator::Gte => Some(Bounds::at_least(bound)),
            Operator::Lte => Some(Bounds::at_most(bound)),
            Operator::In | Operator::NotIn | Operator::Exists | Operator::DoesNotExist => {
                Some(Bounds::NONE)
            }
        };
        bounds.map_or(Self::NONE, |bounds| Self::AllBut {
            except: BTreeSet::new(),
            bounds,
        })
    }

    /// Whether the value is in the set.
    pub fn has(&self, value: &str) -> bool {
        match self {
            Self::Only(values) => values.contains(value),
            Self::AllBut { except, bounds } => !except.contains(value) && bounds.keeps(value),
        }
    }

    /// Whether a node without the label is as good: so for `NotIn` and `DoesNotExist`, and for
    /// bounds together with exclusions.
    pub fn accepts_absence(&self) -> bool {
        match self {
            Self::Only(values) => values.is_empty(),
            Self::AllBut { except, .. } => !except.is_empty(),
        }
    }

    /// The value, if there is but one.
    pub fn single(&self) -> Option<&LabelValue> {
        match self {
            Self::Only(values) if values.len() == 1 => values.first(),
            Self::Only(_) | Self::AllBut { .. } => None,
        }
    }

    /// The smallest natural number in the set, as a value.
    pub fn smallest_natural(&self) -> Option<LabelValue> {
        let (first, tries) = match self {
            Self::Only(values) => {
                let naturals = values
                    .iter()
                    .filter(|it| it.as_str().parse::<u64>().is_ok());
                return naturals
                    .min_by_key(|it| it.as_str().parse::<u64>().ok())
                    .cloned();
            }
            Self::AllBut { except, bounds } => (bounds.least.unwrap_or(0).max(0), except.len()),
        };
        // Of one number more than there are exclusions, one is not excluded.
        let numbers = std::iter::successors(Some(first), |number| number.checked_add(1));
        let values = numbers.take(tries + 1).map(|number| number.to_string());
        let found = values.into_iter().find(|value| self.has(value));
        found.map(LabelValue::from)
    }

    /// The values that are in both sets.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Only(values), set) | (set, Self::Only(values)) => {
                let kept = values.iter().filter(|value| set.has(value.as_str()));
                Self::Only(kept.cloned().collect())
            }
            (
                Self::AllBut { except, bounds },
                Self::AllBut {
                    except: more,
                    bounds: other,
                },
            ) => {
                let bounds = bounds.intersect(*other);
                if bounds.is_empty() {
                    return Self::NONE;
                }
                // An exclusion that the bounds make anyway says nothing more.
                let excluded = except.union(more);
                Self::AllBut {
                    except: excluded
                        .filter(|value| bounds.keeps(value.as_str()))
                        .cloned()
                        .collect(),
                    bounds,
                }
            }
        }
    }

    /// Whether some value is in both sets. Two open sets are taken to share one unless their
    /// bounds cross: that exclusions use up a whole range of integers is not looked for, as in
    /// Karpenter.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Only(values), set) | (set, Self::Only(values)) => {
                values.iter().any(|value| set.has(value.as_str()))
            }
            (Self::AllBut { bounds, .. }, Self::AllBut { bounds: other, .. }) => {
                !bounds.intersect(*other).is_empty()
            }
        }
    }

    pub(super) fn entries(&self) -> Vec<Entry> {
        let entry = |operator, values| Entry { operator, values };
        let listed = |values: &BTreeSet<LabelValue>| values.iter().cloned().collect();
        match self {
            Self::Only(values) if values.is_empty() => {
                vec![entry(Operator::DoesNotExist, Vec::new())]
            }
            Self::Only(values) => vec![entry(Operator::In, listed(values))],
            Self::AllBut { except, bounds } => {
                let mut entries = Vec::new();
                if !except.is_empty() {
                    entries.push(entry(Operator::NotIn, listed(except)));
                }
                let bound = |bound: i64| vec![LabelValue::from(bound.to_string())];
                entries.extend(bounds.least.map(|least| entry(Operator::Gte, bound(least))));
                entries.extend(
                    bounds
                        .greatest
                        .map(|most| entry(Operator::Lte, bound(most))),
                );
                if entries.is_empty() {
                    entries.push(entry(Operator::Exists, Vec::new()));
                }
                entries
            }
        }
    }
}
