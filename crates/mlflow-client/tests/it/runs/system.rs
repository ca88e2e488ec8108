//! The machine's load, while a run is at work.

use mlflow_client::SystemMetricsOptions;
use mlflow_client::types::runs::RunStatus;

use super::*;

#[tokio::test]
async fn samples_count_their_steps_and_stop_with_the_run() {
    let store = Fake::scripted([]);
    let mut run = start(&store, logging()).await;
    let run_id = run.run_id().clone();
    let options = SystemMetricsOptions::default().with_interval(Duration::from_millis(1));
    run.log_system_metrics(options).await.unwrap();
    let mut done = store.done.subscribe();
    let key = "system/cpu_utilization_percentage";
    done.wait_for(|_| store.run(&run_id).steps(key).len() >= 3).await.unwrap();
    run.end(RunStatus::Finished).await.unwrap();
    let run = store.run(&run_id);
    let steps = run.steps(key);
    assert_eq!(steps, (0..i64::try_from(steps.len()).unwrap()).collect::<Vec<_>>());
    let values = run.metrics.iter().filter(|metric| metric.key == key).map(|metric| metric.value);
    assert!(values.clone().all(|value| (0.0..=100.0).contains(&value)), "{:?}", values.collect::<Vec<_>>());
}
