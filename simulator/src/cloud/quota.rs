//! How many vCPUs an account may run (EC2 documentation, "Amazon EC2 service quotas").

use std::collections::BTreeMap;

use tidewright::model::catalog::CapacityType;
use tidewright::model::claim::Machine;

use super::Cloud;

/// The quotas by capacity type; without one there is no end.
#[derive(Clone, Debug, Default)]
pub(super) struct Quotas(BTreeMap<CapacityType, u32>);

impl Quotas {
    pub(super) fn set(&mut self, capacity_type: CapacityType, vcpus: Option<u32>) {
        match vcpus {
            Some(vcpus) => self.0.insert(capacity_type, vcpus),
            None => self.0.remove(&capacity_type),
        };
    }
}

impl Cloud {
    /// Why one more machine would be too many, as an error code, if it would (EC2 documentation,
    /// "Error codes for the Amazon EC2 API").
    pub(super) fn over_quota(&self, wanted: &Machine) -> Option<&'static str> {
        let capacity_type = wanted.capacity_type;
        let quota = i64::from(*self.quotas.0.get(&capacity_type)?);
        let running = self.machines().filter(|it| it.runs());
        let running = running.map(|it| &it.fact.machine);
        let counted = running.filter(|it| it.capacity_type == capacity_type);
        let millis: i64 = counted.map(|it| it.capacity.cpu_millis()).sum();
        let over = millis + wanted.capacity.cpu_millis() > quota * 1_000;
        over.then_some(match capacity_type {
            CapacityType::Spot => "MaxSpotInstanceCountExceeded",
            CapacityType::OnDemand | CapacityType::Reserved => "VcpuLimitExceeded",
        })
    }
}
