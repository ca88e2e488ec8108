//! Pages.

use super::refusal::{Answer, invalid};

/// The part of the results that a page holds, and where the next page begins, if there is one.
pub(super) fn page<T>(results: Vec<T>, token: Option<&str>, size: usize) -> Answer<(Vec<T>, Option<String>)> {
    let start = offset(token)?;
    let end = start.saturating_add(size);
    let next = (results.len() > end).then(|| format!("{{\"offset\": {end}}}"));
    Ok((results.into_iter().skip(start).take(size).collect(), next))
}

/// Where a page begins.
fn offset(token: Option<&str>) -> Answer<usize> {
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        return Ok(0);
    };
    let value: serde_json::Value = serde_json::from_str(token)
        .map_err(|_| invalid(format!("Invalid page token, decoded value=b'{token}'")))?;
    value
        .get("offset")
        .and_then(serde_json::Value::as_u64)
        .and_then(|offset| usize::try_from(offset).ok())
        .ok_or_else(|| invalid(format!("Invalid page token, parsed value={value}")))
}

/// A page's size, as the tracking store limits it.
pub(super) fn tracking_size(size: u32) -> Answer<usize> {
    if size == 0 {
        return Err(invalid(format!(
            "Invalid value {size} for parameter 'max_results' supplied. It must be a positive integer"
        )));
    }
    limited(size, 50_000)
}

/// A page's size below a limit.
pub(super) fn limited(size: u32, limit: u32) -> Answer<usize> {
    if size > limit {
        return Err(invalid(format!(
            "Invalid value {size} for parameter 'max_results' supplied. It must be at most {limit}"
        )));
    }
    Ok(usize::try_from(size).unwrap_or(usize::MAX))
}
