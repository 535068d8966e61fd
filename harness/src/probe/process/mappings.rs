//! The mappings of this process, as the system lists them.

use crate::probe::Stop;

/// The mappings of a process.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Bytes of address space.
    pub bytes: u64,
    /// Number of mappings.
    pub mappings: u64,
}

/// The address space of this process.
///
/// # Errors
/// [`Stop::NotJudged`] if the system does not list the mappings.
pub fn extent() -> Result<Extent, Stop> {
    let maps = read("/proc/self/maps")?;
    let mut extent = Extent {
        bytes: 0,
        mappings: 0,
    };
    for (from, to) in maps.lines().filter_map(range) {
        extent.bytes += to - from;
        extent.mappings += 1;
    }
    Ok(extent)
}

/// The length in bytes of a core file of this process, by the rules of core(5): it has
/// each private mapping that was written to, whole, unless that is excluded.
///
/// # Errors
/// As [`extent`].
pub fn core_size() -> Result<u64, Stop> {
    Ok(core_size_by(&read("/proc/self/smaps")?))
}

fn core_size_by(smaps: &str) -> u64 {
    let (mut all, mut size, mut is_written) = (0, 0, false);
    for line in smaps.lines() {
        if let Some((from, to)) = range(line) {
            (size, is_written) = (to - from, false);
        } else if let Some(kib) = line.strip_prefix("Anonymous:") {
            is_written = !kib.trim().starts_with("0 ");
        } else if let Some(flags) = line.strip_prefix("VmFlags:") {
            let is_excluded = flags.split(' ').any(|flag| flag == "dd");
            if is_written && !is_excluded {
                all += size;
            }
        }
    }
    all
}

/// The first and the last address of a mapping, if the line is the head of one.
fn range(line: &str) -> Option<(u64, u64)> {
    let (range, _) = line.split_once(' ')?;
    let (from, to) = range.split_once('-')?;
    let address = |text| u64::from_str_radix(text, 16).ok();
    Some((address(from)?, address(to)?))
}

fn read(path: &str) -> Result<String, Stop> {
    std::fs::read_to_string(path)
        .map_err(|error| Stop::NotJudged(format!("{path} cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_has_each_written_mapping_that_is_not_excluded() {
        let mapping = |kib: &str, flags: &str| {
            format!(
                "7f0000000000-7f0000100000 rw-p 00000000 00:00 0\nSize: 1024 kB\nAnonymous: {kib} kB\nVmFlags: {flags}\n"
            )
        };
        let is = |kib, flags| core_size_by(&mapping(kib, flags));
        assert_eq!(is("4", "rd wr mr mw me ac"), 1 << 20);
        assert_eq!(is("       0", "rd wr mr mw me ac"), 0);
        assert_eq!(is("4", "rd wr dd"), 0);
        let two = mapping("4", "rd") + &mapping("8", "rd wr");
        assert_eq!(core_size_by(&two), 2 << 20);
    }

    #[test]
    fn this_process_has_mappings() {
        let extent = extent().unwrap();
        assert!(extent.mappings > 10 && extent.bytes > 1 << 20);
        let core = core_size().unwrap();
        assert!(core > 0 && core <= extent.bytes);
    }
}
