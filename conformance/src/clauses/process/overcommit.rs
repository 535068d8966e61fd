//! More memory than the machine has.

use super::{PROCESS, need};
use crate::clause::Section::Notes;
use crate::clause::check::by;
use crate::clause::{Case, Clause, Judgement, Seen, record, stated};
use crate::clauses::pages;
use heapmin_harness::probe::{Probe, Stop};

pub(crate) static CLAUSES: &[Clause] = &[record(
    PROCESS,
    "process.more-than-the-machine",
    "whether malloc returns a block of twice the memory and swap of the machine; a page may not be there when it is written",
    stated(Notes).on(&pages::MALLOC_3),
    &[&TWICE],
    &[by("a block or NULL", recorded)],
)];

static TWICE: Case = Case::new(
    "process-more-than-the-machine",
    "requests twice the memory and swap of the machine, and writes nothing",
    twice,
)
.by_path();

const IS_BLOCK: &str = "a block of twice the memory";

fn twice(probe: &mut Probe) -> Result<(), Stop> {
    let unknown = || Stop::NotJudged("the memory of the machine is not known".into());
    let text = std::fs::read_to_string("/proc/meminfo").map_err(|_| unknown())?;
    let kib = |name| {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().split(' ').next()?.parse::<usize>().ok()
    };
    let memory = kib("MemTotal:").ok_or_else(unknown)? + kib("SwapTotal:").unwrap_or(0);
    probe.step("request twice the memory of the machine")?;
    let block = probe.crt.malloc(2 * (memory << 10))?;
    probe.fact(IS_BLOCK, block.is_some().into())?;
    match block {
        Some(block) => probe.crt.free(block),
        None => Ok(()),
    }
}

fn recorded(seen: &Seen) -> Judgement {
    match need(seen, IS_BLOCK) {
        Err(judgement) => judgement,
        Ok(0) => Judgement::pass("malloc returned NULL"),
        Ok(_) => Judgement::pass("malloc returned a block"),
    }
}
