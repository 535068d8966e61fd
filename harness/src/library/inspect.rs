//! Reads what a library file says of itself: format, architecture, exports, version and
//! maker.

use super::version_resource::{self, Version};
use crate::text::input_error::InputError;
use crate::text::printable::shown;
use crate::text::suggest::path_or;
use object::read::pe::ExportTable;
use object::{Object, ObjectSymbol, ObjectSymbolTable};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

/// The format of a library.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Linux and other Unix systems.
    Elf,
    /// Windows.
    Pe,
    /// macOS.
    Macho,
}

impl Maker {
    /// Its name in reports and profiles: `microsoft`.
    pub fn name(self) -> &'static str {
        match self {
            Maker::Microsoft => "microsoft",
            Maker::Wine => "wine",
            Maker::Other => "other",
        }
    }
}

impl Format {
    /// Its name in reports: `elf`.
    pub fn name(self) -> &'static str {
        match self {
            Format::Elf => "elf",
            Format::Pe => "pe",
            Format::Macho => "macho",
        }
    }

    /// The format that this system's own loader loads.
    pub fn native() -> Format {
        if cfg!(windows) {
            Format::Pe
        } else if cfg!(target_vendor = "apple") {
            Format::Macho
        } else {
            Format::Elf
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Elf => "ELF",
            Format::Pe => "PE",
            Format::Macho => "Mach-O",
        })
    }
}

/// Who made a library, as far as its file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Maker {
    /// Wine: the file carries its mark.
    Wine,
    /// Microsoft: the version resource says so, and Wine's mark is not there.
    Microsoft,
    /// Another maker.
    Other,
}

/// A library file.
#[derive(Clone, Debug)]
pub struct Library {
    /// Its format.
    pub format: Format,
    /// Its processor architecture, as Rust names it: `x86_64`, `aarch64`, `x86`.
    pub arch: String,
    /// The names it exports, sorted.
    pub exports: Vec<String>,
    /// The names that it exports and forwards to other libraries (PE), sorted, each with
    /// the file name of the other library.
    pub forwarded: Vec<(String, String)>,
    /// The file version in its version resource, `10.0.26100.1`.
    pub version: Option<String>,
    /// The file name in its version resource. A renamed file keeps it.
    pub original_name: Option<String>,
    /// Who made it.
    pub maker: Maker,
    /// The places that the loader fills with addresses of the library's own routines
    /// (ELF): each an offset from where the library is loaded, with the routine's name.
    pub own_calls: Vec<(u64, String)>,
    /// The file names of the libraries that it needs (PE). An ELF loader names a missing
    /// library itself.
    pub needs: Vec<String>,
}

/// In bytes. A runtime with debug information has about ten MiB. The limit is needed
/// because the whole file is read into memory.
const LARGEST: u64 = 512 << 20;

/// Reads a library file.
///
/// ```
/// use heapmin_harness::library::inspect::inspect;
/// use std::path::Path;
///
/// # let folder = tempfile::tempdir()?;
/// # let name = format!("{}heapmin_crt{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
/// # let path = folder.path().join(&name);
/// # let shipped = heapmin_fixtures::LIBRARIES.iter().find(|it| it.0 == name);
/// # std::fs::write(&path, shipped.expect("the reference is shipped").1)?;
/// let library = inspect(&path)?;
/// assert!(library.exports.iter().any(|name| name == "_heapmin"));
///
/// let error = inspect(Path::new("no/such/library.so")).unwrap_err();
/// assert!(error.problem.contains("no/such/library.so"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the file does not exist, cannot be read, or is not a shared library.
pub fn inspect(path: &Path) -> Result<Library, InputError> {
    let name = shown(path.as_os_str());
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if metadata.is_dir() {
        let mend = "name the library file in it";
        return Err(InputError::new(format!("{name} is a directory"), mend));
    }
    if !metadata.is_file() {
        let mend = "name a library file";
        return Err(InputError::new(
            format!("{name} is not a regular file"),
            mend,
        ));
    }
    if metadata.len() == 0 {
        let mend = "build or copy the library again";
        return Err(InputError::new(format!("{name} is empty"), mend));
    }
    if metadata.len() > LARGEST {
        let problem = format!(
            "{name} has {} MiB; a C runtime has at most {} MiB",
            metadata.len() >> 20,
            LARGEST >> 20
        );
        return Err(InputError::new(problem, "name a library file"));
    }
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    recognise(path, &bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> InputError {
    let name = shown(path.as_os_str());
    match error.kind() {
        ErrorKind::NotFound => InputError::new(
            format!("{name}: no such file"),
            path_or(
                path,
                "check the path, or name a known library (`heapmin list --candidates`)",
            ),
        ),
        _ => InputError::new(
            format!("{name} cannot be read: {error}"),
            "check its permissions",
        ),
    }
}

/// Reads a library from the bytes of its file. `path` is for messages. The bytes must be
/// aligned for every number in them, as those of a `Vec` are.
///
/// # Errors
/// If the bytes are not a shared library.
pub fn recognise(path: &Path, bytes: &[u8]) -> Result<Library, InputError> {
    let name = shown(path.as_os_str());
    let not_a_library = |what: &str| {
        InputError::new(
            format!("{name} is not a shared library: {what}"),
            "name a .so, .dll or .dylib file",
        )
    };
    if let Some(what) = familiar_other(bytes) {
        return Err(not_a_library(what));
    }
    let file = object::File::parse(bytes)
        .map_err(|error| not_a_library(&format!("{error} (damaged, or of an unknown kind)")))?;
    let format = match file.format() {
        object::BinaryFormat::Elf => Format::Elf,
        object::BinaryFormat::Pe => Format::Pe,
        object::BinaryFormat::MachO => Format::Macho,
        other => return Err(not_a_library(&format!("{other:?} files are not supported"))),
    };
    if matches!(file.kind(), object::ObjectKind::Relocatable) {
        return Err(not_a_library(
            "it is an object file; link it as a library first",
        ));
    }
    if matches!(file.kind(), object::ObjectKind::Core) {
        return Err(not_a_library("it is a core dump"));
    }
    let (exports, forwarded) =
        exports(&file, bytes.len()).map_err(|error| not_a_library(&error))?;
    let executable = matches!(file.kind(), object::ObjectKind::Executable) || is_pie(&file, bytes);
    if executable {
        return Err(not_a_library(
            "it is an executable, which cannot be loaded as a library",
        ));
    }
    let version = match &file {
        object::File::Pe32(file) => version_resource::of(file),
        object::File::Pe64(file) => version_resource::of(file),
        _ => None,
    };
    let maker = match format {
        Format::Pe => pe_maker(bytes, version.as_ref()),
        Format::Elf | Format::Macho => Maker::Other,
    };
    let (version, original_name) = version.map_or((None, None), |it| (it.file, it.original_name));
    Ok(Library {
        format,
        arch: arch(file.architecture()),
        exports,
        forwarded,
        own_calls: own_calls(&file, bytes.len()),
        needs: needs(&file),
        version,
        original_name,
        maker,
    })
}

/// Recognises files that users name by mistake. A parser would call them damaged.
fn familiar_other(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(512)];
    if bytes.starts_with(b"!<arch>\n") {
        return Some("it is a static archive");
    }
    if bytes.starts_with(&[0xCA, 0xFE, 0xBA, 0xBE]) || bytes.starts_with(&[0xCA, 0xFE, 0xBA, 0xBF])
    {
        return Some("it is a universal Mach-O file; extract one architecture with `lipo -thin`");
    }
    if head.starts_with(b"/* GNU ld script") {
        return Some("it is a linker script; name the library that it names");
    }
    let is_text = std::str::from_utf8(head).is_ok() && !head.contains(&0);
    is_text.then_some("it is a text file")
}

/// Whether the file is a position-independent executable. It has the ELF type of a shared
/// library, and the flag `DF_1_PIE`.
fn is_pie(file: &object::File<'_>, bytes: &[u8]) -> bool {
    use object::read::elf::{Dyn, FileHeader, ProgramHeader};
    fn flag<H: FileHeader<Endian = object::Endianness>>(bytes: &[u8]) -> bool {
        let check = || -> Option<bool> {
            let header = H::parse(bytes).ok()?;
            let endian = header.endian().ok()?;
            let segments = header.program_headers(endian, bytes).ok()?;
            for segment in segments {
                if let Ok(Some(entries)) = segment.dynamic(endian, bytes) {
                    return Some(entries.iter().any(|entry| {
                        let tag: u64 = entry.d_tag(endian).into();
                        let value: u64 = entry.d_val(endian).into();
                        tag == u64::from(object::elf::DT_FLAGS_1)
                            && value & u64::from(object::elf::DF_1_PIE) != 0
                    }));
                }
            }
            None
        };
        check().unwrap_or(false)
    }
    match file {
        object::File::Elf64(_) => flag::<object::elf::FileHeader64<object::Endianness>>(bytes),
        object::File::Elf32(_) => flag::<object::elf::FileHeader32<object::Endianness>>(bytes),
        _ => false,
    }
}

/// The names that a file exports, and those that it forwards, with the library to which;
/// both sorted. `length` is the file's size in bytes.
fn exports(file: &object::File<'_>, length: usize) -> Result<Exports, String> {
    let mut names = Names {
        names: Vec::new(),
        forwarded: Vec::new(),
        room: length,
    };
    match file {
        // An ELF file's exports are the defined symbols of its dynamic table.
        object::File::Elf32(_) | object::File::Elf64(_) => {
            let symbols = file.dynamic_symbols();
            for symbol in symbols.filter(is_exported_code) {
                names.add(symbol.name_bytes())?;
            }
        }
        object::File::MachO32(_) | object::File::MachO64(_) => {
            let is_export = |symbol: &object::Symbol<'_, '_>| {
                symbol.is_definition() && symbol.scope() == object::SymbolScope::Dynamic
            };
            for symbol in file.symbols().filter(is_export) {
                // Mach-O prefixes every C name with an underscore.
                let name = symbol.name_bytes();
                names.add(name.map(|name| name.strip_prefix(b"_").unwrap_or(name)))?;
            }
        }
        object::File::Pe32(file) => names.add_table(file.export_table())?,
        object::File::Pe64(file) => names.add_table(file.export_table())?,
        _ => {}
    }
    let Names {
        mut names,
        mut forwarded,
        ..
    } = names;
    names.sort();
    names.dedup();
    forwarded.sort();
    Ok((names, forwarded))
}

type Exports = (Vec<String>, Vec<(String, String)>);

/// Collects the names from a file. In a hostile file, every entry of a table can point to
/// the same long name, or to a name without an end; the time to read them would grow with
/// the square of the file's size. So reading fails at a name that cannot be read, and
/// when all names together are longer than the file.
struct Names {
    names: Vec<String>,
    forwarded: Vec<(String, String)>,
    room: usize,
}

impl Names {
    fn add(&mut self, name: object::Result<&[u8]>) -> Result<(), String> {
        let name = self.text(name)?;
        self.names.push(name);
        Ok(())
    }

    fn text(&mut self, name: object::Result<&[u8]>) -> Result<String, String> {
        let name = name.map_err(|error| unreadable_exports(&error))?;
        let left = self.room.checked_sub(name.len());
        self.room = left.ok_or("its exported names are longer than the file")?;
        Ok(String::from_utf8_lossy(name).into_owned())
    }

    /// Adds the exports of a PE file.
    fn add_table(&mut self, table: object::Result<Option<ExportTable<'_>>>) -> Result<(), String> {
        let Some(table) = table.map_err(|error| unreadable_exports(&error))? else {
            return Ok(());
        };
        for (pointer, index) in table.name_iter() {
            let address = table.address_by_index(index.into());
            let address = address.map_err(|error| unreadable_exports(&error))?;
            let name = self.text(table.name_from_pointer(pointer))?;
            match table.forward_string(address).transpose() {
                None => self.names.push(name),
                Some(target) => {
                    // `msvcrt._heapmin`, or `msvcrt.#7` for an ordinal.
                    let target = self.text(target)?;
                    let library = target.rsplit_once('.').map_or("", |(library, _)| library);
                    self.forwarded.push((name, format!("{library}.dll")));
                }
            }
        }
        Ok(())
    }
}

/// The names of the libraries that a PE file imports from, at most a hundred. Only the list of
/// libraries is read: in a hostile file, each could have the same long list of routines.
fn needs(file: &object::File<'_>) -> Vec<String> {
    fn of<P: object::read::pe::ImageNtHeaders>(
        file: &object::read::pe::PeFile<'_, P>,
    ) -> Option<Vec<String>> {
        let table = file.import_table().ok()??;
        let mut libraries = table.descriptors().ok()?;
        let mut names = Vec::new();
        while names.len() < 100 {
            let Ok(Some(library)) = libraries.next() else {
                break;
            };
            let name = table.name(library.name.get(object::LittleEndian)).ok()?;
            let name = name.get(..LONGEST_NAME).unwrap_or(name);
            names.push(String::from_utf8_lossy(name).into_owned());
        }
        Some(names)
    }
    match file {
        object::File::Pe32(file) => of(file),
        object::File::Pe64(file) => of(file),
        _ => None,
    }
    .unwrap_or_default()
}

/// Longer names of routines and libraries are those of hostile files.
const LONGEST_NAME: usize = 256;

fn unreadable_exports(error: &object::Error) -> String {
    format!("its exports cannot be read ({error})")
}

/// Whether the loader finds the symbol in this file and it can be a routine; data of the
/// same name cannot be called. The symbol may be weak, or an IFUNC, whose resolver chooses
/// the routine.
fn is_exported_code(symbol: &object::Symbol<'_, '_>) -> bool {
    let object::SymbolFlags::Elf { st_info, .. } = symbol.flags() else {
        return false;
    };
    let is_code = matches!(
        st_info & 0xF,
        object::elf::STT_FUNC | object::elf::STT_GNU_IFUNC | object::elf::STT_NOTYPE
    );
    let is_here = symbol.section_index().is_some();
    is_here && symbol.is_global() && is_code
}

/// The places of an ELF file that the loader fills with the address of a routine that the
/// file itself exports: offsets from where the file is loaded, with the routine's name.
/// Any name counts, since a library of the process may have it too: glibc has a `step`.
fn own_calls(file: &object::File<'_>, length: usize) -> Vec<(u64, String)> {
    use object::elf;
    // What an address alone is stored for: a call through the table, a pointer.
    const ADDRESSES: [u32; 9] = [
        elf::R_X86_64_64,
        elf::R_X86_64_GLOB_DAT,
        elf::R_X86_64_JUMP_SLOT,
        elf::R_AARCH64_ABS64,
        elf::R_AARCH64_GLOB_DAT,
        elf::R_AARCH64_JUMP_SLOT,
        elf::R_386_32,
        elf::R_386_GLOB_DAT,
        elf::R_386_JMP_SLOT,
    ];
    /// A C runtime has about a hundred.
    const MOST: usize = 10_000;
    let (Some(relocations), Some(symbols)) =
        (file.dynamic_relocations(), file.dynamic_symbol_table())
    else {
        return Vec::new();
    };
    // In a hostile file, every place can have the same long name.
    let mut room = length;
    let own_call = |(offset, relocation): (u64, object::Relocation)| {
        let object::RelocationFlags::Elf { r_type } = relocation.flags() else {
            return None;
        };
        let object::RelocationTarget::Symbol(index) = relocation.target() else {
            return None;
        };
        let symbol = symbols.symbol_by_index(index).ok()?;
        let is_address = ADDRESSES.contains(&r_type) && relocation.addend() == 0;
        if !is_address || !is_exported_code(&symbol) || room == 0 {
            return None;
        }
        let name = symbol.name().ok()?;
        room = room.saturating_sub(name.len());
        (name.len() <= LONGEST_NAME).then(|| (offset, name.to_owned()))
    };
    relocations.filter_map(own_call).take(MOST).collect()
}

/// The processor for which a program was built, named as in [`Library`]; `None` if the file
/// is no program.
pub fn arch_of_program(path: &Path) -> Option<String> {
    let bytes = fs::read(path).ok()?;
    let file = object::File::parse(&*bytes).ok()?;
    Some(arch(file.architecture()))
}

fn arch(architecture: object::Architecture) -> String {
    match architecture {
        object::Architecture::X86_64 => "x86_64".into(),
        object::Architecture::I386 => "x86".into(),
        object::Architecture::Aarch64 => "aarch64".into(),
        object::Architecture::Arm => "arm".into(),
        other => format!("{other:?}").to_lowercase(),
    }
}

fn pe_maker(bytes: &[u8], version: Option<&Version>) -> Maker {
    // Wine's own files contain "Wine builtin DLL" between the DOS header and the PE
    // header. Their version resource names Microsoft, since programs expect that.
    let stub = &bytes[0x40.min(bytes.len())..0x80.min(bytes.len())];
    if stub.starts_with(b"Wine builtin DLL") || stub.starts_with(b"Wine placeholder DLL") {
        return Maker::Wine;
    }
    let company = version.and_then(|version| version.company.as_deref());
    match company {
        Some(company) if company.starts_with("Microsoft") => Maker::Microsoft,
        _ => Maker::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case::text(b"hello, world\n", "text file")]
    #[case::script(b"#!/bin/sh\nexit 0\n", "text file")]
    #[case::linker_script(b"/* GNU ld script\n*/\nGROUP ( libc.so.6 )\n", "linker script")]
    #[case::archive(b"!<arch>\nwhatever", "static archive")]
    #[case::universal(&[0xCA, 0xFE, 0xBA, 0xBE, 0, 0, 0, 2], "universal Mach-O")]
    #[case::cut_elf(b"\x7fELF\x02\x01\x01\x00", "damaged")]
    #[case::cut_pe(b"MZ\x90\x00\x03\x00\x00\x00\xff\xff", "damaged")]
    #[case::noise(&[1, 2, 3, 0, 255], "damaged")]
    fn a_refusal_names_what_the_file_is_instead(#[case] bytes: &[u8], #[case] what: &str) {
        let error = recognise(Path::new("x"), bytes).unwrap_err();
        assert!(error.problem.contains(what), "{error}");
    }

    /// An ELF library. All its dynamic symbols have the name at the offset `name` of
    /// `strings`.
    fn elf(symbols: usize, name: u32, strings: &[u8]) -> Vec<u8> {
        fn put(bytes: &mut Vec<u8>, words: &[u64], width: usize) {
            for word in words {
                bytes.extend_from_slice(&word.to_le_bytes()[..width]);
            }
        }
        let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        put(&mut bytes, &[3, 62], 2);
        put(&mut bytes, &[1], 4);
        put(&mut bytes, &[0, 0, 64], 8);
        put(&mut bytes, &[0], 4);
        put(&mut bytes, &[64, 56, 0, 64, 3, 2], 2);
        let symbols_at = 64 + 3 * 64;
        let symbols_length = 24 * (symbols as u64 + 1);
        let strings_at = symbols_at + symbols_length;
        put(&mut bytes, &[0; 8], 8);
        // Each section's kind, offset, length, linked section and entry size.
        let table = [11, symbols_at, symbols_length, 2, 24];
        let text = [3, strings_at, strings.len() as u64, 0, 0];
        for [kind, at, length, link, entry] in [table, text] {
            put(&mut bytes, &[0, kind], 4);
            put(&mut bytes, &[0, 0, at, length], 8);
            put(&mut bytes, &[link, 0], 4);
            put(&mut bytes, &[1, entry], 8);
        }
        bytes.extend_from_slice(&[0; 24]);
        for _ in 0..symbols {
            put(&mut bytes, &[name.into()], 4);
            // A global function in section 1.
            bytes.extend_from_slice(&[0x12, 0, 1, 0]);
            put(&mut bytes, &[0x1000, 1], 8);
        }
        bytes.extend_from_slice(strings);
        bytes
    }

    #[test]
    fn exports_of_a_small_library_are_listed() {
        let library = recognise(Path::new("x"), &elf(1, 1, b"\0_heapmin\0")).unwrap();
        assert_eq!(library.exports, ["_heapmin"]);
    }

    #[rstest]
    #[case::one_long_name_for_all(5000, 1, [b"\0", &[b'x'; 100_000][..], b"\0"].concat(), "longer than the file")]
    #[case::a_name_without_an_end(5000, 1, vec![b'x'; 100_000], "cannot be read")]
    #[case::a_name_outside(1, 77, b"\0".to_vec(), "cannot be read")]
    fn export_tables_that_take_too_long_to_read_are_refused(
        #[case] symbols: usize,
        #[case] name: u32,
        #[case] strings: Vec<u8>,
        #[case] what: &str,
    ) {
        let error = recognise(Path::new("x"), &elf(symbols, name, &strings)).unwrap_err();
        assert!(error.problem.contains(what), "{error}");
    }

    /// Seeds of the fuzz targets.
    const SMALL_DLL: &str = include_str!("../../../conformance/fuzz/seeds/library/small-dll.hex");
    const SMALL_DYLIB: &str =
        include_str!("../../../conformance/fuzz/seeds/library/small-dylib.hex");

    fn from_hex(text: &str) -> Vec<u8> {
        let digits: String = text.split_whitespace().collect();
        let pairs = digits.as_bytes().chunks(2);
        let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        pairs.map(byte).collect()
    }

    #[test]
    fn libraries_of_windows_and_macos_are_read() {
        let [dll, dylib] = [SMALL_DLL, SMALL_DYLIB].map(from_hex);
        let dll = recognise(Path::new("x"), &dll).unwrap();
        assert_eq!((dll.format, &dll.arch[..]), (Format::Pe, "x86_64"));
        assert_eq!(dll.exports, ["_heapmin", "malloc"]);
        assert_eq!(dll.forwarded, [("free".into(), "other.dll".into())]);
        assert_eq!(dll.version.as_deref(), Some("10.0.26100.1"));
        assert_eq!(dll.maker, Maker::Microsoft);
        let dylib = recognise(Path::new("x"), &dylib).unwrap();
        assert_eq!((dylib.format, &dylib.arch[..]), (Format::Macho, "x86_64"));
        assert_eq!(dylib.exports, ["_heapmin", "malloc"]);
    }

    #[rstest]
    fn a_misplaced_resource_directory_gives_no_version(#[values(1, 2, 3, 0x7FFF_FFFF)] away: u32) {
        let mut bytes = from_hex(SMALL_DLL);
        let header = usize::from(bytes[0x3C]);
        let directory = header + 24 + 112 + 2 * 8;
        let place: [u8; 4] = bytes[directory..directory + 4].try_into().unwrap();
        let place = u32::from_le_bytes(place).wrapping_add(away);
        bytes[directory..directory + 4].copy_from_slice(&place.to_le_bytes());
        let library = recognise(Path::new("x"), &bytes).unwrap();
        assert_eq!((library.version, library.maker), (None, Maker::Other));
    }

    #[test]
    fn a_missing_file_and_a_directory_are_refused_by_name() {
        let folder = std::env::temp_dir();
        assert!(
            inspect(&folder)
                .unwrap_err()
                .problem
                .contains("is a directory")
        );
        let missing = folder.join("no such library.so");
        assert!(
            inspect(&missing)
                .unwrap_err()
                .problem
                .contains("no such file")
        );
    }

    #[test]
    fn an_executable_is_refused() {
        let error = inspect(&std::env::current_exe().unwrap()).unwrap_err();
        assert!(error.problem.contains("executable"), "{error}");
    }

    /// The part of a PE file that `pe_maker` reads, with this text between the headers.
    fn stub(text: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 0x40];
        bytes.extend_from_slice(text);
        bytes.resize(0x100, 0);
        bytes
    }

    #[rstest]
    #[case(b"Wine builtin DLL", Some("Microsoft Corporation"), Maker::Wine)]
    #[case(b"Wine placeholder DLL", None, Maker::Wine)]
    #[case(
        b"This program cannot",
        Some("Microsoft Corporation"),
        Maker::Microsoft
    )]
    #[case(b"This program cannot", Some("ReactOS Team"), Maker::Other)]
    #[case(b"This program cannot", None, Maker::Other)]
    fn stub_and_company_decide_the_maker(
        #[case] text: &[u8],
        #[case] company: Option<&str>,
        #[case] maker: Maker,
    ) {
        let version = Version {
            company: company.map(str::to_owned),
            file: None,
            original_name: None,
        };
        assert_eq!(pe_maker(&stub(text), Some(&version)), maker);
        if company.is_none() {
            assert_eq!(pe_maker(&stub(text), None), maker);
        }
    }

    #[test]
    fn a_file_without_a_stub_is_of_another_maker() {
        assert_eq!(pe_maker(b"MZ", None), Maker::Other);
    }
}
