//! The scopes of a route, which may have variables of its path: `orders:{id}`.

use watchword_kernel::scope::{PlainScopes, ResourceScopes, ScopeError, ScopeGrammar, SlotScopes};

use crate::template::{Template, is_name};

/// Checks a scope that a route requires: it must be a scope of the grammar whatever its variables stand for, and these
/// must be variables of the path that stand for one segment.
///
/// # Errors
/// One sentence that says what is wrong.
pub fn check_scope(scope: &str, grammar: ScopeGrammar, template: Option<&Template>) -> Result<(), String> {
    let mut filled = String::with_capacity(scope.len());
    let mut remaining = scope;
    while let Some((before, after)) = remaining.split_once('{') {
        let Some((name, after)) = after.split_once('}').filter(|_| !before.contains('}')) else {
            return Err(unbalanced(scope));
        };
        if !is_name(name) {
            return Err(format!("{scope:?} has {{{name}}}, which is not the name of a variable of the path"));
        }
        if let Some(template) = template {
            if template.rest() == Some(name) {
                return Err(format!(
                    "{scope:?} has {{{name}}}, which stands for several segments of the path: a scope can have variables \
                     for one segment only"
                ));
            }
            if !template.variables().any(|known| known == name) {
                return Err(format!(
                    "{scope:?} has {{{name}}}, but the path {:?} has no such variable",
                    template.as_str()
                ));
            }
        }
        filled.push_str(before);
        filled.push_str("value");
        remaining = after;
    }
    if remaining.contains('}') {
        return Err(unbalanced(scope));
    }
    filled.push_str(remaining);
    let Err(error) = reads(grammar, &filled) else { return Ok(()) };
    let ScopeError::Syntax { must, .. } = error else { return Err(error.to_string()) };
    let others: Vec<String> = ScopeGrammar::ALL
        .into_iter()
        .filter(|other| reads(*other, &filled).is_ok())
        .map(|other| format!("{:?}", other.name()))
        .collect();
    let hint = match others.as_slice() {
        [] => "no grammar reads it".to_owned(),
        _ => format!("scope_grammar = {} reads it", others.join(" or ")),
    };
    Err(format!("{scope:?} is not a scope of the grammar {:?}: {must}; {hint}", grammar.name()))
}

fn unbalanced(scope: &str) -> String {
    format!(
        "{scope:?} has a brace without its other half: braces are for variables of the path, as in \"orders:{{id}}\""
    )
}

fn reads(grammar: ScopeGrammar, scope: &str) -> Result<(), ScopeError> {
    match grammar {
        ScopeGrammar::Plain => PlainScopes::new([scope]).map(drop),
        ScopeGrammar::Resource => ResourceScopes::new([scope]).map(drop),
        ScopeGrammar::Slot => SlotScopes::new([scope]).map(drop),
    }
}
