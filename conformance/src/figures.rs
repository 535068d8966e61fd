//! Formats amounts of memory for reports.

/// Bytes as text: in MiB, `127.9 MiB`, or below 0.1 MiB in KiB.
pub fn amount(bytes: u64) -> String {
    let mib = bytes as f64 / f64::from(1 << 20);
    if mib < 0.1 {
        format!("{} KiB", bytes.div_ceil(1024))
    } else {
        format!("{mib:.1} MiB")
    }
}

/// The share of a part in a whole, `99.9 %`. Only the whole itself is `100 %`.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0 %".into();
    }
    let percent = part as f64 * 100.0 / whole as f64;
    if part < whole && percent > 99.9 {
        return "99.9 %".into();
    }
    if part > 0 && percent < 0.05 {
        return "under 0.1 %".into();
    }
    if percent.fract() == 0.0 {
        format!("{percent:.0} %")
    } else {
        format!("{percent:.1} %")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0, "0 KiB")]
    #[case(1, "1 KiB")]
    #[case(64 << 10, "64 KiB")]
    #[case(128 << 20, "128.0 MiB")]
    fn an_amount_is_in_mib_or_in_kib_if_small(#[case] bytes: u64, #[case] text: &str) {
        assert_eq!(amount(bytes), text);
    }

    #[rstest]
    #[case(0, 0, "0 %")]
    #[case(0, 4, "0 %")]
    #[case(1, 4, "25 %")]
    #[case(999_999, 1_000_000, "99.9 %")]
    #[case(7, 7, "100 %")]
    #[case(1, 1_000_000, "under 0.1 %")]
    fn a_share_below_the_whole_is_never_100_percent(
        #[case] part: u64,
        #[case] whole: u64,
        #[case] text: &str,
    ) {
        assert_eq!(share(part, whole), text);
    }
}
