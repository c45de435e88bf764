//! A server in a network namespace of its own, and the one link that leads to it.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread::JoinHandle;

use apisink_origin::{Origin, Report, Script};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

/// A server behind a link of its own. Both end with it.
pub(super) struct Link {
    pub(super) url: String,
    pub(super) origin: Arc<Origin>,
    client: String,
    here: String,
    commands: Option<mpsc::UnboundedSender<(String, oneshot::Sender<()>)>>,
    server: Option<JoinHandle<()>>,
}

impl Link {
    /// Makes the link and starts the server, which listens to the other end of it.
    pub(super) async fn start(args: &[&str]) -> Self {
        static COUNT: AtomicU8 = AtomicU8::new(1);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let (client, server) = (format!("client{number}"), format!("server{number}"));
        let (here, there) = (format!("10.77.{number}.1"), format!("10.77.{number}.2"));
        let mut script = Script::from_args(args).unwrap();
        script.listen = SocketAddr::new(there.parse().unwrap(), 0);
        let (commands, taken) = mpsc::unbounded_channel();
        let (tell_thread, thread) = oneshot::channel();
        let (plugged, is_plugged) = oneshot::channel();
        let (tell_origin, origin) = oneshot::channel();
        let set_up = [
            "ip link set lo up".to_owned(),
            format!("ip address add {there}/24 dev {server}"),
            format!("ip link set {server} up"),
        ];
        let serving = std::thread::spawn(move || {
            // Of this thread alone: whatever it opens or starts is there.
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
            tell_thread.send(nix::unistd::gettid()).unwrap();
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                is_plugged.await.unwrap();
                set_up.iter().for_each(|command| run(command));
                let origin = Arc::new(Origin::start(script).await);
                assert!(tell_origin.send(origin).is_ok(), "it is waited for");
                obey(taken).await;
            });
        });
        let thread = thread.await.unwrap();
        run(&format!("ip link add {client} type veth peer name {server}"));
        run(&format!("ip link set {server} netns {thread}"));
        run(&format!("ip address add {here}/24 dev {client}"));
        run(&format!("ip link set {client} up"));
        plugged.send(()).unwrap();
        let origin = origin.await.unwrap();
        let url = origin.url();
        Self { url, origin, client, here, commands: Some(commands), server: Some(serving) }
    }

    /// Lets what the server sends vanish, or not: it hears, and is not heard.
    pub(super) async fn swallow(&self, swallowed: bool) {
        let change = if swallowed { "add" } else { "delete" };
        // By routing, for there need not be a packet filter.
        self.there(format!("ip route {change} blackhole {}", self.here)).await;
    }

    /// Lets the server send so many kilobits per second.
    pub(super) async fn narrow(&self, kilobits: u32) {
        let device = self.client.replace("client", "server");
        self.there(format!("tc qdisc add dev {device} root tbf rate {kilobits}kbit burst 4k latency 1s"))
            .await;
    }

    /// Takes the server's end down.
    pub(super) async fn unplug(&self) {
        let device = self.client.replace("client", "server");
        self.there(format!("ip link set {device} down")).await;
    }

    pub(super) async fn until(&self, condition: impl Fn(&Report) -> bool) {
        crate::client::within(self.origin.until(condition)).await;
    }

    /// Runs a command in the server's namespace.
    async fn there(&self, command: String) {
        let (done, is_done) = oneshot::channel();
        self.commands.as_ref().unwrap().send((command, done)).unwrap();
        is_done.await.unwrap();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.commands.take();
        if let Some(server) = self.server.take() {
            // A panic of its own has been seen already: nobody would have been answered.
            let _ = server.join();
        }
    }
}

/// Runs commands one after another, until nobody is left to give any.
async fn obey(mut commands: mpsc::UnboundedReceiver<(String, oneshot::Sender<()>)>) {
    while let Some((command, done)) = commands.recv().await {
        run(&command);
        let _ = done.send(());
    }
}

fn run(command: &str) {
    let mut words = command.split(' ');
    let done = Command::new(words.next().unwrap()).args(words).output().unwrap();
    assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
}
