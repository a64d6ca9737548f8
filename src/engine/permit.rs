//! A person answers what an agent asks.

use crate::{
    engine::{EngineError, clock, desk::Desk, intents::Weighed},
    model::{About, Grant, Lasts, Permission, PermissionId, Rule, RuleOf, Session},
    project::Settings,
    store::Change,
};

impl Desk {
    /// A word on what the session's agent asks.
    pub(super) fn permit(&self, session: &Session, id: PermissionId, ruling: &Grant) -> Result<Weighed, EngineError> {
        let question = self.store.question(session.id)?.filter(|question| question.id == id);
        let Some(question) = question else {
            let why = "its agent does not wait for this word: it has one, or does not ask any more";
            return Ok(Weighed::Refuse(why.into()));
        };
        let kept = match ruling.lasts {
            Lasts::Once | Lasts::Session => Ok(()),
            // First the rule, then the answer: what is written twice is there once.
            Lasts::Always => self.keep_rule(session, &question, ruling),
        };
        Ok(match kept {
            Ok(()) => Weighed::Do(vec![Change::Permit { id, ruling: ruling.clone(), at: clock::now() }]),
            Err(why) => Weighed::Refuse(why),
        })
    }

    /// Writes a word that holds for ever into the user's settings.
    fn keep_rule(&self, session: &Session, question: &Permission, ruling: &Grant) -> Result<(), String> {
        let Some(file) = &self.settings else {
            return Err("there is no home folder to keep a rule in: answer this once, or for the session".into());
        };
        if question.subject.is_empty() {
            return Err("it is too long for a rule: answer this once, or for the session".into());
        }
        let agent = session.agent.clone().or_else(|| self.project_as_read()?.agent.clone());
        let rule = Rule {
            agent,
            tool: question.tool.clone(),
            about: About::Exactly(question.subject.clone()),
            allow: ruling.allowed,
            of: RuleOf::User,
        };
        let comment = format!("{}, in session {}", ruling.user, session.id);
        Settings::add_rule(file, &self.scope.project, &rule, &comment)
            .map_err(|error| format!("the rule was not kept, and nothing was answered: {error}"))
    }
}
