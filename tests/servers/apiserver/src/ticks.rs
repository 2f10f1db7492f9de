//! An endpoint that no cluster has, for watches to be measured by: `/ticks` makes objects at a steady rate, whose names
//! say which they are and when they were made.

use std::time::{Duration, Instant};

use hyper::{Method, Response};
use serde_json::json;
use time::OffsetDateTime;

use crate::body::{self, Reply};
use crate::object::Resource;
use crate::rest::number;
use crate::routes::Query;
use crate::status::Refused;
use crate::store::Store;

/// The interval between checks for due ticks.
const PAUSE: Duration = Duration::from_millis(1);

/// `POST ?namespace=NS&first=F&count=N&rate=R`: makes N config maps `tick-NUMBER-NANOSECONDS`, R a second, numbered from F
/// on, and answers when all are there. The nanoseconds are Unix time.
pub(crate) async fn make(store: &Store, method: &Method, query: &Query) -> Result<Response<Reply>, Refused> {
    let Some(resource) = Resource::find("configmaps").filter(|_| *method == Method::POST) else {
        return Err(Refused::method_not_allowed());
    };
    let of = |name: &str, absent| number(query.get(name).unwrap_or(absent), name);
    let (first, count, rate) = (of("first", "1")?, of("count", "1")?, of("rate", "1000")?);
    let namespace = query.get("namespace").unwrap_or("default");
    let (start, mut made) = (Instant::now(), 0);
    while made < count {
        let due = start.elapsed().as_millis() * u128::from(rate) / 1000 + 1;
        while made < count && u128::from(made) < due {
            let name = format!("tick-{}-{}", first + made, OffsetDateTime::now_utc().unix_timestamp_nanos());
            store.create(resource, Some(namespace), json!({ "metadata": { "name": name } }), false)?;
            made += 1;
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(body::document(200, &json!({ "ticks": made })))
}
