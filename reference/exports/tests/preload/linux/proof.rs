//! How it is known that a program ran on the reference heap: from what
//! `witness.c` wrote at the end of each process.

use std::path::Path;

/// `_HEAPOK`
const WHOLE: &str = "-2";

/// Whether every process ran on the heap in `library`, which was whole at its
/// end, and one of them was the program `name`.
pub(super) fn is_on_the_reference(
    testimony: &str,
    name: &str,
    library: &Path,
) -> Result<(), String> {
    let mut was_there = false;
    for line in testimony.lines() {
        let mut fields = line.split('\t');
        let program = fields.next().unwrap_or_default();
        was_there |= program == name;
        let [glibc, heapchk] = [fields.next(), fields.next()].map(Option::unwrap_or_default);
        for routine in fields {
            let (routine, place) = routine.split_once('=').unwrap_or_default();
            if Path::new(place) != library {
                return Err(format!("{program} took {routine} from {place}"));
            }
        }
        if glibc != "0" {
            return Err(format!("{program} had {glibc} bytes of the heap of glibc"));
        }
        if heapchk != WHOLE {
            return Err(format!("at the end of {program} _heapchk said {heapchk}"));
        }
    }
    match was_there {
        true => Ok(()),
        false => Err(format!("no word from {name}, so no witness was loaded")),
    }
}
