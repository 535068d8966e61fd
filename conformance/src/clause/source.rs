//! Where a promise comes from: page, section, and on what basis.

use crate::record::Place;
use std::fmt;

/// A page that documents a routine.
#[derive(Debug)]
pub struct Page {
    /// Its short title: the name of the routine.
    pub title: &'static str,
    site: Site,
    /// Its address, or the part of it that the site does not have.
    address: &'static str,
}

/// Where a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Site {
    /// Microsoft's C runtime reference.
    Microsoft,
    /// The manual pages of Linux.
    LinuxManual,
    /// Elsewhere. No address leads to a section.
    Other,
}

impl Page {
    /// A page of Microsoft's C runtime reference. The slug is the path of its
    /// source below `docs/c-runtime-library` in MicrosoftDocs/cpp-docs.
    pub const fn microsoft(title: &'static str, slug: &'static str) -> Page {
        Page {
            title,
            site: Site::Microsoft,
            address: slug,
        }
    }

    /// A page of the Linux man-pages project, such as `man2/mlock.2`.
    pub const fn linux_manual(title: &'static str, slug: &'static str) -> Page {
        Page {
            title,
            site: Site::LinuxManual,
            address: slug,
        }
    }

    /// A page elsewhere, by its whole address: of POSIX, or of the C standard's draft.
    pub const fn elsewhere(title: &'static str, address: &'static str) -> Page {
        Page {
            title,
            site: Site::Other,
            address,
        }
    }

    /// Its address on the web.
    pub fn address(&self) -> String {
        let address = self.address;
        match self.site {
            Site::Microsoft => {
                format!("https://learn.microsoft.com/cpp/c-runtime-library/{address}")
            }
            Site::LinuxManual => format!("https://man7.org/linux/man-pages/{address}.html"),
            Site::Other => address.to_owned(),
        }
    }

    /// The address of one of its sections.
    fn address_of(&self, section: Section) -> String {
        let heading = section.heading();
        self.address()
            + &match (self.site, section) {
                (Site::Other, _) | (Site::Microsoft, Section::Introduction) => String::new(),
                (Site::Microsoft, _) => format!("#{}", heading.to_lowercase().replace(' ', "-")),
                (Site::LinuxManual, _) => format!("#{}", heading.to_uppercase().replace(' ', "_")),
            }
    }
}

/// A section of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// The introduction, above the first heading.
    Introduction,
    /// The declaration and what is said of its parameters.
    Syntax,
    /// What the parameters mean.
    Parameters,
    /// What the routine returns.
    ReturnValue,
    /// What the routine does.
    Remarks,
    /// The header, and the libraries, that have the routine.
    Requirements,
    /// The description on a page of POSIX or of the Linux manual.
    Description,
    /// The notes on a page of the Linux manual.
    Notes,
    /// The section of the C standard with this number and title.
    Numbered(&'static str),
}

impl Section {
    /// The heading on the page, if it has one.
    fn heading(self) -> &'static str {
        match self {
            Section::Introduction => "Introduction",
            Section::Syntax => "Syntax",
            Section::Parameters => "Parameters",
            Section::ReturnValue => "Return value",
            Section::Remarks => "Remarks",
            Section::Requirements => "Requirements",
            Section::Description => "Description",
            Section::Notes => "Notes",
            Section::Numbered(heading) => heading,
        }
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.heading())
    }
}

/// A bound that this suite chose where the page gives no number.
#[derive(Debug)]
pub struct Limit {
    /// The bound, with its unit.
    pub bound: &'static str,
    /// Why it is not lower and not higher.
    pub reason: &'static str,
}

/// How a promise follows from its source.
#[derive(Clone, Copy, Debug)]
pub enum Basis {
    /// The page states it.
    Stated,
    /// It follows from this statement of the page.
    Derived(&'static str),
    /// The page gives no number; this suite chose one.
    Limit(&'static Limit),
}

impl Basis {
    /// Its name, as JSON reports write it.
    pub fn name(self) -> &'static str {
        match self {
            Basis::Stated => "stated",
            Basis::Derived(_) => "derived",
            Basis::Limit(_) => "limit chosen by this suite",
        }
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Basis::Stated => f.write_str("stated by the page"),
            Basis::Derived(from) => write!(f, "derived: {from}"),
            Basis::Limit(limit) => write!(f, "limit chosen by this suite: {}", limit.bound),
        }
    }
}

/// Where a promise comes from, as its clause declares it: on the page of the
/// clause's routine, unless [`Origin::on`] names another.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    page: Option<&'static Page>,
    section: Section,
    also: Option<(&'static Page, Section)>,
    basis: Basis,
}

/// The section states the promise.
pub const fn stated(section: Section) -> Origin {
    Origin {
        page: None,
        section,
        also: None,
        basis: Basis::Stated,
    }
}

/// The promise follows from the section; `from` says from which statement.
pub const fn derived(section: Section, from: &'static str) -> Origin {
    Origin {
        basis: Basis::Derived(from),
        ..stated(section)
    }
}

/// The section states the promise without a number; this suite chose one.
pub const fn limited(section: Section, limit: &'static Limit) -> Origin {
    Origin {
        basis: Basis::Limit(limit),
        ..stated(section)
    }
}

impl Origin {
    /// The section is on this page.
    pub const fn on(self, page: &'static Page) -> Origin {
        Origin {
            page: Some(page),
            ..self
        }
    }

    /// The promise rests on this section too.
    pub const fn and(self, page: &'static Page, section: Section) -> Origin {
        Origin {
            also: Some((page, section)),
            ..self
        }
    }

    /// The source, for a clause of a routine with this page.
    pub(super) const fn of(self, page: &'static Page) -> Source {
        Source {
            page: match self.page {
                Some(other) => other,
                None => page,
            },
            section: self.section,
            also: self.also,
            basis: self.basis,
        }
    }
}

/// Where a promise comes from.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// The page.
    pub page: &'static Page,
    /// The section of the page.
    pub section: Section,
    /// A second page and its section, if the promise rests on two.
    pub also: Option<(&'static Page, Section)>,
    /// How the promise follows from them.
    pub basis: Basis,
}

impl Source {
    /// The sections, one or two.
    pub fn places(&self) -> Vec<Place> {
        let first = (self.page, self.section);
        let both = [Some(first), self.also].into_iter().flatten();
        let place = |(page, section): (&'static Page, Section)| Place {
            page: page.title.to_owned(),
            section: section.heading().to_owned(),
            address: page.address_of(section),
        };
        both.map(place).collect()
    }

    /// The titles of the pages.
    pub fn titles(&self) -> String {
        let mut titles: Vec<_> = self.places().into_iter().map(|it| it.page).collect();
        titles.dedup();
        titles.join(", ")
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.page.title, self.section)?;
        match self.also {
            Some((page, section)) => write!(f, "; {}, {section}", page.title),
            None => Ok(()),
        }
    }
}
