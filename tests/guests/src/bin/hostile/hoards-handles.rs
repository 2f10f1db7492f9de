//! `hoards-handles [COUNT]`: makes COUNT lists of headers in the host, 200000 by default, and lets none go.
//! The host keeps something for each, outside of the guest's memory. Defence: the number of a guest's handles
//! has an end, at which the guest traps.

use guests::attempt::{self, Arguments};
use wasip2::http::types::Fields;

fn main() {
    let count: usize = Arguments::of("hoards-handles [COUNT]").number("200000");
    let hoard: Vec<Fields> = (0..count).map(|_| Fields::new()).collect();
    attempt::tell(Ok(format!("{} handles", hoard.len())))
}
