//! A review over HTTP.

use serve_kit::Answer;

use crate::{Admit, Request};

/// The longest review, in bytes: kwasm passes none that is longer.
const LONGEST: usize = 16 << 20;

/// Answers a review by the verdict of `A`. What [`export!`](crate::export) calls.
pub fn handle<A: Admit>(request: &serve_kit::Request, answer: Answer) {
    let read = request.read(LONGEST).map_err(|error| error.to_string());
    match read.and_then(|text| Request::read(&text)) {
        Ok(request) => match A::admit(&request) {
            Ok(verdict) => {
                let review = verdict.review(&request.uid).to_string();
                answer.whole(200, &[("content-type", "application/json")], review.as_bytes());
            }
            Err(why) => answer.text(500, &format!("{why}\n")),
        },
        Err(why) => answer.text(400, &format!("{why}\n")),
    }
}
