//! GCC compiles a file of 3,000 functions. The result is the object file.

use super::Subject;
use super::needs::is_program;
use super::room::Room;
use libtest_mimic::Failed;
use std::fmt::Write;
use std::fs;

pub(super) const SUBJECT: Subject = Subject {
    name: "gcc",
    needs: || is_program("gcc".as_ref(), "gcc (Debian: apt-get install gcc)"),
    run,
};

const FUNCTIONS: u32 = 3000;

fn run(room: &Room) -> Result<Vec<u8>, Failed> {
    fs::write(room.folder.join("many.c"), source()?)?;
    let mut command = room.command("gcc");
    command.args(["-O1", "-c", "many.c", "-o", "many.o"]);
    // The command starts the actual compiler, cc1.
    room.run("cc1", &mut command)?;
    Ok(fs::read(room.folder.join("many.o"))?)
}

/// The text of functions that call earlier ones.
fn source() -> Result<String, std::fmt::Error> {
    let mut text = String::from("struct pair { long first, second; };\n");
    for number in 0..FUNCTIONS {
        let called = match number {
            0 => "first".to_owned(),
            _ => format!("function_{}(second, first - {number})", number / 2),
        };
        let (few, more) = (number % 7, number % 13);
        writeln!(
            text,
            "long function_{number}(long first, long second) {{
    struct pair pair = {{first + {number}, second ^ (first << {more})}};
    if (pair.second % 5 == {few})
        return {called};
    return first * pair.first;
}}"
        )?;
    }
    Ok(text)
}
