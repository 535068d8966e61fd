//! A folder from which the loader takes a library that it would not take from its own place.
//!
//! Wine has its own libraries under the names of Microsoft's. It loads another file
//! instead if `WINEDLLOVERRIDES` prefers native libraries and the file is in the folder of
//! the program. So the program and the library are linked into a new folder.
//!
//! A library of a side-by-side assembly refuses to be loaded by its path, on Windows and
//! under Wine. It is linked into a folder with the assembly's name, beside a program whose
//! manifest names the assembly, and is then loaded by its name.

use super::runner::Runner;
use crate::library::inspect::{Library, Maker};
use crate::library::profile::Profile;
use crate::text::input_error::InputError;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// A folder with links to a probe and a library. Dropping the last clone removes it.
#[derive(Clone, Debug)]
pub struct Stage {
    folder: Arc<TempDir>,
    /// The library's path in the folder.
    file: PathBuf,
    is_assembly: bool,
}

impl Stage {
    /// Creates a stage if the library belongs to an assembly, or if Wine would otherwise
    /// load its own library; else `None`.
    ///
    /// # Errors
    /// If the folder cannot be created.
    pub fn new(
        path: &Path,
        library: &Library,
        profile: Option<&Profile>,
        runner: &Runner,
    ) -> Result<Option<Stage>, InputError> {
        if library.maker == Maker::Wine {
            return Ok(None);
        }
        let assembly = profile.and_then(|profile| Assembly::of(profile, library));
        if assembly.is_none() && !runner.is_wine() {
            return Ok(None);
        }
        let make = || -> std::io::Result<Stage> {
            let folder = tempfile::Builder::new().prefix("heapmin-").tempdir()?;
            let file = match &assembly {
                Some(assembly) => assembly.create(folder.path())?,
                None => PathBuf::from(path.file_name().unwrap_or_default()),
            };
            link(path, &folder.path().join(&file))?;
            link(&runner.program, &folder.path().join(PROGRAM))?;
            Ok(Stage {
                folder: Arc::new(folder),
                file,
                is_assembly: assembly.is_some(),
            })
        };
        make().map(Some).map_err(|error| {
            InputError::new(
                format!(
                    "{}: a folder to load it from cannot be created: {error}",
                    path.display()
                ),
                "make the folder for temporary files writable, or set TMPDIR to another",
            )
        })
    }

    /// The library's path in this folder.
    pub fn staged_path(&self) -> PathBuf {
        self.folder.path().join(&self.file)
    }

    /// What the probe passes to the loader.
    ///
    /// # Errors
    /// If the probe's system cannot express the path.
    pub fn load_name(&self, runner: &Runner) -> Result<OsString, InputError> {
        match self.is_assembly {
            true => Ok(self.file.file_name().unwrap_or_default().into()),
            false => runner.path_for_loader(&self.staged_path()),
        }
    }

    /// The same runner with the program in this folder.
    pub fn runner(&self, runner: &Runner) -> Runner {
        Runner {
            program: self.folder.path().join(PROGRAM),
            ..runner.clone()
        }
    }

    /// The environment for Wine: it prefers the native file, and it also searches the
    /// file's original folder for the libraries that the file needs.
    pub fn environment(&self, path: &Path, runner: &Runner) -> Vec<(String, String)> {
        if !runner.is_wine() {
            return Vec::new();
        }
        let stem = self.file.file_stem().unwrap_or_default().to_string_lossy();
        let mut environment = vec![("WINEDLLOVERRIDES".to_owned(), format!("{stem}=n,b"))];
        if let Some(Ok(folder)) = path.parent().map(|folder| runner.path_for_loader(folder)) {
            environment.push(("WINEPATH".to_owned(), folder.to_string_lossy().into_owned()));
        }
        environment
    }
}

const PROGRAM: &str = "heapmin.exe";

/// Build and revision of the assembly in both manifests. The loader prefers an installed
/// assembly of the file's own version, and Wine also a newer one.
const NEWEST: &str = "65535.65535";

/// A side-by-side assembly of Microsoft's.
struct Assembly<'a> {
    name: &'a str,
    file: &'a str,
    /// Its `assemblyIdentity` in a manifest.
    identity: String,
}

impl<'a> Assembly<'a> {
    /// The assembly of a library; `None` if its profile names none, or if the file has no
    /// version, without which there is no manifest.
    fn of(profile: &'a Profile, library: &Library) -> Option<Assembly<'a>> {
        let name = profile.assembly.as_deref()?;
        let mut version = library.version.as_deref()?.split('.');
        let (major, minor) = (version.next()?, version.next()?);
        let architecture = match library.arch.as_str() {
            "x86_64" => "amd64",
            other => other,
        };
        Some(Assembly {
            name,
            file: &profile.file_name,
            identity: format!(
                "<assemblyIdentity type=\"win32\" name=\"{name}\" \
                 version=\"{major}.{minor}.{NEWEST}\" \
                 processorArchitecture=\"{architecture}\" \
                 publicKeyToken=\"1fc8b3b9a1e18e3b\"/>"
            ),
        })
    }

    /// Creates the assembly's folder, its manifest and that of the program. Returns the
    /// library's place in `folder`.
    fn create(&self, folder: &Path) -> std::io::Result<PathBuf> {
        let Assembly {
            name,
            file,
            identity,
        } = self;
        let own = folder.join(name);
        std::fs::create_dir(&own)?;
        std::fs::write(
            own.join(format!("{name}.manifest")),
            manifest(&format!("{identity}<file name=\"{file}\"/>")),
        )?;
        std::fs::write(
            folder.join(format!("{PROGRAM}.manifest")),
            manifest(&format!(
                "<dependency><dependentAssembly>{identity}</dependentAssembly></dependency>"
            )),
        )?;
        Ok(Path::new(name).join(file))
    }
}

fn manifest(elements: &str) -> String {
    format!(
        "<assembly xmlns=\"urn:schemas-microsoft-com:asm.v1\" manifestVersion=\"1.0\">\
         {elements}</assembly>\n"
    )
}

#[cfg(unix)]
fn link(original: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(original, link)
}

/// Windows allows symbolic links only to some users.
#[cfg(not(unix))]
fn link(original: &Path, link: &Path) -> std::io::Result<()> {
    std::fs::copy(original, link).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::inspect::Format;
    use crate::parent::runner::Starter;
    use crate::parent::target::Target;
    use rstest::rstest;

    fn library(arch: &str, maker: Maker) -> Library {
        Library {
            format: Format::Pe,
            arch: arch.into(),
            exports: Vec::new(),
            forwarded: Vec::new(),
            version: Some("9.0.30729.1".into()),
            original_name: None,
            maker,
            own_calls: Vec::new(),
            needs: Vec::new(),
        }
    }

    fn profile(more: &str) -> Profile {
        let text = "title = 'A'\nlibrary = 'crt90.dll'\nsource = 'system'\nerrno = 'msvc'\n";
        Profile::parse("crt90", &format!("{text}{more}")).unwrap()
    }

    const ASSEMBLY: &str = "assembly = 'Maker.CRT'\n";

    /// The stage of /d/given.dll, with what runs its probe.
    fn stage(arch: &str, maker: Maker, profile: &Profile, wine: bool) -> Option<(Stage, Runner)> {
        let runner = Runner {
            starter: match wine {
                true => Starter::Wine("/wine".into()),
                false => Starter::System,
            },
            wine_version: None,
            target: match wine {
                true => Target::new(Format::Pe, arch),
                false => Target::native(),
            },
            sees_memory: true,
            frees_threads: true,
            program: "/p/heapmin.exe".into(),
            is_fenced: false,
            memory: None,
        };
        let stage = Stage::new(
            Path::new("/d/given.dll"),
            &library(arch, maker),
            Some(profile),
            &runner,
        );
        stage.unwrap().map(|stage| (stage, runner))
    }

    #[test]
    fn only_a_file_that_the_loader_would_not_take_is_staged() {
        let (plain, assembly) = (profile(""), profile(ASSEMBLY));
        let is_staged = |maker, profile, wine| stage("x86_64", maker, profile, wine).is_some();
        assert!(is_staged(Maker::Microsoft, &plain, true));
        assert!(!is_staged(Maker::Microsoft, &plain, false));
        assert!(is_staged(Maker::Microsoft, &assembly, false));
        assert!(!is_staged(Maker::Wine, &assembly, true));
    }

    #[cfg(unix)]
    #[rstest]
    #[case::for_64_bits("x86_64", "amd64")]
    #[case::for_32_bits("x86", "x86")]
    fn an_assembly_has_a_folder_and_both_manifests_name_it(
        #[case] arch: &str,
        #[case] architecture: &str,
        #[values(false, true)] wine: bool,
    ) {
        let (stage, runner) = stage(arch, Maker::Microsoft, &profile(ASSEMBLY), wine).unwrap();
        let folder = stage.folder.path();
        let file = folder.join("Maker.CRT/crt90.dll");
        assert_eq!(stage.staged_path(), file);
        assert_eq!(std::fs::read_link(file).unwrap(), Path::new("/d/given.dll"));
        assert_eq!(stage.load_name(&runner).unwrap(), "crt90.dll");
        let identity = format!(
            "<assemblyIdentity type=\"win32\" name=\"Maker.CRT\" version=\"9.0.65535.65535\" \
             processorArchitecture=\"{architecture}\" publicKeyToken=\"1fc8b3b9a1e18e3b\"/>"
        );
        let text = |place: &str| std::fs::read_to_string(folder.join(place)).unwrap();
        let own = text("Maker.CRT/Maker.CRT.manifest");
        assert!(
            own.contains(&format!("{identity}<file name=\"crt90.dll\"/>")),
            "{own}"
        );
        let of_program = text("heapmin.exe.manifest");
        assert!(
            of_program.contains(&format!("<dependentAssembly>{identity}")),
            "{of_program}"
        );
        let environment = stage.environment(Path::new("/d/given.dll"), &runner);
        let overrides = environment.first().map(|(_, value)| value.as_str());
        assert_eq!(overrides, wine.then_some("crt90=n,b"));
    }

    #[cfg(unix)]
    #[test]
    fn another_library_is_loaded_by_its_staged_path() {
        let (stage, runner) = stage("x86_64", Maker::Other, &profile(""), true).unwrap();
        let path = runner.path_for_loader(&stage.staged_path()).unwrap();
        assert_eq!(stage.load_name(&runner).unwrap(), path);
        assert!(path.to_string_lossy().ends_with("\\given.dll"));
        assert!(!stage.folder.path().join("heapmin.exe.manifest").exists());
    }
}
