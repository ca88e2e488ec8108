//! What the tests of this workspace share: comparisons element by element, goldens, servers, and where things lie.
//!
//! [`assert_rows_close`] compares vectors with a [`Tolerance`] that says why it is as wide as it is.
//! [`npy`] reads the arrays that the scripts in `fixtures/generate` wrote; [`TinyGolden`],
//! [`CrossGolden`] and [`MinilmGolden`] join them with their texts. [`fixtures_dir`], [`tiny_model_dir`], [`model_dir`] and
//! [`runtime_library`] say where things lie, and name the command that brings what is missing.
//! [`HubServer`] stands in for the hub of models, [`MlflowServer`] is a real tracking server, [`S3Server`] speaks S3, [`AzureServer`] Azure's blob storage, [`FaultProxy`]
//! stands before one and does wrong what networks do wrong, [`Certificates`] are of an authority that nobody knows, and
//! [`PythonScript`] asks Python's own client.
//!
//! ```
//! use ndarray::array;
//! use st_testkit::{Tolerance, assert_rows_close};
//!
//! let got = array![[0.6_f32, 0.8], [1.0, 0.0]];
//! let want = array![[0.600_000_1_f32, 0.8], [1.0, 0.0]];
//! assert_rows_close(got.view(), want.view(), Tolerance::MODEL);
//! ```
//!
//! It is never published and never a normal dependency. It panics instead of returning errors, because a
//! test has nobody to hand an error to; it skips nothing, because a skipped test looks like a passed one.

#[cfg(unix)]
mod azure_server;
mod certificates;
mod compare;
mod cross_golden;
mod fault_proxy;
mod golden;
mod hub_server;
mod minilm;
#[cfg(unix)]
mod mlflow_server;
mod multi_vector_golden;
pub mod npy;
mod places;
mod python;
#[cfg(unix)]
mod s3_server;
mod sparse_golden;

#[cfg(unix)]
pub use azure_server::AzureServer;
pub use certificates::Certificates;
pub use compare::{Tolerance, assert_close, assert_rows_close};
pub use cross_golden::{CrossCase, CrossGolden, CrossRanking, cross_pairs};
pub use fault_proxy::{Fault, FaultProxy, Hook, Moment, Rule, SeenRequest};
pub use golden::{TinyCase, TinyGolden, TinySet, tiny_names, tiny_texts};
pub use hub_server::{Gate, HubModel, HubRequest, HubServer};
pub use minilm::{MinilmGolden, MinilmText};
#[cfg(unix)]
pub use mlflow_server::{ADMIN_PASSWORD, ADMIN_USERNAME, MlflowServer, Page, ServerOptions};
pub use multi_vector_golden::MultiVectorGolden;
pub use places::{cache_dir, fixtures_dir, model_dir, runtime_library, temp_copy, tiny_model_dir};
pub use python::{Environment, PythonScript};
#[cfg(unix)]
pub use s3_server::{S3Server, StrictS3};
pub use sparse_golden::{SparseCase, SparseGolden};
