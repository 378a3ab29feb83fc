//! From arguments and files to a pool and a class.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use tidewright::api::convert::{self, Converted};
use tidewright::api::load::{Diagnostic, PolicySet, Severity, Source, load_policies, read};
use tidewright::api::nodeclass::EC2NodeClass;
use tidewright::api::nodepool::NodePool as PoolObject;
use tidewright::model::node_class::NodeClass;
use tidewright::model::pool::{NodePool, PoolUsable};

use super::listing::Scope;
use crate::scenario::{Refused, diagnostic, nearest_of, serverless};

/// What a user asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// A file or folder of policies.
    pub policies: Option<PathBuf>,
    /// The name of one of their pools.
    pub node_pool: Option<String>,
    /// A file with the node class that is meant instead of the pool's own.
    pub node_class_file: Option<PathBuf>,
    /// The class alone, and what cannot be bought as well.
    pub all: bool,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// What is listed.
    pub scope: Scope,
    /// The class that decides the sizes.
    pub class: NodeClass,
    /// Warnings and notices.
    pub remarks: Vec<Diagnostic>,
    /// The texts that they are about.
    pub sources: Vec<Source>,
}

/// Reads the files and finds the pool and the class that are meant. Without policies it is the
/// pool that `run` uses, unless a class by itself is asked for.
pub fn find(asked: &Asked) -> Result<Found, Refused> {
    let mut finder = Finder::default();
    let own_class = match &asked.node_class_file {
        Some(file) => Some(finder.class_file(file)?),
        None => None,
    };
    let pool_is_asked_for = asked.policies.is_some() || asked.node_pool.is_some();
    if let Some(class) = &own_class
        && !pool_is_asked_for
    {
        let class = finder.converted(class);
        return Ok(finder.found(scope(asked, None), class));
    }
    let set = finder.policies(asked)?;
    if asked.all
        && asked.node_pool.is_none()
        && let Some(class) = own_class.as_ref().or_else(|| only(&set.node_classes))
    {
        let class = finder.converted(class);
        return Ok(finder.found(Scope::Everything, class));
    }
    let pool = finder.pool(&set, asked.node_pool.as_deref())?;
    let class = match &own_class {
        Some(class) => finder.converted(class),
        None => finder.class_of(&set, &pool),
    };
    let scope = scope(asked, Some(pool));
    Ok(finder.found(scope, class))
}

fn scope(asked: &Asked, pool: Option<NodePool>) -> Scope {
    match pool {
        Some(_) | None if asked.all => Scope::Everything,
        Some(pool) => Scope::Pool(Box::new(pool)),
        None => Scope::Class,
    }
}

/// The one value of a map that holds no more.
fn only<T>(objects: &BTreeMap<String, T>) -> Option<&T> {
    let mut values = objects.values();
    values.next().filter(|_| values.next().is_none())
}

#[derive(Default)]
struct Finder {
    sources: Vec<Source>,
    remarks: Vec<Diagnostic>,
}

impl Finder {
    fn found(self, scope: Scope, class: NodeClass) -> Found {
        Found {
            scope,
            class,
            remarks: self.remarks,
            sources: self.sources,
        }
    }

    /// The one class of a file.
    fn class_file(&mut self, path: &Path) -> Result<EC2NodeClass, Refused> {
        let sources = self.read(path)?;
        let set = self.load(&sources)?;
        if let Some(class) = only(&set.node_classes) {
            return Ok(class.clone());
        }
        let names: Vec<&str> = set.node_classes.keys().map(String::as_str).collect();
        let rule = match names.as_slice() {
            [] => "The file holds no EC2NodeClass.".to_owned(),
            names => format!("The file holds several EC2NodeClasses: {}.", listed(names)),
        };
        let fix = "Name a file with exactly one.";
        Err(self.refuse(vec![diagnostic(&path.display().to_string(), rule, fix)]))
    }

    fn policies(&mut self, asked: &Asked) -> Result<PolicySet, Refused> {
        let sources = match &asked.policies {
            Some(path) => self.read(path)?,
            None => vec![serverless()],
        };
        let before = self.remarks.len();
        let set = self.load(&sources)?;
        if asked.node_class_file.is_some() {
            // The class of the file takes the place of the one that was not found.
            let mut of_policies = self.remarks.split_off(before);
            of_policies.retain(|it| !it.path.to_string().ends_with("nodeClassRef.name"));
            self.remarks.extend(of_policies);
        }
        Ok(set)
    }

    /// The pool of that name, or the only one.
    fn pool(&mut self, set: &PolicySet, name: Option<&str>) -> Result<NodePool, Refused> {
        let found = match name {
            Some(name) => set.node_pools.get(name),
            None => only(&set.node_pools),
        };
        let Some(object) = found else {
            let names: Vec<&str> = set.node_pools.keys().map(String::as_str).collect();
            return Err(self.refuse(vec![unknown(name, &names)]));
        };
        let Converted { value, .. } = convert::node_pool(object);
        self.remarks.extend(unused(object, &value));
        Ok(value)
    }

    /// The class that a pool names; one that is not there has no settings, as the loader says.
    fn class_of(&mut self, set: &PolicySet, pool: &NodePool) -> NodeClass {
        let reference = &pool.template.node_class;
        let named = set.node_classes.get(&*reference.name);
        let converted = named.map(|object| self.converted(object));
        converted
            .filter(|class| class.reference == *reference)
            .unwrap_or_else(|| NodeClass::with_defaults(reference.clone()))
    }

    /// Every zone counts as one with a subnet: which there are is known in the account only.
    fn converted(&mut self, object: &EC2NodeClass) -> NodeClass {
        let Converted { value, problems } = convert::ec2_node_class(object);
        let name = format!("EC2NodeClass {}", value.reference.name);
        self.remarks.extend(problems.iter().map(|problem| {
            let rule = format!("{problem}; it counts as not written.");
            let fix = "Write what the sizes of nodes can be computed from.";
            warning(&name, rule, fix)
        }));
        NodeClass {
            zones: BTreeSet::new(),
            ..value
        }
    }

    fn read(&self, path: &Path) -> Result<Vec<Source>, Refused> {
        read(&[path.to_owned()], &mut io::stdin()).map_err(|found| self.refuse(found))
    }

    fn load(&mut self, sources: &[Source]) -> Result<PolicySet, Refused> {
        self.sources.extend(sources.iter().cloned());
        let accepted = load_policies(sources).map_err(|found| self.refuse(found))?;
        self.remarks.extend(accepted.remarks);
        Ok(accepted.value)
    }

    fn refuse(&self, diagnostics: Vec<Diagnostic>) -> Refused {
        Refused {
            diagnostics,
            sources: self.sources.clone(),
        }
    }
}

/// A pool that nothing is bought for is listed all the same: what it would buy is the question.
fn unused(object: &PoolObject, pool: &NodePool) -> Option<Diagnostic> {
    let PoolUsable::No { because } = &pool.usable else {
        return None;
    };
    let name = object.metadata.name.as_deref().unwrap_or_default();
    let rule = format!("Nothing is bought for this pool at present: {because}.");
    let fix = "The list says what it could buy otherwise.";
    Some(warning(&format!("NodePool {name}"), rule, fix))
}

fn warning(about: &str, rule: String, fix: &str) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        ..diagnostic(about, rule, fix)
    }
}

fn unknown(name: Option<&str>, known: &[&str]) -> Diagnostic {
    let there = match known {
        [] => "the policies hold none".to_owned(),
        known => format!("there are {}", listed(known)),
    };
    let (rule, meant) = match name {
        Some(name) => (
            format!("There is no NodePool `{name}`; {there}."),
            nearest_of(name, known.iter().copied()),
        ),
        None => (format!("One NodePool must be meant; {there}."), None),
    };
    let fix = match (meant, known) {
        (Some(meant), _) => format!("Did you mean `{meant}`?"),
        (None, []) => "Add a NodePool, or name a class with --nodeclass-file.".to_owned(),
        (None, _) => "Name one of them with --nodepool.".to_owned(),
    };
    diagnostic("--nodepool", rule, &fix)
}

fn listed(names: &[&str]) -> String {
    names.join(", ")
}
