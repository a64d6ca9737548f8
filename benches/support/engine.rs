//! The real engine, in this process, as `callboard engine run` starts it.

use std::time::Duration;

use callboard::{
    engine::{self, Options, process::Grace},
    project::Settings,
};
use camino::Utf8PathBuf;

use super::world::World;

/// Drives everything in the store until nothing can go on.
pub(crate) fn drive(world: &World) {
    drive_to_idle(world.store.clone());
}

/// The same in a process that has nothing else to do; prints its peak of resident memory, in MiB.
pub(crate) fn drive_store(store: Utf8PathBuf) {
    drive_to_idle(store);
    println!("{:.1}", peak_mib("self"));
}

/// The peak of a process's resident memory, in MiB.
pub(crate) fn peak_mib(pid: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().map_or(0.0, |kib: f64| kib / 1024.0)
}

fn drive_to_idle(store: Utf8PathBuf) {
    let second = Duration::from_secs(1);
    let options = Options {
        store,
        only: None,
        idle: Some(Duration::from_millis(100)),
        settings: Settings::default(),
        grace: Grace { interrupt: second, terminate: second },
        program: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(engine::run(options, std::future::pending())).unwrap();
}
