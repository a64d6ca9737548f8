//! Moves bytes between a process and us, without ever waiting for either.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite as _, ReadBuf};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::output::{Decoder, Kept, Record};
use super::{Chunk, DRAIN, DRAIN_LIMIT, LINE_CAP, MESSAGE_CAP, Spec, later};

/// Enough for a process that says little.
const SMALL: usize = 8 << 10;

/// What a pipe holds: one read empties it, for a process that says much.
const LARGE: usize = 64 << 10;

/// How often both streams are read before others get their turn.
const TURNS: usize = 16;

/// What the pump tells the supervisor. (Atomic only to be shared in a future that moves between threads.)
#[derive(Debug)]
pub(super) struct Progress {
    started: Instant,
    last: AtomicU64,
    done: AtomicBool,
}

impl Progress {
    pub(super) const fn new(started: Instant) -> Self {
        Self { started, last: AtomicU64::new(0), done: AtomicBool::new(false) }
    }

    /// When output last came (and was taken), or the start.
    pub(super) fn last(&self) -> Instant {
        later(self.started, Duration::from_micros(self.last.load(Ordering::Relaxed)))
    }

    /// Whether both streams are closed.
    pub(super) fn done(&self) -> bool {
        self.done.load(Ordering::Relaxed)
    }

    fn moved(&self) {
        let micros = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.last.store(micros, Ordering::Relaxed);
    }

    /// Waits until both streams are closed, but not for someone unknown who holds them open: silence ends it too.
    pub(super) async fn drained(&self) {
        let begin = Instant::now();
        let limit = later(begin, DRAIN_LIMIT);
        loop {
            let silence = later(self.last().max(begin), DRAIN).min(limit);
            // Nothing wakes this: whoever polls the pump polls this after it.
            let done = poll_fn(|_| if self.done() { Poll::Ready(()) } else { Poll::Pending });
            if tokio::time::timeout_at(silence, done).await.is_ok() || Instant::now() >= limit {
                return;
            }
            tokio::task::yield_now().await;
            if Instant::now() >= later(self.last().max(begin), DRAIN) {
                return;
            }
        }
    }
}

/// Our ends of a process's pipes.
pub(super) struct Pipes {
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: Option<ChildStdout>,
    pub(super) stderr: Option<ChildStderr>,
}

/// What became of the output.
pub(super) struct Output {
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
    pub(super) bytes: u64,
    pub(super) kept: u64,
    pub(super) record_error: Option<String>,
}

/// A stream as it is read.
struct Stream<R> {
    pipe: Option<R>,
    stderr: bool,
    decoder: Decoder,
    kept: Kept,
}

/// What both streams share.
struct Sink<'a, F> {
    buffer: Vec<u8>,
    record: Record,
    bytes: u64,
    progress: &'a Progress,
    chunks: F,
}

pub(super) struct Pump<'a, F> {
    stdin: Option<Feed>,
    stdout: Stream<ChildStdout>,
    stderr: Stream<ChildStderr>,
    sink: Sink<'a, F>,
}

/// What the process is given to read, and then the end of it.
struct Feed {
    pipe: ChildStdin,
    bytes: Vec<u8>,
    written: usize,
    /// What comes after that, until there are no more senders.
    more: Option<mpsc::Receiver<Vec<u8>>>,
}

impl<'a, F: FnMut(Chunk)> Pump<'a, F> {
    pub(super) fn new(
        spec: Spec,
        more: Option<mpsc::Receiver<Vec<u8>>>,
        pipes: Pipes,
        progress: &'a Progress,
        chunks: F,
    ) -> Self {
        let record = Record::new(spec.record, spec.cap);
        let line = if more.is_some() { MESSAGE_CAP } else { LINE_CAP };
        Self {
            stdin: pipes.stdin.zip(spec.stdin).map(|(pipe, bytes)| Feed { pipe, bytes, written: 0, more }),
            stdout: Stream::new(pipes.stdout, false, line, spec.keep),
            stderr: Stream::new(pipes.stderr, true, LINE_CAP, spec.keep),
            sink: Sink { buffer: vec![0; SMALL], record, bytes: 0, progress, chunks },
        }
    }

    /// Moves what can be moved now, and arranges to be polled when there is more.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) {
        if let Some(feed) = &mut self.stdin
            && feed.poll(context).is_ready()
        {
            self.stdin = None;
        }
        for _ in 0..TURNS {
            let moved = self.stdout.poll(context, &mut self.sink) | self.stderr.poll(context, &mut self.sink);
            if !moved {
                let done = self.stdout.pipe.is_none() && self.stderr.pipe.is_none();
                self.sink.progress.done.store(done, Ordering::Relaxed);
                return;
            }
        }
        context.waker().wake_by_ref();
    }

    /// Ends both streams, closed or not.
    pub(super) fn finish(mut self) -> Output {
        self.stdout.close(&mut self.sink);
        self.stderr.close(&mut self.sink);
        Output {
            stdout: self.stdout.kept.finish(),
            stderr: self.stderr.kept.finish(),
            bytes: self.sink.bytes,
            kept: self.sink.record.kept,
            record_error: self.sink.record.error,
        }
    }
}

impl Feed {
    /// Ready when there is nothing more to do: all is written, or nobody wants to read it.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            while let Some(rest) = self.bytes.get(self.written..).filter(|rest| !rest.is_empty()) {
                match std::task::ready!(Pin::new(&mut self.pipe).poll_write(context, rest)) {
                    Ok(0) | Err(_) => return Poll::Ready(()),
                    Ok(written) => self.written += written,
                }
            }
            let Some(more) = &mut self.more else { return Poll::Ready(()) };
            let Some(bytes) = std::task::ready!(more.poll_recv(context)) else { return Poll::Ready(()) };
            (self.bytes, self.written) = (bytes, 0);
        }
    }
}

impl<R: AsyncRead + Unpin> Stream<R> {
    const fn new(pipe: Option<R>, stderr: bool, line: usize, keep: usize) -> Self {
        Self { pipe, stderr, decoder: Decoder::new(line), kept: Kept::new(keep) }
    }

    /// Reads once, and says whether there was something to read.
    fn poll<F: FnMut(Chunk)>(&mut self, context: &mut Context<'_>, sink: &mut Sink<'_, F>) -> bool {
        let Some(pipe) = &mut self.pipe else { return false };
        let mut buffer = ReadBuf::new(&mut sink.buffer);
        let Poll::Ready(result) = Pin::new(pipe).poll_read(context, &mut buffer) else { return false };
        let length = buffer.filled().len();
        if result.is_err() || length == 0 {
            self.close(sink);
            return false;
        }
        let full = length == sink.buffer.len();
        sink.bytes += length as u64;
        let bytes = sink.buffer.get(..length).unwrap_or_default();
        sink.record.feed(bytes);
        self.kept.feed(bytes);
        let text = self.decoder.feed(bytes);
        sink.pass_on(self.stderr, text);
        if full && sink.buffer.len() < LARGE {
            sink.buffer = vec![0; LARGE];
        }
        true
    }

    fn close<F: FnMut(Chunk)>(&mut self, sink: &mut Sink<'_, F>) {
        if self.pipe.take().is_some() {
            let text = self.decoder.finish();
            sink.pass_on(self.stderr, text);
        }
    }
}

impl<F: FnMut(Chunk)> Sink<'_, F> {
    /// Output moves the point of silence after it was taken: the time a slow taker needs is not the process's.
    fn pass_on(&mut self, stderr: bool, text: String) {
        if !text.is_empty() {
            (self.chunks)(Chunk { stderr, text });
        }
        self.progress.moved();
    }
}
