//! Names and ids. Each has a type of its own, because two texts change places without a sound.

use std::fmt;

use super::text::shared_text;

shared_text! {
    /// The name of a NodePool.
    PoolName
}

shared_text! {
    /// The name of a NodeClaim.
    ClaimName
}

shared_text! {
    /// The name of a Node.
    NodeName
}

shared_text! {
    /// The uid that the API server gave an object: another object of the same name has another.
    Uid
}

shared_text! {
    /// The id of a machine as Kubernetes writes it: `aws:///use2-az1/i-0123456789abcdef0`.
    ProviderId
}

shared_text! {
    /// The name of an instance type, such as `m6a.xlarge`.
    TypeName
}

shared_text! {
    /// A zone by name, such as `us-east-2a`.
    ZoneName
}

shared_text! {
    /// The claims that one fleet call buys for: a hash of their sorted uids. It is an annotation
    /// of the claims and a tag of their machines.
    LaunchGroup
}

shared_text! {
    /// What makes a repeated fleet call recognisable (EC2 documentation, "Ensuring idempotency"):
    /// the same token with the same request buys once.
    LaunchToken
}

/// A pod by namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodKey {
    /// The namespace.
    pub namespace: std::sync::Arc<str>,
    /// The name within it.
    pub name: std::sync::Arc<str>,
}

impl PodKey {
    /// A key.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

/// `namespace/name`.
impl fmt::Display for PodKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// A hash that is the same on every machine and in every version: 64-bit FNV-1a over the parts,
/// each followed by a byte that cannot occur in a name. It names groups and is no protection.
pub fn stable_hash<'a>(parts: impl IntoIterator<Item = &'a str>) -> u64 {
    const OFFSET_BASIS: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let bytes = parts
        .into_iter()
        .flat_map(|part| part.bytes().chain(std::iter::once(0)));
    bytes.fold(OFFSET_BASIS, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    })
}

impl LaunchGroup {
    /// The group of these claims, whatever their order.
    pub fn of<'a>(claims: impl IntoIterator<Item = &'a Uid>) -> Self {
        let mut uids: Vec<&str> = claims.into_iter().map(Uid::as_str).collect();
        uids.sort_unstable();
        format!("{:016x}", stable_hash(uids)).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_launch_group_depends_on_its_members_and_not_on_their_order() {
        let (a, b) = (Uid::from("a"), Uid::from("b"));
        assert_eq!(LaunchGroup::of([&a, &b]), LaunchGroup::of([&b, &a]));
        assert_ne!(LaunchGroup::of([&a, &b]), LaunchGroup::of([&a]));
        assert_ne!(
            LaunchGroup::of([&Uid::from("ab")]),
            LaunchGroup::of([&a, &b])
        );
        // The published test vector of FNV-1a for "a", followed by the separating zero byte.
        assert_eq!(stable_hash([]), 0xcbf2_9ce4_8422_2325);
        assert_eq!(
            stable_hash(["a"]),
            0xaf63_dc4c_8601_ec8c_u64.wrapping_mul(0x0000_0100_0000_01b3)
        );
    }
}
