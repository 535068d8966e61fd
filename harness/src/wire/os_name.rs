//! A file's name in JSON, for `#[serde(with)]`: a string or, if the name is not UTF-8, its
//! bytes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::ffi::{OsStr, OsString};

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Name {
    Text(String),
    Bytes(Vec<u8>),
}

/// # Errors
/// The serializer's.
pub(super) fn serialize<S: Serializer>(name: &OsStr, serializer: S) -> Result<S::Ok, S::Error> {
    let name = match name.to_str() {
        Some(text) => Name::Text(text.to_owned()),
        None => Name::Bytes(name.as_encoded_bytes().to_owned()),
    };
    name.serialize(serializer)
}

/// # Errors
/// The deserializer's, or if this system has no names that are not UTF-8.
pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<OsString, D::Error> {
    match Name::deserialize(deserializer)? {
        Name::Text(text) => Ok(text.into()),
        #[cfg(unix)]
        Name::Bytes(bytes) => Ok(std::os::unix::ffi::OsStringExt::from_vec(bytes)),
        #[cfg(not(unix))]
        Name::Bytes(_) => Err(serde::de::Error::custom("a name that is not UTF-8")),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"plain.so")]
    #[case(b"not \xff UTF-8.so")]
    fn a_deserialized_name_equals_the_serialized_one(#[case] bytes: &[u8]) {
        #[derive(Serialize, Deserialize)]
        struct Holder(#[serde(with = "super")] OsString);
        let name: OsString = std::os::unix::ffi::OsStringExt::from_vec(bytes.to_owned());
        let json = serde_json::to_string(&Holder(name.clone())).unwrap();
        assert_eq!(serde_json::from_str::<Holder>(&json).unwrap().0, name);
    }
}
