//! Landlock: what the process may write to. Reading stays free; a library
//! finds its configuration and its neighbours where they are.

use landlock::{
    ABI, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus,
};

/// The newest rights that are asked for; older kernels have some of them.
const NEWEST: ABI = ABI::V5;
/// What harms nobody.
const DEVICES: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/full"];

/// Allows writing below the folder for temporary files, which the harness made
/// for this probe alone, and nowhere else.
pub(super) fn writes_to_scratch_only() -> Result<(), String> {
    let raised = || -> Result<RulesetStatus, Box<dyn std::error::Error>> {
        let writing = AccessFs::from_write(NEWEST);
        let scratch = PathFd::new(std::env::temp_dir())?;
        let mut ruleset = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(writing)?
            .create()?
            .add_rule(PathBeneath::new(scratch, writing))?;
        for device in DEVICES {
            // A container may have fewer of them.
            if let Ok(device) = PathFd::new(device) {
                let file = AccessFs::from_file(NEWEST) & writing;
                ruleset = ruleset.add_rule(PathBeneath::new(device, file))?;
            }
        }
        Ok(ruleset.restrict_self()?.ruleset)
    };
    match raised().map_err(|error| error.to_string())? {
        RulesetStatus::NotEnforced => Err("this kernel has no Landlock".into()),
        RulesetStatus::FullyEnforced | RulesetStatus::PartiallyEnforced => Ok(()),
    }
}
