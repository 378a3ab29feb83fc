//! Revisions of templates: what the API keeps as ControllerRevisions, for the controllers that
//! replace pods one by one ("StatefulSet", "DaemonSet Rolling Update" in the Kubernetes
//! documentation).

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use tidewright::model::id::{Uid, stable_hash};

/// The label of a pod that says which revision it was made of.
pub(super) const LABEL: &str = "controller-revision-hash";

/// A template with its name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Revision {
    pub(super) name: String,
    pub(super) template: PodTemplateSpec,
}

/// Where an owner comes from and where it goes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    /// What its pods were before the last change.
    pub(super) current: Revision,
    /// What they are to be.
    pub(super) update: Revision,
}

/// The revisions of all owners.
#[derive(Clone, Debug, Default)]
pub(super) struct Revisions(BTreeMap<Uid, Change>);

impl Revisions {
    /// The revisions of an owner whose template is now this. An owner that is seen for the first
    /// time has pods of this template, if it has any: nothing was changed before.
    pub(super) fn of(
        &mut self,
        (owner, name): (&Uid, &str),
        template: &PodTemplateSpec,
        pod: Option<&Pod>,
    ) -> Change {
        let made = || Revision {
            name: format!("{name}-{}", hash(template)),
            template: template.clone(),
        };
        let change = self.0.entry(owner.clone()).or_insert_with(|| {
            let mut first = made();
            if let Some(known) = pod.and_then(of_pod) {
                known.clone_into(&mut first.name);
            }
            Change {
                current: first.clone(),
                update: first,
            }
        });
        if change.update.template != *template {
            change.update = if change.current.template == *template {
                change.current.clone()
            } else {
                made()
            };
        }
        change.clone()
    }

    /// Every pod of an owner is what it is to be.
    pub(super) fn settle(&mut self, owner: &Uid) {
        if let Some(change) = self.0.get_mut(owner) {
            change.current = change.update.clone();
        }
    }

    /// Whether every pod of an owner was what it is to be when that was last looked at.
    pub(super) fn are_settled(&self, owner: &Uid) -> bool {
        let change = self.0.get(owner);
        change.is_none_or(|change| change.current == change.update)
    }

    /// Forgets an owner that is gone.
    pub(super) fn forget(&mut self, owner: &Uid) {
        self.0.remove(owner);
    }
}

/// The revision that a pod was made of.
pub(super) fn of_pod(pod: &Pod) -> Option<&str> {
    let labels = pod.metadata.labels.as_ref()?;
    labels.get(LABEL).map(String::as_str)
}

/// A short text that is the same for equal templates.
pub(super) fn hash(template: &PodTemplateSpec) -> String {
    let text = serde_json::to_string(template).unwrap_or_default();
    let mut hash = format!("{:016x}", stable_hash([text.as_str()]));
    hash.truncate(10);
    hash
}
