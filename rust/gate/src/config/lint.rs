//! What a configuration may say, and probably does not mean.

use watchword_kernel::BoundTokens;
use watchword_kernel::scope::ScopeGrammar;

use super::gate_config::GateConfig;
use super::problem::Problem;
use super::route::RouteConfig;
use super::settings::Replay;
use crate::methods::Methods;
use crate::template::Template;

/// Warnings, in the order of the text.
pub(super) fn warnings(config: &GateConfig, templates: &[Template]) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut warn = |path: String, message: String| {
        found.push(Problem { position: config.position(&path), path, message });
    };
    check_urls(config, &mut warn);
    check_audience(config, &mut warn);
    check_dpop(config, &mut warn);
    check_issuers(config, &mut warn);
    check_server(config, &mut warn);
    let routes: Vec<Candidate<'_>> = config
        .routes
        .iter()
        .zip(templates)
        .enumerate()
        .map(|(index, (route, template))| Candidate::new(index, route, template))
        .collect();
    check_routes(&routes, &mut warn);
    for route in &routes {
        check_wildcards(route, &mut warn);
    }
    if config.routes.is_empty() {
        warn(
            "routes".to_owned(),
            "there are no routes: every request is rejected, unless the application checks requests itself, by guards"
                .to_owned(),
        );
    }
    found.sort_by_key(|problem| problem.position);
    found
}

/// A route and what it matches.
struct Candidate<'c> {
    index: usize,
    route: &'c RouteConfig,
    template: &'c Template,
    methods: Methods,
}

impl<'c> Candidate<'c> {
    fn new(index: usize, route: &'c RouteConfig, template: &'c Template) -> Self {
        let methods = route.methods.clone().map_or(Methods::Any, Methods::OneOf);
        Self { index, route, template, methods }
    }

    /// As messages name it.
    fn name(&self) -> String {
        format!("routes[{}] ({})", self.index, self.route.display_name())
    }
}

fn check_routes(routes: &[Candidate<'_>], warn: &mut impl FnMut(String, String)) {
    for (position, route) in routes.iter().enumerate() {
        let before = routes.get(..position).unwrap_or_default();
        let covering: Vec<&Candidate<'_>> =
            before.iter().filter(|earlier| earlier.template.covers(route.template)).collect();
        let is_taken = |methods: &Methods| covering.iter().any(|earlier| earlier.methods.cover(methods));
        let is_covered = match &route.methods {
            Methods::Any => is_taken(&Methods::Any),
            Methods::OneOf(methods) => methods.iter().all(|method| is_taken(&Methods::OneOf(vec![method.clone()]))),
        };
        if is_covered {
            let names: Vec<String> = covering
                .iter()
                .filter(|earlier| earlier.methods.overlap(&route.methods))
                .map(|earlier| earlier.name())
                .collect();
            let message = format!(
                "no request reaches this route, because {} before it {} all of its paths and methods{}: move it up, or \
                 remove it",
                names.join(" and "),
                if names.len() == 1 { "takes" } else { "take" },
                openly(&covering, route),
            );
            warn(format!("routes[{}]", route.index), message);
            continue;
        }
        for earlier in before {
            if overlap_by_accident(earlier, route) && !same_requirements(earlier.route, route.route) {
                let message = format!(
                    "overlaps {}, which comes first and has other requirements: requests that both match get those{}",
                    earlier.name(),
                    openly(&[earlier], route),
                );
                warn(format!("routes[{}]", route.index), message);
            }
        }
    }
}

/// Whether some requests match both, and the first is not simply a special case of the second.
fn overlap_by_accident(earlier: &Candidate<'_>, route: &Candidate<'_>) -> bool {
    if !earlier.template.overlaps(route.template) || !earlier.methods.overlap(&route.methods) {
        return false;
    }
    let is_narrower = route.template.covers(earlier.template) && !earlier.template.covers(route.template);
    let is_same_path = route.template.covers(earlier.template) && earlier.template.covers(route.template);
    !(is_narrower || (is_same_path && route.methods.cover(&earlier.methods)))
}

/// What must be said if requests that a route should check are allowed without a token.
fn openly(earlier: &[&Candidate<'_>], route: &Candidate<'_>) -> &'static str {
    let is_open = |route: &RouteConfig| route.public || route.optional;
    if !is_open(route.route) && earlier.iter().any(|earlier| is_open(earlier.route)) {
        ", which lets requests without a token pass"
    } else {
        ""
    }
}

fn same_requirements(one: &RouteConfig, another: &RouteConfig) -> bool {
    let without_names =
        |route: &RouteConfig| RouteConfig { path: String::new(), methods: None, name: None, ..route.clone() };
    without_names(one) == without_names(another)
}

fn check_wildcards(route: &Candidate<'_>, warn: &mut impl FnMut(String, String)) {
    if route.route.scope_grammar != ScopeGrammar::Plain {
        return;
    }
    for (index, scope) in route.route.scopes.iter().enumerate().filter(|(_, scope)| scope.contains('*')) {
        warn(
            format!("routes[{}].scopes[{index}]", route.index),
            format!(
                "{scope:?}: in the grammar \"plain\" a star is an ordinary character: set scope_grammar = \"resource\" or \
                 \"slot\" if it is a wildcard"
            ),
        );
    }
}

fn check_urls(config: &GateConfig, warn: &mut impl FnMut(String, String)) {
    for (index, url) in config.public_url.iter().enumerate() {
        let Some(rest) = strip_prefix_ignoring_case(url, "http://") else { continue };
        let host = rest.split(['/', ':']).next().unwrap_or_default();
        if !["localhost", "127.0.0.1", "["].contains(&host) {
            let indexed = format!("public_url[{index}]");
            let path = if config.position(&indexed).is_some() { indexed } else { "public_url".to_owned() };
            warn(path, format!("{url:?} is not https: tokens sent to it can be read on their way"));
        }
    }
    if let Some(resource) = &config.resource
        && strip_prefix_ignoring_case(resource, "https://").is_none()
    {
        warn(
            "resource".to_owned(),
            format!("{resource:?} is not https, which RFC 9728 section 1.2 requires of a resource identifier"),
        );
    }
}

fn check_audience(config: &GateConfig, warn: &mut impl FnMut(String, String)) {
    for (index, issuer) in config.issuers.iter().enumerate() {
        let by_routes = |route: &RouteConfig| {
            route.public
                || route.audience.is_some()
                || route.issuers.as_ref().is_some_and(|names| !names.contains(&issuer.issuer))
        };
        let is_named = issuer.token.names_audience()
            || config.token.names_audience()
            || (!config.routes.is_empty() && config.routes.iter().all(by_routes));
        if !is_named {
            warn(
                format!("issuers[{index}]"),
                "no audience is set, so that every token that names one is rejected: set audience here or in [token]"
                    .to_owned(),
            );
        }
    }
}

fn check_dpop(config: &GateConfig, warn: &mut impl FnMut(String, String)) {
    let dpop = &config.dpop;
    let is_required = config.routes.iter().any(|route| route.dpop_required);
    if dpop.replay == Replay::None && is_required {
        warn(
            "dpop.replay".to_owned(),
            "proofs can be used again until they expire, although a route requires them".to_owned(),
        );
    }
    if dpop.nonce_lifetime.is_some() && dpop.nonce_keys_file.is_none() {
        warn(
            "dpop.nonce_lifetime".to_owned(),
            "each process makes its own nonces, which the others reject: set nonce_keys_file if there are several"
                .to_owned(),
        );
    }
    if let (Some(leeway), Some(max_age)) = (dpop.leeway, dpop.max_age)
        && leeway > max_age
    {
        warn(
            "dpop.leeway".to_owned(),
            "is longer than max_age: a proof is accepted for longer before it was made than after".to_owned(),
        );
    }
    let accepts_bound = |token: &super::TokenConfig| token.bound_tokens == Some(BoundTokens::Accept);
    if is_required && accepts_bound(&config.token) {
        warn(
            "token.bound_tokens".to_owned(),
            "bound tokens are accepted without a proof on all routes but those with dpop = \"required\"".to_owned(),
        );
    }
}

fn check_issuers(config: &GateConfig, warn: &mut impl FnMut(String, String)) {
    if config.routes.is_empty() {
        return;
    }
    for (index, issuer) in config.issuers.iter().enumerate() {
        let uses = |route: &RouteConfig| {
            !route.public && route.issuers.as_ref().is_none_or(|names| names.contains(&issuer.issuer))
        };
        if !config.routes.iter().any(uses) {
            warn(format!("issuers[{index}]"), format!("no route accepts tokens of {:?}", issuer.issuer));
        }
    }
}

fn check_server(config: &GateConfig, warn: &mut impl FnMut(String, String)) {
    let Some(server) = &config.server else { return };
    let why = |key, what| {
        (
            key,
            format!(
                "others than the proxy may connect to it: use loopback, a private address or a Unix socket, or \
                       make sure that {what}"
            ),
        )
    };
    for (addresses, (key, what)) in [
        (&server.listen, why("listen", "a firewall lets only the proxy connect")),
        (&server.status_listen, why("status_listen", "only operators can: it names issuers, keys and routes")),
    ] {
        for (index, address) in addresses.iter().enumerate().filter(|(_, address)| address.is_exposed()) {
            let indexed = format!("server.{key}[{index}]");
            let path = if config.position(&indexed).is_some() { indexed } else { format!("server.{key}") };
            warn(path, format!("\"{address}\": {what}"));
        }
    }
}

fn strip_prefix_ignoring_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}
