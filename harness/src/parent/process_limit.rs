//! A resource limit that the process of a probe has from its start.

/// A resource of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Its address space (`RLIMIT_AS`).
    AddressSpace,
    /// Its private memory that can be written (`RLIMIT_DATA`).
    Data,
}

/// A limit, as `ulimit` of a shell sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessLimit {
    /// What is limited.
    pub resource: Resource,
    /// In MiB.
    pub mebibytes: u64,
}

#[cfg(target_os = "linux")]
impl ProcessLimit {
    /// Sets the limit for this process. Allocates nothing, so a child may call it before it
    /// starts its program.
    pub(super) fn set(self) -> std::io::Result<()> {
        let resource = match self.resource {
            Resource::AddressSpace => rustix::process::Resource::As,
            Resource::Data => rustix::process::Resource::Data,
        };
        let bound = Some(self.mebibytes << 20);
        let limit = rustix::process::Rlimit {
            current: bound,
            maximum: bound,
        };
        Ok(rustix::process::setrlimit(resource, limit)?)
    }
}
