//! Taints on nodes and the tolerations of pods.

use std::fmt;

use super::labels::{LabelKey, LabelValue, keys};

/// What a taint does to pods that do not tolerate it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaintEffect {
    /// New pods stay away.
    NoSchedule,
    /// New pods stay away if there is another place.
    PreferNoSchedule,
    /// New pods stay away and running ones are evicted.
    NoExecute,
}

impl TaintEffect {
    /// The effect of that name in Kubernetes.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::NoSchedule, Self::PreferNoSchedule, Self::NoExecute]
            .into_iter()
            .find(|effect| effect.as_str() == text)
    }

    /// The name in Kubernetes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoSchedule => "NoSchedule",
            Self::PreferNoSchedule => "PreferNoSchedule",
            Self::NoExecute => "NoExecute",
        }
    }

    /// Whether the scheduler refuses a node for it; otherwise it only likes the node less.
    pub const fn is_binding(self) -> bool {
        match self {
            Self::NoSchedule | Self::NoExecute => true,
            Self::PreferNoSchedule => false,
        }
    }
}

impl fmt::Display for TaintEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A mark on a node that keeps pods away.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Taint {
    /// The key.
    pub key: LabelKey,
    /// The value; often empty.
    pub value: LabelValue,
    /// What it does.
    pub effect: TaintEffect,
}

impl Taint {
    /// A taint.
    pub fn new(key: &str, value: &str, effect: TaintEffect) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
            effect,
        }
    }

    /// Whether every new node may carry this taint for a while and lose it by itself; a node
    /// that is not initialised yet is judged as if it were gone already.
    pub fn is_ephemeral(&self) -> bool {
        use TaintEffect::{NoExecute, NoSchedule};
        let known = [
            (keys::NOT_READY, "", NoSchedule),
            (keys::NOT_READY, "", NoExecute),
            (keys::UNREACHABLE, "", NoSchedule),
            (keys::CLOUD_PROVIDER_UNINITIALIZED, "true", NoSchedule),
            (keys::UNREGISTERED, "", NoExecute),
        ];
        let own = (self.key.as_str(), self.value.as_str(), self.effect);
        known.contains(&own) || own.0.starts_with(READINESS_PREFIX)
    }
}

/// Taints of the Node Readiness Controller begin so; it removes each when its check passes.
const READINESS_PREFIX: &str = "readiness.k8s.io/";

/// `key=value:effect`, as `kubectl taint` takes it.
impl fmt::Display for Taint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equals = if self.value.as_str().is_empty() {
            ""
        } else {
            "="
        };
        write!(f, "{}{equals}{}:{}", self.key, self.value, self.effect)
    }
}

/// How a toleration compares its value with a taint's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TolerationOperator {
    /// The values are the same.
    Equal,
    /// Any value.
    Exists,
    /// The taint's value is the smaller integer.
    Lt,
    /// The taint's value is the greater integer.
    Gt,
}

impl TolerationOperator {
    /// The operator of that name in Kubernetes; no name means `Equal`.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "" | "Equal" => Some(Self::Equal),
            "Exists" => Some(Self::Exists),
            "Lt" => Some(Self::Lt),
            "Gt" => Some(Self::Gt),
            _ => None,
        }
    }
}

/// A pod's leave to run in spite of taints.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Toleration {
    /// The key of the taint; none means any.
    pub key: Option<LabelKey>,
    /// How values are compared.
    pub operator: TolerationOperator,
    /// The value; empty with `Exists`.
    pub value: LabelValue,
    /// The effect; none means any.
    pub effect: Option<TaintEffect>,
    /// How long a `NoExecute` taint is endured; none means forever.
    pub seconds: Option<i64>,
}

impl Toleration {
    /// The toleration of everything.
    pub fn of_everything() -> Self {
        let operator = TolerationOperator::Exists;
        Self {
            key: None,
            operator,
            value: "".into(),
            effect: None,
            seconds: None,
        }
    }

    /// Whether this toleration covers a taint (Kubernetes documentation, "Taints and
    /// Tolerations"). A toleration without a key covers any key, and only with `Exists`.
    pub fn tolerates(&self, taint: &Taint) -> bool {
        use TolerationOperator::{Equal, Exists, Gt, Lt};
        let effect_matches = self.effect.is_none_or(|effect| effect == taint.effect);
        let key_matches = match &self.key {
            Some(key) => *key == taint.key,
            None => self.operator == Exists,
        };
        let value_matches = || match self.operator {
            Equal => self.value == taint.value,
            Exists => true,
            Lt => self.compares(taint, i64::lt),
            Gt => self.compares(taint, i64::gt),
        };
        effect_matches && key_matches && value_matches()
    }

    fn compares(&self, taint: &Taint, holds: impl Fn(&i64, &i64) -> bool) -> bool {
        match (
            plain_integer(taint.value.as_str()),
            plain_integer(self.value.as_str()),
        ) {
            (Some(theirs), Some(ours)) => holds(&theirs, &ours),
            (Some(_) | None, Some(_) | None) => false,
        }
    }
}

/// Kubernetes compares only integers without a plus sign and without leading zeros.
fn plain_integer(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

/// Whether one of the tolerations covers the taint.
pub fn tolerates(tolerations: &[Toleration], taint: &Taint) -> bool {
    tolerations
        .iter()
        .any(|toleration| toleration.tolerates(taint))
}

/// Whether a pod may be placed in spite of these taints; if not, the first that forbids it.
///
/// `PreferNoSchedule` forbids nothing: the scheduler places the pod there when nothing better is
/// free. To honour that preference too, ask [`tolerates_all_preferred`].
pub fn tolerates_all<'a>(tolerations: &[Toleration], taints: &'a [Taint]) -> Result<(), &'a Taint> {
    let binding = taints.iter().filter(|taint| taint.effect.is_binding());
    first_untolerated(tolerations, binding)
}

/// Like [`tolerates_all`], with `PreferNoSchedule` forbidding as much as `NoSchedule`: a new node
/// is bought for pods that want to be there, until the preference has been given up.
pub fn tolerates_all_preferred<'a>(
    tolerations: &[Toleration],
    taints: &'a [Taint],
) -> Result<(), &'a Taint> {
    first_untolerated(tolerations, taints.iter())
}

fn first_untolerated<'a>(
    tolerations: &[Toleration],
    mut taints: impl Iterator<Item = &'a Taint>,
) -> Result<(), &'a Taint> {
    taints
        .find(|taint| !tolerates(tolerations, taint))
        .map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;
    use TaintEffect::{NoExecute, NoSchedule, PreferNoSchedule};
    use TolerationOperator::{Equal, Exists, Gt, Lt};

    fn toleration(
        key: Option<&str>,
        operator: TolerationOperator,
        value: &str,
        effect: Option<TaintEffect>,
    ) -> Toleration {
        Toleration {
            key: key.map(LabelKey::from),
            operator,
            value: value.into(),
            effect,
            seconds: None,
        }
    }

    #[test]
    fn a_toleration_covers_key_value_and_effect() {
        let taint = Taint::new("team", "a", NoSchedule);
        let cases = [
            (toleration(Some("team"), Equal, "a", Some(NoSchedule)), true),
            (toleration(Some("team"), Equal, "a", None), true),
            (toleration(Some("team"), Equal, "b", None), false),
            (toleration(Some("team"), Equal, "a", Some(NoExecute)), false),
            (toleration(Some("other"), Equal, "a", None), false),
            (toleration(Some("team"), Exists, "", None), true),
            (toleration(Some("other"), Exists, "", None), false),
            (toleration(None, Exists, "", Some(NoSchedule)), true),
            (toleration(None, Exists, "", Some(PreferNoSchedule)), false),
            (toleration(None, Equal, "a", None), false),
            (Toleration::of_everything(), true),
        ];
        for (toleration, expected) in cases {
            assert_eq!(toleration.tolerates(&taint), expected, "{toleration:?}");
        }
    }

    #[test]
    fn numeric_operators_compare_the_taints_value_with_the_tolerations() {
        let cases = [
            ("950", Gt, "900", true),
            ("900", Gt, "900", false),
            ("899", Gt, "900", false),
            ("899", Lt, "900", true),
            ("900", Lt, "900", false),
            ("-1", Lt, "0", true),
            ("abc", Gt, "0", false),
            ("", Lt, "5", false),
            ("0950", Gt, "900", false),
            ("950", Gt, "+900", false),
            ("950", Gt, "0900", false),
            ("95.5", Gt, "90", false),
        ];
        for (taint, operator, value, expected) in cases {
            let taint = Taint::new("sla", taint, NoSchedule);
            let toleration = toleration(Some("sla"), operator, value, None);
            assert_eq!(
                toleration.tolerates(&taint),
                expected,
                "{taint} {operator:?} {value}"
            );
        }
    }

    #[test]
    fn the_first_binding_taint_without_toleration_is_named() {
        let taints = [
            Taint::new("a", "", NoSchedule),
            Taint::new("b", "", PreferNoSchedule),
            Taint::new("c", "1", NoExecute),
        ];
        let a = toleration(Some("a"), Exists, "", None);
        let c = toleration(Some("c"), Equal, "1", None);
        assert_eq!(tolerates_all(&[], &taints), Err(&taints[0]));
        assert_eq!(
            tolerates_all(std::slice::from_ref(&a), &taints),
            Err(&taints[2])
        );
        let both = [a, c];
        assert_eq!(tolerates_all(&both, &taints), Ok(()));
        assert_eq!(tolerates_all_preferred(&both, &taints), Err(&taints[1]));
        assert_eq!(
            tolerates_all_preferred(&[Toleration::of_everything()], &taints),
            Ok(())
        );
    }

    #[test]
    fn ephemeral_taints_are_those_a_new_node_loses_by_itself() {
        let cases = [
            (Taint::new(keys::NOT_READY, "", NoSchedule), true),
            (Taint::new(keys::NOT_READY, "", NoExecute), true),
            (Taint::new(keys::NOT_READY, "", PreferNoSchedule), false),
            (Taint::new(keys::UNREACHABLE, "", NoSchedule), true),
            (Taint::new(keys::UNREACHABLE, "", NoExecute), false),
            (
                Taint::new(keys::CLOUD_PROVIDER_UNINITIALIZED, "true", NoSchedule),
                true,
            ),
            (
                Taint::new(keys::CLOUD_PROVIDER_UNINITIALIZED, "", NoSchedule),
                false,
            ),
            (Taint::new(keys::UNREGISTERED, "", NoExecute), true),
            (
                Taint::new("readiness.k8s.io/network", "pending", NoSchedule),
                true,
            ),
            (Taint::new(keys::DISRUPTED, "", NoSchedule), false),
        ];
        for (taint, expected) in cases {
            assert_eq!(taint.is_ephemeral(), expected, "{taint}");
        }
    }

    #[test]
    fn taints_read_as_kubectl_writes_them() {
        assert_eq!(Taint::new("a", "", NoSchedule).to_string(), "a:NoSchedule");
        assert_eq!(Taint::new("a", "1", NoExecute).to_string(), "a=1:NoExecute");
        for effect in [NoSchedule, PreferNoSchedule, NoExecute] {
            assert_eq!(TaintEffect::parse(effect.as_str()), Some(effect));
        }
        assert_eq!(TaintEffect::parse("noschedule"), None);
        for (text, operator) in [
            ("", Equal),
            ("Equal", Equal),
            ("Exists", Exists),
            ("Lt", Lt),
            ("Gt", Gt),
        ] {
            assert_eq!(TolerationOperator::parse(text), Some(operator));
        }
        assert_eq!(TolerationOperator::parse("In"), None);
    }
}
