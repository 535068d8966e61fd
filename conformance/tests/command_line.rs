//! The page about the command line in the book has every command, with the program's own words.

use heapmin_conformance::cli::definitions;
use std::fs;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/command-line.md");

#[test]
fn the_table_of_commands_is_that_of_the_program() {
    let page = fs::read_to_string(PAGE).expect("the book is part of the repository");
    let (_, section) = page.split_once("\n## Commands\n").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("the next section");
    let rows: Vec<[&str; 2]> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(name, rest)| [name, rest.split(" | ").next().unwrap_or_default()])
        .collect();
    let program = definitions();
    let commands = program.get_subcommands().filter(|it| !it.is_hide_set());
    let wanted: Vec<[String; 2]> = commands
        .map(|it| {
            [
                it.get_name().to_owned(),
                it.get_about().unwrap().to_string(),
            ]
        })
        .collect();
    assert_eq!(rows, wanted);
}
