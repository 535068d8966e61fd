//! Watches a probe until its case ends: done, dead, out of time or interrupted.

use super::exit_status::{describe, exception_name};
use super::interruption;
use super::memory::Subject;
use super::memory_limit::MemoryLimit;
use super::process::Process;
use super::runner::{Runner, Starter};
use super::scratch::Scratch;
use crate::wire::channel::events;
use crate::wire::job::Job;
use crate::wire::observation::{Ending, Event};
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The time between two checks whether a silent probe still runs.
pub(super) const TICK: Duration = Duration::from_millis(50);
/// How long a probe's last lines may take to arrive after its end, if another process
/// holds the pipe open.
const LAST_LINES: Duration = Duration::from_secs(2);
/// How much of a probe's standard error is kept, in bytes: the last of it.
const KEPT_STDERR: usize = 2048;

/// The limits that the parent enforces on a probe.
pub(super) struct Limits {
    pub(super) deadline: Instant,
    pub(super) memory: Option<MemoryLimit>,
    pub(super) scratch: Option<Scratch>,
    /// Whether the probe runs under Wine.
    pub(super) is_wine: bool,
    /// The mark in the environment of the probe, and of what starts it.
    pub(super) mark: String,
}

/// What a fence under Wine lacks, with the reason.
const NOT_UNDER_WINE: &str = "limits on writes, network, processes and processor time (Wine's server, which serves other programs too, opens files and sockets and starts processes for the probe)";

impl Limits {
    /// Which limit the probe exceeds, in words.
    fn finding(&self) -> Option<String> {
        let memory = || self.memory.as_ref()?.finding();
        let scratch = || self.scratch.as_ref()?.finding();
        memory().or_else(scratch)
    }

    /// Adds the memory limit, which the probe does not know, to the fence that the
    /// probe reported. A probe under Wine does not know that it is.
    fn note(&self, events: &mut [Event]) {
        for event in events {
            let Event::Fenced(in_force) = event else {
                continue;
            };
            if self.is_wine {
                in_force.missing = vec![NOT_UNDER_WINE.to_owned()];
            }
            in_force
                .kept
                .extend(self.memory.iter().map(ToString::to_string));
        }
    }
}

pub(super) fn watch(
    mut child: Child,
    job: &Job,
    limits: &Limits,
    events: &mut Vec<Event>,
    runner: &Runner,
) -> Ending {
    let to_probe = write_lines(child.stdin.take().expect("stdin is a pipe"));
    let lines = read_lines(child.stdout.take().expect("stdout is a pipe"), &job.token);
    let stderr = read_tail(child.stderr.take().expect("stderr is a pipe"));
    let mut order = serde_json::to_string(job).expect("a job is plain data");
    order.push('\n');
    // If the probe has already ended, `follow` sees that.
    let _ = to_probe.send(order);

    let of_child = Subject::of(&child);
    let mut subject = of_child;
    let mut process = Process::new(child, runner.owns_group());
    let ending = follow(
        &mut process,
        &mut subject,
        &lines,
        &to_probe,
        limits,
        events,
        runner,
    );
    limits.note(events);
    process.end();
    subject.end_unless(of_child);
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

/// Receives events until the case ends in any way.
fn follow(
    process: &mut Process,
    subject: &mut Subject,
    lines: &Receiver<Event>,
    to_probe: &Sender<String>,
    limits: &Limits,
    events: &mut Vec<Event>,
    runner: &Runner,
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
                if runner.sees_memory {
                    let outside = subject.measure();
                    events.push(Event::Moment {
                        name,
                        inside,
                        outside,
                    });
                }
                // The probe waits until it reads this.
                let _ = to_probe.send("\n".into());
            }
            Ok(event) => {
                // Wine, or the user's command, may have started the probe as its child.
                if let (Event::Hello { process, .. }, Starter::Command(_) | Starter::Wine(_)) =
                    (&event, &runner.starter)
                {
                    *subject = subject.of_probe(*process, &runner.program, &limits.mark);
                }
                events.push(event);
            }
            Err(RecvTimeoutError::Timeout) if gone.is_some() => {}
            Err(RecvTimeoutError::Timeout) => {
                gone = process.exited().map(|status| (status, Instant::now()));
            }
            // The probe has closed its output.
            Err(RecvTimeoutError::Disconnected) => match process.exited() {
                Some(status) => return Ending::Died(describe(status)),
                None => thread::sleep(left.min(TICK)),
            },
        }
    }
}

/// Writes lines to the probe in a separate thread. A probe that reads nothing lets the
/// pipe fill up and blocks the writer; the time limit must hold all the same.
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

/// Reads the probe's standard output in a separate thread and passes the events on. The
/// time limit then holds whatever the probe writes.
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

/// Reads the probe's standard error to its end and keeps the last `KEPT_STDERR` bytes.
pub(super) fn read_tail(mut stderr: impl Read + Send + 'static) -> Receiver<String> {
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
