//! Several runs as one record, for views.

use super::Run;

/// The runs as one: the libraries of all, and all that is not as expected. The first run
/// gives the machine and the options. `None` without a run.
pub fn join(runs: Vec<Run>) -> Option<Run> {
    let mut runs = runs.into_iter();
    let mut all = runs.next()?;
    for run in runs {
        if run.machine != all.machine || run.build != all.build {
            let note = "the runs are of several machines or versions of heapmin; the report names the first";
            if !all.notes.iter().any(|known| known == note) {
                all.notes.push(note.into());
            }
        }
        for clause in run.clauses {
            if all.promise(&clause.id).is_none() {
                all.clauses.push(clause);
            }
        }
        all.candidates.extend(run.candidates);
        all.refused.extend(run.refused);
        all.complaints.extend(run.complaints);
        all.known.extend(run.known);
        all.notes.extend(run.notes);
        all.status = all.status.max(run.status);
        all.interrupted |= run.interrupted;
        all.duration_ms += run.duration_ms;
    }
    Some(all)
}
