//! A probe under a tool: its job in a file, and what it reported.

use super::tool::{Command, Tool};
use crate::observe::Prepared;
use heapmin_harness::parent::runner::Runner;
use heapmin_harness::parent::scratch::Scratch;
use heapmin_harness::text::input_error::InputError;
use heapmin_harness::text::printable::{on_one_line, shown};
use heapmin_harness::wire::channel::events;
use heapmin_harness::wire::job::EVENTS_FILE;
use heapmin_harness::wire::observation::Event;
use heapmin_harness::wire::stop::{StopAt, is_report};
use std::fs::File;
use std::process::ExitStatus;

/// A probe that a tool can start.
pub struct Session {
    folder: Scratch,
    command: Command,
    token: String,
    stop: Option<StopAt>,
}

impl Session {
    /// Writes the job, and makes the command.
    ///
    /// # Errors
    /// If the job cannot be written.
    pub fn new(tool: &Tool, runner: &Runner, prepared: &Prepared) -> Result<Session, InputError> {
        let mend = "set TMPDIR to a folder that can be written";
        let folder = Scratch::new().map_err(|problem| InputError::new(problem, mend))?;
        let job = folder.path().join("job");
        let text = serde_json::to_string(&prepared.job).expect("a job is plain data");
        std::fs::write(&job, text)
            .map_err(|error| InputError::new(format!("{}: {error}", job.display()), mend))?;
        Ok(Session {
            command: tool.command(runner, prepared, &job)?,
            token: prepared.job.token.clone(),
            stop: prepared.job.stop,
            folder,
        })
    }

    /// The command that it starts.
    pub fn command(&self) -> &Command {
        &self.command
    }

    /// Runs the tool in this terminal, and waits for its end.
    ///
    /// # Errors
    /// If the tool does not start.
    pub fn run(&self) -> Result<ExitStatus, InputError> {
        let words = &self.command.words;
        let environment = self.command.environment.iter();
        std::process::Command::new(&words[0])
            .args(&words[1..])
            .envs(environment.map(|(name, value)| (name, value)))
            .status()
            .map_err(|error| {
                InputError::new(
                    format!("{} cannot be started: {error}", shown(&words[0])),
                    "install it, or name another one with --debugger or --with",
                )
            })
    }

    /// How far the case came, in a sentence.
    pub fn account(&self) -> String {
        let file = File::open(self.folder.path().join(EVENTS_FILE));
        let events: Vec<Event> = file
            .map(|file| events(file, &self.token).collect())
            .unwrap_or_default();
        account(&events, self.stop)
    }
}

fn account(events: &[Event], stop: Option<StopAt>) -> String {
    let reports = events.iter().filter(|event| is_report(event)).count() as u64;
    let last_step = events.iter().rev().find_map(|event| match event {
        Event::Step(step) => Some(on_one_line(step)),
        _ => None,
    });
    let during = last_step.map(|step| format!(" in the step \"{step}\""));
    let missed = match stop {
        Some(StopAt::Report(count)) => reports < count,
        Some(StopAt::Call(count)) => reports <= count,
        Some(StopAt::Load) | None => false,
    };
    let said = |event: &Event| match event {
        Event::ProbeFailed(why) => Some(format!("the probe failed: {}", on_one_line(why))),
        Event::LoadFailed(why) => Some(format!("the loader rejects it: {}", on_one_line(why))),
        Event::NotApplicable(why) | Event::NotJudged(why) => {
            Some(format!("the case ended early: {}", on_one_line(why)))
        }
        _ => None,
    };
    match events.last() {
        None => "the probe did not start".into(),
        Some(_) if let Some(said) = events.iter().find_map(said) => said,
        Some(Event::Done) if missed => {
            "the case came to its end without the call or step at which it deviated before".into()
        }
        Some(Event::Done) => "the case came to its end".into(),
        Some(_) => format!(
            "the process ended{} before the case was over",
            during.unwrap_or_default()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn step() -> Event {
        Event::Step("free\nall".into())
    }

    #[rstest]
    #[case::nothing(vec![], None, "the probe did not start")]
    #[case::done(vec![step(), Event::Done], None, "the case came to its end")]
    #[case::there(vec![step(), Event::Done], Some(StopAt::Report(1)), "the case came to its end")]
    #[case::elsewhere(vec![step(), Event::Done], Some(StopAt::Call(1)), "the case came to its end without the call or step at which it deviated before")]
    #[case::dead(vec![step()], Some(StopAt::Report(1)), "the process ended in the step \"free\\nall\" before the case was over")]
    #[case::dead_early(vec![Event::SharesErrno], None, "the process ended before the case was over")]
    #[case::failed(vec![Event::LoadFailed("no".into()), Event::Done], None, "the loader rejects it: no")]
    fn the_account_says_how_far_the_case_came(
        #[case] events: Vec<Event>,
        #[case] stop: Option<StopAt>,
        #[case] words: &str,
    ) {
        assert_eq!(account(&events, stop), words);
    }
}
