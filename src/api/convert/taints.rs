//! Taints.

use k8s_openapi::api::core::v1 as k8s;

use super::Problems;
use crate::api::rules::FieldPath;
use crate::model::taint::{Taint, TaintEffect};

/// The taints. One whose effect is not understood keeps pods away, which is the safe reading.
pub(super) fn taints(list: &[k8s::Taint], path: &FieldPath, problems: &mut Problems) -> Vec<Taint> {
    let list = list.iter().enumerate();
    list.map(|(index, taint)| {
        let value = taint.value.as_deref().unwrap_or_default();
        let known = TaintEffect::parse(&taint.effect);
        if known.is_none() {
            let what = format!("\"{}\" is no effect of a taint", taint.effect);
            problems.add(path.index(index).field("effect"), what);
        }
        let effect = known.unwrap_or(TaintEffect::NoSchedule);
        Taint::new(&taint.key, value, effect)
    })
    .collect()
}
