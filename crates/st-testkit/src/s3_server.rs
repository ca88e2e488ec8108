//! A server that speaks S3 on loopback, for tests: moto, from the Python environment of the MLflow server.
//!
//! It keeps buckets in memory. [`S3Server::shared`] takes any key and any signature; [`S3Server::strict`] checks them, with
//! the code by which Python's own client signs, so that a signature is right because somebody else says so.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::LazyLock;

use crate::certificates::Certificates;
use crate::mlflow_server::keeper::{Keeper, Order, Place};
use crate::mlflow_server::{loopback, on_a_free_port};
use crate::python::{Environment, PythonScript};

/// Makes a user who may do everything, in the calls that need no signature yet: a user, a key, a policy.
const MAKE_USER: &str = r#"
import boto3, json, sys
iam = boto3.client("iam", endpoint_url=sys.argv[1], region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="y")
iam.create_user(UserName="ann")
key = iam.create_access_key(UserName="ann")["AccessKey"]
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
iam.put_user_policy(UserName="ann", PolicyName="all", PolicyDocument=json.dumps(policy))
s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1",
                  aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
s3.create_bucket(Bucket="strict")
print(json.dumps([key["AccessKeyId"], key["SecretAccessKey"]]))
"#;

/// Makes a bucket where only TLS is spoken.
const MAKE_BUCKET: &str = r#"
import boto3, json, sys
s3 = boto3.client("s3", endpoint_url=sys.argv[1], region_name="us-east-1", verify=sys.argv[2],
                  aws_access_key_id="x", aws_secret_access_key="y")
s3.create_bucket(Bucket=sys.argv[3])
print(json.dumps(None))
"#;

/// A server that answers; it ends with those who use it.
#[derive(Debug)]
pub struct S3Server {
    port: u16,
    scheme: &'static str,
    _keeper: Keeper,
}

/// A server that checks signatures, and the only key that it takes.
#[derive(Debug)]
pub struct StrictS3 {
    /// The server. Its one bucket is `strict`.
    pub server: S3Server,
    /// The key's name.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: String,
}

impl S3Server {
    /// The server that all tests share: their buckets need names of their own.
    ///
    /// # Panics
    ///
    /// If the Python environment is missing (the message names the command that makes it), or if the server ends
    /// instead of listening (the message holds its log).
    pub fn shared() -> &'static Self {
        static SERVER: LazyLock<S3Server> = LazyLock::new(|| {
            let place = Place::of(&Environment::Mlflow.folder(), "s3");
            let _lock = place.lock();
            if let Some((port, _, keeper)) = place.join() {
                return S3Server { port, scheme: "http", _keeper: keeper };
            }
            let (port, keeper) = on_a_free_port(|port| Keeper::start_shared(&order(port, &[]), &place, port));
            S3Server { port, scheme: "http", _keeper: keeper }
        });
        &SERVER
    }

    /// A server of one test that checks signatures.
    ///
    /// # Panics
    ///
    /// As [`shared`](Self::shared).
    #[must_use]
    #[track_caller]
    pub fn strict() -> StrictS3 {
        let (port, keeper) = on_a_free_port(|port| {
            // The calls of `MAKE_USER` before there is a key.
            Keeper::start(&order(port, &[("INITIAL_NO_AUTH_ACTION_COUNT", "3")]))
        });
        let server = Self { port, scheme: "http", _keeper: keeper };
        let (access_key_id, secret_access_key) =
            PythonScript::new(Environment::Mlflow, MAKE_USER).argument(server.url()).run();
        StrictS3 { server, access_key_id, secret_access_key }
    }

    /// A server of one test that speaks TLS, takes any key, and has one bucket.
    ///
    /// # Panics
    ///
    /// As [`shared`](Self::shared).
    #[must_use]
    #[track_caller]
    pub fn with_tls(certificates: &Certificates, bucket: &str) -> Self {
        let files = [("-c", certificates.certificate()), ("-k", certificates.key())];
        let (port, keeper) = on_a_free_port(|port| {
            let mut order = order(port, &[]);
            for (flag, file) in &files {
                order.command.extend([(*flag).to_owned(), file.display().to_string()]);
            }
            Keeper::start(&order)
        });
        let server = Self { port, scheme: "https", _keeper: keeper };
        PythonScript::new(Environment::Mlflow, MAKE_BUCKET)
            .argument(server.url())
            .argument(certificates.authority())
            .argument(bucket)
            .run::<()>();
        server
    }

    /// `http://127.0.0.1:PORT`, the endpoint.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        loopback(self.port)
    }

    /// Makes a bucket.
    ///
    /// # Panics
    ///
    /// If the server does not make it.
    #[track_caller]
    pub fn make_bucket(&self, name: &str) {
        let mut stream = TcpStream::connect(self.address()).expect("the server listens");
        let request = format!(
            "PUT /{name} HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            self.address()
        );
        stream.write_all(request.as_bytes()).expect("the request is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.contains(" 200 "), "{answer}");
    }
}

fn order(port: u16, variables: &[(&str, &str)]) -> Order {
    let python = Environment::Mlflow.interpreter();
    let port = port.to_string();
    let words = ["-m", "moto.server", "-H", "127.0.0.1", "-p", &port];
    let command = [python.display().to_string()].into_iter().chain(words.map(str::to_owned)).collect();
    let own = [("PYTHONDONTWRITEBYTECODE", "1"), ("PYTHONUNBUFFERED", "1")];
    let variables = own.iter().chain(variables);
    let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Order { python, command, folder: None, variables }
}
