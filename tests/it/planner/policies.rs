//! Each shipped policy with a workload that it is for, planned with the built-in catalogue.
//!
//! `tests/fixtures/plans/NAME.yaml` is the workload of `policies/NAME.yaml`, and
//! `tests/golden/plans/NAME.txt` the plan; `TIDEWRIGHT_BLESS=1` writes the plans anew.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod as PodObject, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use tidewright::api::convert;
use tidewright::api::load::{Manifest, PolicySet, Source, load_manifests, load_policies, read};
use tidewright::cloud::region::Region;
use tidewright::cluster::Snapshot;
use tidewright::model::catalog::{Catalog, SoldOut};
use tidewright::model::id::{PodKey, PoolName, TypeName};
use tidewright::model::node_class::NodeClass;
use tidewright::model::pod::Pod;
use tidewright::model::time::Timestamp;
use tidewright::planner::{Options, Plan, PlanInput, PlannedClaim, PreferencePolicy};

use super::checked;

const SOLD: &str = include_str!("../../../simulator/catalog/us-east-2.json");

/// Types beyond this number are counted, not listed.
const TYPES_SHOWN: usize = 6;

fn path(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(of)
}

fn sources(file: &str) -> Vec<Source> {
    read(&[path(file)], &mut std::io::empty()).expect("the file is in the repository")
}

fn names() -> Vec<String> {
    let files = fs::read_dir(path("policies")).expect("the folder is in the repository");
    let files = files.map(|file| file.expect("a file").path());
    let policies = files.filter(|file| file.extension().is_some_and(|it| it == "yaml"));
    let stem = |file: PathBuf| file.file_stem().expect("a name").display().to_string();
    let mut names: Vec<String> = policies.map(stem).collect();
    names.sort();
    names
}

fn problem(region: &Region, name: &str) -> PlanInput {
    let policies = load_policies(&sources(&format!("policies/{name}.yaml")));
    let policies = policies.expect("shipped policies are good").value;
    let manifests = load_manifests(&sources(&format!("tests/fixtures/plans/{name}.yaml")));
    let manifests = manifests.expect("the workload is good").value;
    let pools = policies.node_pools.values().map(|object| {
        let pool = convert::node_pool(object).value;
        (pool.name.clone(), Arc::new(pool))
    });
    let daemon_sets = manifests.iter().filter_map(|it| match it {
        Manifest::DaemonSet(object) => Some(convert::daemon_set(object)),
        _ => None,
    });
    let daemon_sets = daemon_sets.map(|it| (it.key.clone(), Arc::new(it)));
    PlanInput {
        snapshot: Snapshot {
            pools: Arc::new(pools.collect()),
            daemon_sets: Arc::new(daemon_sets.collect()),
            ..Snapshot::default()
        },
        pending: manifests.iter().flat_map(pods).map(Arc::new).collect(),
        catalog: Arc::new(catalog(region, &policies)),
        sold_out: SoldOut::new(),
        now: Timestamp::from_seconds(0),
        options: Options {
            preferences: PreferencePolicy::Respect,
            evaluations_max: 5_000_000,
        },
    }
}

fn catalog(region: &Region, policies: &PolicySet) -> Catalog {
    let classes: Vec<(PoolName, NodeClass)> = policies
        .node_pools
        .iter()
        .map(|(name, pool)| {
            let class = &pool.spec.template.spec.node_class_ref.name;
            let class = convert::ec2_node_class(&policies.node_classes[class]);
            assert_eq!(class.problems, [], "{name}");
            (name.as_str().into(), class.value)
        })
        .collect();
    region.catalog(classes.iter().map(|(name, class)| (name.clone(), class)))
}

/// The pods that the controllers of the cluster would make of a manifest.
fn pods(manifest: &Manifest) -> Vec<Pod> {
    let (name, template, count) = match manifest {
        Manifest::Pod(pod) => return vec![convert::pod(pod)],
        Manifest::Deployment(it) => {
            let own = it.spec.as_ref().expect("a specification");
            (&it.metadata.name, &own.template, own.replicas)
        }
        Manifest::Job(it) => {
            let own = it.spec.as_ref().expect("a specification");
            (&it.metadata.name, &own.template, own.parallelism)
        }
        Manifest::DaemonSet(_) => return Vec::new(),
        other => panic!("no workload of a plan: {other:?}"),
    };
    let name = name.as_deref().expect("a name");
    let count = count.expect("a count");
    (0..count)
        .map(|number| pod(name, number, template))
        .collect()
}

fn pod(owner: &str, number: i32, template: &PodTemplateSpec) -> Pod {
    let metadata = template.metadata.clone().unwrap_or_default();
    convert::pod(&PodObject {
        metadata: ObjectMeta {
            name: Some(format!("{owner}-{number}")),
            ..metadata
        },
        spec: template.spec.clone(),
        status: None,
    })
}

/// The plan without what a reader of policies does not care for.
fn shown(plan: &Plan) -> String {
    let mut text = String::new();
    for claim in &plan.claims {
        text.push_str(&claim_shown(claim));
    }
    // Pods of one workload are refused for one reason.
    let mut refused: BTreeMap<String, Vec<&PodKey>> = BTreeMap::new();
    for left in &plan.unplaced {
        let reason = format!("{}: {}", left.reason.name(), left.reason);
        refused.entry(reason).or_default().push(&left.pod);
    }
    for (reason, pods) in refused {
        writeln!(text, "refused {}\n  {reason}", counted(pods)).expect("a text can be written");
    }
    text + &format!("cost {} an hour\n", plan.cost_per_hour)
}

fn claim_shown(claim: &PlannedClaim) -> String {
    let types: Vec<&str> = claim.instance_types.iter().map(TypeName::as_str).collect();
    let (first, rest) = types.split_at(types.len().min(TYPES_SHOWN));
    let rest = match rest.len() {
        0 => String::new(),
        count => format!(" and {count} more"),
    };
    format!(
        "{} for {}\n  {} at {} an hour\n  types {}{rest}\n  requests {}\n",
        claim.pool,
        counted(&claim.pods),
        claim.cheapest.offering,
        claim.cheapest.price,
        first.join(" "),
        claim.spec.requests,
    )
}

/// `render 22, join`: the pods by what they were made from.
fn counted<'a>(pods: impl IntoIterator<Item = &'a PodKey>) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for pod in pods {
        let numbered = pod.name.rsplit_once('-');
        let numbered = numbered.filter(|(_, end)| end.bytes().all(|it| it.is_ascii_digit()));
        let owner = numbered.map_or(&*pod.name, |(owner, _)| owner);
        *counts.entry(owner).or_default() += 1;
    }
    let counts = counts.iter().map(|(owner, count)| match count {
        1 => (*owner).to_owned(),
        count => format!("{owner} {count}"),
    });
    let counts: Vec<String> = counts.collect();
    counts.join(", ")
}

#[test]
fn shipped_policies_plan_as_written() {
    let region = Region::from_json(SOLD).expect("the catalogue is a region");
    let names = names();
    assert!(names.len() >= 5, "{names:?}");
    let mut wrong = Vec::new();
    for name in names {
        let plan = shown(&checked(&problem(&region, &name)));
        let golden = path(&format!("tests/golden/plans/{name}.txt"));
        if std::env::var_os("TIDEWRIGHT_BLESS").is_some() {
            fs::write(&golden, &plan).expect("goldens can be written");
        }
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if plan != expected {
            wrong.push(format!(
                "{name}: expected\n{expected}\nand the plan is\n{plan}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
