//! A route as it is configured.

use watchword_kernel::scope::ScopeGrammar;
use watchword_kernel::{ActorName, Audience, Policy};

use super::scope::check_scope;
use super::section::{Located, Section};
use super::suggestion::closest;
use super::token::{check, values};
use crate::methods::check_method;
use crate::requirement::{AuthenticationRequirement, Requirement};
use crate::template::Template;

/// One of the `[[routes]]`: method, path, and what is required of a request. Plain data: the gate compiles it.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteConfig {
    /// The path template.
    pub path: String,
    /// The methods; `None` for all.
    pub methods: Option<Vec<String>>,
    /// The name; `None`: the path template is the name.
    pub name: Option<String>,
    /// Whether a request needs no token, and none is read.
    pub public: bool,
    /// Whether a request without a token passes as anonymous.
    pub optional: bool,
    /// The issuers, by name, whose tokens are accepted; `None` for all that are configured.
    pub issuers: Option<Vec<String>>,
    /// The audience of the tokens, in place of the issuers' own.
    pub audience: Option<Vec<String>>,
    /// The required scopes, which may have variables of the path.
    pub scopes: Vec<String>,
    /// The grammar of the scopes.
    pub scope_grammar: ScopeGrammar,
    /// Whether the token must be bound to a key and be sent with a proof by it (RFC 9449).
    pub dpop_required: bool,
    /// The maximum number of actors (RFC 8693).
    pub max_depth: Option<usize>,
    /// Whether the subject of the chain of delegation must be a human being.
    pub require_human_root: bool,
    /// The actors that may be in the chain; an empty list allows none.
    pub allowed_actors: Option<Vec<ActorName>>,
    /// The accepted authentication contexts, the best first (RFC 9470).
    pub acr_values: Vec<String>,
    /// The maximum age of the user's authentication, in seconds (RFC 9470).
    pub max_age: Option<u64>,
}

impl RouteConfig {
    /// A route for this path that requires a valid token and nothing else.
    pub fn new(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            methods: None,
            name: None,
            public: false,
            optional: false,
            issuers: None,
            audience: None,
            scopes: Vec::new(),
            scope_grammar: ScopeGrammar::Plain,
            dpop_required: false,
            max_depth: None,
            require_human_root: false,
            allowed_actors: None,
            acr_values: Vec::new(),
            max_age: None,
        }
    }

    /// The name, or the path template if there is none.
    pub fn display_name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.path)
    }
}

/// The keys that a public route cannot have: they are about a token, and none is read.
const ABOUT_TOKENS: [&str; 10] = [
    "optional",
    "issuers",
    "audience",
    "scopes",
    "dpop",
    "max_depth",
    "require_human_root",
    "allowed_actors",
    "acr_values",
    "max_age",
];

impl RouteConfig {
    /// Reads one of the `[[routes]]`; `issuers` are the names of those that are configured. The template is `None` if it is
    /// not valid.
    pub(super) fn read(section: &mut Section<'_>, issuers: &[String]) -> Option<(Self, Option<Template>)> {
        let problems = section.problems();
        let before = problems.len();
        let path = section.text("path");
        if path.is_none() && !section.has("path") {
            section.place().reject(problems, "path is missing: set it to a path such as \"/orders/{id}\"");
        }
        let template = path.as_ref().and_then(|path| {
            let template = Template::parse(&path.value);
            template.map_err(|error| path.reject(problems, error.to_string())).ok()
        });
        let methods = section.texts("methods");
        read_methods(section, methods.as_ref());
        let name = section.text("name");
        let public = section.flag("public").unwrap_or_default();
        let optional = section.flag("optional").unwrap_or_default();
        let accepted = section.texts("issuers");
        check_issuers(section, accepted.as_ref(), issuers);
        let audience = section.text_or_texts("audience");
        if let Some(audience) = &audience {
            check(section, audience, Policy::default().with_audience(Audience::OneOf(values(audience))));
        }
        let scopes = section.texts("scopes");
        let grammar = section.one_of("scope_grammar", &["plain", "resource", "slot"]);
        let scope_grammar =
            grammar.and_then(|grammar| ScopeGrammar::from_name(grammar.value)).unwrap_or(ScopeGrammar::Plain);
        for scope in scopes.iter().flat_map(|scopes| &scopes.value) {
            if let Err(message) = check_scope(&scope.value, scope_grammar, template.as_ref()) {
                scope.reject(problems, message);
            }
        }
        let dpop = section.one_of("dpop", &["allowed", "required"]);
        let max_depth = section.whole("max_depth", 0);
        let require_human_root = section.flag("require_human_root").unwrap_or_default();
        let allowed_actors = section.names("allowed_actors");
        let acr_values = section.texts("acr_values");
        for context in acr_values.iter().flat_map(|contexts| &contexts.value) {
            if let Err(message) = AuthenticationRequirement::new(vec![context.value.clone()], None, 0.0) {
                context.reject(problems, message);
            }
        }
        let max_age = section.whole("max_age", 0);
        if public {
            let given: Vec<&str> = ABOUT_TOKENS.into_iter().filter(|key| section.has(key)).collect();
            if !given.is_empty() {
                let message = format!("a public route reads no token: remove {}, or public", given.join(", "));
                section.place().reject(problems, message);
            }
        }
        let route = Self {
            path: path?.value,
            methods: methods.as_ref().map(values),
            name: name.map(|found| found.value),
            public,
            optional,
            issuers: accepted.as_ref().map(values),
            audience: audience.as_ref().map(values),
            scopes: scopes.as_ref().map(values).unwrap_or_default(),
            scope_grammar,
            dpop_required: dpop.is_some_and(|dpop| dpop.value == "required"),
            max_depth: max_depth.and_then(|found| usize::try_from(found.value).ok()),
            require_human_root,
            allowed_actors: allowed_actors
                .map(|names| names.into_iter().map(|(issuer, subject)| ActorName { issuer, subject }).collect()),
            acr_values: acr_values.as_ref().map(values).unwrap_or_default(),
            max_age: max_age.map(|found| found.value),
        };
        if problems.len() == before {
            // What the gate itself requires, should anything be left.
            let variables: Vec<&str> = template.iter().flat_map(Template::variables).collect();
            if let Err(error) = Requirement::compile(&route, Some(&variables)) {
                section.place().reject(problems, format!("{}: {}", error.member, error.message));
            }
        }
        Some((route, template))
    }
}

fn read_methods(section: &Section<'_>, methods: Option<&Located<Vec<Located<String>>>>) {
    let Some(methods) = methods else { return };
    if methods.value.is_empty() {
        methods.reject(section.problems(), "is empty: list methods, or leave it out for all methods");
    }
    for method in &methods.value {
        if let Err(error) = check_method(&method.value) {
            method.reject(section.problems(), format!("{:?}: {error}", method.value));
        }
    }
}

fn check_issuers(section: &Section<'_>, accepted: Option<&Located<Vec<Located<String>>>>, issuers: &[String]) {
    let Some(accepted) = accepted else { return };
    if accepted.value.is_empty() {
        accepted.reject(section.problems(), "is empty: list issuers, or leave it out for all that are configured");
    }
    for name in accepted.value.iter().filter(|name| !issuers.contains(&name.value)) {
        let meant = closest(&name.value, issuers.iter().map(String::as_str));
        let meant = meant.map(|meant| format!("; did you mean {meant:?}?")).unwrap_or_default();
        name.reject(section.problems(), format!("no issuer has the name {:?}{meant}", name.value));
    }
}
