//! The known deviations of profiles.

use super::known::{Known, parse_known, parse_list};
use super::names;
use crate::run::Checked;
use heapmin_fixtures::DEVIATIONS;
use heapmin_harness::library::profile::Profile;
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

/// The known deviations of the profiles of a run, by the name of the profile.
#[derive(Debug, Default)]
pub struct Profiles(BTreeMap<String, Vec<Known>>);

impl Profiles {
    /// Reads the known deviations of the candidates' profiles.
    ///
    /// # Errors
    /// As [`known_deviations`].
    pub fn of<'a>(
        candidates: impl IntoIterator<Item = &'a Candidate>,
    ) -> Result<Profiles, InputError> {
        let profiles = candidates.into_iter().filter_map(|it| it.profile.as_ref());
        let known = profiles.map(|it| Ok((it.name.clone(), known_deviations(it)?)));
        Ok(Profiles(known.collect::<Result<_, InputError>>()?))
    }

    /// The known deviations of this candidate's profile.
    pub fn known(&self, candidate: &Candidate) -> &[Known] {
        let profile = candidate.profile.as_ref();
        let known = profile.and_then(|profile| self.0.get(&profile.name));
        known.map_or(&[], Vec::as_slice)
    }

    /// Sets `known` of the deviations that the profiles list.
    pub fn mark(&self, checked: &mut [Checked]) {
        for one in checked {
            let known = self.known(&one.candidate);
            super::status::mark_one(one, known);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use heapmin_harness::library::inspect::Maker;

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
}
