//! Problems as text: one thing a line, `KIND NAME` and then words `key=value` or flags.
//!
//! ```text
//! now 600                      the instant, in seconds; also `ignore-preferences`, `work 100`
//! type m.large cpu=2 memory=8Gi on-demand=0.10 spot=0.03 zones=a,b label=K=V reserved.cpu=100m
//! pool general weight=5 limit.cpu=8 taint=K=V:EFFECT startup-taint=… label=K=V require=K:OP:V,V
//!              min=K:2 unusable=TEXT after=30s budget=N;REASON,REASON;CRON;DURATION
//! node n1 pool=general type=m.large zone=a capacity-type=spot since=0 …
//! claim c1 pool=general types=m.large,m.xlarge require=…
//! pod web cpu=1 memory=1Gi count=3 select=K=V affinity=K:OP:V;K:OP:V prefer=WEIGHT:K:OP:V
//!         tolerate=K or tolerate=K=V:EFFECT on=NODE or nominated=NODE
//!         unsupported=PATH or overlooked=PATH, for fields that bind or that are a preference
//! daemonset logs cpu=100m …as a pod
//! sold-out spot m.large a until=700
//! ```
//!
//! A `#` begins a comment. `zone`, `type` and the like stand for the long names of labels. Any
//! other key with a number is an amount of that resource.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tidewright::cluster::{NodeId, NodeSource, NodeState, Snapshot};
use tidewright::model::catalog::{
    CapacityType, Catalog, InstanceType, Offering, OfferingKey, Overhead, SoldOut,
};
use tidewright::model::claim::{ClaimPhase, ClaimSpec, Machine, NodeClaim};
use tidewright::model::id::{ClaimName, PodKey, PoolName};
use tidewright::model::labels::{LabelKey, LabelValue, keys};
use tidewright::model::node::{Node, NodeReady};
use tidewright::model::node_class::NodeClassRef;
use tidewright::model::pod::{
    DaemonSet, DoNotDisrupt, FieldWeight, Owner, Placement, Pod, PodPhase, Requests, Scheduling,
    UnsupportedField,
};
use tidewright::model::pool::{
    Budget, BudgetNodes, ClaimTemplate, ConsolidationPolicy, Disruption, Limits, NodePool,
    PoolUsable,
};
use tidewright::model::price::{Price, rank_prices};
use tidewright::model::quantity::Quantity;
use tidewright::model::reason::DisruptionReason;
use tidewright::model::requirement::{Operator, Requirement, Requirements, ValueSet};
use tidewright::model::resources::{ResourceName, Resources};
use tidewright::model::schedule::{Schedule, Window};
use tidewright::model::taint::{Taint, TaintEffect, Toleration, TolerationOperator};
use tidewright::model::time::{Timestamp, parse_duration};
use tidewright::model::topology::Weighted;
use tidewright::planner::disruption::DisruptionInput;
use tidewright::planner::{Options, PlanInput, PreferencePolicy};

/// A problem.
#[derive(Clone, Debug)]
pub struct Problem {
    now: Timestamp,
    options: Options,
    types: Vec<Arc<InstanceType>>,
    pools: BTreeMap<PoolName, Arc<NodePool>>,
    nodes: BTreeMap<NodeId, NodeState>,
    pending: Vec<Arc<Pod>>,
    daemon_sets: BTreeMap<PodKey, Arc<DaemonSet>>,
    sold_out: SoldOut,
}

type Fault = String;

/// The words after kind and name: `key=value`, or a flag with an empty value.
struct Words<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Words<'a> {
    fn all(&self, key: &str) -> impl Iterator<Item = &'a str> {
        let found: Vec<&str> = self
            .0
            .iter()
            .filter(|(k, _)| *k == key)
            .map(|(_, v)| *v)
            .collect();
        found.into_iter()
    }

    fn get(&self, key: &str) -> Option<&'a str> {
        self.all(key).next()
    }

    fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn must(&self, key: &str) -> Result<&'a str, Fault> {
        self.get(key).ok_or_else(|| format!("{key}= is missing"))
    }

    /// The words that are amounts, with a prefix cut off.
    fn amounts(&self, prefix: &str) -> Result<Vec<(ResourceName, i64)>, Fault> {
        let with_prefix = self.0.iter().filter_map(|(key, value)| {
            let name = key.strip_prefix(prefix)?;
            let known = ["cpu", "memory", "pods", "nodes", "ephemeral-storage"].contains(&name);
            (known || name.ends_with("/gpu")).then_some((name, *value))
        });
        with_prefix
            .map(|(name, value)| {
                let name = ResourceName::from(name);
                let quantity = Quantity::parse(value).map_err(|fault| fault.to_string())?;
                let amount = name
                    .requested(quantity)
                    .map_err(|fault| fault.to_string())?;
                Ok((name, amount))
            })
            .collect()
    }

    fn resources(&self, prefix: &str) -> Result<Resources, Fault> {
        let amounts = self.amounts(prefix)?.into_iter();
        Ok(amounts.fold(Resources::ZERO, |all, (name, amount)| {
            all.with(&name, amount)
        }))
    }

    fn requirements(&self, key: &str) -> Result<Requirements, Fault> {
        self.all(key).map(requirement).collect()
    }

    fn labels(&self) -> Result<BTreeMap<LabelKey, LabelValue>, Fault> {
        self.all("label").map(label).collect()
    }

    fn taints(&self, key: &str) -> Result<Vec<Taint>, Fault> {
        self.all(key).map(taint).collect()
    }
}

fn key(short: &str) -> &str {
    match short {
        "zone" => keys::ZONE,
        "capacity-type" => keys::CAPACITY_TYPE,
        "type" => keys::INSTANCE_TYPE,
        "family" => keys::INSTANCE_FAMILY,
        "arch" => keys::ARCH,
        "hostname" => keys::HOSTNAME,
        "pool" => keys::NODE_POOL,
        long => long,
    }
}

fn label(text: &str) -> Result<(LabelKey, LabelValue), Fault> {
    let (name, value) = text
        .split_once('=')
        .ok_or(format!("{text}: a label is K=V"))?;
    Ok((key(name).into(), value.into()))
}

fn requirement(text: &str) -> Result<Requirement, Fault> {
    let mut parts = text.splitn(3, ':');
    let name = parts.next().ok_or("a requirement needs a key")?;
    let operator = parts.next().and_then(Operator::parse);
    let operator = operator.ok_or(format!("{text}: a requirement is K:OP:V,V"))?;
    let values = parts.next().into_iter().flat_map(|it| it.split(','));
    Requirement::new(key(name), operator, values).map_err(|fault| fault.to_string())
}

fn requirements(text: &str) -> Result<Requirements, Fault> {
    text.split(';').map(requirement).collect()
}

fn taint(text: &str) -> Result<Taint, Fault> {
    let (rest, effect) = text
        .split_once(':')
        .ok_or(format!("{text}: a taint has an effect"))?;
    let effect = TaintEffect::parse(effect).ok_or(format!("{text}: unknown effect"))?;
    let (name, value) = rest.split_once('=').unwrap_or((rest, ""));
    Ok(Taint::new(name, value, effect))
}

fn toleration(text: &str) -> Result<Toleration, Fault> {
    let exists = Toleration {
        key: Some(text.into()),
        ..Toleration::of_everything()
    };
    if text == "everything" {
        return Ok(Toleration::of_everything());
    }
    if !text.contains(':') {
        return Ok(exists);
    }
    let taint = taint(text)?;
    Ok(Toleration {
        key: Some(taint.key),
        operator: TolerationOperator::Equal,
        value: taint.value,
        effect: Some(taint.effect),
        seconds: None,
    })
}

fn seconds(text: &str) -> Result<Timestamp, Fault> {
    let seconds: i64 = text
        .parse()
        .map_err(|_| format!("{text}: seconds are an integer"))?;
    Ok(Timestamp::from_seconds(seconds))
}

fn duration(text: &str) -> Result<Duration, Fault> {
    parse_duration(text).map_err(|fault| fault.to_string())
}

fn class() -> NodeClassRef {
    NodeClassRef {
        group: "karpenter.k8s.aws".into(),
        kind: "EC2NodeClass".into(),
        name: "default".into(),
    }
}

impl Problem {
    /// Reads a problem.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let mut problem = Self {
            now: Timestamp::from_seconds(0),
            options: Options {
                preferences: PreferencePolicy::Respect,
                evaluations_max: 1_000_000,
            },
            types: Vec::new(),
            pools: BTreeMap::new(),
            nodes: BTreeMap::new(),
            pending: Vec::new(),
            daemon_sets: BTreeMap::new(),
            sold_out: SoldOut::new(),
        };
        for line in text.lines() {
            let line = line.split('#').next().unwrap_or_default();
            problem
                .read(line)
                .map_err(|fault| format!("{line}: {fault}"))?;
        }
        problem.rank();
        Ok(problem)
    }

    fn read(&mut self, line: &str) -> Result<(), Fault> {
        let mut words = line.split_whitespace();
        let Some(kind) = words.next() else {
            return Ok(());
        };
        let name = words.next().unwrap_or_default();
        let words = words.map(|word| word.split_once('=').unwrap_or((word, "")));
        let words = Words(words.collect());
        match kind {
            "now" => self.now = seconds(name)?,
            "ignore-preferences" => self.options.preferences = PreferencePolicy::Ignore,
            "work" => {
                self.options.evaluations_max = name.parse().map_err(|_| "work is a number")?;
            }
            "type" => self.types.push(Arc::new(instance_type(name, &words)?)),
            "pool" => drop(
                self.pools
                    .insert(name.into(), Arc::new(pool(name, &words)?)),
            ),
            "node" => self.add_node(name, &words)?,
            "claim" => self.add_claim(name, &words)?,
            "pod" => self.add_pods(name, &words)?,
            "daemonset" => {
                let set = DaemonSet {
                    key: PodKey::new("system", name),
                    uid: name.into(),
                    scheduling: scheduling(&words)?,
                };
                self.daemon_sets.insert(set.key.clone(), Arc::new(set));
            }
            "sold-out" => {
                let [(instance_type, _), (zone, _)] = words.0[..2] else {
                    return Err("sold-out CAPACITY-TYPE TYPE ZONE until=SECONDS".into());
                };
                let offering = OfferingKey {
                    capacity_type: CapacityType::parse(name).ok_or("no such capacity type")?,
                    instance_type: instance_type.into(),
                    zone: zone.into(),
                };
                self.sold_out
                    .insert(offering, seconds(words.must("until")?)?);
            }
            _ => return Err(format!("unknown kind {kind}")),
        }
        Ok(())
    }

    /// Ranks all offerings by price.
    fn rank(&mut self) {
        let offerings = self.types.iter().flat_map(|it| &it.offerings);
        let prices: Vec<String> = offerings.map(|it| it.price.to_string()).collect();
        let prices: Vec<&str> = prices.iter().map(String::as_str).collect();
        let mut ranks = rank_prices(&prices).expect("prices as written").into_iter();
        for it in &mut self.types {
            for offering in &mut Arc::make_mut(it).offerings {
                offering.rank = ranks.next().expect("one rank a price");
            }
        }
    }

    fn add_node(&mut self, name: &str, words: &Words<'_>) -> Result<(), Fault> {
        let pool = words.get("pool").unwrap_or("unmanaged");
        let kind = words.must("type")?;
        let it = self.types.iter().find(|it| it.name.as_str() == kind);
        let it = it.ok_or(format!("type {kind} comes first"))?.clone();
        let capacity_type = words.get("capacity-type").unwrap_or("on-demand");
        let machine = machine(name, &it, words.get("zone").unwrap_or("a"), capacity_type);
        let initialized = !words.has("uninitialized");
        let mut labels = machine.labels.clone();
        labels.extend(words.labels()?);
        let flags = [
            (keys::HOSTNAME, name),
            (keys::NODE_POOL, pool),
            (keys::REGISTERED, "true"),
            (
                keys::INITIALIZED,
                if initialized { "true" } else { "false" },
            ),
        ];
        labels.extend(flags.map(|(key, value)| (key.into(), value.into())));
        let since = seconds(words.get("since").unwrap_or("0"))?;
        let node = Arc::new(Node {
            name: name.into(),
            uid: name.into(),
            provider_id: Some(name.into()),
            created: since,
            deleting: None,
            held: true,
            labels,
            taints: words.taints("taint")?,
            capacity: machine.capacity.clone(),
            allocatable: machine.allocatable.clone(),
            ready: if words.has("not-ready") {
                NodeReady::NotReady { since }
            } else {
                NodeReady::Ready
            },
            do_not_disrupt: words.has("protected"),
        });
        if words.has("unmanaged") {
            return self.add_state(name, NodeSource::Unmanaged(node), words);
        }
        let phase = if initialized {
            ClaimPhase::Initialized {
                machine,
                node: name.into(),
                at: since,
            }
        } else {
            ClaimPhase::Registered {
                machine,
                node: name.into(),
                at: since,
            }
        };
        let claim = claim(name, pool, phase, words)?;
        self.add_state(name, NodeSource::Managed(Arc::new(claim), node), words)
    }

    fn add_claim(&mut self, name: &str, words: &Words<'_>) -> Result<(), Fault> {
        let pool = words.must("pool")?;
        let mut claim = claim(name, pool, ClaimPhase::Pending, words)?;
        let types = words.must("types")?.split(',');
        claim
            .spec
            .requirements
            .add(Requirement::one_of(keys::INSTANCE_TYPE, types));
        self.add_state(name, NodeSource::InFlight(Arc::new(claim)), words)
    }

    fn add_state(
        &mut self,
        name: &str,
        source: NodeSource,
        words: &Words<'_>,
    ) -> Result<(), Fault> {
        let id = match &source {
            NodeSource::Unmanaged(node) => NodeId::Node(node.name.clone()),
            NodeSource::InFlight(_) | NodeSource::Managed(..) => NodeId::Claim(name.into()),
        };
        let state = NodeState {
            source,
            pods: BTreeMap::new(),
            nominated: BTreeMap::new(),
            going: words.has("going"),
            generation: 7,
        };
        match self.nodes.insert(id, state) {
            None => Ok(()),
            Some(_) => Err(format!("{name} occurs twice")),
        }
    }

    fn add_pods(&mut self, name: &str, words: &Words<'_>) -> Result<(), Fault> {
        let Some(count) = words.get("count") else {
            return self.add_pod(name, words);
        };
        let count: u32 = count.parse().map_err(|_| "count is a number")?;
        (1..=count).try_for_each(|number| self.add_pod(&format!("{name}-{number}"), words))
    }

    fn add_pod(&mut self, name: &str, words: &Words<'_>) -> Result<(), Fault> {
        let pod = Arc::new(pod(name, words)?);
        let node = match (words.get("on"), words.get("nominated")) {
            (None, None) => {
                self.pending.push(pod);
                return Ok(());
            }
            (Some(node), _) | (None, Some(node)) => node,
        };
        let ids = [NodeId::Claim(node.into()), NodeId::Node(node.into())];
        let known = ids.into_iter().find(|id| self.nodes.contains_key(id));
        let known = known.ok_or(format!("node {node} comes first"))?;
        let state = self.nodes.get_mut(&known).expect("the node is known");
        let pods = if words.has("on") {
            &mut state.pods
        } else {
            &mut state.nominated
        };
        pods.insert(pod.key.clone(), pod);
        Ok(())
    }

    fn catalog(&self) -> Arc<Catalog> {
        let mut catalog = Catalog::new();
        for pool in self.pools.keys() {
            catalog.set(pool.clone(), self.types.clone());
        }
        Arc::new(catalog)
    }

    fn snapshot(&self) -> Snapshot {
        let nodes = self.nodes.iter();
        let nodes = nodes.map(|(id, state)| (id.clone(), Arc::new(state.clone())));
        let unbound = self
            .pending
            .iter()
            .map(|pod| (pod.key.clone(), pod.clone()));
        Snapshot {
            pools: Arc::new(self.pools.clone()),
            daemon_sets: Arc::new(self.daemon_sets.clone()),
            nodes: Arc::new(nodes.collect()),
            unbound: Arc::new(unbound.collect()),
        }
    }

    /// The question where its pods go.
    pub fn plan_input(&self) -> PlanInput {
        PlanInput {
            snapshot: self.snapshot(),
            pending: self.pending.clone(),
            catalog: self.catalog(),
            sold_out: self.sold_out.clone(),
            now: self.now,
            options: self.options.clone(),
        }
    }

    /// The question which of its nodes go.
    pub fn disruption_input(&self) -> DisruptionInput {
        DisruptionInput {
            snapshot: self.snapshot(),
            catalog: self.catalog(),
            now: self.now,
        }
    }
}

fn instance_type(name: &str, words: &Words<'_>) -> Result<InstanceType, Fault> {
    let zones: Vec<&str> = words.get("zones").unwrap_or("a").split(',').collect();
    let family = name.split_once('.').map_or(name, |(family, _)| family);
    let mut labels = Requirements::from_labels(&words.labels()?);
    labels.extend([
        Requirement::one_of(keys::INSTANCE_TYPE, [name]),
        Requirement::one_of(keys::INSTANCE_FAMILY, [family]),
        Requirement::one_of(keys::ZONE, zones.iter().copied()),
    ]);
    if labels.get(keys::ARCH).is_none() {
        labels.add(Requirement::one_of(keys::ARCH, ["amd64"]));
    }
    let mut offerings = Vec::new();
    for capacity_type in CapacityType::ALL {
        for price in words.all(capacity_type.as_str()) {
            let price = Price::parse_decimal(price).map_err(|fault| fault.to_string())?;
            let sold = zones.iter();
            offerings
                .extend(sold.map(|zone| Offering::new((*zone).into(), capacity_type, price, 0)));
        }
    }
    let capacity_types = offerings.iter().map(|it| it.capacity_type.as_str());
    let capacity_types: BTreeSet<&str> = capacity_types.collect();
    labels.add(Requirement::one_of(keys::CAPACITY_TYPE, capacity_types));
    let mut capacity = words.resources("")?;
    if !words.has("pods") {
        capacity.set(&ResourceName::PODS, 30);
    }
    Ok(InstanceType {
        name: name.into(),
        requirements: labels,
        capacity,
        overhead: Overhead {
            kube_reserved: words.resources("reserved.")?,
            ..Overhead::default()
        },
        offerings,
    })
}

fn machine(name: &str, it: &InstanceType, zone: &str, capacity_type: &str) -> Machine {
    let mut labels = it.requirements.clone();
    labels.extend([
        Requirement::one_of(keys::ZONE, [zone]),
        Requirement::one_of(keys::CAPACITY_TYPE, [capacity_type]),
    ]);
    Machine {
        provider_id: name.into(),
        instance_type: it.name.clone(),
        zone: zone.into(),
        capacity_type: CapacityType::parse(capacity_type).expect("a capacity type"),
        labels: labels.labels(),
        capacity: it.capacity.clone(),
        allocatable: it.allocatable(),
    }
}

fn claim(name: &str, pool: &str, phase: ClaimPhase, words: &Words<'_>) -> Result<NodeClaim, Fault> {
    let mut labels = words.labels()?;
    labels.insert(keys::NODE_POOL.into(), pool.into());
    let event = words.get("pod-event").map(seconds).transpose()?;
    Ok(NodeClaim {
        name: ClaimName::from(name),
        uid: format!("uid-of-{name}").into(),
        created: Timestamp::from_seconds(0),
        deleting: words.has("deleting").then_some(Timestamp::from_seconds(0)),
        held: true,
        spec: ClaimSpec {
            pool: pool.into(),
            node_class: class(),
            requirements: words.requirements("require")?,
            requests: Resources::ZERO,
            taints: words.taints("taint")?,
            startup_taints: words.taints("startup-taint")?,
            labels,
            annotations: BTreeMap::new(),
            expire_after: None,
            termination_grace: None,
        },
        launch_group: None,
        phase,
        last_pod_event: event,
    })
}

fn pool(name: &str, words: &Words<'_>) -> Result<NodePool, Fault> {
    let mut asked = words.requirements("require")?;
    for least in words.all("min") {
        let (name, count) = least.split_once(':').ok_or("min is K:COUNT")?;
        let mut requirement = Requirement::of(key(name), ValueSet::ANY);
        requirement.min_values = Some(count.parse().map_err(|_| "min is K:COUNT")?);
        asked.add(requirement);
    }
    let after = words.get("after").unwrap_or("0s");
    Ok(NodePool {
        name: name.into(),
        uid: name.into(),
        deleting: words.has("deleting").then_some(Timestamp::from_seconds(0)),
        usable: match words.get("unusable") {
            Some(because) => PoolUsable::No {
                because: because.replace('_', " ").into(),
            },
            None => PoolUsable::Yes,
        },
        weight: words
            .get("weight")
            .map_or(Ok(0), str::parse)
            .map_err(|_| "weight is a number")?,
        template: ClaimTemplate {
            node_class: class(),
            labels: words.labels()?,
            annotations: BTreeMap::new(),
            requirements: asked,
            taints: words.taints("taint")?,
            startup_taints: words.taints("startup-taint")?,
            expire_after: None,
            termination_grace: None,
        },
        limits: Limits::new(words.amounts("limit.")?),
        disruption: Disruption {
            policy: ConsolidationPolicy::WhenEmpty,
            consolidate_after: (after != "Never").then(|| duration(after)).transpose()?,
            budgets: words.all("budget").map(budget).collect::<Result<_, _>>()?,
        },
        hash: "1".into(),
    })
}

/// `NODES;REASONS;CRON;DURATION`, of which the later parts may be left out; the fields of the
/// schedule are separated by underscores.
fn budget(text: &str) -> Result<Budget, Fault> {
    let parts: Vec<&str> = text.split(';').collect();
    let number = |text: &str| text.parse().map_err(|_| format!("{text}: no number"));
    let nodes = match parts[0].strip_suffix('%') {
        Some(percent) => BudgetNodes::Percent(percent.parse().map_err(|_| "no percentage")?),
        None => BudgetNodes::Count(number(parts[0])?),
    };
    let reasons = parts.get(1).filter(|it| !it.is_empty());
    let reasons = reasons.map(|it| it.split(',').filter_map(DisruptionReason::parse).collect());
    let window = match parts.get(2..4) {
        Some([cron, span]) => Some(Window {
            schedule: Schedule::parse(&cron.replace('_', " "), chrono_tz::UTC)
                .map_err(|fault| fault.to_string())?,
            duration: duration(span)?,
        }),
        Some(_) | None => None,
    };
    Ok(Budget {
        nodes,
        reasons,
        window,
    })
}

fn scheduling(words: &Words<'_>) -> Result<Scheduling, Fault> {
    let selector: BTreeMap<LabelKey, LabelValue> =
        words.all("select").map(label).collect::<Result<_, _>>()?;
    let preferred = words.all("prefer").map(|wish| {
        let (weight, term) = wish.split_once(':').ok_or("prefer=WEIGHT:K:OP:V")?;
        Ok(Weighted {
            weight: weight.parse().map_err(|_| "a weight is a number")?,
            term: requirements(term)?,
        })
    });
    let fields = [
        ("unsupported", FieldWeight::Binding),
        ("overlooked", FieldWeight::Preference),
    ];
    let unsupported = fields.into_iter().flat_map(|(word, weight)| {
        let path = |path: &str| path.into();
        words.all(word).map(move |text| UnsupportedField {
            path: path(text),
            weight,
        })
    });
    Ok(Scheduling {
        requests: Requests(words.resources("")?.with(&ResourceName::PODS, 1)),
        node_selector: Requirements::from_labels(&selector),
        node_affinity: words
            .all("affinity")
            .map(requirements)
            .collect::<Result<_, _>>()?,
        node_affinity_preferred: preferred.collect::<Result<_, Fault>>()?,
        tolerations: words
            .all("tolerate")
            .map(toleration)
            .collect::<Result<_, _>>()?,
        unsupported: unsupported.collect(),
        ..Scheduling::default()
    })
}

fn pod(name: &str, words: &Words<'_>) -> Result<Pod, Fault> {
    let owner = words.get("owner").map(|kind| Owner {
        api_version: if kind == "Node" { "v1" } else { "apps/v1" }.into(),
        kind: kind.into(),
        name: "owner".into(),
        uid: "owner".into(),
    });
    let placement = match words.get("on") {
        Some(node) => Placement::Bound(node.into()),
        None => Placement::Unschedulable,
    };
    let protection = match words.get("protected") {
        None => DoNotDisrupt::No,
        Some("") => DoNotDisrupt::Always,
        Some(span) => DoNotDisrupt::For(duration(span)?),
    };
    Ok(Pod {
        key: PodKey::new("default", name),
        uid: format!("uid-of-{name}").into(),
        created: seconds(words.get("created").unwrap_or("0"))?,
        owner,
        labels: BTreeMap::new(),
        scheduling: scheduling(words)?,
        phase: match placement {
            Placement::Bound(_) => PodPhase::Running,
            Placement::Unscheduled | Placement::Unschedulable | Placement::Nominated(_) => {
                PodPhase::Pending
            }
        },
        started: matches!(placement, Placement::Bound(_)).then_some(Timestamp::from_seconds(0)),
        placement,
        deleting: words.has("deleting").then_some(Timestamp::from_seconds(0)),
        termination_grace: Duration::from_secs(30),
        do_not_disrupt: protection,
        critical: false,
        deletion_cost: 0,
    })
}
