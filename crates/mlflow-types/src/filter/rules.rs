//! Which comparison fits which search.

use super::display::{key_fits, text_fits};
use super::{Attribute, Comparison, Field, InvalidFilter, Likeness, Number, Searched, Test};

/// Whether a comparison fits its search and can be written.
pub(super) fn check(searched: Searched, comparison: &Comparison) -> Result<(), InvalidFilter> {
    if let Field::Attribute(attribute) = comparison.field
        && !searched.attributes().contains(&attribute)
    {
        return Err(invalid_attribute(attribute.as_str(), searched.attributes()));
    }
    if !kinds(searched, &comparison.field) {
        return Err(InvalidFilter::new(format!(
            "{} cannot be compared in this search",
            super::display::FieldText(&comparison.field)
        )));
    }
    fits(searched, comparison)?;
    key_fits(searched, &comparison.field)?;
    text_fits(searched, comparison)
}

/// Whether a search knows fields of this kind.
fn kinds(searched: Searched, field: &Field) -> bool {
    match field {
        Field::Attribute(_) | Field::Tag(_) => true,
        Field::Metric(_) | Field::Param(_) => matches!(searched, Searched::Runs | Searched::LoggedModels),
        Field::Dataset(_) => searched == Searched::Runs,
    }
}

/// Whether the test fits the field in this search.
pub(super) fn fits(searched: Searched, comparison: &Comparison) -> Result<(), InvalidFilter> {
    let numeric = match comparison.field {
        Field::Metric(_) => true,
        Field::Attribute(attribute) => attribute.is_number(),
        _ => false,
    };
    match &comparison.test {
        Test::Number(_, number) if numeric => number_fits(searched, &comparison.field, *number),
        Test::Number(order, _) => Err(invalid_likeness(order.as_str())),
        Test::Text(likeness, _) if numeric => Err(invalid_order(likeness.as_str())),
        Test::Text(likeness, text) => text_test_fits(searched, &comparison.field, *likeness, text),
        Test::OneOf(texts) | Test::NoneOf(texts) => list_fits(searched, &comparison.field, texts),
        Test::IsNull | Test::IsNotNull => null_fits(searched, &comparison.field),
    }
}

fn number_fits(searched: Searched, field: &Field, number: Number) -> Result<(), InvalidFilter> {
    let whole = matches!(searched, Searched::Experiments | Searched::ModelVersions);
    match (field, number) {
        (Field::Attribute(attribute), Number::Float(number)) if whole => Err(InvalidFilter::new(format!(
            "Invalid value for numeric attribute '{}': {number:?}",
            attribute.as_str()
        ))),
        (_, Number::Float(number)) if !number.is_finite() => {
            Err(InvalidFilter::new(format!("Expected numeric value type for metric. Found {number}")))
        }
        _ => Ok(()),
    }
}

fn text_test_fits(
    searched: Searched,
    field: &Field,
    likeness: Likeness,
    text: &str,
) -> Result<(), InvalidFilter> {
    let experiment = searched == Searched::Experiments && *field == Field::Attribute(Attribute::ExperimentId);
    match likeness {
        Likeness::Like | Likeness::ILike if experiment => {
            Err(InvalidFilter::new(format!("Invalid comparator for experiment_id: {}", likeness.as_str())))
        }
        _ if experiment => experiment_id_fits(text),
        _ => Ok(()),
    }
}

fn experiment_id_fits(text: &str) -> Result<(), InvalidFilter> {
    text.parse::<i64>().map(drop).map_err(|_| {
        InvalidFilter::new(format!("Invalid experiment ID: {text}. Experiment ID must be a valid integer."))
    })
}

fn list_fits(searched: Searched, field: &Field, texts: &[String]) -> Result<(), InvalidFilter> {
    let supported = match field {
        Field::Attribute(attribute) => searched.takes_list(*attribute),
        Field::Dataset(_) => true,
        Field::Param(_) | Field::Tag(_) => searched == Searched::LoggedModels,
        Field::Metric(_) => false,
    };
    if !supported {
        return Err(list_not_supported(searched, field));
    }
    if texts.is_empty() {
        return Err(InvalidFilter::new(
            "While parsing a list in the query, expected a non-empty list of string values, but got empty list",
        ));
    }
    if searched == Searched::Experiments {
        return texts.iter().try_for_each(|text| experiment_id_fits(text));
    }
    Ok(())
}

fn null_fits(searched: Searched, field: &Field) -> Result<(), InvalidFilter> {
    let (supported, words) = match searched {
        Searched::Runs => (matches!(field, Field::Tag(_) | Field::Param(_)), "tags and params"),
        Searched::Experiments => (matches!(field, Field::Tag(_)), "tags"),
        _ => (false, "runs and experiments"),
    };
    if supported {
        return Ok(());
    }
    Err(InvalidFilter::new(format!(
        "IS NULL / IS NOT NULL is only supported for {words}, not for '{}'",
        super::display::FieldText(field)
    )))
}

pub(super) fn list_not_supported(searched: Searched, field: &Field) -> InvalidFilter {
    match field {
        Field::Param(_) | Field::Tag(_) | Field::Metric(_) => {
            InvalidFilter::new(format!("{} cannot be compared with a list", super::display::FieldText(field)))
        }
        Field::Attribute(_) | Field::Dataset(_) => {
            let keys: Vec<String> = searched
                .attributes()
                .iter()
                .filter(|attribute| searched.takes_list(**attribute))
                .map(|attribute| format!("'{}'", attribute.as_str()))
                .collect();
            InvalidFilter::new(format!(
                "Only [{}] attributes support comparison with a list of quoted string values.",
                keys.join(", ")
            ))
        }
    }
}

pub(super) fn invalid_comparator(comparator: &str, valid: &str) -> InvalidFilter {
    InvalidFilter::new(format!("Invalid comparator '{comparator}' not one of {valid}"))
}

pub(super) fn invalid_order(comparator: &str) -> InvalidFilter {
    invalid_comparator(comparator, "'=', '!=', '>', '>=', '<', '<='")
}

pub(super) fn invalid_likeness(comparator: &str) -> InvalidFilter {
    invalid_comparator(comparator, "'=', '!=', 'LIKE', 'ILIKE'")
}

pub(super) fn invalid_attribute(key: &str, valid: &[Attribute]) -> InvalidFilter {
    let valid: Vec<String> = valid.iter().map(|attribute| format!("'{}'", attribute.as_str())).collect();
    InvalidFilter::new(format!(
        "Invalid attribute key '{key}' specified. Valid keys are '{{{}}}'",
        valid.join(", ")
    ))
}
