//! The proof that a program ran on the reference heap: what `witness.c` wrote at
//! the end of each process.

use std::path::Path;

/// `_HEAPOK`
const SOUND: &str = "-2";

/// Returns an error unless every process ran on the heap in `library`, that heap was
/// sound at its end, and one process was the program `name`.
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
            return Err(format!("{program} used {glibc} bytes of glibc's heap"));
        }
        if heapchk != SOUND {
            return Err(format!(
                "_heapchk returned {heapchk} at the end of {program}"
            ));
        }
    }
    match was_there {
        true => Ok(()),
        false => Err(format!("no line from {name}: the witness was not loaded")),
    }
}
