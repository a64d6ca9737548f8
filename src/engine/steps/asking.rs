//! What an agent asks of its host in a turn, and who decides: the configuration, a person, or the clock.

use std::time::Duration;

use crate::{
    agent::{Question, acp},
    engine::{clock, steps::talk::Driver},
    model::{
        About, EventKind, Grant, Lasts, Micros, Mode, Permission, PermissionId, Permissions, Rule, RuleOf, Standing,
    },
    store::Change,
};

/// What an agent is told that nobody allows what it asked for.
const DENIED: &str =
    "Nobody is here to allow this. You may read everything and write files in this folder; go on without it.";
/// What an agent is told that a person has forbidden it before.
const FORBIDDEN: &str = "The user has forbidden this. Go on without it.";
/// So long a person is asked; no answer until then is a no.
const ASKED_FOR: Duration = Duration::from_secs(10 * 60);

/// A question has its word, or its time is over.
pub(super) struct Answered {
    question: Question,
    id: PermissionId,
    ruling: Option<Grant>,
}

impl Driver<'_> {
    /// An agent may write in its worktree and use callboard's own tool; what else it asks for, its configuration decides.
    pub(super) fn decide(&mut self, question: Question) {
        let inside = !question.writes.is_empty() && acp::are_inside(&self.worktree, &question.writes);
        let asked = match self.job.session.mode {
            Mode::Manual | Mode::Auto => true,
            Mode::Agentic => false,
        };
        let standing = self.standing.iter().find(|standing| standing.tool == question.tool);
        let rule = self.rule(&question);
        let (allowed, by) = match (self.permissions, standing) {
            _ if question.ours => (true, "it is callboard's own tool".to_owned()),
            _ if rule.is_some_and(|rule| !rule.allow) => (false, rule.map(ToString::to_string).unwrap_or_default()),
            _ if question.before => (true, "it was allowed just before".to_owned()),
            _ if inside => (true, "it writes in its worktree".to_owned()),
            (_, Some(standing)) => (standing.ruling.allowed, format!("{}, before", standing.ruling.user)),
            (_, None) if rule.is_some() => (true, rule.map(ToString::to_string).unwrap_or_default()),
            (Permissions::Allow, None) => (true, format!("permissions = \"{}\"", self.permissions)),
            (Permissions::Deny, None) if asked => return self.ask(question),
            (Permissions::Deny, None) => (false, format!("permissions = \"{}\"", self.permissions)),
        };
        let why = if rule.is_some() || standing.is_some() { FORBIDDEN } else { DENIED };
        self.tell(question, allowed, by, why);
    }

    /// The rule of the configuration that decides. What the project's file allows counts only once a person agreed to it.
    fn rule(&self, question: &Question) -> Option<&Rule> {
        let counts = |rule: &&Rule| !rule.allow || rule.of == RuleOf::User || self.job.consented;
        let rules = self.job.project.rules.iter().chain(&self.ruled).filter(counts);
        Rule::deciding(rules, &self.agent, &question.tool, &question.subject)
    }

    fn tell(&mut self, question: Question, allowed: bool, by: String, why: &str) {
        let Question { key, tool, title, .. } = question;
        self.tap.bounded(EventKind::Permission { tool, title, allowed, by });
        let effects = self.talk.answer(&key, allowed, why);
        self.perform(effects);
    }

    /// A person is asked. The agent waits meanwhile, and may be silent for no longer than it always may.
    fn ask(&mut self, question: Question) {
        let limit = ASKED_FOR.min(self.job.project.limits.inactivity / 4 * 3);
        let now = clock::now();
        let permission = Permission {
            id: PermissionId::generate(),
            session_id: self.job.session.id,
            seq: self.job.seq,
            tool: question.tool.clone(),
            title: question.title.clone(),
            detail: question.detail.clone(),
            subject: question.subject.clone(),
            files: question.files,
            asked_at: now,
            until: now.saturating_add(Micros::try_from(limit.as_micros()).unwrap_or(Micros::MAX)),
        };
        let id = permission.id;
        let word = self.job.shared.questions.ask(id);
        self.job.shared.writer.post(&self.job.scope, vec![Change::Question(permission)]);
        self.tap.note(format!("It asks whether it may use {}: {}", question.tool, question.title));
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let ruling = tokio::time::timeout(limit, word).await.ok().and_then(Result::ok);
            // An attempt that has ended wants no answer.
            answers.send(Answered { question, id, ruling }).unwrap_or_default();
        });
    }

    /// A question has its word, or its time is over.
    pub(super) fn answered(&mut self, answered: Answered) {
        let Answered { question, id, ruling } = answered;
        let Some(ruling) = ruling else {
            let ruling = Grant { allowed: false, lasts: Lasts::Once, user: String::new() };
            let change = Change::Permit { id, ruling, at: clock::now() };
            self.job.shared.writer.post(&self.job.scope, vec![change]);
            return self.tell(question, false, "nobody answered in time".to_owned(), DENIED);
        };
        match ruling.lasts {
            Lasts::Once => {}
            Lasts::Session => {
                self.standing.insert(0, Standing { tool: question.tool.clone(), ruling: ruling.clone() });
            }
            // It is in the settings by now, which this attempt has read before.
            Lasts::Always => self.ruled.push(Rule {
                agent: Some(self.agent.clone()),
                tool: question.tool.clone(),
                about: About::Exactly(question.subject.clone()),
                allow: ruling.allowed,
                of: RuleOf::User,
            }),
        }
        self.tell(question, ruling.allowed, ruling.user, "The user said no. Go on without it.");
    }
}
