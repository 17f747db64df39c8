//! A route table finds what reading the routes one by one finds.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use watchword_gate::methods::Methods;
use watchword_gate::path::NormalPath;
use watchword_gate::route_table::RouteTable;
use watchword_gate::template::Template;

fn table(routes: &[(&str, Methods)]) -> RouteTable {
    RouteTable::compile(routes.iter().map(|(path, methods)| (Template::parse(path).unwrap(), methods.clone())))
}

fn one_of(methods: &[&str]) -> Methods {
    Methods::OneOf(methods.iter().map(|&method| method.to_owned()).collect())
}

fn found(table: &RouteTable, method: &str, path: &str) -> Option<usize> {
    table.find(method, &NormalPath::parse(path.as_bytes()).unwrap()).map(|matched| matched.index)
}

#[test]
fn the_first_route_that_matches() {
    let table = table(&[
        ("/orders/{id}", one_of(&["GET"])),
        ("/orders/new", Methods::Any),
        ("/{kind}/{id}", one_of(&["POST", "DELETE"])),
        ("/files/{path...}", one_of(&["PUT"])),
        ("/orders/{id}", one_of(&["POST"])),
        ("/{all...}", one_of(&["OPTIONS"])),
        ("/", Methods::Any),
    ]);
    for (method, path, index) in [
        ("GET", "/orders/new", Some(0)),
        ("HEAD", "/orders/new", Some(0)),
        ("PUT", "/orders/new", Some(1)),
        ("POST", "/orders/new", Some(1)),
        ("POST", "/orders/1", Some(2)),
        ("POST", "/files/1", Some(2)),
        ("PUT", "/files/1", Some(3)),
        ("PUT", "/files/1/2", Some(3)),
        ("OPTIONS", "/orders/1", Some(5)),
        ("OPTIONS", "/", Some(6)),
        ("get", "/orders/1", None),
        ("PATCH", "/orders/1", None),
        ("GET", "/orders", None),
        ("GET", "/orders/1/", None),
    ] {
        assert_eq!(found(&table, method, path), index, "{method} {path}");
    }
}

#[test]
fn a_table_without_routes_has_none() {
    assert_eq!(found(&RouteTable::default(), "GET", "/"), None);
}

fn templates() -> impl Strategy<Value = String> {
    let segment = prop_oneof![Just("a"), Just("b"), Just("c%20d"), Just("{x}"), Just("{y}"), Just("{z}")];
    (prop::collection::vec(segment, 0..4), prop_oneof![Just(""), Just("/"), Just("/{rest...}")]).prop_map(
        |(segments, end)| {
            let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
            let path = path + end;
            if path.is_empty() { "/".to_owned() } else { path }
        },
    )
}

fn methods() -> impl Strategy<Value = Methods> {
    prop_oneof![
        Just(Methods::Any),
        Just(one_of(&["GET"])),
        Just(one_of(&["POST"])),
        Just(one_of(&["HEAD", "PUT"])),
        Just(one_of(&[])),
    ]
}

fn paths() -> impl Strategy<Value = String> {
    let segment = prop_oneof![Just("a"), Just("b"), Just("c%20d"), Just("e")];
    (prop::collection::vec(segment, 0..5), any::<bool>()).prop_map(|(segments, slash)| {
        let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
        if slash || path.is_empty() { path + "/" } else { path }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_table_finds_what_a_linear_search_finds(
        routes in prop::collection::vec((templates(), methods()), 0..24),
        requests in prop::collection::vec(
            (prop_oneof![Just("GET"), Just("HEAD"), Just("POST"), Just("PUT"), Just("OPTIONS")], paths()),
            1..16,
        ),
    ) {
        // A name occurs once in a template.
        let routes: Vec<(Template, Methods)> = routes
            .iter()
            .filter_map(|(path, methods)| Some((Template::parse(path).ok()?, methods.clone())))
            .collect();
        let table = RouteTable::compile(routes.clone());
        for (method, path) in requests {
            let path = NormalPath::parse(path.as_bytes()).unwrap();
            let expected = routes
                .iter()
                .position(|(template, methods)| methods.includes(method) && template.matches(&path).is_some());
            let found = table.find(method, &path);
            prop_assert_eq!(found.as_ref().map(|matched| matched.index), expected, "{} {:?}", method, path);
            if let Some(found) = found {
                prop_assert_eq!(Some(found.variables), routes[found.index].0.matches(&path));
            }
        }
    }

    #[test]
    fn covering_and_overlapping_are_about_paths(one in templates(), another in templates(), paths in prop::collection::vec(paths(), 32)) {
        let (Ok(one), Ok(another)) = (Template::parse(&one), Template::parse(&another)) else { return Ok(()) };
        prop_assert!(one.covers(&one) && one.overlaps(&one));
        prop_assert_eq!(one.overlaps(&another), another.overlaps(&one));
        prop_assert!(!one.covers(&another) || one.overlaps(&another));
        for path in paths {
            let path = NormalPath::parse(path.as_bytes()).unwrap();
            let (ours, theirs) = (one.matches(&path).is_some(), another.matches(&path).is_some());
            prop_assert!(!(one.covers(&another) && theirs && !ours));
            prop_assert!(one.overlaps(&another) || !(ours && theirs));
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[/{}a.%*:;]{0,24}") {
        if let Ok(template) = Template::parse(&text) {
            prop_assert_eq!(template.as_str(), text);
        }
    }
}
