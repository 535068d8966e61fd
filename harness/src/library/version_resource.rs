//! The version resource of a PE file: a tree of blocks. Each block has a length, a key and
//! a value, and begins at a multiple of four bytes.
//!
//! The file may be hostile, so every length is checked against the bytes that exist.

use object::LittleEndian as LE;
use object::pe::RT_VERSION;
use object::read::ReadRef;
use object::read::pe::{ImageNtHeaders, PeFile, ResourceDirectoryEntryData};

/// What a version resource says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// The file's version, `10.0.26100.1`.
    pub file: Option<String>,
    /// The company's name.
    pub company: Option<String>,
    /// The name under which the file was made, `msvcr120.dll`.
    pub original_name: Option<String>,
}

/// The version resource of a file; `None` if it is missing or cannot be read.
pub(super) fn of<'data, Pe: ImageNtHeaders, R: ReadRef<'data>>(
    file: &PeFile<'data, Pe, R>,
) -> Option<Version> {
    Version::parse(resource(file)?)
}

/// The bytes of the resource in the first language.
fn resource<'data, Pe: ImageNtHeaders, R: ReadRef<'data>>(
    file: &PeFile<'data, Pe, R>,
) -> Option<&'data [u8]> {
    /// The number by which the system finds the resource.
    const VS_VERSION_INFO: u16 = 1;
    let sections = file.section_table();
    let directories = file.data_directories();
    let all = directories.resource_directory(file.data(), &sections);
    let all = all.ok().flatten()?;
    let mut table = all.root().ok()?;
    for wanted in [RT_VERSION, VS_VERSION_INFO] {
        let mut entries = table.entries.iter();
        let entry = entries.find(|entry| entry.name_or_id().id() == Some(wanted))?;
        table = entry.data(all).ok()?.table()?;
    }
    let ResourceDirectoryEntryData::Data(place) = table.entries.first()?.data(all).ok()? else {
        return None;
    };
    let bytes = sections.pe_data_at(file.data(), place.offset_to_data.get(LE))?;
    bytes.get(..place.size.get(LE) as usize)
}

impl Version {
    fn parse(bytes: &[u8]) -> Option<Version> {
        let root = Blocks(bytes).next()?;
        let text = |key: &str| {
            let texts = Blocks(root.children).filter(|block| block.key == "StringFileInfo");
            let tables = texts.flat_map(|texts| Blocks(texts.children));
            let mut texts = tables.flat_map(|table| Blocks(table.children));
            let text = texts.find(|text| text.key == key)?;
            Some(text_to_nul(text.rest))
        };
        Some(Version {
            file: file_version(root.value),
            company: text("CompanyName"),
            original_name: text("OriginalFilename"),
        })
    }
}

/// The version in a `VS_FIXEDFILEINFO`.
fn file_version(fixed: &[u8]) -> Option<String> {
    const SIGNATURE: [u8; 4] = 0xFEEF_04BD_u32.to_le_bytes();
    if !fixed.starts_with(&SIGNATURE) {
        return None;
    }
    let part = |at| word(fixed, at);
    let (major, minor) = (part(10)?, part(8)?);
    let (patch, build) = (part(14)?, part(12)?);
    Some(format!("{major}.{minor}.{patch}.{build}"))
}

/// Consecutive blocks.
struct Blocks<'a>(&'a [u8]);

struct Block<'a> {
    key: String,
    /// As many bytes as the block's value length says.
    value: &'a [u8],
    /// The bytes after the value.
    children: &'a [u8],
    /// The value and all bytes after it. Some tools give the length of a text in bytes
    /// and some in words, but every text ends with a zero.
    rest: &'a [u8],
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Block<'a>;

    fn next(&mut self) -> Option<Block<'a>> {
        const HEAD: usize = 6;
        let length = usize::from(word(self.0, 0)?);
        let value_length = usize::from(word(self.0, 2)?);
        let block = self.0.get(..length).filter(|block| block.len() >= HEAD)?;
        self.0 = after(self.0, length);
        let key_words = words(&block[HEAD..]).take_while(|word| *word != 0).count();
        let rest = after(block, HEAD + 2 * (key_words + 1));
        Some(Block {
            key: text_to_nul(&block[HEAD..]),
            value: rest.get(..value_length).unwrap_or(rest),
            children: after(rest, value_length),
            rest,
        })
    }
}

/// The bytes after the first `length`, from the next multiple of four.
fn after(bytes: &[u8], length: usize) -> &[u8] {
    bytes.get(length.next_multiple_of(4)..).unwrap_or_default()
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    let word = bytes.get(at..at + 2)?;
    Some(u16::from_le_bytes([word[0], word[1]]))
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u16> {
    let pairs = bytes.chunks_exact(2);
    pairs.map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
}

fn text_to_nul(bytes: &[u8]) -> String {
    let text = words(bytes).take_while(|word| *word != 0);
    let text = char::decode_utf16(text);
    text.map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn block(key: &str, value: &[u8], value_length: usize, children: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![0, 0];
        bytes.extend_from_slice(&(value_length as u16).to_le_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&utf16(key));
        for part in [value]
            .into_iter()
            .chain(children.iter().map(Vec::as_slice))
        {
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes.extend_from_slice(part);
        }
        let length = bytes.len() as u16;
        bytes[..2].copy_from_slice(&length.to_le_bytes());
        bytes
    }

    fn utf16(text: &str) -> Vec<u8> {
        let words = text.encode_utf16().chain([0]);
        words.flat_map(u16::to_le_bytes).collect()
    }

    fn resource(company_length: usize) -> Vec<u8> {
        let company = block("CompanyName", &utf16("Microsoft"), company_length, &[]);
        let other = block("Comments", &utf16("none"), 5, &[]);
        // A compiler of resources may write the texts in any order.
        let original = block("OriginalFilename", &utf16("a.dll"), 6, &[]);
        let table = block("040904E4", &[], 0, &[original, other, company]);
        let texts = block("StringFileInfo", &[], 0, &[table]);
        let translation = block("Translation", &[9, 4, 0xE4, 4], 4, &[]);
        let languages = block("VarFileInfo", &[], 0, &[translation]);
        let words: [u32; 13] = [
            0xFEEF_04BD,
            0x10000,
            0xA_0000,
            26100 << 16 | 1,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
        ];
        let fixed: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        block("VS_VERSION_INFO", &fixed, 52, &[languages, texts])
    }

    #[rstest]
    #[case::in_words(10)]
    #[case::in_bytes(20)]
    #[case::wrong(60_000)]
    fn version_company_and_original_name_are_read(#[case] company_length: usize) {
        let version = Version::parse(&resource(company_length)).unwrap();
        assert_eq!(version.file.as_deref(), Some("10.0.26100.1"));
        assert_eq!(version.company.as_deref(), Some("Microsoft"));
        assert_eq!(version.original_name.as_deref(), Some("a.dll"));
    }

    #[test]
    fn a_truncated_or_changed_resource_causes_no_panic() {
        let whole = resource(10);
        for at in 0..whole.len() {
            let _ = Version::parse(&whole[..at]);
            for value in [0, 1, 3, 5, 7, 0x80, 0xFF] {
                let mut changed = whole.clone();
                changed[at] = value;
                let _ = Version::parse(&changed);
            }
        }
    }
}
