//! What a report is made from.

use std::collections::BTreeMap;

use crate::{
    git::ChangedFile,
    model::{
        Answer, Data, Generation, Halt, Intent, IntentAction, Interaction, Micros, Performer, ResultStatus, Session,
        SessionId, Status, Step, TestRun, Verdict,
    },
    store::CriterionRecord,
    workflow::{Chapters, LedgerRow, Sentence, Woken, headline, story},
};

/// Everything that a report tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// The project's name.
    pub project: String,
    /// When the report was made.
    pub made_at: Micros,
    /// The session that it is about.
    pub subject: Told,
    /// Its children and those that it has woken, in the order in which they were made, with what they are to it.
    pub others: Vec<(Bond, Told)>,
    /// So many more sessions belong to it, but are not in the report.
    pub left_out: usize,
    /// The criteria of the session's context or component, as they stand now.
    pub criteria: Vec<CriterionRecord>,
    /// What sessions are called at the beginning of a sentence.
    pub names: BTreeMap<SessionId, String>,
}

/// What another session is to the one that a report is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bond {
    /// It was spawned by it, or by a child of it.
    Child,
    /// It was woken by it: only what it did then is told.
    Woken,
}

impl Bond {
    /// The word for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Child => "child",
            Self::Woken => "woken",
        }
    }
}

/// What is told of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The session.
    pub session: Session,
    /// What it waits for or does, in a sentence, while it is active.
    pub standing: Option<String>,
    /// What was asked about it, and the answers, oldest first.
    pub asked: Vec<(Intent, Option<Answer>)>,
    /// Oldest first.
    pub generations: Vec<Generation>,
    /// Oldest first.
    pub interactions: Vec<Interaction>,
    /// What it had woken or made.
    pub woke: Vec<Woken>,
    /// Oldest first, and whether what was decided still is what was decided on.
    pub halts: Vec<(Halt, Option<Holding>)>,
    /// What became of each failure.
    pub ledger: Vec<LedgerRow>,
    /// What it changed.
    pub changes: Changes,
}

/// Whether a decision still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holding {
    /// What it was made on is unchanged.
    Holds,
    /// What it was made on has changed since: it is void.
    Void,
    /// That cannot be told any more, because.
    Unknown(String),
}

impl Holding {
    /// The sentence for people.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Holds => "It holds: what it was decided on is unchanged.".to_owned(),
            Self::Void => "It is void by now: what it was decided on has changed since.".to_owned(),
            Self::Unknown(why) => format!("Whether it still holds cannot be told: {why}."),
        }
    }
}

/// What a session changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changes {
    /// From which commit to which, if it has any.
    pub range: Option<(String, String)>,
    /// Files, by path: the first of them.
    pub files: Vec<ChangedFile>,
    /// How many there are in all.
    pub all: usize,
    /// What there is to say about it: the branch is gone, nothing is committed yet.
    pub note: Option<String>,
}

impl Changes {
    /// Lines that came and lines that went, over the files that are listed.
    #[must_use]
    pub fn lines(&self) -> (usize, usize) {
        self.files.iter().filter_map(|file| file.lines).fold((0, 0), |sum, lines| (sum.0 + lines.0, sum.1 + lines.1))
    }
}

/// How a session came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Complete,
    Failed,
    Cancelled,
    /// It waits for a person.
    Halted,
    /// It is at work.
    Active,
}

impl Outcome {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Halted => "halted",
            Self::Active => "active",
        }
    }
}

/// An attempt on a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bar {
    pub(super) step: Step,
    pub(super) from: Micros,
    pub(super) to: Micros,
    pub(super) sort: Sort,
    /// Whether it ended badly.
    pub(super) bad: bool,
}

/// What a bar is drawn as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Agent,
    Tests,
    Wait,
    Other,
}

impl Sort {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Tests => "tests",
            Self::Wait => "children",
            Self::Other => "other",
        }
    }
}

impl Facts {
    /// Its sessions, the one that the report is about first.
    pub(super) fn all(&self) -> impl Iterator<Item = (Option<Bond>, &Told)> {
        std::iter::once((None, &self.subject)).chain(self.others.iter().map(|(bond, told)| (Some(*bond), told)))
    }

    /// From when to when the timeline goes: the subject's life, and as long as that lasts, its children's.
    pub(super) fn span(&self) -> (Micros, Micros) {
        let from = self.subject.session.created_at;
        let ends = |told: &Told| told.bars(self.made_at).iter().map(|bar| bar.to).max();
        let own = ends(&self.subject).unwrap_or(from);
        let to = if self.subject.session.status.is_terminal() {
            own
        } else {
            self.all().filter_map(|(_, told)| ends(told)).max().unwrap_or(own)
        };
        (from, to.max(from + 1))
    }

    /// The story of one of its sessions.
    pub(super) fn story(&self, told: &Told) -> Vec<Sentence> {
        let halts: Vec<Halt> = told.halts.iter().map(|(halt, _)| halt.clone()).collect();
        story(Chapters {
            session: &told.session,
            generations: &told.generations,
            interactions: &told.interactions,
            halts: &halts,
            woke: &told.woke,
            names: &self.names,
        })
    }

    /// How many criteria stand like this.
    pub(super) fn standing(&self, word: &str) -> usize {
        self.criteria.iter().filter(|criterion| criterion.standing() == word).count()
    }
}

impl Told {
    pub(super) fn outcome(&self) -> Outcome {
        match self.session.status {
            Status::Complete => Outcome::Complete,
            Status::Cancelled => Outcome::Cancelled,
            Status::Active | Status::Failed if self.open_halt().is_some() => Outcome::Halted,
            Status::Failed => Outcome::Failed,
            Status::Active => Outcome::Active,
        }
    }

    /// The halt that nobody has decided, if it is the end of the story so far.
    fn open_halt(&self) -> Option<&Halt> {
        let last = self.interactions.last().map_or(0, |last| last.seq);
        self.halts.last().map(|(halt, _)| halt).filter(|halt| halt.decision.is_none() && halt.seq >= last)
    }

    /// The outcome in a sentence.
    pub(super) fn outcome_sentence(&self) -> String {
        if let Some(halt) = self.open_halt() {
            return format!("It waits for a person to decide: {}", headline(&halt.message));
        }
        match self.session.status {
            Status::Complete => match self.finalized() {
                Some((commit, Some(remote))) => format!("Its work is commit {commit}, pushed to {remote}."),
                Some((commit, None)) => format!("Its work is commit {commit}."),
                None => "Every step of its workflow is done.".to_owned(),
            },
            Status::Failed => match self.closed_by() {
                Some(user) => format!("{user} closed it: the halt was right."),
                None => format!("It failed: {}", headline(self.last_error().unwrap_or("it does not say why"))),
            },
            Status::Cancelled => "It was cancelled.".to_owned(),
            Status::Active => self.standing.clone().unwrap_or_else(|| "It is at work.".to_owned()),
        }
    }

    fn closed_by(&self) -> Option<&str> {
        let (halt, _) = self.halts.last()?;
        halt.decision
            .as_ref()
            .filter(|decision| decision.verdict == Verdict::Approve)
            .map(|decision| decision.user.as_str())
    }

    fn last_error(&self) -> Option<&str> {
        self.interactions.last()?.result.as_ref()?.error_message.as_deref()
    }

    fn finalized(&self) -> Option<(String, Option<&str>)> {
        self.interactions.iter().rev().find_map(|it| match it.result.as_ref()?.data.as_ref()? {
            Data::Finalized { commit, pushed_to, .. } => {
                Some((commit.chars().take(10).collect(), pushed_to.as_deref()))
            }
            Data::TestRun(_)
            | Data::Prepared { .. }
            | Data::Agent(_)
            | Data::Children { .. }
            | Data::Criteria { .. }
            | Data::Design { .. } => None,
        })
    }

    /// Who asked for it: a person, or the session that spawned it.
    pub(super) fn asked_by(&self, names: &BTreeMap<SessionId, String>) -> Option<String> {
        if let Some(parent) = self.session.parent_id {
            return Some(names.get(&parent).cloned().unwrap_or_else(|| format!("session {}", parent.short())));
        }
        let first = self.asked.iter().find(|(intent, _)| intent.action == IntentAction::Start)?;
        Some(first.0.user.clone()).filter(|user| !user.is_empty())
    }

    /// The last run of its tests.
    pub(super) fn tests(&self) -> Option<&TestRun> {
        self.interactions.iter().rev().find_map(|it| it.result.as_ref()?.test_run())
    }

    /// Its attempts as bars. One that is pending lasts until now.
    pub(super) fn bars(&self, now: Micros) -> Vec<Bar> {
        let bar = |it: &Interaction| Bar {
            step: it.step,
            from: it.started_at,
            to: it.completed_at.unwrap_or(now).max(it.started_at),
            sort: match it.step.performer() {
                Performer::Agent => Sort::Agent,
                Performer::Tests => Sort::Tests,
                Performer::Spawn => Sort::Wait,
                Performer::Git | Performer::Check => Sort::Other,
            },
            bad: it.result.as_ref().is_some_and(|result| result.status == ResultStatus::Error),
        };
        self.interactions.iter().map(bar).collect()
    }
}
