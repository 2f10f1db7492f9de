//! `exits CODE`: ends with CODE, 0 to 255, through `wasi:cli/exit`'s `exit-with-code`.

fn main() {
    match std::env::args().nth(1).map(|code| code.parse::<u8>()) {
        Some(Ok(code)) => kube_guest::exit(code),
        _ => {
            eprintln!("usage: exits CODE");
            kube_guest::exit(2)
        }
    }
}
