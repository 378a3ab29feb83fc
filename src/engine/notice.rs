//! What people should know: Kubernetes events, log lines and the report are written from these.

use std::fmt;
use std::sync::Arc;

/// One thing worth telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it is about.
    pub object: ObjectRef,
    /// What was done or found.
    pub kind: NoticeKind,
    /// The reason, as an event's `reason`: one word in CamelCase.
    pub reason: Arc<str>,
    /// One sentence.
    pub message: String,
}

/// An object by kind and name; of pods the name is `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// The kind.
    pub kind: &'static str,
    /// The name.
    pub name: Arc<str>,
}

/// What was done or found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeKind {
    /// A plan gave a pod a place.
    Nominated,
    /// A plan found no place for a pod.
    Unplaced,
    /// A claim was decided on.
    ClaimCreated,
    /// A fleet call was decided on.
    LaunchRequested,
    /// An offering is left out for a while.
    SoldOut,
    /// A machine was bought.
    Launched,
    /// A node joined.
    Registered,
    /// A node can be used.
    Initialized,
    /// A node goes.
    Disrupted,
    /// The cloud has said something of a machine.
    Announced,
    /// A node was not disrupted.
    Kept,
    /// A pod was asked to leave.
    Evicted,
    /// A machine was given back.
    Terminated,
    /// A claim was given up: too slow, or nothing to buy.
    GivenUp,
    /// Something without an owner was removed.
    Swept,
    /// A command was dropped, because what it rests on has changed.
    Outdated,
    /// Something happened that should not.
    Unexpected,
}

impl NoticeKind {
    /// The name, for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nominated => "Nominated",
            Self::Unplaced => "Unplaced",
            Self::ClaimCreated => "ClaimCreated",
            Self::LaunchRequested => "LaunchRequested",
            Self::SoldOut => "SoldOut",
            Self::Launched => "Launched",
            Self::Registered => "Registered",
            Self::Initialized => "Initialized",
            Self::Disrupted => "Disrupted",
            Self::Announced => "Announced",
            Self::Kept => "Kept",
            Self::Evicted => "Evicted",
            Self::Terminated => "Terminated",
            Self::GivenUp => "GivenUp",
            Self::Swept => "Swept",
            Self::Outdated => "Outdated",
            Self::Unexpected => "Unexpected",
        }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.name)
    }
}
