//! Layers that change in steps and lie upon one another.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::Millis;

/// A screen shows no more columns than this, so each gets its high, its low and its end.
const COLUMNS: u32 = 1_000;

/// Amounts that change at certain times and stay until the next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stack {
    /// The times, ascending. The first is the start, the last the end.
    pub times: Vec<Millis>,
    /// The layers, lowest first.
    pub layers: Vec<Layer>,
}

/// One layer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Layer {
    /// What it counts.
    pub name: String,
    /// How much from each time on.
    pub values: Vec<i64>,
}

/// A layer grows or shrinks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Change {
    pub(super) at: Millis,
    pub(super) layer: String,
    pub(super) by: i64,
}

impl Stack {
    /// Adds changes up. Those at one time are one step; those after the end are left out.
    pub(super) fn of(mut changes: Vec<Change>, end: Millis) -> Self {
        changes.sort_unstable();
        let names: BTreeSet<&str> = changes.iter().map(|it| it.layer.as_str()).collect();
        let mut now: BTreeMap<&str, i64> = names.into_iter().map(|name| (name, 0)).collect();
        let mut times = vec![Millis::default()];
        let mut steps: BTreeMap<&str, Vec<i64>> =
            now.keys().map(|name| (*name, Vec::new())).collect();
        let mut write = |now: &BTreeMap<&str, i64>| {
            for (values, value) in steps.values_mut().zip(now.values()) {
                values.push(*value);
            }
        };
        for change in changes.iter().filter(|change| change.at <= end) {
            if times.last() != Some(&change.at) {
                write(&now);
                times.push(change.at);
            }
            *now.entry(&change.layer).or_default() += change.by;
        }
        write(&now);
        if times.last() != Some(&end) {
            write(&now);
            times.push(end);
        }
        let layers = steps.into_iter().map(|(name, values)| Layer {
            name: name.to_owned(),
            values,
        });
        Self {
            layers: layers.collect(),
            times,
        }
    }

    /// The same with the named layers first, in this order.
    pub(super) fn in_order(mut self, names: &[&str]) -> Self {
        let place = |layer: &Layer| {
            let place = names.iter().position(|name| *name == layer.name);
            place.unwrap_or(names.len())
        };
        self.layers.sort_by_key(place);
        self
    }

    /// The same with so many layers, those with the most over time first; all others are one.
    pub(super) fn largest(mut self, count: usize, others: &str) -> Self {
        let times = std::mem::take(&mut self.times);
        let area = |layer: &Layer| -> i128 {
            let spans = times.windows(2).zip(&layer.values);
            let spans = spans.map(|(pair, value)| {
                let millis = pair[1].0.saturating_sub(pair[0].0).as_millis();
                i128::try_from(millis).unwrap_or(i128::MAX) * i128::from(*value)
            });
            spans.sum()
        };
        self.layers.sort_by_cached_key(|layer| -area(layer));
        // A layer for others that holds one type only would hide its name for nothing.
        if self.layers.len() > count + 1 {
            let rest = self.layers.split_off(count);
            let name = format!("{} {others}", rest.len());
            let mut values = vec![0; times.len()];
            for layer in rest {
                for (sum, value) in values.iter_mut().zip(layer.values) {
                    *sum += value;
                }
            }
            self.layers.push(Layer { name, values });
        }
        Self { times, ..self }
    }

    /// What all layers come to from each time on.
    pub(super) fn totals(&self) -> Vec<i64> {
        let total = |index: usize| self.layers.iter().map(|it| it.values[index]).sum();
        (0..self.times.len()).map(total).collect()
    }

    /// The same with as many steps as can be seen.
    pub(super) fn thinned(self) -> Self {
        let kept = self.visible();
        self.only(&kept)
    }

    /// The steps that can be seen: of each column the highest, the lowest and the last.
    pub(super) fn visible(&self) -> Vec<usize> {
        let totals = self.totals();
        let end = self.times.last().copied().unwrap_or_default();
        let width = (end.0 / COLUMNS).max(Duration::from_millis(1));
        let column = |index: usize| self.times[index].0.as_nanos() / width.as_nanos();
        let mut kept = BTreeSet::from([0]);
        let mut first = 0;
        while first < self.times.len() {
            let same = (first..self.times.len()).take_while(|it| column(*it) == column(first));
            let next = first + same.count();
            let highest = (first..next).max_by_key(|it| (totals[*it], *it));
            let lowest = (first..next).min_by_key(|it| (totals[*it], *it));
            kept.extend(highest.into_iter().chain(lowest).chain([next - 1]));
            first = next;
        }
        kept.into_iter().collect()
    }

    /// The steps with these places.
    pub(super) fn only(mut self, kept: &[usize]) -> Self {
        self.times = kept.iter().map(|index| self.times[*index]).collect();
        for layer in &mut self.layers {
            layer.values = kept.iter().map(|index| layer.values[*index]).collect();
        }
        self
    }
}
