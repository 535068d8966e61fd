//! Finds the name that the user probably meant.

/// The name that is most similar to `wrong`; `None` if no name is similar.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(wrong, name), name))
        .filter(|(likeness, _)| *likeness > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("ucrtbsae", Some("ucrtbase"))]
    #[case("msvcr12", Some("msvcr120"))]
    #[case("zzz", None)]
    fn the_nearest_name_is_suggested(#[case] wrong: &str, #[case] name: Option<&str>) {
        assert_eq!(nearest(wrong, ["msvcrt", "msvcr120", "ucrtbase"]), name);
    }
}
