//! The routines that a C file calls, as C declares them.

/// Each routine: what it returns, its name, and its parameters.
const DECLARATIONS: &str = include_str!("c/routines.txt");

/// What the routine returns, and its parameters.
pub(super) fn declaration(routine: &str) -> Option<(&'static str, &'static str)> {
    DECLARATIONS.lines().find_map(|line| {
        let (returns, rest) = line.split_once(" | ")?;
        let (name, parameters) = rest.split_once(" | ")?;
        (name == routine).then_some((returns, parameters))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use heapmin_harness::library::routines::ROUTINES;

    #[test]
    fn every_routine_that_a_probe_knows_has_a_declaration() {
        for routine in ROUTINES {
            assert!(declaration(routine).is_some(), "{routine}");
        }
    }
}
