//! What a look at the machine sees. The only file that names the library that looks.

use std::path::Path;

use sysinfo::{Disks, Networks, System};

use crate::BoxError;

/// Python's megabyte.
const MEGABYTE: f64 = 1e6;

/// The machine, and what was seen since the last time it was told.
#[derive(Debug)]
pub(crate) struct Machine {
    system: System,
    networks: Networks,
    /// Bytes received and sent by all interfaces when the first look was taken: the metrics count from there.
    network_before: (u64, u64),
    samples: Vec<Vec<(&'static str, f64)>>,
}

impl Machine {
    pub(crate) fn new() -> Result<Self, BoxError> {
        let mut system = System::new()?;
        // Busy time is a difference: this is the look that the first sample is compared with.
        system.refresh_cpu_usage();
        let networks = Networks::new_with_refreshed_list()?;
        let network_before = traffic(&networks);
        Ok(Self { system, networks, network_before, samples: Vec::new() })
    }

    /// Takes a sample.
    pub(crate) fn look(&mut self) {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory();
        self.networks.refresh(true);
        let (used, total) = (float(self.system.used_memory()), float(self.system.total_memory()));
        let (received, sent) = traffic(&self.networks);
        let mut sample = vec![
            ("cpu_utilization_percentage", f64::from(self.system.global_cpu_usage())),
            ("system_memory_usage_megabytes", used / MEGABYTE),
            ("system_memory_usage_percentage", percentage(used, total)),
            ("network_receive_megabytes", float(received.saturating_sub(self.network_before.0)) / MEGABYTE),
            ("network_transmit_megabytes", float(sent.saturating_sub(self.network_before.1)) / MEGABYTE),
        ];
        sample.extend(disk());
        self.samples.push(sample);
    }

    /// The means of what was seen since the last time, rounded to a tenth as Python rounds them; of the network, which is
    /// a sum already, the last.
    pub(crate) fn take(&mut self) -> Vec<(&'static str, f64)> {
        let samples = std::mem::take(&mut self.samples);
        let Some(last) = samples.last() else { return Vec::new() };
        let mean = |name: &str| {
            let values = samples.iter().flatten().filter(|(found, _)| *found == name);
            let (sum, count) = values.fold((0.0, 0.0), |(sum, count), (_, value)| (sum + value, count + 1.0));
            (sum / count * 10.0).round() / 10.0
        };
        let value = |&(name, last): &(&'static str, f64)| {
            (name, if name.starts_with("network") { last } else { mean(name) })
        };
        last.iter().map(value).collect()
    }
}

/// The disk of the root folder.
fn disk() -> Vec<(&'static str, f64)> {
    // Python leaves out what it cannot see, too.
    let Ok(disks) = Disks::new_with_refreshed_list() else { return Vec::new() };
    let Some(disk) = disks.iter().find(|disk| disk.mount_point() == Path::new("/")) else {
        return Vec::new();
    };
    let (total, available) = (float(disk.total_space()), float(disk.available_space()));
    vec![
        ("disk_usage_percentage", percentage(total - available, total)),
        ("disk_usage_megabytes", (total - available) / MEGABYTE),
        ("disk_available_megabytes", available / MEGABYTE),
    ]
}

fn traffic(networks: &Networks) -> (u64, u64) {
    networks.iter().fold((0, 0), |(received, sent), (_, data)| {
        (received + data.total_received(), sent + data.total_transmitted())
    })
}

fn percentage(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole * 100.0 } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "a count of bytes that is shown in tenths of megabytes")]
fn float(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_python() {
        let mut machine = Machine::new().unwrap();
        machine.look();
        machine.look();
        let mut names: Vec<&str> = machine.take().into_iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "cpu_utilization_percentage",
                "disk_available_megabytes",
                "disk_usage_megabytes",
                "disk_usage_percentage",
                "network_receive_megabytes",
                "network_transmit_megabytes",
                "system_memory_usage_megabytes",
                "system_memory_usage_percentage",
            ]
        );
        assert!(machine.take().is_empty(), "what was told is told once");
    }

    #[test]
    fn a_logged_value_is_the_mean_of_its_samples() {
        let mut machine = Machine::new().unwrap();
        let sample = |load, received| {
            vec![("cpu_utilization_percentage", load), ("network_receive_megabytes", received)]
        };
        machine.samples = vec![sample(10.0, 1.25), sample(25.37, 2.25)];
        assert_eq!(machine.take(), sample(17.7, 2.25));
    }
}
