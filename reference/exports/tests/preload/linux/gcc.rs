//! GCC compiles a file of 3,000 functions to the same object file.

use super::Subject;
use super::needs::is_program;
use super::room::Room;
use libtest_mimic::Failed;
use std::fmt::Write;
use std::fs;

pub const SUBJECT: Subject = Subject {
    name: "gcc",
    needs: || is_program("gcc".as_ref(), "gcc (Debian: apt-get install gcc)"),
    run,
};

const FUNCTIONS: u32 = 3000;

fn run(room: &Room) -> Result<Vec<u8>, Failed> {
    fs::write(room.folder.join("many.c"), source()?)?;
    let mut command = room.command("gcc");
    command.args(["-O1", "-c", "many.c", "-o", "many.o"]);
    // The compiler proper, which the command starts.
    room.run("cc1", &mut command)?;
    Ok(fs::read(room.folder.join("many.o"))?)
}

/// Functions with a loop, a switch and calls of those before.
fn source() -> Result<String, std::fmt::Error> {
    let mut text = String::from("struct pair { long first, second; };\n");
    for number in 0..FUNCTIONS {
        let called = match number {
            0 => "first".to_owned(),
            _ => format!("function_{}(second, first - {number})", number / 2),
        };
        writeln!(
            text,
            "long function_{number}(long first, long second) {{
    struct pair pairs[{}];
    for (int i = 0; i < {}; i++) {{
        pairs[i].first = first * i + {number};
        pairs[i].second = second ^ (i << {});
    }}
    switch (second % 5) {{
    case 0: return pairs[{}].second;
    case 1: first += {number}; break;
    case 2: first *= pairs[1].first; break;
    case 3: return {called};
    }}
    return first + pairs[first & 1].second;
}}",
            2 + number % 7,
            2 + number % 7,
            number % 13,
            number % 2,
        )?;
    }
    Ok(text)
}
