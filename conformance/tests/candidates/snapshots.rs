//! Snapshots of what was observed in the cases of each routine, in fixtures/snapshots. Libraries
//! that observe the same share a snapshot.

use heapmin_conformance::clause::Case;
use heapmin_conformance::clauses;
use libtest_mimic::Failed;
use std::fs;
use std::path::{Path, PathBuf};

/// Whether a snapshot has a routine's cases. What a heap does in a process depends on the
/// machine's limits: only verdicts are compared.
pub(super) fn is_general((_, cases): &(&str, Vec<&Case>)) -> bool {
    cases.iter().all(|it| it.stand_in.is_none())
}

/// Cases that are judged but are in no snapshot, since their observations vary: with the memory
/// of the machine, or, in Wine's libraries, with the addresses that an overflow reaches.
const NO_SNAPSHOT: [&str; 4] = [
    "malloc-over-2-gib",
    "malloc-over-4-gib",
    "aligned-realloc-no-memory",
    "aligned-offset-realloc-no-memory",
];

/// The cases of each routine: by the first part of their clauses' ids, such as `heapmin`. A case
/// of several clauses belongs to the first.
pub(super) fn routines() -> Vec<(&'static str, Vec<&'static Case>)> {
    let mut routines: Vec<(&str, Vec<&Case>)> = Vec::new();
    for clause in clauses::all() {
        let (name, _) = clause.id.split_once('.').expect("an id has two parts");
        for case in clause.cases {
            let is_known = routines
                .iter()
                .any(|(_, cases)| cases.iter().any(|known| known.name == case.name));
            if is_known || NO_SNAPSHOT.contains(&case.name) {
                continue;
            }
            match routines.iter_mut().find(|(known, _)| *known == name) {
                Some((_, cases)) => cases.push(case),
                None => routines.push((name, vec![case])),
            }
        }
    }
    routines
}

/// Whether it depends on chance what is observed in a case, so that no snapshot has it.
pub(super) fn is_by_chance(group: &str, case: &Case) -> bool {
    // Which request meets the refusal depends on the memory that the heap has left.
    let is_refused = case.fault == Some("out-of-memory");
    // mimalloc resizes in place if the address happens to be a multiple of the wrong alignment.
    let is_unaligned = group == "mimalloc" && case.name.ends_with("-not-a-power-of-two");
    // Whether glibc notices a damaged neighbour depends on what else its heap has held.
    let is_damaged = group == "glibc" && case.name == "damage-overrun";
    // Whether Wine's 32-bit heap crashes on a changed list of free blocks, or reports it.
    let is_overwritten =
        group.contains("-x86-under-wine") && case.name == "damage-write-after-free";
    is_refused || is_unaligned || is_damaged || is_overwritten
}

/// Whether there are snapshots of a group, or may be after this run.
pub(super) fn is_taken(group: &str) -> bool {
    path_of(group, "").is_dir()
        || families_of(group).next().is_some()
        || std::env::var_os("INSTA_UPDATE").is_some()
}

/// Compares with the group's own snapshot or, if it has none of this routine, with that of a
/// family.
pub(super) fn compare(group: &str, routine: &str, text: &str) -> Result<(), Failed> {
    let file = format!("{routine}.snap");
    let is_there = |folder: &str| path_of(folder, &file).is_file();
    let mut families = families_of(group);
    let narrowest = families_of(group).find(|(family, _)| is_there(family.folder));
    let family = match is_there(group) {
        true => None,
        false => narrowest.or_else(|| families.next_back()),
    };
    let Some((family, loaded)) = family else {
        assert_snapshot(group, routine, text);
        return Ok(());
    };
    let text = text.replace(&format!("loaded: {loaded}\n"), "loaded: {file}\n");
    // Insta may update the family's snapshot from the observations of one member. From those of
    // several, the last one would win.
    let mut members = family.members.iter().map(|(member, _)| *member);
    let writer = members.find(|member| !is_there(member));
    if writer == Some(group) {
        assert_snapshot(family.folder, routine, &text);
        return Ok(());
    }
    same_as_family(family, group, &file, &text).map_err(|difference| {
        let (folder, writer) = (family.folder, writer.unwrap_or_default());
        Failed::from(format!(
            "{difference}\n\
             {group} shares this snapshot with the other members of the family {folder}.\n\
             If all of them changed, update it: run the test {writer}::observes::{routine} with \
             INSTA_UPDATE=always.\n\
             If only {group} changed, give it its own: copy fixtures/snapshots/{folder}/{file} to \
             fixtures/snapshots/{group}/ and run this test with INSTA_UPDATE=always."
        ))
    })
}

/// Returns the first difference from the family's snapshot as an error.
fn same_as_family(family: &Family, group: &str, file: &str, text: &str) -> Result<(), String> {
    let path = path_of(family.folder, file);
    let snapshot = fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let (header, snapshot) = snapshot.split_once("\n---\n").unwrap_or_default();
    let expected: Vec<_> = snapshot.trim_end().lines().collect();
    let observed: Vec<_> = text.trim_end().lines().collect();
    if expected == observed {
        return Ok(());
    }
    let pairs = expected.iter().zip(&observed);
    let same = pairs
        .take_while(|(expected, observed)| expected == observed)
        .count();
    let line = |lines: &[&str]| (*lines.get(same).unwrap_or(&"the end")).to_owned();
    Err(format!(
        "{group} differs from fixtures/snapshots/{}/{file}:{}\n  expected {}\n  observed {}",
        family.folder,
        header.lines().count() + same + 2,
        line(&expected),
        line(&observed),
    ))
}

fn assert_snapshot(folder: &str, routine: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => Path::new("../..").join(SNAPSHOTS).join(folder),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(routine, text);
    });
}

/// From this package's folder.
const SNAPSHOTS: &str = "../fixtures/snapshots";

fn path_of(folder: &str, file: &str) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.join(SNAPSHOTS).join(folder).join(file)
}

/// Snapshot groups that share a snapshot of each routine for which they have none of their own.
struct Family {
    folder: &'static str,
    /// Each with the file that the loader loads. The family's snapshots have `{file}` instead.
    members: &'static [(&'static str, &'static str)],
}

/// The narrower family first. The first member without its own snapshot updates the family's.
const FAMILIES: [Family; 8] = [
    Family {
        folder: "genuine-ucrtbase",
        members: &[
            ("genuine-ucrtbase-under-wine", "ucrtbase.dll"),
            ("genuine-ucrtbase-10.0.17134-under-wine", "ucrtbase.dll"),
        ],
    },
    Family {
        folder: "genuine-msvcr110-and-msvcr120",
        members: &[
            ("genuine-msvcr120-under-wine", "msvcr120.dll"),
            ("genuine-msvcr110-under-wine", "msvcr110.dll"),
        ],
    },
    // From reports: .ci/nightly compares those of another Wine.
    Family {
        folder: "genuine-msvcr110-and-msvcr120-x86",
        members: &[
            ("msvcr120-12.0.21005.1-x86-under-wine-8.0", "msvcr120.dll"),
            ("msvcr110-11.0.50727.1-x86-under-wine-8.0", "msvcr110.dll"),
        ],
    },
    Family {
        folder: "wine-ucrtbase",
        members: &[
            ("ucrtbase-of-wine", "ucrtbase.dll"),
            ("api-ms-win-crt-heap-l1-1-0-of-wine", "ucrtbase.dll"),
        ],
    },
    Family {
        folder: "wine-since-msvcr80",
        members: &[
            ("msvcr80-of-wine", "msvcr80.dll"),
            ("msvcr90-of-wine", "msvcr90.dll"),
            ("msvcr100-of-wine", "msvcr100.dll"),
            ("msvcr110-of-wine", "msvcr110.dll"),
            ("msvcr120-of-wine", "msvcr120.dll"),
            ("ucrtbase-of-wine", "ucrtbase.dll"),
            ("api-ms-win-crt-heap-l1-1-0-of-wine", "ucrtbase.dll"),
        ],
    },
    Family {
        folder: "wine-before-msvcr70",
        members: &[
            ("msvcrtd-of-wine", "msvcrtd.dll"),
            ("msvcrt20-of-wine", "msvcrt20.dll"),
            ("msvcrt40-of-wine", "msvcrt40.dll"),
            ("crtdll-of-wine", "crtdll.dll"),
        ],
    },
    Family {
        folder: "wine-before-msvcr80",
        members: &[
            ("msvcr70-of-wine", "msvcr70.dll"),
            ("msvcr71-of-wine", "msvcr71.dll"),
            ("msvcrt-of-wine", "msvcrt.dll"),
            ("msvcrtd-of-wine", "msvcrtd.dll"),
            ("msvcrt20-of-wine", "msvcrt20.dll"),
            ("msvcrt40-of-wine", "msvcrt40.dll"),
            ("crtdll-of-wine", "crtdll.dll"),
        ],
    },
    Family {
        folder: "adapters",
        members: &[
            ("glibc", "libglibc.so"),
            ("jemalloc", "libjemalloc.so"),
            ("mimalloc", "libmimalloc.so"),
            ("tcmalloc", "libtcmalloc.so"),
        ],
    },
];

/// The families of which a group is a member, each with the file that the loader loads.
fn families_of(group: &str) -> impl DoubleEndedIterator<Item = (&'static Family, &'static str)> {
    FAMILIES.iter().filter_map(move |family| {
        let mut members = family.members.iter();
        let (_, file) = members.find(|(member, _)| *member == group)?;
        Some((family, *file))
    })
}
