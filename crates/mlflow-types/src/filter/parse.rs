//! Lexemes become comparisons.

use std::str::FromStr;

use super::fields::Kind;
use super::lexer::{Lexeme, lexemes};
use super::{
    Attribute, Comparison, DatasetAttribute, Field, Filter, InvalidFilter, Likeness, Number, Order, Searched,
    Test, rules,
};

/// Reads a filter.
pub(super) fn filter(searched: Searched, text: &str) -> Result<Filter, InvalidFilter> {
    if text.is_empty() {
        return Ok(Filter::default());
    }
    if text.trim().is_empty() {
        return Err(InvalidFilter::new(format!("Invalid filter '{text}'. Could not be parsed.")));
    }
    let lexemes = lexemes(text)?;
    let mut parser = Parser { searched, lexemes: &lexemes, next: 0 };
    let mut comparisons = Vec::new();
    while let Some(lexeme) = parser.peek() {
        if lexeme.is_word("AND") {
            parser.next += 1;
        } else {
            comparisons.push(parser.comparison()?);
        }
    }
    Ok(Filter { comparisons })
}

/// What stands on the right of an operator.
enum Value<'a> {
    One(&'a Lexeme<'a>),
    List(Vec<String>),
}

struct Parser<'a> {
    searched: Searched,
    lexemes: &'a [Lexeme<'a>],
    next: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Lexeme<'a>> {
        self.lexemes.get(self.next)
    }

    fn take(&mut self) -> Option<&'a Lexeme<'a>> {
        let lexeme = self.peek();
        self.next += 1;
        lexeme
    }

    /// Takes a word of the language, if it is next.
    fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek().is_some_and(|lexeme| lexeme.is_word(word));
        self.next += usize::from(found);
        found
    }

    fn invalid_from(&self, start: usize) -> InvalidFilter {
        let clauses: Vec<String> =
            self.lexemes.iter().skip(start).map(|lexeme| format!("'{}'", lexeme.written())).collect();
        InvalidFilter::new(format!("Invalid clause(s) in filter string: {}", clauses.join(", ")))
    }

    fn comparison(&mut self) -> Result<Comparison, InvalidFilter> {
        let start = self.next;
        let name = match self.take() {
            Some(Lexeme::Name(name)) if !is_reserved(name) => *name,
            Some(left @ (Lexeme::Number(_) | Lexeme::Text(_)))
                if matches!(self.peek(), Some(Lexeme::Operator(_))) =>
            {
                return Err(InvalidFilter::new(format!(
                    "Invalid comparison clause. Expected 'Identifier' found '{}'",
                    left.written()
                )));
            }
            _ => return Err(self.invalid_from(start)),
        };
        if self.take_word("IS") {
            let test = if self.take_word("NOT") { Test::IsNotNull } else { Test::IsNull };
            if !self.take_word("NULL") {
                return Err(self.invalid_from(start));
            }
            return self.checked(field(self.searched, name)?, test);
        }
        let operator = self.operator(start)?;
        let value = self.value(start)?;
        let field = field(self.searched, name)?;
        let test = self.test(&field, &operator, value)?;
        self.checked(field, test)
    }

    /// The operator in capital letters; but the search of experiments knows its words in capital letters only.
    fn operator(&mut self, start: usize) -> Result<String, InvalidFilter> {
        let written = match self.take() {
            Some(Lexeme::Operator(operator)) => (*operator).to_owned(),
            Some(Lexeme::Name(word)) if word.eq_ignore_ascii_case("NOT") && self.take_word("IN") => {
                "NOT IN".to_owned()
            }
            Some(Lexeme::Name(word))
                if ["LIKE", "ILIKE", "IN"].iter().any(|known| word.eq_ignore_ascii_case(known)) =>
            {
                (*word).to_owned()
            }
            _ => return Err(self.invalid_from(start)),
        };
        let operator = written.to_ascii_uppercase();
        if self.searched == Searched::Experiments && operator != written {
            return Err(rules::invalid_comparator(
                &written,
                "'LIKE', 'ILIKE', 'IN', 'NOT IN' in capital letters",
            ));
        }
        Ok(operator)
    }

    fn value(&mut self, start: usize) -> Result<Value<'a>, InvalidFilter> {
        match self.take() {
            Some(Lexeme::Open) => self.list().map(Value::List),
            Some(value @ (Lexeme::Name(_) | Lexeme::Text(_) | Lexeme::Number(_))) => Ok(Value::One(value)),
            _ => Err(self.invalid_from(start)),
        }
    }

    /// The rest of a list, whose opening parenthesis is behind us.
    fn list(&mut self) -> Result<Vec<String>, InvalidFilter> {
        let ill_formed = || {
            InvalidFilter::new(
                "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list.",
            )
        };
        let mut texts = Vec::new();
        loop {
            match self.take() {
                Some(Lexeme::Close) if texts.is_empty() => {
                    return Err(InvalidFilter::new(
                        "While parsing a list in the query, expected a non-empty list of string values, but got empty list",
                    ));
                }
                Some(Lexeme::Close) => return Ok(texts),
                Some(Lexeme::Text(text)) => texts.push(python_text(text).ok_or_else(ill_formed)?),
                Some(Lexeme::Name(name)) => {
                    let text = unquoted(name, '"').ok_or_else(ill_formed)?;
                    texts.push(python_text(text).ok_or_else(ill_formed)?);
                }
                Some(Lexeme::Number(number)) => {
                    return Err(InvalidFilter::new(format!(
                        "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in list: ({number},)"
                    )));
                }
                _ => return Err(ill_formed()),
            }
            match self.peek() {
                Some(Lexeme::Comma) => self.next += 1,
                Some(Lexeme::Close) => {}
                _ => return Err(ill_formed()),
            }
        }
    }

    fn test(&self, field: &Field, operator: &str, value: Value<'_>) -> Result<Test, InvalidFilter> {
        let numeric = match field {
            Field::Metric(_) => true,
            Field::Attribute(attribute) => attribute.is_number(),
            _ => false,
        };
        match value {
            Value::One(value) if numeric => {
                let order = operator.parse().map_err(|()| rules::invalid_order(operator))?;
                Ok(Test::Number(order, self.number(field, value)?))
            }
            Value::One(value) => {
                let likeness = operator.parse().map_err(|()| rules::invalid_likeness(operator))?;
                Ok(Test::Text(likeness, self.text(field, value)?))
            }
            Value::List(texts) => match operator {
                "IN" if !numeric => Ok(Test::OneOf(texts)),
                "NOT IN" if !numeric => Ok(Test::NoneOf(texts)),
                _ => Err(rules::list_not_supported(self.searched, field)),
            },
        }
    }

    fn number(&self, field: &Field, value: &Lexeme<'_>) -> Result<Number, InvalidFilter> {
        let written = value.written();
        let number = match value {
            Lexeme::Number(text) => number(text),
            // A version's number may stand in quotes.
            Lexeme::Text(text) if self.searched == Searched::ModelVersions => {
                text.trim().parse().ok().map(Number::Integer)
            }
            _ => None,
        };
        number.ok_or_else(|| match field {
            Field::Attribute(attribute) => InvalidFilter::new(format!(
                "Expected numeric value type for numeric attribute: {}. Found {written}",
                attribute.as_str()
            )),
            _ => InvalidFilter::new(format!("Expected numeric value type for metric. Found {written}")),
        })
    }

    fn text(&self, field: &Field, value: &Lexeme<'_>) -> Result<String, InvalidFilter> {
        match value {
            Lexeme::Text(text) => Ok((*text).to_owned()),
            // This search alone takes a bare word for a text, and leaves double quotes where they are.
            Lexeme::Name(word) | Lexeme::Number(word) if self.searched == Searched::LoggedModels => {
                Ok((*word).to_owned())
            }
            Lexeme::Name(name) => unquoted(name, '"').map(str::to_owned).ok_or_else(|| {
                InvalidFilter::new(format!(
                    "Parameter value is either not quoted or unidentified quote types used for string value {name}. Use either single or double quotes."
                ))
            }),
            other => Err(InvalidFilter::new(format!(
                "Expected a quoted string value for {} (e.g. 'my-value'). Got value {}",
                match field {
                    Field::Param(_) => "parameter",
                    Field::Tag(_) => "tag",
                    Field::Dataset(_) => "dataset attributes",
                    _ => "attributes",
                },
                other.written()
            ))),
        }
    }

    fn checked(&self, field: Field, test: Test) -> Result<Comparison, InvalidFilter> {
        let comparison = Comparison { field, test };
        rules::fits(self.searched, &comparison).map(|()| comparison)
    }
}

/// The field that a name stands for.
pub(super) fn field(searched: Searched, name: &str) -> Result<Field, InvalidFilter> {
    let Some((prefix, key)) = split_at_dot(name) else {
        return attribute(
            searched,
            name,
            searched == Searched::LoggedModels
                || searched == Searched::Runs
                || searched == Searched::Experiments,
        );
    };
    let kind = searched.kind_of(unquoted(prefix, '`').unwrap_or(prefix)).ok_or_else(|| {
        InvalidFilter::new(format!(
            "Invalid entity type '{prefix}'. Valid values are {}",
            match searched {
                Searched::Runs => "['metric', 'parameter', 'tag', 'attribute', 'dataset']",
                Searched::LoggedModels => "['attributes', 'metrics', 'params', 'tags']",
                _ => "('attribute', 'tag', 'tags')",
            }
        ))
    })?;
    let bare = bare_key(searched, key);
    Ok(match kind {
        Kind::Attribute => return attribute(searched, key, true),
        Kind::Metric => Field::Metric(bare.to_owned()),
        Kind::Param => Field::Param(bare.to_owned()),
        Kind::Tag => Field::Tag(bare.to_owned()),
        Kind::Dataset => Field::Dataset(
            DatasetAttribute::ALL.into_iter().find(|known| known.as_str() == bare).ok_or_else(|| {
                InvalidFilter::new(format!(
                    "Invalid dataset key '{bare}' specified. Valid keys are '{{'name', 'digest', 'context'}}'"
                ))
            })?,
        ),
    })
}

fn attribute(searched: Searched, key: &str, may_be_quoted: bool) -> Result<Field, InvalidFilter> {
    let bare = if may_be_quoted { bare_key(searched, key) } else { key };
    searched
        .attribute_of(bare)
        .map(Field::Attribute)
        .ok_or_else(|| rules::invalid_attribute(bare, searched.attributes()))
}

/// The parts before and behind the first dot outside of quotes.
fn split_at_dot(name: &str) -> Option<(&str, &str)> {
    let start = if name.starts_with('`') { name.get(1..)?.find('`')? + 2 } else { 0 };
    let dot = start + name.get(start..)?.find('.')?;
    Some((name.get(..dot)?, name.get(dot + 1..)?))
}

/// A key without the quotes around it. The search of logged models knows backticks only.
fn bare_key(searched: Searched, key: &str) -> &str {
    if searched == Searched::LoggedModels {
        return key.trim_matches('`');
    }
    let key = unquoted(key, '\'').or_else(|| unquoted(key, '"')).unwrap_or(key);
    unquoted(key, '`').unwrap_or(key)
}

/// What is between the quotes.
fn unquoted(text: &str, quote: char) -> Option<&str> {
    text.strip_prefix(quote)?.strip_suffix(quote)
}

/// Words that cannot begin a comparison.
fn is_reserved(name: &str) -> bool {
    ["OR", "NOT", "IN", "IS", "LIKE", "ILIKE", "BETWEEN", "NULL"]
        .iter()
        .any(|word| name.eq_ignore_ascii_case(word))
}

/// A number as written.
fn number(text: &str) -> Option<Number> {
    if let Ok(integer) = text.parse() {
        return Some(Number::Integer(integer));
    }
    text.parse().ok().filter(|number: &f64| number.is_finite()).map(Number::Float)
}

/// The text of a list's element, which is a literal of Python.
fn python_text(written: &str) -> Option<String> {
    let mut text = String::with_capacity(written.len());
    let mut characters = written.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next()? {
                'n' => text.push('\n'),
                'r' => text.push('\r'),
                't' => text.push('\t'),
                'x' => {
                    let digits: String = characters.by_ref().take(2).collect();
                    text.push(char::from(u8::from_str_radix(&digits, 16).ok()?));
                }
                quoted @ ('\\' | '\'' | '"') => text.push(quoted),
                other => {
                    text.push('\\');
                    text.push(other);
                }
            },
            '\n' | '\r' => return None,
            other => text.push(other),
        }
    }
    Some(text)
}

impl FromStr for Order {
    type Err = ();

    fn from_str(operator: &str) -> Result<Self, ()> {
        [Self::Equal, Self::NotEqual, Self::Greater, Self::GreaterOrEqual, Self::Less, Self::LessOrEqual]
            .into_iter()
            .find(|order| order.as_str() == operator)
            .ok_or(())
    }
}

impl FromStr for Likeness {
    type Err = ();

    fn from_str(operator: &str) -> Result<Self, ()> {
        [Self::Equal, Self::NotEqual, Self::Like, Self::ILike]
            .into_iter()
            .find(|likeness| likeness.as_str() == operator)
            .ok_or(())
    }
}

impl Attribute {
    /// The attribute of a search's order, by its name; `timestamp` is the older name of one.
    pub(super) fn of_order(searched: Searched, word: &str) -> Option<Self> {
        let word = if searched == Searched::RegisteredModels && word == "timestamp" {
            "last_updated_timestamp"
        } else {
            word
        };
        searched.attribute_of(word).filter(|attribute| searched.order_attributes().contains(attribute))
    }
}
