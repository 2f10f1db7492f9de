//! The causes inside an error.

use std::error::Error as StdError;
use std::io;

/// Any error of a connector.
pub(super) type BoxError = Box<dyn StdError + Send + Sync>;

/// Returns the first error of type `T` in a chain. Some I/O errors contain others that are not their source.
pub(in crate::gate) fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    None
}
