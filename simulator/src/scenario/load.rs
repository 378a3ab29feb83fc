//! From a name or a path to a scenario that can be run.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tidewright::api::load::{
    Accepted, Diagnostic, Manifest, Severity, Source, load_document, load_manifests, load_policies,
    read,
};
use tidewright::api::rules::FieldPath;
use tidewright::cloud::region::Region;
use tidewright::engine::Settings;
use tidewright::model::catalog::CapacityType;
use tidewright::model::time::Timestamp;
use tidewright::planner::{Options, PreferencePolicy};

use super::cluster::{self, Cluster};
use super::file::{Applied, DeletableKind, Happens, PaidFor, ScenarioFile, SettingsFile};
use super::rules::length;
use super::{Choices, Scenario, embedded, rules, services};
use crate::boot::BootProfile;
use crate::setup::{Happening, Object, ObjectKind, Setup};

/// A Monday morning before working hours: schedules of budgets are closed and will open.
const START: &str = "2026-01-05T08:00:00Z";

/// Karpenter's batch windows.
const BATCH_IDLE: Duration = Duration::from_secs(1);
const BATCH_MAX: Duration = Duration::from_secs(10);

/// Enough for plans of many thousand pods; a plan that takes more is cut short and says so.
const EVALUATIONS_MAX: u64 = 5_000_000;

/// Why a scenario cannot be run, with the texts that the diagnostics are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts.
    pub sources: Vec<Source>,
}

/// A scenario, and what there is to say about its files.
#[derive(Debug)]
pub struct Loaded {
    /// The scenario.
    pub scenario: Scenario,
    /// Warnings and notices.
    pub remarks: Vec<Diagnostic>,
    /// The texts that they are about.
    pub sources: Vec<Source>,
}

/// Reads a scenario by its name or path. `choices` replace what the file says.
pub fn load(scenario: &str, choices: &Choices) -> Result<Loaded, Refused> {
    let mut loader = Loader::default();
    let file = loader.file(scenario)?;
    let setup = loader.setup(&file, choices)?;
    Ok(Loaded {
        scenario: Scenario {
            name: file.name,
            description: file.description,
            setup,
            until: length(&file.until),
            expect: file.expect,
        },
        remarks: loader.remarks,
        sources: loader.sources,
    })
}

/// The settings of an engine that nobody has set anything for.
pub fn usual_settings() -> Settings {
    Settings {
        batch_idle: BATCH_IDLE,
        batch_max: BATCH_MAX,
        plan: Options {
            preferences: PreferencePolicy::Respect,
            evaluations_max: EVALUATIONS_MAX,
        },
    }
}

#[derive(Default)]
struct Loader {
    /// The folder in which paths of the scenario begin; none for an embedded one.
    folder: Option<PathBuf>,
    sources: Vec<Source>,
    remarks: Vec<Diagnostic>,
    /// What is wrong with the files that the scenario names. All of them are read before any of it
    /// is told.
    errors: Vec<Diagnostic>,
}

impl Loader {
    fn file(&mut self, scenario: &str) -> Result<ScenarioFile, Refused> {
        let source = if let Some(source) = embedded::scenario(scenario) {
            source
        } else {
            self.named_file(Path::new(scenario))?
        };
        self.sources.push(source.clone());
        let folder = self.folder.clone().unwrap_or_default();
        let check = |file: &ScenarioFile| {
            let mut violations = rules::check(file);
            violations.extend(rules::check_paths(file, &folder));
            violations
        };
        load_document(&source, check).map_err(|found| self.refuse(found))
    }

    fn named_file(&mut self, path: &Path) -> Result<Source, Refused> {
        if !path.exists() {
            return Err(self.refuse(vec![unknown(&path.display().to_string())]));
        }
        if path.is_dir() {
            let rule = "A scenario is one file, and this is a folder.".to_owned();
            let fix = "Name the scenario's file in it.";
            return Err(self.refuse(vec![diagnostic(&path.display().to_string(), rule, fix)]));
        }
        self.folder = Some(path.parent().unwrap_or(Path::new("")).to_owned());
        let mut texts = self.read(&[path.to_owned()]);
        let errors = std::mem::take(&mut self.errors);
        texts.pop().ok_or_else(|| self.refuse(errors))
    }

    fn setup(&mut self, file: &ScenarioFile, choices: &Choices) -> Result<Setup, Refused> {
        let profile = choices.boot.as_deref().unwrap_or(file.boot_profile.name());
        let boot = BootProfile::named(profile);
        if boot.is_none() {
            self.errors.push(embedded::unknown_profile(profile));
        }
        let region = self.region(file.catalog.as_deref());
        let cluster = self.cluster(file, choices);
        let brings_pools = cluster.has_pools() && file.policies.is_none();
        let mut objects = if brings_pools && choices.policies.is_none() {
            Vec::new()
        } else {
            self.policies(file, choices)
        };
        objects.extend(self.manifests(&file.manifests));
        let until = length(&file.until);
        let mut timeline = services::happenings(&file.services, &file.replicas, until);
        for happens in &file.timeline {
            let at = length(&happens.at);
            timeline.extend(self.happenings(happens).into_iter().map(|it| (at, it)));
        }
        let errors = std::mem::take(&mut self.errors);
        let (Some(boot), Some(region), true) = (boot, region, errors.is_empty()) else {
            return Err(self.refuse(errors));
        };
        let start = file.start.as_deref().map(instant);
        let start = start.or(cluster.newest).unwrap_or_else(|| instant(START));
        Ok(Setup {
            seed: choices.seed.unwrap_or(file.seed),
            start,
            objects,
            cluster: cluster.objects,
            region,
            boot,
            faults: file.faults.clone(),
            sabotage: None,
            settings: settings(&file.settings),
            timeline,
        })
    }

    /// The cluster that the world begins with, if there is one.
    fn cluster(&mut self, file: &ScenarioFile, choices: &Choices) -> Cluster {
        let mut sources = match (&choices.cluster, &file.cluster) {
            (Some(path), _) => self.read(std::slice::from_ref(path)),
            (None, Some(path)) => self.read_named(std::slice::from_ref(path)),
            (None, None) => Vec::new(),
        };
        let Some(source) = sources.pop() else {
            return Cluster::default();
        };
        let read = cluster::read(&source);
        self.sources.push(source);
        match read {
            Ok(mut cluster) => {
                self.remarks.append(&mut cluster.remarks);
                cluster
            }
            Err(found) => {
                self.errors.extend(found);
                Cluster::default()
            }
        }
    }

    fn policies(&mut self, file: &ScenarioFile, choices: &Choices) -> Vec<Object> {
        let sources = match (&choices.policies, &file.policies) {
            (Some(folder), _) => self.read(std::slice::from_ref(folder)),
            (None, Some(paths)) => self.read_named(paths),
            (None, None) => vec![embedded::serverless()],
        };
        self.sources.extend(sources.iter().cloned());
        let Some(set) = self.accepted(load_policies(&sources)) else {
            return Vec::new();
        };
        let classes = set.node_classes.into_values();
        let classes = classes.map(|class| Object::NodeClass(Box::new(class)));
        let pools = set.node_pools.into_values();
        let pools = pools.map(|pool| Object::NodePool(Box::new(pool)));
        classes.chain(pools).collect()
    }

    fn manifests(&mut self, paths: &[String]) -> Vec<Object> {
        if paths.is_empty() {
            return Vec::new();
        }
        let sources = self.read_named(paths);
        self.sources.extend(sources.iter().cloned());
        let manifests = self.accepted(load_manifests(&sources)).unwrap_or_default();
        manifests.into_iter().filter_map(object).collect()
    }

    fn region(&mut self, path: Option<&str>) -> Option<Arc<Region>> {
        let Some(path) = path else {
            return Some(embedded::region());
        };
        let source = self.read_named(&[path.to_owned()]).pop()?;
        match Region::from_json(&source.text) {
            Ok(region) => Some(Arc::new(region)),
            Err(error) => {
                let chain = anyhow::Error::from(error);
                let rule = format!("The catalogue cannot be used: {chain:#}.");
                let fix = "Correct the file, or leave `catalog` out.";
                self.errors.push(diagnostic(&source.name, rule, fix));
                None
            }
        }
    }

    fn happenings(&mut self, happens: &Happens) -> Vec<Happening> {
        let mut all = Vec::new();
        if let Some(capacity) = &happens.capacity {
            all.push(Happening::Capacity {
                capacity_type: capacity.capacity_type.map(paid_for),
                instance_type: capacity.instance_type.clone(),
                zone: capacity.zone.clone(),
                machines: capacity.machines,
            });
        }
        all.extend(cloud(happens));
        if let Some(applied) = &happens.apply {
            let named = self.manifests(&applied.manifests);
            let inline = inline(applied);
            all.extend(named.into_iter().chain(inline).map(Happening::Apply));
        }
        if let Some(scaled) = &happens.scale {
            all.push(Happening::Scale {
                kind: scaled.kind.object(),
                namespace: scaled.namespace.clone(),
                name: scaled.name.clone(),
                replicas: scaled.replicas,
            });
        }
        if let Some(deleted) = &happens.delete {
            let kind = deleted_kind(deleted.kind);
            all.push(Happening::Delete {
                kind,
                namespace: if kind.has_namespace() {
                    deleted.namespace.clone()
                } else {
                    String::new()
                },
                name: deleted.name.clone(),
            });
        }
        if let Some(silence) = &happens.silence {
            all.push(Happening::Silence {
                nodes: silence.nodes,
                span: silence.lasts.as_deref().map(length),
            });
        }
        if happens.crash_controller {
            all.push(Happening::CrashController);
        }
        all
    }

    /// Reads paths that a scenario names: from its own folder on. An embedded one has none.
    fn read_named(&mut self, paths: &[String]) -> Vec<Source> {
        let folder = self.folder.clone().unwrap_or_default();
        let paths: Vec<PathBuf> = paths.iter().map(|path| folder.join(path)).collect();
        self.read(&paths)
    }

    /// The texts; none when one of them cannot be read, which is an error.
    fn read(&mut self, paths: &[PathBuf]) -> Vec<Source> {
        if paths.is_empty() {
            return Vec::new();
        }
        let texts = read(paths, &mut io::stdin());
        texts.unwrap_or_else(|found| {
            self.errors.extend(found);
            Vec::new()
        })
    }

    /// What was loaded; what there is to say about it is kept either way.
    fn accepted<T>(&mut self, loaded: Result<Accepted<T>, Vec<Diagnostic>>) -> Option<T> {
        match loaded {
            Ok(accepted) => {
                self.remarks.extend(accepted.remarks);
                Some(accepted.value)
            }
            Err(found) => {
                self.errors.extend(found);
                None
            }
        }
    }

    fn refuse(&self, diagnostics: Vec<Diagnostic>) -> Refused {
        Refused {
            diagnostics,
            sources: self.sources.clone(),
        }
    }
}

fn unknown(scenario: &str) -> Diagnostic {
    let names = embedded::names().join(", ");
    let rule = format!("There is no scenario and no file of this name; scenarios are {names}.");
    let fix = match embedded::nearest(scenario) {
        Some(meant) => format!("Did you mean `{meant}`?"),
        None => "Name one of them, or a file.".to_owned(),
    };
    diagnostic(scenario, rule, &fix)
}

/// Something to say about a file as a whole.
pub(crate) fn diagnostic(file: &str, rule: String, fix: &str) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        file: file.to_owned(),
        position: None,
        document: None,
        path: FieldPath::ROOT,
        value: None,
        rule,
        fix: fix.to_owned(),
    }
}

fn instant(text: &str) -> Timestamp {
    Timestamp::parse(text).expect("the rules of the file check the instant")
}

fn settings(file: &SettingsFile) -> Settings {
    let usual = usual_settings();
    let or = |text: &Option<String>, usual| text.as_deref().map_or(usual, length);
    Settings {
        batch_idle: or(&file.batch_idle_duration, usual.batch_idle),
        batch_max: or(&file.batch_max_duration, usual.batch_max),
        plan: usual.plan,
    }
}

fn paid_for(paid: PaidFor) -> CapacityType {
    match paid {
        PaidFor::Spot => CapacityType::Spot,
        PaidFor::OnDemand => CapacityType::OnDemand,
    }
}

/// What the cloud does of itself.
fn cloud(happens: &Happens) -> Vec<Happening> {
    let quota = happens.quota.as_ref().map(|quota| Happening::Quota {
        capacity_type: paid_for(quota.capacity_type),
        vcpus: quota.vcpus,
    });
    let outage = happens.zone_outage.as_ref();
    let outage = outage.map(|outage| Happening::ZoneOutage {
        zone: outage.zone.clone(),
        lasts: length(&outage.lasts),
    });
    let interrupt = happens.interrupt.as_ref();
    let interrupt = interrupt.map(|it| Happening::Interrupt(it.setup()));
    let prices = happens.prices.as_ref();
    let prices = prices.map(|it| Happening::Prices(it.setup()));
    [prices, quota, outage, interrupt]
        .into_iter()
        .flatten()
        .collect()
}

fn deleted_kind(kind: DeletableKind) -> ObjectKind {
    match kind {
        DeletableKind::NodePool => ObjectKind::NodePool,
        DeletableKind::NodeClaim => ObjectKind::NodeClaim,
        DeletableKind::NodeClass => ObjectKind::NodeClass,
        DeletableKind::Pod => ObjectKind::Pod,
        DeletableKind::Node => ObjectKind::Node,
        DeletableKind::Deployment => ObjectKind::Deployment,
        DeletableKind::ReplicaSet => ObjectKind::ReplicaSet,
        DeletableKind::DaemonSet => ObjectKind::DaemonSet,
        DeletableKind::StatefulSet => ObjectKind::StatefulSet,
        DeletableKind::Job => ObjectKind::Job,
        DeletableKind::CronJob => ObjectKind::CronJob,
        DeletableKind::PodDisruptionBudget => ObjectKind::PodDisruptionBudget,
        DeletableKind::PriorityClass => ObjectKind::PriorityClass,
    }
}

/// Namespaces are accepted and have no effect: the world's API server takes any.
fn object(manifest: Manifest) -> Option<Object> {
    match manifest {
        Manifest::Pod(object) => Some(Object::Pod(object)),
        Manifest::Node(object) => Some(Object::Node(object)),
        Manifest::Deployment(object) => Some(Object::Deployment(object)),
        Manifest::ReplicaSet(object) => Some(Object::ReplicaSet(object)),
        Manifest::DaemonSet(object) => Some(Object::DaemonSet(object)),
        Manifest::StatefulSet(object) => Some(Object::StatefulSet(object)),
        Manifest::Job(object) => Some(Object::Job(object)),
        Manifest::CronJob(object) => Some(Object::CronJob(object)),
        Manifest::PodDisruptionBudget(object) => Some(Object::PodDisruptionBudget(object)),
        Manifest::PriorityClass(object) => Some(Object::PriorityClass(object)),
        Manifest::Namespace(_) => None,
    }
}

fn inline(applied: &Applied) -> Vec<Object> {
    let Applied {
        node_class,
        node_pool,
        pod,
        deployment,
        replica_set,
        daemon_set,
        stateful_set,
        job,
        cron_job,
        pod_disruption_budget,
        priority_class,
        manifests: _,
    } = applied.clone();
    let objects = [
        node_class.map(|it| Object::NodeClass(Box::new(it.object()))),
        node_pool.map(|it| Object::NodePool(Box::new(it.object()))),
        priority_class.map(Object::PriorityClass),
        pod_disruption_budget.map(Object::PodDisruptionBudget),
        daemon_set.map(Object::DaemonSet),
        pod.map(Object::Pod),
        deployment.map(Object::Deployment),
        replica_set.map(Object::ReplicaSet),
        stateful_set.map(Object::StatefulSet),
        job.map(Object::Job),
        cron_job.map(Object::CronJob),
    ];
    objects.into_iter().flatten().collect()
}
