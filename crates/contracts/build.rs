//! Compiles `proto/` without protoc: messages, gRPC clients and servers, and their proto JSON.

#![expect(clippy::disallowed_methods, reason = "Cargo speaks to build scripts by the environment")]

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

const PROTOS: [&str; 18] = [
    "patient/v1/events.proto",
    "patient/v1/appointments.proto",
    "patient/v1/demographics.proto",
    "patient/v1/replay.proto",
    "analytics/v1/figures.proto",
    "patient/v1/availability.proto",
    "billing/v1/accounts.proto",
    "billing/v1/fees.proto",
    "billing/v1/invoices.proto",
    "billing/v1/payments.proto",
    "billing/v1/ledger.proto",
    "billing/v1/days.proto",
    "billing/v1/reports.proto",
    "billing/v1/claims.proto",
    "billing/v1/coverages.proto",
    "billing/v1/remittances.proto",
    "billing/v1/events.proto",
    "billing/v1/replay.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    let proto = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo::rerun-if-changed={}", proto.display());
    let mut compiler = protox::Compiler::new([&proto])?;
    compiler.include_imports(true).open_files(PROTOS)?;
    // For whoever reads the contracts while running: only this encoding keeps the annotations.
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("descriptors.bin"), compiler.encode_file_descriptor_set())?;

    let mut files = compiler.include_source_info(true).file_descriptor_set();
    // The annotations are read by reflection; nobody needs them as Rust.
    files.file.retain(|file| file.package() != "google.api");
    let descriptors = files.encode_to_vec();
    pbjson_build::Builder::new()
        .register_descriptors(&descriptors)?
        // A newer producer may say more than this consumer knows.
        .ignore_unknown_fields()
        .emit_fields()
        .build(&[".patient.v1", ".billing.v1", ".analytics.v1"])?;
    let mut config = tonic_prost_build::Config::new();
    // The full name of a message is the CloudEvents `type` of the event that carries it.
    config.enable_type_names().compile_well_known_types().extern_path(".google.protobuf", "::pbjson_types");
    tonic_prost_build::configure().compile_fds_with_config(files, config)?;
    Ok(())
}
