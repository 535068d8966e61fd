//! The channel from a probe to its parent: lines of JSON over a pipe.
//!
//! A candidate shares the probe's process and may print. So the probe moves the pipe away
//! from standard output before it loads anything, and every event's line begins with a
//! token that only parent and probe know. A line without the token is the candidate's and
//! is dropped.

use super::observation::Event;
use std::io::{BufRead, BufReader, Read};

/// A new random token.
pub fn new_token() -> String {
    use std::hash::{BuildHasher, RandomState};
    // Each RandomState has new keys from the system's random source.
    let part = || RandomState::new().hash_one(0u8);
    format!("{:016x}{:016x}", part(), part())
}

/// An event as a line. The line break at its start ends text without a line break that a
/// candidate may have written before.
pub fn encode(token: &str, event: &Event) -> String {
    let json = serde_json::to_string(event).expect("an event is plain data");
    format!("\n{token} {json}\n")
}

/// The event in a line; `None` if the line lacks the token or is not an event.
pub fn decode(token: &str, line: &[u8]) -> Option<Event> {
    let json = line.strip_prefix(token.as_bytes())?.strip_prefix(b" ")?;
    serde_json::from_slice(json).ok()
}

/// The events in a probe's output, in order.
///
/// A candidate may have found the token and may write without end. So memory is limited:
/// a line has at most `LONGEST` bytes, and the rest of a longer one counts as another
/// line; all lines with the token have at most `MOST` bytes.
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

/// The longest line, in bytes.
const LONGEST: u64 = 1 << 16;
/// The greatest length of all lines of one probe with the token, in bytes. That is about
/// 200,000 calls.
const MOST: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[test]
    fn a_decoded_event_equals_the_encoded_one() {
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
    fn a_line_that_is_no_event_is_dropped(#[case] line: &[u8]) {
        assert_eq!(decode("abc", line), None);
    }

    #[test]
    fn events_are_found_in_the_output_of_a_candidate() {
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
