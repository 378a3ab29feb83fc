//! Prices that change.

use std::collections::{BTreeMap, BTreeSet};

use super::Region;
use super::offerings::Sale;
use crate::model::catalog::OfferingKey;
use crate::model::price::Price;

/// What decides the place of an offering among all: its price, and among equal prices the order as
/// written. A price that has moved is exact in micro-dollars and comes first among its equals.
type Place = (Price, Option<u32>);

impl Region {
    /// From now on these offerings cost this; the others keep their prices. What is not sold here is
    /// left out.
    pub fn reprice(&mut self, moved: &BTreeMap<OfferingKey, Price>) {
        let mut places: Vec<Place> = Vec::new();
        for (name, sold) in &mut self.types {
            for sale in &mut sold.sales {
                let key = OfferingKey {
                    capacity_type: sale.capacity_type,
                    instance_type: name.clone(),
                    zone: sale.zone.clone(),
                };
                let price = moved.get(&key).copied();
                places.push((
                    price.unwrap_or(sale.price),
                    price.is_none().then_some(sale.rank),
                ));
                sale.price = price.unwrap_or(sale.price);
            }
        }
        let order: BTreeSet<Place> = places.iter().copied().collect();
        let ranks: BTreeMap<Place, u32> = order.into_iter().zip(0..).collect();
        for (sale, place) in self.sales_mut().zip(&places) {
            sale.rank = ranks[place];
        }
    }

    fn sales_mut(&mut self) -> impl Iterator<Item = &mut Sale> {
        let types = self.types.values_mut();
        types.flat_map(|sold| &mut sold.sales)
    }
}
