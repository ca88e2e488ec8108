//! What a server's word about folders of this machine is worth.

/// What may happen where a server names a folder of this machine as the place of artifacts. In teams with a shared file
/// system it does so rightly; a hostile one could name any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LocalRoots {
    /// Files are read there and added, and none is replaced that this program did not write itself.
    #[default]
    Add,
    /// Files are replaced as well, as Python does.
    Replace,
    /// No such folder is used.
    Refuse,
}
