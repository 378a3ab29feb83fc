//! Amounts of resources: what pods request and machines offer.

use std::fmt;
use std::sync::Arc;

use super::quantity::{Quantity, QuantityError};

/// The name of a resource. The names every cluster has are constants and cost nothing to copy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceName(Name);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Name {
    Common(Common),
    Extended(Arc<str>),
}

/// The resources that have a place of their own in [`Resources`], in the order they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Common {
    Cpu,
    Memory,
    EphemeralStorage,
    Pods,
    Nodes,
}

const COMMON: [Common; 5] = [
    Common::Cpu,
    Common::Memory,
    Common::EphemeralStorage,
    Common::Pods,
    Common::Nodes,
];

impl Common {
    const fn index(self) -> usize {
        match self {
            Self::Cpu => 0,
            Self::Memory => 1,
            Self::EphemeralStorage => 2,
            Self::Pods => 3,
            Self::Nodes => 4,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::EphemeralStorage => "ephemeral-storage",
            Self::Pods => "pods",
            Self::Nodes => "nodes",
        }
    }
}

/// How the amounts of a resource count.
enum Unit {
    Millis,
    Bytes,
    Count,
}

impl ResourceName {
    /// Processors, counted in thousandths.
    pub const CPU: Self = Self(Name::Common(Common::Cpu));
    /// Memory in bytes.
    pub const MEMORY: Self = Self(Name::Common(Common::Memory));
    /// Disk space for containers, in bytes.
    pub const EPHEMERAL_STORAGE: Self = Self(Name::Common(Common::EphemeralStorage));
    /// Number of pods.
    pub const PODS: Self = Self(Name::Common(Common::Pods));
    /// Number of nodes; it occurs in the limits of a NodePool only.
    pub const NODES: Self = Self(Name::Common(Common::Nodes));

    /// The name as Kubernetes writes it.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Name::Common(common) => common.name(),
            Name::Extended(name) => name,
        }
    }

    /// The amount a request for this quantity takes, rounded up.
    pub fn requested(&self, quantity: Quantity) -> Result<i64, QuantityError> {
        match self.unit() {
            Unit::Millis => quantity.to_millis(),
            Unit::Bytes | Unit::Count => quantity.to_units(),
        }
    }

    /// The amount a capacity or limit of this quantity gives, rounded down.
    pub fn offered(&self, quantity: Quantity) -> Result<i64, QuantityError> {
        match self.unit() {
            Unit::Millis => quantity.to_millis_floor(),
            Unit::Bytes | Unit::Count => quantity.to_units_floor(),
        }
    }

    fn unit(&self) -> Unit {
        match &self.0 {
            Name::Common(Common::Cpu) => Unit::Millis,
            Name::Common(Common::Memory | Common::EphemeralStorage) => Unit::Bytes,
            Name::Extended(name) if name.starts_with("hugepages-") => Unit::Bytes,
            Name::Common(Common::Pods | Common::Nodes) | Name::Extended(_) => Unit::Count,
        }
    }
}

impl From<&str> for ResourceName {
    fn from(name: &str) -> Self {
        match COMMON.into_iter().find(|common| common.name() == name) {
            Some(common) => Self(Name::Common(common)),
            None => Self(Name::Extended(name.into())),
        }
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount of each resource, in thousandths of a cpu and in whole units of all else.
///
/// A resource not mentioned counts zero. A limit that is absent means something else: where
/// absence and zero differ, hold the names beside the amounts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Resources {
    common: [i64; COMMON.len()],
    /// Sorted by name, none of them zero, so that equal amounts are equal values.
    extended: Vec<(Arc<str>, i64)>,
}

/// A resource of which there is too little.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shortfall {
    /// The resource.
    pub name: ResourceName,
    /// The amount asked for.
    pub needed: i64,
    /// The amount there is; below zero when more was promised than exists.
    pub available: i64,
}

impl Resources {
    /// Nothing at all.
    pub const ZERO: Self = Self {
        common: [0; COMMON.len()],
        extended: Vec::new(),
    };

    /// Nothing at all, to be filled with [`Resources::with`].
    pub const fn new() -> Self {
        Self::ZERO
    }

    /// The amount of one resource.
    pub fn get(&self, name: &ResourceName) -> i64 {
        match &name.0 {
            Name::Common(common) => self.common[common.index()],
            Name::Extended(name) => match self.position(name) {
                Ok(position) => self.extended[position].1,
                Err(_) => 0,
            },
        }
    }

    /// These resources with the amount of one of them replaced.
    #[must_use]
    pub fn with(mut self, name: &ResourceName, amount: i64) -> Self {
        self.set(name, amount);
        self
    }

    /// Replaces the amount of one resource.
    pub fn set(&mut self, name: &ResourceName, amount: i64) {
        match &name.0 {
            Name::Common(common) => self.common[common.index()] = amount,
            Name::Extended(name) => match (self.position(name), amount) {
                (Ok(position), 0) => drop(self.extended.remove(position)),
                (Ok(position), _) => self.extended[position].1 = amount,
                (Err(_), 0) => {}
                (Err(position), _) => self.extended.insert(position, (name.clone(), amount)),
            },
        }
    }

    fn position(&self, name: &str) -> Result<usize, usize> {
        self.extended
            .binary_search_by(|(known, _)| known.as_ref().cmp(name))
    }

    /// Thousandths of a processor.
    pub fn cpu_millis(&self) -> i64 {
        self.get(&ResourceName::CPU)
    }

    /// Bytes of memory.
    pub fn memory_bytes(&self) -> i64 {
        self.get(&ResourceName::MEMORY)
    }

    /// Number of pods.
    pub fn pods(&self) -> i64 {
        self.get(&ResourceName::PODS)
    }

    /// The sum, unless an amount leaves the range.
    #[must_use]
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        self.zip(other, i64::checked_add)
    }

    /// The difference, unless an amount leaves the range; amounts may be below zero.
    #[must_use]
    pub fn checked_sub(&self, other: &Self) -> Option<Self> {
        self.zip(other, i64::checked_sub)
    }

    /// The difference with every amount at least zero.
    #[must_use]
    pub fn saturating_sub(&self, other: &Self) -> Self {
        self.zip_total(other, |ours, theirs| ours.saturating_sub(theirs).max(0))
    }

    /// The greater amount of each resource.
    #[must_use]
    pub fn max(&self, other: &Self) -> Self {
        self.zip_total(other, i64::max)
    }

    /// Whether there is enough of every resource.
    ///
    /// Where less than nothing is available, nothing fits, not even a request that leaves that
    /// resource out: such a machine has been promised beyond its means.
    pub fn fits_in(&self, available: &Self) -> bool {
        self.common
            .iter()
            .zip(&available.common)
            .all(|(needed, offered)| needed <= offered)
            && merged(&self.extended, &available.extended)
                .all(|(_, needed, offered)| needed <= offered)
    }

    /// The first resource, in the order of [`Resources::iter`], of which there is not enough.
    pub fn first_shortfall(&self, available: &Self) -> Option<Shortfall> {
        let common = COMMON.into_iter().map(|common| {
            let index = common.index();
            (
                Name::Common(common),
                self.common[index],
                available.common[index],
            )
        });
        let extended = merged(&self.extended, &available.extended)
            .map(|(name, needed, offered)| (Name::Extended(name.clone()), needed, offered));
        let short = common
            .chain(extended)
            .find(|(_, needed, offered)| needed > offered);
        short.map(|(name, needed, available)| Shortfall {
            name: ResourceName(name),
            needed,
            available,
        })
    }

    /// The amounts that are not zero: the common resources first, then the others by name.
    pub fn iter(&self) -> impl Iterator<Item = (ResourceName, i64)> + '_ {
        let common = COMMON.into_iter().map(|common| {
            (
                ResourceName(Name::Common(common)),
                self.common[common.index()],
            )
        });
        let extended = self
            .extended
            .iter()
            .map(|(name, amount)| (ResourceName(Name::Extended(name.clone())), *amount));
        common.chain(extended).filter(|(_, amount)| *amount != 0)
    }

    /// Whether every amount is zero.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }

    fn zip(&self, other: &Self, combine: impl Fn(i64, i64) -> Option<i64>) -> Option<Self> {
        let mut result = Self::ZERO;
        for common in COMMON {
            let index = common.index();
            result.common[index] = combine(self.common[index], other.common[index])?;
        }
        for (name, ours, theirs) in merged(&self.extended, &other.extended) {
            let amount = combine(ours, theirs)?;
            if amount != 0 {
                result.extended.push((name.clone(), amount));
            }
        }
        Some(result)
    }

    fn zip_total(&self, other: &Self, combine: impl Fn(i64, i64) -> i64) -> Self {
        self.zip(other, |ours, theirs| Some(combine(ours, theirs)))
            .expect("the combination gives an amount for every pair")
    }
}

/// Walks two sorted lists side by side; a name that one of them lacks counts zero there.
fn merged<'a>(
    left: &'a [(Arc<str>, i64)],
    right: &'a [(Arc<str>, i64)],
) -> impl Iterator<Item = (&'a Arc<str>, i64, i64)> {
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    std::iter::from_fn(move || match (left.peek(), right.peek()) {
        (Some((ours, _)), Some((theirs, _))) if ours == theirs => {
            let (name, amount) = left.next()?;
            Some((name, *amount, right.next()?.1))
        }
        (Some((ours, _)), Some((theirs, _))) if ours > theirs => {
            right.next().map(|(name, amount)| (name, 0, *amount))
        }
        (None, Some(_)) => right.next().map(|(name, amount)| (name, 0, *amount)),
        (Some(_), _) => left.next().map(|(name, amount)| (name, *amount, 0)),
        (None, None) => None,
    })
}

/// `cpu 250m, memory 128Mi`, or `nothing`.
impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("nothing");
        }
        for (position, (name, amount)) in self.iter().enumerate() {
            let separator = if position == 0 { "" } else { ", " };
            write!(f, "{separator}{name} {}", format_amount(&name, amount))?;
        }
        Ok(())
    }
}

/// `memory: 16Gi needed, 15Gi available`.
impl fmt::Display for Shortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needed = format_amount(&self.name, self.needed);
        let available = format_amount(&self.name, self.available);
        write!(f, "{}: {needed} needed, {available} available", self.name)
    }
}

/// An amount as Kubernetes writes it: `48` or `250m` of cpu, `16Gi` of memory, `3` of all else.
pub fn format_amount(name: &ResourceName, amount: i64) -> String {
    let quantity = match name.unit() {
        Unit::Millis => Quantity::from_millis(amount),
        Unit::Bytes if amount % 1_024 == 0 => Quantity::from_bytes(amount),
        // An amount that binary suffixes cannot shorten was most likely thought of in decimals.
        Unit::Bytes => Quantity::from_units(amount),
        // Counts are written out: "1k pods" would be a riddle.
        Unit::Count => return amount.to_string(),
    };
    quantity.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEBIBYTE: i64 = 1 << 20;

    fn of(amounts: &[(&str, i64)]) -> Resources {
        let named = amounts
            .iter()
            .map(|(name, amount)| (ResourceName::from(*name), *amount));
        named.fold(Resources::new(), |sum, (name, amount)| {
            sum.with(&name, amount)
        })
    }

    #[test]
    fn names_are_the_same_however_they_are_made() {
        assert_eq!(ResourceName::from("cpu"), ResourceName::CPU);
        assert_eq!(ResourceName::from("nodes"), ResourceName::NODES);
        assert_eq!(
            ResourceName::from("nvidia.com/gpu").as_str(),
            "nvidia.com/gpu"
        );
        assert!(ResourceName::NODES < ResourceName::from("a"));
    }

    #[test]
    fn absent_and_zero_are_the_same() {
        let gpu = ResourceName::from("nvidia.com/gpu");
        let some = of(&[("cpu", 5), ("nvidia.com/gpu", 1)]);
        assert_eq!(some.clone().with(&gpu, 0), of(&[("cpu", 5)]));
        assert_eq!(Resources::ZERO.with(&gpu, 0), Resources::ZERO);
        assert_eq!(some.get(&gpu), 1);
        assert_eq!(some.get(&"amd.com/gpu".into()), 0);
        assert_eq!(some.checked_sub(&some), Some(Resources::ZERO));
    }

    #[test]
    fn arithmetic_covers_names_of_either_side() {
        let left = of(&[("cpu", 5), ("b", 1), ("d", 4)]);
        let right = of(&[("memory", 7), ("a", 2), ("b", 3), ("e", 5)]);
        let sum = of(&[
            ("cpu", 5),
            ("memory", 7),
            ("a", 2),
            ("b", 4),
            ("d", 4),
            ("e", 5),
        ]);
        assert_eq!(left.checked_add(&right), Some(sum.clone()));
        assert_eq!(right.checked_add(&left), Some(sum.clone()));
        assert_eq!(sum.checked_sub(&right), Some(left.clone()));
        assert_eq!(left.saturating_sub(&right), of(&[("cpu", 5), ("d", 4)]));
        assert_eq!(
            left.max(&right),
            of(&[
                ("cpu", 5),
                ("memory", 7),
                ("a", 2),
                ("b", 3),
                ("d", 4),
                ("e", 5)
            ])
        );
        assert_eq!(of(&[("a", i64::MAX)]).checked_add(&of(&[("a", 1)])), None);
        assert_eq!(
            of(&[("cpu", i64::MIN)]).checked_sub(&of(&[("cpu", 1)])),
            None
        );
    }

    #[test]
    fn the_first_shortfall_says_why_something_does_not_fit() {
        let cases = [
            (of(&[]), of(&[]), None),
            (of(&[("cpu", 5)]), of(&[("cpu", 5)]), None),
            (
                of(&[("cpu", 6), ("a", 9)]),
                of(&[("cpu", 5)]),
                Some(("cpu", 6, 5)),
            ),
            (
                of(&[("a", 1), ("b", 1)]),
                of(&[("a", 1)]),
                Some(("b", 1, 0)),
            ),
            (
                of(&[("cpu", 1)]),
                of(&[("cpu", 5), ("memory", -1)]),
                Some(("memory", 0, -1)),
            ),
            (
                of(&[("cpu", 1)]),
                of(&[("cpu", 5), ("a", -1)]),
                Some(("a", 0, -1)),
            ),
        ];
        for (needed, available, expected) in cases {
            let expected = expected.map(|(name, needed, available)| Shortfall {
                name: name.into(),
                needed,
                available,
            });
            assert_eq!(needed.first_shortfall(&available), expected);
            assert_eq!(needed.fits_in(&available), expected.is_none());
        }
    }

    #[test]
    fn amounts_read_as_in_kubernetes() {
        let pod = of(&[
            ("pods", 1),
            ("nvidia.com/gpu", 2),
            ("memory", 128 * MEBIBYTE),
            ("cpu", 250),
        ]);
        assert_eq!(
            pod.to_string(),
            "cpu 250m, memory 128Mi, pods 1, nvidia.com/gpu 2"
        );
        assert_eq!(Resources::ZERO.to_string(), "nothing");
        let cases = [
            ("cpu", 48_000, "48"),
            ("memory", 16 << 30, "16Gi"),
            ("memory", 1_500_000_000, "1500M"),
            ("ephemeral-storage", 20 << 30, "20Gi"),
            ("hugepages-2Mi", 4 * MEBIBYTE, "4Mi"),
            ("pods", 1_000, "1000"),
        ];
        for (name, amount, written) in cases {
            assert_eq!(format_amount(&name.into(), amount), written);
        }
        let short = Shortfall {
            name: ResourceName::CPU,
            needed: 48_000,
            available: -250,
        };
        assert_eq!(short.to_string(), "cpu: 48 needed, -250m available");
    }

    #[test]
    fn quantities_become_amounts() {
        let quantity = Quantity::parse("1.0005").expect("a quantity");
        assert_eq!(ResourceName::CPU.requested(quantity), Ok(1_001));
        assert_eq!(ResourceName::CPU.offered(quantity), Ok(1_000));
        assert_eq!(ResourceName::MEMORY.requested(quantity), Ok(2));
        assert_eq!(ResourceName::MEMORY.offered(quantity), Ok(1));
    }
}
