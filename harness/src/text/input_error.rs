//! Something the user has to mend: it names what is wrong and how to put it right.

use std::fmt;

/// A wrong argument, file or prerequisite. The command ends with status 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputError {
    /// What is wrong, beginning with the name of the file or argument.
    pub problem: String,
    /// What to do about it.
    pub mend: String,
}

impl InputError {
    /// A problem and its mend.
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
    fn a_problem_is_told_with_its_mend() {
        let error = InputError::new("x.so: no such file", "check the path");
        assert_eq!(error.to_string(), "x.so: no such file; check the path");
    }
}
