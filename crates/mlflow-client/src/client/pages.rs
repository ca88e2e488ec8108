//! Searches answer a page at a time; a program wants one thing after the other.

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use crate::{Error, Result};

/// What one page holds, and the token of the next one.
pub(crate) type Page<T> = (Vec<T>, Option<String>);

/// Everything on all pages, each page asked for when the one before is used up.
///
/// A server that answers the token it was asked with would have us ask for ever: that is an error.
pub(crate) fn items<'a, T: Send + 'a>(
    route: &'static str,
    fetch: impl Fn(Option<String>) -> BoxFuture<'a, Result<Page<T>>> + Send + 'a,
) -> BoxStream<'a, Result<T>> {
    stream::try_unfold((fetch, Next::First), move |(fetch, next)| async move {
        let token = match next {
            Next::First => None,
            Next::Token(token) => Some(token),
            Next::End => return Ok(None),
        };
        let (items, answer) = fetch(token.clone()).await?;
        let next = match answer.filter(|answer| !answer.is_empty()) {
            Some(answer) if Some(&answer) == token.as_ref() => return Err(endless(route)),
            Some(answer) => Next::Token(answer),
            None => Next::End,
        };
        Ok(Some((stream::iter(items.into_iter().map(Ok)), (fetch, next))))
    })
    .try_flatten()
    .boxed()
}

enum Next {
    First,
    Token(String),
    End,
}

fn endless(route: &'static str) -> Error {
    Error::Decode { route: route.to_owned(), source: "the next page is the same page again".into() }
}

#[cfg(test)]
mod tests {
    use futures::{FutureExt, TryStreamExt};

    use super::*;

    async fn numbers(answer: fn(Option<String>) -> Page<u32>) -> Result<Vec<u32>> {
        items("numbers/search", move |token| async move { Ok(answer(token)) }.boxed()).try_collect().await
    }

    #[tokio::test]
    async fn pages_follow_each_other_and_an_empty_token_ends_them() {
        let got = numbers(|token| match token.as_deref() {
            None => (vec![1, 2], Some("a".to_owned())),
            Some("a") => (vec![], Some("b".to_owned())),
            _ => (vec![3], Some(String::new())),
        })
        .await;
        assert_eq!(got.expect("no page fails"), [1, 2, 3]);
    }

    #[tokio::test]
    async fn a_page_that_is_its_own_next_page_is_an_error() {
        let error = numbers(|_| (vec![1], Some("same".to_owned()))).await.expect_err("it would never end");
        assert_eq!(error.to_string(), "numbers/search: unreadable answer");
    }
}
