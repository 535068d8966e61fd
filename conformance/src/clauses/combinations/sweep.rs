//! Calls one routine in each of its steps, and checks what it did.

use super::super::histories::{Allocate, Resize, Rule};
use super::Tally;
use super::blocks::{Conditions, Family, Given, Held, History};
use super::steps::{IMPOSSIBLE, Step, steps};
use heapmin_harness::probe::Stop;
use heapmin_harness::probe::crt::{Block, Crt, Places};
use std::collections::VecDeque;

/// The routine that a case is about.
pub(super) struct Subject {
    pub(super) role: Role,
    pub(super) is_aligned: bool,
    pub(super) has_offset: bool,
    /// Whether the bytes that it adds are 0.
    zeroes: bool,
}

/// What the routine does.
#[derive(Clone, Copy)]
pub(super) enum Role {
    Allocate(Allocate),
    Resize(Resize),
    /// Resizes a block without moving it, or refuses.
    Expand(fn(&Crt, &Block, usize) -> Result<Option<Block>, Stop>),
    /// Returns the size of a block.
    Read(fn(&Crt, &Block, Rule) -> Result<usize, Stop>),
    Free(fn(&Crt, Block) -> Result<(), Stop>),
}

impl Subject {
    pub(super) const fn plain(role: Role) -> Subject {
        Subject {
            role,
            is_aligned: false,
            has_offset: false,
            zeroes: false,
        }
    }

    pub(super) const fn aligned(role: Role) -> Subject {
        Subject {
            is_aligned: true,
            ..Subject::plain(role)
        }
    }

    pub(super) const fn zeroes(self) -> Subject {
        Subject {
            zeroes: true,
            ..self
        }
    }

    pub(super) const fn at_offsets(self) -> Subject {
        Subject {
            has_offset: true,
            ..self
        }
    }

    fn family(&self) -> &'static Family {
        Family::of(self.is_aligned)
    }

    /// Whether it gets the size of a block that it returns.
    pub(super) fn takes_any_size(&self) -> bool {
        matches!(self.role, Role::Allocate(_)) || self.is_resizing()
    }

    pub(super) fn is_resizing(&self) -> bool {
        matches!(self.role, Role::Resize(_) | Role::Expand(_))
    }

    /// Whether 0 is a size that its page allows.
    pub(super) fn takes_zero(&self) -> bool {
        match self.role {
            Role::Resize(_) => true,
            Role::Expand(_) => false,
            _ => !self.is_aligned,
        }
    }
}

/// The blocks, or the memory, that come from this thread, for calls of another one.
pub(super) fn give(conditions: &Conditions, subject: &Subject) -> Result<Given, Stop> {
    let family = subject.family();
    let mut given = Vec::new();
    for step in steps(subject, conditions.plan.is_some()) {
        if step.history != History::OtherThread {
            continue;
        }
        let size = match subject.role {
            Role::Allocate(_) => step.size.min(MOST_PREPARED),
            _ => step.old,
        };
        let block = family.allocate(conditions, size, step.rule)?;
        given.push(block.map(|block| family.fill(block, step.other_size(), 98)));
    }
    if let Role::Allocate(_) = subject.role {
        for held in given.drain(..).flatten() {
            held.free(conditions)?;
        }
    }
    given.reverse();
    Ok(given)
}

/// No larger block is prepared for a request, in bytes.
const MOST_PREPARED: usize = 8 << 20;
/// The number of blocks that stay alive beside the calls.
const ALIVE: usize = 8;

/// Makes the call of each step.
pub(super) fn sweep(
    conditions: &Conditions,
    subject: &Subject,
    given: Given,
) -> Result<Tally, Stop> {
    let mut sweep = Sweep {
        conditions,
        subject,
        family: subject.family(),
        given,
        tally: Tally::default(),
        alive: VecDeque::new(),
        seed: 0,
    };
    for step in steps(subject, conditions.plan.is_some()) {
        sweep.step(step)?;
    }
    while sweep.free_oldest()? {}
    Ok(sweep.tally)
}

struct Sweep<'a> {
    conditions: &'a Conditions<'a>,
    subject: &'a Subject,
    family: &'static Family,
    given: Given,
    tally: Tally,
    /// Blocks that the calls must not change.
    alive: VecDeque<Held>,
    seed: u64,
}

impl Step {
    /// The size that a block of this step gets, if there can be such a block.
    fn other_size(&self) -> usize {
        match self.size {
            IMPOSSIBLE => 0,
            size => size,
        }
    }
}

impl Sweep<'_> {
    fn step(&mut self, step: Step) -> Result<(), Stop> {
        let Step {
            size,
            rule,
            history,
            ..
        } = step;
        if let Role::Allocate(allocate) = self.subject.role {
            let prepared = size.min(MOST_PREPARED);
            self.family
                .prepare(self.conditions, prepared, rule, history)?;
            self.tally.calls += 1;
            let block = self.conditions.call(|crt| allocate(crt, size, rule))?;
            return self.returned(step, block, 0);
        }
        let block = match history {
            History::OtherThread => self.given.pop().flatten(),
            _ => {
                if let (Role::Expand(_), 0, History::Used) = (self.subject.role, step.old, history)
                {
                    self.family.use_smallest(self.conditions, rule)?;
                }
                let block = self
                    .family
                    .block(self.conditions, step.old, rule, history)?;
                self.seed += 1;
                block.map(|block| self.family.fill(block, step.other_size(), self.seed))
            }
        };
        let Some(held) = block else {
            return Ok(());
        };
        self.tally.calls += 1;
        match self.subject.role {
            Role::Allocate(_) => Ok(()),
            Role::Resize(resize) => self.resize(step, held, resize),
            Role::Expand(expand) => self.expand(step, held, expand),
            Role::Read(read) => {
                let seen = self.conditions.call(|crt| read(crt, &held.block, rule))?;
                self.tally.wrong += i64::from(seen < held.block.size());
                self.keep(held)
            }
            Role::Free(free) => {
                self.tally.changed += held.lost();
                self.conditions.call(|crt| free(crt, held.block))
            }
        }
    }

    fn resize(&mut self, step: Step, held: Held, resize: Resize) -> Result<(), Stop> {
        let old = held.block.size();
        let block = held.block.again();
        let (size, rule) = (step.size, step.rule);
        match self.conditions.call(|crt| resize(crt, block, size, rule))? {
            Ok(block) => {
                let kept = old.min(size);
                self.tally.changed += block.lost_in_places(&held.places, held.seed, kept);
                self.returned(step, Some(block), old)
            }
            // The block was freed.
            Err(_) if size == 0 => Ok(()),
            Err(_) => {
                self.refused(step)?;
                self.keep(held)
            }
        }
    }

    fn expand(
        &mut self,
        step: Step,
        held: Held,
        expand: fn(&Crt, &Block, usize) -> Result<Option<Block>, Stop>,
    ) -> Result<(), Stop> {
        let old = held.block.size();
        let returned = self
            .conditions
            .call(|crt| expand(crt, &held.block, step.size))?;
        let Some(block) = returned else {
            return self.keep(held);
        };
        self.tally.wrong += i64::from(block.address() != held.block.address());
        let kept = old.min(step.size);
        self.tally.changed += block.lost_in_places(&held.places, held.seed, kept);
        self.returned(step, Some(block), old)
    }

    /// Checks a block that the routine returned. Its bytes from index `old` on are new.
    fn returned(&mut self, step: Step, block: Option<Block>, old: usize) -> Result<(), Stop> {
        let Some(block) = block else {
            return self.refused(step);
        };
        if step.size == IMPOSSIBLE {
            // Such a block is not used or freed.
            self.tally.wrong += 1;
            return Ok(());
        }
        let at = block.address().wrapping_add(step.rule.offset);
        self.tally.misaligned += i64::from(at % step.rule.alignment != 0);
        if self.subject.zeroes {
            let places = Places::of(&[step.size, old]);
            self.tally.not_zero += block.other_in_places(&places, 0, old);
        }
        self.seed += 1;
        self.keep(self.family.fill(block, 0, self.seed))
    }

    /// Checks that the routine had a reason to return NULL.
    fn refused(&mut self, step: Step) -> Result<(), Stop> {
        match step.size {
            IMPOSSIBLE => Ok(()),
            size => self.conditions.given(None::<Block>, size).map(drop),
        }
    }

    /// Keeps a block alive for some calls.
    fn keep(&mut self, held: Held) -> Result<(), Stop> {
        self.alive.push_back(held);
        if self.alive.len() > ALIVE {
            self.free_oldest()?;
        }
        Ok(())
    }

    /// Checks and frees the oldest live block. Returns `false` if no block is alive.
    fn free_oldest(&mut self) -> Result<bool, Stop> {
        let Some(held) = self.alive.pop_front() else {
            return Ok(false);
        };
        self.tally.changed += held.lost();
        held.free(self.conditions)?;
        Ok(true)
    }
}
