//! The blocks of commands in a README.

/// A block between "```console" and "```".
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) commands: Vec<Shown>,
    /// The programs without which it is skipped.
    pub(crate) needs: Vec<Need>,
}

/// A command with the output that the README shows.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The number of its line.
    pub(crate) number: usize,
    pub(crate) line: String,
    pub(crate) output: String,
}

/// A program, and how to install it.
#[derive(Clone, Debug)]
pub(crate) struct Need {
    pub(crate) program: String,
    pub(crate) install: String,
}

/// The blocks of a README. A command begins with `$ ` and goes on after a backslash at the end
/// of a line; the lines after it are its output.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut needs = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        let Some(block) = &mut open else {
            if let Some(need) = need(line) {
                needs.push(need);
            } else if line.trim() == "```console" {
                let needs = std::mem::take(&mut needs);
                open = Some(Block {
                    needs,
                    ..Block::default()
                });
            }
            continue;
        };
        if line.trim() == "```" {
            blocks.extend(open.take());
            continue;
        }
        let last = block.commands.last_mut();
        if let Some(command) = line.strip_prefix("$ ") {
            block.commands.push(Shown {
                number: index + 1,
                line: command.to_owned(),
                output: String::new(),
            });
        } else if let Some(last) = last {
            let text = match last.output.is_empty() && last.line.ends_with('\\') {
                true => &mut last.line,
                false => &mut last.output,
            };
            // A backslash before the end of a line ends in nothing for the shell.
            if text.ends_with('\\') {
                text.push('\n');
                text.push_str(line);
            } else {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    assert!(open.is_none(), "a block of commands has no end");
    blocks
}

/// The program in a line `<!-- needs: PROGRAM, install INSTRUCTION -->`.
fn need(line: &str) -> Option<Need> {
    let text = line.trim().strip_prefix("<!-- needs: ")?;
    let text = text.strip_suffix(" -->")?;
    let (program, install) = text.split_once(", install ").expect("how to install it");
    Some(Need {
        program: program.to_owned(),
        install: install.to_owned(),
    })
}
