//! The INI files in which people keep credentials, as Python's `configparser` reads them.

use std::collections::BTreeMap;

/// The sections of a file; keys in lower case. `DEFAULT` is a section like any other here.
#[derive(Default)]
pub(crate) struct Ini {
    sections: BTreeMap<String, BTreeMap<String, String>>,
}

impl Ini {
    /// Reads the text of a file. Lines that say nothing are left out: a credentials file is never quoted in an error.
    pub(crate) fn parse(text: &str) -> Self {
        let mut ini = Self::default();
        let mut section = String::new();
        for line in text.trim_start_matches('\u{feff}').lines().map(str::trim) {
            if line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                name.trim().clone_into(&mut section);
                ini.sections.entry(section.clone()).or_default();
            } else if let Some(at) = line.find(['=', ':']) {
                let (key, value) = line.split_at(at);
                let value = value.get(1..).unwrap_or_default().trim().to_owned();
                ini.sections
                    .entry(section.clone())
                    .or_default()
                    .insert(key.trim().to_ascii_lowercase(), value);
            }
        }
        ini
    }

    /// The names of the sections.
    pub(crate) fn sections(&self) -> impl Iterator<Item = &str> {
        self.sections.keys().map(String::as_str)
    }

    /// A value, unless it is absent or empty.
    pub(crate) fn get(&self, section: &str, key: &str) -> Option<&str> {
        self.sections.get(section)?.get(key).map(String::as_str).filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_keys_and_comments() {
        let text = "\u{feff}; first\r\n[mlflow]\r\nMLFLOW_tracking_USERNAME = ann\r\nmlflow_tracking_password: a=b:c # d\n\
                    # end\n\n[ other ]\nempty =\nnonsense\n";
        let ini = Ini::parse(text);
        assert_eq!(ini.get("mlflow", "mlflow_tracking_username"), Some("ann"));
        assert_eq!(ini.get("mlflow", "mlflow_tracking_password"), Some("a=b:c # d"));
        assert_eq!(ini.get("other", "empty"), None);
        assert_eq!(ini.get("absent", "empty"), None);
        assert_eq!(ini.sections().collect::<Vec<_>>(), ["mlflow", "other"]);
    }
}
