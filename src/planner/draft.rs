//! A new claim while it is being packed: the pods so far, and the types that all of them fit on.

use std::cmp::Ordering;

use super::bitset::BitSet;
use super::class::{Class, Level, PodIndex};
use super::limits::Room;
use super::market::Market;
use super::overhead::{rest, total};
use crate::model::reason::{LimitOver, Miss, TooLarge};
use crate::model::requirement::{Incompatible, Requirements};
use crate::model::resources::{Resources, Shortfall};
use crate::model::taint::Taint;

/// A new claim being packed.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    /// What the labels of its node will be.
    pub(super) requirements: Requirements,
    /// The types that all pods fit on, whatever the limits allow.
    pub(super) types: BitSet,
    /// The cheapest of them that keep `minValues` and the limits.
    pub(super) core: Vec<usize>,
    /// What is held against the limits for it: the greatest amounts of the core.
    pub(super) reserved: Resources,
    /// What the pods take.
    pub(super) load: Resources,
    pub(super) pods: Vec<PodIndex>,
}

impl Draft {
    /// A claim of the market with nothing on it.
    fn blank(market: &Market<'_>) -> Self {
        Self {
            requirements: market.template.requirements.clone(),
            types: market.allowed.clone(),
            core: Vec::new(),
            reserved: Resources::ZERO,
            load: Resources::ZERO,
            pods: Vec::new(),
        }
    }

    /// A claim with one pod; the room is not taken yet.
    pub(super) fn opened(
        market: &mut Market<'_>,
        room: &Room<'_>,
        class: &Class,
        level: &Level,
    ) -> Result<Self, Box<Miss>> {
        let blank = Self::blank(market);
        let opened = blank.with(market, room, class, level);
        opened.map_err(|obstacles| {
            let misses = obstacles.into_iter().map(|it| it.explained(market, room));
            Box::new(misses.min().expect("a pod has at least one alternative"))
        })
    }

    /// This claim with room for one pod more. What the claim has reserved must have been given
    /// back to the pool's room before. Of several alternatives the first that works counts.
    pub(super) fn with(
        &self,
        market: &mut Market<'_>,
        room: &Room<'_>,
        class: &Class,
        level: &Level,
    ) -> Result<Self, Vec<Obstacle>> {
        let taints = &market.template.pool.template.taints;
        if let Err(taint) = class.tolerates(level, taints) {
            return Err(vec![Obstacle::Taint(taint.clone())]);
        }
        let mut obstacles = Vec::new();
        for asked in &level.alternatives {
            match self.narrowed(market, room, asked, class.size()) {
                Ok(draft) => return Ok(draft),
                Err(obstacle) => obstacles.push(*obstacle),
            }
        }
        Err(obstacles)
    }

    fn narrowed(
        &self,
        market: &mut Market<'_>,
        room: &Room<'_>,
        asked: &Requirements,
        size: &Resources,
    ) -> Result<Self, Box<Obstacle>> {
        let may_be_undefined = |key: &str| market.may_be_undefined(key);
        let compatible = self.requirements.compatible(asked, may_be_undefined);
        compatible.map_err(|conflict| Box::new(Obstacle::Labels(conflict)))?;
        let requirements = self.requirements.intersect(asked);
        let labelled = self.labelled(market, &requirements, asked);
        let load = total([&self.load, size]);
        let mut types = labelled.clone();
        types.intersect_with(&market.fitting(&load));
        types.intersect_with(&market.for_sale(&requirements));
        if types.is_empty() {
            return Err(Box::new(Obstacle::NoType {
                labelled,
                requirements,
                load,
            }));
        }
        let (core, reserved) = within_limits(market, room, &types, &requirements)?;
        Ok(Self {
            requirements,
            types,
            core,
            reserved,
            load,
            pods: self.pods.clone(),
        })
    }

    /// The types with the labels asked for; only keys that were narrowed can exclude any.
    fn labelled(
        &self,
        market: &mut Market<'_>,
        requirements: &Requirements,
        asked: &Requirements,
    ) -> BitSet {
        let mut types = self.types.clone();
        for key in asked.iter().map(|it| it.key.as_str()) {
            if requirements.get(key) != self.requirements.get(key)
                && let Some(narrowed) = requirements.get(key)
            {
                types.intersect_with(market.labelled(narrowed));
            }
        }
        types
    }
}

/// Why a pod does not go on a claim, before it is put into words: most pods find another place.
pub(super) enum Obstacle {
    Taint(Taint),
    Labels(Incompatible),
    NoType {
        labelled: BitSet,
        requirements: Requirements,
        load: Resources,
    },
    Limit(BitSet),
    MinValues(Requirements),
}

impl Obstacle {
    /// Whether it may be gone later in the same plan: limits, and the choice within them, depend
    /// on what other claims hold.
    pub(super) const fn is_passing(&self) -> bool {
        match self {
            Self::Limit(_) | Self::MinValues(_) => true,
            Self::Taint(_) | Self::Labels(_) | Self::NoType { .. } => false,
        }
    }

    fn explained(self, market: &Market<'_>, room: &Room<'_>) -> Miss {
        match self {
            Self::Taint(taint) => Miss::Taint { taint },
            Self::Labels(conflict) => Miss::Labels { conflict },
            Self::MinValues(requirements) => Miss::MinValues { requirements },
            Self::Limit(types) => over_limit(market, room, &types),
            Self::NoType {
                labelled,
                requirements,
                load,
            } => why_none(market, &labelled, &requirements, &load),
        }
    }
}

/// The core of these types within the limits, and what it reserves.
fn within_limits(
    market: &Market<'_>,
    room: &Room<'_>,
    types: &BitSet,
    requirements: &Requirements,
) -> Result<(Vec<usize>, Resources), Box<Obstacle>> {
    let mut affordable = types.clone();
    affordable.retain(|index| room.holds(&market.types[index].counted));
    if affordable.is_empty() {
        return Err(Box::new(Obstacle::Limit(types.clone())));
    }
    let core = market.core(&affordable, requirements);
    let core = core.map_err(|unmet| Box::new(Obstacle::MinValues(unmet)))?;
    let counted = core.iter().map(|index| &market.types[*index].counted);
    let reserved = counted.fold(Resources::ZERO, |most, it| most.max(it));
    Ok((core, reserved))
}

/// The limit in the way of the smallest machine that fits.
fn over_limit(market: &Market<'_>, room: &Room<'_>, types: &BitSet) -> Miss {
    let fitting = types.iter().map(|index| &market.types[index]);
    let smallest = fitting.min_by_key(|goods| {
        let size = &goods.counted;
        (
            size.cpu_millis(),
            size.memory_bytes(),
            &goods.instance_type.name,
        )
    });
    let smallest = smallest.expect("some type fits, or no limit would be in the way");
    let over = room.exceeded_with(&smallest.counted);
    let over = LimitOver(over.expect("no type that fits is within the limits"));
    Miss::Limit { over }
}

/// Why no type is left: all that fits is sold out, nothing is large enough, or nothing has the
/// labels.
fn why_none(
    market: &Market<'_>,
    labelled: &BitSet,
    requirements: &Requirements,
    load: &Resources,
) -> Miss {
    let mut fitting = labelled.clone();
    fitting.intersect_with(&market.fitting(load));
    if let Some(until) = market.sold_again(&fitting, requirements) {
        return Miss::SoldOut { until };
    }
    let mut listed = labelled.clone();
    listed.intersect_with(&market.listed(requirements));
    match nearest_in_size(market, &listed, load) {
        Some(short) => Miss::TooLarge { short },
        None => Miss::NoInstanceType {
            requirements: market.about_types(requirements),
        },
    }
}

/// The type that comes nearest to holding a load, and what it lacks most.
fn nearest_in_size(market: &Market<'_>, types: &BitSet, load: &Resources) -> Option<TooLarge> {
    let lacking = types.iter().filter_map(|index| {
        let goods = &market.types[index];
        let needed = total([load, &goods.overhead]);
        let available = goods.instance_type.allocatable();
        Some(TooLarge {
            shortfall: worst_shortfall(&needed, &available)?,
            largest: goods.instance_type.name.clone(),
        })
    });
    lacking.min_by(|a, b| {
        let nearness = by_share(&a.shortfall, &b.shortfall);
        nearness.then_with(|| a.largest.cmp(&b.largest))
    })
}

fn worst_shortfall(needed: &Resources, available: &Resources) -> Option<Shortfall> {
    let left = rest(available, needed);
    let short = left.iter().filter(|(_, left)| *left < 0);
    let all = short.map(|(name, _)| Shortfall {
        needed: needed.get(&name),
        available: available.get(&name),
        name,
    });
    all.max_by(by_share)
}

/// Compares by what is needed for each unit that is available; the resource named first is the
/// greater of equals.
fn by_share(a: &Shortfall, b: &Shortfall) -> Ordering {
    let cross =
        |it: &Shortfall, other: &Shortfall| i128::from(it.needed) * i128::from(other.available);
    let share = match (a.available > 0, b.available > 0) {
        (true, true) => cross(a, b).cmp(&cross(b, a)),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => a.needed.cmp(&b.needed),
    };
    share.then_with(|| b.name.cmp(&a.name))
}
