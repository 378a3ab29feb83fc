//! Diagnostics for people: with the lines they are about.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::diagnostic::{Diagnostic, Severity};
use super::source::Source;

/// How a text may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// In colours, for a terminal.
    Styled,
    /// Characters only, for a file or a pipe.
    Plain,
}

/// Renders diagnostics in the given order: errors and warnings with an excerpt of their source and
/// ended by an empty line, notices as one line each, because nothing has to be done there.
pub fn render(diagnostics: &[Diagnostic], sources: &[Source], look: Look) -> String {
    let renderer = match look {
        Look::Styled => Renderer::styled().decor_style(DecorStyle::Unicode),
        Look::Plain => Renderer::plain(),
    };
    let mut text = String::new();
    for diagnostic in diagnostics {
        if diagnostic.severity == Severity::Notice {
            text.push_str(&diagnostic.to_string());
            text.push('\n');
            continue;
        }
        let source = sources.iter().find(|source| source.name == diagnostic.file);
        text.push_str(&renderer.render(&[group(diagnostic, source)]));
        text.push_str("\n\n");
    }
    text
}

fn group<'a>(diagnostic: &'a Diagnostic, source: Option<&'a Source>) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Notice => Level::INFO.with_name("notice"),
    };
    let title = match (source, diagnostic.position) {
        (Some(_), Some(_)) => diagnostic.rule.clone(),
        (None, _) | (_, None) => format!("{}: {}", diagnostic.file, diagnostic.rule),
    };
    let mut group = Group::with_title(level.primary_title(title));
    if let (Some(source), Some(position)) = (source, diagnostic.position) {
        let end = position.span.end.max(position.span.start);
        let marked = AnnotationKind::Primary
            .span(position.span.start..end)
            .label(label(diagnostic));
        let snippet = Snippet::source(source.text.as_str())
            .path(source.name.as_str())
            .annotation(marked);
        group = group.element(snippet);
    }
    if let Some(document) = &diagnostic.document {
        group = group.element(Level::NOTE.message(format!("in {document}")));
    }
    group.element(Level::HELP.message(diagnostic.fix.as_str()))
}

fn label(diagnostic: &Diagnostic) -> String {
    let path = diagnostic.path.to_string();
    match &diagnostic.value {
        Some(value) if path.is_empty() => value.clone(),
        Some(value) => format!("{path} is {value}"),
        None => path,
    }
}
