//! What the rules need to know of a Rust file, read from its tokens.
//!
//! Tokens rather than text, so that comments and strings cannot confuse a rule; tokens rather than
//! a syntax tree, because a path inside a macro call is as much a dependency as one outside.

use std::iter::Peekable;
use std::str::FromStr;

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The facts of one file.
#[derive(Debug, Default)]
pub struct Source {
    pub names: Vec<Name>,
    pub modules: Vec<ModuleLine>,
    pub attributes: Vec<Attribute>,
    pub macros: Vec<MacroCall>,
    /// First and last line of each item under `#[cfg(test)]`.
    pub test_spans: Vec<(usize, usize)>,
}

/// A path as written, with the groups of `use` lines multiplied out: `use a::{b, c::d};` gives
/// `a::b` and `a::c::d`. A glob ends in `*`. A lone identifier is a path of one segment.
#[derive(Debug, PartialEq, Eq)]
pub struct Name {
    pub segments: Vec<String>,
    pub line: usize,
    /// How many inline modules surround it, which is what `super` counts from.
    pub inline_modules: Vec<String>,
    pub in_test: bool,
}

/// A declaration `mod name;`.
#[derive(Debug, PartialEq, Eq)]
pub struct ModuleLine {
    pub name: String,
    pub line: usize,
    pub inline_modules: Vec<String>,
    pub in_test: bool,
    /// The attributes in front of it, as token text without spaces.
    pub attributes: Vec<String>,
}

/// The inside of `#[…]` or `#![…]`, as token text without spaces.
#[derive(Debug, PartialEq, Eq)]
pub struct Attribute {
    pub text: String,
    pub line: usize,
}

/// `name!` of a macro call.
#[derive(Debug, PartialEq, Eq)]
pub struct MacroCall {
    pub name: String,
    pub line: usize,
    pub in_test: bool,
}

impl Source {
    /// Reads the facts from the text of a file that compiles.
    pub fn parse(text: &str) -> Self {
        let tokens = TokenStream::from_str(text).expect("a file that compiles consists of tokens");
        let mut source = Self::default();
        source.walk(tokens, &Place::default());
        source
    }

    /// How many lines are not under `#[cfg(test)]`.
    pub fn lines_without_tests(&self, text: &str) -> usize {
        let tests: usize = self
            .test_spans
            .iter()
            .map(|(first, last)| last - first + 1)
            .sum();
        text.lines().count() - tests
    }

    fn walk(&mut self, tokens: TokenStream, place: &Place) {
        let mut rest = tokens.into_iter().peekable();
        let mut item = Item::default();
        while let Some(token) = rest.next() {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    self.attribute(&mut rest, &mut item, place);
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => {
                    self.end_item(&item, line_of(&TokenTree::Punct(punct)), place);
                    item = Item::default();
                }
                TokenTree::Group(group) => {
                    self.walk(group.stream(), &place.within_item(&item));
                    if group.delimiter() == Delimiter::Brace {
                        self.end_item(&item, group.span_close().end().line, place);
                        item = Item::default();
                    }
                }
                TokenTree::Ident(ident) if ident == "mod" && names_module(&mut rest) => {
                    self.module(&mut rest, &mut item, place);
                }
                TokenTree::Ident(ident) if ident == "pub" => skip_visibility(&mut rest),
                TokenTree::Ident(ident) => {
                    let line = ident.span().start().line;
                    let place = &place.within_item(&item);
                    self.name(vec![ident.to_string()], line, &mut rest, place);
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }

    fn attribute(&mut self, rest: &mut Peekable<IntoIter>, item: &mut Item, place: &Place) {
        if matches!(rest.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == '!') {
            rest.next();
        }
        let Some(TokenTree::Group(group)) = rest.next_if(|next| is_group(next, Delimiter::Bracket))
        else {
            return;
        };
        let line = group.span_open().start().line;
        let text: String = group.stream().to_string().split_whitespace().collect();
        item.first_line.get_or_insert(line);
        item.is_test |= text == "cfg(test)";
        item.attributes.push(text.clone());
        self.attributes.push(Attribute { text, line });
        self.walk(group.stream(), place);
    }

    fn end_item(&mut self, item: &Item, last_line: usize, place: &Place) {
        if let Some(first_line) = item.first_line
            && item.is_test
            && !place.in_test
        {
            self.test_spans.push((first_line, last_line));
        }
    }

    /// `mod name;` is recorded; the inside of `mod name { … }` is walked.
    fn module(&mut self, rest: &mut Peekable<IntoIter>, item: &mut Item, place: &Place) {
        let name = rest.next().expect("peeked by the caller");
        let mut inside = place.within_item(item);
        if let Some(TokenTree::Group(group)) = rest.peek() {
            inside.inline_modules.push(name.to_string());
            let last_line = group.span_close().end().line;
            self.walk(group.stream(), &inside);
            self.end_item(&std::mem::take(item), last_line, place);
            rest.next();
        } else {
            self.modules.push(ModuleLine {
                name: name.to_string(),
                line: line_of(&name),
                inline_modules: inside.inline_modules,
                in_test: inside.in_test,
                attributes: item.attributes.clone(),
            });
        }
    }

    /// Follows a path from its first segment to its end, through the groups of a `use` line.
    fn name(
        &mut self,
        mut segments: Vec<String>,
        line: usize,
        rest: &mut Peekable<IntoIter>,
        place: &Place,
    ) {
        while next_is_path_separator(rest) {
            match rest.peek() {
                Some(TokenTree::Ident(ident)) => {
                    segments.push(ident.to_string());
                    rest.next();
                }
                Some(TokenTree::Punct(star)) if star.as_char() == '*' => {
                    segments.push("*".to_owned());
                    rest.next();
                }
                Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                    let branches = group.stream();
                    rest.next();
                    return self.branches(&segments, branches, place);
                }
                // The turbofish `path::<T>`: its arguments are walked as tokens of their own.
                _ => break,
            }
        }
        if segments.len() > 1 && segments[0] == "use" {
            // `use ::std::fs` names std, not a module called use.
            segments.remove(0);
        }
        if let Some(name) = segments.last()
            && is_macro_call(rest)
        {
            self.macros.push(MacroCall {
                name: name.clone(),
                line,
                in_test: place.in_test,
            });
        }
        let Place {
            inline_modules,
            in_test,
        } = place.clone();
        self.names.push(Name {
            segments,
            line,
            inline_modules,
            in_test,
        });
    }

    fn branches(&mut self, prefix: &[String], branches: TokenStream, place: &Place) {
        let mut rest = branches.into_iter().peekable();
        while let Some(token) = rest.next() {
            let segment = match &token {
                TokenTree::Ident(ident) if ident == "as" => {
                    rest.next();
                    continue;
                }
                TokenTree::Ident(ident) if ident == "self" => None,
                TokenTree::Ident(ident) => Some(ident.to_string()),
                TokenTree::Punct(punct) if punct.as_char() == '*' => Some("*".to_owned()),
                TokenTree::Punct(_) | TokenTree::Group(_) | TokenTree::Literal(_) => continue,
            };
            let segments = prefix.iter().cloned().chain(segment).collect();
            self.name(segments, line_of(&token), &mut rest, place);
        }
    }
}

/// Where the walk is.
#[derive(Clone, Default)]
struct Place {
    inline_modules: Vec<String>,
    in_test: bool,
}

impl Place {
    fn within_item(&self, item: &Item) -> Self {
        Self {
            in_test: self.in_test || item.is_test,
            ..self.clone()
        }
    }
}

/// What the walk has seen of the item it is in.
#[derive(Default)]
struct Item {
    attributes: Vec<String>,
    first_line: Option<usize>,
    is_test: bool,
}

fn line_of(token: &TokenTree) -> usize {
    token.span().start().line
}

fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}

fn names_module(rest: &mut Peekable<IntoIter>) -> bool {
    matches!(rest.peek(), Some(TokenTree::Ident(_)))
}

/// `pub(crate)` and `pub(in crate::planner)` say who may see an item, not what it depends on.
fn skip_visibility(rest: &mut Peekable<IntoIter>) {
    rest.next_if(|next| is_group(next, Delimiter::Parenthesis));
}

/// Whether an exclamation mark and a group follow, which tells `a!(b)` from `a != b`.
fn is_macro_call(rest: &Peekable<IntoIter>) -> bool {
    let mut ahead = rest.clone();
    let mark = ahead.next();
    matches!(mark, Some(TokenTree::Punct(punct)) if punct.as_char() == '!')
        && matches!(ahead.next(), Some(TokenTree::Group(_)))
}

/// Consumes `::` if it is next. A single colon (a type follows) is consumed as well, which no
/// rule misses.
fn next_is_path_separator(rest: &mut Peekable<IntoIter>) -> bool {
    let is_colon = |next: &TokenTree| matches!(next, TokenTree::Punct(p) if p.as_char() == ':');
    rest.next_if(is_colon).is_some() && rest.next_if(is_colon).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        Source::parse(text)
            .names
            .iter()
            .map(|name| name.segments.join("::"))
            .collect()
    }

    #[test]
    fn paths_are_found_wherever_they_stand() {
        let table: &[(&str, &[&str])] = &[
            (
                "use a::{b, c::{d, self}, e as f, g::*};",
                &["use", "a::b", "a::c::d", "a::c", "a::e", "a::g::*"],
            ),
            (
                "let x: a::B = vec![c::d(e::f)];",
                &["let", "x", "a::B", "vec", "c::d", "e::f"],
            ),
            (
                "use ::a::b; #[derive(c::D)] struct E;",
                &["a::b", "derive", "c::D", "struct", "E"],
            ),
            ("// a::b\n/* c::d */ \"e::f\"", &[]),
            ("/// a::b\nstruct S;", &["doc", "struct", "S"]),
            (
                "pub(crate) const X: a::Y = z::<b::C>();",
                &["const", "X", "a::Y", "z", "b::C"],
            ),
        ];
        for (text, expected) in table {
            assert_eq!(&names(text), expected, "{text}");
        }
    }

    #[test]
    fn tests_are_told_from_the_rest() {
        let text = "use a;\n#[cfg(test)]\nmod tests {\n    use super::b;\n}\nfn f() {}\n";
        let source = Source::parse(text);
        assert_eq!(source.test_spans, [(2, 5)]);
        assert_eq!(source.lines_without_tests(text), 2);
        let tested: Vec<_> = source.names.iter().filter(|name| name.in_test).collect();
        assert_eq!(tested.last().unwrap().segments, ["super", "b"]);
        assert_eq!(tested.last().unwrap().inline_modules, ["tests"]);
        assert!(!source.names.last().unwrap().in_test);
    }

    #[test]
    fn module_lines_carry_their_attributes() {
        let source =
            Source::parse("#[deny(clippy::a, clippy::b)]\npub mod one;\nmod two { mod three; }");
        assert_eq!(source.modules[0].name, "one");
        assert_eq!(source.modules[0].attributes, ["deny(clippy::a,clippy::b)"]);
        assert_eq!(source.modules[1].name, "three");
        assert_eq!(source.modules[1].inline_modules, ["two"]);
        assert!(source.modules[1].attributes.is_empty());
    }

    #[test]
    fn macro_calls_and_attributes_are_found() {
        let source = Source::parse("#[must_use]\nfn f() { if !a { b!(c) } }\n");
        assert_eq!(
            source.macros,
            [MacroCall {
                name: "b".into(),
                line: 2,
                in_test: false
            }]
        );
        assert_eq!(
            source.attributes,
            [Attribute {
                text: "must_use".into(),
                line: 1
            }]
        );
    }
}
