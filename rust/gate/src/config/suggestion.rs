//! The name that was probably meant.

/// The known name that differs from `name` by the fewest letters, if these are few.
pub(super) fn closest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    let most = (name.chars().count() / 2).clamp(1, 3);
    let distances = known.into_iter().map(|other| (distance(&name, &other.to_ascii_lowercase()), other));
    distances.filter(|(distance, _)| *distance <= most).min_by_key(|(distance, _)| *distance).map(|(_, other)| other)
}

/// How many letters must be inserted, removed or replaced to make one of the other.
fn distance(one: &str, another: &str) -> usize {
    // Names of settings are short; what is longer is none of them.
    let another: Vec<char> = another.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=another.len()).collect();
    for (above, ch) in one.chars().take(64).enumerate() {
        let mut diagonal = above;
        let mut left = above.saturating_add(1);
        let mut next = vec![left];
        for (other, up) in another.iter().zip(row.iter().skip(1)) {
            let replaced = diagonal.saturating_add(usize::from(ch != *other));
            left = replaced.min(up.saturating_add(1)).min(left.saturating_add(1));
            next.push(left);
            diagonal = *up;
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_that_was_meant() {
        let known = ["scopes", "scope_grammar", "methods", "max_age", "max_depth"];
        for (name, expected) in [
            ("scope", Some("scopes")),
            ("Scopes", Some("scopes")),
            ("max-age", Some("max_age")),
            ("method", Some("methods")),
            ("scopegrammar", Some("scope_grammar")),
            ("timeout", None),
            ("", None),
        ] {
            assert_eq!(closest(name, known), expected, "{name}");
        }
        assert_eq!(distance("kitten", "sitting"), 3);
    }
}
