//! A person answers what an agent asks.

use crate::{
    engine::{EngineError, clock, desk::Desk, intents::Weighed},
    model::{About, Command, Grant, Lasts, Permission, PermissionId, Rule, RuleOf, Session},
    project::Settings,
    store::{Change, StoreError},
};

impl Desk {
    /// A word on what the session's agent asks.
    pub(super) async fn permit(
        &self,
        session: &Session,
        id: PermissionId,
        ruling: &Grant,
    ) -> Result<Weighed, EngineError> {
        let question = self.store.question(session.id)?.filter(|question| question.id == id);
        let Some(question) = question else {
            let why = "its agent does not wait for this word: it has one, or does not ask any more";
            return Ok(Weighed::Refuse(why.into()));
        };
        let kept = match ruling.lasts {
            Lasts::Once | Lasts::Session => Ok(()),
            // First the rule, then the answer: what is written twice is there once.
            Lasts::Always => self.keep_rule(session, &question, ruling).await?,
        };
        Ok(match kept {
            Ok(()) => Weighed::Do(vec![Change::Permit { id, ruling: ruling.clone(), at: clock::now() }]),
            Err(why) => Weighed::Refuse(why),
        })
    }

    /// Writes a word that holds for ever into the user's settings, or says why not.
    async fn keep_rule(
        &self,
        session: &Session,
        question: &Permission,
        ruling: &Grant,
    ) -> Result<Result<(), String>, EngineError> {
        let no = |why: &str| Ok(Err(format!("{why}: answer this once, or for the session")));
        let Some(file) = self.settings.clone() else { return no("there is no home folder to keep a rule in") };
        if question.subject.is_empty() {
            return no("it is too long for a rule, or its agent does not say what it is");
        }
        let Some(agent) = self.asking(session, question)? else { return no("it is not known which agent asks") };
        let rule = Rule {
            agent: Some(agent),
            tool: question.tool.clone(),
            about: About::Exactly(question.subject.clone()),
            allow: ruling.allowed,
            of: RuleOf::User,
        };
        let comment = format!("{}, in session {}", ruling.user, session.id);
        let project = self.scope.project.clone();
        let written = tokio::task::spawn_blocking(move || Settings::add_rule(&file, &project, &rule, &comment));
        let failed =
            |error: &dyn std::fmt::Display| format!("the rule was not kept, and nothing was answered: {error}");
        Ok(match written.await {
            Ok(done) => done.map_err(|error| failed(&error)),
            Err(error) => Err(failed(&error)),
        })
    }

    /// The agent that asks: the one that the attempt was given to.
    fn asking(&self, session: &Session, question: &Permission) -> Result<Option<String>, StoreError> {
        let attempt = self.store.interaction(session.id, question.seq)?;
        Ok(attempt.and_then(|attempt| match attempt.command {
            Command::Agent { agent, .. } => Some(agent),
            Command::Tests { .. } | Command::Git { .. } | Command::SpawnSessions { .. } | Command::Check { .. } => None,
        }))
    }
}
