//! Tests the proof: it must reject a program that runs without the reference heap.

use super::room::{Heap, Preload, Room};
use libtest_mimic::Failed;
use std::path::PathBuf;

pub(super) fn is_detected(preload: &Preload) -> Result<(), Failed> {
    let (heap, witness) = (preload.runtime.clone(), preload.witness.clone());
    let with_both = proof(preload, "both", vec![witness.clone(), heap.clone()])?;
    let without_heap = proof(preload, "no-heap", vec![witness])?;
    let without_witness = proof(preload, "no-witness", vec![heap])?;
    let without_any = proof(preload, "nothing", Vec::new())?;

    with_both?;
    expect(without_heap, "seq took malloc from ")?;
    expect(without_witness, "no line from seq")?;
    expect(without_any, "no line from seq")
}

/// The proof for a program that runs with these libraries.
fn proof(
    preload: &Preload,
    title: &str,
    preloaded: Vec<PathBuf>,
) -> Result<Result<(), String>, Failed> {
    let title = format!("without-the-heap-{title}");
    let room = Room::new(&title, Heap::System, &preload.runtime, &preloaded)?;
    let mut command = room.command("seq");
    let status = command.arg("0").status()?;
    match status.success() {
        true => Ok(room.proof("seq")),
        false => Err(Failed::from(format!("{command:?}: {status}"))),
    }
}

fn expect(proof: Result<(), String>, reason: &str) -> Result<(), Failed> {
    match proof {
        Err(error) if error.contains(reason) => Ok(()),
        other => Err(Failed::from(format!(
            "the proof is {other:?}, not {reason}"
        ))),
    }
}
