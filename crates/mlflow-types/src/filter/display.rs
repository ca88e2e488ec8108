//! Comparisons become text.

use std::fmt;

use super::{Comparison, Field, Filter, InvalidFilter, Likeness, Number, Searched, Test};

/// A field as text.
pub(super) struct FieldText<'a>(pub(super) &'a Field);

impl fmt::Display for FieldText<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (prefix, key) = match self.0 {
            Field::Attribute(attribute) => return formatter.write_str(attribute.as_str()),
            Field::Dataset(attribute) => return write!(formatter, "datasets.{}", attribute.as_str()),
            Field::Metric(key) => ("metrics", key),
            Field::Param(key) => ("params", key),
            Field::Tag(key) => ("tags", key),
        };
        if is_bare(key) {
            write!(formatter, "{prefix}.{key}")
        } else if key.contains('`') {
            write!(formatter, "{prefix}.\"{key}\"")
        } else {
            write!(formatter, "{prefix}.`{key}`")
        }
    }
}

/// Whether a key needs no quotes. The words of SQL that end a name, even behind a dot, do.
fn is_bare(key: &str) -> bool {
    key.split('.').all(|part| {
        part.starts_with(|first: char| first.is_ascii_alphabetic())
            && part.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
            && !["CASE", "IN", "VALUES", "USING", "FROM", "AS"]
                .iter()
                .any(|word| part.eq_ignore_ascii_case(word))
    })
}

impl fmt::Display for Filter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, comparison) in self.comparisons.iter().enumerate() {
            let separator = if index == 0 { "" } else { " AND " };
            write!(formatter, "{separator}{comparison}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = FieldText(&self.field);
        match &self.test {
            Test::Number(order, number) => write!(formatter, "{field} {} {number}", order.as_str()),
            Test::Text(likeness, text) => {
                let quote = if text.contains('\'') { '"' } else { '\'' };
                write!(formatter, "{field} {} {quote}{text}{quote}", likeness.as_str())
            }
            Test::OneOf(texts) => write!(formatter, "{field} IN {}", List(texts)),
            Test::NoneOf(texts) => write!(formatter, "{field} NOT IN {}", List(texts)),
            Test::IsNull => write!(formatter, "{field} IS NULL"),
            Test::IsNotNull => write!(formatter, "{field} IS NOT NULL"),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(formatter),
            Self::Float(number) if *number == 0.0 || (1e-5..1e16).contains(&number.abs()) => {
                write!(formatter, "{number:?}")
            }
            Self::Float(number) => write!(formatter, "{number:e}"),
        }
    }
}

/// Texts as a tuple of Python, which is what the server reads them as.
struct List<'a>(&'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(")?;
        for (index, text) in self.0.iter().enumerate() {
            formatter.write_str(if index == 0 { "'" } else { ", '" })?;
            for character in text.chars() {
                match character {
                    '\n' => formatter.write_str("\\n")?,
                    '\r' => formatter.write_str("\\r")?,
                    // Written by number: the parser of SQL must not see a backslash or a quote before the end.
                    '\\' => formatter.write_str("\\x5c")?,
                    '\'' => formatter.write_str("\\x27")?,
                    '\0' => formatter.write_str("\\x00")?,
                    other => write!(formatter, "{other}")?,
                }
            }
            formatter.write_str("'")?;
        }
        formatter.write_str(")")
    }
}

/// The text of a filter, where a text that quotes cannot hold goes into a list.
pub(super) fn text_for(filter: &Filter, searched: Searched) -> String {
    let comparisons = filter.comparisons.iter().map(|comparison| match &comparison.test {
        Test::Text(Likeness::Equal, text) if !quotes_hold(searched, text) => {
            Comparison { field: comparison.field.clone(), test: Test::OneOf(vec![text.clone()]) }
        }
        Test::Text(Likeness::NotEqual, text) if !quotes_hold(searched, text) => {
            Comparison { field: comparison.field.clone(), test: Test::NoneOf(vec![text.clone()]) }
        }
        _ => comparison.clone(),
    });
    Filter { comparisons: comparisons.collect() }.to_string()
}

/// Whether a text can stand between quotes as it is.
fn quotes_hold(searched: Searched, text: &str) -> bool {
    let single = !text.contains('\'');
    let double = !text.contains('"') && searched != Searched::LoggedModels;
    !text.ends_with('\\') && (single || double)
}

/// Whether a key can be written.
pub(super) fn key_fits(searched: Searched, field: &Field) -> Result<(), InvalidFilter> {
    let (Field::Metric(key) | Field::Param(key) | Field::Tag(key)) = field else {
        return Ok(());
    };
    let writable = !key.contains('`')
        || (searched != Searched::LoggedModels && !key.contains('"') && !key.ends_with('\\'));
    if writable && !key.is_empty() {
        return Ok(());
    }
    Err(InvalidFilter::new(format!("a filter cannot name the key {key:?}")))
}

/// Whether a text can be written.
pub(super) fn text_fits(searched: Searched, comparison: &Comparison) -> Result<(), InvalidFilter> {
    let Test::Text(likeness, text) = &comparison.test else {
        return Ok(());
    };
    let as_list = match likeness {
        Likeness::Equal => Test::OneOf(vec![text.clone()]),
        Likeness::NotEqual => Test::NoneOf(vec![text.clone()]),
        Likeness::Like | Likeness::ILike => Test::IsNull,
    };
    let listed = Comparison { field: comparison.field.clone(), test: as_list };
    let list_holds = listed.test != Test::IsNull && super::rules::fits(searched, &listed).is_ok();
    if quotes_hold(searched, text) || list_holds {
        return Ok(());
    }
    Err(InvalidFilter::new(format!("a filter cannot say the text {text:?}: it needs both kinds of quotes")))
}
