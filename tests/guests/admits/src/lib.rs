//! `kwasm serve --webhook=mutating admits.wasm`: does with an object what its label `do` says.

use std::hint::black_box;

use admission::{Admit, Operation, Request, Verdict};

struct Guest;

admission::export!(Guest);

impl Admit for Guest {
    fn admit(request: &Request) -> Result<Verdict, String> {
        Ok(match request.object["metadata"]["labels"]["do"].as_str().unwrap_or_default() {
            "deny" => Verdict::deny("not today").with_code(422),
            "warn" => Verdict::allow().warn("it will be denied tomorrow"),
            "patch" => {
                let path = "/metadata/labels/seen-by".to_owned();
                Verdict::allow()
                    .patch(Operation::Add { path, value: request.user_info.username.clone().into() })
            }
            "spin" => loop {
                black_box(0);
            },
            "fill" => {
                let mut kept: Vec<Vec<u8>> = Vec::new();
                loop {
                    kept.push(black_box(vec![1; 1 << 20]));
                }
            }
            "trap" => std::process::abort(),
            "err" => return Err("it cannot be judged".to_owned()),
            _ => Verdict::allow(),
        })
    }
}
