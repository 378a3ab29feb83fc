//! The disks of a class.

use super::{ABSENT, FieldPath, Violation, out_of_range, too_many};
use crate::api::nodeclass::{BlockDevice, BlockDeviceMapping};

const MAPPINGS_MAX: usize = 50;

/// The greatest size of a volume in each unit it may be written in.
const SIZES_MAX: [(&str, u32); 4] = [("Gi", 59_000), ("Ti", 58), ("G", 64_000), ("T", 64)];

/// The disks of a class.
pub(super) fn check_block_devices(
    path: &FieldPath,
    mappings: &[BlockDeviceMapping],
) -> Vec<Violation> {
    let mut found: Vec<_> = too_many(path, mappings.len(), MAPPINGS_MAX)
        .into_iter()
        .collect();
    let mut has_root = false;
    for (index, mapping) in mappings.iter().enumerate() {
        let path = path.index(index);
        if let Some(ebs) = &mapping.ebs {
            found.extend(check_volume(&path.field("ebs"), ebs));
        }
        if mapping.root_volume && has_root {
            let rule = "At most one disk may be the root volume.";
            let fix = "Remove rootVolume here or from the disk before.";
            found.push(Violation::new(path.field("rootVolume"), true, rule, fix));
        }
        has_root |= mapping.root_volume;
    }
    found
}

fn check_volume(path: &FieldPath, volume: &BlockDevice) -> Vec<Violation> {
    let mut found = Vec::new();
    let snapshot = path.field("snapshotID");
    if volume.snapshot_id.is_none() && volume.volume_size.is_none() {
        let rule = "A volume must have a size, or a snapshot that knows it.";
        let fix = "Add volumeSize or snapshotID.";
        let violation = Violation::new(path.clone(), ABSENT, rule, fix);
        found.push(violation.depends_on([snapshot.clone(), path.field("volumeSize")]));
    }
    if let Some(rate) = volume.volume_initialization_rate {
        let path = path.field("volumeInitializationRate");
        if volume.snapshot_id.as_deref().is_none_or(str::is_empty) {
            let rule = "Only a volume with a snapshot can be initialised.";
            let fix = "Add snapshotID, or remove the rate.";
            found.push(Violation::new(path.clone(), rate, rule, fix).depends_on([snapshot]));
        }
        found.extend(out_of_range(path, rate.into(), 100, 300));
    }
    if let Some(size) = &volume.volume_size {
        found.extend(check_size(path.field("volumeSize"), &size.0));
    }
    found
}

/// A whole number of one of the units EC2 counts volumes in.
fn check_size(path: FieldPath, size: &str) -> Option<Violation> {
    let reads = SIZES_MAX.iter().any(|(unit, max)| {
        let number = size.strip_suffix(unit).unwrap_or_default();
        let is_plain = number.starts_with(|c: char| ('1'..='9').contains(&c));
        is_plain && number.parse().is_ok_and(|count: u32| count <= *max)
    });
    let rule = "A volume must have 1 to 59000 Gi, 64000 G, 58 Ti or 64 T, in whole numbers.";
    (!reads).then(|| Violation::new(path, size, rule, "Write it as 100Gi."))
}
