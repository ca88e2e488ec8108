//! How options are chained.

/// Declares methods of an `impl`, each of which sets the field that its parameter is called after.
///
/// The parameter becomes the field's type with `into()`: an `Option<T>` is set with a `T`.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($field:ident: $value:ty);)+) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(mut self, $field: $value) -> Self {
                self.$field = $field.into();
                self
            }
        )+
    };
}

pub(crate) use setters;
