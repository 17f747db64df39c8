//! Properties of arbitrary configurations of a gate: the body of the fuzz target `gate_config`, and of the test that replays
//! its corpus.
//!
//! Errors have a place in the text; of a valid configuration, every route compiles, and each warning has a place, too.

#![allow(clippy::expect_used, reason = "a check fails by panicking")]

use watchword_gate::Requirement;
use watchword_gate::config::{GateConfig, Problem};
use watchword_gate::methods::{Methods, check_method};
use watchword_gate::route_table::RouteTable;
use watchword_gate::template::Template;

/// Returns whether the input is a valid configuration, in TOML or in JSON.
pub(crate) fn gate_config(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let mut is_valid = false;
    for result in [GateConfig::from_toml(text), GateConfig::from_json(text)] {
        match result {
            Ok(config) => {
                check_routes(&config);
                check_places(text, &config.warnings);
                is_valid = true;
            }
            Err(error) => {
                assert!(!error.problems.is_empty());
                check_places(text, &error.problems);
            }
        }
    }
    is_valid
}

fn check_routes(config: &GateConfig) {
    let mut routes = Vec::new();
    for route in config.routes() {
        let template = Template::parse(&route.path).expect("a template");
        let variables: Vec<&str> = template.variables().collect();
        assert!(Requirement::compile(route, Some(&variables)).is_ok());
        assert!(route.methods.iter().flatten().all(|method| check_method(method).is_ok()));
        let known = |name: &String| config.issuers.iter().any(|issuer| issuer.issuer == *name);
        assert!(route.issuers.iter().flatten().all(known));
        routes.push((template, route.methods.clone().map_or(Methods::Any, Methods::OneOf)));
    }
    assert_eq!(RouteTable::compile(routes).routes().len(), config.routes().len());
}

fn check_places(text: &str, problems: &[Problem]) {
    let lines: Vec<&str> = text.split('\n').collect();
    for problem in problems {
        assert!(!problem.message.is_empty());
        let Some(position) = problem.position else { continue };
        let line =
            lines.get(position.line.checked_sub(1).expect("lines are counted from 1")).expect("a line of the text");
        assert!(position.column >= 1 && position.column <= line.chars().count() + 1, "{problem}");
    }
}
