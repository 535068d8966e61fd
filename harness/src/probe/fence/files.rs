//! Landlock: limits where the process may write. Reading is not limited, since a library
//! must find its configuration and the libraries that it needs.

use landlock::{
    ABI, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetStatus,
};

/// The newest set of rights that is requested. Older kernels support a part of it.
const NEWEST: ABI = ABI::V5;
/// Devices that may be written: writing to them does no harm.
const DEVICES: [&str; 3] = ["/dev/null", "/dev/zero", "/dev/full"];

/// Allows writing only in the folder for temporary files, which the parent created for
/// this probe.
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
            // A container may lack some of them.
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
