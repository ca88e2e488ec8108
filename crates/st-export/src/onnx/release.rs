//! Which release of ONNX a graph needs.

use super::GraphHeader;

/// Releases that brought a new operator set, with the highest file format and operator set that each knows; from
/// `onnx.helper.VERSION_TABLE` of the Python package `onnx` 1.23.2.
const RELEASES: [(&str, i64, i64); 25] = [
    ("1.0", 3, 1),
    ("1.1", 3, 5),
    ("1.1.2", 3, 6),
    ("1.2", 3, 7),
    ("1.3", 3, 8),
    ("1.4.1", 4, 9),
    ("1.5.0", 5, 10),
    ("1.6.0", 6, 11),
    ("1.7.0", 7, 12),
    ("1.8.0", 7, 13),
    ("1.9.0", 7, 14),
    ("1.10.0", 8, 15),
    ("1.11.0", 8, 16),
    ("1.12.0", 8, 17),
    ("1.13.0", 8, 18),
    ("1.14.0", 9, 19),
    ("1.15.0", 9, 20),
    ("1.16.0", 10, 21),
    ("1.17.0", 10, 22),
    ("1.18.0", 11, 23),
    ("1.19.0", 12, 24),
    ("1.20.0", 13, 25),
    ("1.21.0", 13, 26),
    ("1.22.0", 13, 27),
    ("1.23.0", 14, 28),
];

impl GraphHeader {
    /// The first release of the Python package `onnx` that reads this graph; none if it is newer than all known ones.
    ///
    /// Of graphs that are written here it is 1.15.0, the first with `Gelu`.
    pub fn onnx_release(&self) -> Option<&'static str> {
        let opset = self.opsets.get("").copied().unwrap_or_default();
        let knows =
            |(_, formats, operators): &&(&str, i64, i64)| self.ir_version <= *formats && opset <= *operators;
        RELEASES.iter().find(knows).map(|(release, ..)| *release)
    }
}

#[cfg(test)]
mod tests {
    use super::super::messages::shell;
    use super::*;

    #[test]
    fn a_release_knows_the_format_and_the_operators() {
        let ours = shell();
        let ours = (ours.ir_version.unwrap(), ours.opset_import[0].version.unwrap());
        for ((format, operators), expected) in [
            (ours, Some("1.15.0")),
            ((8, 17), Some("1.12.0")),
            ((8, 20), Some("1.15.0")),
            ((10, 17), Some("1.16.0")),
            ((0, 0), Some("1.0")),
            ((9, 1000), None),
            ((1000, 20), None),
        ] {
            let mut header = GraphHeader { ir_version: format, ..GraphHeader::default() };
            header.opsets.insert(String::new(), operators);
            assert_eq!(header.onnx_release(), expected, "{format}, {operators}");
        }
    }
}
