//! Runs the program, and an API for it to talk to.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use apisink_origin::{Origin, Recorded, Script};
use rustls::ServerConfig;
use tokio::runtime::Runtime;

/// What a call of the program left behind.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Told {
    /// All that was printed.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// Calls the program in a directory of its own with nothing in its environment but what is given.
pub(crate) struct Call {
    directory: PathBuf,
    environment: Vec<(String, String)>,
}

impl Call {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("call-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&directory).unwrap();
        Self { directory, environment: Vec::new() }
    }

    /// Writes a file that the call may name.
    pub(crate) fn file(self, name: &str, content: &str) -> Self {
        let path = self.directory.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    /// Where a file of that name is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Told {
        self.run_with_input(arguments, "")
    }

    pub(crate) fn run_with_input(&self, arguments: &[&str], input: &str) -> Told {
        let mut program = Command::new(env!("CARGO_BIN_EXE_apisink"))
            .args(arguments)
            .current_dir(&self.directory)
            .env_clear()
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        program.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = program.wait_with_output().unwrap();
        Told {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// An API with a thread of its own.
pub(crate) struct Api {
    _runtime: Runtime,
    origin: Origin,
}

impl Api {
    /// An API that behaves as the flags of `apisink-origin` say.
    pub(crate) fn start(flags: &[&str]) -> Self {
        Self::with(Script::from_args(flags).unwrap(), None)
    }

    /// The same by script, and over TLS if a config for it is given.
    pub(crate) fn with(script: Script, tls: Option<ServerConfig>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let origin = runtime.block_on(async {
            match tls {
                None => Origin::start(script).await,
                Some(config) => Origin::start_tls(script, Arc::new(config)).await,
            }
        });
        Self { _runtime: runtime, origin }
    }

    pub(crate) fn url(&self) -> String {
        self.origin.url()
    }

    /// What came, in the order of arrival.
    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.origin.requests()
    }

    /// Forgets what came.
    pub(crate) fn reset(&self) {
        self.origin.reset();
    }

    /// Method, path, query, headers and bodies of what came, since the last call.
    pub(crate) fn drain(&self) -> String {
        let mut text = String::new();
        for request in self.requests() {
            let mut headers: Vec<String> =
                request.headers.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
            headers.sort();
            writeln!(
                text,
                "{} {} {:?} {headers:?} {:?}",
                request.method, request.path, request.query, request.body
            )
            .unwrap();
        }
        self.origin.reset();
        text
    }
}
