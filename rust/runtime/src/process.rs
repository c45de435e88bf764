//! What a process has once: runtime threads, the engines, the byte budget.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use apisink_plan::{Plan, SecretValues};
use futures_util::future::join_all;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use tokio::runtime::{Builder, Handle, Runtime};

use crate::budget::ByteBudget;
use crate::engine::Engine;
use crate::error::RuntimeError;
use crate::fail_when::Watches;
use crate::middleware::Registry;
use crate::process_stats::{ProcessStats, SessionBook};
use crate::rate::{Keeper, Limits};
use crate::transport::Engines;

/// An engine that no session uses is kept this long, so that the next task finds its connections warm.
const KEEP_UNUSED: Duration = Duration::from_secs(60);

/// One runtime thread for two cores, but no more than this: Spark's task threads and whatever answers on the same machine need
/// the others, and a request that changes threads finds nothing of it in the new one's caches.
const MOST_THREADS: usize = 4;

/// The one of programs, for the life of the process; see [`Process::global`].
static PROCESS: OnceLock<Result<Process, RuntimeError>> = OnceLock::new();

/// What registers a native library's own middleware. Lifetime: that of the process; set when the library is loaded.
static EXTENSION: OnceLock<fn(&mut Registry)> = OnceLock::new();

/// The sending side of one executor process.
///
/// Lifetime: made at the first session, lives until the process ends. Bound: one entry per plan and credentials in
/// use within the last minute. Credentials are held in the engines only and leave with them.
pub struct Process {
    runtime: Runtime,
    engines: Mutex<HashMap<EngineKey, Entry>>,
    budget: Arc<ByteBudget>,
    registry: Registry,
    transports: Engines,
    limits: Limits,
    watches: Watches,
    sessions: SessionBook,
    hash_key: [u8; 32],
    keep_unused: Duration,
}

/// Digest of the plan, and a hash of the secrets under a key that never leaves the process.
type EngineKey = ([u8; 32], [u8; 32]);

struct Entry {
    engine: Arc<Engine>,
    last_used: Instant,
}

impl Process {
    /// The process's own, made at the first call.
    pub fn global() -> Result<&'static Process, RuntimeError> {
        let process = PROCESS.get_or_init(|| {
            let mut registry = Registry::default();
            if let Some(extend) = EXTENSION.get() {
                extend(&mut registry);
            }
            Process::new(registry)
        });
        process.as_ref().map_err(Clone::clone)
    }

    /// The process's own, if anything has been done with it.
    pub fn started() -> Option<&'static Process> {
        PROCESS.get()?.as_ref().ok()
    }

    /// Registers middleware beside the built-in ones, for the process that [`Process::global`] will make. False when one has
    /// been registered before: a native library does it once, when it is loaded.
    pub fn extend(register: fn(&mut Registry)) -> bool {
        EXTENSION.set(register).is_ok()
    }

    /// A process with a registry of middleware. Programs use [`Process::global`]; tests make their own.
    pub fn new(registry: Registry) -> Result<Self, RuntimeError> {
        Self::with_transports(registry, Engines::default())
    }

    /// A process with a registry of middleware and other transport engines than the built-in ones.
    pub fn with_transports(registry: Registry, transports: Engines) -> Result<Self, RuntimeError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = cores.div_ceil(2).min(MOST_THREADS);
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("apisink")
            .enable_all()
            .build()
            .map_err(|e| RuntimeError::Process(format!("no runtime threads: {e}")))?;
        Ok(Self {
            runtime,
            engines: Mutex::new(HashMap::new()),
            budget: ByteBudget::new(0),
            registry,
            transports,
            limits: Limits::default(),
            watches: Watches::default(),
            sessions: SessionBook::default(),
            hash_key: rand::random(),
            keep_unused: KEEP_UNUSED,
        })
    }

    /// Keeps an engine that no session uses for this long instead of a minute.
    #[must_use]
    pub fn keeping_unused_for(mut self, time: Duration) -> Self {
        self.keep_unused = time;
        self
    }

    /// The engine of a plan, shared with every session of the same plan and secrets.
    ///
    /// `plan` and `secrets` are the bytes that the driver's compilation yielded; the driver also says who keeps the rate
    /// limit, and how this executor is called.
    pub fn engine(
        &self,
        plan: &[u8],
        secrets: &[u8],
        keeper: Keeper,
        executor: &str,
    ) -> Result<Arc<Engine>, RuntimeError> {
        let key = (Sha256::digest(plan).into(), self.keyed_hash(secrets));
        let mut engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        let engine = match engines.get_mut(&key) {
            Some(entry) => {
                entry.last_used = Instant::now();
                entry.engine.clone()
            }
            None => {
                let plan: Plan = serde_json::from_slice(plan)
                    .map_err(|e| RuntimeError::Plan(format!("its bytes cannot be read: {e}")))?;
                let secrets: SecretValues = serde_json::from_slice(secrets)
                    .map_err(|_| RuntimeError::Plan("the bytes of its secrets cannot be read".into()))?;
                let limiter = |limit| self.limits.limiter(limit, keeper, executor);
                let engine = Arc::new(Engine::new(plan, secrets, &self.transports, limiter)?);
                engines.insert(key, Entry { engine: engine.clone(), last_used: Instant::now() });
                engine
            }
        };
        let limit = engines.values().map(|entry| entry.engine.plan.execution.memory_budget_bytes).max();
        self.budget.set_limit(limit.unwrap_or(0));
        Ok(engine)
    }

    /// The engine's users are gone for now; it is kept for a while, and then its connections are closed and its
    /// credentials forgotten.
    pub(crate) fn touch(&'static self, engine: &Arc<Engine>) {
        let mut engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = engines.values_mut().find(|entry| Arc::ptr_eq(&entry.engine, engine)) {
            entry.last_used = Instant::now();
        }
        drop(engines);
        self.handle().spawn(async {
            tokio::time::sleep(self.keep_unused).await;
            for unused in self.take_unused() {
                unused.close().await;
            }
        });
    }

    /// Ends in order what is in use: no further row is sent, those in flight may end within `grace`, what is left of them
    /// is dropped, all connections are closed and all credentials forgotten. False when something had to be dropped.
    ///
    /// A session that has rows left fails with [`RuntimeError::Closed`] once its completed rows were taken. The process
    /// can be used again: the next [`Process::engine`] makes a new one. Blocks for `grace` and a second at most; not to be
    /// called from a thread of the runtime.
    pub fn shut_down(&self, grace: Duration) -> bool {
        let engines = std::mem::take(&mut *self.engines.lock().unwrap_or_else(PoisonError::into_inner));
        let ends = engines.values().map(|entry| entry.engine.shut_down(grace));
        self.handle().block_on(join_all(ends)).into_iter().all(|in_time| in_time)
    }

    /// The engines that nobody has used for long enough.
    fn take_unused(&self) -> Vec<Arc<Engine>> {
        let mut engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        let unused = |_: &EngineKey, entry: &mut Entry| {
            Arc::strong_count(&entry.engine) == 1 && entry.last_used.elapsed() >= self.keep_unused
        };
        engines.extract_if(unused).map(|(_, entry)| entry.engine).collect()
    }

    fn keyed_hash(&self, secrets: &[u8]) -> [u8; 32] {
        match Hmac::<Sha256>::new_from_slice(&self.hash_key) {
            Ok(mut mac) => {
                mac.update(secrets);
                mac.finalize().into_bytes().into()
            }
            // HMAC takes a key of any length.
            Err(_) => Sha256::digest(secrets).into(),
        }
    }

    /// The runtime that drives connections and exchanges. Its threads never attach to a JVM.
    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// The byte budget: the largest that any engine in use asks for.
    pub fn budget(&self) -> &Arc<ByteBudget> {
        &self.budget
    }

    /// The limiters of this process.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What `execution.fail_when` counts, by the openings of runs.
    pub(crate) fn watches(&self) -> &Watches {
        &self.watches
    }

    /// The sessions of this process.
    pub(crate) fn sessions(&self) -> &SessionBook {
        &self.sessions
    }

    /// Waits until every session was closed, at most for `timeout`: after [`Process::shut_down`] their tasks take what is
    /// completed and keep it. False when some still are open.
    pub fn wait_for_sessions(&self, timeout: Duration) -> bool {
        self.sessions.wait_for_end(timeout)
    }

    /// What the process does and has done.
    pub fn stats(&self) -> ProcessStats {
        let engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = engines.values().map(|entry| entry.engine.transport.connections().open).sum();
        drop(engines);
        let sessions = self.sessions.sum();
        // Afterwards: an attempt that has ended has spent its slot.
        let rate = self.limits.stats();
        ProcessStats { connections, buffered_bytes: self.budget.used(), rate, ..sessions }
    }

    /// The known middleware.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }
}
