//! What a policy expects of a claim, in words, and how a token's value differs from it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::error::Cut;

/// What a policy expects of a member, as the rest of a sentence: `must be "https://as.example"`. Written once, when the
/// policy is made; its values are the operator's own, not the token's.
#[derive(Clone, PartialEq, Eq)]
pub struct Expectation(Arc<str>);

/// A member of the token whose value is not what the policy expects. The value itself is never shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The member's name.
    pub member: Cow<'static, str>,
    /// What the policy expects of it.
    pub expected: Expectation,
    /// How the value differs, if only slightly.
    pub hint: Option<Hint>,
}

/// How a value differs from the one that is expected, if this is the only difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// Only one of the two ends with a slash.
    TrailingSlash,
    /// In the scheme: `https://`, `http://` or none.
    Scheme,
    /// In upper and lower case.
    Case,
    /// The tenant is not one that the policy lists.
    UnlistedTenant,
    /// The tenant in `iss` is not the one that the token's own claim names.
    AnotherTenant,
    /// The key that signed the token names another issuer, which it signs for.
    AnotherKey,
}

/// The most values that are written out.
const SHOWN: usize = 4;

/// The most characters of each.
const LONGEST: usize = 256;

impl Expectation {
    pub(crate) fn new(sentence: &str) -> Self {
        Self(sentence.into())
    }

    /// `verb` and the values, any of which is accepted. `other` is one more alternative that is not a value.
    pub(crate) fn any_of<'v>(verb: &str, values: impl IntoIterator<Item = &'v str>, other: Option<&str>) -> Self {
        let mut all = values.into_iter().map(|value| Cut { text: value, longest: LONGEST }.to_string());
        let mut shown: Vec<String> = all.by_ref().take(SHOWN).collect();
        match all.count() {
            0 => {}
            1 => shown.push("another".to_owned()),
            more => shown.push(format!("{more} others")),
        }
        shown.extend(other.map(str::to_owned));
        let list = match shown.split_last() {
            Some((last, [])) => last.clone(),
            Some((last, before)) => format!("{} or {last}", before.join(", ")),
            None => String::new(),
        };
        Self(format!("{verb} {list}").into())
    }

    /// The mismatch of a value that is not as expected.
    pub(crate) fn missed_by(&self, member: impl Into<Cow<'static, str>>, hint: Option<Hint>) -> Mismatch {
        Mismatch { member: member.into(), expected: self.clone(), hint }
    }
}

impl Hint {
    /// How `found` differs from `expected`, if the difference is easily overlooked.
    pub(crate) fn between(found: &str, expected: &str) -> Option<Self> {
        let without_slash = |text| str::strip_suffix(text, "/");
        if without_slash(found) == Some(expected) || without_slash(expected) == Some(found) {
            Some(Self::TrailingSlash)
        } else if without_scheme(found) == without_scheme(expected) {
            Some(Self::Scheme)
        } else if found.eq_ignore_ascii_case(expected) {
            Some(Self::Case)
        } else {
            None
        }
    }
}

fn without_scheme(text: &str) -> &str {
    text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or(text)
}

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" {}", self.member, self.expected)?;
        f.write_str(match self.hint {
            None => "",
            Some(Hint::TrailingSlash) => "; the token's differs only by a slash at the end",
            Some(Hint::Scheme) => "; the token's differs only in its scheme (https://, http:// or none)",
            Some(Hint::Case) => "; the token's differs only in upper and lower case",
            Some(Hint::UnlistedTenant) => "; the token's names a tenant that the policy does not list",
            Some(Hint::AnotherTenant) => "; the token's names another tenant than the token's own claim",
            Some(Hint::AnotherKey) => "; the key that signed the token signs for another issuer",
        })
    }
}
