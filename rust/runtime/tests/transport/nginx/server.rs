//! A running nginx with a configuration of the test's.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::client::within;

/// An nginx in front of one server, in a folder of its own. Dropping it ends it.
pub(super) struct Nginx {
    pub(super) port: u16,
    folder: PathBuf,
    running: Option<Child>,
}

/// What the configuration of a test says beside where to listen and where to pass requests on to.
#[derive(Clone, Copy, Default)]
pub(super) struct Conf<'a> {
    /// After the port, such as `ssl http2`.
    pub(super) listen: &'a str,
    /// Lines of the section `http`.
    pub(super) http: &'a str,
    /// Lines of the section `server`. `FOLDER` stands for its folder.
    pub(super) server: &'a str,
    /// Files to write into that folder.
    pub(super) files: &'a [(&'a str, &'a str)],
}

impl Nginx {
    /// Starts it in front of a server, and waits until it listens.
    pub(super) async fn start(behind: std::net::SocketAddr, conf: Conf<'_>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("apisink-nginx-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, content) in conf.files {
            std::fs::write(folder.join(name), content).unwrap();
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = folder.display().to_string();
        let Conf { listen, http, server, .. } = conf;
        let server = server.replace("FOLDER", &at);
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("  {kind}_temp_path {at}/{kind};\n"))
            .concat();
        let text = format!(
            "worker_processes 1;\npid {at}/nginx.pid;\nerror_log {at}/error.log;\n\
             events {{ worker_connections 512; }}\nhttp {{\n{temporary}  access_log {at}/access.log;\n  {http}\n  \
             upstream behind {{ server {behind}; keepalive 32; }}\n  server {{\n    \
             listen 127.0.0.1:{port} {listen};\n    {server}\n    location / {{\n      \
             proxy_pass http://behind;\n      proxy_http_version 1.1;\n      \
             proxy_set_header Connection \"\";\n    }}\n  }}\n}}\n"
        );
        std::fs::write(folder.join("nginx.conf"), text).unwrap();
        let mut nginx = Self { port, folder, running: None };
        nginx.run().await;
        nginx
    }

    fn command(&self) -> Command {
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&self.folder).arg("-c").arg(self.folder.join("nginx.conf"));
        // What it says of its start goes to its error log as well.
        command.stderr(Stdio::null());
        command
    }

    /// Runs it, and waits until it listens.
    pub(super) async fn run(&mut self) {
        self.running = Some(self.command().args(["-g", "daemon off;"]).spawn().unwrap());
        within(async {
            while TcpStream::connect(("127.0.0.1", self.port)).await.is_err() {
                let ended = self.running.as_mut().unwrap().try_wait().unwrap();
                assert!(ended.is_none(), "nginx has ended: {}", self.log("error.log"));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
    }

    /// Sends it a signal by the word of its command line, such as `reload`.
    pub(super) fn signal(&self, word: &str) {
        assert!(self.command().args(["-s", word]).status().unwrap().success(), "{}", self.log("error.log"));
    }

    /// Ends it at once, whatever it is doing.
    pub(super) fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            self.signal("stop");
            running.wait().unwrap();
        }
    }

    /// What it has written to a log.
    pub(super) fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.join(name)).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.stop();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
