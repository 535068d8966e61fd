//! A part of the cases of a run, for several machines: `slice:2/5` or `hash:2/5`.

use std::fmt;
use std::str::FromStr;

/// One of several parts of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    kind: Kind,
    /// The part's number, from 1.
    part: usize,
    /// The number of parts.
    of: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Each case in turn, so that the parts are equally large.
    Slice,
    /// By a hash of the case's name, so that a case stays in its part when others are added.
    Hash,
}

impl Partition {
    /// Whether the case at this place, with this name, is in the part.
    pub fn has(self, place: usize, name: &str) -> bool {
        let number = match self.kind {
            Kind::Slice => place,
            Kind::Hash => hash(name) as usize,
        };
        number % self.of == self.part - 1
    }

    /// The number of parts of a run.
    pub fn parts(self) -> usize {
        self.of
    }

    /// The part's number, from 1.
    pub fn number(self) -> usize {
        self.part
    }

    /// The same division of a run, with another part's number.
    pub fn with_number(self, part: usize) -> Partition {
        Partition { part, ..self }
    }
}

/// The FNV-1a hash, which never changes, in contrast to the standard library's.
fn hash(name: &str) -> u32 {
    name.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Slice => "slice",
            Kind::Hash => "hash",
        };
        write!(f, "{kind}:{}/{}", self.part, self.of)
    }
}

impl FromStr for Partition {
    type Err = String;

    fn from_str(text: &str) -> Result<Partition, String> {
        let shape = || "expected slice:M/N or hash:M/N".to_owned();
        let (kind, numbers) = text.split_once(':').ok_or_else(shape)?;
        let kind = match kind {
            "slice" => Kind::Slice,
            "hash" => Kind::Hash,
            _ => return Err(shape()),
        };
        let (part, of) = numbers.split_once('/').ok_or_else(shape)?;
        let number = |text: &str| text.parse::<usize>().map_err(|_| shape());
        let (part, of) = (number(part)?, number(of)?);
        match (1..=of).contains(&part) {
            true => Ok(Partition { kind, part, of }),
            false => Err(format!(
                "there is no part {part} of {of}: count from 1 to {of}"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clauses;
    use rstest::rstest;

    #[rstest]
    #[case("slice")]
    #[case("hash")]
    fn every_case_is_in_one_part(#[case] kind: &str) {
        let parts = [1, 2, 3].map(|part| format!("{kind}:{part}/3").parse::<Partition>().unwrap());
        let cases = clauses::cases();
        let mut sizes = [0; 3];
        for (place, case) in cases.iter().enumerate() {
            let of_case: Vec<_> = (0..3)
                .filter(|it| parts[*it].has(place, case.name))
                .collect();
            assert_eq!(of_case.len(), 1, "{}", case.name);
            sizes[of_case[0]] += 1;
        }
        let least = sizes.iter().min().unwrap();
        assert!(least * 5 > cases.len(), "{sizes:?}");
    }

    #[test]
    fn a_hash_does_not_depend_on_the_place() {
        let part: Partition = "hash:1/2".parse().unwrap();
        assert_eq!(part.has(0, "start-values"), part.has(1, "start-values"));
        // The published values of this hash.
        assert_eq!(
            (hash(""), hash("a"), hash("foobar")),
            (0x811c_9dc5, 0xe40c_292c, 0xbf9c_f968)
        );
    }

    #[rstest]
    #[case("slice", "expected slice:M/N")]
    #[case("slice:1", "expected slice:M/N")]
    #[case("half:1/2", "expected slice:M/N")]
    #[case("slice:a/2", "expected slice:M/N")]
    #[case("slice:0/2", "there is no part 0 of 2")]
    #[case("hash:3/2", "there is no part 3 of 2")]
    #[case("hash:1/0", "there is no part 1 of 0")]
    fn another_form_is_refused(#[case] text: &str, #[case] problem: &str) {
        let error = text.parse::<Partition>().unwrap_err();
        assert!(error.starts_with(problem), "{error}");
    }

    #[rstest]
    #[case("slice:1/1")]
    #[case("hash:2/3")]
    fn a_part_is_written_as_it_is_read(#[case] text: &str) {
        assert_eq!(text.parse::<Partition>().unwrap().to_string(), text);
    }
}
