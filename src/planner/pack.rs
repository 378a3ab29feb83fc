//! First fit: each pod goes to the first place that takes it.
//!
//! The places are tried in this order: nodes and claims that exist; claims opened in this plan,
//! those with the fewest pods first; a new claim, pools by weight descending and then by name.
//! All of them are tried with a pod's preferences before one preference is given up.

use std::collections::{BTreeMap, BTreeSet};

use super::PlanInput;
use super::class::{Class, ClassIndex, Level, PodIndex, Queue, Waiting};
use super::draft::{Draft, Obstacle};
use super::limits::Room;
use super::market::Market;
use super::place::{Place, places};
use super::template::unusable;
use crate::model::id::PoolName;
use crate::model::pool::NodePool;
use crate::model::reason::{PoolMiss, Unschedulable};

/// What packing came to.
pub(super) struct Packed<'a> {
    pub(super) queue: Queue,
    pub(super) markets: BTreeMap<PoolName, Market<'a>>,
    pub(super) rooms: BTreeMap<PoolName, Room<'a>>,
    pub(super) places: Vec<Place>,
    pub(super) opened: Vec<Opened>,
    pub(super) unplaced: Vec<(PodIndex, Unschedulable)>,
    pub(super) evaluations: u64,
}

/// A claim opened in this plan.
pub(super) struct Opened {
    pub(super) pool: PoolName,
    pub(super) draft: Draft,
    /// Classes that were turned away for good: a claim only ever becomes narrower.
    refused: BTreeSet<(ClassIndex, usize)>,
}

/// What became of one pod.
enum Outcome {
    Placed,
    Unplaced(Unschedulable),
}

/// The state of packing.
struct Bench<'a> {
    input: &'a PlanInput,
    /// Pools that may be used, in the order of trial.
    pools: Vec<&'a NodePool>,
    packed: Packed<'a>,
    /// Where each class looks first among the places: earlier ones turned it away, and they only
    /// ever become fuller.
    cursors: BTreeMap<(ClassIndex, usize), usize>,
}

/// Packs all pending pods. A pod that found no place is tried again as long as others still find
/// one, because narrowing a claim may give back room under a limit.
pub(super) fn pack(input: &PlanInput) -> Packed<'_> {
    let mut bench = Bench::new(input);
    let mut waiting = std::mem::take(&mut bench.packed.queue.order);
    loop {
        let before = waiting.len();
        let left = bench.pass(&waiting);
        waiting = left.iter().map(|(waiting, _)| *waiting).collect();
        if left.is_empty() || left.len() == before || bench.is_spent() {
            let reasons = left
                .into_iter()
                .map(|(waiting, reason)| (waiting.pod, reason));
            bench.packed.unplaced = reasons.collect();
            return bench.packed;
        }
    }
}

impl<'a> Bench<'a> {
    fn new(input: &'a PlanInput) -> Self {
        let all = input.snapshot.pools.values();
        let markets: BTreeMap<_, _> = all
            .map(|pool| (pool.name.clone(), Market::new(input, pool)))
            .collect();
        let rooms = markets.iter();
        let rooms = rooms.map(|(name, market)| (name.clone(), Room::new(input, market)));
        let usable = input.snapshot.pools.values().map(AsRef::as_ref);
        let mut pools: Vec<&NodePool> = usable.filter(|pool| unusable(pool).is_none()).collect();
        pools.sort_by_key(|pool| (std::cmp::Reverse(pool.weight), &pool.name));
        Self {
            pools,
            packed: Packed {
                queue: Queue::new(&input.pending, input.options.preferences),
                rooms: rooms.collect(),
                places: places(input, &markets),
                markets,
                opened: Vec::new(),
                unplaced: Vec::new(),
                evaluations: 0,
            },
            cursors: BTreeMap::new(),
            input,
        }
    }

    fn is_spent(&self) -> bool {
        self.packed.evaluations >= self.input.options.evaluations_max
    }

    /// Tries each pod once and gives back those without a place. When one pod of a class has
    /// found none, the others of the class need not look.
    fn pass(&mut self, waiting: &[Waiting]) -> Vec<(Waiting, Unschedulable)> {
        let mut failed: BTreeMap<ClassIndex, Unschedulable> = BTreeMap::new();
        let mut left = Vec::new();
        for pod in waiting {
            let known = failed.get(&pod.class).cloned();
            let outcome = match known {
                Some(reason) => Outcome::Unplaced(reason),
                None => self.place(*pod),
            };
            if let Outcome::Unplaced(reason) = outcome {
                failed.entry(pod.class).or_insert_with(|| reason.clone());
                left.push((*pod, reason));
            }
        }
        left
    }

    fn place(&mut self, waiting: Waiting) -> Outcome {
        let class = self.packed.queue.class(waiting.class);
        let fields: Vec<_> = class.scheduling.refusing_fields().cloned().collect();
        if !fields.is_empty() {
            return Outcome::Unplaced(Unschedulable::UnsupportedFields { fields });
        }
        let levels = class.levels.len();
        let mut misses = Vec::new();
        for level in 0..levels {
            if self.is_spent() {
                return Outcome::Unplaced(Unschedulable::WorkSpent);
            }
            if self.fill(waiting, level) || self.join(waiting, level) {
                return Outcome::Placed;
            }
            match self.open(waiting, level) {
                Ok(()) => return Outcome::Placed,
                Err(all) => misses = all,
            }
        }
        Outcome::Unplaced(self.refusal(misses))
    }

    /// Puts the pod on something that exists.
    fn fill(&mut self, waiting: Waiting, level: usize) -> bool {
        let packed = &mut self.packed;
        let class = packed.queue.class(waiting.class);
        let cursor = self.cursors.entry((waiting.class, level)).or_insert(0);
        while let Some(place) = packed.places.get_mut(*cursor) {
            packed.evaluations += 1;
            if place.accepts(class, &class.levels[level]) {
                place.put(waiting.pod, class.size());
                return true;
            }
            *cursor += 1;
        }
        false
    }

    /// Puts the pod on a claim opened before.
    fn join(&mut self, waiting: Waiting, level: usize) -> bool {
        let packed = &mut self.packed;
        let (class, wish) = wish(&packed.queue, waiting, level);
        let mut order: Vec<usize> = (0..packed.opened.len()).collect();
        order.sort_by_key(|index| packed.opened[*index].draft.pods.len());
        for index in order {
            let opened = &mut packed.opened[index];
            let market = packed.markets.get_mut(&opened.pool).expect(POOL_IS_KNOWN);
            let room = packed.rooms.get_mut(&opened.pool).expect(POOL_IS_KNOWN);
            if opened.refused.contains(&(waiting.class, level)) {
                continue;
            }
            packed.evaluations += 1;
            room.release(&opened.draft.reserved);
            let joined = opened.draft.with(market, room, class, wish);
            match joined {
                Ok(draft) => {
                    room.take(&draft.reserved);
                    opened.draft = draft;
                    opened.draft.pods.push(waiting.pod);
                    return true;
                }
                Err(obstacles) => {
                    room.take(&opened.draft.reserved);
                    if !obstacles.iter().any(Obstacle::is_passing) {
                        opened.refused.insert((waiting.class, level));
                    }
                }
            }
        }
        false
    }

    /// Opens a claim for the pod; otherwise says what each usable pool lacks.
    fn open(&mut self, waiting: Waiting, level: usize) -> Result<(), Vec<PoolMiss>> {
        let packed = &mut self.packed;
        let (class, wish) = wish(&packed.queue, waiting, level);
        let mut misses = Vec::new();
        for pool in self.pools.iter().map(|pool| &pool.name) {
            packed.evaluations += 1;
            let market = packed.markets.get_mut(pool).expect(POOL_IS_KNOWN);
            let room = packed.rooms.get_mut(pool).expect(POOL_IS_KNOWN);
            match Draft::opened(market, room, class, wish) {
                Ok(mut draft) => {
                    room.take(&draft.reserved);
                    draft.pods.push(waiting.pod);
                    packed.opened.push(Opened {
                        pool: pool.clone(),
                        draft,
                        refused: BTreeSet::new(),
                    });
                    return Ok(());
                }
                Err(miss) => misses.push(PoolMiss {
                    pool: pool.clone(),
                    miss: *miss,
                }),
            }
        }
        Err(misses)
    }

    fn refusal(&self, mut misses: Vec<PoolMiss>) -> Unschedulable {
        let pools = self.input.snapshot.pools.values();
        misses.extend(pools.filter_map(|pool| {
            let miss = unusable(pool)?;
            let pool = pool.name.clone();
            Some(PoolMiss { miss, pool })
        }));
        if misses.is_empty() {
            return Unschedulable::NoNodePool;
        }
        misses.sort();
        Unschedulable::NoPoolFits { misses }
    }
}

const POOL_IS_KNOWN: &str = "every pool of the snapshot has a market and a room";

fn wish(queue: &Queue, waiting: Waiting, level: usize) -> (&Class, &Level) {
    let class = queue.class(waiting.class);
    (class, &class.levels[level])
}
