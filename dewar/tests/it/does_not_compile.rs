//! Programs that must not compile, each with the message that its author reads.

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
    println!("{count} insecure programs are refused by the compiler");
    assert!(count >= 30);
    trybuild::TestCases::new().compile_fail("tests/does_not_compile/*.rs");
}
