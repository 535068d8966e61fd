use heapmin_conformance::test::{Suite, built};

fn main() -> std::process::ExitCode {
    let expected = concat!(env!("CARGO_MANIFEST_DIR"), "/expected.toml");
    Suite::new([built("mycrt")]).expected(expected).main()
}
