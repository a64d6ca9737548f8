//! How many processes a project may have at once. The number can change while permits are out: then none is given before there
//! is room again under the new one.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

/// How many processes a project may have at once.
pub(super) struct Permits {
    pub(super) agents: Gate,
    pub(super) tests: Gate,
    /// Worktrees that are being made: of a thousand children that begin at once, the first are to get to their agents while the
    /// others still wait for theirs.
    pub(super) places: Gate,
}

impl Permits {
    pub(super) fn new(agents: u32, tests: u32) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let places = u32::try_from(2 * cores).unwrap_or(u32::MAX);
        Self { agents: Gate::new(agents), tests: Gate::new(tests), places: Gate::new(places) }
    }
}

/// Gives out permits in the order in which they are asked for.
#[derive(Clone)]
pub(super) struct Gate(Arc<Mutex<State>>);

struct State {
    limit: u32,
    out: u32,
    waiting: VecDeque<oneshot::Sender<Permit>>,
}

/// The right to run a process, until it is dropped.
pub(super) struct Permit(Gate);

impl Gate {
    fn new(limit: u32) -> Self {
        Self(Arc::new(Mutex::new(State { limit, out: 0, waiting: VecDeque::new() })))
    }

    pub(super) fn resize(&self, limit: u32) {
        self.lock().limit = limit;
        self.serve();
    }

    /// Waits for a permit. Whoever stops waiting takes none.
    pub(super) async fn acquire(&self) -> Permit {
        let (sender, receiver) = oneshot::channel();
        self.lock().waiting.push_back(sender);
        self.serve();
        match receiver.await {
            Ok(permit) => permit,
            // The sender is dropped only with the gate itself, which we hold.
            Err(_) => std::future::pending().await,
        }
    }

    fn serve(&self) {
        while let Some(next) = self.next() {
            // Whoever stopped waiting just now gives it back by dropping it.
            drop(next.send(Permit(self.clone())));
        }
    }

    /// Who gets the next permit, if there is one; it counts as given out.
    fn next(&self) -> Option<oneshot::Sender<Permit>> {
        let mut state = self.lock();
        if state.out >= state.limit {
            return None;
        }
        while let Some(next) = state.waiting.pop_front() {
            if !next.is_closed() {
                state.out += 1;
                return Some(next);
            }
        }
        None
    }

    /// The counts are whole even if a thread panicked while it held the lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.lock().out -= 1;
        self.0.serve();
    }
}

#[cfg(test)]
mod tests {
    use std::{future::Future, pin::pin, task::Poll};

    use super::Gate;

    /// Whether a future is ready now.
    async fn ready<T>(future: impl Future<Output = T>) -> Option<T> {
        let mut future = pin!(future);
        std::future::poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(value) => Poll::Ready(Some(value)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }

    #[tokio::test]
    async fn permits_follow_the_limit_up_and_down() {
        let gate = Gate::new(2);
        let (one, two) = (gate.acquire().await, gate.acquire().await);
        assert!(ready(gate.acquire()).await.is_none(), "who gave up waiting has taken nothing");
        gate.resize(1);
        drop(one);
        assert!(ready(gate.acquire()).await.is_none());
        drop(two);
        let one = ready(gate.acquire()).await.unwrap();
        gate.resize(3);
        let two = ready(gate.acquire()).await.unwrap();
        let three = ready(gate.acquire()).await.unwrap();
        assert!(ready(gate.acquire()).await.is_none());
        drop((one, two, three));
        assert_eq!(gate.lock().out, 0);
    }

    #[tokio::test]
    async fn first_come_first_served() {
        let gate = Gate::new(1);
        let held = gate.acquire().await;
        let (mut first, mut second) = (pin!(gate.acquire()), pin!(gate.acquire()));
        assert!(ready(first.as_mut()).await.is_none() && ready(second.as_mut()).await.is_none());
        drop(held);
        assert!(ready(second.as_mut()).await.is_none());
        assert!(ready(first.as_mut()).await.is_some());
    }
}
