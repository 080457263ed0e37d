//! A migration that is added changes a folder, and no file that the compiler already watches.

fn main() {
    println!("cargo::rerun-if-changed=foundation");
    for service in ["auth", "patient", "billing", "analytics"] {
        println!("cargo::rerun-if-changed=../../services/{service}/migrations");
    }
}
