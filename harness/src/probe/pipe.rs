//! The probe's end of the channel.

use super::{Stop, host};
use crate::wire::channel::encode;
use crate::wire::observation::Event;
use std::fs::File;
use std::io::{Read, Write};

pub(super) struct Pipe {
    input: File,
    output: File,
    token: String,
}

impl Pipe {
    /// Takes standard input and output for the channel, and gives candidates
    /// nothing to read and standard error to print to.
    pub(super) fn take_over_standard_streams() -> Pipe {
        let (input, output) = host::take_over_standard_streams();
        Pipe {
            input,
            output,
            token: String::new(),
        }
    }

    pub(super) fn use_token(&mut self, token: &str) {
        token.clone_into(&mut self.token);
    }

    /// The same pipe for another owner.
    pub(super) fn share(&self) -> Pipe {
        Pipe {
            input: self.input.try_clone().expect("a descriptor to spare"),
            output: self.output.try_clone().expect("a descriptor to spare"),
            token: self.token.clone(),
        }
    }

    pub(super) fn output(&self) -> &File {
        &self.output
    }

    /// Sends an event in one write, so that nobody's printing comes between.
    pub(super) fn send(&mut self, event: &Event) -> Result<(), Stop> {
        let line = encode(&self.token, event);
        self.output.write_all(line.as_bytes()).map_err(gone)
    }

    /// Sends what there is to say before the end, and is done.
    pub(super) fn last_words(mut self, event: Event) -> Event {
        let _ = self.send(&event);
        Event::Done
    }

    /// The next line from the harness, which sends no other before it is asked.
    pub(super) fn receive(&mut self) -> Result<Vec<u8>, Stop> {
        let mut line = Vec::new();
        // A script is long; read byte by byte it takes as long as its calls.
        let mut part = [0; 1024];
        loop {
            let read = self.input.read(&mut part).map_err(gone)?;
            line.extend_from_slice(&part[..read]);
            if read == 0 {
                return Err(Stop::Failed("the harness is gone".into()));
            }
            if line.last() == Some(&b'\n') {
                line.pop();
                return Ok(line);
            }
        }
    }
}

fn gone(error: std::io::Error) -> Stop {
    Stop::Failed(format!("the pipe to the harness: {error}"))
}
