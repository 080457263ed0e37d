use super::*;

fn operations(texts: &[&str]) -> Vec<Operation> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn policy(texts: &[&str]) -> Policy {
    Policy::of(&operations(texts)).unwrap()
}

fn patterns(policy: &Policy) -> Vec<String> {
    policy
        .rules
        .iter()
        .map(|rule| {
            let verbs: Vec<&str> = rule.verbs.iter().map(|verb| verb.name()).collect();
            format!("{} {}", verbs.join(","), rule.pattern).trim_start().to_owned()
        })
        .collect()
}

fn check(policy: &Policy, allowed: &[&str], refused: &[&str]) {
    for operation in operations(allowed) {
        assert!(policy.allows(&operation), "{operation} is refused by {:?}", patterns(policy));
    }
    for operation in operations(refused) {
        assert!(!policy.allows(&operation), "{operation} is allowed by {:?}", patterns(policy));
    }
}

#[test]
fn a_route_is_itself_and_its_verb() {
    let policy = policy(&["POST /auth/login", "GET /auth/.well-known/jwks.json"]);
    assert_eq!(patterns(&policy), ["GET /auth/.well-known/jwks.json", "POST /auth/login"]);
    check(
        &policy,
        &["POST /auth/login"],
        &["GET /auth/login", "GET /auth", "GET /livez", "POST /events/patient.registered"],
    );
}

#[test]
fn a_route_with_others_below_it_shares_their_entry() {
    let policy = policy(&["POST /api/patients", "GET /api/patients", "GET /api/patients/*", "PATCH /api/patients/*"]);
    assert_eq!(patterns(&policy), ["GET,POST,PATCH /api/patients/*"]);
    check(
        &policy,
        // The last one was not asked for: it is what Dapr cannot tell apart.
        &["POST /api/patients", "PATCH /api/patients/*", "POST /api/patients/*"],
        &["DELETE /api/patients/*", "GET /api/patients/*/history", "GET /api"],
    );
}

#[test]
fn a_wildcard_may_stand_in_the_middle() {
    let policy = policy(&["GET /api/patients/*", "GET /api/patients/*/history", "POST /api/patients/search"]);
    assert_eq!(patterns(&policy), ["POST /api/patients/search", "GET /api/patients/*", "GET /api/patients/**/history"]);
    check(
        &policy,
        &["GET /api/patients/*", "GET /api/patients/*/history", "POST /api/patients/search"],
        &["GET /api/patients/*/merge", "POST /api/patients/*/history", "POST /api/patients/*"],
    );
}

#[test]
fn a_grpc_method_is_told_from_its_neighbour() {
    let policy = policy(&["billing.v1.Accounts/OpenAccounts"]);
    assert_eq!(patterns(&policy), ["/billing.v1.*ccounts/*pen*ccounts"]);
    check(
        &policy,
        &["billing.v1.Accounts/OpenAccounts"],
        &[
            "billing.v1.Accounts/GetAccount",
            "billing.v2.Accounts/OpenAccounts",
            "POST /billing.v1.accounts/openaccounts",
        ],
    );
}

#[test]
fn a_service_whose_name_ends_like_another_is_found() {
    let policy = policy(&["billing.v1.Accounts/Get", "billing.v1.SubAccounts/List"]);
    check(
        &policy,
        &["billing.v1.Accounts/Get", "billing.v1.SubAccounts/List"],
        &["billing.v1.Accounts/List", "billing.v1.SubAccounts/Get"],
    );
}

#[test]
fn routes_and_methods_live_side_by_side() {
    check(
        &policy(&["GET /api/x/*", "billing.v1.Accounts/Get"]),
        &["GET /api/x/*", "billing.v1.Accounts/Get"],
        &["billing.v1.Accounts/List", "POST /api/x/*"],
    );
}

#[test]
fn methods_that_differ_in_their_capital_alone_are_not_told_apart() {
    // `Matrix::calls_between_apps` names such a call instead of counting it as refused.
    check(&policy(&["billing.v1.Accounts/Get"]), &["billing.v1.Accounts/Set"], &[]);
}

#[test]
fn nothing_is_allowed_by_nothing() {
    check(&Policy::default(), &[], &["GET /livez", "billing.v1.Accounts/Get"]);
}

#[test]
fn a_glob_spans_any_run_of_characters() {
    for (pattern, text, fits) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("*b", "ab", true),
        ("*b", "b", true),
        ("*et*ccount", "GetAccount", true),
        ("*et*ccount", "GetAccounts", false),
        ("a*", "a", true),
        ("a*c*e", "abcde", true),
        ("a*c*e", "abde", false),
    ] {
        assert_eq!(glob(pattern, text), fits, "{pattern} and {text}");
    }
}
