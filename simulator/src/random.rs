//! Chance: one seeded stream for each purpose, and integers only, so that a seed is the same world
//! on every machine and a new draw for one purpose leaves all others as they were.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What chance is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// How long calls to the API server and the cloud take.
    Latency,
    /// How long machines boot, and which never do.
    Boot,
    /// How long pods take to start and to stop.
    Pods,
    /// How many machines the cloud has, and its failures.
    Cloud,
    /// What happens to watch events.
    Watch,
    /// When the controller dies and which answers are lost.
    Controller,
    /// How long plans take.
    Plan,
    /// What a world drawn from a seed is made of.
    Drawing,
    /// Which machines are taken away and when, and what becomes of the messages.
    Taking,
    /// Which calls are refused or answered late, and how.
    Refusals,
    /// Which machines and pods come to a bad end.
    Mishaps,
    /// When the controller's clock is set, and how.
    Clock,
    /// How spot prices move.
    Prices,
}

impl Purpose {
    /// All purposes. The place of each is the number of its stream: new ones go to the end.
    pub const ALL: [Self; 13] = [
        Self::Latency,
        Self::Boot,
        Self::Pods,
        Self::Cloud,
        Self::Watch,
        Self::Controller,
        Self::Plan,
        Self::Drawing,
        Self::Taking,
        Self::Refusals,
        Self::Mishaps,
        Self::Clock,
        Self::Prices,
    ];
}

/// All chance of a world.
#[derive(Clone, Debug)]
pub struct Random {
    streams: [ChaCha8Rng; Purpose::ALL.len()],
}

impl Random {
    /// The chance of this seed.
    pub fn new(seed: u64) -> Self {
        let mut number = 0;
        let streams = Purpose::ALL.map(|_| {
            let mut stream = ChaCha8Rng::seed_from_u64(seed);
            stream.set_stream(number);
            number += 1;
            stream
        });
        Self { streams }
    }

    fn next(&mut self, purpose: Purpose) -> u32 {
        let place = Purpose::ALL.iter().position(|known| *known == purpose);
        let place = place.expect("ALL lists every purpose");
        self.streams[place].next_u32()
    }

    /// A number below `bound`, or zero when nothing is below it. The product's upper half is the
    /// number; its bias is below one in 2^32 / `bound`, which no test here could tell.
    pub fn below(&mut self, purpose: Purpose, bound: u32) -> u32 {
        let scaled = u64::from(self.next(purpose)) * u64::from(bound);
        u32::try_from(scaled >> 32).expect("the upper half of 64 bits has 32")
    }

    /// True so many times of a thousand. A chance of none draws nothing, so that a fault that is
    /// switched off does not move the draws of the others.
    pub fn happens(&mut self, purpose: Purpose, permille: u32) -> bool {
        permille > 0 && self.below(purpose, 1_000) < permille
    }

    /// A value from a table of quantiles.
    pub fn quantile(&mut self, purpose: Purpose, table: &Quantiles) -> u32 {
        let at = self.below(purpose, 1_000);
        table.at(at)
    }
}

/// A distribution, by its least value, its 10th, 25th, 50th, 75th and 90th percentile and its
/// greatest value; between these it is straight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quantiles([u32; 7]);

/// Which quantiles a table holds, in thousandths.
const QUANTILE_PERMILLE: [u32; 7] = [0, 100, 250, 500, 750, 900, 1_000];

impl Quantiles {
    /// A distribution, unless the values descend.
    pub fn new(values: [u32; 7]) -> Option<Self> {
        values.is_sorted().then_some(Self(values))
    }

    /// A distribution written in the code.
    pub const fn of(values: [u32; 7]) -> Self {
        Self(values)
    }

    /// The value below which `permille` thousandths lie.
    pub fn at(&self, permille: u32) -> u32 {
        let marks = QUANTILE_PERMILLE.windows(2).zip(self.0.windows(2));
        for (marks, values) in marks {
            let (&[from, to], &[low, high]) = (marks, values) else {
                continue;
            };
            if permille <= to {
                let share = u64::from(high - low) * u64::from(permille - from);
                let step = u32::try_from(share / u64::from(to - from));
                return low + step.expect("a part of a number is no greater than it");
            }
        }
        self.median_and_most().1
    }

    /// The middle value.
    pub fn median(&self) -> u32 {
        self.median_and_most().0
    }

    /// The greatest value.
    pub const fn most(&self) -> u32 {
        self.0[6]
    }

    fn median_and_most(&self) -> (u32, u32) {
        let [_, _, _, median, _, _, most] = self.0;
        (median, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_world_and_purposes_do_not_disturb_one_another() {
        let draw = |seed, disturbed: bool| {
            let mut random = Random::new(seed);
            if disturbed {
                random.below(Purpose::Boot, 10);
            }
            let numbers: Vec<u32> = (0..8).map(|_| random.below(Purpose::Plan, 1_000)).collect();
            numbers
        };
        assert_eq!(draw(7, false), draw(7, true));
        assert_ne!(draw(7, false), draw(8, false));
        assert!(draw(7, false).iter().all(|number| *number < 1_000));
        let mut random = Random::new(7);
        assert_ne!(
            random.below(Purpose::Latency, u32::MAX),
            random.below(Purpose::Boot, u32::MAX)
        );
    }

    #[test]
    fn the_numbers_are_the_same_on_every_machine() {
        let mut random = Random::new(1);
        let numbers: Vec<u32> = (0..4)
            .map(|_| random.below(Purpose::Cloud, 1_000))
            .collect();
        assert_eq!(numbers, PINNED);
    }

    /// The first draws of seed 1 for the cloud: a change of this list changes every seed there is.
    const PINNED: [u32; 4] = [140, 568, 9, 674];

    #[test]
    fn quantiles_are_met_and_straight_between() {
        let table = Quantiles::new([100, 110, 120, 130, 140, 150, 250]).expect("ascending");
        let cases = [
            (0, 100),
            (50, 105),
            (100, 110),
            (500, 130),
            (950, 200),
            (1_000, 250),
        ];
        for (permille, value) in cases {
            assert_eq!(table.at(permille), value, "{permille}");
        }
        assert_eq!(table.median(), 130);
        assert_eq!(Quantiles::new([1, 1, 1, 0, 1, 1, 1]), None);
    }

    #[test]
    fn a_chance_strikes_as_often_as_it_says() {
        let mut random = Random::new(3);
        let hits = (0..10_000).filter(|_| random.happens(Purpose::Watch, 250));
        let count = hits.count();
        assert!((2_300..2_700).contains(&count), "{count}");
        assert!(!(0..1_000).any(|_| random.happens(Purpose::Watch, 0)));
    }
}
