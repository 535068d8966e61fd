//! The channel between the harness and a probe: lines of JSON over a pipe.
//!
//! A candidate shares the probe's process and may print. So every line of
//! ours begins with a token that only the two ends know, and the probe takes
//! the pipe out of the way of standard output before it loads anything.
//! Whatever comes without the token is the candidate's own and is dropped.

use super::observation::Event;
use std::io::{BufRead, BufReader, Read};

/// A token that nobody can guess.
pub fn new_token() -> String {
    use std::hash::{BuildHasher, RandomState};
    // Each RandomState has keys of its own from the system's random source.
    let part = || RandomState::new().hash_one(0u8);
    format!("{:016x}{:016x}", part(), part())
}

/// An event as a line. The line break in front ends whatever a candidate
/// may have written to the pipe without one.
pub fn encode(token: &str, event: &Event) -> String {
    let json = serde_json::to_string(event).expect("an event is plain data");
    format!("\n{token} {json}\n")
}

/// The event in a line, if it is one of ours.
pub fn decode(token: &str, line: &[u8]) -> Option<Event> {
    let json = line.strip_prefix(token.as_bytes())?.strip_prefix(b" ")?;
    serde_json::from_slice(json).ok()
}

/// The events in what a probe writes, in the order they come, until it ends.
///
/// A candidate may have found the token out and write whatever it likes. So
/// nothing here grows with what it writes: a line of ours is short, the rest of
/// a longer one counts as another line; and there are only so many of them.
pub fn events(output: impl Read, token: &str) -> impl Iterator<Item = Event> {
    let token = token.to_owned();
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    let mut room = Some(MOST);
    std::iter::from_fn(move || {
        loop {
            line.clear();
            let left = room?;
            match reader.by_ref().take(LONGEST).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return None,
                Ok(length) => {
                    if let Some(event) = decode(&token, line.trim_ascii_end()) {
                        room = left.checked_sub(length);
                        return Some(match room {
                            Some(_) => event,
                            None => Event::ProbeFailed(format!(
                                "it reported more than {} MiB of events",
                                MOST >> 20
                            )),
                        });
                    }
                }
            }
        }
    })
}

/// Of a line, in bytes.
const LONGEST: u64 = 1 << 16;
/// Of all our lines of one probe, in bytes: some 200,000 calls.
const MOST: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn an_event_survives_the_way() {
        let event = Event::Step("free every block".into());
        let line = encode("abc", &event);
        assert_eq!(decode("abc", line.trim().as_bytes()), Some(event));
    }

    #[rstest]
    #[case(br#""done""#)]
    #[case(br#"abd "done""#)]
    #[case(br#"abc"done""#)]
    #[case(br#"abc {"done"#)]
    #[case(b"")]
    #[case(b"abc \xff\xfe")]
    fn what_is_not_ours_is_dropped(#[case] line: &[u8]) {
        assert_eq!(decode("abc", line), None);
    }

    #[test]
    fn events_are_found_among_what_a_candidate_prints() {
        let long = "x".repeat(3 * LONGEST as usize);
        let text = format!("hello\n{long}\nabc \"done\"\r\nabc {{\"step\":\"s\"}}");
        let found: Vec<_> = events(text.as_bytes(), "abc").collect();
        assert_eq!(found, [Event::Done, Event::Step("s".into())]);
    }

    #[test]
    fn a_flood_of_events_is_cut_off() {
        let line = format!("abc {{\"step\":\"{}\"}}\n", "s".repeat(60_000));
        struct Endless(Vec<u8>, usize);
        impl Read for Endless {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                for byte in &mut *buffer {
                    *byte = self.0[self.1];
                    self.1 = (self.1 + 1) % self.0.len();
                }
                Ok(buffer.len())
            }
        }
        let found = events(Endless(line.into_bytes(), 0), "abc");
        let last = found.last().unwrap();
        assert!(matches!(last, Event::ProbeFailed(_)), "{last:?}");
    }

    #[test]
    fn tokens_differ() {
        assert_ne!(new_token(), new_token());
    }
}
