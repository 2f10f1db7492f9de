//! A flag of a plugin.

/// A flag, such as `-n, --namespace NAMESPACE`. Each is declared once, as a static: the parser, the help and the completion
/// read it there.
#[derive(Debug)]
pub struct Flag {
    /// The long name, without dashes.
    pub long: &'static str,
    /// The short name, if it has one.
    pub short: Option<char>,
    /// What follows it.
    pub value: Value,
    /// What it does, in lower case, for the help and the completion.
    pub help: &'static str,
}

/// What follows a flag.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Value {
    /// Nothing: it is there or not. `=true` and `=false` are accepted, as in kubectl.
    None,
    /// Any text; this is its name in the help.
    Text(&'static str),
    /// One of these; the first is its name in the help.
    OneOf(&'static str, &'static [&'static str]),
    /// The name of a namespace, which is completed.
    Namespace,
}

impl Flag {
    /// Returns a flag without a value.
    #[must_use]
    pub const fn switch(long: &'static str, short: Option<char>, help: &'static str) -> Self {
        Self { long, short, value: Value::None, help }
    }

    /// Returns a flag with any text as its value, which the help calls `name`.
    #[must_use]
    pub const fn text(
        long: &'static str,
        short: Option<char>,
        name: &'static str,
        help: &'static str,
    ) -> Self {
        Self { long, short, value: Value::Text(name), help }
    }

    /// Returns the name of the value in the help.
    pub(crate) fn value_name(&self) -> Option<&'static str> {
        match self.value {
            Value::None => None,
            Value::Text(name) | Value::OneOf(name, _) => Some(name),
            Value::Namespace => Some("NAMESPACE"),
        }
    }
}
