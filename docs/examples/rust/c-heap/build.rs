//! Builds the C sources as a shared library, and tells the tests where it is.

use std::path::PathBuf;

const SOURCES: [&str; 2] = ["../../c/arena.c", "../../c/adapter.c"];

fn main() {
    for source in SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    println!("cargo::rerun-if-changed=../../c/arena.h");
    let library = PathBuf::from(std::env::var_os("OUT_DIR").unwrap()).join("libarena_crt.so");
    let mut build = cc::Build::new();
    build.opt_level(2).pic(true).flag("-fno-builtin");
    let mut command = build.get_compiler().to_command();
    command.args(["-shared", "-pthread", "-fvisibility=hidden"]);
    command.args(SOURCES).arg("-o").arg(&library);
    match command.status() {
        Ok(status) if status.success() => {}
        Ok(_) => end(&format!("{command:?} failed; its messages are above")),
        Err(error) => end(&format!(
            "{command:?}: {error}; install a C compiler (Debian: apt-get install gcc libc6-dev)"
        )),
    }
    println!("cargo::rustc-env=ARENA_CRT={}", library.display());
}

fn end(message: &str) -> ! {
    println!("cargo::error={message}");
    std::process::exit(1);
}
