//! The columns that are asked for.

use crate::image::Image;
use kube_guest::for_terminal_line;
use plugin_kit::Failure;

/// A column. Its number on the command line is its place here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Column {
    Namespace,
    Pod,
    Container,
    Image,
    PullPolicy,
    Size,
}

const ALL: [Column; 6] =
    [Column::Namespace, Column::Pod, Column::Container, Column::Image, Column::PullPolicy, Column::Size];

impl Column {
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Namespace => "NAMESPACE",
            Self::Pod => "POD",
            Self::Container => "CONTAINER",
            Self::Image => "IMAGE",
            Self::PullPolicy => "PULL-POLICY",
            Self::Size => "SIZE",
        }
    }

    pub(crate) fn of(self, image: &Image) -> &str {
        match self {
            Self::Namespace => &image.namespace,
            Self::Pod => &image.pod,
            Self::Container => &image.container,
            Self::Image => &image.reference,
            Self::PullPolicy => &image.pull_policy,
            Self::Size => &image.size,
        }
    }
}

/// Columns in the order in which they are asked for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Columns(Vec<Column>);

impl Columns {
    /// Reads numbers, separated by commas.
    pub(crate) fn read(text: Option<&str>, all_namespaces: bool) -> Result<Self, Failure> {
        let text = text.unwrap_or(if all_namespaces { "0,1,2,3" } else { "1,2,3" });
        let column = |number: &str| {
            let known = number.trim().parse().ok().and_then(|number: usize| ALL.get(number).copied());
            known
                .ok_or_else(|| Failure::usage(format!("--columns {}: not 0 to 5", for_terminal_line(number))))
        };
        text.split(',').map(column).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Column> {
        self.0.iter().copied()
    }

    pub(crate) fn has(&self, column: Column) -> bool {
        self.0.contains(&column)
    }

    /// Returns whether the nodes have to be read.
    pub(crate) fn need_sizes(&self) -> bool {
        self.has(Column::Size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_numbers() {
        assert_eq!(Columns::read(Some("3, 0"), false).unwrap().0, [Column::Image, Column::Namespace]);
        assert!(Columns::read(None, true).unwrap().has(Column::Namespace));
        assert!(!Columns::read(None, false).unwrap().has(Column::Namespace));
        for bad in ["", "6", "1,", "a", "-1"] {
            assert!(Columns::read(Some(bad), false).is_err(), "{bad}");
        }
    }
}
