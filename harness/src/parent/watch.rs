//! Watches a probe until its case has an ending.

use super::exit_status::{describe, exception_name};
use super::interruption;
use super::memory::Subject;
use super::memory_limit::Watch;
use super::process::Process;
use super::scratch::Scratch;
use crate::wire::channel::events;
use crate::wire::job::Job;
use crate::wire::observation::{Ending, Event};
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How often a quiet probe is asked whether it still lives.
pub(super) const TICK: Duration = Duration::from_millis(50);
/// How long after its end a probe's last lines may take to come through, if
/// somebody else holds the pipe open.
const LAST_LINES: Duration = Duration::from_secs(2);
/// What a probe's standard error is cut down to.
const KEPT_STDERR: usize = 2048;

/// What a probe is held to from outside.
pub(super) struct Limits {
    pub(super) deadline: Instant,
    pub(super) memory: Option<Watch>,
    pub(super) scratch: Option<Scratch>,
}

impl Limits {
    /// What is wrong, if the probe has more than it may.
    fn finding(&self) -> Option<String> {
        let memory = || self.memory.as_ref()?.finding();
        let scratch = || self.scratch.as_ref()?.finding();
        memory().or_else(scratch)
    }

    /// Adds what the probe does not know to the fence that it told of.
    fn note(&self, events: &mut [Event]) {
        for event in events {
            if let (Event::Fenced(in_force), Some(memory)) = (event, &self.memory) {
                in_force.kept.push(memory.to_string());
            }
        }
    }
}

pub(super) fn watch(
    mut child: Child,
    job: &Job,
    limits: &Limits,
    events: &mut Vec<Event>,
    owns_group: bool,
) -> Ending {
    let to_probe = write_lines(child.stdin.take().expect("stdin is a pipe"));
    let lines = read_lines(child.stdout.take().expect("stdout is a pipe"), &job.token);
    let stderr = read_tail(child.stderr.take().expect("stderr is a pipe"));
    let mut order = serde_json::to_string(job).expect("a job is plain data");
    order.push('\n');
    // A probe that is gone already is found out below.
    let _ = to_probe.send(order);

    let subject = Subject::of(&child);
    let mut process = Process::new(child, owns_group);
    let ending = follow(&mut process, &subject, &lines, &to_probe, limits, events);
    limits.note(events);
    process.end();
    match ending {
        Ending::Died(how) => {
            let said = stderr.recv_timeout(TICK * 4).unwrap_or_default();
            match said.trim() {
                "" => Ending::Died(how),
                said => Ending::Died(format!("{how}; it printed: {said}")),
            }
        }
        ending => ending,
    }
}

/// Takes events until the case is over, one way or another.
fn follow(
    process: &mut Process,
    subject: &Subject,
    lines: &Receiver<Event>,
    to_probe: &Sender<String>,
    limits: &Limits,
    events: &mut Vec<Event>,
) -> Ending {
    let mut gone: Option<(ExitStatus, Instant)> = None;
    let mut looked = Instant::now();
    loop {
        if interruption::is_wanted() {
            return Ending::Interrupted;
        }
        if looked.elapsed() >= TICK {
            looked = Instant::now();
            if let Some(finding) = limits.finding() {
                return Ending::Died(finding);
            }
        }
        let left = limits.deadline.saturating_duration_since(Instant::now());
        if let Some((status, since)) = gone
            && (left.is_zero() || since.elapsed() > LAST_LINES)
        {
            return Ending::Died(describe(status));
        }
        if left.is_zero() {
            return Ending::TimedOut;
        }
        match lines.recv_timeout(left.min(TICK)) {
            Ok(Event::Done) => return Ending::Done,
            Ok(Event::ProbeFailed(reason)) => return Ending::Failed(reason),
            Ok(Event::Exception(code)) => {
                return Ending::Died(format!(
                    "ended by exception {code:#010x}{}",
                    exception_name(code)
                ));
            }
            Ok(Event::Moment { name, inside, .. }) => {
                let outside = subject.measure();
                events.push(Event::Moment {
                    name,
                    inside,
                    outside,
                });
                // The probe stands still until it reads this.
                let _ = to_probe.send("\n".into());
            }
            Ok(event) => events.push(event),
            Err(RecvTimeoutError::Timeout) if gone.is_some() => {}
            Err(RecvTimeoutError::Timeout) => {
                gone = process.exited().map(|status| (status, Instant::now()));
            }
            // Nothing more can come.
            Err(RecvTimeoutError::Disconnected) => match process.exited() {
                Some(status) => return Ending::Died(describe(status)),
                None => thread::sleep(left.min(TICK)),
            },
        }
    }
}

/// Writes lines to the probe in a thread of its own: a probe that does not read
/// them fills its pipe, and the time limit must hold all the same.
fn write_lines(mut stdin: ChildStdin) -> Sender<String> {
    let (sender, receiver) = channel::<String>();
    thread::spawn(move || {
        for line in receiver {
            if stdin.write_all(line.as_bytes()).is_err() {
                return;
            }
        }
    });
    sender
}

/// Reads the probe's standard output in a thread of its own, so that the time
/// limit holds whatever it writes, and passes our own lines on.
fn read_lines(stdout: impl Read + Send + 'static, token: &str) -> Receiver<Event> {
    let (sender, receiver) = channel();
    let token = token.to_owned();
    thread::spawn(move || {
        for event in events(stdout, &token) {
            if sender.send(event).is_err() {
                return;
            }
        }
    });
    receiver
}

/// Reads the probe's standard error to its end and keeps the last of it.
fn read_tail(mut stderr: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        let mut kept = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stderr.read(&mut buffer) {
            kept.extend_from_slice(&buffer[..count]);
            let excess = kept.len().saturating_sub(KEPT_STDERR);
            kept.drain(..excess);
        }
        let _ = sender.send(String::from_utf8_lossy(&kept).into_owned());
    });
    receiver
}
