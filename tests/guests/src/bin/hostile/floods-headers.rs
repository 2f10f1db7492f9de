//! `floods-headers [COUNT] [SIZE]`: gets `/version` with COUNT headers whose values have SIZE bytes, 200 of
//! 10 by default. Defence: the number and size of a request's headers are limited.

use guests::attempt::{self, Arguments, Request};

fn main() {
    let usage = "floods-headers [COUNT] [SIZE]";
    let values = Arguments::of(usage).values(["200", "10"]).map(|value| value.parse::<usize>());
    let [Ok(count), Ok(size)] = values else { Arguments::of(usage).wrong() };
    let value = "a".repeat(size);
    let request = (0..count).fold(Request::get("/version"), |request, number| {
        request.header(&format!("x-{number}"), value.as_str())
    });
    attempt::tell(request.reach())
}
