//! Versions of Wine, of a library, and of this program.

use std::cmp::Ordering;
use std::fmt;

/// A version: numbers with dots between them, such as `10.0.26100`. Two versions are compared
/// number by number. A missing number is 0, so 10 is 10.0.
#[derive(Clone, Debug)]
pub struct Version {
    text: String,
    numbers: Vec<u64>,
}

impl Version {
    /// The version in this text; `None` if the text is anything else.
    pub fn parse(text: &str) -> Option<Version> {
        let number = |part: &str| match part.bytes().all(|byte| byte.is_ascii_digit()) {
            true => part.parse().ok(),
            false => None,
        };
        let mut numbers: Vec<u64> = text.split('.').map(number).collect::<Option<_>>()?;
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        let text = text.to_owned();
        Some(Version { text, numbers })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Version) -> Ordering {
        self.numbers.cmp(&other.numbers)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Version) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Version) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::same("8.0", "8.0", Ordering::Equal)]
    #[case::missing_numbers_are_zeros("10", "10.0.0", Ordering::Equal)]
    #[case::zeros_in_front("8.05", "8.5", Ordering::Equal)]
    #[case::numbers_not_letters("9.0", "10.0", Ordering::Less)]
    #[case::second_number("8.21", "8.3", Ordering::Greater)]
    #[case::more_numbers("10.0.26100", "10.0.26100.1742", Ordering::Less)]
    #[case::zero_within("10.0.1", "10.1", Ordering::Less)]
    fn versions_are_compared_number_by_number(
        #[case] one: &str,
        #[case] other: &str,
        #[case] order: Ordering,
    ) {
        let version = |text| Version::parse(text).unwrap();
        assert_eq!(version(one).cmp(&version(other)), order);
        assert_eq!(version(other).cmp(&version(one)), order.reverse());
        assert_eq!(version(one).to_string(), one);
    }

    #[rstest]
    fn a_text_that_is_no_version_is_refused(
        #[values(
            "",
            ".",
            "8.",
            ".8",
            "8..0",
            "8.x",
            "8.0-rc1",
            "+8",
            "-1",
            " 8",
            "8.99999999999999999999"
        )]
        text: &str,
    ) {
        assert!(Version::parse(text).is_none());
    }
}
