//! What a pod says and the planner does not act on.

use crate::api::convert::Problems;
use crate::api::rules::FieldPath;
use crate::model::pod::{FieldWeight, UnsupportedField};

/// The fields met so far.
#[derive(Debug, Default)]
pub(super) struct Unsupported(Vec<UnsupportedField>);

impl Unsupported {
    /// Without this field the pod could be misplaced.
    pub(super) fn binding(&mut self, path: &FieldPath) {
        self.push(path, FieldWeight::Binding);
    }

    /// Without this field the pod could be placed where it would rather not be.
    pub(super) fn preference(&mut self, path: &FieldPath) {
        self.push(path, FieldWeight::Preference);
    }

    pub(super) fn problems(&mut self, problems: Problems) {
        for problem in problems.0 {
            self.binding(&problem.path);
        }
    }

    pub(super) fn into_fields(self) -> Vec<UnsupportedField> {
        self.0
    }

    fn push(&mut self, path: &FieldPath, weight: FieldWeight) {
        let path = path.to_string().into();
        self.0.push(UnsupportedField { path, weight });
    }
}
