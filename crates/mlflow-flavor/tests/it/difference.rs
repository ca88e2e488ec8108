//! Where this crate answers differently from Python on purpose, as data.

use std::collections::BTreeSet;

/// Cases of a table that may differ, with the reason; every one of them must differ.
pub(crate) struct Differences {
    listed: BTreeSet<(&'static str, &'static str)>,
    met: BTreeSet<(String, String)>,
    unexpected: Vec<String>,
}

impl Differences {
    /// `list` holds a reason, the cases as JSON text, and the models they differ for.
    pub(crate) fn new(list: &[(&'static str, &'static [&'static str], &'static [&'static str])]) -> Self {
        let mut listed = BTreeSet::new();
        for (_reason, cases, models) in list {
            for case in *cases {
                listed.extend(models.iter().map(|model| (*case, *model)));
            }
        }
        Self { listed, met: BTreeSet::new(), unexpected: Vec::new() }
    }

    /// Notes the outcome of one case.
    pub(crate) fn note(&mut self, case: &str, model: &str, outcome: Result<(), String>) {
        if let Err(difference) = outcome {
            if self.listed.contains(&(case, model)) {
                self.met.insert((case.to_owned(), model.to_owned()));
            } else {
                self.unexpected.push(format!("{model}: {case}: {difference}"));
            }
        }
    }

    /// Fails if a case differs that is not listed, or a listed one does not differ.
    #[track_caller]
    pub(crate) fn finish(self) {
        assert!(self.unexpected.is_empty(), "{}", self.unexpected.join("\n"));
        let stale =
            self.listed.iter().filter(|(case, model)| !self.met.contains(&((*case).into(), (*model).into())));
        assert_eq!(stale.collect::<Vec<_>>(), Vec::<&(&str, &str)>::new(), "listed, but no difference");
    }
}
