//! Sets of small indices as bits, so that "types with at least this much" is an AND of words.

const BITS: usize = 64;

/// A set of indices below a length fixed at its making.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BitSet(Vec<u64>);

impl BitSet {
    /// The empty set, with room for indices below `length`.
    pub(super) fn empty(length: usize) -> Self {
        Self(vec![0; length.div_ceil(BITS)])
    }

    /// The indices below `length` that pass.
    pub(super) fn of(length: usize, passes: impl Fn(usize) -> bool) -> Self {
        let mut set = Self::empty(length);
        for index in (0..length).filter(|index| passes(*index)) {
            set.insert(index);
        }
        set
    }

    pub(super) fn insert(&mut self, index: usize) {
        self.0[index / BITS] |= 1 << (index % BITS);
    }

    pub(super) fn contains(&self, index: usize) -> bool {
        self.0[index / BITS] & (1 << (index % BITS)) != 0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Keeps what is in `other` too.
    pub(super) fn intersect_with(&mut self, other: &Self) {
        for (ours, theirs) in self.0.iter_mut().zip(&other.0) {
            *ours &= theirs;
        }
    }

    /// Adds what is in `other`.
    pub(super) fn unite_with(&mut self, other: &Self) {
        for (ours, theirs) in self.0.iter_mut().zip(&other.0) {
            *ours |= theirs;
        }
    }

    /// Keeps what passes.
    pub(super) fn retain(&mut self, passes: impl Fn(usize) -> bool) {
        let failing: Vec<usize> = self.iter().filter(|index| !passes(*index)).collect();
        for index in failing {
            self.0[index / BITS] &= !(1 << (index % BITS));
        }
    }

    /// The indices, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0
            .iter()
            .enumerate()
            .flat_map(|(position, word)| Ones(*word).map(move |bit| position * BITS + bit))
    }
}

/// The positions of the ones in a word, ascending.
struct Ones(u64);

impl Iterator for Ones {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.0 == 0 {
            return None;
        }
        let position = self.0.trailing_zeros();
        self.0 &= self.0 - 1;
        Some(usize::try_from(position).expect("a position within a word is below 64"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_gives_back_its_members_in_order() {
        let mut even = BitSet::of(130, |index| index % 2 == 0);
        let by_three = BitSet::of(130, |index| index % 3 == 0);
        even.intersect_with(&by_three);
        let expected: Vec<usize> = (0..130).step_by(6).collect();
        assert_eq!(even.iter().collect::<Vec<_>>(), expected);
        assert!(even.contains(126) && !even.contains(127));
        even.retain(|index| index > 120);
        assert_eq!(even.iter().collect::<Vec<_>>(), [126]);
        even.unite_with(&BitSet::of(130, |index| index == 64));
        assert_eq!(even.iter().collect::<Vec<_>>(), [64, 126]);
        assert!(!even.is_empty() && BitSet::empty(130).is_empty());
        assert_eq!(BitSet::empty(0).iter().next(), None);
    }
}
