//! Starts a probe for one case.

use super::interruption;
use super::memory_limit::MemoryLimit;
use super::process_limit::ProcessLimit;
use super::runner::{Runner, Starter};
use super::scratch::Scratch;
use super::watch::{Limits, TICK, watch};
use crate::wire::channel::new_token;
use crate::wire::fence::Fence;
use crate::wire::job::{Job, MARK_VARIABLE, PROBE_COMMAND};
use crate::wire::observation::{Ending, Event, Observation};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How many times a probe under Wine is started, if each ends before its first event.
const STARTS: usize = 3;

/// Starts probes.
pub struct Launch<'a> {
    runner: &'a Runner,
    timeout: Duration,
    environment: &'a [(String, String)],
    may_fork: bool,
    limit: Option<ProcessLimit>,
}

impl<'a> Launch<'a> {
    /// Starts probes with this runner, and kills each after `timeout`.
    pub fn new(runner: &'a Runner, timeout: Duration) -> Self {
        Launch {
            runner,
            timeout,
            environment: &[],
            may_fork: false,
            limit: None,
        }
    }

    /// Limits a resource of each probe from its start. Only on Linux.
    pub fn with_limit(self, limit: Option<ProcessLimit>) -> Self {
        Launch { limit, ..self }
    }

    /// Sets whether the probe may start child processes.
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

    /// Runs one case in its own process. Always returns, whatever the candidate does.
    ///
    /// A probe under Wine ends before its first event if it connects to a Wine server
    /// that is about to exit. Such a probe has not loaded the candidate, so it is
    /// started again.
    pub fn observe(&self, job: &Job) -> Observation {
        let mut observation = self.observe_once(job);
        for _ in 1..STARTS {
            if interruption::is_wanted() {
                break;
            }
            let silent =
                matches!(observation.ending, Ending::Died(_)) && !observation.has_started();
            if !silent || !self.runner.is_wine() {
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
        let ending = self.run(job, start + self.timeout, &mut events);
        Observation {
            events,
            ending: ending.unwrap_or_else(Ending::Failed),
            duration_ms: start.elapsed().as_millis() as u64,
        }
    }

    fn run(&self, job: &Job, deadline: Instant, events: &mut Vec<Event>) -> Result<Ending, String> {
        let has_scratch = self.runner.is_fenced && !self.runner.is_wine();
        let scratch = has_scratch.then(Scratch::new).transpose()?;
        let mark = new_token();
        let child = self.spawn(scratch.as_ref(), &mark).map_err(|error| {
            let program = self.runner.program.display();
            format!("{program} cannot be started: {error}")
        })?;
        // The process of a user's command may not be the one that holds the memory.
        let is_probe = !matches!(self.runner.starter, Starter::Command(_));
        let memory = match self.runner.is_fenced && is_probe {
            true => MemoryLimit::over(&child, self.runner.memory),
            false => None,
        };
        let job = Job {
            fence: self.fence(),
            ..job.clone()
        };
        // The end of this function removes the scratch folder.
        let limits = Limits {
            deadline,
            memory,
            scratch,
            is_wine: self.runner.is_wine(),
            mark,
        };
        Ok(watch(child, &job, &limits, events, self.runner))
    }

    fn fence(&self) -> Option<Fence> {
        let processors = thread::available_parallelism().map_or(1, usize::from) as u64;
        self.runner.is_fenced.then(|| Fence {
            may_fork: self.may_fork,
            cpu_seconds: (self.timeout.as_secs() + 1) * processors,
        })
    }

    fn spawn(&self, scratch: Option<&Scratch>, mark: &str) -> std::io::Result<Child> {
        let program = &self.runner.program;
        let mut words = self.runner.starter.words();
        words.push(program.into());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        if self.runner.is_wine() && std::env::var_os("WINEDEBUG").is_none() {
            command.env("WINEDEBUG", "-all");
        }
        command
            .arg(PROBE_COMMAND)
            .env(MARK_VARIABLE, mark)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        if let Some(scratch) = scratch {
            command.env("TMPDIR", scratch.path());
        }
        // Ctrl-C then reaches only this process, which ends its probes itself.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        #[cfg(target_os = "linux")]
        if !self.runner.is_this_system() {
            end_with_this_process(&mut command);
        }
        #[cfg(target_os = "linux")]
        if let Some(limit) = self.limit {
            use std::os::unix::process::CommandExt;
            // SAFETY: `set` makes one system call, which allocates nothing and takes no lock.
            unsafe { command.pre_exec(move || limit.set()) };
        }
        #[cfg(not(target_os = "linux"))]
        let _ = self.limit;
        command.spawn()
    }
}

/// Makes the system kill a command's process when this process ends. A probe that this
/// system starts does so itself; Wine does not.
#[cfg(target_os = "linux")]
pub(super) fn end_with_this_process(command: &mut Command) {
    use rustix::process::{Signal, set_parent_process_death_signal};
    use std::os::unix::process::CommandExt;
    let prepare = || set_parent_process_death_signal(Some(Signal::KILL)).map_err(Into::into);
    // SAFETY: `prepare` makes one system call, which allocates nothing and takes no lock.
    unsafe { command.pre_exec(prepare) };
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::library::inspect::Format;
    use crate::parent::target::Target;

    /// Only a probe that hangs takes longer.
    const SOON: Duration = Duration::from_secs(60);

    #[test]
    fn a_fence_allows_one_second_more_than_the_time_limit_on_each_processor() {
        let runner = |is_fenced| Runner {
            starter: Starter::System,
            target: Target::native(),
            wine_version: None,
            program: "/probe".into(),
            is_fenced,
            memory: None,
            sees_memory: true,
            frees_threads: true,
        };
        let limit = Duration::from_secs(5);
        let processors = thread::available_parallelism().unwrap().get() as u64;
        let fenced = runner(true);
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
        }
        assert_eq!(Launch::new(&runner(false), limit).fence(), None);
    }

    /// The observation of a shell script in place of a probe. The script can read
    /// `operations`.
    fn observe_shell(
        script: &str,
        environment: &[(String, String)],
        operations: Option<String>,
        timeout: Duration,
    ) -> Observation {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("probe");
        std::fs::write(&program, script).unwrap();
        let runner = Runner {
            starter: Starter::Command(vec!["/bin/sh".into()]),
            target: Target::new(Format::Pe, "x86_64"),
            wine_version: None,
            program,
            is_fenced: false,
            memory: None,
            sees_memory: true,
            frees_threads: true,
        };
        let job = Job {
            token: new_token(),
            case: "script".into(),
            load_name: "x".into(),
            script: operations,
            ..Job::default()
        };
        Launch::new(&runner, timeout)
            .with_environment(environment)
            .observe(&job)
    }

    #[test]
    fn a_probe_gets_the_environment_of_its_candidate() {
        let status = [("STATUS".to_owned(), "7".to_owned())];
        let seen = observe_shell("exit $STATUS", &status, None, SOON);
        let words = "the process exited with status 7 before the case was over";
        assert_eq!(seen.ending, Ending::Died(words.into()));
    }

    #[test]
    fn a_silent_probe_under_wine_is_started_three_times() {
        let folder = tempfile::tempdir().unwrap();
        let count = folder.path().join("starts");
        let place = [("PLACE".to_owned(), count.display().to_string())];
        observe_shell("echo >> \"$PLACE\"", &place, None, SOON);
        let starts = std::fs::read_to_string(count).unwrap().lines().count();
        assert_eq!(starts, STARTS);
    }

    #[test]
    fn the_time_limit_holds_for_a_probe_that_reads_nothing() {
        // More text than a pipe holds.
        let operations = "_heapmin()\n".repeat(20_000);
        let limit = Duration::from_secs(1);
        let seen = observe_shell("exec sleep 60\n", &[], Some(operations), limit);
        assert_eq!(seen.ending, Ending::TimedOut);
        assert!(seen.duration_ms < 30_000, "{}", seen.duration_ms);
    }
}
