//! What a server says of itself.

use serde::{Deserialize, Serialize};

use crate::endpoint::route;

/// What the server is made of; servers before 3.6 do not know the route.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GetServerInfo {}
route!(GetServerInfo: Get Mlflow3 "server-info" -> ServerInfo);

/// What a server is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerInfo {
    /// `SqlStore` or `FileStore`.
    pub store_type: Option<String>,
    /// Whether it has workspaces.
    pub workspaces_enabled: bool,
    /// Whether its artifact proxy takes files in parts.
    pub multipart_uploads_enabled: bool,
    /// Whether its artifact proxy gives addresses for ranged reading.
    pub multipart_downloads_enabled: bool,
}
