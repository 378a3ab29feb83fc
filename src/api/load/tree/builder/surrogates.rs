//! JSON writes a character beyond U+FFFF as two escapes, `\ud83d\ude00`, where YAML has one,
//! `\U0001f600`. It is the one thing in JSON that YAML does not contain.

use std::borrow::Cow;

/// The length of one escape, and of the two that make a pair.
const ESCAPE: usize = r"\ud83d".len();
const PAIR: usize = 2 * ESCAPE;

/// The text with each pair of escapes joined if the text is JSON, and for each character of the
/// result the byte at which it began, followed by the length of the text.
pub fn joined(text: &str) -> (Cow<'_, str>, Vec<usize>) {
    let is_json = text.trim_start().starts_with(['{', '[']);
    if !is_json || !text.contains(r"\u") {
        let bytes = text.char_indices().map(|(byte, _)| byte);
        return (Cow::Borrowed(text), bytes.chain([text.len()]).collect());
    }
    let mut result = String::new();
    let mut bytes = Vec::new();
    let mut rest = text.char_indices();
    while let Some((byte, character)) = rest.next() {
        let pair = text
            .as_bytes()
            .get(byte..byte + PAIR)
            .and_then(character_of);
        let (written, skipped) = match pair {
            Some(joined) => (format!("\\U{:08x}", u32::from(joined)), PAIR - 1),
            // The escaped character may itself be a backslash, which then escapes nothing.
            None if character == '\\' => match text[byte + 1..].chars().next() {
                Some(next) if next.is_ascii() => (text[byte..byte + 2].to_owned(), 1),
                Some(_) | None => (character.to_string(), 0),
            },
            None => (character.to_string(), 0),
        };
        for (index, _) in written.chars().enumerate() {
            bytes.push(byte + index);
        }
        result.push_str(&written);
        if skipped > 0 {
            rest.nth(skipped - 1);
        }
    }
    bytes.push(text.len());
    (Cow::Owned(result), bytes)
}

/// The character that a pair of escapes stands for.
fn character_of(pair: &[u8]) -> Option<char> {
    let (high, low) = pair.split_at(ESCAPE);
    let units = [code_unit(high)?, code_unit(low)?];
    let is_pair = (0xd800..0xdc00).contains(&units[0]) && (0xdc00..0xe000).contains(&units[1]);
    let decoded = char::decode_utf16(units).next()?;
    decoded.ok().filter(|_| is_pair)
}

fn code_unit(escape: &[u8]) -> Option<u16> {
    let digits = escape.strip_prefix(br"\u")?;
    let digits = std::str::from_utf8(digits).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let (result, bytes) = joined(text);
        assert_eq!(result, expected);
        assert_eq!(bytes.len(), result.chars().count() + 1);
        let last = result.chars().last().expect("the cases are not empty");
        assert_eq!(text[bytes[bytes.len() - 2]..].chars().next(), Some(last));
    }

    #[test]
    fn pairs_are_joined_in_json_only() {
        check(r#"{"a": "\ud83d\ude00é"}"#, r#"{"a": "\U0001f600é"}"#);
        check(r#"{"a": "\\ud83d\ude00"}"#, r#"{"a": "\\ud83d\ude00"}"#);
        check(r#"{"a": "\ud83d x"}"#, r#"{"a": "\ud83d x"}"#);
        check(r"a: '\ud83d\ude00'", r"a: '\ud83d\ude00'");
    }
}
