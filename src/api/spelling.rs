//! Names that somebody got nearly right, and names for a sentence.

/// How many names a message lists.
const NAMES_MAX: usize = 12;

/// The known name that is written most like `name`, if one is close enough to be a slip.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let distance_max = (name.chars().count() / 3).clamp(1, 4);
    known
        .into_iter()
        .map(|known| {
            let distance = strsim::damerau_levenshtein(&wanted, &known.to_lowercase());
            (distance, known)
        })
        .filter(|(distance, _)| *distance <= distance_max)
        .min()
        .map(|(_, known)| known)
}

/// Names for a sentence: `a`, `b` or `c`.
pub fn either<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    let shown = names.iter().take(NAMES_MAX);
    let quoted: Vec<_> = shown.map(|name| format!("`{name}`")).collect();
    if names.len() > NAMES_MAX {
        let left = names.len() - NAMES_MAX;
        return format!("{} or one of {left} more", quoted.join(", "));
    }
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        Some((last, _)) => last.clone(),
        None => "nothing".to_owned(),
    }
}
