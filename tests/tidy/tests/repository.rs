//! The rules, held against this repository.
#![expect(clippy::unwrap_used, reason = "without the repository there is nothing to test")]

use std::{path::PathBuf, sync::LazyLock};

use access_policy::{Matrix, generated};
use cargo_metadata::MetadataCommand;
use tidy::{
    Finding, Tree, addresses, components, compose,
    dependencies::{self, Graph},
    domain, environment, length, manifests, migrations, names, roles, shape, switches, topics, wiring,
};

static ROOT: LazyLock<PathBuf> =
    LazyLock::new(|| std::fs::canonicalize(env!("CARGO_MANIFEST_DIR")).unwrap().join("../..").canonicalize().unwrap());
static TREE: LazyLock<Tree> = LazyLock::new(|| Tree::read(&ROOT).unwrap());
static MATRIX: LazyLock<Matrix> = LazyLock::new(|| generated::matrix(&ROOT).unwrap());
static GRAPH: LazyLock<Graph> = LazyLock::new(|| {
    let metadata =
        MetadataCommand::new().manifest_path(ROOT.join("Cargo.toml")).other_options(["--locked".to_owned()]).exec();
    Graph::of(&metadata.unwrap())
});

fn holds(findings: &[Finding]) {
    assert!(findings.is_empty(), "\n  {}\n", findings.join("\n  "));
}

#[test]
fn no_service_depends_on_another() {
    holds(&dependencies::services_on_services(&GRAPH));
}

#[test]
fn no_service_is_built_with_a_client_of_a_database_or_broker() {
    holds(&dependencies::services_on_clients(&GRAPH));
}

#[test]
fn shared_crates_know_nothing_of_their_users() {
    holds(&dependencies::crates_on_services(&GRAPH));
}

#[test]
fn contracts_depend_on_nothing_of_ours() {
    holds(&dependencies::contracts_alone(&GRAPH));
}

#[test]
fn the_checker_shares_no_code_nor_does_the_payer_simulator() {
    holds(&dependencies::strangers_alone(&GRAPH));
}

#[test]
fn switches_of_tests_are_in_no_release() {
    holds(&switches::in_debug_programs_alone(&TREE));
}

#[test]
fn domains_are_free_of_io() {
    holds(&domain::free_of_io(&TREE));
}

#[test]
fn every_crate_inherits_the_lints() {
    holds(&manifests::inherit_lints(&TREE));
}

#[test]
fn every_version_stands_in_the_workspace() {
    holds(&manifests::inherit_versions(&TREE));
}

#[test]
fn every_broker_has_the_same_components() {
    holds(&components::same_for_every_broker(&TREE));
}

#[test]
fn every_component_is_scoped_and_named_by_its_role() {
    holds(&components::scoped_and_named_by_role(&TREE));
}

#[test]
fn every_app_has_the_components_of_the_matrix() {
    holds(&components::base_follows_the_matrix(&TREE, &MATRIX));
}

#[test]
fn in_the_cloud_components_differ_in_their_place_alone() {
    holds(&components::cloud_follows_base(&TREE));
}

#[test]
fn addresses_and_passwords_come_from_the_secret_store() {
    holds(&components::secrets_by_reference(&TREE));
}

#[test]
fn the_run_file_follows_the_matrix() {
    holds(&wiring::follows_the_matrix(&TREE, &MATRIX));
}

#[test]
fn containers_start_what_the_run_file_starts() {
    holds(&compose::follows_the_run_file(&TREE, &MATRIX));
}

#[test]
fn containers_are_confined_and_tell_no_secret() {
    holds(&compose::nothing_is_open(&TREE));
}

#[test]
fn containers_have_the_versions_that_are_tested() {
    holds(&compose::same_as_elsewhere(&TREE));
}

#[test]
fn every_method_of_a_contract_has_its_roles() {
    holds(&roles::of_every_method(&TREE));
}

#[test]
fn what_a_role_may_ask_for_a_sidecar_lets_through() {
    holds(&roles::allowed_between_apps(&MATRIX));
}

#[test]
fn topics_are_known_to_the_contracts() {
    holds(&topics::known_to_contracts(&TREE, &MATRIX));
}

#[test]
fn services_name_topics_by_their_constants() {
    holds(&topics::named_by_constant(&TREE, &MATRIX));
}

#[test]
fn what_follows_from_the_matrix_is_up_to_date() {
    holds(&generated::stale(&ROOT).unwrap());
}

#[test]
fn environment_tables_are_true() {
    holds(&environment::tables_are_true(&TREE));
}

#[test]
fn no_service_knows_an_address() {
    holds(&addresses::none_in_services(&TREE));
}

#[test]
fn every_service_has_the_same_shape() {
    holds(&shape::same_names(&TREE));
}

#[test]
fn modules_stand_beside_their_folders() {
    holds(&shape::no_mod_files(&TREE));
}

#[test]
fn files_are_short() {
    holds(&length::short_files(&TREE));
}

#[test]
fn names_say_something() {
    holds(&names::say_something(&TREE));
}

#[test]
fn no_trigger_runs_before_its_row() {
    holds(&migrations::no_before_triggers(&TREE));
}

#[test]
fn definers_functions_have_a_search_path() {
    holds(&migrations::definers_have_a_search_path(&TREE));
}
