//! Programs that must not compile, each with the message that its author reads.

use std::io::Write;

#[test]
fn insecure_programs_do_not_compile() {
    let programs = std::fs::read_dir(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/does_not_compile"
    ))
    .unwrap();
    let count = programs
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .path()
                .extension()
                .is_some_and(|end| end == "rs")
        })
        .count();
    assert!(count >= 30, "{count} programs");
    let programs = trybuild::TestCases::new();
    programs.compile_fail("tests/does_not_compile/*.rs");
    // It runs them where it ends, and fails there where one of them compiles.
    drop(programs);
    // Past the test harness, which keeps what a passing test prints to itself.
    writeln!(
        std::io::stderr(),
        "\n*** {count} insecure programs do not compile ***\n"
    )
    .unwrap();
}
