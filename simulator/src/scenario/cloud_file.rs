//! What a scenario file says of the cloud: who takes machines away, and what it allows.

use schemars::JsonSchema;
use serde::Deserialize;
use std::time::Duration;

use tidewright::api::rules::{FieldPath, Violation};

use super::file::PaidFor;
use super::rules::{length, span};
use crate::cloud::SpotMarket;
use crate::setup::{Interrupt, Share, Taking};

/// How often Karpenter asks for prices.
const ASKED_EVERY: Duration = Duration::from_hours(12);

/// How spot prices move.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PricesFile {
    /// From one round to the next.
    pub every: String,
    /// How many of a thousand prices move in a round.
    pub moved_permille: u32,
    /// By how many thousandths a price moves at most.
    pub step_permille: u32,
    /// How often the controller asks for prices; left out, every twelve hours, as Karpenter does.
    pub asked_every: Option<String>,
    /// For how long prices move; left out, until the end.
    pub lasts: Option<String>,
}

/// Machines that are taken away. What is left out matches all.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InterruptFile {
    /// How.
    #[serde(default)]
    pub how: How,
    /// How many; this or `percent`.
    pub machines: Option<u32>,
    /// How many of a hundred; this or `machines`.
    pub percent: Option<u32>,
    /// The instance type.
    pub instance_type: Option<String>,
    /// The zone.
    pub zone: Option<String>,
    /// They are told within so long.
    pub within: Option<String>,
    /// A rebalance is recommended so long before.
    pub rebalance_before: Option<String>,
}

/// How machines are taken away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum How {
    /// Spot machines, by the cloud, two minutes after a notice.
    #[default]
    Spot,
    /// By the cloud, two days after a scheduled change was announced.
    Retired,
    /// Terminated by somebody.
    Terminated,
    /// Stopped by somebody.
    Stopped,
}

/// A zone that is lost.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ZoneOutageFile {
    /// The zone.
    pub zone: String,
    /// For how long nothing is sold there.
    pub lasts: String,
}

/// What the account may run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuotaFile {
    /// How it is paid for.
    pub capacity_type: PaidFor,
    /// How many vCPUs; left out, as many as anybody wants.
    pub vcpus: Option<u32>,
}

impl PricesFile {
    /// What the world is told, once the rules have been checked.
    pub(super) fn setup(&self) -> SpotMarket {
        SpotMarket {
            every: length(&self.every),
            moved_permille: self.moved_permille,
            step_permille: self.step_permille,
            asked_every: self.asked_every.as_deref().map_or(ASKED_EVERY, length),
            lasts: self.lasts.as_deref().map(length),
        }
    }

    /// What is wrong with it.
    pub(super) fn check(&self, path: &FieldPath) -> Vec<Violation> {
        let spans = [
            ("every", Some(&self.every)),
            ("askedEvery", self.asked_every.as_ref()),
            ("lasts", self.lasts.as_ref()),
        ];
        let mut violations = Vec::new();
        for (name, text) in spans {
            let path = path.field(name);
            violations.extend(
                text.and_then(|text| span(&path, text).or_else(|| long_enough(&path, text))),
            );
        }
        let permille = [
            ("movedPermille", self.moved_permille),
            ("stepPermille", self.step_permille),
        ];
        for (name, number) in permille {
            if !(1..=1_000).contains(&number) {
                let rule = "This must be a number from 1 to 1000.";
                let fix = "Write a tenth as 100.";
                let path = path.field(name);
                violations.push(Violation::new(path, number.to_string(), rule, fix));
            }
        }
        violations
    }
}

/// Rounds that follow at once would never end.
fn long_enough(path: &FieldPath, text: &str) -> Option<Violation> {
    (length(text) < Duration::from_secs(1)).then(|| {
        let rule = "This must be a second at least.";
        Violation::new(path.clone(), text, rule, "Write an hour as 1h.")
    })
}

impl InterruptFile {
    /// What the world is told, once the rules have been checked.
    pub(super) fn setup(&self) -> Interrupt {
        Interrupt {
            how: match self.how {
                How::Spot => Taking::Spot,
                How::Retired => Taking::Retired,
                How::Terminated => Taking::Terminated,
                How::Stopped => Taking::Stopped,
            },
            share: match (self.machines, self.percent) {
                (Some(machines), _) => Share::Machines(machines),
                (None, percent) => Share::Percent(percent.unwrap_or(100)),
            },
            instance_type: self.instance_type.clone(),
            zone: self.zone.clone(),
            within: self.within.as_deref().map_or(Duration::ZERO, length),
            rebalance_before: self.rebalance_before.as_deref().map(length),
        }
    }

    /// What is wrong with it.
    pub(super) fn check(&self, path: &FieldPath) -> Vec<Violation> {
        let spans = [
            ("within", &self.within),
            ("rebalanceBefore", &self.rebalance_before),
        ];
        let spans = spans
            .iter()
            .filter_map(|(name, text)| span(&path.field(*name), text.as_ref()?));
        let mut violations: Vec<Violation> = spans.collect();
        if self.machines.is_some() == self.percent.is_some() {
            let rule = "Exactly one of the two says how many machines are taken.";
            let fix = "Write `machines: 3`, or `percent: 33`.";
            violations.push(Violation::new(
                path.clone(),
                "machines, percent".to_owned(),
                rule,
                fix,
            ));
        }
        if let Some(percent) = self.percent.filter(|it| !(1..=100).contains(it)) {
            let rule = "This must be a number from 1 to 100.";
            let fix = "Write a third as 33.";
            violations.push(Violation::new(
                path.field("percent"),
                percent.to_string(),
                rule,
                fix,
            ));
        }
        if self.how != How::Spot && self.rebalance_before.is_some() {
            let rule = "A rebalance is recommended for spot machines that the cloud takes.";
            let fix = "Leave it out, or write `how: spot`.";
            violations.push(Violation::new(
                path.field("rebalanceBefore"),
                self.rebalance_before.clone().unwrap_or_default(),
                rule,
                fix,
            ));
        }
        violations
    }
}
