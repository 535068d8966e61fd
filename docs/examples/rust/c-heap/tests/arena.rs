use heapmin_conformance::test::Suite;

fn main() -> std::process::ExitCode {
    let expected = concat!(env!("CARGO_MANIFEST_DIR"), "/../../c/expected.toml");
    Suite::new([env!("ARENA_CRT")]).expected(expected).main()
}
