//! Used proofs in Redis or Valkey, shared with other processes: the same keys as `watchword.dpop.redis` sets.

use std::fmt::Write as _;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisResult};
use tokio::sync::Semaphore;
use watchword_gate::{Decision, Failure, TraceIds, UnusedProof};

use crate::clock;
use crate::connections::count;

/// The prefix of all keys.
const PREFIX: &str = "watchword:dpop:";

/// How often a command is sent: the second time if the connection was lost.
const ATTEMPTS: u32 = 2;

/// The maximum number of requests that wait for the store.
const MAX_WAITING: usize = 4096;

/// How long no connection is attempted after one has failed: requests are then rejected at once.
const BACK_OFF: Duration = Duration::from_millis(200);

/// The shared store.
pub(crate) struct SharedReplay {
    client: Client,
    timeout: Duration,
    connection: tokio::sync::Mutex<Connecting>,
    waiting: Semaphore,
    /// Distinguish the keys that different requests set.
    marks: TraceIds,
    times: Mutex<Times>,
    pub(crate) failures: AtomicU64,
    pub(crate) connects: AtomicU64,
}

struct Times {
    /// The latest time in Unix seconds.
    latest: f64,
    /// The shortest and the longest time for which proofs are accepted, in seconds.
    shortest: f64,
    longest: f64,
}

#[derive(Default)]
struct Connecting {
    number: u64,
    connection: Option<MultiplexedConnection>,
    failed_at: Option<Instant>,
}

/// Why it is unknown whether a proof was used.
enum Unavailable {
    TimedOut,
    /// The connection failed, or none can be made.
    Failed,
    /// It answers with an error: as a replica, a node of a cluster, or without memory.
    Refused,
}

/// Checks the URL of a shared replay store. No connection is made.
///
/// # Errors
/// What is wrong with it; its text is not quoted, as it may have a password.
pub fn check_replay_url(url: &str) -> Result<(), String> {
    client(url).map(drop)
}

fn client(url: &str) -> Result<Client, String> {
    // The error of the library may quote the URL, and the URL a password.
    let (scheme, _) = url.split_once("://").ok_or("the URL of the replay store must begin with redis:// or unix://")?;
    if ["rediss", "valkeys"].contains(&scheme) {
        return Err("the replay store cannot be reached over TLS from watchword serve: use redis:// or unix://, \
                    or a local TLS proxy such as stunnel"
            .to_owned());
    }
    if !["redis", "valkey", "unix"].contains(&scheme) {
        return Err(format!(
            "the URL of the replay store begins with {scheme:?}: it must begin with redis://, valkey:// or unix://"
        ));
    }
    // As redis-py names it.
    let url = if scheme == "unix" {
        url.replace("?password=", "?pass=").replace("&password=", "&pass=")
    } else {
        url.to_owned()
    };
    Client::open(url).map_err(|_| {
        "the URL of the replay store is malformed: write redis://HOST:PORT/DATABASE or unix:///PATH".to_owned()
    })
}

impl SharedReplay {
    /// The store at a URL, to which no connection is made yet.
    pub(crate) fn new(url: &str, timeout: Duration, marks: TraceIds) -> Result<Self, String> {
        Ok(Self {
            client: client(url)?,
            timeout,
            connection: tokio::sync::Mutex::default(),
            waiting: Semaphore::new(MAX_WAITING),
            marks,
            times: Mutex::new(Times { latest: f64::NEG_INFINITY, shortest: f64::INFINITY, longest: 0.0 }),
            failures: AtomicU64::new(0),
            connects: AtomicU64::new(0),
        })
    }

    /// Keeps ids for at least so many seconds after their proofs were made: for as long as they are accepted.
    pub(crate) fn retain_for(&self, seconds: f64) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.shortest = times.shortest.min(seconds);
        times.longest = times.longest.max(seconds);
    }

    /// Uses a proof, and decides.
    pub(crate) async fn use_proof(&self, unused: UnusedProof) -> Decision {
        match self.consume(&unused).await {
            Ok(true) => unused.first_use(),
            Ok(false) => unused.reject(Failure::new("dpop_replayed")),
            Err(reason) => {
                count(&self.failures);
                unused.reject(Failure::with_detail("dpop_replay_unavailable", reason.to_owned()))
            }
        }
    }

    /// Whether this is the first use of a proof.
    async fn consume(&self, unused: &UnusedProof) -> Result<bool, &'static str> {
        let Ok(_place) = self.waiting.try_acquire() else {
            return Err("the replay store is unavailable (too many requests wait for it)");
        };
        let (key, mark, milliseconds) = self.terms(unused)?;
        let mut was_lost = false;
        for _ in 0..ATTEMPTS {
            match self.set(&key, mark, milliseconds, was_lost).await {
                Ok(is_first) => return Ok(is_first),
                Err(Unavailable::TimedOut) => return Err("the replay store is unavailable (no answer in time)"),
                Err(Unavailable::Refused) => return Err("the replay store is unavailable (it answers with an error)"),
                Err(Unavailable::Failed) => was_lost = true,
            }
        }
        Err("the replay store is unavailable (the command or the connection failed)")
    }

    /// The key, a mark of this request, and how long the key is kept in milliseconds.
    fn terms(&self, unused: &UnusedProof) -> Result<(String, [u8; 16], u64), &'static str> {
        let (now, expires_at) = (clock::now().seconds(), unused.proof().expires_at());
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.latest = times.latest.max(now);
        if expires_at < times.latest {
            return Err("the proof had expired by the latest time of this process, so that its id may have been \
                        removed: the clock is behind");
        }
        let mut key = String::from(PREFIX);
        for byte in unused.proof().replay_id() {
            // Writing to a String cannot fail.
            let _ = write!(key, "{byte:02x}");
        }
        let extension = (times.longest - times.shortest).max(0.0);
        drop(times);
        let left =
            Duration::try_from_secs_f64(expires_at + extension - now).map_err(|_| "the proof has no valid lifetime")?;
        let milliseconds = u64::try_from(left.as_millis()).unwrap_or(u64::MAX).saturating_add(1);
        Ok((key, self.marks.next_id().bytes(), milliseconds))
    }

    /// Sets the key if it is not set. `was_sent`: an earlier attempt may have done so, and its answer was lost.
    async fn set(&self, key: &str, mark: [u8; 16], milliseconds: u64, was_sent: bool) -> Result<bool, Unavailable> {
        let (number, mut connection) = self.in_time(self.connect()).await??;
        let mut set = redis::cmd("SET");
        set.arg(key).arg(&mark).arg("NX").arg("PX").arg(milliseconds);
        let mut get = redis::cmd("GET");
        get.arg(key);
        let asked = self.in_time(async {
            let is_set: bool = set.query_async(&mut connection).await?;
            if is_set || !was_sent {
                return Ok(is_set);
            }
            let found: Option<Vec<u8>> = get.query_async(&mut connection).await?;
            Ok(found.is_some_and(|found| found == mark))
        });
        let result: Result<RedisResult<bool>, Unavailable> = asked.await;
        match result {
            Ok(Ok(is_first)) => Ok(is_first),
            Ok(Err(error)) if error.code().is_some() => {
                // Another connection may lead to another server, but not one for each request.
                self.disconnect(number, Some(Instant::now())).await;
                Err(Unavailable::Refused)
            }
            Ok(Err(_)) => {
                self.disconnect(number, None).await;
                Err(Unavailable::Failed)
            }
            Err(timed_out) => {
                // What is left of a connection to a server that is gone answers nothing for minutes.
                self.disconnect(number, None).await;
                Err(timed_out)
            }
        }
    }

    /// The connection that all requests share, and its number.
    async fn connect(&self) -> Result<(u64, MultiplexedConnection), Unavailable> {
        // Requests wait here while one of them connects.
        let mut state = self.connection.lock().await;
        if let Some(connection) = &state.connection {
            return Ok((state.number, connection.clone()));
        }
        if state.failed_at.is_some_and(|at| at.elapsed() < BACK_OFF) {
            return Err(Unavailable::Failed);
        }
        // If this future is dropped as it takes too long, the attempt has failed, too.
        state.failed_at = Some(Instant::now());
        // Every use is within `in_time`.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        match self.client.get_multiplexed_async_connection_with_config(&config).await {
            Ok(connection) => {
                count(&self.connects);
                state.failed_at = None;
                state.number = state.number.wrapping_add(1);
                state.connection = Some(connection.clone());
                Ok((state.number, connection))
            }
            Err(_) => {
                state.failed_at = Some(Instant::now());
                Err(Unavailable::Failed)
            }
        }
    }

    /// Gives a connection up, unless there is another already. `failed_at`: the next one has to wait.
    async fn disconnect(&self, number: u64, failed_at: Option<Instant>) {
        let mut state = self.connection.lock().await;
        if state.number == number && state.connection.take().is_some() {
            state.failed_at = failed_at;
        }
    }

    async fn in_time<T>(&self, work: impl Future<Output = T>) -> Result<T, Unavailable> {
        tokio::time::timeout(self.timeout, work).await.map_err(|_| Unavailable::TimedOut)
    }
}
