//! What the tests of more than one topic check.

use mlflow_client::Error;

/// What a store refuses with: status, code and message.
#[track_caller]
pub(crate) fn check_refused<T: std::fmt::Debug>(
    answer: Result<T, Error>,
    status: u16,
    code: &str,
    message: &str,
) {
    let error = answer.unwrap_err();
    let said = error.as_api().unwrap_or_else(|| panic!("{error:?}"));
    assert_eq!((said.status, said.code.as_str(), said.message.as_str()), (status, code, message));
}

/// What a store refuses with, where the words differ from one release to the next: status and code.
#[track_caller]
pub(crate) fn check_code<T: std::fmt::Debug>(answer: Result<T, Error>, status: u16, code: &str) {
    let error = answer.unwrap_err();
    let said = error.as_api().unwrap_or_else(|| panic!("{error:?}"));
    assert_eq!((said.status, said.code.as_str()), (status, code), "{error}");
}
