//! A model that is none: it speaks three vendors' interfaces on loopback and answers by rules, so that the real agent programs
//! can be driven without a network, a key or chance.
//!
//! A rule is found by the user's text that it wants to see; which of its turns is given is counted from the conversation that
//! the request brings along, never from what was asked before: a request that is sent again gets the same answer, and a
//! conversation that is resumed goes on where it was.

mod anthropic;
mod chat;
mod gemini;
mod http;
mod responses;
mod rules;

use std::{
    io::Write as _,
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

pub(crate) use rules::{Act, Fail, Rule, Said};

/// Whatever takes longer never happens.
const LIMIT: Duration = Duration::from_secs(120);

/// How requests begin that a program makes for itself, though it offers tools with them.
const ASIDES: [&str; 2] = ["[SUGGESTION MODE", "Generate a concise, single-line task title"];

/// A request that was for a model.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// The interface, by its path.
    pub(crate) path: String,
    /// As it came.
    pub(crate) body: Value,
    /// The conversation that it brought along.
    pub(crate) said: Vec<Said>,
    /// Names of the tools that the model may use; none in requests for titles and the like.
    pub(crate) tools: Vec<String>,
}

impl Asked {
    /// Whether somewhere in the conversation a user or a tool's result said this.
    pub(crate) fn heard(&self, text: &str) -> bool {
        self.said.iter().any(|said| match said {
            Said::User(heard) | Said::Result(heard) => heard.contains(text),
            Said::Model(_) => false,
        })
    }

    /// Whether the model has said this in the conversation.
    pub(crate) fn told(&self, text: &str) -> bool {
        self.said.iter().any(|said| matches!(said, Said::Model(told) if told.contains(text)))
    }

    /// Whether the program asks for something of its own: a title, or what the user may say next.
    pub(crate) fn is_aside(&self) -> bool {
        let own = |said: &Said| matches!(said, Said::User(text) if ASIDES.iter().any(|own| text.starts_with(own)));
        self.tools.is_empty() || self.said.last().is_some_and(own)
    }

    /// How many turns of the model it has in it.
    pub(crate) fn turns(&self) -> usize {
        rules::turns(&self.said)
    }
}

#[derive(Default)]
struct Inner {
    asked: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    rules: Vec<Rule>,
    open: Vec<TcpStream>,
    over: bool,
}

/// The server, until it is dropped.
pub(crate) struct Model {
    inner: Arc<Inner>,
    port: u16,
}

impl Model {
    /// Listens on a free port of loopback.
    pub(crate) fn start(rules: Vec<Rule>) -> Self {
        Self::at(0, rules)
    }

    /// Listens on this port of loopback.
    pub(crate) fn at(port: u16, rules: Vec<Rule>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a port of loopback");
        let port = listener.local_addr().expect("its address").port();
        let inner = Arc::new(Inner::default());
        inner.lock().rules = rules;
        let shared = Arc::clone(&inner);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut state = shared.lock();
                if state.over {
                    return;
                }
                state.open.extend(stream.try_clone());
                drop(state);
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    // A client that goes away in the middle is not the server's business.
                    serve(&shared, &stream).unwrap_or_default();
                    stream.shutdown(Shutdown::Both).unwrap_or_default();
                });
            }
        });
        Self { inner, port }
    }

    /// The port.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Replaces the rules.
    pub(crate) fn rules(&self, rules: Vec<Rule>) {
        self.inner.lock().rules = rules;
    }

    /// Every request so far that is about what the user said.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.inner.lock().asked.iter().filter(|asked| !asked.is_aside()).cloned().collect()
    }

    /// Waits until the requests so far are as they should be, however long that takes.
    pub(crate) fn wait_for_ever(&self, mut so: impl FnMut(&[Asked]) -> bool) {
        let mut state = self.inner.lock();
        while !so(&state.asked) {
            state = self.inner.changed.wait(state).expect("the model's state");
        }
    }

    /// Waits until the requests so far are as they should be.
    pub(crate) fn wait(&self, what: &str, mut so: impl FnMut(&[Asked]) -> bool) {
        let until = Instant::now() + LIMIT;
        let mut state = self.inner.lock();
        while !so(&state.asked) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the model never sees {what}; it saw {} requests", state.asked.len());
            state = self.inner.changed.wait_timeout(state, left).expect("the model's state").0;
        }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        let mut state = self.inner.lock();
        state.over = true;
        for stream in state.open.drain(..) {
            stream.shutdown(Shutdown::Both).unwrap_or_default();
        }
        drop(state);
        // Wakes the listener, which then sees that it is over.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        self.inner.changed.notify_all();
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.asked.lock().expect("the model's state")
    }

    /// Notes a request and finds what to answer.
    fn answer(&self, asked: Asked) -> rules::Answer {
        let mut state = self.lock();
        let answer = rules::answer(&mut state.rules, &asked);
        state.asked.push(asked);
        self.changed.notify_all();
        answer
    }
}

fn serve(inner: &Inner, stream: &TcpStream) -> std::io::Result<()> {
    let Some(request) = http::read(stream)? else { return Ok(()) };
    let body: Value = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
    let path = request.path.split('?').next().unwrap_or_default().to_owned();
    let (read, speak): (fn(&Value) -> Asked, http::Speak) = match path.as_str() {
        "/v1/messages" => (anthropic::read, anthropic::speak),
        "/v1/responses" => (responses::read, responses::speak),
        "/v1/chat/completions" => (chat::read, chat::speak),
        path if path.ends_with(gemini::STREAM) => (gemini::read, gemini::speak),
        path if path.ends_with(gemini::WHOLE) => (gemini::read, gemini::tell),
        path if path.ends_with(gemini::COUNT) => return http::json(stream, 200, &[], &json!({"totalTokens": 100})),
        "/v1/messages/count_tokens" => return http::json(stream, 200, &[], &json!({"input_tokens": 100})),
        "/v1/models" => return http::json(stream, 200, &[], &json!({"data": [], "models": []})),
        _ => return http::json(stream, 404, &[], &json!({"error": {"message": format!("no such page: {path}")}})),
    };
    let asked = Asked { path, ..read(&body) };
    match inner.answer(asked.clone()) {
        rules::Answer::Acts(acts) => speak(stream, &asked, &acts),
        rules::Answer::Hang => {
            http::begin_stream(stream)?;
            http::wait_for_end(stream)
        }
        rules::Answer::Cut => {
            http::begin_stream(stream)?;
            (&mut &*stream).write_all(b"event: ping\ndata: {\"type\"")
        }
        rules::Answer::Fail(fail) => {
            let mut headers: Vec<(&str, String)> =
                fail.headers.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            headers.extend(fail.retry_after.map(|seconds| ("retry-after", seconds.to_string())));
            let mut error = json!({"type": fail.kind(), "message": fail.message(), "code": fail.kind()});
            if let (Some(error), Some(more)) = (error.as_object_mut(), fail.more.as_object()) {
                error.extend(more.clone());
            }
            http::json(stream, fail.status, &headers, &json!({"type": "error", "error": error}))
        }
    }
}
