//! The probe's end of the channel to its parent.

use super::{Stop, host, stop};
use crate::wire::channel::encode;
use crate::wire::job::EVENTS_FILE;
use crate::wire::observation::Event;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

pub(super) struct Pipe {
    /// `None` if the parent only reads what the probe wrote, after its end.
    input: Option<File>,
    output: File,
    token: String,
}

impl Pipe {
    /// Takes over standard input and output for the channel. The candidate then reads
    /// nothing from standard input, and its output goes to standard error.
    pub(super) fn take_over_standard_streams() -> Pipe {
        let (input, output) = host::take_over_standard_streams();
        Pipe {
            input: Some(input),
            output,
            token: String::new(),
        }
    }

    /// Writes events to the file beside that of the job, and leaves the standard streams to a
    /// debugger and to the candidate.
    pub(super) fn beside(job: &Path) -> std::io::Result<Pipe> {
        Ok(Pipe {
            input: None,
            output: File::create(job.with_file_name(EVENTS_FILE))?,
            token: String::new(),
        })
    }

    pub(super) fn use_token(&mut self, token: &str) {
        token.clone_into(&mut self.token);
    }

    /// A second handle of the same pipe.
    pub(super) fn share(&self) -> Pipe {
        Pipe {
            input: (self.input.as_ref()).map(|it| it.try_clone().expect("a free descriptor")),
            output: self.output.try_clone().expect("a free descriptor"),
            token: self.token.clone(),
        }
    }

    pub(super) fn output(&self) -> &File {
        &self.output
    }

    /// Sends an event in one write: no other output can come between its parts.
    pub(super) fn send(&mut self, event: &Event) -> Result<(), Stop> {
        let line = encode(&self.token, event);
        self.output.write_all(line.as_bytes()).map_err(gone)?;
        stop::after(event);
        Ok(())
    }

    /// Sends the last event before the end; returns the event of the end.
    pub(super) fn last_words(mut self, event: Event) -> Event {
        let _ = self.send(&event);
        Event::Done
    }

    /// The next line from the parent. The parent sends one line at a time and waits for an
    /// event before the next. Empty without a parent.
    pub(super) fn receive(&mut self) -> Result<Vec<u8>, Stop> {
        let Some(input) = &mut self.input else {
            return Ok(Vec::new());
        };
        let mut line = Vec::new();
        // A script is long: to read it byte by byte takes as long as to run it.
        let mut part = [0; 1024];
        loop {
            let read = input.read(&mut part).map_err(gone)?;
            line.extend_from_slice(&part[..read]);
            if read == 0 {
                return Err(Stop::Failed("the harness has ended".into()));
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
