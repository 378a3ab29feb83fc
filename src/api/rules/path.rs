//! Where in an object something stands.

use std::borrow::Cow;
use std::fmt;

/// One step from an object towards one of its values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Segment {
    /// A member that the schema names, or that a document has in place of one.
    Field(Cow<'static, str>),
    /// An item of a list, counted from zero.
    Index(usize),
    /// An entry of a map whose keys are the user's.
    Key(String),
}

/// The way from the root of an object to one of its values: `spec.limits["cpu"]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FieldPath(Vec<Segment>);

impl FieldPath {
    /// The object itself.
    pub const ROOT: Self = Self(Vec::new());

    /// The member of that name.
    #[must_use]
    pub fn field(&self, name: impl Into<Cow<'static, str>>) -> Self {
        self.with(Segment::Field(name.into()))
    }

    /// The members of these names.
    pub fn fields(&self, names: impl IntoIterator<Item = &'static str>) -> Vec<Self> {
        names.into_iter().map(|name| self.field(name)).collect()
    }

    /// The item at that place.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    /// The entry of that key.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.with(Segment::Key(key.to_owned()))
    }

    /// The steps, from the root.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The way to what lies at `inner` within the value at this path.
    #[must_use]
    pub fn join(&self, inner: &Self) -> Self {
        Self([self.0.as_slice(), &inner.0].concat())
    }

    /// Whether it leads to the value at `outer`, or into it.
    pub fn starts_with(&self, outer: &Self) -> bool {
        self.0.starts_with(&outer.0)
    }

    /// Whether it is the object itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    fn with(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Field(name) if position == 0 => f.write_str(name)?,
                Segment::Field(name) => write!(f, ".{name}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_as_they_are_spoken_of() {
        let spec = FieldPath::ROOT.field("spec");
        let cases = [
            (FieldPath::ROOT, ""),
            (spec.clone(), "spec"),
            (
                spec.field("requirements").index(2).field("values").index(0),
                "spec.requirements[2].values[0]",
            ),
            (spec.field("limits").key("a\"b"), r#"spec.limits["a\"b"]"#),
        ];
        for (path, expected) in cases {
            assert_eq!(path.to_string(), expected);
        }
        assert_eq!(
            spec.index(1).segments(),
            [Segment::Field("spec".into()), Segment::Index(1)]
        );
    }
}
