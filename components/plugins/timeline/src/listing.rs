//! A list, read page by page.

use crate::api::Api;
use crate::event::{self, Event};
use kube_guest::Error;

/// The number of times that a list is restarted when its pages expire.
const ATTEMPTS: usize = 3;

/// Returns the events in the order of time, and the version of the cluster for that list.
pub(crate) fn list(api: &mut impl Api) -> Result<(Vec<Event>, String), Error> {
    let mut attempt = 1;
    loop {
        match pages(api) {
            Err(error) if error.status() == Some(410) && attempt < ATTEMPTS => attempt += 1,
            Ok((mut events, version)) => {
                event::sort(&mut events);
                return Ok((events, version));
            }
            Err(error) => return Err(error),
        }
    }
}

fn pages(api: &mut impl Api) -> Result<(Vec<Event>, String), Error> {
    let mut page = api.page(None)?;
    let mut events = std::mem::take(&mut page.items);
    while !page.metadata.next.is_empty() {
        page = api.page(Some(&page.metadata.next))?;
        events.append(&mut page.items);
    }
    Ok((events, page.metadata.resource_version))
}
