//! Starts a probe for one case and watches it until it has an ending.

use crate::channel::{Job, events};
use crate::fence::{Fence, memory::Watch, scratch::Scratch};
use crate::interruption;
use crate::memory::Subject;
use crate::observation::{Ending, Event, Observation};
use crate::process::Process;
use crate::runner::Runner;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// The hidden subcommand that makes the program a probe.
pub const PROBE_COMMAND: &str = "probe";
/// How often a quiet probe is asked whether it still lives.
const TICK: Duration = Duration::from_millis(50);
/// How often a probe is started that ends without a word.
const STARTS: usize = 3;
/// How long after its end a probe's last lines may take to come through, if
/// somebody else holds the pipe open.
const LAST_LINES: Duration = Duration::from_secs(2);
/// What a probe's standard error is cut down to.
const KEPT_STDERR: usize = 2048;

/// A way of starting probes.
pub struct Launch<'a> {
    runner: &'a Runner,
    timeout: Duration,
    environment: &'a [(String, String)],
    may_fork: bool,
}

impl<'a> Launch<'a> {
    /// Probes of this runner, each killed after `timeout`.
    pub fn new(runner: &'a Runner, timeout: Duration) -> Self {
        Launch {
            runner,
            timeout,
            environment: &[],
            may_fork: false,
        }
    }

    /// Says whether the case needs child processes.
    pub fn with_children(self, may_fork: bool) -> Self {
        Launch { may_fork, ..self }
    }

    /// Adds environment variables.
    pub fn with_environment(self, environment: &'a [(String, String)]) -> Self {
        Launch {
            environment,
            ..self
        }
    }

    /// Runs one case in a process of its own. Always comes back, whatever the
    /// candidate does.
    ///
    /// Wine's server may be on its way out just when a probe comes, which then
    /// ends before it has said anything. No candidate was loaded yet, so such
    /// a probe is started again.
    pub fn observe(&self, job: &Job) -> Observation {
        let mut observation = self.observe_once(job);
        for _ in 1..STARTS {
            if interruption::is_wanted() {
                break;
            }
            let silent =
                matches!(observation.ending, Ending::Died(_)) && !observation.has_started();
            if !silent || self.runner.front.is_none() {
                break;
            }
            thread::sleep(TICK * 10);
            observation = self.observe_once(job);
        }
        observation
    }

    fn observe_once(&self, job: &Job) -> Observation {
        let start = Instant::now();
        let mut events = Vec::new();
        let scratch = self.runner.is_fenced.then(Scratch::new).transpose();
        let ending = match scratch {
            // Gone with everything in it when this is over.
            Ok(scratch) => match self.spawn(scratch.as_ref()) {
                Ok(child) => {
                    let job = Job {
                        fence: self.fence(),
                        ..job.clone()
                    };
                    let deadline = start + self.timeout;
                    let memory = self
                        .runner
                        .is_fenced
                        .then(|| Watch::over(&child, self.runner.memory))
                        .flatten();
                    let limits = Limits {
                        deadline,
                        memory,
                        scratch,
                    };
                    watch(child, &job, &limits, &mut events, self.owns_group())
                }
                Err(error) => Ending::Failed(format!(
                    "{} cannot be started: {error}",
                    self.runner.program.display()
                )),
            },
            Err(problem) => Ending::Failed(problem),
        };
        Observation {
            events,
            ending,
            duration_ms: start.elapsed().as_millis() as u64,
        }
    }

    fn fence(&self) -> Option<Fence> {
        let processors = thread::available_parallelism().map_or(1, usize::from) as u64;
        self.runner.is_fenced.then(|| Fence {
            may_fork: self.may_fork,
            cpu_seconds: (self.timeout.as_secs() + 1) * processors,
        })
    }

    /// Whether all children of the probe may be killed with it. Wine's own
    /// servers are children of whoever came first, and others need them.
    fn owns_group(&self) -> bool {
        self.runner.front.is_none()
    }

    fn spawn(&self, scratch: Option<&Scratch>) -> std::io::Result<Child> {
        let program = &self.runner.program;
        let mut command = match &self.runner.front {
            Some(front) => {
                let mut command = Command::new(front);
                command.arg(program);
                if std::env::var_os("WINEDEBUG").is_none() {
                    command.env("WINEDEBUG", "-all");
                }
                command
            }
            None => Command::new(program),
        };
        command
            .arg(PROBE_COMMAND)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(scratch) = scratch {
            command.env("TMPDIR", scratch.path());
        }
        // Ctrl-C is for us; the probe is ended when its case is written off.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        #[cfg(target_os = "linux")]
        if self.runner.front.is_some() {
            end_with_this_process(&mut command);
        }
        command.spawn()
    }
}

fn watch(
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

/// Has a command end when this process does. A probe of this system sees to
/// that itself; Wine does not.
#[cfg(target_os = "linux")]
fn end_with_this_process(command: &mut Command) {
    use rustix::process::{Signal, set_parent_process_death_signal};
    use std::os::unix::process::CommandExt;
    let prepare = || set_parent_process_death_signal(Some(Signal::KILL)).map_err(Into::into);
    // SAFETY: one system call, which allocates nothing and takes no lock.
    unsafe { command.pre_exec(prepare) };
}

/// What a probe is held to from outside.
struct Limits {
    deadline: Instant,
    memory: Option<Watch>,
    scratch: Option<Scratch>,
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

fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("killed by {}", signal_name(signal));
    }
    match status.code() {
        Some(code) => format!("the process exited with status {code} before the case was over"),
        None => format!("the process ended before the case was over ({status})"),
    }
}

#[cfg(unix)]
fn signal_name(signal: i32) -> String {
    let name = match signal {
        libc::SIGABRT => "SIGABRT",
        libc::SIGBUS => "SIGBUS",
        libc::SIGFPE => "SIGFPE",
        libc::SIGILL => "SIGILL",
        libc::SIGKILL => "SIGKILL",
        libc::SIGSEGV => "SIGSEGV",
        libc::SIGSYS => "SIGSYS",
        libc::SIGTERM => "SIGTERM",
        libc::SIGTRAP => "SIGTRAP",
        libc::SIGXCPU => "SIGXCPU",
        libc::SIGXFSZ => "SIGXFSZ",
        _ => return format!("signal {signal}"),
    };
    format!("{name} ({signal})")
}

fn exception_name(code: u32) -> &'static str {
    match code {
        0xC000_0005 => " (access violation)",
        0xC000_0374 => " (heap corruption)",
        0xC000_00FD => " (stack overflow)",
        0xC000_001D => " (illegal instruction)",
        _ => "",
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::channel::new_token;
    use rstest::rstest;
    use std::path::PathBuf;

    /// Long enough for anything but a hang.
    const SOON: Duration = Duration::from_secs(60);

    #[rstest]
    #[case(libc::SIGABRT, "killed by SIGABRT (6)")]
    #[case(libc::SIGBUS, "killed by SIGBUS (7)")]
    #[case(libc::SIGFPE, "killed by SIGFPE (8)")]
    #[case(libc::SIGILL, "killed by SIGILL (4)")]
    #[case(libc::SIGKILL, "killed by SIGKILL (9)")]
    #[case(libc::SIGSEGV, "killed by SIGSEGV (11)")]
    #[case(libc::SIGSYS, "killed by SIGSYS (31)")]
    #[case(libc::SIGTERM, "killed by SIGTERM (15)")]
    #[case(libc::SIGTRAP, "killed by SIGTRAP (5)")]
    #[case(libc::SIGXCPU, "killed by SIGXCPU (24)")]
    #[case(libc::SIGXFSZ, "killed by SIGXFSZ (25)")]
    #[case(libc::SIGUSR1, "killed by signal 10")]
    #[cfg(target_os = "linux")]
    fn a_signal_is_told_by_its_name(#[case] signal: i32, #[case] words: &str) {
        use std::os::unix::process::ExitStatusExt;
        assert_eq!(describe(ExitStatus::from_raw(signal)), words);
    }

    #[test]
    fn an_early_end_is_told_with_its_status() {
        use std::os::unix::process::ExitStatusExt;
        let words = "the process exited with status 3 before the case was over";
        assert_eq!(describe(ExitStatus::from_raw(3 << 8)), words);
    }

    #[rstest]
    #[case(0xC000_0005, " (access violation)")]
    #[case(0xC000_0374, " (heap corruption)")]
    #[case(0xC000_00FD, " (stack overflow)")]
    #[case(0xC000_001D, " (illegal instruction)")]
    #[case(0xC000_0006, "")]
    fn an_exception_is_told_by_its_name(#[case] code: u32, #[case] words: &str) {
        assert_eq!(exception_name(code), words);
    }

    #[test]
    fn a_fence_has_a_second_more_than_the_time_limit_on_each_processor() {
        let runner = |is_fenced, front: Option<&str>| Runner {
            front: front.map(PathBuf::from),
            program: "/probe".into(),
            is_fenced,
            memory: None,
        };
        let limit = Duration::from_secs(5);
        let processors = thread::available_parallelism().unwrap().get() as u64;
        let fenced = runner(true, None);
        for may_fork in [false, true] {
            let launch = Launch::new(&fenced, limit).with_children(may_fork);
            let cpu_seconds = 6 * processors;
            assert_eq!(
                launch.fence(),
                Some(Fence {
                    may_fork,
                    cpu_seconds
                })
            );
            assert!(launch.owns_group());
        }
        let open = runner(false, Some("/wine"));
        let launch = Launch::new(&open, limit);
        assert_eq!(launch.fence(), None);
        assert!(!launch.owns_group(), "Wine's servers are others' too");
    }

    /// What is seen of a probe that is a shell script. `operations` are for it
    /// to read.
    fn seen_of(
        script: &str,
        environment: &[(String, String)],
        operations: Option<String>,
        timeout: Duration,
    ) -> Observation {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("probe");
        std::fs::write(&program, script).unwrap();
        let runner = Runner {
            front: Some(PathBuf::from("/bin/sh")),
            program,
            is_fenced: false,
            memory: None,
        };
        let job = Job {
            token: new_token(),
            case: "script".into(),
            load_name: "x".into(),
            exports: None,
            errno_library: None,
            alias: None,
            script: operations,
            fence: None,
        };
        Launch::new(&runner, timeout)
            .with_environment(environment)
            .observe(&job)
    }

    #[test]
    fn a_probe_has_the_environment_of_its_candidate() {
        let status = [("STATUS".to_owned(), "7".to_owned())];
        let seen = seen_of("exit $STATUS", &status, None, SOON);
        let words = "the process exited with status 7 before the case was over";
        assert_eq!(seen.ending, Ending::Died(words.into()));
    }

    #[test]
    fn a_silent_probe_behind_a_runner_is_started_again_but_not_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let count = folder.path().join("starts");
        let place = [("PLACE".to_owned(), count.display().to_string())];
        seen_of("echo >> \"$PLACE\"", &place, None, SOON);
        let starts = std::fs::read_to_string(count).unwrap().lines().count();
        assert_eq!(starts, STARTS);
    }

    #[test]
    fn the_time_limit_holds_for_a_probe_that_reads_nothing() {
        // More than a pipe holds.
        let operations = "_heapmin()\n".repeat(20_000);
        let limit = Duration::from_secs(1);
        let seen = seen_of("exec sleep 60\n", &[], Some(operations), limit);
        assert_eq!(seen.ending, Ending::TimedOut);
        assert!(seen.duration_ms < 30_000, "{}", seen.duration_ms);
    }
}
