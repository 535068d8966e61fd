//! The known deviations of profiles, and of the system beneath the libraries.

use super::known::{Known, parse_known, parse_list};
use super::names;
use super::status::mark_those;
use crate::run::{Checked, Outcome};
use heapmin_fixtures::DEVIATIONS;
use heapmin_harness::library::profile::{Profile, Source};
use heapmin_harness::parent::candidate::Candidate;
use heapmin_harness::text::input_error::InputError;
use std::collections::BTreeMap;

/// The known deviations of a profile: its own entries, and the entries of the lists
/// that it shares with other profiles.
///
/// # Errors
/// If an entry is wrong, or if the profile names a list that does not exist.
pub fn known_deviations(profile: &Profile) -> Result<Vec<Known>, InputError> {
    let known = with_shared(profile, DEVIATIONS)?;
    names::check_known(&known)?;
    Ok(known)
}

fn with_shared(profile: &Profile, lists: &[(&str, &str)]) -> Result<Vec<Known>, InputError> {
    let mut known = parse_known(&profile.file, &profile.text)?;
    for name in &profile.shares {
        let Some((_, text)) = lists.iter().find(|(list, _)| list == name) else {
            let names: Vec<_> = lists.iter().map(|(list, _)| *list).collect();
            return Err(InputError::new(
                format!("{}: no shared list is called {name}", profile.file),
                format!("the lists are {}", names.join(", ")),
            ));
        };
        let file = format!("fixtures/deviations/{name}.toml");
        known.extend(parse_list(&file, text)?);
    }
    Ok(known)
}

/// The known deviations of Wine's own heap, which are those of every library that rests on
/// it.
///
/// # Errors
/// If an entry is wrong.
pub fn wine_itself() -> Result<Vec<Known>, InputError> {
    const NAME: &str = "system-wine";
    let mut lists = DEVIATIONS.iter();
    let (_, text) = lists
        .find(|(name, _)| *name == NAME)
        .expect("it is shipped");
    let known = parse_list(&format!("fixtures/deviations/{NAME}.toml"), text)?;
    names::check_known(&known)?;
    Ok(known)
}

/// The known deviations of the profiles of a run, and those of the system.
#[derive(Debug, Default)]
pub struct Profiles {
    by_name: BTreeMap<String, Vec<Known>>,
    wine_itself: Vec<Known>,
}

impl Profiles {
    /// Reads the known deviations of the candidates' profiles and of the system.
    ///
    /// # Errors
    /// As [`known_deviations`].
    pub fn of<'a>(
        candidates: impl IntoIterator<Item = &'a Candidate>,
    ) -> Result<Profiles, InputError> {
        let profiles = candidates.into_iter().filter_map(|it| it.profile.as_ref());
        let known = profiles.map(|it| Ok((it.name.clone(), known_deviations(it)?)));
        Ok(Profiles {
            by_name: known.collect::<Result<_, InputError>>()?,
            wine_itself: wine_itself()?,
        })
    }

    /// The known deviations of this candidate's profile.
    pub fn known(&self, candidate: &Candidate) -> &[Known] {
        let profile = candidate.profile.as_ref();
        let known = profile.and_then(|profile| self.by_name.get(&profile.name));
        known.map_or(&[], Vec::as_slice)
    }

    /// The known deviations of the system that runs this candidate.
    fn of_system(&self, candidate: &Candidate) -> &[Known] {
        match candidate.runner.is_wine() {
            true => &self.wine_itself,
            false => &[],
        }
    }

    /// The known deviations of the system that this candidate must show: a library of Windows
    /// rests on the system's heap.
    pub fn shown_by(&self, candidate: &Candidate) -> &[Known] {
        let profile = candidate.profile.as_ref();
        match profile.is_some_and(|profile| profile.source == Source::System) {
            true => self.of_system(candidate),
            false => &[],
        }
    }

    /// Sets `known` of the deviations that the profiles list, and of those that are the
    /// system's and listed there.
    pub fn mark(&self, checked: &mut [Checked]) {
        let is_the_systems = |outcome: &Outcome| outcome.beneath.is_some();
        for one in checked {
            mark_those(one, self.of_system(&one.candidate), is_the_systems);
            mark_those(one, self.known(&one.candidate), |_| true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::beneath::Beneath;
    use crate::clause::Judgement;
    use crate::forged::{checked, outcome};
    use crate::select::clause;
    use heapmin_harness::library::inspect::{Format, Maker};
    use heapmin_harness::parent::target::Target;

    const VALID: &str = "title = 'A'\nlibrary = 'a.dll'\nsource = 'system'\nerrno = 'msvc'\n";

    fn profile(more: &str) -> Profile {
        Profile::parse("a", &format!("{VALID}{more}")).unwrap()
    }

    #[test]
    fn an_entry_is_of_its_clause_and_maker() {
        let known = "[[known]]\nclause = 'c'\nmaker = 'wine'\nwhy = 'w'\n";
        let known = &with_shared(&profile(known), &[]).unwrap()[0];
        assert_eq!(
            (&known.verdicts[..], known.maker),
            (&["fail".to_owned()][..], Some(Maker::Wine))
        );
        assert!(known.is_of("c", "any"));
        assert!(!known.is_of("d", "any"));
    }

    #[test]
    fn an_entry_may_list_several_clauses_and_be_shared_by_profiles() {
        let list = "[[known]]\nclause = ['d', 'e']\nverdict = 'crash'\nwhy = 'w'\n";
        let profile = profile("shares = ['l']\n[[known]]\nclause = 'c'\nwhy = 'v'\n");
        assert!(with_shared(&profile, &[]).is_err());
        let known = with_shared(&profile, &[("l", list)]).unwrap();
        let seen: Vec<_> = known
            .iter()
            .map(|known| (&known.clause[..], &known.verdicts[0][..]))
            .collect();
        assert_eq!(seen, [("c", "fail"), ("d", "crash"), ("e", "crash")]);
        assert_eq!(known[0].place.to_string(), "fixtures/profiles/a.toml:6");
        assert_eq!(known[1].place.to_string(), "fixtures/deviations/l.toml:2");
    }

    #[test]
    fn the_error_about_an_entry_without_a_reason_names_the_file() {
        let error = known_deviations(&profile("[[known]]\nclause = 'c'\n")).unwrap_err();
        assert!(
            error.problem.contains("fixtures/profiles/a.toml"),
            "{error}"
        );
    }

    #[test]
    fn a_shared_list_contains_nothing_but_known_deviations() {
        let profile = profile("shares = ['l']\n");
        for wrong in [
            "[[knwon]]\nclause = 'c'\nwhy = 'w'\n",
            "[[judged]]\nclause = 'c'\n",
        ] {
            let error = with_shared(&profile, &[("l", wrong)]).unwrap_err();
            let problem = &error.problem;
            assert!(problem.contains("fixtures/deviations/l.toml"), "{error}");
        }
    }
    #[test]
    fn every_entry_of_the_system_is_of_a_clause_that_rests_on_it() {
        for entry in wine_itself().unwrap() {
            let clause = clause(&entry.clause).unwrap();
            assert!(clause.rests_on_system, "{}", entry.place);
        }
    }

    #[test]
    fn an_entry_of_the_system_lets_through_only_what_the_system_does_too() {
        // Of Wine 10 and later only.
        const CLAUSE: &str = "heapwalk.every-live-block-once";
        let profiles = Profiles::of([]).unwrap();
        let mut run = checked(vec![
            outcome(CLAUSE, 0, Judgement::fail("NULL")),
            Outcome {
                beneath: Some(Beneath {
                    system: "Wine 10.0".into(),
                    observed: "NULL".into(),
                }),
                ..outcome(CLAUSE, 0, Judgement::fail("NULL"))
            },
        ]);
        let marked = |run: &mut Checked| {
            profiles.mark(std::slice::from_mut(run));
            run.outcomes
                .iter()
                .map(|it| it.known.is_some())
                .collect::<Vec<_>>()
        };
        run.candidate.runner.wine_version = Some("10.0".into());
        assert_eq!(marked(&mut run), [false, false], "not under Wine");
        run.candidate.runner.target = Target::new(Format::Pe, "x86_64");
        run.candidate.runner.wine_version = Some("8.0".into());
        assert_eq!(marked(&mut run), [false, false], "another version");
        run.candidate.runner.wine_version = Some("10.0".into());
        assert_eq!(marked(&mut run), [false, true]);
    }

    #[test]
    fn the_systems_deviations_must_occur_in_the_libraries_of_windows() {
        let profiles = Profiles::of([]).unwrap();
        let mut candidate = checked(Vec::new()).candidate;
        candidate.runner.target = Target::new(Format::Pe, "x86_64");
        assert_eq!(profiles.shown_by(&candidate), []);
        candidate.profile = Some(profile(""));
        assert_ne!(profiles.shown_by(&candidate), []);
        candidate.runner.target = Target::native();
        assert_eq!(profiles.shown_by(&candidate), []);
    }
}
