//! An error that the user can correct. The message says what is wrong and what to do.

use std::fmt;

/// An error in an argument, file or prerequisite. The command exits with status 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError {
    /// What is wrong, beginning with the name of the file or argument.
    pub problem: String,
    /// What the user can do about it.
    pub mend: String,
}

impl InputError {
    /// An error with this problem and this correction.
    pub fn new(problem: impl Into<String>, mend: impl Into<String>) -> Self {
        InputError {
            problem: problem.into(),
            mend: mend.into(),
        }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.problem, self.mend)
    }
}

impl std::error::Error for InputError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_has_the_problem_and_the_correction() {
        let error = InputError::new("x.so: no such file", "check the path");
        assert_eq!(error.to_string(), "x.so: no such file; check the path");
    }
}
