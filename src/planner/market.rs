//! What one pool can buy, compiled for packing.
//!
//! Types are numbered by ascending price, so that the cheapest of a set is its first member. For
//! each resource the distinct amounts are sorted, each with the set of types that offer at least
//! so much: what fits a load is one AND for each resource. Offerings with equal labels (a zone
//! and a capacity type, mostly) form a cell with the set of types sold there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::PlanInput;
use super::bitset::BitSet;
use super::overhead::{DaemonSets, rest};
use super::template::{self, Template};
use crate::model::catalog::{InstanceType, Offering, SoldOut};
use crate::model::labels::{LabelKey, is_well_known};
use crate::model::pool::NodePool;
use crate::model::requirement::{Requirement, Requirements};
use crate::model::resources::{ResourceName, Resources};
use crate::model::time::Timestamp;

/// What one pool can buy.
pub(super) struct Market<'a> {
    pub(super) template: Template<'a>,
    /// By ascending price of the cheapest offering that the pool allows; what is not sold last.
    pub(super) types: Vec<Goods>,
    /// The types that the pool's own requirements allow.
    pub(super) allowed: BitSet,
    rows: BTreeMap<ResourceName, Row>,
    /// The types that promise less than nothing of no resource.
    sound: BitSet,
    cells: Vec<Cell>,
    /// The labels that types and offerings define; a pod may ask for them as for the well-known.
    keys: BTreeSet<LabelKey>,
    by_requirement: BTreeMap<Requirement, BitSet>,
}

/// An instance type as one pool would have it.
pub(super) struct Goods {
    pub(super) instance_type: Arc<InstanceType>,
    /// What DaemonSets take of it.
    pub(super) overhead: Resources,
    /// What is left for pods.
    pub(super) usable: Resources,
    /// What counts against the pool's limits: its capacity, and one node.
    pub(super) counted: Resources,
}

/// The amounts of one resource, ascending, each with the types that offer at least so much.
struct Row(Vec<(i64, BitSet)>);

/// Offerings with equal labels.
struct Cell {
    requirements: Requirements,
    /// The types for sale there now.
    sold: BitSet,
    /// The types that are sold out there, and until when.
    sold_out: BTreeMap<usize, Timestamp>,
}

impl<'a> Market<'a> {
    pub(super) fn new(input: &'a PlanInput, pool: &'a NodePool) -> Self {
        let template = Template::new(pool);
        let daemons = DaemonSets::on_new_nodes(
            &input.snapshot,
            &template.requirements,
            &pool.template.taints,
        );
        let catalogue = input.catalog.of(&pool.name);
        let sale = |it: &Arc<InstanceType>| cheapest_rank(it, &template.requirements, input);
        let mut priced: Vec<_> = catalogue.iter().map(|it| (sale(it), it)).collect();
        priced.sort_by_cached_key(|(rank, it)| (rank.is_none(), *rank, it.name.clone()));
        let types: Vec<Goods> = priced
            .into_iter()
            .map(|(_, it)| Goods::new(it, daemons.on_type(&it.requirements)))
            .collect();
        let allows = |index: usize| {
            let labels = &types[index].instance_type.requirements;
            labels.intersects(&template.requirements).is_ok()
        };
        let sound = |index: usize| types[index].usable.iter().all(|(_, amount)| amount >= 0);
        Self {
            allowed: BitSet::of(types.len(), allows),
            sound: BitSet::of(types.len(), sound),
            rows: rows(&types),
            cells: cells(&types, &input.sold_out, input.now),
            keys: keys(&types),
            by_requirement: BTreeMap::new(),
            template,
            types,
        }
    }

    /// Whether a pod may ask for this label although the pool does not mention it.
    pub(super) fn may_be_undefined(&self, key: &str) -> bool {
        is_well_known(key) || self.settles(key)
    }

    /// Whether types or offerings define this label.
    pub(super) fn settles(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    /// The types on which a load fits.
    pub(super) fn fitting(&self, load: &Resources) -> BitSet {
        let mut fitting = self.sound.clone();
        for (name, needed) in load.iter() {
            match self.rows.get(&name).and_then(|row| row.at_least(needed)) {
                Some(enough) => fitting.intersect_with(enough),
                None if needed > 0 => return BitSet::empty(self.types.len()),
                None => {}
            }
        }
        fitting
    }

    /// The types with a label as required; a type that does not define the label may have it.
    pub(super) fn labelled(&mut self, requirement: &Requirement) -> &BitSet {
        let types = &self.types;
        let key = requirement.key.as_str();
        self.by_requirement
            .entry(requirement.clone())
            .or_insert_with(|| {
                BitSet::of(types.len(), |index| {
                    let known = types[index].instance_type.requirements.get(key);
                    known.is_none_or(|known| known.agrees_with(requirement))
                })
            })
    }

    /// The types that are for sale where these requirements allow.
    pub(super) fn for_sale(&self, requirements: &Requirements) -> BitSet {
        let mut sold = BitSet::empty(self.types.len());
        for cell in self.cells_of(requirements) {
            sold.unite_with(&cell.sold);
        }
        sold
    }

    /// The types that are sold where these requirements allow, now or when they are back.
    pub(super) fn listed(&self, requirements: &Requirements) -> BitSet {
        let mut listed = self.for_sale(requirements);
        for cell in self.cells_of(requirements) {
            cell.sold_out.keys().for_each(|index| listed.insert(*index));
        }
        listed
    }

    /// The requirements that an instance type can satisfy or not.
    pub(super) fn about_types(&self, requirements: &Requirements) -> Requirements {
        let about = |it: &&Requirement| self.keys.contains(&it.key);
        requirements.iter().filter(about).cloned().collect()
    }

    /// When the first of what is sold out is tried again, among these types.
    pub(super) fn sold_again(
        &self,
        types: &BitSet,
        requirements: &Requirements,
    ) -> Option<Timestamp> {
        let cells = self.cells_of(requirements);
        let ends = cells.flat_map(|cell| cell.sold_out.iter());
        let relevant = ends.filter(|(index, _)| types.contains(**index));
        relevant.map(|(_, until)| *until).min()
    }

    fn cells_of(&self, requirements: &Requirements) -> impl Iterator<Item = &Cell> {
        let cells = self.cells.iter();
        cells.filter(|cell| requirements.intersects(&cell.requirements).is_ok())
    }

    /// The shortest list of the cheapest of these types that offers as many different values as
    /// `minValues` asks for; without `minValues` the cheapest alone.
    pub(super) fn core(
        &self,
        types: &BitSet,
        requirements: &Requirements,
    ) -> Result<Vec<usize>, Requirements> {
        let mut asked = template::Variety::new(requirements);
        let mut core = Vec::new();
        for index in types.iter() {
            core.push(index);
            asked.count(&self.types[index].instance_type.requirements);
            if asked.is_met() {
                return Ok(core);
            }
        }
        Err(asked.unmet())
    }
}

impl Goods {
    fn new(instance_type: &Arc<InstanceType>, overhead: Resources) -> Self {
        Self {
            usable: rest(&instance_type.allocatable(), &overhead),
            counted: instance_type.capacity.clone().with(&ResourceName::NODES, 1),
            instance_type: instance_type.clone(),
            overhead,
        }
    }
}

impl Row {
    fn at_least(&self, needed: i64) -> Option<&BitSet> {
        let first = self.0.partition_point(|(amount, _)| *amount < needed);
        self.0.get(first).map(|(_, types)| types)
    }
}

/// The offerings that can be bought now where these requirements allow.
pub(super) fn open_offerings<'a>(
    instance_type: &'a InstanceType,
    requirements: &'a Requirements,
    sold_out: &'a SoldOut,
    now: Timestamp,
) -> impl Iterator<Item = &'a Offering> {
    let offerings = instance_type.offerings.iter();
    offerings.filter(move |offering| {
        offering.available
            && requirements.intersects(&offering.requirements).is_ok()
            && !sold_out.contains(&offering.key(&instance_type.name), now)
    })
}

fn cheapest_rank(
    instance_type: &InstanceType,
    requirements: &Requirements,
    input: &PlanInput,
) -> Option<u32> {
    let open = open_offerings(instance_type, requirements, &input.sold_out, input.now);
    open.map(|offering| offering.rank).min()
}

fn rows(types: &[Goods]) -> BTreeMap<ResourceName, Row> {
    let offered = types.iter().flat_map(|goods| goods.usable.iter());
    let names: BTreeSet<ResourceName> = offered.map(|(name, _)| name).collect();
    let names = names.into_iter();
    names
        .map(|name| (name.clone(), row(types, &name)))
        .collect()
}

/// Walks the types from the largest amount down, so that each set is the one before and a bit.
fn row(types: &[Goods], name: &ResourceName) -> Row {
    let mut by_amount: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (index, goods) in types.iter().enumerate() {
        by_amount
            .entry(goods.usable.get(name))
            .or_default()
            .push(index);
    }
    let mut enough = BitSet::empty(types.len());
    let mut row = Vec::new();
    for (amount, indices) in by_amount.into_iter().rev() {
        for index in indices {
            enough.insert(index);
        }
        row.push((amount, enough.clone()));
    }
    row.reverse();
    Row(row)
}

fn cells(types: &[Goods], sold_out: &SoldOut, now: Timestamp) -> Vec<Cell> {
    let mut by_labels: BTreeMap<&Requirements, Cell> = BTreeMap::new();
    for (index, goods) in types.iter().enumerate() {
        let name = &goods.instance_type.name;
        for offering in goods
            .instance_type
            .offerings
            .iter()
            .filter(|it| it.available)
        {
            let cell = by_labels
                .entry(&offering.requirements)
                .or_insert_with(|| Cell {
                    requirements: offering.requirements.clone(),
                    sold: BitSet::empty(types.len()),
                    sold_out: BTreeMap::new(),
                });
            match sold_out.until(&offering.key(name), now) {
                None => cell.sold.insert(index),
                Some(until) => drop(cell.sold_out.insert(index, until)),
            }
        }
    }
    by_labels.into_values().collect()
}

fn keys(types: &[Goods]) -> BTreeSet<LabelKey> {
    let of_type = types.iter().map(|goods| &goods.instance_type.requirements);
    let offerings = types
        .iter()
        .flat_map(|goods| &goods.instance_type.offerings);
    let offered = offerings.map(|offering| &offering.requirements);
    let mut all: Vec<&Requirements> = of_type.chain(offered).collect();
    // Most define the same labels as the one before.
    all.dedup_by(|it, before| {
        let keys = it.iter().map(|known| &known.key);
        keys.eq(before.iter().map(|known| &known.key))
    });
    let keys = all.into_iter().flat_map(Requirements::iter);
    keys.map(|known| known.key.clone()).collect()
}
