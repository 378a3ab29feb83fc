//! From a world in which something breaks to a smaller one in which the same oracle finds something.
//!
//! Halves of what can be left out are tried first, then quarters, and so on down to single things
//! (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input"). What is left is made
//! smaller bit by bit, and all of it begins again until nothing more can go. A cut moves chance for
//! everything after it, so that a world may pass that is smaller in nothing that matters: what comes
//! out is small, not smallest.

use super::{Case, Cut, Verdict, run_within};

/// The most worlds that are tried. A world takes a tenth of a second, so that a minute is enough; what
/// has not gone by then tells a reader little.
const ATTEMPTS_MAX: u32 = 400;

/// The smallest world that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The world.
    pub case: Case,
    /// What comes of it.
    pub verdict: Verdict,
    /// How many worlds were tried.
    pub attempts: u32,
}

/// Makes a world smaller in which an oracle found something. `tried` is told of each attempt.
///
/// Nothing is shrunk where nothing failed.
pub fn shrink(case: &Case, verdict: &Verdict, tried: impl FnMut()) -> Shrunk {
    let mut bench = Bench {
        best: Shrunk {
            case: case.clone(),
            verdict: verdict.clone(),
            attempts: 0,
        },
        steps_max: verdict.steps,
        oracle: verdict.failures.first().map(|failure| failure.oracle),
        tried,
    };
    loop {
        let cuts = bench.best.case.cuts.len();
        bench.drop_what_can_go();
        bench.reduce_what_is_left();
        if bench.best.case.cuts.len() == cuts {
            return bench.best;
        }
    }
}

struct Bench<T> {
    best: Shrunk,
    /// A smaller world is no longer one.
    steps_max: u64,
    oracle: Option<&'static str>,
    tried: T,
}

impl<T: FnMut()> Bench<T> {
    fn drop_what_can_go(&mut self) {
        let mut left = self.best.case.drawn().droppable();
        let mut size = left.len();
        while size > 0 {
            let mut kept = Vec::new();
            for chunk in left.chunks(size) {
                if !self.accepts(chunk) {
                    kept.extend_from_slice(chunk);
                }
            }
            left = kept;
            size /= 2;
        }
    }

    fn reduce_what_is_left(&mut self) {
        for cut in self.best.case.drawn().reducible() {
            self.accepts(&[cut]);
        }
    }

    /// Whether the same oracle finds something without these, too; if so they are gone.
    fn accepts(&mut self, cuts: &[Cut]) -> bool {
        if self.oracle.is_none() || self.best.attempts == ATTEMPTS_MAX {
            return false;
        }
        self.best.attempts += 1;
        (self.tried)();
        let mut case = self.best.case.clone();
        case.cuts.extend_from_slice(cuts);
        let verdict = run_within(&case, self.steps_max, |_| ());
        let found = |verdict: &Verdict| verdict.failures.first().map(|failure| failure.oracle);
        match verdict {
            Some(verdict) if found(&verdict) == self.oracle => {
                (self.best.case, self.best.verdict) = (case, verdict);
                true
            }
            Some(_) | None => false,
        }
    }
}
