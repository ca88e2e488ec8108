//! Filters built with types.

use super::{Attribute, Comparison, DatasetAttribute, Field, Filter, Likeness, Number, Order, Test};

/// A field of numbers, to be compared.
#[derive(Clone, Debug)]
pub struct NumberField(Field);

/// A field of texts, to be compared.
#[derive(Clone, Debug)]
pub struct TextField(Field);

impl Filter {
    /// A metric.
    pub fn metric(key: impl Into<String>) -> NumberField {
        NumberField(Field::Metric(key.into()))
    }

    /// A param; its values are texts.
    pub fn param(key: impl Into<String>) -> TextField {
        TextField(Field::Param(key.into()))
    }

    /// A tag.
    pub fn tag(key: impl Into<String>) -> TextField {
        TextField(Field::Tag(key.into()))
    }

    /// An attribute that is a number, such as [`Attribute::StartTime`].
    pub fn number(attribute: Attribute) -> NumberField {
        NumberField(Field::Attribute(attribute))
    }

    /// An attribute that is a text, such as [`Attribute::Name`].
    pub fn text(attribute: Attribute) -> TextField {
        TextField(Field::Attribute(attribute))
    }

    /// The datasets that a run read.
    pub fn dataset(attribute: DatasetAttribute) -> TextField {
        TextField(Field::Dataset(attribute))
    }
}

impl NumberField {
    fn compared(self, order: Order, number: impl Into<Number>) -> Filter {
        Comparison { field: self.0, test: Test::Number(order, number.into()) }.into()
    }

    /// `=`
    pub fn equals(self, number: impl Into<Number>) -> Filter {
        self.compared(Order::Equal, number)
    }

    /// `!=`
    pub fn differs_from(self, number: impl Into<Number>) -> Filter {
        self.compared(Order::NotEqual, number)
    }

    /// `>`
    pub fn greater(self, number: impl Into<Number>) -> Filter {
        self.compared(Order::Greater, number)
    }

    /// `>=`
    pub fn at_least(self, number: impl Into<Number>) -> Filter {
        self.compared(Order::GreaterOrEqual, number)
    }

    /// `<`
    pub fn less(self, number: impl Into<Number>) -> Filter {
        self.compared(Order::Less, number)
    }

    /// `<=`
    pub fn at_most(self, number: impl Into<Number>) -> Filter {
        self.compared(Order::LessOrEqual, number)
    }
}

impl TextField {
    fn tested(self, test: Test) -> Filter {
        Comparison { field: self.0, test }.into()
    }

    /// `=`
    pub fn equals(self, text: impl Into<String>) -> Filter {
        self.tested(Test::Text(Likeness::Equal, text.into()))
    }

    /// `!=`: it is there, and another.
    pub fn differs_from(self, text: impl Into<String>) -> Filter {
        self.tested(Test::Text(Likeness::NotEqual, text.into()))
    }

    /// `LIKE`, with `%` for any characters and `_` for one.
    pub fn like(self, pattern: impl Into<String>) -> Filter {
        self.tested(Test::Text(Likeness::Like, pattern.into()))
    }

    /// `ILIKE`: the same, where small and capital letters of ASCII are one.
    pub fn ilike(self, pattern: impl Into<String>) -> Filter {
        self.tested(Test::Text(Likeness::ILike, pattern.into()))
    }

    /// `IN`
    pub fn is_one_of<T: Into<String>>(self, texts: impl IntoIterator<Item = T>) -> Filter {
        self.tested(Test::OneOf(texts.into_iter().map(Into::into).collect()))
    }

    /// `NOT IN`: it is there, and none of these.
    pub fn is_none_of<T: Into<String>>(self, texts: impl IntoIterator<Item = T>) -> Filter {
        self.tested(Test::NoneOf(texts.into_iter().map(Into::into).collect()))
    }

    /// `IS NULL`: it is not there.
    pub fn is_null(self) -> Filter {
        self.tested(Test::IsNull)
    }

    /// `IS NOT NULL`: it is there.
    pub fn is_not_null(self) -> Filter {
        self.tested(Test::IsNotNull)
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<i64> for Number {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<i32> for Number {
    fn from(number: i32) -> Self {
        Self::Integer(number.into())
    }
}
